// The picture of the mesh: owns the camera, the renderer and the DOM parts, and draws when something changed. It knows
// nodes and edges by index; what they are called is the view's business.
import type { Bounds, Camera } from './camera';
import { boundsOf, fit, levelOf, pan, reveal, zoomAt } from './camera';
import { canvas2dRenderer } from './canvas2d';
import { Cards } from './cards';
import { curveInView, rectsInView, viewBounds } from './cull';
import { pointsOf } from './curve';
import { Gestures } from './gestures';
import type { LabelWish } from './labels';
import { placeLabels } from './labels';
import { BoxTitles, EdgeLabels } from './overlay';
import type { CardContent, LabelContent, TitleContent } from './parts';
import { element } from './parts';
import type { GraphRenderer } from './renderer';
import type { Focus, Metrics, Palette, Pick, Topology, Viewport } from './scene';
import { EMPTY_METRICS, EMPTY_TOPOLOGY, HIDDEN, NO_FOCUS } from './scene';
import type { Summary } from './summary';
import { summarize } from './summary';
import type { Step } from './walk';
import { stepFrom } from './walk';
import { webgl2Renderer } from './webgl2';

export interface Contents {
  readonly cards: readonly CardContent[];
  readonly labels: readonly LabelContent[];
  readonly titles: readonly TitleContent[];
  /** Edges in the order in which they deserve a label. */
  readonly labelOrder: readonly number[];
}

export interface EngineEvents {
  onSelect(pick: Pick | null): void;
  /** After each change of what the window shows. */
  onView(camera: Camera, viewport: Viewport): void;
}

const FIT_MARGIN = 28;
const REVEAL_MARGIN = 60;
const CULL_MARGIN = 160;
const LABEL_HEIGHT = 20;
/** World height of the line with a box's name. */
const TITLE_HEIGHT = 30;
const CHARACTER_WIDTH = 6.9;
/** Labels are placed anew this long after the camera came to rest. */
const SETTLE_MS = 90;

export class GraphEngine {
  private readonly host: HTMLElement;
  private readonly events: EngineEvents;
  private readonly layer = element('div', 'stage-layer');
  private canvas = element('canvas', 'stage-canvas');
  private renderer: GraphRenderer | null = null;
  private readonly cards: Cards;
  private readonly labels: EdgeLabels;
  private readonly titles: BoxTitles;
  private readonly gestures: Gestures;
  private readonly resizes: ResizeObserver;

  private topology: Topology = EMPTY_TOPOLOGY;
  private metrics: Metrics = EMPTY_METRICS;
  private contents: Contents = { cards: [], labels: [], titles: [], labelOrder: [] };
  private summary: Summary | null = null;
  private far = false;
  private focus: Focus = NO_FOCUS;
  private palette: Palette | null = null;
  private camera: Camera = { x: 0, y: 0, zoom: 1 };
  private viewport: Viewport = { width: 0, height: 0, ratio: 1 };
  private fitted = false;
  private frame = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;

  constructor(host: HTMLElement, events: EngineEvents) {
    this.host = host;
    this.events = events;
    host.append(this.canvas, this.layer);
    this.cards = new Cards(this.layer, (index) => events.onSelect({ kind: 'node', index }));
    this.labels = new EdgeLabels(this.layer, (index) => events.onSelect({ kind: 'edge', index }));
    this.titles = new BoxTitles(this.layer);
    this.start(webgl2Renderer);
    this.gestures = new Gestures(host, {
      pan: (dx, dy) => this.move(pan(this.camera, dx, dy)),
      zoom: (factor, x, y) => this.move(zoomAt(this.camera, factor, x, y)),
      hover: (x, y) => this.hover(x, y),
      leave: () => this.setHover(null),
      click: (x, y) => events.onSelect(this.pick(x, y)),
    });
    this.resizes = new ResizeObserver(() => this.measure());
    this.resizes.observe(host);
    this.measure();
  }

  get rendererKind(): string {
    return this.renderer?.kind ?? 'none';
  }

  /** Index by index the same nodes as before, or not: the caller says it by calling this. */
  setTopology(topology: Topology): void {
    const focused = this.cards.focused();
    this.topology = topology;
    this.cards.setTopology(topology);
    this.labels.clear();
    this.titles.setRects(topology.boxRects);
    this.summary = null;
    this.far = false;
    this.renderer?.setTopology(topology);
    this.fitOnce();
    if (focused >= 0 && focused < topology.nodeRects.length / 4) {
      this.cards.focus(focused);
    }
    this.invalidate();
    this.scheduleLabels();
  }

  setMetrics(metrics: Metrics, contents: Contents): void {
    this.metrics = metrics;
    this.contents = contents;
    this.summary = null;
    if (this.far) {
      // The next frame sums up the new numbers.
      this.far = false;
      this.renderer?.setTopology(this.topology);
    }
    this.renderer?.setMetrics(metrics);
    this.cards.setContents(contents.cards, metrics.nodeShow);
    this.titles.setContents(contents.titles, metrics.boxShow);
    this.invalidate();
    this.placeLabels();
  }

  setSelection(pick: Pick | null): void {
    this.focus = {
      ...this.focus,
      node: pick?.kind === 'node' ? pick.index : -1,
      edge: pick?.kind === 'edge' ? pick.index : -1,
    };
    this.cards.setSelected(this.focus.node);
    this.renderer?.setFocus(this.focus);
    this.invalidate();
    this.placeLabels();
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.renderer?.setPalette(palette);
    this.invalidate();
  }

  fit(): void {
    const { boxRects, nodeRects, edgeCurves } = this.topology;
    const bounds = boundsOf(boxRects, nodeRects, pointsOf(edgeCurves));
    if (bounds !== null && this.viewport.width > 0) {
      this.move(fit(bounds, this.viewport.width, this.viewport.height, FIT_MARGIN));
    }
  }

  zoomBy(factor: number): void {
    this.move(zoomAt(this.camera, factor, this.viewport.width / 2, this.viewport.height / 2));
  }

  zoomTo(zoom: number): void {
    this.zoomBy(zoom / this.camera.zoom);
  }

  /** Puts a world point in the middle of the window: only on the operator's own wish. */
  centerOn(x: number, y: number): void {
    const { width, height } = this.viewport;
    const { zoom } = this.camera;
    this.move({ x: x - width / 2 / zoom, y: y - height / 2 / zoom, zoom });
  }

  /** Moves just enough that a part is in the window, because the operator asked for that part. */
  reveal(pick: Pick): void {
    const bounds = pick.kind === 'node' ? this.nodeBounds(pick.index) : this.edgeBounds(pick.index);
    if (bounds !== null && this.viewport.width > 0) {
      const { width, height } = this.viewport;
      this.move(reveal(this.camera, bounds, width, height, Math.min(REVEAL_MARGIN, width / 4, height / 4)));
    }
  }

  hasFocus(): boolean {
    return this.host.contains(document.activeElement);
  }

  /** Moves the focus one step; gives the index it arrives at. */
  walk(step: Step): number {
    const from = Math.max(0, this.cards.currentIndex);
    const to = stepFrom(this.topology, this.metrics, from, step);
    this.reveal({ kind: 'node', index: to });
    this.cards.focus(to);
    this.invalidate();
    return to;
  }

  focusNode(index: number): void {
    this.cards.focus(index);
    this.invalidate();
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settle);
    this.resizes.disconnect();
    this.gestures.destroy();
    this.cards.destroy();
    this.renderer?.destroy();
    this.host.replaceChildren();
  }

  private start(make: (canvas: HTMLCanvasElement) => GraphRenderer | null): void {
    this.renderer = make(this.canvas) ?? canvas2dRenderer(this.freshCanvas());
    this.canvas.dataset['renderer'] = this.rendererKind;
    if (this.renderer?.kind === 'webgl2') {
      this.canvas.addEventListener('webglcontextlost', () => this.fallBack(), { once: true });
    }
  }

  private fallBack(): void {
    this.renderer = canvas2dRenderer(this.freshCanvas());
    this.canvas.dataset['renderer'] = this.rendererKind;
    this.renderer?.setTopology(this.topology);
    this.renderer?.setMetrics(this.metrics);
    this.renderer?.setFocus(this.focus);
    if (this.palette !== null) {
      this.renderer?.setPalette(this.palette);
    }
    this.far = false;
    this.invalidate();
  }

  /** A canvas that gave out one kind of context never gives out another. */
  private freshCanvas(): HTMLCanvasElement {
    const fresh = element('canvas', 'stage-canvas');
    this.canvas.replaceWith(fresh);
    this.canvas = fresh;
    return fresh;
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    const ratio = window.devicePixelRatio || 1;
    if (width !== this.viewport.width || height !== this.viewport.height || ratio !== this.viewport.ratio) {
      this.viewport = { width, height, ratio };
      this.fitOnce();
      this.invalidate();
      this.scheduleLabels();
    }
  }

  private fitOnce(): void {
    if (!this.fitted && this.topology.nodeRects.length > 0 && this.viewport.width > 0) {
      this.fitted = true;
      this.fit();
    }
  }

  private move(camera: Camera): void {
    this.camera = camera;
    this.invalidate();
    this.scheduleLabels();
  }

  private pick(x: number, y: number): Pick | null {
    return this.far ? null : (this.renderer?.pick(x, y) ?? null);
  }

  private hover(x: number, y: number): void {
    this.setHover(this.pick(x, y));
  }

  private setHover(pick: Pick | null): void {
    const hoverNode = pick?.kind === 'node' ? pick.index : -1;
    const hoverEdge = pick?.kind === 'edge' ? pick.index : -1;
    if (hoverNode !== this.focus.hoverNode || hoverEdge !== this.focus.hoverEdge) {
      this.focus = { ...this.focus, hoverNode, hoverEdge };
      this.host.classList.toggle('over-part', pick !== null);
      this.renderer?.setFocus(this.focus);
      this.invalidate();
    }
  }

  private invalidate(): void {
    if (this.frame === 0) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    }
  }

  private draw(): void {
    const { camera, viewport } = this;
    if (viewport.width === 0) {
      return;
    }
    const level = levelOf(camera.zoom);
    this.useSummary(level === 'boxes');
    this.host.dataset['level'] = level;
    this.layer.style.transform = `translate(${-camera.x * camera.zoom}px, ${-camera.y * camera.zoom}px) scale(${camera.zoom})`;
    this.layer.style.setProperty('--zoom', String(camera.zoom));
    const small = level === 'boxes' || level === 'glyphs';
    const inView = rectsInView(this.topology.nodeRects, viewBounds(camera, viewport, CULL_MARGIN));
    this.cards.show(
      inView.filter((i) => this.metrics.nodeShow[i] !== HIDDEN),
      small,
    );
    this.renderer?.setView(camera, viewport);
    this.renderer?.draw();
    this.events.onView(camera, viewport);
  }

  /** From far away the renderer gets the namespaces instead of the nodes. */
  private useSummary(far: boolean): void {
    if (far === this.far) {
      return;
    }
    this.far = far;
    if (far) {
      this.summary ??= summarize(this.topology, this.metrics);
    }
    this.renderer?.setTopology(far && this.summary !== null ? this.summary.topology : this.topology);
    this.renderer?.setMetrics(far && this.summary !== null ? this.summary.metrics : this.metrics);
    this.renderer?.setFocus(far ? NO_FOCUS : this.focus);
  }

  private scheduleLabels(): void {
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.placeLabels(), SETTLE_MS);
  }

  private placeLabels(): void {
    const { camera, viewport, topology, metrics, contents } = this;
    const level = levelOf(camera.zoom);
    if (level === 'boxes' || level === 'glyphs' || viewport.width === 0) {
      this.labels.clear();
      return;
    }
    const view = viewBounds(camera, viewport, 0);
    const wishes: LabelWish[] = [];
    const wish = (edge: number, must: boolean): void => {
      const text = contents.labels[edge]?.text ?? '';
      const shown = metrics.edgeShow[edge] !== HIDDEN && curveInView(topology.edgeCurves, edge, view);
      if (text !== '' && shown) {
        const width = (text.length * CHARACTER_WIDTH + 18) / camera.zoom;
        wishes.push({ edge, width, height: LABEL_HEIGHT / camera.zoom, must });
      }
    };
    const focused = this.focusedEdges();
    focused.forEach((edge) => wish(edge, true));
    const already = new Set(focused);
    contents.labelOrder.filter((edge) => !already.has(edge)).forEach((edge) => wish(edge, false));
    const cards = rectsInView(topology.nodeRects, view)
      .filter((i) => metrics.nodeShow[i] !== HIDDEN)
      .map((i) => this.nodeBounds(i))
      .filter((bounds) => bounds !== null);
    const titles = rectsInView(topology.boxRects, view)
      .filter((i) => metrics.boxShow[i] !== HIDDEN)
      .map((i) => boundsOf(topology.boxRects.subarray(i * 4, i * 4 + 4)))
      .filter((bounds) => bounds !== null)
      .map((box) => ({ ...box, height: TITLE_HEIGHT }));
    const placed = placeLabels(topology.edgeCurves, wishes, cards, titles);
    this.labels.show(placed, contents.labels, this.focus.edge);
  }

  private focusedEdges(): number[] {
    const { node, edge } = this.focus;
    const found = edge >= 0 ? [edge] : [];
    for (let i = 0; node >= 0 && i * 2 + 1 < this.topology.edgeEnds.length; i += 1) {
      if (this.topology.edgeEnds[i * 2] === node || this.topology.edgeEnds[i * 2 + 1] === node) {
        found.push(i);
      }
    }
    return found;
  }

  private nodeBounds(index: number): Bounds | null {
    return boundsOf(this.topology.nodeRects.subarray(index * 4, index * 4 + 4));
  }

  private edgeBounds(index: number): Bounds | null {
    const source = this.topology.edgeEnds[index * 2];
    const target = this.topology.edgeEnds[index * 2 + 1];
    if (source === undefined || target === undefined) {
      return null;
    }
    const rects = this.topology.nodeRects;
    return boundsOf(rects.subarray(source * 4, source * 4 + 4), rects.subarray(target * 4, target * 4 + 4));
  }
}
