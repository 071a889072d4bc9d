// @vitest-environment jsdom
import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { beforeAll, describe, expect, it } from 'vitest';

import { update } from '../../../tests/fakeBackend';
import { GRAPH, session, source } from '../../../tests/fixture/mesh';
import { refusal, SPLITS } from '../../../tests/fixture/splits';
import { focused, prepareWindow, press, showSplits } from '../../../tests/fixture/splitsScreen';

prepareWindow();

// jsdom knows no modal dialogs.
beforeAll(() => {
  Object.assign(HTMLDialogElement.prototype, {
    showModal(this: HTMLDialogElement) {
      this.open = true;
    },
    close(this: HTMLDialogElement) {
      this.open = false;
    },
  });
});

const status = (): string => screen.getByTestId('status').firstElementChild?.textContent ?? '';

describe('the context', () => {
  it('tells name and server of a real one, and nothing about being unreal', async () => {
    const real = session({ context: 'prod-eu', class: 'normal', server: '' });
    const { backend } = await showSplits({}, { session: real });
    expect(screen.getByTestId('context').title).toBe('prod-eu');
    backend.push(update({ session: { ...real, server: 'prod.example:6443' } }));
    await waitFor(() => expect(screen.getByTestId('context').title).toBe('prod-eu\nprod.example:6443'));
    backend.push(update({ session: session({ class: 'demo' }) }));
    await waitFor(() => expect(screen.getByTestId('context').title).toContain('Nothing here is real'));
  });
});

describe('several contexts', () => {
  const prod = session({ context: 'prod-eu', class: 'production', cluster: 'c1', warnings: ['not checked'] });
  const staging = session({ context: 'staging', class: 'normal', cluster: 'c2' });
  const several = { session: prod, sessions: [prod, staging] };

  it('are named by the chip, listed under it with their state, and can be closed', async () => {
    const { backend } = await showSplits({ close_context: () => prod }, several);
    const chip = screen.getByTestId('context');
    expect(chip.textContent).toContain('prod-eu + 1');
    expect(screen.getByTestId('warnings').textContent).toContain('1 warning');
    await fireEvent.click(chip);
    expect(screen.getByTestId('open-prod-eu').textContent).toContain('not checked');
    expect(screen.getByTestId('open-staging').textContent).toContain('read-only');
    await fireEvent.click(screen.getByTestId('close-staging'));
    expect(backend.calls.at(-1)).toEqual({ command: 'close_context', request: { context: 'staging' } });
    press('Escape');
    await waitFor(() => expect(screen.queryByTestId('contexts-panel')).toBeNull());
  });

  it('leave no list over the screen on which others are chosen', async () => {
    const { app } = await showSplits({}, several);
    await fireEvent.click(screen.getByTestId('context'));
    expect(screen.getByTestId('contexts-panel')).toBeTruthy();
    app.connect.show();
    await waitFor(() => expect(app.front).toBe('connect'));
    await waitFor(() => expect(screen.queryByTestId('contexts-panel')).toBeNull());
  });

  it('have their sources in the status line, each context by its name', async () => {
    const sources = ['prod-eu', 'staging'].flatMap((context) => [
      source('control-plane', 'k8s', { context }),
      source('metrics', 'Prometheus', { context, state: context === 'staging' ? 'failed' : 'ok' }),
    ]);
    await showSplits({}, { ...several, graph: { ...GRAPH, sources } });
    expect(screen.getByTestId('sources-prod-eu').textContent).toMatch(/prod-eu:\s+2 sources answer/);
    expect(screen.getByTestId('sources-staging').textContent).toMatch(/staging:\s+metrics failed/);
  });

  it('are told apart in Splits, and armed one by one, by name', async () => {
    const splits = SPLITS.map((split, i) => ({
      ...split,
      id: `${i === 0 ? 'prod-eu' : 'staging'}/${split.id}`,
    }));
    const { app, backend } = await showSplits(
      { arm: ({ context }) => session({ context: context ?? '', class: 'normal' }) },
      { ...several, splits: { splits } },
    );
    expect(screen.getByTestId('split-where').textContent).toBe('prod-eu, cluster c1');
    expect(app.whereOf(splits[1]?.id ?? '')).toBe('staging, cluster c2');
    await app.session.beginArming('staging');
    expect(await screen.findByText('Arm writes to staging', { selector: 'h2' })).toBeTruthy();
    expect(backend.calls.some(({ command }) => command === 'arm')).toBe(false);
    await fireEvent.click(screen.getByTestId('arm-confirm'));
    await waitFor(() =>
      expect(backend.calls.at(-1)?.request).toEqual({ context: 'staging', typed_name: null }),
    );
  });
});

describe('the frame of several contexts', () => {
  const contexts = ['prod-eu', 'prod-us', 'staging'];
  const sessions = (armed: Record<string, number | null> = {}) =>
    contexts.map((context) =>
      session({
        context,
        class: context.startsWith('prod') ? 'production' : 'normal',
        writes: {
          armed: context in armed,
          remaining_s: armed[context] ?? null,
          needs_name: context.startsWith('prod'),
          forbidden: false,
        },
      }),
    );
  const graph = (more: Record<string, Parameters<typeof source>[2]> = {}) => ({
    ...GRAPH,
    sources: contexts.flatMap((context) => [
      source('metrics', 'Prometheus', { context, ...more[context] }),
      source('traces', 'Jaeger', { context, state: 'stale', age_s: 900 }),
    ]),
  });
  const live = (): string => screen.getByTestId('live').textContent ?? '';

  it('calls no context live that has no metrics', async () => {
    const sources = { 'prod-us': { state: 'absent' as const, age_s: null } };
    await showSplits({}, { sessions: sessions(), graph: graph(sources) });
    expect(live()).toContain('prod-us: no metrics');
  });

  it('says that all are live, or by name which is not', async () => {
    const { backend } = await showSplits({}, { sessions: sessions(), graph: graph() });
    expect(live()).toContain('All live');
    const late = { state: 'stale', age_s: 34 };
    backend.push(update({ sessions: sessions(), graph: graph({ 'prod-us': late }) }));
    await waitFor(() => expect(live()).toContain('prod-us: metrics stale'));
    expect(live(), 'an age would be that of the others').not.toContain('ago');
    expect(screen.getByTestId('live').title).toContain('prod-eu: 2 sources answer');
    const failed = { state: 'failed' };
    backend.push(update({ sessions: sessions(), graph: graph({ 'prod-us': late, staging: failed }) }));
    await waitFor(() => expect(live()).toContain('2 of 3 not live'));
    expect(screen.getByTestId('live').title).toContain('staging: metrics failed');
  });

  it('names every context that writes are open to, and locks the one that is meant', async () => {
    const armed = { 'prod-us': 600, staging: 300 };
    const { backend } = await showSplits({}, { sessions: sessions(armed) });
    const chip = screen.getByTestId('writes');
    expect(chip.textContent).toMatch(/prod-us, staging\s+5:00/);
    await fireEvent.click(chip);
    expect(backend.calls.some(({ command }) => command === 'disarm')).toBe(false);
    await fireEvent.click(await screen.findByTestId('lock-staging'));
    await waitFor(() =>
      expect(backend.calls.at(-1)).toEqual({ command: 'disarm', request: { context: 'staging' } }),
    );
  });

  it('locks the only one at once, and never guesses which one to arm', async () => {
    const { backend } = await showSplits({}, { sessions: sessions({ 'prod-us': 600 }) });
    press('w');
    await waitFor(() =>
      expect(backend.calls.at(-1)).toEqual({ command: 'disarm', request: { context: 'prod-us' } }),
    );
    backend.push(update({ sessions: sessions() }));
    await waitFor(() => expect(screen.getByTestId('writes').textContent).toContain('Read-only'));
    press('w');
    expect(await screen.findByTestId('contexts-panel')).toBeTruthy();
    expect(backend.calls.some(({ command }) => command === 'arm')).toBe(false);
  });

  it('arms another beside a demo, which is always open', async () => {
    const demo = session({
      context: 'demo',
      writes: { armed: true, remaining_s: null, needs_name: false, forbidden: false },
    });
    const { backend } = await showSplits(
      {},
      { session: demo, sessions: [demo, ...sessions({ staging: 300 })] },
    );
    expect(screen.getByTestId('writes').textContent).toContain('demo, staging');
    press('w');
    await waitFor(() =>
      expect(backend.calls.at(-1)).toEqual({ command: 'disarm', request: { context: 'staging' } }),
    );
  });
});

describe('what must be known everywhere', () => {
  it('is a login that has expired, with the way to sign in again', async () => {
    const error = { code: 'unauthorized', message: 'the API server does not know us', hint: '', count: 3 };
    const sources = [source('control-plane', 'k8s', { error, state: 'forbidden' })];
    const { backend } = await showSplits({ log_in_again: () => null }, { graph: { ...GRAPH, sources } });
    expect(screen.getByTestId('expired').textContent).toContain('does not know us');
    await fireEvent.click(screen.getByTestId('log-in-again'));
    expect(backend.calls.at(-1)).toEqual({ command: 'log_in_again', request: { context: 'demo' } });
  });

  it('is an engine that says nothing, after three answers that did not come', async () => {
    const { app } = await showSplits();
    app.clock.now = app.feed.receivedAt + 29_000;
    await waitFor(() => expect(screen.queryByTestId('silent')).toBeNull());
    app.clock.now = app.feed.receivedAt + 31_000;
    await waitFor(() =>
      expect(screen.getByTestId('silent').textContent).toContain('No word from the engine for 31 s'),
    );
  });
});

describe('a source', () => {
  it('tells its address and its last error without a pointer', async () => {
    const { app } = await showSplits();
    await fireEvent.click(screen.getByTestId('source-metrics'));
    expect((await screen.findByTestId('source-details')).textContent).toContain('127.0.0.1:9090');
    expect(app.place.source).toEqual({ context: 'demo', name: 'metrics' });
  });
});

describe('the window of the numbers', () => {
  it('is marked while the numbers are of another one', async () => {
    const { backend } = await showSplits({}, { session: session({ window_s: 300 }) });
    expect(screen.getByTestId('window-pending').textContent).toContain('Numbers of the last 1 min');
    backend.push(update({ graph: { ...GRAPH, window_s: 300 }, session: session({ window_s: 300 }) }));
    await waitFor(() => expect(screen.getByTestId('window-pending').textContent).toBe(''));
  });
});

describe('the status line', () => {
  it('counts what the filter matches', async () => {
    const { app } = await showSplits();
    expect(status()).toBe('3 splits, 1 finding');
    app.place.filterText.splits = 'reviews';
    await waitFor(() => expect(status()).toBe('1 match of 3 splits'));
    app.place.filterText.mesh = 'nowhere';
    app.place.go('mesh');
    await waitFor(() => expect(status()).toBe(`0 match of ${GRAPH.nodes.length} services`));
  });

  it('tells a failed search from none', async () => {
    const { app } = await showSplits({
      find_traces: () => {
        throw refusal('unavailable');
      },
    });
    app.place.go('traces');
    await waitFor(() => expect(status()).toBe('the search failed'));
  });
});

describe('the focus', () => {
  it('begins a new screen at its beginning, unless it is in the filter', async () => {
    const { app } = await showSplits();
    expect(document.activeElement).toBe(document.body);
    press('3');
    await waitFor(() => expect(focused()).toBe('screen'));
    app.filterBox?.focus();
    app.place.go('splits');
    await screen.findByTestId('plan-panel');
    expect(focused()).toBe('filter');
  });

  it('goes to the name that arming production asks for', async () => {
    await showSplits(
      {},
      {
        session: session({
          class: 'production',
          writes: { armed: false, remaining_s: null, needs_name: true, forbidden: false },
        }),
      },
    );
    await fireEvent.click(screen.getByTestId('arm'));
    await waitFor(() => expect(focused()).toBe('arm-name'));
  });
});

describe('a held Enter', () => {
  it('does not walk from step to step', async () => {
    await showSplits();
    const button = screen.getByTestId('theme');
    const event = new KeyboardEvent('keydown', {
      key: 'Enter',
      repeat: true,
      bubbles: true,
      cancelable: true,
    });
    button.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
  });
});
