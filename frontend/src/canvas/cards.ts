// Service cards: real buttons, mounted only while they are in the window. The layer around them is moved as a whole, so
// panning touches no card.
import { element, donut, glyph } from './parts';
import type { CardContent } from './parts';
import type { Metrics, Topology } from './scene';
import { DIMMED, EMPTY_METRICS, HIDDEN } from './scene';

interface Mounted {
  readonly button: HTMLButtonElement;
  content: CardContent | null;
}

export class Cards {
  /** The one that Tab reaches, mounted wherever it is; arrows move it. */
  private current = -1;
  private selected = -1;
  private readonly layer: HTMLElement;
  private readonly onSelect: (index: number) => void;
  private readonly mounted = new Map<number, Mounted>();
  private topology: Topology | null = null;
  private contents: readonly CardContent[] = [];
  private metrics: Metrics = EMPTY_METRICS;

  constructor(layer: HTMLElement, onSelect: (index: number) => void) {
    this.layer = layer;
    this.onSelect = onSelect;
  }

  /** Indices changed their meaning: everything is mounted anew, and the focus is given back by `refocus`. */
  setTopology(topology: Topology): void {
    for (const index of this.mounted.keys()) {
      this.unmount(index);
    }
    this.topology = topology;
  }

  setContents(contents: readonly CardContent[], metrics: Metrics): void {
    this.contents = contents;
    this.metrics = metrics;
    for (const [index, card] of this.mounted) {
      this.fill(index, card);
    }
  }

  setSelected(index: number): void {
    this.selected = index;
    if (index >= 0) {
      this.current = index;
    }
    for (const [at, card] of this.mounted) {
      this.mark(at, card);
    }
  }

  get currentIndex(): number {
    return this.current;
  }

  setCurrent(index: number): void {
    this.current = index;
  }

  /** Mounts exactly `wanted` and the current one; `small` says that cards are too small to be drawn. */
  show(wanted: readonly number[], small: boolean): void {
    const keep = new Set(small ? [] : wanted);
    if (!this.canBeCurrent(this.current)) {
      this.current = wanted[0] ?? this.contents.findIndex((_, index) => this.canBeCurrent(index));
    }
    if (this.current >= 0) {
      keep.add(this.current);
    }
    for (const index of this.mounted.keys()) {
      if (!keep.has(index)) {
        this.unmount(index);
      }
    }
    for (const index of keep) {
      const card = this.mounted.get(index) ?? this.mount(index);
      card.button.classList.toggle('stand-in', small);
      this.mark(index, card);
    }
  }

  focus(index: number): void {
    this.current = index;
    const card = this.mounted.get(index) ?? this.mount(index);
    for (const [at, other] of this.mounted) {
      this.mark(at, other);
    }
    card.button.focus({ preventScroll: true });
  }

  /** Index of the card that holds the focus; -1 for none. */
  focused(): number {
    for (const [index, card] of this.mounted) {
      if (card.button === document.activeElement) {
        return index;
      }
    }
    return -1;
  }

  destroy(): void {
    for (const index of this.mounted.keys()) {
      this.unmount(index);
    }
  }

  private canBeCurrent(index: number): boolean {
    return index >= 0 && index < this.contents.length && this.metrics.nodeShow[index] !== HIDDEN;
  }

  private mount(index: number): Mounted {
    const button = element('button', 'card');
    button.type = 'button';
    const rects = this.topology?.nodeRects;
    const [x = 0, y = 0, width = 0, height = 0] = rects?.subarray(index * 4, index * 4 + 4) ?? [];
    button.style.left = `${x}px`;
    button.style.top = `${y}px`;
    button.style.width = `${width}px`;
    button.style.height = `${height}px`;
    button.addEventListener('click', () => this.onSelect(index));
    const card: Mounted = { button, content: null };
    this.fill(index, card);
    this.mark(index, card);
    this.layer.append(button);
    this.mounted.set(index, card);
    return card;
  }

  private unmount(index: number): void {
    this.mounted.get(index)?.button.remove();
    this.mounted.delete(index);
  }

  private fill(index: number, card: Mounted): void {
    const content = this.contents[index];
    if (content === undefined || content === card.content) {
      return;
    }
    const { button } = card;
    const before = card.content;
    card.content = content;
    if (before !== null && sameContent(before, content)) {
      return;
    }
    const head = element('span', 'card-name');
    const name = element('span', 'card-label');
    name.textContent = content.label;
    head.append(glyph(content.health), name);
    const figures = element('span', 'card-figures');
    figures.textContent = content.figures;
    for (const tag of content.tags) {
      const chip = element('span', 'card-tag');
      chip.textContent = tag;
      figures.append(chip);
    }
    button.replaceChildren(head, figures);
    if (content.donut !== null) {
      button.append(donut(content.donut));
    }
    button.title = content.title;
    button.setAttribute('aria-label', content.aria);
    button.dataset['testid'] = content.testId;
    button.dataset['health'] = content.health;
    button.classList.toggle('ghost', content.ghost);
  }

  private mark(index: number, card: Mounted): void {
    const { button } = card;
    button.tabIndex = index === this.current ? 0 : -1;
    button.classList.toggle('selected', index === this.selected);
    button.setAttribute('aria-pressed', String(index === this.selected));
    button.classList.toggle('dimmed', this.metrics.nodeShow[index] === DIMMED);
    button.classList.toggle('stale', this.metrics.nodeStale[index] === 1);
  }
}

function sameContent(a: CardContent, b: CardContent): boolean {
  return (
    a.label === b.label &&
    a.title === b.title &&
    a.aria === b.aria &&
    a.figures === b.figures &&
    a.health === b.health &&
    a.ghost === b.ghost &&
    a.testId === b.testId &&
    a.tags.join() === b.tags.join() &&
    (a.donut?.join() ?? '') === (b.donut?.join() ?? '')
  );
}
