// The renderer for windows without WebGL: the same picture from the same arrays.
import type { Camera } from './camera';
import { levelOf } from './camera';
import { curveInView, rectsInView, viewBounds } from './cull';
import { endDirection } from './curve';
import { pickAt } from './hit';
import type { GraphRenderer } from './renderer';
import { arrowLength, BOX_RADIUS, glyphRadius } from './renderer';
import type { Focus, Metrics, Palette, Rgb, Topology, Viewport } from './scene';
import { DIMMED, EMPTY_METRICS, EMPTY_TOPOLOGY, HIDDEN, NO_FOCUS } from './scene';
import { EDGE_STYLE, edgeStyles, faded } from './style';

export function canvas2dRenderer(canvas: HTMLCanvasElement): GraphRenderer | null {
  const context = canvas.getContext('2d');
  if (context === null) {
    return null;
  }
  let topology: Topology = EMPTY_TOPOLOGY;
  let metrics: Metrics = EMPTY_METRICS;
  let focus: Focus = NO_FOCUS;
  let palette: Palette | null = null;
  let camera: Camera = { x: 0, y: 0, zoom: 1 };
  let viewport: Viewport = { width: 1, height: 1, ratio: 1 };
  return {
    kind: 'canvas2d',
    setTopology: (next) => {
      topology = next;
    },
    setMetrics: (next) => {
      metrics = next;
    },
    setFocus: (next) => {
      focus = next;
    },
    setPalette: (next) => {
      palette = next;
    },
    setView: (nextCamera, nextViewport) => {
      camera = nextCamera;
      if (nextViewport !== viewport) {
        viewport = nextViewport;
        canvas.width = Math.max(1, Math.round(viewport.width * viewport.ratio));
        canvas.height = Math.max(1, Math.round(viewport.height * viewport.ratio));
      }
    },
    draw: () => {
      if (palette !== null) {
        paint(context, { topology, metrics, focus, palette, camera, viewport });
      }
    },
    pick: (x, y) => pickAt(topology, metrics, camera, x, y),
    destroy: () => undefined,
  };
}

interface Picture {
  readonly topology: Topology;
  readonly metrics: Metrics;
  readonly focus: Focus;
  readonly palette: Palette;
  readonly camera: Camera;
  readonly viewport: Viewport;
}

function paint(context: CanvasRenderingContext2D, picture: Picture): void {
  const { camera, viewport } = picture;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  const scale = camera.zoom * viewport.ratio;
  context.setTransform(scale, 0, 0, scale, -camera.x * scale, -camera.y * scale);
  paintClusters(context, picture);
  paintBoxes(context, picture);
  paintEdges(context, picture);
  if (levelOf(camera.zoom) === 'glyphs') {
    paintGlyphs(context, picture);
  }
  context.globalAlpha = 1;
}

function paintClusters(context: CanvasRenderingContext2D, picture: Picture): void {
  const { topology, metrics, palette, camera } = picture;
  const { clusterFill, clusterLine } = palette;
  paintPlates(context, camera, topology.clusterRects, metrics.clusterShow, clusterFill, clusterLine);
}

function paintBoxes(context: CanvasRenderingContext2D, picture: Picture): void {
  const { topology, metrics, palette, camera } = picture;
  const { boxFill, boxLine } = palette;
  paintPlates(context, camera, topology.boxRects, metrics.boxShow, boxFill, boxLine);
}

function paintPlates(
  context: CanvasRenderingContext2D,
  camera: Camera,
  rects: Float32Array,
  shows: Uint8Array,
  fill: Rgb,
  line: Rgb,
): void {
  context.lineWidth = 1 / camera.zoom;
  context.setLineDash([]);
  context.globalAlpha = 1;
  for (let i = 0; i * 4 + 3 < rects.length; i += 1) {
    if (shows[i] === HIDDEN) {
      continue;
    }
    const [x = 0, y = 0, width = 0, height = 0] = rects.subarray(i * 4, i * 4 + 4);
    paintPlate(context, [x, y, width, height], fill, line);
  }
}

function paintPlate(
  context: CanvasRenderingContext2D,
  rect: readonly [x: number, y: number, width: number, height: number],
  fill: Rgb,
  line: Rgb,
): void {
  context.beginPath();
  context.roundRect(...rect, BOX_RADIUS);
  context.fillStyle = css(fill);
  context.strokeStyle = css(line);
  context.fill();
  context.stroke();
}

function paintEdges(context: CanvasRenderingContext2D, picture: Picture): void {
  const { topology, metrics, focus, palette, camera, viewport } = picture;
  const styles = edgeStyles(topology, metrics, focus, levelOf(camera.zoom));
  const view = viewBounds(camera, viewport, 20);
  const curves = topology.edgeCurves;
  for (let i = 0; i * 8 + 7 < curves.length; i += 1) {
    const opacity = styles[i * EDGE_STYLE + 2] ?? 0;
    if (opacity === 0 || !curveInView(curves, i, view)) {
      continue;
    }
    const width = styles[i * EDGE_STYLE] ?? 1;
    const dash = styles[i * EDGE_STYLE + 3] ?? 0;
    const color = css(palette.health[styles[i * EDGE_STYLE + 1] ?? 0] ?? palette.boxLine);
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0, x3 = 0, y3 = 0] = curves.subarray(
      i * 8,
      i * 8 + 8,
    );
    const [dx, dy] = endDirection(curves, i);
    const arrow = arrowLength(width) / camera.zoom;
    context.globalAlpha = opacity;
    context.strokeStyle = color;
    context.lineWidth = width / camera.zoom;
    context.setLineDash(dashOf(dash).map((part) => part / camera.zoom));
    context.beginPath();
    context.moveTo(x0, y0);
    context.bezierCurveTo(x1, y1, x2, y2, x3 - dx * arrow * 0.7, y3 - dy * arrow * 0.7);
    context.stroke();
    context.fillStyle = color;
    context.beginPath();
    context.moveTo(x3, y3);
    context.lineTo(x3 - dx * arrow - dy * arrow * 0.5, y3 - dy * arrow + dx * arrow * 0.5);
    context.lineTo(x3 - dx * arrow + dy * arrow * 0.5, y3 - dy * arrow - dx * arrow * 0.5);
    context.fill();
  }
  context.setLineDash([]);
}

function paintGlyphs(context: CanvasRenderingContext2D, picture: Picture): void {
  const { topology, metrics, palette, camera, viewport } = picture;
  const radius = glyphRadius(camera.zoom) / camera.zoom;
  context.setLineDash([]);
  for (const i of rectsInView(topology.nodeRects, viewBounds(camera, viewport, 20))) {
    const show = metrics.nodeShow[i];
    if (show === HIDDEN) {
      continue;
    }
    const [x = 0, y = 0, width = 0, height = 0] = topology.nodeRects.subarray(i * 4, i * 4 + 4);
    const health = metrics.nodeHealth[i] ?? 0;
    context.lineWidth = 1 / camera.zoom;
    context.globalAlpha = show === DIMMED ? 0.25 : 1;
    paintPlate(context, [x, y, width, height], palette.boxFill, palette.boxLine);
    tracePath(context, health, x + width / 2, y + height / 2, radius);
    const live = palette.health[health] ?? palette.boxLine;
    const color = css(metrics.nodeStale[i] === 1 ? faded(live) : live);
    if (health <= 1) {
      context.strokeStyle = color;
      context.lineWidth = 1.5 / camera.zoom;
      context.stroke();
    } else {
      context.fillStyle = color;
      context.fill();
      if (palette.outline !== null) {
        context.strokeStyle = css(palette.outline);
        context.lineWidth = 1 / camera.zoom;
        context.stroke();
      }
    }
  }
}

/** Circle for ok, idle and unknown, triangle for degraded, diamond for failing. */
function tracePath(context: CanvasRenderingContext2D, health: number, x: number, y: number, r: number): void {
  context.beginPath();
  if (health === 3) {
    context.moveTo(x, y - r * 1.1);
    context.lineTo(x + r * 1.1, y + r * 0.85);
    context.lineTo(x - r * 1.1, y + r * 0.85);
  } else if (health === 4) {
    context.moveTo(x, y - r * 1.25);
    context.lineTo(x + r * 1.25, y);
    context.lineTo(x, y + r * 1.25);
    context.lineTo(x - r * 1.25, y);
  } else {
    context.arc(x, y, r, 0, Math.PI * 2);
  }
  context.closePath();
}

function dashOf(dash: number): number[] {
  if (dash === 0) {
    return [];
  }
  return dash === 1 ? [8, 5] : [3, 5];
}

function css(color: Rgb): string {
  const part = (value: number): number => Math.round(value * 255);
  return `rgb(${part(color[0])} ${part(color[1])} ${part(color[2])})`;
}
