// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { CLUSTERS_GRAPH, CLUSTERS_LAYOUT, EU_CART, late, US_CART } from '../../../tests/fixture/clusters';
import { openMesh, withStage } from '../../../tests/fixture/meshScreen';
import { GRAPH, LAYOUT, NODES } from '../../../tests/fixture/mesh';
import type { GraphView } from '../../backend/bindings';
import type { App } from '../../state/app.svelte';

withStage();

const open = (graph: GraphView = CLUSTERS_GRAPH, layout = CLUSTERS_LAYOUT): App => openMesh(graph, layout);

const titles = (): string[] =>
  [...screen.getByTestId('stage').querySelectorAll('.cluster-title')].map((title) =>
    [...title.querySelectorAll('.box-name, .box-stale')].map((part) => part.textContent).join(' · '),
  );
const heads = (): (string | undefined)[] =>
  screen.getAllByRole('columnheader').map((head) => head.textContent?.trim().split(' ')[0]);

describe('the picture', () => {
  it('has a title for each of several clusters', async () => {
    open();
    await waitFor(() => expect(titles()).toEqual(['prod-us', 'prod-eu']));
  });

  it('has none for one cluster', async () => {
    open(GRAPH, LAYOUT);
    await screen.findByTestId('card-ledger');
    expect(titles()).toEqual([]);
  });
});

describe('a cluster whose metrics are late', () => {
  const staleCards = (): (string | null)[] =>
    screen
      .getAllByTestId(/^card-/)
      .filter((one) => one.classList.contains('stale'))
      .map((one) => one.getAttribute('aria-label'));

  it('says so in its title and on its cards, and the other stays live', async () => {
    open(late(CLUSTERS_GRAPH));
    await waitFor(() => expect(titles()).toEqual(['prod-us · 34 s old', 'prod-eu']));
    await waitFor(() => expect(staleCards()).toHaveLength(2));
    expect(staleCards().every((name) => name?.endsWith('cluster prod-us, not live'))).toBe(true);
    expect(screen.getByTestId('stage').classList.contains('stale')).toBe(false);
    expect(screen.queryByTestId('stale-note')).toBeNull();
  });

  it('is told from the other in the notes', async () => {
    open(late(CLUSTERS_GRAPH));
    const notes = await screen.findAllByRole('status');
    expect(notes.map((note) => note.textContent?.replace(/\s+/g, ' ').trim())).toContain(
      '◷ ctx-prod-us: metrics stale',
    );
  });

  it('is the whole picture where there is one cluster', async () => {
    const sources = GRAPH.sources.map((one) => ({ ...one, state: 'stale', age_s: 34 }));
    open({ ...GRAPH, sources }, LAYOUT);
    expect((await screen.findByTestId('stale-note')).textContent).toContain('34 s old');
    expect(screen.getByTestId('stage').classList.contains('stale')).toBe(true);
    await screen.findByTestId('card-ledger');
    expect(staleCards()).toEqual([]);
  });
});

describe('the rail', () => {
  it('lists namespaces under their clusters, and the others below', async () => {
    open();
    const group = await screen.findByRole('group', { name: 'Namespaces of prod-us' });
    expect(within(group).getAllByRole('checkbox')).toHaveLength(2);
    expect(within(group).getByRole('checkbox', { name: /shop/ })).toBeTruthy();
    expect(screen.getByRole('checkbox', { name: /outside/ }).closest('[role=group]')).toBeNull();
  });

  it('hides a namespace of one cluster and leaves its namesake', async () => {
    open();
    await waitFor(() => expect(screen.getAllByTestId('card-cart')).toHaveLength(2));
    const group = screen.getByRole('group', { name: 'Namespaces of prod-us' });
    await fireEvent.click(within(group).getByRole('checkbox', { name: /shop/ }));
    await waitFor(() => expect(screen.getAllByTestId('card-cart')).toHaveLength(1));
    expect(screen.getByTestId('card-cart').dataset['health']).toBe('failing');
  });

  it('names the cluster of what needs attention', async () => {
    open();
    const concerns = await screen.findByTestId('concerns');
    expect(concerns.textContent).toMatch(/shop\/cart\s*prod-eu/);
  });

  it('has no groups with one cluster', async () => {
    open(GRAPH, LAYOUT);
    expect(await screen.findByRole('checkbox', { name: /payments/ })).toBeTruthy();
    expect(screen.queryByRole('group', { name: /Namespaces of/ })).toBeNull();
  });
});

describe('the table', () => {
  it('has a column for several clusters, of calls with both ends', async () => {
    const app = open();
    app.place.table = true;
    await screen.findByTestId('mesh-table');
    expect(heads().slice(0, 3)).toEqual(['name', 'namespace', 'cluster']);
    const table = screen.getByTestId('mesh-table');
    expect(within(table).getAllByTitle('prod-eu')).toHaveLength(2);
    await fireEvent.click(screen.getByRole('button', { name: 'Calls' }));
    expect(within(table).getByTitle('prod-us → prod-eu')).toBeTruthy();
  });

  it('has none for one cluster', async () => {
    const app = open(GRAPH, LAYOUT);
    app.place.table = true;
    await screen.findByTestId('mesh-table');
    expect(heads()).not.toContain('cluster');
  });
});

describe('the inspector', () => {
  it('names the cluster first where there are several', async () => {
    const app = open();
    app.place.select({ kind: 'node', id: EU_CART.id });
    await waitFor(() => expect(screen.getByTestId('inspector-cluster').textContent).toBe('prod-eu'));
    app.place.select({ kind: 'node', id: US_CART.id });
    await waitFor(() => expect(screen.getByTestId('inspector-cluster').textContent).toBe('prod-us'));
    const between = CLUSTERS_GRAPH.edges.find((edge) => edge.source === US_CART.id);
    app.place.select({ kind: 'edge', id: between?.id ?? '' });
    await waitFor(() =>
      expect(screen.getByTestId('inspector-cluster').textContent).toBe('prod-us → prod-eu'),
    );
  });

  it('tells the one cluster beside the rest', async () => {
    const app = open(GRAPH, LAYOUT);
    app.place.select({ kind: 'node', id: NODES[5]?.id ?? '' });
    await screen.findByTestId('inspector-title');
    expect(screen.queryByTestId('inspector-cluster')).toBeNull();
    expect(screen.getByTestId('inspector').textContent).toContain('app · demo');
  });
});

describe('where the numbers come from', () => {
  it('names the metrics of every context', async () => {
    open();
    const text = (await screen.findByTestId('provenance')).textContent;
    expect(text).toContain('ctx-prod-us');
    expect(text).toContain('ctx-prod-eu');
  });
});

describe('the filter', () => {
  it('asks for a cluster', async () => {
    const app = open();
    app.place.filterText.mesh = 'cluster=prod-eu ns=shop';
    await waitFor(() => expect(app.visible?.dimmed.size).toBe(CLUSTERS_GRAPH.nodes.length - 1));
    expect(app.visible?.dimmed.has(EU_CART.id)).toBe(false);
    expect(screen.queryByTestId('filter-note')).toBeNull();
  });
});
