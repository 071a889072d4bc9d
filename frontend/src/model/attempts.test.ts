import { describe, expect, it } from 'vitest';

import type { CallView, SpanView } from '../backend/bindings';
import { span } from '../../tests/fixture/traces';
import { attemptsOf, proxyRetries } from './attempts';
import { callHealth, callRatio } from './calls';

function call(id: string, start_ms: number, status: string, more: Partial<SpanView> = {}): SpanView {
  return span(id, 'web', start_ms, 10, {
    kind: 'client',
    parent_id: 'p',
    operation: 'reviews',
    status,
    ...more,
  });
}

describe('attempts of a call', () => {
  it('follow one another after a failure', () => {
    const found = attemptsOf([call('c', 40, 'unset'), call('a', 0, 'error'), call('b', 20, 'error')]);
    expect(Object.fromEntries(found)).toEqual({
      a: { number: 1, of: 3 },
      b: { number: 2, of: 3 },
      c: { number: 3, of: 3 },
    });
  });

  it('are not two calls at once, nor one after a success', () => {
    expect(attemptsOf([call('a', 0, 'error'), call('b', 5, 'unset')]).size).toBe(0);
    expect(attemptsOf([call('a', 0, 'unset'), call('b', 20, 'unset')]).size).toBe(0);
  });

  it('are of one caller and one name, and client spans', () => {
    expect(attemptsOf([call('a', 0, 'error'), call('b', 20, 'unset', { operation: 'cart' })]).size).toBe(0);
    expect(attemptsOf([call('a', 0, 'error'), call('b', 20, 'unset', { parent_id: 'q' })]).size).toBe(0);
    expect(attemptsOf([call('a', 0, 'error'), call('b', 20, 'unset', { kind: 'server' })]).size).toBe(0);
  });

  it('of a proxy are read in both of its namings', () => {
    expect(proxyRetries(call('a', 0, 'unset', { attributes: { 'retry.count': '2' } }))).toBe(2);
    expect(proxyRetries(call('a', 0, 'unset', { attributes: { 'http.request.resend_count': '1' } }))).toBe(1);
    expect(proxyRetries(call('a', 0, 'unset', { attributes: { 'retry.count': 'many' } }))).toBe(0);
    expect(proxyRetries(call('a', 0, 'unset'))).toBe(0);
  });
});

describe('a call beside its edge', () => {
  const CALL: CallView = {
    source: 'a',
    target: 'b',
    edge: 'a>b',
    calls: 1,
    errors: 0,
    max_ns: 30e6,
    edge_p95_ms: 20,
  };

  it('is so many times its p95', () => {
    expect(callRatio(CALL)).toBe(1.5);
    expect(callHealth(CALL)).toBe('degraded');
    expect(callHealth({ ...CALL, max_ns: 19e6 })).toBe('ok');
  });

  it('is unknown without one, and failing with errors whatever its time', () => {
    expect(callRatio({ ...CALL, edge_p95_ms: null })).toBeNull();
    expect(callRatio({ ...CALL, edge_p95_ms: 0 })).toBeNull();
    expect(callHealth({ ...CALL, edge_p95_ms: null })).toBe('unknown');
    expect(callHealth({ ...CALL, errors: 1, edge_p95_ms: null })).toBe('failing');
  });
});
