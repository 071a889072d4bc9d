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

/** The spans with errors that have no erring child: where a failure began rather than what it dragged along. */
export function firstFailures(spans: readonly SpanView[]): SpanView[] {
  const parentsOfErrors = new Set(
    spans.filter((span) => span.status === 'error').map((span) => span.parent_id),
  );
  return spans.filter((span) => span.status === 'error' && !parentsOfErrors.has(span.span_id));
}
