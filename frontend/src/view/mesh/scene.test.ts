import { describe, expect, it } from 'vitest';

import { CLUSTERS_GRAPH, CLUSTERS_LAYOUT, EU_WEB } from '../../../tests/fixture/clusters';
import { GRAPH, LAYOUT } from '../../../tests/fixture/mesh';
import type { GraphView, LayoutView } from '../../backend/bindings';
import { pictureBounds } from '../../canvas/bounds';
import { HIDDEN, SHOWN } from '../../canvas/scene';
import { clustersOf } from '../../model/clusters';
import { indexMesh } from '../../model/mesh';
import { visibleParts } from '../../model/visible';
import { buildContents, buildMetrics, buildScene } from './scene';
import { clusterTitles } from './titles';

const FIGURES = { rate: true, errors: true, p95: false, mtls: false };

function draw(graph: GraphView, layout: LayoutView, hidden: readonly string[] = []) {
  const mesh = indexMesh(graph);
  const filter = { hiddenBoxes: new Set(hidden), onlyUnhealthy: false, showIdle: true, query: '' };
  const visible = visibleParts(mesh, filter);
  const scene = buildScene(mesh, layout, null);
  const clusters = clustersOf(mesh, layout);
  return {
    scene,
    metrics: buildMetrics(scene, mesh, visible),
    contents: buildContents(scene, mesh, visible, [], FIGURES, clusters),
    titles: clusterTitles(scene, clusters, new Map()),
  };
}

describe('several clusters', () => {
  const { scene, metrics, contents, titles } = draw(CLUSTERS_GRAPH, CLUSTERS_LAYOUT);

  it('have an outline each, around what the engine says', () => {
    expect([...scene.topology.clusterRects]).toEqual([0, 0, 482, 156, 0, 240, 482, 156]);
    expect([...scene.boxClusters]).toEqual([-1, 0, 0, 1, 1]);
    expect([...metrics.clusterShow]).toEqual([SHOWN, SHOWN]);
  });

  it('are titled with their names, what they hold and their health', () => {
    expect(titles.map(({ name, note, health }) => [name, note, health])).toEqual([
      ['prod-us', '2 namespaces', 'ok'],
      ['prod-eu', '2 namespaces', 'failing'],
    ]);
  });

  it('are named on the boxes of their namespaces, and on no other', () => {
    expect(contents.titles.map(({ name, within }) => [name, within])).toEqual([
      ['', ''],
      ['edge', 'prod-us'],
      ['shop', 'prod-us'],
      ['edge', 'prod-eu'],
      ['shop', 'prod-eu'],
    ]);
  });

  it('are named on what readers of the screen hear of a card', () => {
    const named = contents.cards.filter(({ aria }) => aria.includes('cluster'));
    expect(named.map(({ aria }) => aria.split(', ').pop())).toEqual([
      'cluster prod-us',
      'cluster prod-us',
      'cluster prod-eu',
      'cluster prod-eu',
    ]);
  });

  it('of one name are told apart by their contexts', () => {
    const nodes = CLUSTERS_GRAPH.nodes.map((node) => ({
      ...node,
      cluster: node.context === null ? node.cluster : 'Kubernetes',
    }));
    expect(draw({ ...CLUSTERS_GRAPH, nodes }, CLUSTERS_LAYOUT).titles.map(({ name }) => name)).toEqual([
      'Kubernetes@ctx-prod-us',
      'Kubernetes@ctx-prod-eu',
    ]);
  });

  it('vanish with the last of their namespaces, and the other cluster stays', () => {
    const one = draw(CLUSTERS_GRAPH, CLUSTERS_LAYOUT, ['box-3']);
    expect([...one.metrics.clusterShow]).toEqual([SHOWN, SHOWN]);
    expect([...one.metrics.boxShow]).toEqual([SHOWN, SHOWN, SHOWN, HIDDEN, SHOWN]);
    const both = draw(CLUSTERS_GRAPH, CLUSTERS_LAYOUT, ['box-3', 'box-4']);
    expect([...both.metrics.clusterShow]).toEqual([SHOWN, HIDDEN]);
  });

  it('keep the name that the engine gave them while they hold only what is gone', () => {
    const nodes = CLUSTERS_GRAPH.nodes.filter((node) => node.cluster !== EU_WEB.cluster);
    const { titles: left, metrics: shown } = draw({ ...CLUSTERS_GRAPH, nodes }, CLUSTERS_LAYOUT);
    expect(left.map(({ name }) => name)).toEqual(['prod-us', 'two']);
    expect([...shown.clusterShow]).toEqual([SHOWN, HIDDEN]);
  });

  it('are in the window as wholes when the picture is fitted', () => {
    const { x, y, width, height } = pictureBounds(scene.topology) ?? { x: 0, y: 0, width: 0, height: 0 };
    expect([x <= -316, y <= 0, x + width >= 482, y + height >= 396]).toEqual([true, true, true, true]);
  });

  it('give back the same scene while nothing moves', () => {
    const mesh = indexMesh(CLUSTERS_GRAPH);
    expect(buildScene(mesh, CLUSTERS_LAYOUT, scene)).toBe(scene);
    const { two: _two, ...clusters } = CLUSTERS_LAYOUT.clusters;
    expect(buildScene(mesh, { ...CLUSTERS_LAYOUT, clusters }, scene)).not.toBe(scene);
  });
});

describe('one cluster', () => {
  it('is drawn without an outline, and nothing names it', () => {
    const { scene, metrics, contents, titles } = draw(GRAPH, LAYOUT);
    expect(scene.topology.clusterRects).toHaveLength(0);
    expect(metrics.clusterShow).toHaveLength(0);
    expect(titles).toEqual([]);
    expect(contents.titles.map(({ name, within, note }) => [name, within, note])).toEqual([
      ['edge', '', '2 services'],
      ['payments', '', '4 services'],
      ['platform', '', '2 services'],
      ['shop', '', '6 services'],
    ]);
  });
});
