// The view from far away: namespaces as nodes, and the traffic between them as one edge per pair.
import type { Metrics, Topology } from './scene';
import { HIDDEN, SHOWN } from './scene';
import { routeEdges } from './route';

export interface Summary {
  readonly topology: Topology;
  readonly metrics: Metrics;
}

/** Rates are added (unknown ones count as nothing), the worst health wins. Edges inside a box are left out. */
export function summarize(topology: Topology, metrics: Metrics): Summary {
  const sums = new Map<number, { rate: number; health: number }>();
  const n_boxes = topology.boxRects.length / 4;
  for (let edge = 0; edge * 2 + 1 < topology.edgeEnds.length; edge += 1) {
    const from = topology.nodeBoxes[topology.edgeEnds[edge * 2] ?? 0] ?? -1;
    const to = topology.nodeBoxes[topology.edgeEnds[edge * 2 + 1] ?? 0] ?? -1;
    if (from < 0 || to < 0 || from === to || metrics.edgeShow[edge] === HIDDEN) {
      continue;
    }
    const key = from * n_boxes + to;
    const rate = metrics.edgeRate[edge] ?? NaN;
    const health = metrics.edgeHealth[edge] ?? 0;
    const sum = sums.get(key) ?? { rate: 0, health: 0 };
    sums.set(key, {
      rate: sum.rate + (Number.isFinite(rate) ? rate : 0),
      health: Math.max(sum.health, health),
    });
  }
  const pairs = [...sums.entries()].sort((a, b) => a[0] - b[0]);
  const edgeEnds = Uint32Array.from(pairs.flatMap(([key]) => [Math.floor(key / n_boxes), key % n_boxes]));
  return {
    topology: {
      nodeRects: topology.boxRects,
      boxRects: topology.boxRects,
      clusterRects: topology.clusterRects,
      nodeBoxes: Int32Array.from({ length: n_boxes }, (_, i) => i),
      edgeEnds,
      edgeCurves: routeEdges(topology.boxRects, edgeEnds),
    },
    metrics: {
      nodeHealth: metrics.boxHealth,
      nodeShow: metrics.boxShow,
      nodeStale: metrics.boxStale,
      boxHealth: metrics.boxHealth,
      boxShow: metrics.boxShow,
      boxStale: metrics.boxStale,
      clusterShow: metrics.clusterShow,
      edgeHealth: Uint8Array.from(pairs.map(([, sum]) => sum.health)),
      edgeRate: Float32Array.from(pairs.map(([, sum]) => sum.rate)),
      edgeShow: new Uint8Array(pairs.length).fill(SHOWN),
    },
  };
}
