// From the mesh and its layout to what the canvas draws: arrays by index, and the words of its DOM parts.
import type { EdgeView, LayoutView, NodeView, SplitView } from '../../backend/bindings';
import { bendAround } from '../../canvas/bend';
import type { Contents } from '../../canvas/contents';
import type { CardContent, LabelContent } from '../../canvas/parts';
import { routeEdges } from '../../canvas/route';
import type { Metrics, Topology } from '../../canvas/scene';
import { DIMMED, HIDDEN, SHOWN } from '../../canvas/scene';
import type { Cluster, ClusterLookup } from '../../model/clusters';
import { clusterLookup } from '../../model/clusters';
import type { Health } from '../../model/health';
import { healthOf, healthRank } from '../../model/health';
import type { Mesh } from '../../model/mesh';
import { fullName, weightOfRate } from '../../model/mesh';
import type { Visible } from '../../model/visible';
import type { EdgeFigure } from '../../state/prefs.svelte';
import * as format from '../format';
import { cardFigures, edgeSentence, labelOf, NO_WORKLOAD, nodeSentence } from '../words';
import { boxTitles } from './titles';

export interface Scene {
  /** Equal keys mean equal indices and positions. */
  readonly key: string;
  readonly nodeIds: readonly string[];
  readonly edgeIds: readonly string[];
  readonly boxIds: readonly string[];
  /** Empty with one cluster. */
  readonly clusterIds: readonly string[];
  /** Index of the cluster around each box; -1 for none. */
  readonly boxClusters: Int32Array;
  readonly topology: Topology;
}

/** `before` is given back unchanged when nothing moved: then the canvas keeps its buffers. */
export function buildScene(mesh: Mesh, layout: LayoutView, before: Scene | null): Scene {
  const ghosts = layout.ghosts.filter((id) => !mesh.nodes.has(id));
  const nodeIds = [...mesh.nodes.keys(), ...ghosts].filter((id) => layout.nodes[id] !== undefined).sort();
  const placed = new Set(nodeIds);
  const edges = [...mesh.edges.values()].filter((edge) => placed.has(edge.source) && placed.has(edge.target));
  const edgeIds = edges.map((edge) => edge.id);
  const boxIds = Object.keys(layout.boxes).sort();
  const clusterIds = Object.keys(layout.clusters).sort();
  const lists = [nodeIds, edgeIds, boxIds, clusterIds];
  const key = [layout.version, ...lists.map((ids) => ids.join('\n'))].join('\n|\n');
  if (before?.key === key) {
    return before;
  }
  const at = new Map(nodeIds.map((id, i) => [id, i]));
  const nodeRects = rectsOf(nodeIds, layout.nodes);
  const edgeEnds = Uint32Array.from(
    edges.flatMap((edge) => [at.get(edge.source) ?? 0, at.get(edge.target) ?? 0]),
  );
  const nodeBoxes = Int32Array.from(nodeIds, (id) => {
    const box = mesh.nodes.get(id)?.box ?? null;
    return box === null ? -1 : boxIds.indexOf(box);
  });
  const boxClusters = Int32Array.from(boxIds, (id) => clusterIds.indexOf(layout.around[id] ?? ''));
  const clusterAt = (edge: number, end: 0 | 1): number =>
    boxClusters[nodeBoxes[edgeEnds[edge * 2 + end] ?? 0] ?? -1] ?? -1;
  const isBetweenClusters = (edge: number): boolean => clusterAt(edge, 0) !== clusterAt(edge, 1);
  const topology: Topology = {
    nodeRects,
    edgeEnds,
    edgeCurves: bendAround(routeEdges(nodeRects, edgeEnds), nodeRects, edgeEnds, isBetweenClusters),
    boxRects: rectsOf(boxIds, layout.boxes),
    clusterRects: rectsOf(clusterIds, layout.clusters),
    nodeBoxes,
  };
  return { key, nodeIds, edgeIds, boxIds, clusterIds, boxClusters, topology };
}

export function buildMetrics(
  scene: Scene,
  mesh: Mesh,
  visible: Visible,
  clusters: readonly Cluster[] = [],
): Metrics {
  const nodeShow = Uint8Array.from(scene.nodeIds, (id) => {
    if (visible.nodes.has(id)) {
      return visible.dimmed.has(id) ? DIMMED : SHOWN;
    }
    return mesh.nodes.has(id) ? HIDDEN : DIMMED;
  });
  const edges = scene.edgeIds.map((id) => mesh.edges.get(id));
  const boxHealth = boxHealths(scene, mesh, visible);
  const boxStale = staleBoxes(scene, clusters);
  return {
    nodeHealth: Uint8Array.from(scene.nodeIds, (id) => rankOf(mesh.nodes.get(id)?.health)),
    nodeShow,
    nodeStale: Uint8Array.from(scene.topology.nodeBoxes, (box) => boxStale[box] ?? 0),
    edgeHealth: Uint8Array.from(edges, (edge) => rankOf(edge?.health)),
    edgeShow: Uint8Array.from(edges, (edge) => {
      if (edge === undefined || !visible.edges.has(edge.id)) {
        return HIDDEN;
      }
      return visible.dimmed.has(edge.source) && visible.dimmed.has(edge.target) ? DIMMED : SHOWN;
    }),
    // Bytes per second would make every tcp edge thick.
    edgeRate: Float32Array.from(edges, (edge) => weightOf(edge) ?? NaN),
    boxHealth: Uint8Array.from(boxHealth, (health) => healthRank(health ?? 'unknown')),
    boxShow: Uint8Array.from(boxHealth, (health) => (health === null ? HIDDEN : SHOWN)),
    boxStale,
    clusterShow: clusterShows(scene, boxHealth),
  };
}

export function buildContents(
  scene: Scene,
  mesh: Mesh,
  visible: Visible,
  splits: readonly SplitView[],
  figures: Readonly<Record<EdgeFigure, boolean>>,
  clusters: readonly Cluster[] = [],
): Contents {
  const clusterOf = clusterLookup(clusters);
  const splitById = new Map(splits.map((split) => [split.id, split]));
  return {
    cards: scene.nodeIds.map((id) => cardOf(id, mesh, splitById, clusterOf)),
    labels: scene.edgeIds.map((id) => edgeLabel(mesh, id, figures)),
    titles: boxTitles(scene, mesh, visible, clusters),
    labelOrder: labelOrder(scene, mesh),
  };
}

function cardOf(
  id: string,
  mesh: Mesh,
  splits: ReadonlyMap<string, SplitView>,
  clusterOf: ClusterLookup,
): CardContent {
  const node = mesh.nodes.get(id);
  if (node === undefined) {
    const label = id.split(/[/:|]/).pop() ?? id;
    return {
      label,
      title: `${label}, gone from the graph`,
      aria: `${label}, gone from the graph`,
      figures: 'gone',
      health: 'unknown',
      tags: [],
      donut: null,
      ghost: true,
      testId: `ghost-${label}`,
    };
  }
  const tags = [
    ...(mesh.withoutWorkload.has(id) ? [NO_WORKLOAD] : []),
    ...node.badges.filter((badge) => CARD_TAGS.has(badge)),
  ].slice(0, 1);
  const figures = cardFigures(node);
  const cluster = clusterOf(node);
  return {
    label: node.label,
    title: [fullName(node), ...(cluster === null ? [] : [cluster.name]), figures, ...tags].join('\n'),
    aria:
      nodeSentence(mesh, node) +
      (cluster === null ? '' : `, cluster ${cluster.name}${cluster.stale ? ', not live' : ''}`),
    figures,
    health: healthOf(node.health),
    tags,
    donut: donutOf(node, splits),
    ghost: false,
    testId: `card-${node.label}`,
  };
}

const CARD_TAGS: ReadonlySet<string> = new Set(['ingress', 'egress', 'external', 'inaccessible', 'outside']);

function donutOf(node: NodeView, splits: ReadonlyMap<string, SplitView>): number[] | null {
  for (const id of node.splits) {
    const split = splits.get(id);
    const shares = (split?.in_force === true ? split.destinations : [])
      .map((destination) => destination.effective_ratio ?? 0)
      .filter((share) => share > 0)
      .sort((a, b) => b - a);
    if (shares.length > 1) {
      return shares;
    }
  }
  return null;
}

function edgeLabel(mesh: Mesh, id: string, figures: Readonly<Record<EdgeFigure, boolean>>): LabelContent {
  const edge = mesh.edges.get(id);
  if (edge === undefined) {
    return { text: '', aria: '', health: 'unknown', testId: '' };
  }
  const parts: string[] = [];
  if (figures.rate && edge.health !== 'idle') {
    parts.push(edge.protocol === 'tcp' ? `${format.bytes(edge.rate)}/s` : format.rate(edge.rate));
  }
  if (figures.errors && edge.error_ratio !== null && edge.error_ratio >= 0.0005) {
    parts.push(format.percent(edge.error_ratio));
  }
  const p95 = edge.latency_ms.p95 ?? edge.callee_latency_ms.p95;
  if (figures.p95 && p95 !== null) {
    parts.push(format.latency(p95));
  }
  if (figures.mtls && edge.mtls_ratio !== null) {
    parts.push(mtlsWord(edge.mtls_ratio));
  }
  return {
    text: parts.join(' · '),
    aria: edgeSentence(mesh, edge),
    health: healthOf(edge.health),
    testId: `edge-${labelOf(mesh, edge.source)}-${labelOf(mesh, edge.target)}`,
  };
}

export function mtlsWord(ratio: number | null): string {
  if (ratio === null) {
    return format.UNKNOWN;
  }
  if (ratio >= 0.9995) {
    return 'mTLS';
  }
  return ratio <= 0.0005 ? 'plain text' : `mTLS ${format.percent(ratio)}`;
}

/** The worst first, then the busiest. */
function labelOrder(scene: Scene, mesh: Mesh): number[] {
  const rank = (i: number): number => rankOf(mesh.edges.get(scene.edgeIds[i] ?? '')?.health);
  const rate = (i: number): number => weightOf(mesh.edges.get(scene.edgeIds[i] ?? '')) ?? -1;
  return scene.edgeIds.map((_, i) => i).sort((a, b) => rank(b) - rank(a) || rate(b) - rate(a) || a - b);
}

function weightOf(edge: EdgeView | undefined): number | null {
  return edge === undefined ? null : weightOfRate(edge.rate, edge.protocol);
}

/** Worst health of the visible nodes of each box; null for a box without any. */
function boxHealths(scene: Scene, mesh: Mesh, visible: Visible): (Health | null)[] {
  const found: (Health | null)[] = scene.boxIds.map(() => null);
  scene.nodeIds.forEach((id, i) => {
    const node = mesh.nodes.get(id);
    const box = scene.topology.nodeBoxes[i] ?? -1;
    if (node !== undefined && visible.nodes.has(id) && box >= 0) {
      const health = healthOf(node.health);
      const before = found[box] ?? null;
      found[box] = before === null || healthRank(health) > healthRank(before) ? health : before;
    }
  });
  return found;
}

function staleBoxes(scene: Scene, clusters: readonly Cluster[]): Uint8Array {
  const stale = new Set(clusters.filter((cluster) => cluster.stale).map(({ id }) => id));
  return Uint8Array.from(scene.boxClusters, (at) => (stale.has(scene.clusterIds[at] ?? '') ? 1 : 0));
}

/** A cluster is shown while one of its boxes is. */
function clusterShows(scene: Scene, boxHealth: readonly (Health | null)[]): Uint8Array {
  const shows = new Uint8Array(scene.clusterIds.length).fill(HIDDEN);
  scene.boxClusters.forEach((cluster, box) => {
    if (cluster >= 0 && boxHealth[box] !== null) {
      shows[cluster] = SHOWN;
    }
  });
  return shows;
}

function rankOf(health: string | undefined): number {
  return healthRank(health === undefined ? 'unknown' : healthOf(health));
}

function rectsOf(ids: readonly string[], rects: LayoutView['nodes']): Float32Array {
  return Float32Array.from(
    ids.flatMap((id) => {
      const rect = rects[id];
      return rect === undefined ? [0, 0, 0, 0] : [rect.x, rect.y, rect.width, rect.height];
    }),
  );
}
