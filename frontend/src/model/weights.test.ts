import { describe, expect, it } from 'vitest';

import { plan, SPLITS } from '../../tests/fixture/splits';
import {
  canaryIndex,
  declaredWeights,
  moveWeight,
  plannedWeights,
  sharesOf,
  sumOf,
  weightOfPercent,
} from './weights';

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
  it('reads an absent weight as its kind does', () => {
    const [split] = SPLITS;
    const absent = { ...split!, destinations: split!.destinations.map((one) => ({ ...one, weight: null })) };
    expect(declaredWeights(absent)).toEqual([0, 0]);
    expect(declaredWeights({ ...absent, kind: 'HTTPRoute' })).toEqual([1, 1]);
  });

  it('has no share where everything is zero', () => {
    expect(sharesOf([0, 0])).toEqual([null, null]);
    expect(sharesOf([1, 3])).toEqual([0.25, 0.75]);
  });

  it('offers only percentages that are whole weights', () => {
    expect(weightOfPercent([90, 10], 25)).toBe(25);
    expect(weightOfPercent([7, 3], 25)).toBeNull();
    expect(weightOfPercent([7, 3], 50)).toBe(5);
  });

  it('takes the smallest share as the canary', () => {
    expect(canaryIndex([25, 65, 10])).toBe(2);
    expect(canaryIndex([10, 90])).toBe(0);
    expect(canaryIndex([100, 0])).toBe(0);
    expect(canaryIndex([50, 50])).toBe(1);
  });
});

describe('weights of a plan', () => {
  const [, reviews] = SPLITS;
  const change = (path: string, after: number | null) => ({ destination: 'v3', path, before: null, after });
  const staged = (...changes: ReturnType<typeof change>[]) => ({
    ...plan({ split_id: reviews!.id, weights: [] }),
    changes,
  });

  it('are found by their place in the object', () => {
    const one = staged(change('/spec/http/0/route/2/weight', 25), change('/spec/http/0/route/1/weight', 50));
    expect(plannedWeights(reviews!, one)).toEqual([25, 50, 25]);
  });

  it('are the default of the kind where the plan takes them out', () => {
    const one = staged(change('/spec/rules/0/backendRefs/1/weight', null));
    expect(plannedWeights({ ...reviews!, kind: 'HTTPRoute' }, one)).toEqual([25, 1, 10]);
    expect(plannedWeights(reviews!, one)).toEqual([25, 0, 10]);
  });

  it('stay as declared where a path is none of theirs', () => {
    expect(plannedWeights(reviews!, staged(change('/spec/http/0/route/7/weight', 1), change('', 1)))).toEqual(
      [25, 65, 10],
    );
  });
});
