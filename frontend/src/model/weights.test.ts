import { describe, expect, it } from 'vitest';

import { SHARES } from '../../tests/fixture/shares';
import { SPLITS } from '../../tests/fixture/splits';
import { declaredWeights, moveWeight, sharesOfDraft, sumOf, weightOfPercent } from './weights';

describe('moving a weight', () => {
  it.each([
    [[90, 10], 1, 50, [50, 50]],
    [[25, 65, 10], 2, 25, [25, 50, 25]],
    [[25, 65, 10], 2, 95, [5, 0, 95]],
    [[25, 65, 10], 1, 0, [90, 0, 10]],
    [[0, 0], 1, 30, [70, 30]],
    [[100], 0, 40, [100]],
    [[7, 3], 0, 99, [10, 0]],
    [[90, 10], 1, Number.NaN, [100, 0]],
    [[90, 10], 1, -5, [100, 0]],
    [[90, 10], 1, 33.4, [67, 33]],
  ])('%j, index %d to %d', (base, index, value, expected) => {
    expect(moveWeight(base, index, value)).toEqual(expected);
  });

  it('keeps the sum and never goes below zero, whatever the weights', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 500; round += 1) {
      const base = Array.from({ length: 2 + random(5) }, () => random(200));
      const next = moveWeight(base, random(base.length), random(400) - 100);
      expect(sumOf(next)).toBe(sumOf(base) || 100);
      expect(Math.min(...next)).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('declared weights', () => {
  it('are what the api counts, whatever is written', () => {
    const [split] = SPLITS;
    const destinations = split!.destinations.map((one) => ({ ...one, weight: null, counted_weight: 1 }));
    expect(declaredWeights({ ...split!, destinations })).toEqual([1, 1]);
  });

  it('offers only percentages that are whole weights', () => {
    expect(weightOfPercent([90, 10], 25)).toBe(25);
    expect(weightOfPercent([7, 3], 25)).toBeNull();
    expect(weightOfPercent([7, 3], 50)).toBe(5);
  });
});

describe('shares of a draft', () => {
  it.each(SHARES)('of %j are those of the core', (weights, shares) => {
    const found = sharesOfDraft(weights);
    expect(found.map((share) => share === null)).toEqual(shares.map((share) => share === null));
    found.forEach((share, i) => expect(share ?? 0).toBeCloseTo(shares[i] ?? 0, 12));
  });
});
