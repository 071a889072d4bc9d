// Outlines of clusters in the picture: under the boxes, found by the pointer, and in the way of labels.
import { describe, expect, it } from 'vitest';

import { canvas2dRenderer } from './canvas2d';
import { wantedLabels } from './contents';
import { clusterAt } from './hit';
import type { Metrics, Palette, Topology } from './scene';
import { EMPTY_METRICS, EMPTY_TOPOLOGY, HIDDEN, NO_FOCUS, SHOWN } from './scene';
import { summarize } from './summary';

const TOPOLOGY: Topology = {
  ...EMPTY_TOPOLOGY,
  boxRects: Float32Array.of(20, 40, 200, 100, 320, 40, 200, 100),
  clusterRects: Float32Array.of(0, 0, 240, 160, 300, 0, 240, 160),
};
const METRICS: Metrics = {
  ...EMPTY_METRICS,
  boxHealth: Uint8Array.of(2, 2),
  boxShow: Uint8Array.of(SHOWN, SHOWN),
  clusterShow: Uint8Array.of(SHOWN, SHOWN),
};
const PALETTE: Palette = {
  health: [],
  boxFill: [0, 0, 0],
  boxLine: [0, 0, 0],
  clusterFill: [1, 0, 0],
  clusterLine: [0, 1, 0],
  background: [0, 0, 0],
  outline: null,
};

/** The plates that canvas2d paints, in order: left edge and colour. */
function plates(topology: Topology, metrics: Metrics): [number, string][] {
  const painted: [number, string][] = [];
  let left = 0;
  const context = new Proxy(
    { fillStyle: '', canvas: { width: 1, height: 1 } },
    {
      get(target, key) {
        if (key === 'roundRect') {
          return (x: number) => {
            left = x;
          };
        }
        if (key === 'fill') {
          return () => painted.push([left, target.fillStyle]);
        }
        return key in target ? target[key as keyof typeof target] : () => undefined;
      },
    },
  );
  const canvas = { getContext: () => context } as unknown as HTMLCanvasElement;
  const renderer = canvas2dRenderer(canvas);
  renderer?.setTopology(topology);
  renderer?.setMetrics(metrics);
  renderer?.setPalette(PALETTE);
  renderer?.draw();
  return painted;
}

describe('outlines of clusters', () => {
  const cluster = 'rgb(255 0 0)';
  const box = 'rgb(0 0 0)';

  it('lie under the boxes of namespaces', () => {
    expect(plates(TOPOLOGY, METRICS)).toEqual([
      [0, cluster],
      [300, cluster],
      [20, box],
      [320, box],
    ]);
  });

  it('are not painted where they are hidden, or where there are none', () => {
    const hidden = { ...METRICS, clusterShow: Uint8Array.of(HIDDEN, SHOWN) };
    expect(plates(TOPOLOGY, hidden).filter(([, color]) => color === cluster)).toEqual([[300, cluster]]);
    const one = { ...TOPOLOGY, clusterRects: new Float32Array(0) };
    expect(plates(one, { ...METRICS, clusterShow: new Uint8Array(0) }).map(([, color]) => color)).toEqual([
      box,
      box,
    ]);
  });

  it('stay when the namespaces become nodes', () => {
    const far = summarize(TOPOLOGY, METRICS);
    expect(far.topology.clusterRects).toBe(TOPOLOGY.clusterRects);
    expect(far.metrics.clusterShow).toBe(METRICS.clusterShow);
    const stale = summarize(TOPOLOGY, { ...METRICS, boxStale: Uint8Array.of(0, 1) });
    expect([...stale.metrics.nodeStale]).toEqual([0, 1]);
  });

  it('are found under the pointer, unless they are hidden', () => {
    expect(clusterAt(TOPOLOGY, METRICS, 10, 10)).toBe(0);
    expect(clusterAt(TOPOLOGY, METRICS, 540, 160)).toBe(1);
    expect(clusterAt(TOPOLOGY, METRICS, 270, 10)).toBe(-1);
    const hidden = { ...METRICS, clusterShow: Uint8Array.of(HIDDEN, SHOWN) };
    expect(clusterAt(TOPOLOGY, hidden, 10, 10)).toBe(-1);
  });

  it('keep labels off their titles', () => {
    const flat = Float32Array.of(0, 10, 50, 10, 100, 10, 150, 10);
    const topology = { ...TOPOLOGY, edgeEnds: Uint32Array.of(0, 1), edgeCurves: flat };
    const metrics = {
      ...METRICS,
      edgeHealth: Uint8Array.of(2),
      edgeShow: Uint8Array.of(SHOWN),
      edgeRate: Float32Array.of(1),
    };
    const label = { text: '640', aria: '', health: 'ok' as const, testId: '' };
    const contents = { cards: [], labels: [label], titles: [], labelOrder: [0] };
    const room = { metrics, zoom: 1, view: { x: 0, y: 0, width: 600, height: 600 } };
    const one = { ...topology, clusterRects: new Float32Array(0) };
    expect(wantedLabels({ topology: one, ...room }, contents, NO_FOCUS)).toHaveLength(1);
    expect(wantedLabels({ topology, ...room }, contents, NO_FOCUS)).toHaveLength(0);
  });
});
