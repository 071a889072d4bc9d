// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { withStage } from '../../tests/fixture/meshScreen';
import { GraphEngine } from './engine';
import type { Metrics, Topology } from './scene';
import { SHOWN } from './scene';

withStage();

const frames: FrameRequestCallback[] = [];
beforeEach(() => {
  frames.length = 0;
  vi.stubGlobal('requestAnimationFrame', (frame: FrameRequestCallback) => frames.push(frame));
  vi.stubGlobal('cancelAnimationFrame', () => undefined);
});

/** Paints what waits to be painted; gives how many frames that were. */
function paint(): number {
  const waiting = frames.splice(0);
  waiting.forEach((frame) => frame(0));
  return waiting.length;
}

const TOPOLOGY: Topology = {
  nodeRects: Float32Array.of(0, 0, 160, 48, 300, 0, 160, 48),
  edgeEnds: Uint32Array.of(0, 1),
  edgeCurves: Float32Array.of(160, 24, 200, 24, 260, 24, 300, 24),
  boxRects: Float32Array.of(-20, -40, 500, 120),
  clusterRects: new Float32Array(0),
  nodeBoxes: Int32Array.of(0, 0),
};

const metrics = (rate: number): Metrics => ({
  nodeHealth: Uint8Array.of(2, 2),
  nodeShow: Uint8Array.of(SHOWN, SHOWN),
  nodeStale: new Uint8Array(2),
  edgeHealth: Uint8Array.of(2),
  edgeShow: Uint8Array.of(SHOWN),
  edgeRate: Float32Array.of(rate),
  boxHealth: Uint8Array.of(2),
  boxShow: Uint8Array.of(SHOWN),
  boxStale: new Uint8Array(1),
  clusterShow: new Uint8Array(0),
});

const NOTHING_SAID = { cards: [], labels: [], titles: [], labelOrder: [] };

describe('the picture', () => {
  it('is drawn when numbers change, and left alone when an update brings the same', () => {
    const engine = new GraphEngine(document.createElement('div'), {
      onSelect: () => undefined,
      onView: () => undefined,
    });
    engine.setTopology(TOPOLOGY);
    engine.setMetrics(metrics(NaN), NOTHING_SAID);
    expect(paint()).toBe(1);
    engine.setMetrics(metrics(NaN), NOTHING_SAID);
    expect(paint()).toBe(0);
    engine.setMetrics(metrics(10), NOTHING_SAID);
    expect(paint()).toBe(1);
    engine.setMetrics(metrics(10), NOTHING_SAID);
    expect(paint()).toBe(0);
    engine.destroy();
  });
});
