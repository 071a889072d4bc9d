// Marks of an axis of durations, as many as their texts leave room for.
import { durationTicks } from '../../model/timeTicks';
import { offset } from './words';

/** Of the widest common font at 11 pixels. */
export const CHARACTER_PX = 7;
const BETWEEN_PX = 16;
const WANTED_PX = 58;

/** Round moments inside `low_ns..=high_ns` for an axis of `width` pixels; their texts do not touch. */
export function axisMarks(low_ns: number, high_ns: number, width: number): number[] {
  let count = Math.max(2, Math.round(width / WANTED_PX));
  for (;;) {
    const marks = durationTicks(low_ns, high_ns, count);
    const fits = Math.floor(width / (widthOf(marks) + BETWEEN_PX));
    if (marks.length <= fits + 1 || count <= 1) {
      return marks;
    }
    count = Math.max(1, Math.min(fits, count - 1));
  }
}

/** Pixels of the longest text. */
export function widthOf(marks: readonly number[]): number {
  return Math.max(0, ...marks.map((mark) => offset(mark).length)) * CHARACTER_PX;
}
