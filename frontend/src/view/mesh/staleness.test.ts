import { describe, expect, it } from 'vitest';

import { source } from '../../../tests/fixture/mesh';
import type { SourceView } from '../../backend/bindings';
import type { Freshness } from './staleness';
import { staleWords } from './staleness';

const US = { context: 'us' };
const EU = { context: 'eu' };

function words(context: string | null, sources: SourceView[], more: Partial<Freshness> = {}): string {
  return staleWords(context, { sources, ageOf: ({ age_s }) => age_s, oldAfter: 22, lost: false, ...more });
}

describe('a cluster', () => {
  const plane = source('control-plane', '', { ...US, age_s: 900 });
  const eu = source('metrics', '', { ...EU, age_s: 4 });

  it.each<[string, Partial<SourceView>]>([
    ['', { state: 'ok', age_s: 4 }],
    ['', { state: 'loading', age_s: null }],
    ['', { state: 'absent', age_s: null }],
    ['34 s old', { state: 'stale', age_s: 34 }],
    ['2 min old', { state: 'failed', age_s: 120 }],
    ['23 s old', { state: 'ok', age_s: 23 }],
    ['metrics failed', { state: 'failed', age_s: null }],
    ['metrics forbidden', { state: 'forbidden', age_s: null }],
  ])('is %j by metrics of %j, and the other one stays live', (expected, state) => {
    const sources = [plane, source('metrics', '', { ...US, ...state }), eu];
    expect(words('us', sources)).toBe(expected);
    expect(words('eu', sources)).toBe('');
  });

  it('is old by its control plane when that fails, and never by its traces', () => {
    const metrics = source('metrics', '', US);
    const failed = { ...US, state: 'failed' };
    expect(words('us', [source('control-plane', '', failed), metrics])).toBe('control-plane failed');
    expect(words('us', [plane, metrics, source('traces', '', failed)])).toBe('');
  });

  it('is old when nothing brings updates any more', () => {
    const sources = [plane, source('metrics', '', US)];
    expect(words('us', sources, { lost: true })).toBe('4 s old');
    expect(words('us', [plane], { lost: true })).toBe('connection lost');
  });

  it('that no context reaches is old when all metrics are', () => {
    const old = source('metrics', '', { ...US, state: 'stale', age_s: 34 });
    expect(words(null, [old, eu])).toBe('');
    expect(words(null, [old])).toBe('34 s old');
    expect(words(null, [])).toBe('');
  });
});
