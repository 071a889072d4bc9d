// Bends the curves that would run behind cards of others: a call that enters behind one card and comes out behind the
// next reads like calls of those two. Depends on positions only, like the routes themselves.
import { CardIndex } from './cardIndex';

/** Longer curves cross whole namespaces, whichever way they go; those between clusters have room above and below. */
const LONGEST = 1200;

interface Way {
  /** Where the two inner control points go, as shares of the way across. */
  readonly first: number;
  readonly second: number;
  /** How far both of them are lifted, world pixels. */
  readonly lift: number;
  /** How level the middle of the curve is: 0 leaves both ends level, 2 the middle. */
  readonly flat: number;
}

/**
 * First the ways with level ends, which rise or fall in a gap between two columns; then those that run level between two
 * rows; then arcs over and under.
 */
const WAYS: readonly Way[] = [
  { first: 0.12, second: 0.3, lift: 0, flat: 0 },
  { first: 0.7, second: 0.88, lift: 0, flat: 0 },
  ...[0, -24, 24].map((lift) => ({ first: 0.2, second: 0.8, lift, flat: 2 })),
  ...[-38, 38, -56, 56].map((lift) => ({ first: 0.2, second: 0.8, lift, flat: 0 })),
  ...[-90, 90, -150, 150].flatMap((lift) => [
    { first: 0.25, second: 0.75, lift, flat: 0 },
    { first: 0.1, second: 0.5, lift, flat: 0 },
    { first: 0.5, second: 0.9, lift, flat: 0 },
  ]),
];

/** Of more calls between clusters than this the others go as all long ones do: nobody could follow them all. */
const MOST_LONG = 500;

/** Between clusters: over or under all that stands between. */
const LONG_WAYS: readonly Way[] = [
  ...WAYS,
  ...[-250, 250, -400, 400, -600, 600].flatMap((lift) => [
    { first: 0.25, second: 0.75, lift, flat: 0 },
    { first: 0.05, second: 0.6, lift, flat: 0 },
    { first: 0.4, second: 0.95, lift, flat: 0 },
  ]),
];

/**
 * `curves` of `edgeEnds` (see `routeEdges`), changed where another way meets fewer cards. `isBetweenClusters` tells of an
 * edge by its index.
 */
export function bendAround(
  curves: Float32Array,
  nodeRects: Float32Array,
  edgeEnds: Uint32Array,
  isBetweenClusters: (edge: number) => boolean = () => false,
): Float32Array {
  const cards = new CardIndex(nodeRects);
  const bent = curves.slice();
  const tried = new Float32Array(8);
  let n_long = 0;
  for (let edge = 0; edge * 2 + 1 < edgeEnds.length; edge += 1) {
    const source = edgeEnds[edge * 2] ?? 0;
    const target = edgeEnds[edge * 2 + 1] ?? 0;
    const own = curves.subarray(edge * 8, edge * 8 + 8);
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0, , , x3 = 0, y3 = 0] = own;
    const across = x3 - x0;
    const length = Math.hypot(across, y3 - y0);
    // Those that leave upward or downward stay in their column, and loops are bent already.
    const sideways = y1 === y0 && across * (x1 - x0) > 0;
    const isLong = n_long < MOST_LONG && isBetweenClusters(edge);
    n_long += isLong ? 1 : 0;
    if (source === target || !sideways || (length > LONGEST && !isLong)) {
      continue;
    }
    let fewest = cards.metBy(own, length, source, target, Infinity);
    for (const { first, second, lift, flat } of isLong ? LONG_WAYS : WAYS) {
      if (fewest === 0) {
        break;
      }
      if (Math.abs(lift) > length * 0.6) {
        continue;
      }
      const level = (flat * (y3 - y0)) / 2 + lift;
      tried[0] = x0;
      tried[1] = y0;
      tried[2] = x0 + across * first;
      tried[3] = y0 + level;
      tried[4] = x0 + across * second;
      tried[5] = y3 - level + 2 * lift;
      tried[6] = x3;
      tried[7] = y3;
      const met = cards.metBy(tried, length + Math.abs(lift), source, target, fewest);
      if (met < fewest) {
        fewest = met;
        bent.set(tried, edge * 8);
      }
    }
  }
  return bent;
}
