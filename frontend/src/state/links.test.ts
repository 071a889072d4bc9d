import { afterEach, describe, expect, it, vi } from 'vitest';

import { fakeBackend } from '../../tests/fakeBackend';
import { update } from '../../tests/fakeBackend';
import { CLUSTERS_GRAPH, EU_CART } from '../../tests/fixture/clusters';
import type { LinkView } from '../backend/bindings';
import { App } from './app.svelte';

function link(more: Partial<LinkView> = {}): LinkView {
  return {
    serial: 1,
    refused: null,
    context: 'demo',
    is_open: true,
    place: 'mesh',
    id: '',
    at: null,
    window_s: null,
    command: null,
    ...more,
  };
}

function open(answers: Parameters<typeof fakeBackend>[0] = {}): {
  app: App;
  asked: (command: string) => unknown[];
} {
  const backend = fakeBackend(answers);
  const app = new App(backend);
  app.feed.receive(update());
  const asked = (command: string): unknown[] =>
    backend.calls.filter((call) => call.command === command).map((call) => call.request);
  return { app, asked };
}

afterEach(() => vi.unstubAllGlobals());

describe('a link from outside', () => {
  it('shows its place once, and is ended', () => {
    const { app, asked } = open();
    const node = link({ place: 'node', id: 'app:/shop/reviews' });
    app.place.go('traces');
    app.links.take(node);
    expect(app.place.screen).toBe('mesh');
    expect(app.place.selection).toEqual({ kind: 'node', id: 'app:/shop/reviews' });
    app.place.go('splits');
    app.links.take(node);
    expect(app.place.screen).toBe('splits');
    app.links.take(link({ serial: 2, place: 'edge', id: 'a>b' }));
    expect(app.place.selection).toEqual({ kind: 'edge', id: 'a>b' });
    expect(asked('end_link')).toEqual([{ serial: 1 }, { serial: 2 }]);
  });

  it('leads to splits and traces, with its window', () => {
    const { app, asked } = open();
    app.links.take(link({ place: 'split', id: 'demo/VirtualService/shop/reviews/http/0', window_s: 300 }));
    expect([app.place.screen, app.place.splitId]).toEqual([
      'splits',
      'demo/VirtualService/shop/reviews/http/0',
    ]);
    expect(asked('set_window')).toEqual([{ window_s: 300 }]);
    app.links.take(link({ serial: 2, place: 'trace', id: '4bf9', at: '2026-01-31T12:00:00Z' }));
    expect([app.place.screen, app.traces.openId]).toEqual(['traces', '4bf9']);
    expect(app.links.note).toBeNull();
  });

  it('waits until its context is open, or is given up', () => {
    const { app, asked } = open();
    const closed = link({ context: 'prod', is_open: false, place: 'trace', id: '4bf9' });
    app.links.take(closed);
    expect(app.links.waiting).toEqual(closed);
    expect([app.place.screen, asked('open_context'), asked('end_link')]).toEqual(['mesh', [], []]);
    app.links.take({ ...closed, is_open: true });
    expect([app.place.screen, app.links.waiting]).toEqual(['traces', null]);
    app.links.take({ ...closed, serial: 2 });
    app.links.giveUp();
    expect([app.links.waiting, asked('end_link')]).toEqual([null, [{ serial: 1 }, { serial: 2 }]]);
  });

  it('of a moment says that the window shows now', () => {
    const { app } = open();
    const command = 'pilothousectl --demo graph --at 2026-01-31T12:00:00.000Z';
    app.links.take(link({ at: '2026-01-31T12:00:00.000Z', command }));
    expect(app.links.note).toEqual({ kind: 'moment', at: '2026-01-31T12:00:00.000Z', command });
  });

  it('that is refused moves nothing', () => {
    const { app, asked } = open();
    app.place.go('splits');
    app.links.take(link({ refused: 'this is no link', is_open: false }));
    expect(app.links.note).toEqual({ kind: 'refused', why: 'this is no link' });
    expect([app.place.screen, asked('end_link')]).toEqual(['splits', [{ serial: 1 }]]);
  });
});

describe('a link to a trace', () => {
  it('asks its own context, and the first search does not close it', async () => {
    const { app, asked } = open();
    app.links.take(link({ context: 'prod-us', place: 'trace', id: '4bf9' }));
    await app.traces.begin();
    expect(asked('trace')).toEqual([{ context: 'prod-us', trace_id: '4bf9', raw_clock: false }]);
    expect(app.traces.openId).toBe('4bf9');
  });
});

describe('the link to what is shown', () => {
  it('carries the context of the trace, and that of the node', async () => {
    vi.stubGlobal('navigator', {});
    const { app, asked } = open({ link_to: () => ({ text: 'pilothouse://x' }) });
    app.feed.receive(update({ graph: CLUSTERS_GRAPH }));
    app.place.showOnMesh({ kind: 'node', id: EU_CART.id });
    await app.links.copy();
    await app.traces.open('4bf9', 'ctx-prod-us');
    app.place.go('traces');
    await app.links.copy();
    expect(asked('link_to')).toMatchObject([
      { place: 'node', context: 'ctx-prod-eu' },
      { place: 'trace', context: 'demo', id: '4bf9' },
    ]);
  });

  it('is copied', async () => {
    const writeText = vi.fn().mockResolvedValue(undefined);
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    const { app, asked } = open({
      link_to: ({ place, id }) => ({ text: `pilothouse://demo/${place}/${id}` }),
    });
    app.place.showOnMesh({ kind: 'node', id: 'n' });
    await app.links.copy();
    expect(writeText).toHaveBeenCalledWith('pilothouse://demo/node/n');
    expect(app.links.note).toEqual({ kind: 'copied', text: 'pilothouse://demo/node/n' });
    app.place.showSplit('s');
    await app.links.copy();
    await app.traces.open('4bf9');
    app.place.go('traces');
    await app.links.copy();
    expect(asked('link_to')).toMatchObject([
      { place: 'node', id: 'n', window_s: 60 },
      { place: 'split', id: 's', window_s: 60 },
      { place: 'trace', window_s: null },
    ]);
  });

  it('is shown where there is no clipboard', async () => {
    vi.stubGlobal('navigator', {});
    const { app } = open({ link_to: () => ({ text: 'pilothouse://demo' }) });
    await app.links.copy();
    expect(app.links.note).toEqual({ kind: 'not-copied', text: 'pilothouse://demo' });
  });
});
