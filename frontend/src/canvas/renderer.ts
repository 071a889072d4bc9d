// What both renderers can do. They draw when told to and never by themselves.
import type { Camera } from './camera';
import type { Focus, Metrics, Palette, Pick, Topology, Viewport } from './scene';

export interface GraphRenderer {
  readonly kind: 'webgl2' | 'canvas2d';
  setTopology(topology: Topology): void;
  setMetrics(metrics: Metrics): void;
  setFocus(focus: Focus): void;
  setPalette(palette: Palette): void;
  setView(camera: Camera, viewport: Viewport): void;
  draw(): void;
  /** What is at a point of the window, CSS pixels. */
  pick(x: number, y: number): Pick | null;
  destroy(): void;
}

/** Screen radius of a far node's glyph. */
export function glyphRadius(zoom: number): number {
  return Math.max(4, Math.min(8, zoom * 20));
}

/** Arrow length in screen pixels for a line of some width. */
export function arrowLength(width: number): number {
  return 6 + width * 1.5;
}

export const BOX_RADIUS = 10;
