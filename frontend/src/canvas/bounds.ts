// How much of the world the picture takes, and each part of it.
import type { Bounds } from './camera';
import { boundsOf } from './camera';
import { pointsOf } from './curve';
import type { Pick, Topology } from './scene';

/** Everything; null for an empty picture. */
export function pictureBounds({ clusterRects, boxRects, nodeRects, edgeCurves }: Topology): Bounds | null {
  return boundsOf(clusterRects, boxRects, nodeRects, pointsOf(edgeCurves));
}

/** A node's card, or both ends of an edge; null if there is no such part. */
export function partBounds({ nodeRects, edgeEnds }: Topology, { kind, index }: Pick): Bounds | null {
  const ends = kind === 'node' ? [index] : [...edgeEnds.subarray(index * 2, index * 2 + 2)];
  return boundsOf(...ends.map((node) => rectAt(nodeRects, node)));
}

/** One quadruple of many. */
export function rectAt(rects: Float32Array, index: number): Float32Array {
  return rects.subarray(index * 4, index * 4 + 4);
}
