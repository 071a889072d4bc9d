// Which rectangles the window shows.
import type { Bounds, Camera } from './camera';
import type { Viewport } from './scene';

/** The part of the world in the window, grown by `margin` screen pixels on each side. */
export function viewBounds(camera: Camera, viewport: Viewport, margin: number): Bounds {
  const grown = margin / camera.zoom;
  return {
    x: camera.x - grown,
    y: camera.y - grown,
    width: viewport.width / camera.zoom + 2 * grown,
    height: viewport.height / camera.zoom + 2 * grown,
  };
}

/** Indices of the x, y, width, height quadruples that touch `view`, ascending. */
export function rectsInView(rects: Float32Array, view: Bounds): number[] {
  const found: number[] = [];
  for (let i = 0; i * 4 + 3 < rects.length; i += 1) {
    if (touches(rects, i, view)) {
      found.push(i);
    }
  }
  return found;
}

/** Whether a curve may show: its control points' rectangle, which holds the curve, touches `view`. */
export function curveInView(curves: Float32Array, index: number, view: Bounds): boolean {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let k = 0; k < 8; k += 2) {
    const x = curves[index * 8 + k] ?? 0;
    const y = curves[index * 8 + k + 1] ?? 0;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return right >= view.x && left <= view.x + view.width && bottom >= view.y && top <= view.y + view.height;
}

function touches(rects: Float32Array, index: number, view: Bounds): boolean {
  const x = rects[index * 4] ?? 0;
  const y = rects[index * 4 + 1] ?? 0;
  const width = rects[index * 4 + 2] ?? 0;
  const height = rects[index * 4 + 3] ?? 0;
  return x + width >= view.x && x <= view.x + view.width && y + height >= view.y && y <= view.y + view.height;
}
