// The words of the picture, and which of them have room on the edges.
import type { Bounds } from './camera';
import { boundsOf, levelOf } from './camera';
import { curveInView, rectsInView } from './cull';
import type { LabelWish, PlacedLabel } from './labels';
import { placeLabels } from './labels';
import type { CardContent, LabelContent, TitleContent } from './parts';
import type { Focus, Metrics, Topology } from './scene';
import { HIDDEN } from './scene';
import { EDGE_STYLE, edgeStyles } from './style';

export interface Contents {
  readonly cards: readonly CardContent[];
  readonly labels: readonly LabelContent[];
  readonly titles: readonly TitleContent[];
  /** Edges in the order in which they deserve a label. */
  readonly labelOrder: readonly number[];
}

/** What is drawn, and the part of the world that the window shows. */
export interface Room {
  readonly topology: Topology;
  readonly metrics: Metrics;
  readonly zoom: number;
  readonly view: Bounds;
}

/** Between the opacities of `edgeStyles` for what recedes and for what does not. */
const LABELLED_OPACITY = 0.4;
const LABEL_HEIGHT = 20;
/** World height of the line with a box's or a cluster's name. */
const TITLE_HEIGHT = 30;
const CHARACTER_WIDTH = 6.9;

/** Labels of the edges in focus, then of as many others as have room between cards and titles. */
export function wantedLabels(room: Room, contents: Contents, focus: Focus): PlacedLabel[] {
  const { topology, metrics, zoom, view } = room;
  // A label on a line that recedes would float on nothing. The pointer passes by; it decides nothing here.
  const still = { ...focus, hoverNode: -1, hoverEdge: -1 };
  const styles = edgeStyles(topology, metrics, still, levelOf(zoom));
  const wishes: LabelWish[] = [];
  const wish = (edge: number, must: boolean): void => {
    const text = contents.labels[edge]?.text ?? '';
    const shown =
      (styles[edge * EDGE_STYLE + 2] ?? 0) >= LABELLED_OPACITY &&
      curveInView(topology.edgeCurves, edge, view);
    if (text !== '' && shown) {
      const width = (text.length * CHARACTER_WIDTH + 18) / zoom;
      wishes.push({ edge, width, height: LABEL_HEIGHT / zoom, must });
    }
  };
  const focused = focusedEdges(topology, focus);
  focused.forEach((edge) => wish(edge, true));
  const already = new Set(focused);
  contents.labelOrder.filter((edge) => !already.has(edge)).forEach((edge) => wish(edge, false));
  const cards = shownRects(topology.nodeRects, metrics.nodeShow, view);
  const titles = [
    ...shownRects(topology.boxRects, metrics.boxShow, view),
    ...shownRects(topology.clusterRects, metrics.clusterShow, view),
  ].map((outline) => ({ ...outline, height: TITLE_HEIGHT }));
  return placeLabels(topology.edgeCurves, wishes, cards, titles);
}

function shownRects(rects: Float32Array, shows: Uint8Array, view: Bounds): Bounds[] {
  return rectsInView(rects, view)
    .filter((i) => shows[i] !== HIDDEN)
    .map((i) => boundsOf(rects.subarray(i * 4, i * 4 + 4)))
    .filter((bounds) => bounds !== null);
}

function focusedEdges(topology: Topology, { node, edge }: Focus): number[] {
  const found = edge >= 0 ? [edge] : [];
  for (let i = 0; node >= 0 && i * 2 + 1 < topology.edgeEnds.length; i += 1) {
    if (topology.edgeEnds[i * 2] === node || topology.edgeEnds[i * 2 + 1] === node) {
      found.push(i);
    }
  }
  return found;
}
