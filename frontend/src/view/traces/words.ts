// What the Traces screen says about traces, spans and the source that they come from.
import type { ApiError, SourceView, SpanView, TraceRowView } from '../../backend/bindings';
import type { Attempt } from '../../model/attempts';
import { proxyRetries } from '../../model/attempts';
import { flagsMeaning } from '../../model/flags';
import type { Health } from '../../model/health';
import type { TraceOrder } from '../../model/traceList';
import type { Origin, TraceForm } from '../../state/traces.svelte';
import * as format from '../format';

export const ORDER_NAMES: Readonly<Record<TraceOrder, string>> = {
  slowest: 'slowest first',
  newest: 'newest first',
  errors: 'most errors first',
};

/** A service as it calls itself; one may not. */
export function serviceName(name: string): string {
  return name === '' ? '(no name)' : name;
}

export function traceHealth(trace: { readonly errors: number }): Health {
  return trace.errors > 0 ? 'failing' : 'ok';
}

export function spanHealth(span: SpanView): Health {
  return span.status === 'error' ? 'failing' : 'ok';
}

/** Envoy's operations without the part that every one of them has: `web-bff.edge:8080/product/*`. */
export function shortOperation(operation: string): string {
  return operation.replace('.svc.cluster.local', '');
}

/** The same with the path first, which tells more than the host where there is room for a few letters. */
export function pathFirst(operation: string): string {
  const [, host, path] = /^([^/\s]+?)(?::\d+)?(\/\S*)$/.exec(shortOperation(operation)) ?? [];
  return host === undefined || path === undefined ? operation : `${path} ${host}`;
}

/** `reviews.shop@v3` as `reviews v3`. */
export function shortRevision(revision: string): string {
  const [service = '', name = ''] = revision.split('@');
  return `${service.split('.')[0] ?? service} ${name}`;
}

/** `1.42 s, ingress-gw.edge GET /product/77, 18 spans, 3 errors, 41 s ago`; with `in prod-eu` where that is to be said. */
export function traceSentence(row: TraceRowView, now: number, where: string): string {
  return [
    format.duration(row.duration_ns),
    `${serviceName(row.root_service)} ${shortOperation(row.root_operation)}`.trim(),
    ...(where === '' ? [] : [`in ${where}`]),
    format.plural(row.spans, 'span'),
    row.errors === 0 ? 'no errors' : format.plural(row.errors, 'error'),
    ...(row.orphans === 0 ? [] : [`incomplete, ${format.plural(row.orphans, 'orphan')}`]),
    `${format.age((now - row.start_ms) / 1000)} ago`,
  ].join(', ');
}

/** HTTP status or gRPC status of a span, in either of the names that Envoy has used; empty if it has none. */
export function answerCode(span: SpanView): string {
  const { attributes } = span;
  const http = attributes['http.response.status_code'] ?? attributes['http.status_code'] ?? '';
  const grpc = attributes['rpc.grpc.status_code'] ?? attributes['grpc.status_code'] ?? '';
  return grpc !== '' && grpc !== '0' ? `grpc ${grpc}` : http;
}

/** What went wrong with a span and how often it was tried, for beside its bar; empty for a plain one. */
export function spanNote(span: SpanView, attempt: Attempt | undefined): string {
  const retries = proxyRetries(span);
  const code = span.status === 'error' ? answerCode(span) : '';
  const failure = [code, span.flags ?? ''].filter((text) => text !== '').join(' ');
  return [
    span.status === 'error' && failure === '' ? 'error' : failure,
    span.flags === null ? '' : flagsMeaning(span.flags),
    attempt === undefined ? '' : `attempt ${attempt.number} of ${attempt.of}`,
    retries === 0 ? '' : `proxy tried again ${retries}×`,
  ]
    .filter((text) => text !== '')
    .join(' · ');
}

/** A row of the waterfall for readers of the screen. */
export function spanSentence(span: SpanView, note: string): string {
  return [
    `${serviceName(span.service)} ${shortOperation(span.operation)}`.trim(),
    span.kind === 'unspecified' ? '' : span.kind,
    format.duration(span.duration_ns),
    `starts at ${offset(span.start_ns)}`,
    note,
  ]
    .filter((text) => text !== '')
    .join(', ');
}

/** A moment inside a trace: `0`, `1.03 s`. */
export function offset(ns: number): string {
  return ns === 0 ? '0' : format.duration(ns);
}

export type ListTrouble = 'failed' | 'forbidden' | 'absent';

/** Why there is no answer, as one of the states that must not look alike. */
export function troubleOf(error: ApiError | null, source: SourceView | null): ListTrouble | null {
  if (error === null) {
    return source?.state === 'absent' ? 'absent' : null;
  }
  switch (error.code) {
    case 'not_configured':
      return 'absent';
    case 'forbidden':
    case 'unauthorized':
      return 'forbidden';
    default:
      return 'failed';
  }
}

/** What was searched for: `in the last 15 min, with errors, of shop/reviews`. */
export function searchSentence(form: TraceForm, origin: Origin | null, where: string): string {
  return [
    `in the last ${format.period(form.sinceS)}`,
    where === '' ? '' : `in ${where}`,
    origin === null ? '' : `of ${origin.label}`,
    form.service === '' ? '' : `of ${form.service}`,
    form.operation === '' ? '' : `named ${form.operation}`,
    form.onlyErrors ? 'with errors' : '',
    form.minMs === null ? '' : `of ${format.latency(form.minMs)} or longer`,
    form.maxMs === null ? '' : `of ${format.latency(form.maxMs)} or shorter`,
    form.attributes.trim() === '' ? '' : `with ${form.attributes.trim()}`,
  ]
    .filter((text) => text !== '')
    .join(', ');
}
