// Marks of time axes at moments and durations that people name: whole seconds, minutes, quarters of an hour, hours.
import { roundUp, ticks } from './scale';

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

/** Up to here round numbers of seconds are round for people, too; beyond they count in halves of a minute and so on. */
const ROUND_NS = 10e9;
const SECOND_NS = 1e9;
const DAY_S = 86_400;

/** Round durations inside `low_ns..=high_ns`, about `count` of them. */
export function durationTicks(low_ns: number, high_ns: number, count: number): number[] {
  const rough = (high_ns - low_ns) / Math.max(1, count);
  if (rough <= ROUND_NS) {
    return ticks(low_ns, high_ns, count);
  }
  const step = roundUpDuration(rough);
  const first = Math.ceil(low_ns / step);
  const last = Math.floor(high_ns / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** The smallest round duration that is not below `ns`. */
export function roundUpDuration(ns: number): number {
  if (ns <= ROUND_NS) {
    return roundUp(ns);
  }
  const step_s = STEPS_S.find((step) => step * SECOND_NS >= ns);
  return (step_s ?? roundUp(ns / SECOND_NS / DAY_S) * DAY_S) * SECOND_NS;
}
