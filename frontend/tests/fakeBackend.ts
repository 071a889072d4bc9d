// A backend for tests: answers from a table, and lets the test push updates. Never part of the app.
import type { AnswerOf, Backend, CommandName, RequestOf } from '../src/backend/backend';
import { CallError } from '../src/backend/backend';
import type { Update } from '../src/backend/bindings';
import { GRAPH, LAYOUT, session } from './fixture/mesh';
import { DRY_RUN, journalEntry, plan, SPLITS } from './fixture/splits';
import { calm, FAILING, FAILING_ID, list, ROWS } from './fixture/traces';

type Answers = { [C in CommandName]?: (request: RequestOf<C>) => AnswerOf<C> | Promise<AnswerOf<C>> };

export interface FakeBackend extends Backend {
  readonly calls: { readonly command: CommandName; readonly request: unknown }[];
  push(update: Update): void;
  lose(reason: string): void;
}

export function update(more: Partial<Update> = {}): Update {
  return {
    graph: GRAPH,
    layout: LAYOUT,
    splits: { splits: [...SPLITS] },
    progress: [],
    session: session(),
    sessions: [more.session ?? session()],
    checks: [],
    chooser_revision: 0,
    link: null,
    ...more,
  };
}

export function fakeBackend(answers: Answers = {}): FakeBackend {
  const calls: { command: CommandName; request: unknown }[] = [];
  let onUpdate: (next: Update) => void = () => undefined;
  let onLost: (reason: string) => void = () => undefined;
  let pushed: Update | null = null;
  const defaults: Answers = {
    session: () => session(),
    refresh: () => null,
    set_window: ({ window_s }) => session({ window_s }),
    arm: () => session({ writes: { armed: true, remaining_s: 900, needs_name: false, forbidden: false } }),
    disarm: () => session(),
    plan_shift: plan,
    dry_run: () => DRY_RUN,
    apply: () => journalEntry({ entry_id: 'entry-2' }),
    journal: () => ({ entries: [journalEntry()] }),
    plan_undo: () => ({
      ...plan({
        split_id: SPLITS[1]?.id ?? '',
        weights: [25, 65, 5].map((weight, i) => ({ destination: `#${i + 1}`, weight })),
      }),
      kind: 'undo',
      summary: 'undo: v3 10 -> 5 %',
    }),
    end_link: () => null,
    memory: () => ({ theme: 'system', zoom: 1, page: '', problem: null }),
    remember: () => null,
    trace_services: () => ({ names: ['ingress-gw.edge', 'reviews.shop', 'web-bff.edge'], failures: [] }),
    trace_operations: () => ({ names: ['GET /product/77', 'render'], failures: [] }),
    find_traces: ({ only_errors, min_duration_ms, limit }) =>
      list(
        ROWS.filter(
          (row) => (!only_errors || row.errors > 0) && row.duration_ns >= (min_duration_ms ?? 0) * 1e6,
        ).slice(0, limit ?? 20),
      ),
    trace: ({ trace_id }) => (trace_id === FAILING_ID ? FAILING : calm(trace_id)),
  };
  return {
    calls,
    zooms: true,
    push: (next) => {
      pushed = next;
      onUpdate(next);
    },
    lose: (reason) => onLost(reason),
    async call<C extends CommandName>(command: C, request: RequestOf<C>): Promise<AnswerOf<C>> {
      calls.push({ command, request });
      const answer = (answers[command] ?? defaults[command]) as
        ((asked: RequestOf<C>) => AnswerOf<C> | Promise<AnswerOf<C>>) | undefined;
      if (answer === undefined) {
        throw new CallError({ code: 'not_found', message: `no answer for ${command}`, detail: '', hint: '' });
      }
      return answer(request);
    },
    subscribe(nextUpdate, nextLost) {
      onUpdate = nextUpdate;
      onLost = nextLost;
      if (pushed !== null) {
        onUpdate(pushed);
      }
      return () => undefined;
    },
  };
}
