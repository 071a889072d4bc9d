import { describe, expect, it } from 'vitest';

import { axisMarks, widthOf } from './axis';
import { offset } from './words';

describe('the marks of the waterfall', () => {
  const texts = (high_s: number, width: number): string[] => axisMarks(0, high_s * 1e9, width).map(offset);

  it('are many where their texts are short', () => {
    expect(texts(0.196, 400)).toEqual(['0', '50 ms', '100 ms', '150 ms']);
  });

  it('are few where their texts are long', () => {
    expect(texts(80_000, 330)).toEqual(['0', '6 h', '12 h', '18 h']);
    expect(texts(100, 200)).toEqual(['0', '1 min']);
  });

  it('never touch', () => {
    for (const high_s of [1e-6, 0.03, 1.9, 14, 47, 95, 400, 5000, 80_000, 1e7]) {
      for (const width of [120, 333, 900]) {
        const marks = axisMarks(0, high_s * 1e9, width);
        const apart = (((marks[1] ?? Infinity) - (marks[0] ?? 0)) / (high_s * 1e9)) * width;
        expect(apart).toBeGreaterThanOrEqual(Math.min(widthOf(marks), width / 2));
      }
    }
  });
});
