// The titles of namespaces' boxes and of clusters.
import type { TitleContent } from '../../canvas/parts';
import type { Cluster } from '../../model/clusters';
import type { Mesh } from '../../model/mesh';
import type { Visible } from '../../model/visible';
import * as format from '../format';
import type { Scene } from './scene';

export function boxTitles(
  scene: Scene,
  mesh: Mesh,
  visible: Visible,
  clusters: readonly Cluster[],
): TitleContent[] {
  const namespaces = new Map(mesh.namespaces.map((namespace) => [namespace.id, namespace]));
  const names = new Map(clusters.map(({ id, name }) => [id, name]));
  const n_shown = new Map<string, number>();
  for (const id of visible.nodes) {
    const box = mesh.nodes.get(id)?.box ?? '';
    n_shown.set(box, (n_shown.get(box) ?? 0) + 1);
  }
  return scene.boxIds.map((id, i) => {
    const namespace = namespaces.get(id);
    const cluster = scene.clusterIds[scene.boxClusters[i] ?? -1];
    return {
      name: namespace?.name ?? id.split('/').pop() ?? id,
      within: cluster === undefined ? '' : (names.get(cluster) ?? cluster),
      stale: '',
      note: format.plural(n_shown.get(id) ?? 0, 'service'),
      health: namespace?.health ?? 'unknown',
    };
  });
}

/** In the order of the scene; `stale` says by a cluster's id why it is not live. */
export function clusterTitles(
  scene: Scene,
  clusters: readonly Cluster[],
  stale: ReadonlyMap<string, string>,
): TitleContent[] {
  const known = new Map(clusters.map((cluster) => [cluster.id, cluster]));
  return scene.clusterIds.map((id) => {
    const cluster = known.get(id);
    return {
      name: cluster?.name ?? id,
      within: '',
      stale: stale.get(id) ?? '',
      note: format.plural(cluster?.namespaces.length ?? 0, 'namespace'),
      health: cluster?.health ?? 'unknown',
    };
  });
}
