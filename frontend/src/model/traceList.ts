// The list of found traces: which of them show, in which order, and what tells one from another.
import type { TraceRowView } from '../backend/bindings';
import { hasEveryWord } from './everyWord';

export const TRACE_ORDERS = ['slowest', 'newest', 'errors'] as const;
export type TraceOrder = (typeof TRACE_ORDERS)[number];

export function sortTraces(rows: readonly TraceRowView[], order: TraceOrder): TraceRowView[] {
  const by: Readonly<Record<TraceOrder, (a: TraceRowView, b: TraceRowView) => number>> = {
    slowest: (a, b) => b.duration_ns - a.duration_ns,
    newest: (a, b) => b.start_ms - a.start_ms,
    errors: (a, b) => b.errors - a.errors || b.duration_ns - a.duration_ns,
  };
  return rows.toSorted((a, b) => by[order](a, b) || (a.trace_id < b.trace_id ? -1 : 1));
}

/** Whether a trace is what the filter box asks for: every word somewhere in its id, context, root, services, revisions. */
export function matchesTrace(row: TraceRowView, text: string): boolean {
  const all = [row.trace_id, row.context, row.root_service, row.root_operation].concat(
    row.services.map((service) => service.name),
    row.revisions,
  );
  return hasEveryWord(all.join(' '), text);
}

/** The rows that the filter box asks for, in their order. */
export function filterTraces(rows: readonly TraceRowView[], text: string): readonly TraceRowView[] {
  return text.trim() === '' ? rows : rows.filter((row) => matchesTrace(row, text));
}

/** What tells a row from the others: two clusters may each have a part of one trace. */
export function traceKey(row: TraceRowView): string {
  return `${row.trace_id} ${row.context}`;
}

/** The text as the id of a trace, if it can be one; 16 digits at least, so that a word is not taken for an id. */
export function traceIdOf(text: string): string | null {
  const id = text.trim().toLowerCase();
  return /^[0-9a-f]{16,32}$/.test(id) ? id : null;
}

/** Services of which the list knows more than one revision: only their revisions tell one trace from another. */
export function variedServices(rows: readonly TraceRowView[]): ReadonlySet<string> {
  const first = new Map<string, string>();
  const varied = new Set<string>();
  for (const revision of rows.flatMap((row) => row.revisions)) {
    const service = serviceOf(revision);
    const known = first.get(service);
    if (known === undefined) {
      first.set(service, revision);
    } else if (known !== revision) {
      varied.add(service);
    }
  }
  return varied;
}

/** Revisions (`service@revision`) of a trace, those of varied services first. */
export function orderRevisions(revisions: readonly string[], varied: ReadonlySet<string>): string[] {
  const rank = (revision: string): number => (varied.has(serviceOf(revision)) ? 0 : 1);
  return revisions.toSorted((a, b) => rank(a) - rank(b));
}

function serviceOf(revision: string): string {
  const at = revision.lastIndexOf('@');
  return at < 0 ? revision : revision.slice(0, at);
}
