import { describe, expect, it } from 'vitest';

import { timeTicks } from './timeTicks';

describe('marks of a time axis', () => {
  const noon = Date.parse('2026-11-22T12:00:00Z');

  it('stand at whole minutes', () => {
    const { marks, step_ms } = timeTicks(noon + 10_000, noon + 9 * 60_000, 6);
    expect(step_ms).toBe(120_000);
    expect(marks.map((mark) => (mark - noon) / 60_000)).toEqual([2, 4, 6, 8]);
  });

  it('are never more than asked for, and one', () => {
    for (const span of [3, 700, 5_000, 61_000, 3.6e6, 9e7, 4e9]) {
      expect(timeTicks(noon, noon + span, 5).marks.length).toBeLessThanOrEqual(6);
    }
  });

  it('of no time at all are at most one', () => {
    expect(timeTicks(noon, noon, 5).marks).toEqual([noon]);
  });
});
