import { describe, expect, it } from 'vitest';

import type { BarRoom } from './barText';
import { barTextPlace } from './barText';

describe('the text of a bar', () => {
  const place = (before: number, bar: number, after: number, more: Partial<BarRoom> = {}): string =>
    barTextPlace({ before, bar, after, failed: false, duration: '71 ms', note: '', skew: '', ...more });

  it('stands after the bar, else before it, else on it', () => {
    expect(place(0, 100, 100)).toBe('after');
    expect(place(100, 90, 10)).toBe('before');
    expect(place(5, 190, 5)).toBe('on');
  });

  it('goes where all of the duration has room, whatever share of the axis that is', () => {
    // 14 % of a narrow axis was taken for enough.
    expect(place(120, 50, 28)).toBe('before');
    expect(place(30, 140, 28)).toBe('on');
  });

  it('would rather cut a note than the duration', () => {
    const note = '503 UO circuit breaker open';
    expect(place(60, 20, 120, { note })).toBe('after');
    expect(place(400, 20, 60, { note })).toBe('before');
  });

  it('counts the mark of a failure', () => {
    expect(place(80, 20, 50)).toBe('after');
    expect(place(80, 20, 50, { failed: true })).toBe('before');
  });

  it('takes the largest where nothing has room', () => {
    expect([place(10, 8, 12), place(12, 8, 10), place(1, 30, 2)]).toEqual(['after', 'before', 'on']);
  });
});
