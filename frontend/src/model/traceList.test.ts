import { describe, expect, it } from 'vitest';

import type { TraceRowView } from '../backend/bindings';
import { matchesTrace, orderRevisions, sortTraces, traceIdOf, variedServices } from './traceList';

function row(trace_id: string, more: Partial<TraceRowView> = {}): TraceRowView {
  return {
    context: 'demo',
    trace_id,
    root_service: 'web',
    root_operation: 'GET /cart',
    start: '',
    start_ms: 0,
    duration_ns: 0,
    spans: 1,
    errors: 0,
    orphans: 0,
    services: [{ name: 'reviews.shop', spans: 1, errors: 0 }],
    revisions: [],
    ...more,
  };
}

describe('the order of traces', () => {
  const rows = [
    row('a', { duration_ns: 1, start_ms: 9, errors: 1 }),
    row('b', { duration_ns: 3, start_ms: 5 }),
    row('c', { duration_ns: 2, start_ms: 7, errors: 1 }),
  ];
  const ids = (order: Parameters<typeof sortTraces>[1]): string =>
    sortTraces(rows, order)
      .map((one) => one.trace_id)
      .join('');

  it('is by duration, time or errors, the slower first of equally many', () => {
    expect([ids('slowest'), ids('newest'), ids('errors')]).toEqual(['bca', 'acb', 'cab']);
  });

  it('is stable by id', () => {
    expect(sortTraces([row('y'), row('x')], 'slowest').map((one) => one.trace_id)).toEqual(['x', 'y']);
  });
});

describe('the filter of traces', () => {
  it('wants every word somewhere', () => {
    expect(matchesTrace(row('ab12'), 'CART reviews')).toBe(true);
    expect(matchesTrace(row('ab12'), 'ab1')).toBe(true);
    expect(matchesTrace(row('ab12'), 'cart ledger')).toBe(false);
    expect(matchesTrace(row('ab12'), '  ')).toBe(true);
  });

  it('knows an id from a word', () => {
    expect(traceIdOf(' 4BF92F3577B34DA6 ')).toBe('4bf92f3577b34da6');
    expect(traceIdOf('decade')).toBeNull();
    expect(traceIdOf('0'.repeat(33))).toBeNull();
  });
});

describe('revisions', () => {
  const rows = [
    row('a', { revisions: ['cart@v1', 'reviews@v2'] }),
    row('b', { revisions: ['cart@v1', 'reviews@v3'] }),
  ];

  it('tell traces apart only where they differ', () => {
    expect([...variedServices(rows)]).toEqual(['reviews']);
  });

  it('that tell something come first', () => {
    expect(orderRevisions(['cart@v1', 'reviews@v2'], variedServices(rows))).toEqual([
      'reviews@v2',
      'cart@v1',
    ]);
  });
});
