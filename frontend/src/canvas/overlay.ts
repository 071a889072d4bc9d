// The other DOM parts: titles of namespace boxes and of clusters, and the few edge labels. They keep their size on the
// screen.
import type { LabelContent, TitleContent } from './parts';
import { element, glyph } from './parts';
import type { PlacedLabel } from './labels';
import type { Metrics, Topology } from './scene';
import { EMPTY_METRICS, HIDDEN } from './scene';

export class EdgeLabels {
  private readonly layer: HTMLElement;
  private readonly onSelect: (edge: number) => void;
  private readonly pool = new Map<number, HTMLButtonElement>();
  /** What each label says now: few change from one update to the next. */
  private readonly said = new Map<number, string>();

  constructor(layer: HTMLElement, onSelect: (edge: number) => void) {
    this.layer = layer;
    this.onSelect = onSelect;
  }

  show(placed: readonly PlacedLabel[], contents: readonly LabelContent[], selected: number): void {
    const keep = new Set(placed.map((label) => label.edge));
    for (const [edge, button] of this.pool) {
      if (!keep.has(edge)) {
        button.remove();
        this.pool.delete(edge);
        this.said.delete(edge);
      }
    }
    for (const label of placed) {
      const content = contents[label.edge];
      if (content !== undefined) {
        this.fill(label, content, label.edge === selected);
      }
    }
  }

  clear(): void {
    this.show([], [], -1);
  }

  private fill(label: PlacedLabel, content: LabelContent, selected: boolean): void {
    let button = this.pool.get(label.edge);
    if (button === undefined) {
      button = element('button', 'edge-label');
      button.type = 'button';
      // Edges are reached with the arrow keys, the inspector and the table; forty more tab stops would help nobody.
      button.tabIndex = -1;
      const { edge } = label;
      button.addEventListener('click', () => this.onSelect(edge));
      this.pool.set(edge, button);
      this.layer.append(button);
    }
    const saying = JSON.stringify([label.x, label.y, content, selected]);
    if (saying === this.said.get(label.edge)) {
      return;
    }
    this.said.set(label.edge, saying);
    button.style.left = `${label.x}px`;
    button.style.top = `${label.y}px`;
    button.textContent = content.text;
    button.setAttribute('aria-label', content.aria);
    button.dataset['testid'] = content.testId;
    button.dataset['health'] = content.health;
    button.classList.toggle('selected', selected);
  }
}

export class Titles {
  private readonly boxes: TitleRow;
  private readonly clusters: TitleRow;
  private clusterContents: readonly TitleContent[] = [];
  private metrics: Metrics = EMPTY_METRICS;

  constructor(layer: HTMLElement) {
    this.clusters = new TitleRow(layer, 'box-title cluster-title');
    this.boxes = new TitleRow(layer, 'box-title');
  }

  setTopology({ clusterRects, boxRects }: Topology): void {
    this.clusters.setRects(clusterRects);
    this.boxes.setRects(boxRects);
  }

  setContents(contents: readonly TitleContent[], metrics: Metrics): void {
    this.metrics = metrics;
    this.boxes.setContents(contents, metrics.boxShow);
    this.setClusters(this.clusterContents);
  }

  setClusters(contents: readonly TitleContent[]): void {
    this.clusterContents = contents;
    this.clusters.setContents(contents, this.metrics.clusterShow);
  }
}

/** The titles of one kind, by index. */
class TitleRow {
  private readonly layer: HTMLElement;
  private readonly className: string;
  private titles: HTMLElement[] = [];
  /** What each title says now: ages are told every second, and few change. */
  private said: string[] = [];

  constructor(layer: HTMLElement, className: string) {
    this.layer = layer;
    this.className = className;
  }

  setRects(rects: Float32Array): void {
    for (const title of this.titles) {
      title.remove();
    }
    this.titles = [];
    this.said = [];
    for (let i = 0; i * 4 + 3 < rects.length; i += 1) {
      const [x = 0, y = 0, width = 0] = rects.subarray(i * 4, i * 4 + 3);
      const title = element('div', this.className);
      title.style.left = `${x}px`;
      title.style.top = `${y}px`;
      title.style.width = `${width}px`;
      this.titles.push(title);
      this.layer.append(title);
    }
  }

  setContents(contents: readonly TitleContent[], shows: Uint8Array): void {
    this.titles.forEach((title, i) => {
      const content = contents[i];
      title.hidden = content === undefined || shows[i] === HIDDEN;
      const saying = JSON.stringify(content);
      if (content === undefined || saying === this.said[i]) {
        return;
      }
      this.said[i] = saying;
      const name = element('span', 'box-name');
      name.textContent = content.name;
      name.title = [content.name, content.within, content.stale, content.note]
        .filter((text) => text !== '')
        .join(', ');
      const note = element('span', `box-note h-${content.health}`);
      note.title = name.title;
      const words = element('span', 'box-words');
      words.textContent = content.note;
      note.append(glyph(content.health), words);
      if (content.within !== '') {
        const within = element('span', 'box-within');
        within.textContent = ` · ${content.within}`;
        name.append(within);
      }
      // Beside the name, which is cut where it is too long: an age is not.
      const stale = element('span', 'box-stale');
      stale.textContent = content.stale;
      title.replaceChildren(name, ...(content.stale === '' ? [] : [stale]), note);
    });
  }
}
