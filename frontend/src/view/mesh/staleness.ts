// Which clusters are drawn as they were some time ago, said by the sources of their contexts. Traces are in no picture.
import type { SourceView } from '../../backend/bindings';
import * as format from '../format';

export interface Freshness {
  readonly sources: readonly SourceView[];
  /** Seconds since a source's last good answer, now; null if there never was one. */
  ageOf(source: SourceView): number | null;
  /** Numbers of this age, seconds, are no longer live. */
  readonly oldAfter: number;
  /** The stream of updates is broken: nothing is live. */
  readonly lost: boolean;
}

const TROUBLED: ReadonlySet<string> = new Set(['stale', 'failed', 'forbidden', 'lost']);

/**
 * Why what a context reaches is not live: `34 s old`, `control-plane failed`; empty while it is. A cluster that no context
 * reaches is told of by the metrics of others: it is old when all of them are.
 */
export function staleWords(context: string | null, freshness: Freshness): string {
  const own = freshness.sources.filter((source) =>
    context === null
      ? source.name === 'metrics'
      : source.context === context && (source.name === 'metrics' || source.name === 'control-plane'),
  );
  const old = own.filter((source) => isOld(source, freshness));
  if (context === null) {
    return old.length > 0 && old.length === own.length ? wordsOf(old[0], freshness) : '';
  }
  const metrics = old.find((source) => source.name === 'metrics');
  return wordsOf(metrics ?? old[0], freshness);
}

function isOld(source: SourceView, { ageOf, oldAfter, lost }: Freshness): boolean {
  if (TROUBLED.has(source.state)) {
    return true;
  }
  // What is watched is up to date however long nothing happened.
  const tooOld = source.name === 'metrics' && (ageOf(source) ?? 0) > oldAfter;
  return source.state === 'ok' && (lost || tooOld);
}

function wordsOf(source: SourceView | undefined, { ageOf }: Freshness): string {
  if (source === undefined) {
    return '';
  }
  const age = ageOf(source);
  if (source.name === 'metrics' && age !== null) {
    return `${format.age(age)} old`;
  }
  return source.state === 'ok' ? 'connection lost' : `${source.name} ${source.state}`;
}
