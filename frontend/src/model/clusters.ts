// The clusters of a picture of several. The engine says which boxes stand in which; with one cluster there are none here,
// and nothing that is shown speaks of clusters.
import type { EdgeView, LayoutView, NodeView } from '../backend/bindings';
import type { Health } from './health';
import { worst } from './health';
import type { Mesh, Namespace } from './mesh';

export interface Cluster {
  /** Its key in `LayoutView.clusters`. */
  readonly id: string;
  /** For people: the cluster's name, and the context (`east@prod`) where several go by that name. */
  readonly name: string;
  /** Open context that reaches it; null if none does. */
  readonly context: string | null;
  /** Sorted by id; none while all that it held is gone. */
  readonly namespaces: readonly Namespace[];
  readonly health: Health;
  /** It is drawn as it was some time ago. */
  readonly stale: boolean;
}

/** What tells a cluster from another of its name. */
export function qualifiedName(cluster: string, context: string): string {
  return `${cluster}@${context}`;
}

/** Sorted by id. */
export function clustersOf(mesh: Mesh | null, layout: LayoutView | null): readonly Cluster[] {
  if (mesh === null || layout === null) {
    return [];
  }
  const found = Object.keys(layout.clusters)
    .sort()
    .map((id) =>
      clusterOf(
        id,
        mesh.namespaces.filter((namespace) => layout.around[namespace.id] === id),
      ),
    );
  return found.map((cluster) => {
    const alone = found.every((other) => other === cluster || other.name !== cluster.name);
    return alone || cluster.context === null
      ? cluster
      : { ...cluster, name: qualifiedName(cluster.name, cluster.context) };
  });
}

function clusterOf(id: string, namespaces: readonly Namespace[]): Cluster {
  return {
    id,
    name: namespaces[0]?.cluster ?? id,
    context: namespaces[0]?.context ?? null,
    namespaces,
    health: worst(namespaces.map((namespace) => namespace.health)),
    stale: false,
  };
}

/** Namespaces that stand in no cluster's outline: callers without telemetry, and all of them where there is one cluster. */
export function outsideClusters(mesh: Mesh | null, clusters: readonly Cluster[]): readonly Namespace[] {
  const inside = new Set(clusters.flatMap(({ namespaces }) => namespaces.map(({ id }) => id)));
  return mesh?.namespaces.filter(({ id }) => !inside.has(id)) ?? [];
}

/** Null for one that stands in no cluster's outline. */
export type ClusterLookup = (node: NodeView | undefined) => Cluster | null;

export function clusterLookup(clusters: readonly Cluster[]): ClusterLookup {
  const byBox = new Map(
    clusters.flatMap((cluster) => cluster.namespaces.map(({ id }) => [id, cluster] as const)),
  );
  return (node) => (node === undefined || node.box === null ? null : (byBox.get(node.box) ?? null));
}

/** `prod-us` of a call inside a cluster, `prod-us → prod-eu` between two; who stands in none is left out. */
export function callClusters(mesh: Mesh, edge: EdgeView, clusterOf: ClusterLookup): string {
  const ends = [edge.source, edge.target].map((id) => clusterOf(mesh.nodes.get(id))?.name ?? '');
  return [...new Set(ends)].filter((name) => name !== '').join(' → ');
}
