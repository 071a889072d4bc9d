import { describe, expect, it } from 'vitest';

import type { CallView, SpanView } from '../backend/bindings';
import { span } from '../../tests/fixture/traces';
import { callOfSpan } from './calls';

function made(span_id: string, parent_id: string | null, service: string, kind: string): SpanView {
  return { ...span(span_id, service, 0, 1), parent_id, kind };
}

function call(source: string, target: string): CallView {
  return { source, target, edge: `${source}>${target}`, calls: 1, errors: 0, max_ns: 1, edge_p95_ms: null };
}

describe('the call of a span', () => {
  const SPANS = [
    made('1', null, 'gateway', 'client'),
    made('2', '1', 'web', 'server'),
    made('3', '2', 'web', 'internal'),
    made('4', '3', 'web', 'client'),
    made('5', '4', 'stock', 'server'),
    made('6', '3', 'web', 'client'),
  ];
  const CALLS = [call('cart', 'stock'), call('gateway', 'web'), call('web', 'stock')];
  const edgeOf = (id: string): string | null => {
    const found = SPANS.find(({ span_id }) => span_id === id);
    return found === undefined ? null : (callOfSpan(found, SPANS, CALLS)?.edge ?? null);
  };

  it('is the one that a calling side made', () => {
    expect(edgeOf('1')).toBe('gateway>web');
    expect(edgeOf('4')).toBe('web>stock');
  });

  it('is the one that led to every other span, whoever else calls its service', () => {
    expect(edgeOf('2')).toBe('gateway>web');
    expect(edgeOf('3')).toBe('gateway>web');
    expect(edgeOf('5')).toBe('web>stock');
  });

  it('of a call that nobody answered is the one that led to it', () => {
    expect(edgeOf('6')).toBe('gateway>web');
  });

  it('ends with parents in a circle', () => {
    const circle = [made('a', 'b', 'web', 'server'), made('b', 'a', 'web', 'server')];
    const [first] = circle;
    expect(first === undefined ? null : callOfSpan(first, circle, CALLS)).toBeNull();
  });
});
