// What the renderers draw, as typed arrays: topology changes rarely, metrics with every update, focus with the pointer.
// Positions are world pixels, y downward; index i means the same node, edge, box or cluster in every array.

export interface Topology {
  /** x, y, width, height of each node. */
  readonly nodeRects: Float32Array;
  /** Index of source and target node of each edge. */
  readonly edgeEnds: Uint32Array;
  /** Four control points of each edge's cubic curve: x0 y0 x1 y1 x2 y2 x3 y3. */
  readonly edgeCurves: Float32Array;
  /** x, y, width, height of each box. */
  readonly boxRects: Float32Array;
  /** x, y, width, height of the outline around the boxes of each cluster; empty with one cluster. */
  readonly clusterRects: Float32Array;
  /** Index of the box around each node; -1 for none. */
  readonly nodeBoxes: Int32Array;
}

/** How strongly a part is drawn. */
export const HIDDEN = 0;
export const DIMMED = 1;
export const SHOWN = 2;

export interface Metrics {
  /** Health as in `HEALTHS` of model/health.ts. */
  readonly nodeHealth: Uint8Array;
  readonly nodeShow: Uint8Array;
  /** 1 for what is drawn as it was some time ago. */
  readonly nodeStale: Uint8Array;
  readonly edgeHealth: Uint8Array;
  readonly edgeShow: Uint8Array;
  /** Per second; NaN if unknown. */
  readonly edgeRate: Float32Array;
  readonly boxHealth: Uint8Array;
  readonly boxShow: Uint8Array;
  readonly boxStale: Uint8Array;
  readonly clusterShow: Uint8Array;
}

const METRICS = [
  'nodeHealth',
  'nodeShow',
  'nodeStale',
  'edgeHealth',
  'edgeShow',
  'edgeRate',
  'boxHealth',
  'boxShow',
  'boxStale',
  'clusterShow',
] as const satisfies readonly (keyof Metrics)[];

/** Both are drawn alike. */
export function sameMetrics(a: Metrics, b: Metrics): boolean {
  return METRICS.every((name) => {
    const [one, other] = [a[name], b[name]];
    // Object.is: an unknown rate is as unknown as before.
    return one.length === other.length && one.every((value, i) => Object.is(value, other[i]));
  });
}

export interface Focus {
  /** Index of the selected node; -1 for none. */
  readonly node: number;
  readonly edge: number;
  readonly hoverNode: number;
  readonly hoverEdge: number;
}

export const NO_FOCUS: Focus = { node: -1, edge: -1, hoverNode: -1, hoverEdge: -1 };

export interface Viewport {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
}

/** Red, green, blue in 0..=1. */
export type Rgb = readonly [number, number, number];

export interface Palette {
  /** By health. */
  readonly health: readonly Rgb[];
  readonly boxFill: Rgb;
  readonly boxLine: Rgb;
  readonly clusterFill: Rgb;
  readonly clusterLine: Rgb;
  readonly background: Rgb;
  /** Dark rim of marks in the light theme; null in the dark one. */
  readonly outline: Rgb | null;
}

export type Pick = { readonly kind: 'node' | 'edge'; readonly index: number };

export const EMPTY_TOPOLOGY: Topology = {
  nodeRects: new Float32Array(0),
  edgeEnds: new Uint32Array(0),
  edgeCurves: new Float32Array(0),
  boxRects: new Float32Array(0),
  clusterRects: new Float32Array(0),
  nodeBoxes: new Int32Array(0),
};

export const EMPTY_METRICS: Metrics = {
  nodeHealth: new Uint8Array(0),
  nodeShow: new Uint8Array(0),
  nodeStale: new Uint8Array(0),
  edgeHealth: new Uint8Array(0),
  edgeShow: new Uint8Array(0),
  edgeRate: new Float32Array(0),
  boxHealth: new Uint8Array(0),
  boxShow: new Uint8Array(0),
  boxStale: new Uint8Array(0),
  clusterShow: new Uint8Array(0),
};

/** `#rrggbb` as numbers; black for anything else. */
export function rgbOf(hex: string): Rgb {
  const digits = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex.trim());
  const part = (i: number): number => parseInt(digits?.[i] ?? '0', 16) / 255;
  return [part(1), part(2), part(3)];
}
