// The curves of edges: from the caller's side that faces the callee, with the ends spread along that side so that
// neighbours stay apart. Depends on positions only: metrics never move an edge.

type Side = 'left' | 'right' | 'top' | 'bottom';

interface Port {
  readonly edge: number;
  readonly end: 0 | 1;
  /** Coordinate of the other end along this side: sorting by it avoids crossings at the card. */
  readonly toward: number;
}

const PORT_GAP = 9;
const SIDE_MARGIN = 9;
/** How far a curve that leaves and arrives on the same side bends outward. */
const DETOUR = 36;
const SIDES: readonly Side[] = ['left', 'right', 'top', 'bottom'];

/** Eight numbers for each pair in `edgeEnds` (source, target: indices into `nodeRects`). */
export function routeEdges(nodeRects: Float32Array, edgeEnds: Uint32Array): Float32Array {
  const n_edges = edgeEnds.length / 2;
  const sides: [Side, Side][] = [];
  const ports = new Map<number, Port[]>();
  for (let edge = 0; edge < n_edges; edge += 1) {
    const source = edgeEnds[edge * 2] ?? 0;
    const target = edgeEnds[edge * 2 + 1] ?? 0;
    const pair = facingSides(nodeRects, source, target);
    sides.push(pair);
    addPort(ports, source, pair[0], { edge, end: 0, toward: along(nodeRects, target, pair[0]) });
    addPort(ports, target, pair[1], { edge, end: 1, toward: along(nodeRects, source, pair[1]) });
  }
  const ends = new Float32Array(n_edges * 4);
  for (const [key, list] of ports) {
    placePorts(nodeRects, Math.floor(key / 4), SIDES[key % 4] ?? 'left', list, ends);
  }
  const curves = new Float32Array(n_edges * 8);
  for (let edge = 0; edge < n_edges; edge += 1) {
    const [sourceSide, targetSide] = sides[edge] ?? ['right', 'left'];
    writeCurve(curves, edge, ends, sourceSide, targetSide);
  }
  return curves;
}

function facingSides(rects: Float32Array, source: number, target: number): [Side, Side] {
  if (source === target) {
    return ['top', 'right'];
  }
  const a = rectAt(rects, source);
  const b = rectAt(rects, target);
  if (b.x >= a.x + a.width * 0.6) {
    return ['right', 'left'];
  }
  if (b.x + b.width <= a.x + a.width * 0.4) {
    return ['left', 'right'];
  }
  if (isBetween(rects, source, target)) {
    return ['left', 'left'];
  }
  return b.y >= a.y ? ['bottom', 'top'] : ['top', 'bottom'];
}

/** Whether a card of the same column lies between the two: a straight line would run behind it. */
function isBetween(rects: Float32Array, source: number, target: number): boolean {
  const a = rectAt(rects, source);
  const b = rectAt(rects, target);
  const [top, bottom] = a.y < b.y ? [a.y + a.height, b.y] : [b.y + b.height, a.y];
  const [left, right] = [Math.max(a.x, b.x), Math.min(a.x + a.width, b.x + b.width)];
  for (let i = 0; i * 4 < rects.length; i += 1) {
    const card = rectAt(rects, i);
    const beside = card.x >= right || card.x + card.width <= left;
    if (i !== source && i !== target && !beside && card.y < bottom && card.y + card.height > top) {
      return true;
    }
  }
  return false;
}

function addPort(ports: Map<number, Port[]>, node: number, side: Side, port: Port): void {
  const key = node * 4 + SIDES.indexOf(side);
  const list = ports.get(key);
  if (list === undefined) {
    ports.set(key, [port]);
  } else {
    list.push(port);
  }
}

function placePorts(
  rects: Float32Array,
  node: number,
  side: Side,
  list: readonly Port[],
  ends: Float32Array,
): void {
  const rect = rectAt(rects, node);
  const vertical = side === 'left' || side === 'right';
  const room = (vertical ? rect.height : rect.width) - 2 * SIDE_MARGIN;
  const gap = Math.min(PORT_GAP, list.length > 1 ? room / (list.length - 1) : PORT_GAP);
  const middle = vertical ? rect.y + rect.height / 2 : rect.x + rect.width / 2;
  const sorted = list.toSorted((a, b) => a.toward - b.toward || a.edge - b.edge);
  sorted.forEach((port, i) => {
    const offset = middle + (i - (sorted.length - 1) / 2) * gap;
    const at = port.edge * 4 + port.end * 2;
    if (vertical) {
      ends[at] = side === 'left' ? rect.x : rect.x + rect.width;
      ends[at + 1] = offset;
    } else {
      ends[at] = offset;
      ends[at + 1] = side === 'top' ? rect.y : rect.y + rect.height;
    }
  });
}

function writeCurve(
  curves: Float32Array,
  edge: number,
  ends: Float32Array,
  sourceSide: Side,
  targetSide: Side,
): void {
  const [x0 = 0, y0 = 0, x3 = 0, y3 = 0] = ends.subarray(edge * 4, edge * 4 + 4);
  const longest = sourceSide === targetSide ? DETOUR : 220;
  const reach = Math.min(longest, Math.max(28, Math.hypot(x3 - x0, y3 - y0) * 0.42));
  const [ax, ay] = outward(sourceSide, reach);
  const [bx, by] = outward(targetSide, reach);
  curves.set([x0, y0, x0 + ax, y0 + ay, x3 + bx, y3 + by, x3, y3], edge * 8);
}

function outward(side: Side, reach: number): [number, number] {
  switch (side) {
    case 'left':
      return [-reach, 0];
    case 'right':
      return [reach, 0];
    case 'top':
      return [0, -reach];
    default:
      return [0, reach];
  }
}

function along(rects: Float32Array, node: number, side: Side): number {
  const rect = rectAt(rects, node);
  return side === 'left' || side === 'right' ? rect.y + rect.height / 2 : rect.x + rect.width / 2;
}

function rectAt(rects: Float32Array, index: number): { x: number; y: number; width: number; height: number } {
  const at = index * 4;
  return {
    x: rects[at] ?? 0,
    y: rects[at + 1] ?? 0,
    width: rects[at + 2] ?? 0,
    height: rects[at + 3] ?? 0,
  };
}
