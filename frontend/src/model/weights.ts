// Arithmetic of weights: moving one destination keeps the sum, so a shift never loses or invents traffic.
//
// Weights are relative whole numbers; their sum need not be 100 (both Istio and Gateway API divide by the sum).
// What is declared or planned, and which shares it gives, is told by the api; here is only what a draft needs while it moves.
import type { SplitView } from '../backend/bindings';

/** What the weights count for now, by the rules of their API. */
export function declaredWeights(split: SplitView): number[] {
  return split.destinations.map((destination) => destination.counted_weight);
}

export function sumOf(weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}

/**
 * `base` with destination `index` set to `value`: the difference comes from, or goes to, the largest other destination,
 * and from the next largest when that one is used up. The sum stays that of `base` (100 if that is 0).
 *
 * Always computed from the same `base` while one slider moves, so sliding there and back restores every weight.
 */
export function moveWeight(base: readonly number[], index: number, value: number): number[] {
  const sum = sumOf(base) || 100;
  const next = [...base];
  const wanted = base.length < 2 ? sum : clamp(Math.round(value), 0, sum);
  next[index] = wanted;
  let rest = sum - wanted - sumOf(base.filter((_, i) => i !== index));
  const others = base.map((weight, i) => ({ weight, i })).filter((other) => other.i !== index);
  others.sort((a, b) => b.weight - a.weight || a.i - b.i);
  for (const other of others) {
    const change = Math.max(rest, -other.weight);
    next[other.i] = other.weight + change;
    rest -= change;
  }
  return next;
}

/** The weight that is `percent` of the sum, or null where the sum has no such whole number. */
export function weightOfPercent(base: readonly number[], percent: number): number | null {
  const weight = ((sumOf(base) || 100) * percent) / 100;
  return Number.isInteger(weight) ? weight : null;
}

/**
 * Share of each destination of a draft, 0..=1; null where the sum is 0 and no share exists. The one rule of the core that
 * is here, too, so that a slider need not wait; both are held to the same table of cases.
 */
export function sharesOfDraft(weights: readonly number[]): (number | null)[] {
  const sum = sumOf(weights);
  return weights.map((weight) => (sum === 0 ? null : weight / sum));
}

export function sameWeights(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((weight, i) => weight === b[i]);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(Number.isFinite(value) ? value : low, low), high);
}
