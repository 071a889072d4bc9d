// Marks of a time axis at moments that people name: whole seconds, minutes, quarters of an hour, hours.

const SECOND = 1000;
const STEPS_S = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800,
  21_600, 43_200, 86_400,
];

export interface TimeTicks {
  /** Milliseconds since the epoch, ascending. */
  readonly marks: readonly number[];
  readonly step_ms: number;
}

/** At most `count` marks inside `low_ms..=high_ms`. */
export function timeTicks(low_ms: number, high_ms: number, count: number): TimeTicks {
  const rough = (high_ms - low_ms) / Math.max(1, count);
  const step_s =
    STEPS_S.find((step) => step * SECOND >= rough) ?? Math.ceil(rough / (86_400 * SECOND)) * 86_400;
  const step_ms = step_s * SECOND;
  const marks: number[] = [];
  for (let mark = Math.ceil(low_ms / step_ms) * step_ms; mark <= high_ms; mark += step_ms) {
    marks.push(mark);
  }
  return { marks, step_ms };
}
