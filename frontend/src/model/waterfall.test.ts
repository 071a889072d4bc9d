import { describe, expect, it } from 'vitest';

import type { SpanView } from '../backend/bindings';
import {
  ancestorsOf,
  closeGaps,
  criticalSections,
  firstFailures,
  rowOfSpan,
  timeExtent,
  waterfallRows,
} from './waterfall';

function span(span_id: string, depth: number, children: number, more: Partial<SpanView> = {}): SpanView {
  return {
    span_id,
    parent_id: null,
    service: 'web',
    operation: 'GET /',
    kind: 'server',
    start_ns: 0,
    duration_ns: 100,
    self_ns: 10,
    status: 'unset',
    attributes: {},
    resource: {},
    events: [],
    skew_shift_ns: 0,
    depth,
    children,
    revision: null,
    flags: null,
    ...more,
  };
}

const SPANS = [
  span('root', 0, 2, { status: 'error' }),
  span('a', 1, 1, { parent_id: 'root', status: 'error' }),
  span('a1', 2, 0, { parent_id: 'a', status: 'error' }),
  span('b', 1, 0, { parent_id: 'root' }),
  span('orphan', 0, 0),
];

describe('waterfall rows', () => {
  it('shows every span in order when nothing is collapsed', () => {
    expect(waterfallRows(SPANS, new Set()).map((row) => row.span.span_id)).toEqual([
      'root',
      'a',
      'a1',
      'b',
      'orphan',
    ]);
  });

  it('hides what is below a collapsed span, and counts errors in it', () => {
    const rows = waterfallRows(SPANS, new Set(['a']));
    expect(rows.map((row) => row.span.span_id)).toEqual(['root', 'a', 'b', 'orphan']);
    expect(rows[1]).toMatchObject({ collapsed: true, n_hidden: 1, n_hidden_errors: 1 });
  });

  it('stops at the next root', () => {
    expect(waterfallRows(SPANS, new Set(['root'])).map((row) => row.span.span_id)).toEqual([
      'root',
      'orphan',
    ]);
  });

  it('does not collapse a leaf', () => {
    expect(waterfallRows(SPANS, new Set(['b']))).toHaveLength(5);
  });

  it('finds the row of a span, or the collapsed one that hides it', () => {
    const rows = waterfallRows(SPANS, new Set(['a']));
    expect([0, 1, 2, 3, 4].map((index) => rowOfSpan(rows, index))).toEqual([0, 1, 1, 2, 3]);
    expect(rowOfSpan([], 0)).toBe(-1);
  });

  it('climbs to the root, and out of a circle', () => {
    expect(ancestorsOf(SPANS, 'a1')).toEqual(['a', 'root']);
    expect(ancestorsOf(SPANS, 'orphan')).toEqual([]);
    const circle = [span('x', 0, 1, { parent_id: 'y' }), span('y', 0, 1, { parent_id: 'x' })];
    expect(ancestorsOf(circle, 'x').length).toBeLessThanOrEqual(2);
  });

  it('lays out 50,000 spans without trouble', () => {
    const many = Array.from({ length: 50_000 }, (_, i) =>
      span(`s${i}`, i === 0 ? 0 : 1, i === 0 ? 49_999 : 0),
    );
    expect(waterfallRows(many, new Set())).toHaveLength(50_000);
    expect(waterfallRows(many, new Set(['s0']))[0]?.n_hidden).toBe(49_999);
  });
});

describe('times of a trace', () => {
  it('reaches back to spans before the start on a raw clock', () => {
    expect(timeExtent([span('x', 0, 0, { start_ns: -40 })], 100)).toEqual([-40, 100]);
    expect(timeExtent([], 0)).toEqual([0, 1]);
  });

  it('groups the critical path by span', () => {
    const path = [
      { span_id: 'a', start_ns: 0, end_ns: 5 },
      { span_id: 'b', start_ns: 5, end_ns: 7 },
      { span_id: 'a', start_ns: 7, end_ns: 9 },
    ];
    expect(criticalSections(path).get('a')).toHaveLength(2);
  });

  it('closes gaps that nobody sees', () => {
    const sections = [0, 10, 30].map((start_ns) => ({ span_id: 'a', start_ns, end_ns: start_ns + 8 }));
    expect(closeGaps(sections, 2)).toEqual([
      { span_id: 'a', start_ns: 0, end_ns: 18 },
      { span_id: 'a', start_ns: 30, end_ns: 38 },
    ]);
    expect(closeGaps(sections, 1)).toEqual(sections);
  });

  it('finds where a failure began', () => {
    expect(firstFailures(SPANS).map((one) => one.span_id)).toEqual(['a1']);
  });
});
