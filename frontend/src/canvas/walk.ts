// Walking the graph with arrow keys: left to a caller, right to a callee, up and down by position.
import type { Metrics, Topology } from './scene';
import { HIDDEN } from './scene';

export type Step = 'left' | 'right' | 'up' | 'down';

/** The node that a step leads to; the same one if there is none that way. */
export function stepFrom(topology: Topology, metrics: Metrics, from: number, step: Step): number {
  return step === 'left' || step === 'right'
    ? alongEdges(topology, metrics, from, step)
    : byPosition(topology, metrics, from, step);
}

/** Over the busiest edge; unknown rates come last, ties by index. */
function alongEdges(topology: Topology, metrics: Metrics, from: number, step: 'left' | 'right'): number {
  let found = from;
  let busiest = -Infinity;
  for (let edge = 0; edge * 2 + 1 < topology.edgeEnds.length; edge += 1) {
    const source = topology.edgeEnds[edge * 2] ?? 0;
    const target = topology.edgeEnds[edge * 2 + 1] ?? 0;
    const [here, there] = step === 'right' ? [source, target] : [target, source];
    const rate = metrics.edgeRate[edge] ?? NaN;
    const rank = Number.isFinite(rate) ? rate : -1;
    const open = metrics.edgeShow[edge] !== HIDDEN && metrics.nodeShow[there] !== HIDDEN;
    if (here === from && there !== from && open && rank > busiest) {
      busiest = rank;
      found = there;
    }
  }
  return found;
}

/** The nearest one whose middle is above or below, sideways distance counting double. */
function byPosition(topology: Topology, metrics: Metrics, from: number, step: 'up' | 'down'): number {
  const [fromX, fromY] = middleOf(topology.nodeRects, from);
  let found = from;
  let nearest = Infinity;
  for (let node = 0; node * 4 + 3 < topology.nodeRects.length; node += 1) {
    const [x, y] = middleOf(topology.nodeRects, node);
    const ahead = step === 'up' ? fromY - y : y - fromY;
    if (node === from || ahead <= 1 || metrics.nodeShow[node] === HIDDEN) {
      continue;
    }
    const distance = ahead + 2 * Math.abs(x - fromX);
    if (distance < nearest) {
      nearest = distance;
      found = node;
    }
  }
  return found;
}

function middleOf(rects: Float32Array, index: number): [number, number] {
  const at = index * 4;
  return [(rects[at] ?? 0) + (rects[at + 2] ?? 0) / 2, (rects[at + 1] ?? 0) + (rects[at + 3] ?? 0) / 2];
}
