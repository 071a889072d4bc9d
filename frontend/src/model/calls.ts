// A call of a trace beside what its edge does at present.
import type { CallView, SpanView } from '../backend/bindings';
import type { Health } from './health';
import { ancestorsOf } from './waterfall';

/** How many times the edge's present p95 the call took; null if nothing is known to compare with. */
export function callRatio(call: CallView): number | null {
  return call.edge_p95_ms === null || call.edge_p95_ms <= 0 ? null : call.max_ns / 1e6 / call.edge_p95_ms;
}

/** Longer than the p95 is unusual for one call in twenty, so it is no failure; an error is. */
export function callHealth(call: CallView): Health {
  if (call.errors > 0) {
    return 'failing';
  }
  const ratio = callRatio(call);
  if (ratio === null) {
    return 'unknown';
  }
  return ratio > 1 ? 'degraded' : 'ok';
}

/**
 * The call that a span is part of: a span of the calling side (client, producer) belongs to the call that it made, every
 * other one to the call that led to its service. Null if the trace shows no such call.
 */
export function callOfSpan(
  span: SpanView,
  spans: readonly SpanView[],
  calls: readonly CallView[],
): CallView | null {
  const caller = callerService(span, spans);
  const isCaller = span.kind === 'client' || span.kind === 'producer';
  const callee = isCaller
    ? spans.find((other) => other.parent_id === span.span_id && other.service !== span.service)?.service
    : undefined;
  const [source, target] = isCaller && callee !== undefined ? [span.service, callee] : [caller, span.service];
  return calls.find((call) => call.source === source && call.target === target) ?? null;
}

/** The service of the nearest ancestor that is another one. */
function callerService(span: SpanView, spans: readonly SpanView[]): string | null {
  const services = new Map(spans.map(({ span_id, service }) => [span_id, service]));
  const above = ancestorsOf(spans, span.span_id).map((id) => services.get(id) ?? span.service);
  return above.find((service) => service !== span.service) ?? null;
}
