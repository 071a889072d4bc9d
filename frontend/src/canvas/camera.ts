// The camera: which part of the world the window shows. Pure; nothing here decides to move it.

export interface Camera {
  /** World point at the window's top left corner. */
  readonly x: number;
  readonly y: number;
  /** Screen pixels per world pixel. */
  readonly zoom: number;
}

export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const MIN_ZOOM = 0.04;
export const MAX_ZOOM = 2.5;
/** A first look is never larger than this: huge cards of a small mesh help nobody. */
export const MAX_FIT_ZOOM = 1.25;

export function toScreen(camera: Camera, x: number, y: number): [number, number] {
  return [(x - camera.x) * camera.zoom, (y - camera.y) * camera.zoom];
}

export function toWorld(camera: Camera, x: number, y: number): [number, number] {
  return [camera.x + x / camera.zoom, camera.y + y / camera.zoom];
}

/** Moves the world by screen pixels, as a hand does. */
export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.zoom, y: camera.y - dy / camera.zoom };
}

/** Zooms so that the world point under the screen point stays under it. */
export function zoomAt(camera: Camera, factor: number, x: number, y: number): Camera {
  const zoom = clampZoom(camera.zoom * factor);
  const [worldX, worldY] = toWorld(camera, x, y);
  return { x: worldX - x / zoom, y: worldY - y / zoom, zoom };
}

export function clampZoom(zoom: number): number {
  return Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, zoom));
}

/** The whole of `bounds`, centred, with `margin` screen pixels around it. */
export function fit(bounds: Bounds, width: number, height: number, margin: number): Camera {
  const room = { width: Math.max(1, width - 2 * margin), height: Math.max(1, height - 2 * margin) };
  const zoom = clampZoom(
    Math.min(room.width / Math.max(1, bounds.width), room.height / Math.max(1, bounds.height), MAX_FIT_ZOOM),
  );
  return {
    x: bounds.x + bounds.width / 2 - width / 2 / zoom,
    y: bounds.y + bounds.height / 2 - height / 2 / zoom,
    zoom,
  };
}

/** The smallest pan that brings `bounds` into the window with `margin`; the same camera if it is there. */
export function reveal(
  camera: Camera,
  bounds: Bounds,
  width: number,
  height: number,
  margin: number,
): Camera {
  const shift = (low: number, size: number, room: number): number => {
    if (low < margin) {
      return margin - low;
    }
    return low + size > room - margin ? Math.max(margin - low, room - margin - low - size) : 0;
  };
  const [left, top] = toScreen(camera, bounds.x, bounds.y);
  const dx = shift(left, bounds.width * camera.zoom, width);
  const dy = shift(top, bounds.height * camera.zoom, height);
  return dx === 0 && dy === 0 ? camera : pan(camera, dx, dy);
}

/** Level of detail: namespaces, glyphs, names, or full cards. */
export type Level = 'boxes' | 'glyphs' | 'names' | 'cards';

export function levelOf(zoom: number): Level {
  if (zoom < 0.22) {
    return 'boxes';
  }
  if (zoom < 0.45) {
    return 'glyphs';
  }
  return zoom < 0.56 ? 'names' : 'cards';
}

/** The rectangle around all of x, y, width, height quadruples; null if there are none. */
export function boundsOf(...lists: readonly Float32Array[]): Bounds | null {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (const rects of lists) {
    for (let i = 0; i + 3 < rects.length; i += 4) {
      const [x = 0, y = 0, width = 0, height = 0] = rects.subarray(i, i + 4);
      left = Math.min(left, x);
      top = Math.min(top, y);
      right = Math.max(right, x + width);
      bottom = Math.max(bottom, y + height);
    }
  }
  return left > right ? null : { x: left, y: top, width: right - left, height: bottom - top };
}
