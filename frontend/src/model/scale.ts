// Linear scales and round tick marks for charts.

export interface Scale {
  readonly domain: readonly [number, number];
  readonly range: readonly [number, number];
}

export function scaleTo(scale: Scale, value: number): number {
  const [d0, d1] = scale.domain;
  const [r0, r1] = scale.range;
  return d1 === d0 ? r0 : r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
}

/** Round marks (1, 2 or 5 times a power of ten) inside the domain, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || count < 1) {
    return [low];
  }
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((step) => step * power >= rough) ?? 10;
  const step = factor * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const marks: number[] = [];
  for (let i = first; i <= last; i += 1) {
    // Multiplying keeps 0.3 from becoming 0.30000000000000004 by repeated addition.
    marks.push(Number((i * step).toPrecision(12)));
  }
  return marks;
}

/** The smallest round number (1, 2, 5 times a power of ten) that is not below `value`. */
export function roundUp(value: number): number {
  if (!(value > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((step) => step * power >= value * (1 - 1e-12)) ?? 10;
  return factor * power;
}
