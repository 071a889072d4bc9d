// @vitest-environment jsdom
import { flushSync, tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { fakeBackend, update } from '../../tests/fakeBackend';
import { GRAPH, node, session } from '../../tests/fixture/mesh';
import { writePage } from '../model/pageMemory';
import type { Stage } from './app.svelte';
import { App } from './app.svelte';

const KEPT = {
  screen: 'splits',
  filters: { splits: 'reviews' },
  hiddenBoxes: ['demo/shop'],
  namespaceChoices: {},
  figures: { p95: true },
  windowS: 300,
  table: true,
};

function open(page: string, theme = 'light') {
  const remember = vi.fn<(request: unknown) => null>(() => null);
  const backend = fakeBackend({ memory: () => ({ theme, page, problem: null, zoom: 1 }), remember });
  const app = new App(backend);
  const stop = app.memory.watch();
  return { app, backend, remember, stop };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('the memory', () => {
  it('brings the window back as it was left', async () => {
    const { app, stop } = open(writePage(KEPT));
    await app.memory.load();
    expect(app.prefs.theme).toBe('light');
    expect(app.place.screen).toBe('splits');
    expect(app.place.filterText).toEqual({ mesh: '', splits: 'reviews', traces: '' });
    expect([...app.place.hiddenBoxes]).toEqual(['demo/shop']);
    expect(app.prefs.edgeFigures.p95).toBe(true);
    expect(app.place.table).toBe(true);
    stop();
  });

  it.each(['{', JSON.stringify({ version: 99, screen: 'traces' })])(
    'begins as new after %s',
    async (page) => {
      const { app, stop } = open(page, 'no theme');
      await app.memory.load();
      expect([app.prefs.theme, app.place.screen]).toEqual(['system', 'mesh']);
      stop();
    },
  );

  it('does not take somebody back who has gone elsewhere', async () => {
    const { app, stop } = open(writePage(KEPT));
    const loading = app.memory.load();
    app.place.go('traces');
    await loading;
    expect(app.place.screen).toBe('traces');
    stop();
  });

  it('keeps changes together, only what changed, and nothing before it was read', async () => {
    const { app, remember, stop } = open('');
    app.prefs.toggleFigure('p95');
    flushSync();
    await vi.advanceTimersByTimeAsync(1000);
    expect(remember).not.toHaveBeenCalled();
    await app.memory.load();
    flushSync();
    await vi.advanceTimersByTimeAsync(1000);
    expect(remember).not.toHaveBeenCalled();
    app.prefs.nextTheme();
    flushSync();
    app.prefs.nextTheme();
    flushSync();
    await vi.advanceTimersByTimeAsync(1000);
    expect(remember.mock.calls).toEqual([[{ theme: 'dark', page: null, zoom: null }]]);
    app.place.go('splits');
    flushSync();
    await vi.advanceTimersByTimeAsync(1000);
    expect(remember).toHaveBeenLastCalledWith({
      theme: null,
      page: expect.stringContaining('"splits"'),
      zoom: null,
    });
    stop();
  });

  it('gives a context that opens the window of the numbers that was chosen', async () => {
    const { app, backend, stop } = open(writePage(KEPT));
    await app.memory.load();
    const end = app.feed.start(backend);
    const windows = (): unknown[] =>
      backend.calls.filter((call) => call.command === 'set_window').map((call) => call.request);
    app.receive(update({ session: session({ window_s: 60 }) }));
    expect(windows()).toEqual([{ window_s: 300 }]);
    app.receive(update({ session: session({ window_s: 60 }) }));
    expect(windows()).toHaveLength(1);
    end();
    stop();
  });
});

describe('the namespaces at first', () => {
  const STAGE: Stage = {
    fit: () => undefined,
    zoomToNamespace: () => undefined,
    zoomBy: () => undefined,
    zoomTo: () => undefined,
    hasFocus: () => false,
    walk: () => undefined,
  };
  const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, i) => node(`${name}/web`, 10 + i, 0, 5));
  const graph = { ...GRAPH, nodes: many, edges: [] };
  const shown = (app: App): number => app.visible?.nodes.size ?? 0;

  it('are the five busiest of a context that was never seen, and that is kept', async () => {
    const { app, remember, stop } = open('');
    await app.memory.load();
    const waiting = graph.sources.map((one) => ({ ...one, state: 'loading', age_s: null }));
    app.feed.receive(update({ graph: { ...graph, sources: waiting } }));
    app.receive(update({ graph: { ...graph, sources: waiting } }));
    expect(shown(app), 'nothing is decided before there are numbers').toBe(7);
    app.feed.receive(update({ graph }));
    app.receive(update({ graph }));
    expect([...app.place.hiddenBoxes].sort()).toEqual(['demo/a', 'demo/b']);
    flushSync();
    await vi.advanceTimersByTimeAsync(1000);
    expect(remember.mock.lastCall?.[0]).toMatchObject({
      page: expect.stringContaining('"namespaceChoices":{"demo":"busiest"}'),
    });
    expect(shown(app)).toBe(5);
    app.place.showAllNamespaces();
    app.receive(update({ graph }));
    expect([shown(app), app.place.namespaceChoices]).toEqual([7, { demo: 'chosen' }]);
    stop();
  });

  it('are fitted into the window when the others are left out, and at no later time', async () => {
    const { app, stop } = open('');
    const fit = vi.fn();
    app.stage = { ...STAGE, fit };
    await app.memory.load();
    app.feed.receive(update({ graph }));
    app.receive(update({ graph }));
    await tick();
    expect(fit).toHaveBeenCalledTimes(1);
    app.receive(update({ graph }));
    await tick();
    expect(fit).toHaveBeenCalledTimes(1);
    stop();
  });

  it.each<[string, string, string[]]>([
    ['were chosen before', writePage({ ...KEPT, hiddenBoxes: [], namespaceChoices: { demo: 'chosen' } }), []],
    ['are hidden by hand', writePage({ ...KEPT, hiddenBoxes: ['demo/c'] }), []],
    ['were said when it was opened', '', ['a', 'b', 'c', 'd', 'e', 'f', 'g']],
  ])('stay as they are where they %s', async (_, page, namespaces) => {
    const { app, stop } = open(page);
    await app.memory.load();
    const before = [...app.place.hiddenBoxes];
    const next = update({ graph, session: session({ namespaces }) });
    app.feed.receive(next);
    app.receive(next);
    expect([...app.place.hiddenBoxes]).toEqual(before);
    stop();
  });
});
