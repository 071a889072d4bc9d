// The app over invented numbers, for looking at it while working: `npm run dev`, then /tests/preview/index.html.
// Asked for in the address: screen=traces, theme=light, class=production, armed, progress, clusters[=stale], and for the Traces
// screen traces=large|partial|empty|failed|forbidden|absent|loading. connect=checklist|failed|waiting shows the connection screen.
import { mount } from 'svelte';

import { CallError } from '../../src/backend/backend';
import type { CheckView, Code } from '../../src/backend/bindings';
import { App as AppState } from '../../src/state/app.svelte';
import { SCREENS } from '../../src/state/place.svelte';
import '../../src/styles/base.css';
import '../../src/styles/canvas.css';
import App from '../../src/view/App.svelte';
import { fakeBackend, update } from '../fakeBackend';
import { CLUSTERS_GRAPH, CLUSTERS_LAYOUT, late } from '../fixture/clusters';
import { check, chooser, failed, LINES } from '../fixture/connect';
import { session } from '../fixture/mesh';
import { progress } from '../fixture/splits';
import { FAILING_ID, large, list, NOW_MS, row, ROWS } from '../fixture/traces';

const asked = new URLSearchParams(window.location.search);
const traces = asked.get('traces');
const clusters = asked.get('clusters');
const picture =
  clusters === null
    ? {}
    : { graph: clusters === 'stale' ? late(CLUSTERS_GRAPH) : CLUSTERS_GRAPH, layout: CLUSTERS_LAYOUT };
// As if the traces had begun just now.
const recent = ROWS.map((one) => ({ ...one, start_ms: one.start_ms + Date.now() - 41_000 - NOW_MS }));

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
