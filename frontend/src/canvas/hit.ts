// What lies under a point of the window. Cards are DOM and find themselves; this is for far nodes and for edges.
import type { Camera } from './camera';
import { levelOf, toWorld } from './camera';
import { pointAt } from './curve';
import type { Metrics, Pick, Topology } from './scene';
import { HIDDEN } from './scene';

const EDGE_REACH_PX = 7;
const GLYPH_REACH_PX = 12;
const SAMPLES = 20;

/** From far away the topology holds namespaces as its nodes, and they are picked. The node or else the nearest edge at a screen point; hidden parts do not count. */
export function pickAt(
  topology: Topology,
  metrics: Metrics,
  camera: Camera,
  screenX: number,
  screenY: number,
): Pick | null {
  const [x, y] = toWorld(camera, screenX, screenY);
  const level = levelOf(camera.zoom);
  const reach = level === 'glyphs' ? GLYPH_REACH_PX / camera.zoom : 0;
  const node = nodeAt(topology, metrics, x, y, reach);
  if (node >= 0) {
    return { kind: 'node', index: node };
  }
  const edge = edgeAt(topology, metrics, x, y, EDGE_REACH_PX / camera.zoom);
  return edge >= 0 ? { kind: 'edge', index: edge } : null;
}

/** Index of the node whose card (or, with a `reach`, whose middle) is at a world point; -1 for none. */
export function nodeAt(topology: Topology, metrics: Metrics, x: number, y: number, reach: number): number {
  const rects = topology.nodeRects;
  for (let i = 0; i * 4 + 3 < rects.length; i += 1) {
    const inside = reach > 0 ? isNearMiddle(rects, i, x, y, reach) : holds(rects, i, x, y);
    if (inside && metrics.nodeShow[i] !== HIDDEN) {
      return i;
    }
  }
  return -1;
}

/** Index of the cluster whose outline holds a world point; -1 for none. */
export function clusterAt(topology: Topology, metrics: Metrics, x: number, y: number): number {
  const rects = topology.clusterRects;
  for (let i = 0; i * 4 + 3 < rects.length; i += 1) {
    if (metrics.clusterShow[i] !== HIDDEN && holds(rects, i, x, y)) {
      return i;
    }
  }
  return -1;
}

/** Index of the nearest edge within `reach` world pixels; -1 for none. */
export function edgeAt(topology: Topology, metrics: Metrics, x: number, y: number, reach: number): number {
  let found = -1;
  let nearest = reach;
  for (let i = 0; i * 8 + 7 < topology.edgeCurves.length; i += 1) {
    if (metrics.edgeShow[i] === HIDDEN) {
      continue;
    }
    const distance = distanceToCurve(topology.edgeCurves, i, x, y, nearest);
    if (distance <= nearest) {
      nearest = distance;
      found = i;
    }
  }
  return found;
}

/** Distance of a point to a curve, by chords; Infinity as soon as it is clear that it exceeds `limit`. */
export function distanceToCurve(
  curves: Float32Array,
  index: number,
  x: number,
  y: number,
  limit = Infinity,
): number {
  if (outside(curves, index, x, y, limit)) {
    return Infinity;
  }
  let best = Infinity;
  let [fromX, fromY] = pointAt(curves, index, 0);
  for (let i = 1; i <= SAMPLES; i += 1) {
    const [toX, toY] = pointAt(curves, index, i / SAMPLES);
    best = Math.min(best, distanceToSegment(x, y, fromX, fromY, toX, toY));
    fromX = toX;
    fromY = toY;
  }
  return best;
}

/** A curve stays within the rectangle of its control points. */
function outside(curves: Float32Array, index: number, x: number, y: number, limit: number): boolean {
  let left = Infinity;
  let right = -Infinity;
  let top = Infinity;
  let bottom = -Infinity;
  for (let k = 0; k < 8; k += 2) {
    const px = curves[index * 8 + k] ?? 0;
    const py = curves[index * 8 + k + 1] ?? 0;
    left = Math.min(left, px);
    right = Math.max(right, px);
    top = Math.min(top, py);
    bottom = Math.max(bottom, py);
  }
  return x < left - limit || x > right + limit || y < top - limit || y > bottom + limit;
}

function holds(rects: Float32Array, index: number, x: number, y: number): boolean {
  const left = rects[index * 4] ?? 0;
  const top = rects[index * 4 + 1] ?? 0;
  const width = rects[index * 4 + 2] ?? 0;
  const height = rects[index * 4 + 3] ?? 0;
  return x >= left && x <= left + width && y >= top && y <= top + height;
}

function isNearMiddle(rects: Float32Array, index: number, x: number, y: number, reach: number): boolean {
  const middleX = (rects[index * 4] ?? 0) + (rects[index * 4 + 2] ?? 0) / 2;
  const middleY = (rects[index * 4 + 1] ?? 0) + (rects[index * 4 + 3] ?? 0) / 2;
  return Math.hypot(x - middleX, y - middleY) <= reach;
}

function distanceToSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const dx = bx - ax;
  const dy = by - ay;
  const length2 = dx * dx + dy * dy;
  const t = length2 === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length2));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
