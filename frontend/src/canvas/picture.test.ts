import { describe, expect, it } from 'vitest';

import { bendAround } from './bend';
import { pictureBounds, shownBounds } from './bounds';
import { wantedLabels } from './contents';
import { curveInView, rectsInView, viewBounds } from './cull';
import { pointAt } from './curve';
import { distanceToCurve, edgeAt, nodeAt, pickAt } from './hit';
import { MAX_LABELS, placeLabels } from './labels';
import { routeEdges } from './route';
import type { Focus, Metrics, Topology } from './scene';
import { DIMMED, HIDDEN, NO_FOCUS, SHOWN } from './scene';
import { EDGE_STYLE, edgeStyles, edgeWidth } from './style';
import { summarize } from './summary';
import { stepFrom } from './walk';

// caller (0) on the left, two callees (1, 2) on the right, one above the other; 3 below the caller.
const RECTS = Float32Array.of(0, 100, 160, 48, 300, 40, 160, 48, 300, 160, 160, 48, 0, 220, 160, 48);
const ENDS = Uint32Array.of(0, 1, 0, 2, 0, 3, 2, 0);

function topology(): Topology {
  return {
    nodeRects: RECTS,
    edgeEnds: ENDS,
    edgeCurves: routeEdges(RECTS, ENDS),
    boxRects: Float32Array.of(-20, 20, 200, 300, 280, 20, 200, 300),
    clusterRects: new Float32Array(0),
    nodeBoxes: Int32Array.of(0, 1, 1, 0),
  };
}

function metrics(more: Partial<Metrics> = {}): Metrics {
  return {
    nodeHealth: Uint8Array.of(2, 2, 4, 1),
    nodeShow: Uint8Array.of(SHOWN, SHOWN, SHOWN, SHOWN),
    nodeStale: new Uint8Array(4),
    edgeHealth: Uint8Array.of(2, 4, 1, 0),
    edgeShow: Uint8Array.of(SHOWN, SHOWN, SHOWN, SHOWN),
    edgeRate: Float32Array.of(100, 10, 0, NaN),
    boxHealth: Uint8Array.of(2, 4),
    boxShow: Uint8Array.of(SHOWN, SHOWN),
    boxStale: new Uint8Array(2),
    clusterShow: new Uint8Array(0),
    ...more,
  };
}

describe('what is fitted into the window', () => {
  it('is what is shown, and everything where nothing is left out or nothing is shown', () => {
    const all = pictureBounds(topology());
    expect(shownBounds(topology(), metrics())).toEqual(all);
    const left = metrics({
      nodeShow: Uint8Array.of(SHOWN, HIDDEN, HIDDEN, SHOWN),
      boxShow: Uint8Array.of(SHOWN, HIDDEN),
    });
    expect(shownBounds(topology(), left)).toEqual({ x: -20, y: 20, width: 200, height: 300 });
    const none = metrics({
      nodeShow: new Uint8Array(4).fill(HIDDEN),
      boxShow: new Uint8Array(2).fill(HIDDEN),
    });
    expect(shownBounds(topology(), none)).toEqual(all);
  });
});

describe('routing', () => {
  const { edgeCurves } = topology();
  const ends = (edge: number): number[] => [...pointAt(edgeCurves, edge, 0), ...pointAt(edgeCurves, edge, 1)];

  it('leaves on the right and arrives on the left of a callee to the right', () => {
    const [x0, , x3, y3] = ends(0);
    expect([x0, x3]).toEqual([160, 300]);
    expect(y3).toBe(64);
  });

  it('keeps edges of one side apart, in the order of their targets', () => {
    expect(ends(0)[1]).toBeLessThan(ends(1)[1] ?? 0);
  });

  it('goes straight down to a card below', () => {
    const [, y0, , y3] = ends(2);
    expect([y0, y3]).toEqual([148, 220]);
  });

  it('goes around a card that lies between the two', () => {
    const column = Float32Array.of(0, 0, 160, 48, 0, 80, 160, 48, 0, 160, 160, 48);
    const curves = routeEdges(column, Uint32Array.of(0, 2));
    for (const t of [0.3, 0.5, 0.7]) {
      expect(pointAt(curves, 0, t)[0]).toBeLessThan(0);
    }
  });

  it('goes back from the left side to the right side', () => {
    const [x0, , x3] = ends(3);
    expect([x0, x3]).toEqual([300, 160]);
  });

  it('keeps every port on its card, however many there are', () => {
    const many = 200;
    const rects = new Float32Array([0, 0, 160, 48].concat(Array(many).fill([300, 0, 160, 48]).flat()));
    const edges = Uint32Array.from({ length: many * 2 }, (_, i) => (i % 2 === 0 ? 0 : (i + 1) / 2));
    const curves = routeEdges(rects, edges);
    for (let edge = 0; edge < many; edge += 1) {
      const [, y] = pointAt(curves, edge, 0);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(48);
    }
  });
});

describe('bending', () => {
  // 0 calls 3 over a column of two cards, 1 and 2; the straight way runs behind 2.
  const rects = Float32Array.of(0, 150, 160, 48, 250, 40, 160, 48, 250, 150, 160, 48, 500, 150, 160, 48);
  const ends = Uint32Array.of(0, 3, 0, 1);
  const routed = routeEdges(rects, ends);
  const bent = bendAround(routed, rects, ends);
  const onCard = (curves: Float32Array, edge: number): boolean =>
    Array.from({ length: 60 }, (_, i) => pointAt(curves, edge, i / 60)).some(
      ([x, y]) => x >= 250 && x <= 410 && ((y >= 150 && y <= 198) || (y >= 40 && y <= 88)),
    );

  it('goes around a card on the way', () => {
    expect(onCard(routed, 0)).toBe(true);
    expect(onCard(bent, 0)).toBe(false);
    expect(pointAt(bent, 0, 0)).toEqual(pointAt(routed, 0, 0));
    expect(pointAt(bent, 0, 1)).toEqual(pointAt(routed, 0, 1));
  });

  it('leads a long call between clusters around the cards on its way, and no other call of that length', () => {
    const column = [60, 140, 220];
    const far = [0, 100, 160, 48, ...column.flatMap((y) => [700, y, 160, 48]), 1500, 160, 160, 48];
    const farRects = Float32Array.from(far);
    const farEnds = Uint32Array.of(0, 4);
    const straight = routeEdges(farRects, farEnds);
    const meets = (curves: Float32Array): boolean =>
      Array.from({ length: 200 }, (_, i) => pointAt(curves, 0, i / 200)).some(
        ([x, y]) => x >= 700 && x <= 860 && column.some((top) => y >= top && y <= top + 48),
      );
    expect(meets(straight)).toBe(true);
    expect(meets(bendAround(straight, farRects, farEnds, () => true))).toBe(false);
    expect(bendAround(straight, farRects, farEnds)).toEqual(straight);
  });

  it('leaves a free way as it is, and takes the same one every time', () => {
    expect([...bent.subarray(8, 16)]).toEqual([...routed.subarray(8, 16)]);
    expect(bendAround(routed, rects, ends)).toEqual(bent);
  });
});

describe('culling', () => {
  const viewport = { width: 200, height: 200, ratio: 1 };

  it('keeps what touches the window', () => {
    expect(rectsInView(RECTS, viewBounds({ x: 250, y: 0, zoom: 1 }, viewport, 0))).toEqual([1, 2]);
    expect(rectsInView(RECTS, viewBounds({ x: 250, y: 0, zoom: 1 }, viewport, 100))).toEqual([0, 1, 2, 3]);
  });

  it('drops curves that are elsewhere', () => {
    const { edgeCurves } = topology();
    const view = viewBounds({ x: 600, y: 600, zoom: 1 }, viewport, 0);
    expect(curveInView(edgeCurves, 0, view)).toBe(false);
    expect(curveInView(edgeCurves, 0, viewBounds({ x: 100, y: 0, zoom: 1 }, viewport, 0))).toBe(true);
  });
});

describe('picking', () => {
  it('finds cards, and edges by their distance', () => {
    expect(nodeAt(topology(), metrics(), 310, 170, 0)).toBe(2);
    const [x, y] = pointAt(topology().edgeCurves, 1, 0.5);
    expect(edgeAt(topology(), metrics(), x, y + 2, 7)).toBe(1);
    expect(edgeAt(topology(), metrics(), x, y + 400, 7)).toBe(-1);
  });

  it('never finds what is hidden', () => {
    const hidden = metrics({ nodeShow: Uint8Array.of(SHOWN, SHOWN, HIDDEN, SHOWN) });
    expect(nodeAt(topology(), hidden, 310, 170, 0)).toBe(-1);
    const [x, y] = pointAt(topology().edgeCurves, 1, 0.5);
    const noEdges = metrics({ edgeShow: new Uint8Array(4) });
    expect(edgeAt(topology(), noEdges, x, y, 7)).toBe(-1);
  });

  it('measures the true distance near a curve', () => {
    const straight = Float32Array.of(0, 0, 10, 0, 20, 0, 30, 0);
    expect(distanceToCurve(straight, 0, 15, 4)).toBeCloseTo(4);
    expect(distanceToCurve(straight, 0, 33, 4)).toBeCloseTo(5);
    expect(distanceToCurve(straight, 0, 15, 40, 7)).toBe(Infinity);
  });

  it('reaches far glyphs at their middle', () => {
    const glyphs = { x: 0, y: 0, zoom: 0.3 };
    expect(pickAt(topology(), metrics(), glyphs, 80 * 0.3, 124 * 0.3)).toEqual({ kind: 'node', index: 0 });
  });
});

describe('edge styles', () => {
  const at = (styles: Float32Array, edge: number): number[] => [
    ...styles.subarray(edge * EDGE_STYLE, edge * EDGE_STYLE + EDGE_STYLE),
  ];

  it('grows with the logarithm of the rate, within bounds', () => {
    expect(edgeWidth(NaN)).toBe(1);
    expect(edgeWidth(0)).toBe(1);
    expect(edgeWidth(9)).toBeCloseTo(2);
    expect(edgeWidth(1e9)).toBe(6);
  });

  it('dashes failing edges, and unknown ones in another way', () => {
    const styles = edgeStyles(topology(), metrics(), NO_FOCUS, 'cards');
    expect([0, 1, 2, 3].map((edge) => at(styles, edge)[3])).toEqual([0, 1, 2, 2]);
  });

  it('dashes edges of which both ends are as they were some time ago, and draws them weaker', () => {
    const stale = metrics({ nodeStale: Uint8Array.of(1, 1, 0, 0) });
    const styles = edgeStyles(topology(), stale, NO_FOCUS, 'cards');
    const live = edgeStyles(topology(), metrics(), NO_FOCUS, 'cards');
    expect([at(styles, 0)[3], at(live, 0)[3]]).toEqual([2, 0]);
    expect(at(styles, 0)[2]).toBeLessThan(at(live, 0)[2] ?? 0);
    expect(at(styles, 1)).toEqual(at(live, 1));
  });

  it('draws nothing hidden, and the focused one strongest', () => {
    const shown = metrics({ edgeShow: Uint8Array.of(SHOWN, HIDDEN, DIMMED, SHOWN) });
    const styles = edgeStyles(topology(), shown, { ...NO_FOCUS, edge: 0 }, 'cards');
    const opacity = [0, 1, 2, 3].map((edge) => at(styles, edge)[2] ?? -1);
    expect(opacity[0]).toBe(1);
    expect(opacity[1]).toBe(0);
    expect(opacity[2]).toBeLessThan(opacity[3] ?? 0);
  });
});

describe('a crowd of edges', () => {
  const n_edges = 400;
  const crowd = {
    ...topology(),
    edgeEnds: Uint32Array.from({ length: n_edges * 2 }, (_, i) => (i < 2 ? 0 : 1 + (i % 2))),
  };
  const rates = metrics({
    edgeRate: Float32Array.from({ length: n_edges }, (_, i) => i),
    edgeHealth: Uint8Array.from({ length: n_edges }, (_, i) => (i === 1 ? 4 : 2)),
    edgeShow: new Uint8Array(n_edges).fill(SHOWN),
  });
  const opacity = (styles: Float32Array, edge: number): number => styles[edge * EDGE_STYLE + 2] ?? -1;

  it('leaves the busiest and the unhealthy strong from afar', () => {
    const styles = edgeStyles(crowd, rates, NO_FOCUS, 'glyphs');
    expect(opacity(styles, 399)).toBeGreaterThan(0.5);
    expect(opacity(styles, 1)).toBeGreaterThan(0.5);
    expect(opacity(styles, 50)).toBeLessThan(0.2);
  });

  it('recedes behind the calls of what is selected', () => {
    const styles = edgeStyles(crowd, rates, { ...NO_FOCUS, node: 0 }, 'cards');
    expect(opacity(styles, 0)).toBe(1);
    expect(opacity(styles, 399)).toBeLessThan(0.2);
    expect(opacity(styles, 1)).toBeGreaterThan(0.2);
  });
});

describe('labels', () => {
  const { edgeCurves } = topology();
  const size = { width: 40, height: 20 };

  it('goes to the middle when that is free, and aside when it is not', () => {
    const [x, y] = pointAt(edgeCurves, 0, 0.5);
    expect(placeLabels(edgeCurves, [{ edge: 0, ...size, must: false }], [])).toEqual([{ edge: 0, x, y }]);
    const blocked = { x: x - 5, y: y - 5, width: 10, height: 10 };
    const [aside] = placeLabels(edgeCurves, [{ edge: 0, ...size, must: false }], [blocked]);
    expect(aside).toBeDefined();
    expect(aside?.x === x && aside.y === y).toBe(false);
  });

  it('leaves out what has no room, unless it must be there', () => {
    const everywhere = [{ x: -1000, y: -1000, width: 4000, height: 4000 }];
    expect(placeLabels(edgeCurves, [{ edge: 0, ...size, must: false }], everywhere)).toEqual([]);
    expect(placeLabels(edgeCurves, [{ edge: 0, ...size, must: true }], everywhere)).toHaveLength(1);
    expect(placeLabels(edgeCurves, [{ edge: 0, ...size, must: false }], [], everywhere)).toEqual([]);
  });

  it('is bounded', () => {
    const wishes = Array.from({ length: 500 }, () => ({ edge: 0, width: 0, height: 0, must: true }));
    expect(placeLabels(edgeCurves, wishes, [])).toHaveLength(MAX_LABELS);
  });
});

describe('labels of a crowd', () => {
  const n_edges = 400;
  const curve = [...topology().edgeCurves.subarray(0, 8)];
  // Each on a line of its own, so that all have room.
  const lowered = (i: number): number[] => curve.map((at, k) => (k % 2 === 1 ? at + i * 40 : at));
  const edgeCurves = Float32Array.from(Array.from({ length: n_edges }, (_, i) => lowered(i)).flat());
  const crowd = {
    ...topology(),
    edgeEnds: Uint32Array.from({ length: n_edges * 2 }, (_, i) => 1 + (i % 2)),
    edgeCurves,
    nodeBoxes: Int32Array.of(0, 0, 1, 1),
  };
  const label = { text: '640', aria: '', health: 'ok' as const, testId: '' };
  const contents = {
    cards: [],
    labels: Array.from({ length: n_edges }, () => label),
    titles: [],
    labelOrder: Array.from({ length: n_edges }, (_, i) => i),
  };
  const some = metrics({
    edgeRate: Float32Array.from({ length: n_edges }, (_, i) => i),
    edgeHealth: new Uint8Array(n_edges).fill(2),
    edgeShow: new Uint8Array(n_edges).fill(SHOWN),
  });
  const view = { x: -1000, y: -1000, width: 4000, height: 40_000 };
  const labelled = (focus: Focus): number[] =>
    wantedLabels({ topology: crowd, metrics: some, zoom: 1, view }, contents, focus).map(({ edge }) => edge);

  it('are on no line that recedes', () => {
    expect(labelled(NO_FOCUS).every((edge) => edge >= n_edges - MAX_LABELS)).toBe(true);
    expect(labelled({ ...NO_FOCUS, edge: 7 })).toEqual([7]);
  });

  it('do not follow the pointer', () => {
    expect(labelled({ ...NO_FOCUS, hoverEdge: 7 })).toEqual(labelled(NO_FOCUS));
  });
});

describe('walking', () => {
  it('follows the busiest call', () => {
    expect(stepFrom(topology(), metrics(), 0, 'right')).toBe(1);
    expect(stepFrom(topology(), metrics(), 1, 'left')).toBe(0);
  });

  it('goes up and down by position, and stays where there is nothing', () => {
    expect(stepFrom(topology(), metrics(), 1, 'down')).toBe(2);
    expect(stepFrom(topology(), metrics(), 2, 'up')).toBe(1);
    expect(stepFrom(topology(), metrics(), 1, 'up')).toBe(1);
    expect(stepFrom(topology(), metrics(), 1, 'right')).toBe(1);
  });

  it('skips what is hidden', () => {
    const hidden = metrics({ nodeShow: Uint8Array.of(SHOWN, HIDDEN, SHOWN, SHOWN) });
    expect(stepFrom(topology(), hidden, 0, 'right')).toBe(2);
  });
});

describe('summary of namespaces', () => {
  it('is picked by namespace', () => {
    const far = summarize(topology(), metrics());
    const { boxRects } = topology();
    const [x = 0, y = 0, width = 0, height = 0] = boxRects.subarray(4, 8);
    const camera = { x: 0, y: 0, zoom: 0.1 };
    const middle = [(x + width / 2) * 0.1, (y + height / 2) * 0.1] as const;
    expect(pickAt(far.topology, far.metrics, camera, ...middle)).toEqual({ kind: 'node', index: 1 });
  });

  it('adds rates between boxes, keeps the worst health and no inner edges', () => {
    const { topology: far, metrics: sums } = summarize(topology(), metrics());
    expect([...far.edgeEnds]).toEqual([0, 1, 1, 0]);
    expect([...sums.edgeRate]).toEqual([110, 0]);
    expect([...sums.edgeHealth]).toEqual([4, 0]);
  });
});
