// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/svelte';
import type { Component } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';

import { fakeBackend, update } from '../../../tests/fakeBackend';
import InApp from '../../../tests/fixture/InApp.svelte';
import { stubLayout } from '../../../tests/fixture/jsdom';
import { GRAPH, source } from '../../../tests/fixture/mesh';
import { App } from '../../state/app.svelte';
import LivePip from '../frame/LivePip.svelte';
import MeshRail from './MeshRail.svelte';
import MeshStage from './MeshStage.svelte';
import Overview from './Overview.svelte';

const stops: (() => void)[] = [];
afterEach(() => {
  cleanup();
  stops.splice(0).forEach((stop) => stop());
});

/** A part of the window over metrics that never answered, or did. */
function show(part: Component, answered: boolean): void {
  const backend = fakeBackend();
  const app = new App(backend);
  stops.push(app.start());
  const error = { code: 'unreachable', message: 'nobody there', hint: 'start it', count: 3 };
  const silent = source('metrics', '', { state: 'failed', age_s: null, error });
  const sources = answered ? GRAPH.sources : [silent];
  const graph = answered ? GRAPH : { ...GRAPH, nodes: [], edges: [], sources };
  backend.push(update({ graph }));
  render(InApp, { app, part });
}

function figure(label: string): string | null | undefined {
  return screen.getByText(label).nextElementSibling?.textContent;
}

describe('numbers that nobody told', () => {
  it('are unknown and not zero', () => {
    show(Overview, false);
    for (const label of ['services', 'calls', 'degraded', 'failing']) {
      expect(figure(label)).toBe('–');
    }
  });

  it('are no reason to say that nothing needs attention', () => {
    show(MeshRail, false);
    expect(screen.getByText(/unknown without numbers/)).toBeTruthy();
    expect(screen.queryByText(/nothing does/)).toBeNull();
  });

  it('are not live', () => {
    show(LivePip, false);
    expect(screen.getByTestId('live').textContent).toContain('No numbers');
  });
});

describe('numbers that came', () => {
  it('are counted', () => {
    show(Overview, true);
    expect(figure('services')).toBe(String(GRAPH.nodes.length));
    expect(figure('calls')).toBe(String(GRAPH.edges.length));
  });

  it('are live', () => {
    show(LivePip, true);
    expect(screen.getByTestId('live').textContent).toContain('Live');
  });

  it('are not looked for in a wider window where the server has no mesh at all', () => {
    stubLayout();
    const backend = fakeBackend();
    const app = new App(backend);
    stops.push(app.start());
    const message = 'it scrapes no proxy of this mesh';
    const finding = { severity: 'warning', code: 'no-mesh-metrics', object: 'metrics', path: '', message };
    backend.push(update({ graph: { ...GRAPH, nodes: [], edges: [], findings: [finding] } }));
    render(InApp, { app, part: MeshStage });
    expect(screen.getByText('No mesh in these metrics')).toBeTruthy();
    expect(screen.getByText(message)).toBeTruthy();
    expect(screen.queryByText(/wider window/)).toBeNull();
  });
});
