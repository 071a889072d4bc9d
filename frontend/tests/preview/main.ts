// The app over invented numbers, for looking at it while working: `npm run dev`, then /tests/preview/index.html.
// Asked for in the address: screen=traces, theme=light, class=production, armed, progress, clusters[=stale], many, and for the Traces
// screen traces=several|large|partial|empty|failed|forbidden|absent|loading. connect=checklist|failed|waiting shows the connection screen.
import { mount } from 'svelte';

import { CallError } from '../../src/backend/backend';
import type { CheckView, Code, GraphView, LayoutView, NodeView } from '../../src/backend/bindings';
import { App as AppState } from '../../src/state/app.svelte';
import { SCREENS } from '../../src/state/place.svelte';
import '../../src/styles/base.css';
import '../../src/styles/canvas.css';
import App from '../../src/view/App.svelte';
import { fakeBackend, update } from '../fakeBackend';
import { CLUSTERS_GRAPH, CLUSTERS_LAYOUT, late } from '../fixture/clusters';
import { check, chooser, failed, LINES } from '../fixture/connect';
import { GRAPH, LAYOUT, node, session, source } from '../fixture/mesh';
import { progress } from '../fixture/splits';
import { FAILING_ID, large, list, NOW_MS, row, ROWS } from '../fixture/traces';

const asked = new URLSearchParams(window.location.search);
const traces = asked.get('traces');
const clusters = asked.get('clusters');
const many = Array.from({ length: 41 }, (_, i) => node(`team-${i + 1}/web`, 400 - i * 7, 0.001, 20));
const picture =
  clusters === null
    ? asked.has('many')
      ? { graph: { ...GRAPH, nodes: many, edges: [] }, layout: gridOf(many) }
      : {}
    : {
        graph: withTraces(clusters === 'stale' ? late(CLUSTERS_GRAPH) : CLUSTERS_GRAPH),
        layout: CLUSTERS_LAYOUT,
      };
// As if the traces had begun just now.
const recent = ROWS.map((one) => ({ ...one, start_ms: one.start_ms + Date.now() - 41_000 - NOW_MS }));

function withTraces(graph: GraphView): GraphView {
  const traces = ['ctx-prod-eu', 'ctx-prod-us'].map((context) => source('traces', 'Jaeger', { context }));
  return { ...graph, sources: [...graph.sources, ...traces] };
}

function gridOf(nodes: readonly NodeView[]): LayoutView {
  const at = (i: number) => ({ x: (i % 7) * 240, y: Math.floor(i / 7) * 130 });
  return {
    ...LAYOUT,
    nodes: Object.fromEntries(nodes.map(({ id }, i) => [id, { ...at(i), width: 168, height: 48 }])),
    boxes: Object.fromEntries(
      nodes.map(({ box }, i) => [box ?? '', { x: at(i).x - 16, y: at(i).y - 42, width: 200, height: 106 }]),
    ),
  };
}

/** Two contexts, the pictures of clusters: writes are open to one of them. */
const several = ['ctx-prod-eu', 'ctx-prod-us'].map((context) =>
  session({
    context,
    cluster: context.slice(4),
    class: 'production',
    class_label: 'production',
    colour: 'amber',
    writes: {
      armed: asked.has('armed') && context === 'ctx-prod-us',
      remaining_s: 761,
      needs_name: true,
      forbidden: false,
    },
  }),
);

function refusal(code: Code, message: string, hint: string): CallError {
  return new CallError({ code, message, detail: 'GET /api/traces', hint });
}

const connect = asked.get('connect');
const LOOKS: Readonly<Record<string, () => CheckView>> = {
  checklist: () => check('staging'),
  failed: () => failed('prod-us'),
  waiting: () =>
    check('prod-eu', {
      state: 'running',
      waiting: { program: 'aws', since_s: 12, deadline_s: 60 },
      lines: LINES.map((line, i) =>
        i < 2 ? { ...line, state: 'asking', answer: '' } : { ...line, state: 'waiting' },
      ),
    }),
};
const look = connect === null ? undefined : LOOKS[connect]?.();

const backend = fakeBackend({
  chooser: () => chooser(look === undefined ? {} : { last: look.context }),
  find_traces: ({ only_errors, limit }) => {
    switch (traces) {
      case 'loading':
        return new Promise(() => undefined);
      case 'empty':
        return list([]);
      case 'failed':
        throw refusal(
          'unavailable',
          'the trace source does not answer as it should',
          'check the address of Jaeger',
        );
      case 'forbidden':
        throw refusal(
          'forbidden',
          'the trace source does not allow it',
          'ask for a token that may read traces',
        );
      case 'absent':
        throw refusal(
          'not_configured',
          'the trace source is not configured',
          'give --traces jaeger=URL or --traces file=PATH',
        );
      case 'large':
        return list([row(FAILING_ID, 50_000, { spans: 50_000, errors: 9, start_ms: Date.now() - 90_000 })]);
      case 'several':
        return list(
          recent.slice(0, 12).map((one, i) => ({ ...one, context: `ctx-prod-${i % 3 === 0 ? 'us' : 'eu'}` })),
          {
            sources: ['ctx-prod-eu', 'ctx-prod-us'].map((context) => source('traces', 'Jaeger', { context })),
            failures:
              clusters === 'stale'
                ? [
                    {
                      context: 'ctx-prod-us',
                      error: {
                        code: 'timed_out',
                        message: 'the trace source does not answer as it should',
                        detail: 'no answer in 10 s',
                        hint: '',
                      },
                    },
                  ]
                : [],
          },
        );
      default:
        return list(recent.filter((one) => !only_errors || one.errors > 0).slice(0, limit ?? 20), {
          partial: traces === 'partial',
        });
    }
  },
  ...(traces === 'large' ? { trace: ({ trace_id }) => large(trace_id, 50_000) } : {}),
});

const target = document.getElementById('app');
if (target !== null) {
  const app = new AppState(backend);
  app.prefs.theme = asked.get('theme') === 'light' ? 'light' : 'dark';
  app.place.go(SCREENS.find((screen) => screen === asked.get('screen')) ?? 'mesh');
  mount(App, { target, props: { app } });
  if (connect !== null) {
    backend.push(
      update({
        session: session({ context: '' }),
        sessions: [],
        checks: look === undefined ? [] : [look],
      }),
    );
  }
  const production = asked.get('class') === 'production';
  const mesh = (): void =>
    backend.push(
      update({
        ...picture,
        ...(clusters === null ? {} : { sessions: several }),
        progress: asked.has('progress') ? [progress()] : [],
        session: session({
          ...(production ? { context: 'prod-eu', class: 'production', server: 'https://prod-eu' } : {}),
          writes: {
            armed: asked.has('armed'),
            remaining_s: asked.has('armed') ? 761 : null,
            needs_name: production,
            forbidden: false,
          },
        }),
      }),
    );
  if (connect === null) {
    mesh();
  }
}
