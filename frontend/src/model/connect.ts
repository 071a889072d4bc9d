// What the chooser and its checklist read out of the engine's answers.
import type {
  AuthView,
  CheckLineView,
  CheckView,
  ContextView,
  LineState,
  ProblemView,
  SessionView,
} from '../backend/bindings';
import { hasEveryWord } from './everyWord';
import type { Health } from './health';

/** Whether a card is what the filter asks for: every word somewhere in name, server, file or class. */
export function matchesContext(context: ContextView, text: string): boolean {
  const all = [context.name, context.server, context.file, context.class_label, context.auth.text];
  return hasEveryWord(all.join(' '), text);
}

/** The id `by` cards further on, staying inside the list; the first one if nothing was chosen. */
export function stepFrom(ids: readonly string[], chosen: string | null, by: number): string | null {
  const at = chosen === null ? -1 : ids.indexOf(chosen);
  if (at < 0) {
    return ids[0] ?? null;
  }
  return ids[Math.max(0, Math.min(ids.length - 1, at + by))] ?? null;
}

/** What to choose when the list comes anew: what was chosen, else what was open last, else the first that works. */
export function choiceAmong(
  contexts: readonly ContextView[],
  chosen: string | null,
  last: string | null,
): string | null {
  const has = (id: string | null): id is string => contexts.some((context) => context.id === id);
  if (has(chosen)) {
    return chosen;
  }
  if (has(last)) {
    return last;
  }
  const works = contexts.filter((context) => context.problem === null);
  return (works.find((context) => context.is_current) ?? works[0] ?? contexts[0])?.id ?? null;
}

/** `~/.kube/config:7`. */
export function placeOf(problem: ProblemView): string {
  return problem.line === null ? problem.file : `${problem.file}:${problem.line}`;
}

export interface SignIn {
  readonly health: Health;
  /** `plugin aws`, `client certificate`. */
  readonly what: string;
  /** `found in /usr/local/bin/aws`; may be empty. */
  readonly note: string;
}

/** How a context signs in, and whether anything stands in the way that a look at files can tell. */
export function signIn(auth: AuthView, now: number): SignIn {
  const { plugin } = auth;
  if (plugin !== null) {
    const what = `plugin ${plugin.command}`;
    if (plugin.denied !== null) {
      return { health: 'failing', what, note: `may not be run: ${plugin.denied}` };
    }
    return plugin.found === null
      ? { health: 'degraded', what, note: 'not on PATH' }
      : { health: 'ok', what, note: `found as ${plugin.found}` };
  }
  if (auth.kind === 'none') {
    return { health: 'idle', what: auth.text === '' ? 'none' : auth.text, note: '' };
  }
  const ends = auth.expires === null ? Number.NaN : Date.parse(auth.expires);
  return { health: ends < now ? 'degraded' : 'ok', what: auth.text, note: '' };
}

const LINE_HEALTH: Readonly<Record<LineState, Health>> = {
  waiting: 'unknown',
  asking: 'unknown',
  ok: 'ok',
  note: 'degraded',
  missing: 'idle',
  forbidden: 'failing',
  failed: 'failing',
};
const LINE_WORD: Readonly<Record<LineState, string>> = {
  waiting: 'not asked yet',
  asking: 'asking',
  ok: 'ok',
  note: 'note',
  missing: 'missing',
  forbidden: 'forbidden',
  failed: 'failed',
};

export function lineHealth(state: LineState): Health {
  return LINE_HEALTH[state];
}

export function lineWord(state: LineState): string {
  return LINE_WORD[state];
}

export interface CheckCounts {
  readonly all: number;
  readonly answered: number;
  readonly notes: number;
  /** Forbidden or failed. */
  readonly bad: number;
}

export function countLines(lines: readonly CheckLineView[]): CheckCounts {
  const of = (...states: readonly LineState[]): number =>
    lines.filter((line) => states.includes(line.state)).length;
  return {
    all: lines.length,
    answered: lines.length - of('waiting', 'asking'),
    notes: of('note'),
    bad: of('forbidden', 'failed'),
  };
}

/** The newest look at a context. */
export function checkOf(checks: readonly CheckView[], context: string): CheckView | null {
  return checks
    .filter((check) => check.context === context)
    .reduce<CheckView | null>((best, check) => (best === null || check.run > best.run ? check : best), null);
}

/** Seconds left for a program that is waited for. */
export function secondsLeft(check: CheckView, sinceReceived: number): number | null {
  const { waiting } = check;
  return waiting === null ? null : Math.max(0, waiting.deadline_s - waiting.since_s - sinceReceived);
}

/** `prod-eu + 2`: the first open context and how many more there are; empty while nothing is open. */
export function openNames(sessions: readonly SessionView[], nameOf: (context: string) => string): string {
  const [first, ...more] = sessions;
  if (first === undefined) {
    return '';
  }
  return more.length === 0 ? nameOf(first.context) : `${nameOf(first.context)} + ${more.length}`;
}

/** Of several contexts the one that asks for most care: it gives the frame its class and its colour. */
function leading(sessions: readonly SessionView[]): SessionView | undefined {
  return ['production', 'normal', 'demo']
    .map((kind) => sessions.find((session) => session.class === kind))
    .find((session) => session !== undefined);
}

/** The class of the frame. */
export function frameClass(sessions: readonly SessionView[]): string {
  return leading(sessions)?.class ?? 'normal';
}

/** The colour of the frame as the settings say it; null is that of its class. */
export function frameColour(sessions: readonly SessionView[]): string | null {
  return leading(sessions)?.colour ?? null;
}

/** A colour of the settings as CSS says it: a word of the palette is a token, anything else `#rrggbb`. */
export function markOf(colour: string | null): Record<string, string> {
  if (colour === null) {
    return {};
  }
  return { '--mark': colour.startsWith('#') ? colour : `var(--mark-${colour})` };
}
