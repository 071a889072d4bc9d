// Where edge labels go: on their curve, near its middle, clear of cards and of one another. At most a few dozen.
import { pointAt } from './curve';
import type { Bounds } from './camera';

export const MAX_LABELS = 40;
const STOPS = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.12, 0.88];

export interface LabelWish {
  /** Index of the edge. */
  readonly edge: number;
  /** World size of the label. */
  readonly width: number;
  readonly height: number;
  /** Placed even where it covers something. */
  readonly must: boolean;
}

export interface PlacedLabel {
  readonly edge: number;
  /** World point of its middle. */
  readonly x: number;
  readonly y: number;
}

/**
 * Places `wishes`, most important first; one that finds no free spot is left out unless it must be there. Such a one
 * rather lies on `titles` than on `obstacles`.
 */
export function placeLabels(
  curves: Float32Array,
  wishes: readonly LabelWish[],
  obstacles: readonly Bounds[],
  titles: readonly Bounds[] = [],
): PlacedLabel[] {
  const taken: Bounds[] = [...obstacles];
  const placed: PlacedLabel[] = [];
  for (const wish of wishes) {
    if (placed.length >= MAX_LABELS) {
      break;
    }
    const spot =
      freeSpot(curves, wish, [...titles, ...taken]) ?? (wish.must ? besideCurve(curves, wish, taken) : null);
    if (spot !== null) {
      taken.push(around(spot, wish));
      placed.push({ edge: wish.edge, x: spot[0], y: spot[1] });
    }
  }
  return placed;
}

/** Above or below the middle of the curve, where that is free; on the middle where nothing is. */
function besideCurve(curves: Float32Array, wish: LabelWish, taken: readonly Bounds[]): [number, number] {
  const [x, y] = pointAt(curves, wish.edge, 0.5);
  for (const lift of [-1, 1, -1.8, 1.8, -2.6, 2.6]) {
    const spot: [number, number] = [x, y + lift * wish.height];
    const room = around(spot, wish);
    if (!taken.some((other) => overlap(room, other))) {
      return spot;
    }
  }
  return [x, y];
}

function freeSpot(curves: Float32Array, wish: LabelWish, taken: readonly Bounds[]): [number, number] | null {
  for (const t of STOPS) {
    const spot = pointAt(curves, wish.edge, t);
    const room = around(spot, wish);
    if (!taken.some((other) => overlap(room, other))) {
      return spot;
    }
  }
  return null;
}

function around([x, y]: [number, number], wish: LabelWish): Bounds {
  return { x: x - wish.width / 2, y: y - wish.height / 2, width: wish.width, height: wish.height };
}

function overlap(a: Bounds, b: Bounds): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
