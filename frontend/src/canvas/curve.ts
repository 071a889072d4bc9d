// Points of a cubic Bézier curve that stands at `index` in an array of eight numbers each.

export function pointAt(curves: Float32Array, index: number, t: number): [number, number] {
  const u = 1 - t;
  const a = u * u * u;
  const b = 3 * u * u * t;
  const c = 3 * u * t * t;
  const d = t * t * t;
  const at = index * 8;
  return [
    a * (curves[at] ?? 0) + b * (curves[at + 2] ?? 0) + c * (curves[at + 4] ?? 0) + d * (curves[at + 6] ?? 0),
    a * (curves[at + 1] ?? 0) +
      b * (curves[at + 3] ?? 0) +
      c * (curves[at + 5] ?? 0) +
      d * (curves[at + 7] ?? 0),
  ];
}

/** Points on all curves as rectangles without size: how far they reach. */
export function pointsOf(curves: Float32Array): Float32Array {
  const stops = [0.25, 0.5, 0.75];
  const points: number[] = [];
  for (let index = 0; index * 8 < curves.length; index += 1) {
    for (const t of stops) {
      points.push(...pointAt(curves, index, t), 0, 0);
    }
  }
  return Float32Array.from(points);
}

/** Direction at the end, of length one; to the right where the curve has none. */
export function endDirection(curves: Float32Array, index: number): [number, number] {
  const at = index * 8;
  const x = (curves[at + 6] ?? 0) - (curves[at + 4] ?? 0);
  const y = (curves[at + 7] ?? 0) - (curves[at + 5] ?? 0);
  const length = Math.hypot(x, y);
  return length === 0 ? [1, 0] : [x / length, y / length];
}

/** Length by twelve chords: enough for dashes. */
export function lengthOf(curves: Float32Array, index: number): number {
  let length = 0;
  let [x, y] = pointAt(curves, index, 0);
  for (let i = 1; i <= 12; i += 1) {
    const [nextX, nextY] = pointAt(curves, index, i / 12);
    length += Math.hypot(nextX - x, nextY - y);
    x = nextX;
    y = nextY;
  }
  return length;
}
