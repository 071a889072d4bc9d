// What the sources of a context say together.
import type { SourceView } from '../backend/bindings';
import type { Health } from './health';
import { worst } from './health';

const HEALTH: Readonly<Record<string, Health>> = {
  ok: 'ok',
  stale: 'degraded',
  failed: 'failing',
  forbidden: 'failing',
  absent: 'idle',
  loading: 'unknown',
};
const SHORT: Readonly<Record<string, string>> = { 'control-plane': 'k8s' };

export function sourceHealth(state: string): Health {
  return HEALTH[state] ?? 'unknown';
}

export function sourceName(name: string): string {
  return SHORT[name] ?? name;
}

export interface SourceSum {
  readonly health: Health;
  /** `3 sources answer`, `metrics stale`. */
  readonly words: string;
}

/** Traces are asked when somebody wants some: that nobody did for a while is no trouble. */
function isUnasked(source: SourceView): boolean {
  return source.name === 'traces' && source.state === 'stale' && source.error === null;
}

/** One word for all sources of a context: the ones in trouble by name, else how many answer. */
export function sumOfSources(sources: readonly SourceView[]): SourceSum {
  const used = sources.filter((source) => source.state !== 'absent');
  const trouble = used.filter((source) => source.state !== 'ok' && !isUnasked(source));
  const names = trouble.map((source) => `${sourceName(source.name)} ${source.state}`);
  const answer = `${used.length} ${used.length === 1 ? 'source answers' : 'sources answer'}`;
  return {
    health: worst(used.map((source) => (isUnasked(source) ? 'ok' : sourceHealth(source.state)))),
    words: names.length === 0 ? (used.length === 0 ? 'no source' : answer) : names.join(', '),
  };
}

/** Contexts whose servers no longer know us, with what the first of them said. */
export function expiredLogins(sources: readonly SourceView[]): { context: string; message: string }[] {
  const found = new Map<string, string>();
  for (const { context, error } of sources) {
    if (error?.code === 'unauthorized' && !found.has(context)) {
      found.set(context, error.message);
    }
  }
  return [...found].map(([context, message]) => ({ context, message }));
}
