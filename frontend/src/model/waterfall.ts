// Rows of the waterfall: which spans show under collapse, and which part of the critical path belongs to each.
import type { PathSectionView, SpanView } from '../backend/bindings';

export interface WaterfallRow {
  readonly span: SpanView;
  /** Index among all spans, in pre-order. */
  readonly index: number;
  readonly collapsed: boolean;
  /** Spans hidden below this row because it is collapsed. */
  readonly n_hidden: number;
  /** Of those, how many have errors: a collapsed row must not hide a failure. */
  readonly n_hidden_errors: number;
}

/** `spans` are in pre-order; whatever is deeper than a collapsed span, up to the next one at its depth, is hidden. */
export function waterfallRows(spans: readonly SpanView[], collapsed: ReadonlySet<string>): WaterfallRow[] {
  const rows: WaterfallRow[] = [];
  let index = 0;
  while (index < spans.length) {
    const span = spans[index];
    if (span === undefined) {
      break;
    }
    const isCollapsed = collapsed.has(span.span_id) && span.children > 0;
    let next = index + 1;
    let n_hidden_errors = 0;
    if (isCollapsed) {
      for (; next < spans.length; next += 1) {
        const below = spans[next];
        if (below === undefined || below.depth <= span.depth) {
          break;
        }
        n_hidden_errors += below.status === 'error' ? 1 : 0;
      }
    }
    rows.push({ span, index, collapsed: isCollapsed, n_hidden: next - index - 1, n_hidden_errors });
    index = next;
  }
  return rows;
}

/** Sections of the critical path by span id. */
export function criticalSections(path: readonly PathSectionView[]): Map<string, PathSectionView[]> {
  const bySpan = new Map<string, PathSectionView[]>();
  for (const section of path) {
    const list = bySpan.get(section.span_id);
    if (list === undefined) {
      bySpan.set(section.span_id, [section]);
    } else {
      list.push(section);
    }
  }
  return bySpan;
}

/** First and last moment of all spans, for the axis: a raw clock may put spans before the trace's start. */
export function timeExtent(spans: readonly SpanView[], duration_ns: number): [number, number] {
  let low = 0;
  let high = duration_ns;
  for (const span of spans) {
    low = Math.min(low, span.start_ns);
    high = Math.max(high, span.start_ns + span.duration_ns);
  }
  return [low, Math.max(high, low + 1)];
}

/** First start to last end before any clock was corrected, ns: what the list of traces says. */
export function recordedDuration(spans: readonly SpanView[]): number {
  let low = Infinity;
  let high = -Infinity;
  for (const span of spans) {
    const start = span.start_ns - span.skew_shift_ns;
    low = Math.min(low, start);
    high = Math.max(high, start + span.duration_ns);
  }
  return spans.length === 0 ? 0 : high - low;
}

/** The spans with errors that have no erring child: where a failure began rather than what it dragged along. */
export function firstFailures(spans: readonly SpanView[]): SpanView[] {
  const parentsOfErrors = new Set(
    spans.filter((span) => span.status === 'error').map((span) => span.parent_id),
  );
  return spans.filter((span) => span.status === 'error' && !parentsOfErrors.has(span.span_id));
}

/** Position of the row that shows span number `index`: its own, or the collapsed one that hides it; -1 without rows. */
export function rowOfSpan(rows: readonly WaterfallRow[], index: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((rows[middle]?.index ?? 0) <= index) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return high;
}

/** Sections with the gaps that nobody could see closed: a span with 50,000 children must not become 50,000 marks. */
export function closeGaps(sections: readonly PathSectionView[], gap_ns: number): PathSectionView[] {
  const closed: PathSectionView[] = [];
  for (const section of sections) {
    const before = closed.at(-1);
    if (before !== undefined && section.start_ns - before.end_ns <= gap_ns) {
      closed[closed.length - 1] = { ...before, end_ns: Math.max(before.end_ns, section.end_ns) };
    } else {
      closed.push(section);
    }
  }
  return closed;
}

/** Ids of the spans above a span, nearest first. */
export function ancestorsOf(spans: readonly SpanView[], span_id: string): string[] {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const above: string[] = [];
  let parent = byId.get(span_id)?.parent_id ?? null;
  // No longer than the trace, whatever the parents say.
  while (parent !== null && above.length < spans.length) {
    above.push(parent);
    parent = byId.get(parent)?.parent_id ?? null;
  }
  return above;
}
