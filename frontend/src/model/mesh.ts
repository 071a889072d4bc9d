// The graph of an update, indexed for walking: who calls whom, and what is worst.
import type { EdgeView, GraphView, NodeView } from '../backend/bindings';
import type { Health } from './health';
import { healthOf, healthRank, isUnhealthy, worst } from './health';

export interface Namespace {
  /** Id of its box, as its nodes name it; nothing here reads anything from it. */
  readonly id: string;
  readonly name: string;
  readonly cluster: string;
  /** Open context that reaches the cluster; null if none does. */
  readonly context: string | null;
  readonly n_nodes: number;
  readonly health: Health;
}

export interface Mesh {
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly edges: ReadonlyMap<string, EdgeView>;
  /** Edges by source, busiest first. */
  readonly outgoing: ReadonlyMap<string, readonly EdgeView[]>;
  /** Edges by target, busiest first. */
  readonly incoming: ReadonlyMap<string, readonly EdgeView[]>;
  /** Sorted by id. */
  readonly namespaces: readonly Namespace[];
  /** Services that no workload answered for, beside a node of the same full name: requests that failed before one did. */
  readonly withoutWorkload: ReadonlySet<string>;
}

export function indexMesh(graph: GraphView): Mesh {
  const nodes = new Map<string, NodeView>();
  for (const node of graph.nodes) {
    // Boxes come as rectangles of the layout; a box node would be drawn twice.
    if (node.type !== 'box') {
      nodes.set(node.id, node);
    }
  }
  const edges = new Map<string, EdgeView>();
  const outgoing = new Map<string, EdgeView[]>();
  const incoming = new Map<string, EdgeView[]>();
  for (const edge of graph.edges) {
    if (!nodes.has(edge.source) || !nodes.has(edge.target)) {
      continue;
    }
    edges.set(edge.id, edge);
    append(outgoing, edge.source, edge);
    append(incoming, edge.target, edge);
  }
  for (const list of [...outgoing.values(), ...incoming.values()]) {
    list.sort((a, b) => (b.rate ?? -1) - (a.rate ?? -1) || (a.id < b.id ? -1 : 1));
  }
  const namespaces = namespacesOf(nodes.values());
  return { nodes, edges, outgoing, incoming, namespaces, withoutWorkload: withoutWorkload(nodes.values()) };
}

/** `namespace/label`, the way people name a service. */
export function fullName(node: NodeView): string {
  return node.namespace === '' ? node.label : `${node.namespace}/${node.label}`;
}

/** A rate as a weight that compares across protocols: tcp counts bytes, and a kilobyte weighs like a request. */
export function weightOfRate(rate: number | null, protocol: string): number | null {
  return rate !== null && protocol === 'tcp' ? rate / 1000 : rate;
}

export interface Flow {
  readonly protocol: string;
  readonly rate: number | null;
  readonly error_ratio: number | null;
  /** What it sends, because nothing is known to call it. */
  readonly sent: boolean;
}

/** The traffic that stands for a node: the requests it serves, else the bytes, else what it sends. */
export function flowOf(node: NodeView): Flow {
  if (node.rate !== null) {
    return { protocol: 'http', rate: node.rate, error_ratio: node.error_ratio, sent: false };
  }
  const served = busiest(node.in);
  const sent = served === null ? busiest(node.out) : null;
  const [protocol, traffic] = served ?? sent ?? ['http', { rate: null, error_ratio: null }];
  return { protocol, ...traffic, sent: sent !== null };
}

function busiest(flows: NodeView['in']): [string, NodeView['in'][string]] | null {
  const known = Object.entries(flows).filter(([, traffic]) => traffic.rate !== null);
  known.sort(([, a], [, b]) => (b.rate ?? 0) - (a.rate ?? 0));
  return known[0] ?? null;
}

export type Concern =
  | { readonly kind: 'node'; readonly health: Health; readonly node: NodeView }
  | { readonly kind: 'edge'; readonly health: Health; readonly edge: EdgeView };

/** What is degraded or failing, worst first; an edge whose target says the same is left out as an echo. */
export function concerns(mesh: Mesh): Concern[] {
  const found: (Concern & { ratio: number })[] = [];
  for (const node of mesh.nodes.values()) {
    const health = healthOf(node.health);
    if (isUnhealthy(health)) {
      found.push({ kind: 'node', health, node, ratio: node.error_ratio ?? 0 });
    }
  }
  for (const edge of mesh.edges.values()) {
    const health = healthOf(edge.health);
    const target = mesh.nodes.get(edge.target);
    const echoed = target !== undefined && healthRank(healthOf(target.health)) >= healthRank(health);
    if (isUnhealthy(health) && !echoed) {
      found.push({ kind: 'edge', health, edge, ratio: edge.error_ratio ?? 0 });
    }
  }
  return found.sort((a, b) => healthRank(b.health) - healthRank(a.health) || b.ratio - a.ratio);
}

function namespacesOf(nodes: Iterable<NodeView>): Namespace[] {
  const groups = new Map<string, NodeView[]>();
  for (const node of nodes) {
    if (node.box !== null) {
      append(groups, node.box, node);
    }
  }
  return [...groups.entries()]
    .map(([id, members]) => ({
      id,
      name: members[0]?.namespace ?? id,
      cluster: members[0]?.cluster ?? '',
      context: members[0]?.context ?? null,
      n_nodes: members.length,
      health: worst(members.map((node) => healthOf(node.health))),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function withoutWorkload(nodes: Iterable<NodeView>): Set<string> {
  const groups = new Map<string, NodeView[]>();
  for (const node of nodes) {
    // The same name in another cluster is somebody else.
    append(groups, JSON.stringify([node.box, fullName(node)]), node);
  }
  return new Set(
    [...groups.values()]
      .filter((group) => group.length > 1)
      .flatMap((group) => group.filter((node) => node.type === 'service'))
      .map((node) => node.id),
  );
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) {
    map.set(key, [value]);
  } else {
    list.push(value);
  }
}
