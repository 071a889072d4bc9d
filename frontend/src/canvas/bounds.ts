// How much of the world the picture takes, and each part of it.
import type { Bounds } from './camera';
import { boundsOf } from './camera';
import { pointsOf } from './curve';
import { HIDDEN, type Metrics, type Pick, type Topology } from './scene';

/** Everything; null for an empty picture. */
export function pictureBounds({ clusterRects, boxRects, nodeRects, edgeCurves }: Topology): Bounds | null {
  return boundsOf(clusterRects, boxRects, nodeRects, pointsOf(edgeCurves));
}

/** What is shown of it; everything where nothing is left out, or nothing is shown. */
export function shownBounds(topology: Topology, { nodeShow, boxShow, clusterShow }: Metrics): Bounds | null {
  if (![nodeShow, boxShow, clusterShow].some((shows) => shows.includes(HIDDEN))) {
    return pictureBounds(topology);
  }
  const { clusterRects, boxRects, nodeRects } = topology;
  const shown = (rects: Float32Array, shows: Uint8Array): Float32Array[] =>
    [...shows].flatMap((show, i) => (show === HIDDEN ? [] : [rectAt(rects, i)]));
  const parts = [
    ...shown(clusterRects, clusterShow),
    ...shown(boxRects, boxShow),
    ...shown(nodeRects, nodeShow),
  ];
  return boundsOf(...parts) ?? pictureBounds(topology);
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
