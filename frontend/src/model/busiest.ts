// Which namespaces a mesh of many shows at first: those with the most requests.
import type { Mesh, Namespace } from './mesh';
import { flowOf } from './mesh';

/** So many namespaces are shown at first where more have traffic. */
export const SHOWN_AT_FIRST = 5;

/** The namespaces of a context: those of nobody's context are of the only one. Callers outside the mesh are in none. */
export function namespacesOf(mesh: Mesh, context: string, alone: boolean): readonly Namespace[] {
  return mesh.namespaces.filter(
    (namespace) =>
      namespace.name !== '' && (namespace.context === context || (alone && namespace.context === null)),
  );
}

/** Boxes beyond the busiest; none if no more than those have traffic, for then nothing needs to be left out. */
export function beyondBusiest(mesh: Mesh, namespaces: readonly Namespace[]): readonly string[] {
  const traffic = new Map<string, { requests: number; busy: boolean }>(
    namespaces.map(({ id }) => [id, { requests: 0, busy: false }]),
  );
  for (const node of mesh.nodes.values()) {
    const sum = node.box === null ? undefined : traffic.get(node.box);
    const { protocol, rate } = flowOf(node);
    if (sum !== undefined && rate !== null) {
      sum.busy ||= rate > 0;
      sum.requests += protocol === 'tcp' ? 0 : rate;
    }
  }
  const all = [...traffic];
  if (all.filter(([, { busy }]) => busy).length <= SHOWN_AT_FIRST) {
    return [];
  }
  all.sort(([a, x], [b, y]) => y.requests - x.requests || (a < b ? -1 : 1));
  return all.slice(SHOWN_AT_FIRST).map(([id]) => id);
}
