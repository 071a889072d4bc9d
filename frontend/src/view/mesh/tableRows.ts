import type { Health } from '../../model/health';

export type Column = 'name' | 'place' | 'health' | 'rate' | 'errors' | 'p50' | 'p95' | 'p99';

export interface Row {
  readonly id: string;
  readonly name: string;
  /** Namespace of a service, protocol of a call. */
  readonly place: string;
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
  { id: 'health', label: 'health', number: false },
  { id: 'rate', label: 'rate', number: true },
  { id: 'errors', label: 'errors', number: true },
  { id: 'p50', label: 'p50', number: true },
  { id: 'p95', label: 'p95', number: true },
  { id: 'p99', label: 'p99', number: true },
];

/** A new list in order; unknown values come last whichever way it goes, ties by name. */
export function sortRows(rows: readonly Row[], column: Column, down: boolean): Row[] {
  const sign = down ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [a[column], b[column]];
    const tie = a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
    if (x === null || y === null) {
      return x === y ? tie : x === null ? 1 : -1;
    }
    return x === y ? tie : (x < y ? -1 : 1) * sign;
  });
}
