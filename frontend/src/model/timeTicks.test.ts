import { describe, expect, it } from 'vitest';

import { durationTicks, roundUpDuration, timeTicks } from './timeTicks';

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

describe('marks of an axis of durations', () => {
  const seconds = (high_s: number, count: number): number[] =>
    durationTicks(0, high_s * 1e9, count).map((mark) => mark / 1e9);

  it('are round numbers below a quarter of a minute', () => {
    expect(seconds(1.42, 3)).toEqual([0, 0.5, 1]);
    expect(seconds(30, 3)).toEqual([0, 10, 20, 30]);
  });

  it('are parts of minutes and hours above', () => {
    expect(seconds(70, 6)).toEqual([0, 15, 30, 45, 60]);
    expect(seconds(200, 4)).toEqual([0, 60, 120, 180]);
    expect(seconds(80_000, 4)).toEqual([0, 21_600, 43_200, 64_800]);
    expect(seconds(9e6, 4)).toEqual([0, 50 * 86_400, 100 * 86_400]);
  });

  it('end at the same steps', () => {
    expect([0.3, 7, 11, 61, 80_000, 4e6].map((s) => roundUpDuration(s * 1e9) / 1e9)).toEqual([
      0.5,
      10,
      15,
      120,
      86_400,
      50 * 86_400,
    ]);
  });
});
