// Rows of the table: what they say, how they are sorted, and which columns say anything.
import type { EdgeView, NodeView } from '../../backend/bindings';
import type { Cluster } from '../../model/clusters';
import { callClusters, clusterLookup } from '../../model/clusters';
import type { Health } from '../../model/health';
import { healthOf, healthRank } from '../../model/health';
import type { Mesh } from '../../model/mesh';
import { flowOf, weightOfRate } from '../../model/mesh';
import type { Visible } from '../../model/visible';
import { edgeName, NO_WORKLOAD, sharedNamespace } from '../words';

export type Column = 'name' | 'place' | 'cluster' | 'health' | 'rate' | 'errors' | 'p50' | 'p95' | 'p99';

export interface Row {
  readonly id: string;
  readonly name: string;
  /** What tells it from another row of this name; empty if the name does. */
  readonly note: string;
  /** Namespace of a service, protocol of a call. */
  readonly place: string;
  /** Empty where there is one cluster, or for who stands in none. */
  readonly cluster: string;
  readonly health: number;
  readonly healthWord: Health;
  readonly protocol: string;
  readonly rate: number | null;
  readonly errors: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export const COLUMNS: readonly { readonly id: Column; readonly label: string; readonly number: boolean }[] = [
  { id: 'name', label: 'name', number: false },
  { id: 'place', label: 'namespace', number: false },
  { id: 'cluster', label: 'cluster', number: false },
  { id: 'health', label: 'health', number: false },
  { id: 'rate', label: 'rate', number: true },
  { id: 'errors', label: 'errors', number: true },
  { id: 'p50', label: 'p50', number: true },
  { id: 'p95', label: 'p95', number: true },
  { id: 'p99', label: 'p99', number: true },
];

/** The columns that say something: quantiles that nobody asked for would be a column of dashes, one cluster a column of
    one word. */
export function columnsOf(rows: readonly Row[]): typeof COLUMNS {
  const optional: ReadonlySet<Column> = new Set(['cluster', 'p50', 'p95', 'p99']);
  const says = (value: Row[Column]): boolean => value !== null && value !== '';
  return COLUMNS.filter(({ id }) => !optional.has(id) || rows.some((row) => says(row[id])));
}

export function nodeRows(mesh: Mesh, visible: Visible, clusters: readonly Cluster[] = []): Row[] {
  const clusterOf = clusterLookup(clusters);
  return [...mesh.nodes.values()]
    .filter((node) => visible.nodes.has(node.id) && !visible.dimmed.has(node.id))
    .map((node) => ({ ...nodeRow(mesh, node), cluster: clusterOf(node)?.name ?? '' }));
}

/** A call of which one end is asked for is a row, too. */
export function edgeRows(mesh: Mesh, visible: Visible, clusters: readonly Cluster[] = []): Row[] {
  const clusterOf = clusterLookup(clusters);
  const { edges, dimmed } = visible;
  return [...mesh.edges.values()]
    .filter((edge) => edges.has(edge.id) && !(dimmed.has(edge.source) && dimmed.has(edge.target)))
    .map((edge) => ({ ...edgeRow(mesh, edge), cluster: callClusters(mesh, edge, clusterOf) }));
}

/** A new list in order; unknown values come last whichever way it goes, ties by name. */
export function sortRows(rows: readonly Row[], column: Column, down: boolean): Row[] {
  const sign = down ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [valueOf(a, column), valueOf(b, column)];
    const tie = a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
    if (x === null || y === null) {
      return x === y ? tie : x === null ? 1 : -1;
    }
    return x === y ? tie : (x < y ? -1 : 1) * sign;
  });
}

function valueOf(row: Row, column: Column): string | number | null {
  return column === 'rate' ? weightOfRate(row.rate, row.protocol) : row[column];
}

function nodeRow(mesh: Mesh, node: NodeView): Omit<Row, 'cluster'> {
  const flow = flowOf(node);
  return {
    id: node.id,
    name: node.label,
    note: mesh.withoutWorkload.has(node.id) ? NO_WORKLOAD : '',
    place: node.namespace,
    ...healthAndLatency(node),
    protocol: flow.protocol,
    rate: flow.rate,
    errors: flow.error_ratio,
  };
}

function edgeRow(mesh: Mesh, edge: EdgeView): Omit<Row, 'cluster'> {
  return {
    id: edge.id,
    name: edgeName(mesh, edge),
    note: sharedNamespace(mesh, edge),
    place: edge.protocol,
    ...healthAndLatency(edge),
    protocol: edge.protocol,
    rate: edge.rate,
    errors: edge.error_ratio,
  };
}

function healthAndLatency({
  health,
  latency_ms: { p50, p95, p99 },
}: NodeView | EdgeView): Pick<Row, 'health' | 'healthWord' | 'p50' | 'p95' | 'p99'> {
  return { health: healthRank(healthOf(health)), healthWord: healthOf(health), p50, p95, p99 };
}
