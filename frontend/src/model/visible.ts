// Which nodes and edges the Mesh screen shows, and which it dims. The table and the picture use the same answer.
import type { EdgeView, NodeView } from '../backend/bindings';
import { healthOf, isUnhealthy } from './health';
import type { Mesh } from './mesh';
import { parseQuery } from './query';

export interface MeshFilter {
  /** Ids of namespace boxes that are switched off. */
  readonly hiddenBoxes: ReadonlySet<string>;
  readonly onlyUnhealthy: boolean;
  readonly showIdle: boolean;
  /** Text of the filter box. */
  readonly query: string;
}

export interface Visible {
  readonly nodes: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
  /** Visible, but not what the filter box asks for: kept as context. */
  readonly dimmed: ReadonlySet<string>;
}

export function visibleParts(mesh: Mesh, filter: MeshFilter): Visible {
  const sick = filter.onlyUnhealthy ? sickNodes(mesh) : null;
  const nodes = new Set<string>();
  for (const node of mesh.nodes.values()) {
    const idle = healthOf(node.health) === 'idle' && !carriesTraffic(mesh, node);
    if (
      (node.box === null || !filter.hiddenBoxes.has(node.box)) &&
      (filter.showIdle || !idle) &&
      (sick === null || sick.has(node.id))
    ) {
      nodes.add(node.id);
    }
  }
  const edges = new Set<string>();
  for (const edge of mesh.edges.values()) {
    const wanted = !filter.onlyUnhealthy || isUnhealthy(healthOf(edge.health));
    if (wanted && nodes.has(edge.source) && nodes.has(edge.target)) {
      edges.add(edge.id);
    }
  }
  return { nodes, edges, dimmed: dimmedNodes(mesh, nodes, filter.query) };
}

/** The filter box asks for something, and nothing that is visible is that. */
export function matchesNothing({ nodes, dimmed }: Visible): boolean {
  return nodes.size > 0 && dimmed.size === nodes.size;
}

function dimmedNodes(mesh: Mesh, nodes: ReadonlySet<string>, query: string): Set<string> {
  const condition = parseQuery(query);
  const dimmed = new Set<string>();
  if (condition !== null) {
    for (const id of nodes) {
      const node = mesh.nodes.get(id);
      if (node !== undefined && !condition(node)) {
        dimmed.add(id);
      }
    }
  }
  return dimmed;
}

/** Unhealthy nodes and both ends of unhealthy edges. */
function sickNodes(mesh: Mesh): Set<string> {
  const sick = new Set<string>();
  for (const node of mesh.nodes.values()) {
    if (isUnhealthy(healthOf(node.health))) {
      sick.add(node.id);
    }
  }
  for (const edge of mesh.edges.values()) {
    if (isUnhealthy(healthOf(edge.health))) {
      sick.add(edge.source);
      sick.add(edge.target);
    }
  }
  return sick;
}

function carriesTraffic(mesh: Mesh, node: NodeView): boolean {
  const busy = (edge: EdgeView): boolean => (edge.rate ?? 0) > 0;
  return (mesh.outgoing.get(node.id) ?? []).some(busy) || (mesh.incoming.get(node.id) ?? []).some(busy);
}
