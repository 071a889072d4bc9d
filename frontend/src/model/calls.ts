// A call of a trace beside what its edge does at present.
import type { CallView } from '../backend/bindings';
import type { Health } from './health';

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
