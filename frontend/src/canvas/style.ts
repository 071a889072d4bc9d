// How edges look, for both renderers: width from rate, strength from focus and zoom, dashes for failing and unknown.
import type { Level } from './camera';
import type { Focus, Metrics, Rgb, Topology } from './scene';
import { DIMMED, HIDDEN } from './scene';

/** Numbers per edge: width in screen pixels, health, opacity, dash (0 none, 1 failing, 2 idle or unknown). */
export const EDGE_STYLE = 4;

const FAILING = 4;
const DEGRADED = 3;
const IDLE = 1;
/**
 * Of more edges than this only the busiest stay strong, and a selection pushes the others back. Near, the calls inside a
 * namespace stay strong too: those that only pass by would hide them.
 */
const STRONG_EDGES = { boxes: 40, glyphs: 60, names: 300, cards: 300 } as const;
/** Of edges without traffic, and of those that are drawn as they were some time ago. */
const NOT_LIVE = 0.55;
const RECEDED = 0.07;
const QUIET = 0.15;

export function edgeStyles(topology: Topology, metrics: Metrics, focus: Focus, level: Level): Float32Array {
  const n_edges = topology.edgeEnds.length / 2;
  const styles = new Float32Array(n_edges * EDGE_STYLE);
  const near = level === 'cards' || level === 'names';
  const crowded = n_edges > STRONG_EDGES[level];
  const threshold = crowded ? busyThreshold(metrics.edgeRate, STRONG_EDGES[near ? 'boxes' : level]) : 0;
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
    const stale = isStale(topology, metrics, edge);
    let opacity = 0.92;
    if (show === HIDDEN) {
      opacity = 0;
    } else if (show === DIMMED && !inFocus) {
      opacity = crowded ? RECEDED : 0.14;
    } else if (inFocus) {
      opacity = 1;
    } else if (crowded && someFocus) {
      opacity = health >= DEGRADED ? 0.5 : RECEDED;
    } else if (crowded && near && !isInside(topology, edge)) {
      opacity = health >= DEGRADED || rate >= threshold ? 0.5 : QUIET;
    } else if (crowded && !near && health < DEGRADED && !(rate >= threshold)) {
      opacity = level === 'boxes' ? RECEDED : QUIET;
    } else if (health <= IDLE || stale) {
      opacity = NOT_LIVE;
    } else if (someFocus) {
      opacity = health >= DEGRADED ? 0.75 : 0.5;
    }
    const at = edge * EDGE_STYLE;
    const scale = near ? 1 : 0.75;
    styles[at] = edgeWidth(rate) * scale + (edge === focus.edge || edge === focus.hoverEdge ? 1.2 : 0);
    styles[at + 1] = health;
    styles[at + 2] = opacity;
    styles[at + 3] = health === FAILING ? 1 : health <= IDLE || stale ? 2 : 0;
  }
  return styles;
}

/** What colours lose of their saturation where they tell of some time ago; also in the shader of shapes. */
const STALE_FADE = 0.75;

export function faded([red, green, blue]: Rgb): Rgb {
  const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
  const fade = (value: number): number => value + (grey - value) * STALE_FADE;
  return [fade(red), fade(green), fade(blue)];
}

/** 1 to 6 pixels by the logarithm of the rate. */
export function edgeWidth(rate: number): number {
  return Number.isFinite(rate) && rate > 0 ? Math.min(6, 1 + Math.log10(1 + rate)) : 1;
}

function touches(topology: Topology, edge: number, node: number): boolean {
  return node >= 0 && (topology.edgeEnds[edge * 2] === node || topology.edgeEnds[edge * 2 + 1] === node);
}

/** Both ends are as they were some time ago, and with them what they say of each other. */
function isStale(topology: Topology, metrics: Metrics, edge: number): boolean {
  const staleEnd = (end: number): boolean => metrics.nodeStale[topology.edgeEnds[edge * 2 + end] ?? 0] === 1;
  return staleEnd(0) && staleEnd(1);
}

/** Both ends lie in one namespace. */
function isInside(topology: Topology, edge: number): boolean {
  const boxOf = (end: number): number => topology.nodeBoxes[topology.edgeEnds[edge * 2 + end] ?? 0] ?? -1;
  return boxOf(0) === boxOf(1);
}

/** The rate from which on an edge is among the `strong` busiest. */
function busyThreshold(rates: Float32Array, strong: number): number {
  const sorted = rates.map((rate) => (Number.isFinite(rate) ? rate : 0)).sort();
  return sorted[sorted.length - strong] ?? 0;
}
