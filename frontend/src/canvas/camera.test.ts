import { describe, expect, it } from 'vitest';

import { boundsOf, fit, levelOf, MAX_ZOOM, MIN_ZOOM, pan, reveal, toScreen, toWorld, zoomAt } from './camera';

const CAMERA = { x: 100, y: -40, zoom: 0.8 };

describe('camera', () => {
  it('takes screen points to the world and back', () => {
    const [x, y] = toWorld(CAMERA, 320, 200);
    const [screenX, screenY] = toScreen(CAMERA, x, y);
    expect(screenX).toBeCloseTo(320);
    expect(screenY).toBeCloseTo(200);
  });

  it('pans with the hand: a point follows the pointer', () => {
    const before = toScreen(CAMERA, 150, 10);
    const after = toScreen(pan(CAMERA, 30, -12), 150, 10);
    expect(after[0] - before[0]).toBeCloseTo(30);
    expect(after[1] - before[1]).toBeCloseTo(-12);
  });

  it('keeps the world point under the pointer while zooming', () => {
    for (const factor of [0.5, 1.25, 3, 100, 0.0001]) {
      const before = toWorld(CAMERA, 210, 90);
      const after = toWorld(zoomAt(CAMERA, factor, 210, 90), 210, 90);
      expect(after[0]).toBeCloseTo(before[0]);
      expect(after[1]).toBeCloseTo(before[1]);
    }
  });

  it('never zooms out of its range', () => {
    expect(zoomAt(CAMERA, 1e6, 0, 0).zoom).toBe(MAX_ZOOM);
    expect(zoomAt(CAMERA, 1e-6, 0, 0).zoom).toBe(MIN_ZOOM);
  });

  it('fits everything, centred', () => {
    const camera = fit({ x: -50, y: 20, width: 4000, height: 900 }, 1000, 600, 30);
    const [left] = toScreen(camera, -50, 20);
    const [right] = toScreen(camera, 3950, 920);
    expect(left).toBeCloseTo(30);
    expect(right).toBeCloseTo(970);
    expect((toScreen(camera, 0, 20)[1] + toScreen(camera, 0, 920)[1]) / 2).toBeCloseTo(300);
  });

  it('reveals with the smallest move, and not at all what is in sight', () => {
    const still = { x: 0, y: 0, zoom: 1 };
    expect(reveal(still, { x: 200, y: 200, width: 50, height: 50 }, 800, 600, 40)).toBe(still);
    const moved = reveal(still, { x: 900, y: 200, width: 100, height: 50 }, 800, 600, 40);
    expect(moved).toEqual({ x: 240, y: 0, zoom: 1 });
  });

  it('finds the rectangle around rectangles', () => {
    expect(boundsOf(Float32Array.of(0, 0, 10, 10, 20, -5, 5, 5), new Float32Array(0))).toEqual({
      x: 0,
      y: -5,
      width: 25,
      height: 15,
    });
    expect(boundsOf(new Float32Array(0))).toBeNull();
  });

  it('shows less the farther away it is', () => {
    expect([0.1, 0.3, 0.5, 1].map(levelOf)).toEqual(['boxes', 'glyphs', 'names', 'cards']);
  });
});
