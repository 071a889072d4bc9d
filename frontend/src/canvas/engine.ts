// The picture of the mesh: owns the camera, the renderer and the DOM parts, and draws when something changed. It knows
// nodes and edges by index; what they are called is the view's business.
import { partBounds, rectAt, shownBounds } from './bounds';
import { type Camera, boundsOf, fit, levelOf, pan, reveal, toWorld, zoomAt } from './camera';
import { canvas2dRenderer } from './canvas2d';
import { Cards } from './cards';
import { rectsInView, viewBounds } from './cull';
import { Gestures } from './gestures';
import { clusterAt } from './hit';
import { type Contents, wantedLabels } from './contents';
import { EdgeLabels, Titles } from './overlay';
import { element, type TitleContent } from './parts';
import type { GraphRenderer } from './renderer';
import type { Focus, Metrics, Palette, Pick, Topology, Viewport } from './scene';
import { EMPTY_METRICS, EMPTY_TOPOLOGY, HIDDEN, NO_FOCUS, sameMetrics } from './scene';
import { summarize } from './summary';
import type { Step } from './walk';
import { stepFrom } from './walk';
import { webgl2Renderer } from './webgl2';

export interface EngineEvents {
  onSelect(pick: Pick | null): void;
  /** After each change of what the window shows. */
  onView(camera: Camera, viewport: Viewport): void;
}

const FIT_MARGIN = 28;
const REVEAL_MARGIN = 60;
const CULL_MARGIN = 160;
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
  private readonly titles: Titles;
  private readonly gestures: Gestures;
  private readonly resizes: ResizeObserver;

  private topology: Topology = EMPTY_TOPOLOGY;
  private metrics: Metrics = EMPTY_METRICS;
  private contents: Contents = { cards: [], labels: [], titles: [], labelOrder: [] };
  /** The renderer has namespaces in place of nodes. */
  private far = false;
  private hoverBox = -1;
  private hoverCluster = -1;
  private focus: Focus = NO_FOCUS;
  private palette: Palette | null = null;
  private camera: Camera;
  private viewport: Viewport = { width: 0, height: 0, ratio: 1 };
  private fitted: boolean;
  private frame = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;

  /** With a `camera` the picture goes on from there; without one it begins with all of it in the window. */
  constructor(host: HTMLElement, events: EngineEvents, camera: Camera | null = null) {
    this.host = host;
    this.events = events;
    this.camera = camera ?? { x: 0, y: 0, zoom: 1 };
    this.fitted = camera !== null;
    host.append(this.canvas, this.layer);
    this.cards = new Cards(this.layer, (index) => events.onSelect({ kind: 'node', index }));
    this.labels = new EdgeLabels(this.layer, (index) => events.onSelect({ kind: 'edge', index }));
    this.titles = new Titles(this.layer);
    this.start(webgl2Renderer);
    this.gestures = new Gestures(host, {
      pan: (dx, dy) => this.move(pan(this.camera, dx, dy)),
      zoom: (factor, x, y) => this.move(zoomAt(this.camera, factor, x, y)),
      hover: (x, y) => this.hover(x, y),
      leave: () => this.setHover(null),
      click: (x, y) => this.click(x, y),
    });
    this.resizes = new ResizeObserver(() => this.measure());
    this.resizes.observe(host);
    this.measure();
  }

  get rendererKind(): string {
    return this.renderer?.kind ?? 'none';
  }

  /** The camera, for another engine to go on from; null before there was anything to look at. */
  get fittedCamera(): Camera | null {
    return this.fitted ? this.camera : null;
  }

  /** Index by index the same nodes as before, or not: the caller says it by calling this. */
  setTopology(topology: Topology): void {
    const focused = this.cards.focused();
    this.topology = topology;
    this.cards.setTopology(topology);
    this.labels.clear();
    this.titles.setTopology(topology);
    this.far = false;
    this.metrics = EMPTY_METRICS;
    this.renderer?.setTopology(topology);
    if (focused >= 0 && focused < topology.nodeRects.length / 4) {
      this.cards.focus(focused);
    }
    this.invalidate();
    this.scheduleLabels();
  }

  setMetrics(metrics: Metrics, contents: Contents): void {
    this.contents = contents;
    if (!sameMetrics(metrics, this.metrics)) {
      this.metrics = metrics;
      this.fitOnce();
      this.showMetrics();
      this.invalidate();
    }
    this.cards.setContents(contents.cards, metrics);
    this.titles.setContents(contents.titles, metrics);
    this.placeLabels();
  }

  /** Apart from the other contents, because they tell an age that grows between two updates. */
  setClusterTitles(contents: readonly TitleContent[]): void {
    this.titles.setClusters(contents);
  }

  setSelection(pick: Pick | null): void {
    this.focus = {
      ...this.focus,
      node: pick?.kind === 'node' ? pick.index : -1,
      edge: pick?.kind === 'edge' ? pick.index : -1,
    };
    this.cards.setSelected(this.focus.node);
    this.shareFocus();
    this.invalidate();
    this.placeLabels();
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.renderer?.setPalette(palette);
    this.invalidate();
  }

  fit(): void {
    const bounds = shownBounds(this.topology, this.metrics);
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
    const bounds = partBounds(this.topology, pick);
    if (bounds !== null && this.viewport.width > 0) {
      const { width, height } = this.viewport;
      this.move(reveal(this.camera, bounds, width, height, Math.min(REVEAL_MARGIN, width / 4, height / 4)));
    }
  }

  /** Fills the window with the namespace of a node. */
  zoomToBoxOf(node: number): void {
    this.zoomToRect(this.topology.boxRects, this.topology.nodeBoxes[node] ?? -1);
  }

  /** The node that the keyboard is on, or else the selected one; -1 for neither. */
  get currentNode(): number {
    return this.cards.focused() >= 0 ? this.cards.focused() : this.focus.node;
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

  /** Not before it is known what is left out. */
  private fitOnce(): void {
    if (!this.fitted && this.metrics.nodeShow.length > 0 && this.viewport.width > 0) {
      this.fitted = true;
      this.fit();
    }
  }

  private move(camera: Camera): void {
    this.camera = camera;
    this.invalidate();
    this.scheduleLabels();
  }

  private hover(x: number, y: number): void {
    const pick = this.renderer?.pick(x, y) ?? null;
    this.setHover(pick, pick === null ? this.farClusterAt(x, y) : -1);
  }

  private click(x: number, y: number): void {
    const pick = this.renderer?.pick(x, y) ?? null;
    if (!this.far) {
      this.events.onSelect(pick);
    } else if (pick?.kind === 'node') {
      this.zoomToRect(this.topology.boxRects, pick.index);
    } else {
      this.events.onSelect(null);
      if (pick === null) {
        this.zoomToRect(this.topology.clusterRects, this.farClusterAt(x, y));
      }
    }
  }

  /** The cluster at a screen point, where a click opens it: only from far away, with namespaces as nodes. */
  private farClusterAt(screenX: number, screenY: number): number {
    const [x, y] = toWorld(this.camera, screenX, screenY);
    return this.far ? clusterAt(this.topology, this.metrics, x, y) : -1;
  }

  private setHover(pick: Pick | null, hoverCluster = -1): void {
    const node = pick?.kind === 'node' ? pick.index : -1;
    const hoverBox = this.far ? node : -1;
    const hoverNode = this.far ? -1 : node;
    const hoverEdge = pick?.kind === 'edge' && !this.far ? pick.index : -1;
    const { focus } = this;
    const isNew = hoverBox !== this.hoverBox || hoverCluster !== this.hoverCluster;
    if (isNew || hoverNode !== focus.hoverNode || hoverEdge !== focus.hoverEdge) {
      this.focus = { ...focus, hoverNode, hoverEdge };
      this.hoverBox = hoverBox;
      this.hoverCluster = hoverCluster;
      this.host.classList.toggle('over-part', Math.max(hoverNode, hoverEdge, hoverBox, hoverCluster) >= 0);
      this.shareFocus();
      this.invalidate();
    }
  }

  private zoomToRect(rects: Float32Array, index: number): void {
    const bounds = boundsOf(rectAt(rects, index));
    if (index >= 0 && bounds !== null && this.viewport.width > 0) {
      this.move(fit(bounds, this.viewport.width, this.viewport.height, FIT_MARGIN));
    }
  }

  /** Tells the renderer what is in focus, in the words of what it draws: from far away a node stands for its namespace. */
  private shareFocus(): void {
    const box = this.topology.nodeBoxes[this.focus.node] ?? -1;
    const asBoxes = { ...NO_FOCUS, node: box, hoverNode: this.hoverBox };
    this.renderer?.setFocus(this.far ? asBoxes : this.focus);
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
    this.setHover(null);
    if (!far) {
      this.renderer?.setTopology(this.topology);
    }
    this.showMetrics();
    this.shareFocus();
  }

  private showMetrics(): void {
    if (this.far) {
      this.showSummary();
    } else {
      this.renderer?.setMetrics(this.metrics);
    }
  }

  private showSummary(): void {
    const { topology, metrics } = summarize(this.topology, this.metrics);
    this.renderer?.setTopology(topology);
    this.renderer?.setMetrics(metrics);
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
    const room = { topology, metrics, zoom: camera.zoom, view: viewBounds(camera, viewport, 0) };
    this.labels.show(wantedLabels(room, contents, this.focus), contents.labels, this.focus.edge);
  }
}
