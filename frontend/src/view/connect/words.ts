// What the connection screen says: one place for its sentences.
import type { CheckView, ChooserView, ContextView } from '../../backend/bindings';
import type { SignInWay } from '../../model/addresses';
import { countLines } from '../../model/connect';
import * as format from '../format';

/** `2 h ago` of a moment, `just now` within a second. */
export function ago(moment: string | number, now: number): string {
  const seconds = (now - new Date(moment).getTime()) / 1000;
  return Number.isNaN(seconds) ? '' : seconds < 1 ? 'just now' : `${format.age(seconds)} ago`;
}

/** The word of a class; empty where there is none to say. */
export function classWord(context: ContextView): string {
  return context.class_label !== '' ? context.class_label : context.class === 'normal' ? '' : context.class;
}

/** Which colour a class has: the stripe, the word and the frame say the same. */
export function classTone(kind: string, label = ''): 'production' | 'demo' | 'development' | 'normal' {
  if (kind === 'production' || kind === 'demo') {
    return kind;
  }
  return label === 'development' ? 'development' : 'normal';
}

export interface Passed {
  readonly text: string;
  /** Exact, for those who want to know. */
  readonly exact: string;
  readonly failed: boolean;
}

/** What happened to a context last. */
export function lastOf(context: ContextView, check: CheckView | null, now: number): Passed {
  if (context.is_open) {
    return { text: 'open', exact: 'open in this window', failed: false };
  }
  if (check?.state === 'running') {
    return { text: 'checking …', exact: `asked at ${format.moment(check.began)}`, failed: false };
  }
  if (check?.state === 'done') {
    return {
      text: `checked ${ago(check.began, now)}`,
      exact: `checked ${format.moment(check.began)}`,
      failed: false,
    };
  }
  if (check?.state === 'failed') {
    return {
      text: `failed ${ago(check.began, now)}`,
      exact: `failed ${format.moment(check.began)}`,
      failed: true,
    };
  }
  const failure = context.last_failure;
  if (failure !== null) {
    return {
      text: `failed ${ago(failure.at, now)}`,
      exact: `failed ${format.moment(failure.at)}`,
      failed: true,
    };
  }
  const used = context.last_used;
  return used === null
    ? { text: context.kind === 'demo' ? 'works offline' : 'never opened', exact: '', failed: false }
    : { text: ago(used, now), exact: `last open ${format.moment(used)}`, failed: false };
}

/** `Reading took 2 ms.` */
export function readWords(chooser: ChooserView): string {
  return `Reading took ${format.latency(chooser.read_ms)}.`;
}

/** `10 of 10 checked in 0.51 s · 1 note · plugins started: none`. */
export function checkSummary(check: CheckView, now: number): string {
  const counts = countLines(check.lines);
  const took = check.state === 'running' ? 'so far ' : 'in ';
  const plugins = check.plugins_started;
  return [
    `${counts.answered} of ${counts.all} checked ${took}${format.latency(check.elapsed_ms)}`,
    ...(counts.notes === 0 ? [] : [format.plural(counts.notes, 'note')]),
    ...(counts.bad === 0 ? [] : [`${counts.bad} failed`]),
    ...(check.state === 'running' ? [] : [`asked ${ago(check.began, now)}`]),
    `plugins started: ${plugins.length === 0 ? 'none' : plugins.join(', ')}`,
  ].join(' · ');
}

/** With what it opens. */
export function opensOn(check: CheckView): string {
  const { namespaces } = check;
  return namespaces.length === 0
    ? 'Opens on all namespaces that may be read.'
    : `Opens on ${namespaces.join(', ')}.`;
}

/** What checking will contact and start, said before it does. */
export function whatCheckingDoes(context: ContextView): string {
  const runs = context.auth.plugin === null ? '' : `, and starts the plugin ${context.auth.plugin.command}`;
  return `Checking asks ${context.server ?? 'its server'}${runs}. Nothing was contacted so far, and nothing is written.`;
}

export const SIGN_IN_WORDS: Readonly<Record<SignInWay, string>> = {
  none: 'none',
  bearer: 'bearer token',
  basic: 'user and password',
  token_file: 'token of a file',
  token_command: 'token of a program',
};

export const TRACE_KINDS: readonly (readonly [string, string])[] = [
  ['', 'find out'],
  ['jaeger', 'Jaeger'],
  ['tempo', 'Tempo'],
  ['zipkin', 'Zipkin'],
];
