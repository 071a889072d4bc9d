// Attempts of one call: CLIENT siblings of one name, in which the next began after the one before had failed.
import type { SpanView } from '../backend/bindings';

export interface Attempt {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

/** By span id; calls that were tried once are left out. */
export function attemptsOf(spans: readonly SpanView[]): ReadonlyMap<string, Attempt> {
  const groups = new Map<string, SpanView[]>();
  for (const span of spans) {
    if (span.kind === 'client') {
      const key = JSON.stringify([span.parent_id, span.service, span.operation]);
      const group = groups.get(key);
      if (group === undefined) {
        groups.set(key, [span]);
      } else {
        group.push(span);
      }
    }
  }
  const found = new Map<string, Attempt>();
  for (const group of groups.values()) {
    if (group.length > 1) {
      chainsOf(group.toSorted((a, b) => a.start_ns - b.start_ns)).forEach((chain) => number(chain, found));
    }
  }
  return found;
}

function chainsOf(calls: readonly SpanView[]): SpanView[][] {
  const chains: SpanView[][] = [];
  for (const call of calls) {
    const chain = chains.at(-1);
    const before = chain?.at(-1);
    const again =
      before !== undefined &&
      before.status === 'error' &&
      call.start_ns >= before.start_ns + before.duration_ns;
    if (chain !== undefined && again) {
      chain.push(call);
    } else {
      chains.push([call]);
    }
  }
  return chains;
}

function number(chain: readonly SpanView[], found: Map<string, Attempt>): void {
  if (chain.length > 1) {
    chain.forEach((call, i) => found.set(call.span_id, { number: i + 1, of: chain.length }));
  }
}

/** How often the proxy itself tried again, as Envoy notes it in either naming; 0 if it says nothing. */
export function proxyRetries(span: SpanView): number {
  const text = span.attributes['http.request.resend_count'] ?? span.attributes['retry.count'] ?? '';
  const count = Number(text);
  return text !== '' && Number.isInteger(count) && count > 0 ? count : 0;
}
