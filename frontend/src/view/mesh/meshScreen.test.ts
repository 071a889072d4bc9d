// @vitest-environment jsdom
import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { EDGES, GRAPH, LAYOUT, NODES } from '../../../tests/fixture/mesh';
import { openMesh, withStage } from '../../../tests/fixture/meshScreen';
import type { GraphView } from '../../backend/bindings';
import type { App } from '../../state/app.svelte';

withStage();

const open = (graph: GraphView = GRAPH, layout = LAYOUT): App => openMesh(graph, layout);

const transform = (): string =>
  screen.getByTestId('stage').querySelector<HTMLElement>('.stage-layer')?.style.transform ?? '';
const card = (label: string): HTMLElement | null => screen.queryByTestId(`card-${label}`);
const names = (): (string | null)[] => screen.queryAllByTestId('row-name').map((name) => name.textContent);
const idOf = (label: string): string => NODES.find((node) => node.label === label)?.id ?? '';

describe('the camera', () => {
  it('is where it was after the table', async () => {
    const app = open();
    await waitFor(() => expect(transform()).not.toBe(''));
    const fitted = transform();
    app.stage?.zoomTo(0.8);
    app.stage?.zoomBy(1.25);
    await waitFor(() => expect(transform()).not.toBe(fitted));
    const left = transform();
    app.place.table = true;
    await screen.findByTestId('mesh-table');
    app.place.table = false;
    await screen.findByTestId('stage');
    await waitFor(() => expect(transform()).not.toBe(''));
    expect(transform()).toBe(left);
  });

  it('does not go back to a selection that it was moved away from', async () => {
    const app = open();
    app.place.select({ kind: 'node', id: idOf('ledger') });
    await waitFor(() => expect(transform()).not.toBe(''));
    app.stage?.zoomTo(2);
    for (let step = 0; step < 3; step += 1) {
      app.stage?.zoomBy(1.1);
    }
    await waitFor(() => expect(card('web-bff')).toBeNull());
    const left = transform();
    app.place.table = true;
    await screen.findByTestId('mesh-table');
    app.place.table = false;
    await waitFor(() => expect(transform()).toBe(left));
  });

  it('shows what was selected in the table', async () => {
    const app = open();
    await waitFor(() => expect(transform()).not.toBe(''));
    app.stage?.zoomTo(2.4);
    await waitFor(() => expect(card('inventory-db')).toBeNull());
    const left = transform();
    app.place.table = true;
    await screen.findByTestId('mesh-table');
    app.place.select({ kind: 'node', id: idOf('inventory-db') });
    app.place.table = false;
    await waitFor(() => expect(card('inventory-db')).not.toBeNull());
    expect(transform()).not.toBe(left);
  });
});

describe('the filter', () => {
  it('says that nothing matches', async () => {
    const app = open();
    app.place.filterText.mesh = 'zzzz';
    expect((await screen.findByTestId('filter-note')).textContent).toContain('Nothing matches “zzzz”');
    app.place.filterText.mesh = 'ledger';
    await waitFor(() => expect(screen.queryByTestId('filter-note')).toBeNull());
  });

  it('says what it does not understand', async () => {
    const app = open();
    app.place.filterText.mesh = 'err>1pct';
    await waitFor(() =>
      expect(screen.getAllByTestId('filter-note').map((note) => note.textContent)).toEqual([
        expect.stringContaining('“err>1pct” is not understood'),
        'Nothing matches “err>1pct”',
      ]),
    );
  });

  it('takes a selected card out of the picture with its namespace, and the inspector says so', async () => {
    const app = open();
    app.place.select({ kind: 'node', id: idOf('ledger') });
    await waitFor(() => expect(card('ledger')).not.toBeNull());
    expect(screen.queryByTestId('selection-hidden')).toBeNull();
    app.place.toggleBox('demo/payments');
    await waitFor(() => expect(card('ledger')).toBeNull());
    expect(screen.getByTestId('selection-hidden').textContent).toContain('Hidden by the filters');
    // Tab still reaches one.
    expect(screen.getAllByTestId(/^card-/).filter((one) => one.tabIndex === 0)).toHaveLength(1);
  });
});

describe('the table', () => {
  it('lists calls of which an end is what the filter asks for', async () => {
    const app = open();
    app.place.table = true;
    app.place.filterText.mesh = 'ledger';
    await fireEvent.click(await screen.findByRole('button', { name: 'Calls' }));
    expect(names()).toEqual(['payment-api → ledger']);
    app.place.filterText.mesh = 'zzzz';
    await screen.findByText(/Nothing matches “zzzz”/);
    expect(names()).toEqual([]);
  });

  it('is left with its rows and its order', async () => {
    const app = open();
    app.place.table = true;
    await fireEvent.click(await screen.findByRole('button', { name: 'Calls' }));
    await fireEvent.click(screen.getByRole('button', { name: /rate/ }));
    const before = names();
    app.place.table = false;
    await screen.findByTestId('stage');
    app.place.table = true;
    await screen.findByTestId('mesh-table');
    expect(names()).toEqual(before);
  });

  it('sorts bytes and requests by weight', async () => {
    const app = open();
    app.place.table = true;
    await fireEvent.click(await screen.findByRole('button', { name: 'Calls' }));
    await fireEvent.click(screen.getByRole('button', { name: /rate/ }));
    const at = (name: string): number => names().indexOf(name);
    expect(names()[0]).toBe('ingress-gw → web-bff');
    expect(at('shop/inventory → platform/inventory-db')).toBeGreaterThan(at('checkout → fraud'));
  });

  it('has no column that says nothing', async () => {
    const quiet = { avg: null, p50: null, p99: null, beyond: [] };
    const nodes = NODES.map((node) => ({ ...node, latency_ms: { ...quiet, p95: node.latency_ms.p95 } }));
    const app = open({ ...GRAPH, nodes });
    app.place.table = true;
    await screen.findByTestId('mesh-table');
    const heads = screen.getAllByRole('columnheader').map((head) => head.textContent?.trim().split(' ')[0]);
    expect(heads).toEqual(['name', 'namespace', 'health', 'rate', 'errors', 'p95']);
  });
});

describe('names', () => {
  const twin = { ...NODES[5]!, id: 'demo/shop/svc/reviews', type: 'service' };
  const call = { ...EDGES[4]!, id: 'twin-call', target: twin.id };
  const graph = { ...GRAPH, nodes: [...NODES, twin], edges: [...EDGES, call] };
  const place = { x: 506, y: 300, width: 168, height: 48 };
  const layout = { ...LAYOUT, nodes: { ...LAYOUT.nodes, [twin.id]: place } };

  it('tell a service without a workload from its workload', async () => {
    const app = open(graph, layout);
    await waitFor(() => expect(screen.getAllByTestId('card-reviews')).toHaveLength(2));
    const tagged = screen
      .getAllByTestId('card-reviews')
      .filter((one) => one.textContent?.includes('no workload'));
    expect(tagged).toHaveLength(1);
    expect(tagged[0]?.getAttribute('aria-label')).toContain('no workload');
    expect(screen.getByTestId('concerns').textContent).toContain('no workload');
    app.place.table = true;
    await screen.findByTestId('mesh-table');
    expect(screen.getByTestId('mesh-table').textContent).toContain('no workload');
  });

  it('of calls have their namespaces unless there is but one', async () => {
    const app = open();
    app.place.select({ kind: 'edge', id: EDGES[1]?.id ?? '' });
    await waitFor(() =>
      expect(screen.getByTestId('inspector-title').textContent).toBe('edge/web-bff → shop/catalog'),
    );
    app.place.select({ kind: 'edge', id: EDGES[4]?.id ?? '' });
    await waitFor(() => expect(screen.getByTestId('inspector-title').textContent).toBe('catalog → reviews'));
    expect(screen.getByTestId('inspector').textContent).toContain('in shop');
  });
});
