// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';

import ShareBar from './ShareBar.svelte';

afterEach(cleanup);

function numbers(
  shares: number[],
  more: { interval?: [number, number]; intervalOf?: number } = {},
): string[] {
  const names = shares.map((_, i) => `v${i + 1}`);
  const { container } = render(ShareBar, { shares, names, numbers: true, label: 'observed', ...more });
  return [...container.querySelectorAll('text')].map((text) => text.textContent ?? '');
}

describe('numbers in the bar', () => {
  it.each([
    [
      [0.9, 0.1],
      ['90', '10'],
    ],
    [[0.898, 0.102], ['89.8']],
    [
      [0.85, 0.15],
      ['85', '15'],
    ],
    [[0.95, 0.05], ['95']],
  ])('of %j are %j', (shares, expected) => {
    expect(numbers(shares)).toEqual(expected);
  });

  it.each([
    [[0.9, 0.1], [0.09, 0.11], ['90']],
    [
      [0.75, 0.25],
      [0.24, 0.26],
      ['75', '25'],
    ],
    [[0.5, 0.5], [0.2, 0.8], []],
    [[0.9, 0.1, 0], [0.09, 0.11], ['90']],
  ] as const)('of %j with the whisker %j are %j', (shares, interval, expected) => {
    expect(numbers([...shares], { interval: [...interval], intervalOf: 1 })).toEqual(expected);
  });
});
