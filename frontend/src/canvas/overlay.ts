// The other DOM parts: titles of namespace boxes, and the few edge labels. Both keep their size on the screen.
import type { LabelContent, TitleContent } from './parts';
import { element, glyph } from './parts';
import type { PlacedLabel } from './labels';
import { HIDDEN } from './scene';

export class EdgeLabels {
  private readonly layer: HTMLElement;
  private readonly onSelect: (edge: number) => void;
  private readonly pool = new Map<number, HTMLButtonElement>();

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
    button.style.left = `${label.x}px`;
    button.style.top = `${label.y}px`;
    if (button.textContent !== content.text) {
      button.textContent = content.text;
    }
    button.setAttribute('aria-label', content.aria);
    button.dataset['testid'] = content.testId;
    button.dataset['health'] = content.health;
    button.classList.toggle('selected', selected);
  }
}

export class BoxTitles {
  private readonly layer: HTMLElement;
  private titles: HTMLElement[] = [];

  constructor(layer: HTMLElement) {
    this.layer = layer;
  }

  setRects(rects: Float32Array): void {
    for (const title of this.titles) {
      title.remove();
    }
    this.titles = [];
    for (let i = 0; i * 4 + 3 < rects.length; i += 1) {
      const [x = 0, y = 0, width = 0] = rects.subarray(i * 4, i * 4 + 3);
      const title = element('div', 'box-title');
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
      if (content === undefined) {
        return;
      }
      const name = element('span', 'box-name');
      name.textContent = content.name;
      name.title = `${content.name}, ${content.note}`;
      const note = element('span', `box-note h-${content.health}`);
      note.title = name.title;
      const words = element('span', 'box-words');
      words.textContent = content.note;
      note.append(glyph(content.health), words);
      title.replaceChildren(name, note);
    });
  }
}
