// How edges look, for both renderers: width from rate, strength from focus and zoom, dashes for failing and unknown.
import type { Level } from './camera';
import type { Focus, Metrics, Topology } from './scene';
import { DIMMED, HIDDEN } from './scene';

/** Numbers per edge: width in screen pixels, health, opacity, dash (0 none, 1 failing, 2 idle or unknown). */
export const EDGE_STYLE = 4;

const FAILING = 4;
const DEGRADED = 3;
const IDLE = 1;
/** Below cards, this many of the busiest edges stay strong; the rest recedes. */
const STRONG_EDGES = 120;

export function edgeStyles(topology: Topology, metrics: Metrics, focus: Focus, level: Level): Float32Array {
  const n_edges = topology.edgeEnds.length / 2;
  const styles = new Float32Array(n_edges * EDGE_STYLE);
  const threshold = level === 'cards' || level === 'names' ? 0 : busyThreshold(metrics.edgeRate);
  const someFocus = focus.node >= 0 || focus.edge >= 0;
  for (let edge = 0; edge < n_edges; edge += 1) {
    const health = metrics.edgeHealth[edge] ?? 0;
    const show = metrics.edgeShow[edge] ?? HIDDEN;
    const rate = metrics.edgeRate[edge] ?? NaN;
    const inFocus =
      edge === focus.edge ||
      touches(topology, edge, focus.node) ||
      edge === focus.hoverEdge ||
      touches(topology, edge, focus.hoverNode);
    let opacity = 0.92;
    if (show === HIDDEN) {
      opacity = 0;
    } else if (show === DIMMED && !inFocus) {
      opacity = 0.14;
    } else if (inFocus) {
      opacity = 1;
    } else if (health < DEGRADED && !(rate >= threshold)) {
      opacity = health <= IDLE ? 0.45 : 0.22;
    } else if (health <= IDLE) {
      opacity = 0.55;
    } else if (someFocus) {
      opacity = health >= DEGRADED ? 0.75 : 0.5;
    }
    const at = edge * EDGE_STYLE;
    const scale = level === 'cards' || level === 'names' ? 1 : 0.75;
    styles[at] = edgeWidth(rate) * scale + (edge === focus.edge || edge === focus.hoverEdge ? 1.2 : 0);
    styles[at + 1] = health;
    styles[at + 2] = opacity;
    styles[at + 3] = health === FAILING ? 1 : health <= IDLE ? 2 : 0;
  }
  return styles;
}

/** 1 to 6 pixels by the logarithm of the rate. */
export function edgeWidth(rate: number): number {
  return Number.isFinite(rate) && rate > 0 ? Math.min(6, 1 + Math.log10(1 + rate)) : 1;
}

function touches(topology: Topology, edge: number, node: number): boolean {
  return node >= 0 && (topology.edgeEnds[edge * 2] === node || topology.edgeEnds[edge * 2 + 1] === node);
}

function busyThreshold(rates: Float32Array): number {
  if (rates.length <= STRONG_EDGES) {
    return 0;
  }
  const sorted = rates.map((rate) => (Number.isFinite(rate) ? rate : 0)).sort();
  return sorted[sorted.length - STRONG_EDGES] ?? 0;
}
