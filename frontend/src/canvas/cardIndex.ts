// Which card is at a point, quickly: cards by the cells of a grid that they touch.
import { boundsOf } from './camera';

/** World pixels around a card that a curve keeps clear of. */
const CLEARANCE = 5;
/** World pixels between two points of a curve that are looked at: less than half a card's height. */
const STEP = 22;
const MIN_POINTS = 8;
const MAX_POINTS = 48;
const CELL = 96;
/** A world of more cells than this gets larger ones. */
const MAX_CELLS = 250_000;
/** Cards do not overlap, so that hardly more touch one cell; those beyond are not kept clear of. */
const PER_CELL = 8;

export class CardIndex {
  private readonly rects: Float32Array;
  private readonly left: number;
  private readonly top: number;
  private readonly cell: number;
  private readonly n_columns: number;
  private readonly n_rows: number;
  private readonly counts: Uint8Array;
  private readonly cards: Uint32Array;

  constructor(rects: Float32Array) {
    this.rects = rects;
    const world = boundsOf(rects) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [width, height] = [Math.max(1, world.width), Math.max(1, world.height)];
    this.cell = Math.max(CELL, Math.sqrt((width * height) / MAX_CELLS));
    this.left = world.x - CLEARANCE;
    this.top = world.y - CLEARANCE;
    this.n_columns = Math.ceil((width + 2 * CLEARANCE) / this.cell) + 1;
    this.n_rows = Math.ceil((height + 2 * CLEARANCE) / this.cell) + 1;
    this.counts = new Uint8Array(this.n_columns * this.n_rows);
    this.cards = new Uint32Array(this.counts.length * PER_CELL);
    for (let card = 0; card * 4 + 3 < rects.length; card += 1) {
      this.add(card);
    }
  }

  /** How many points of a curve of about that length lie on cards of others; counting ends at `enough`. */
  metBy(curve: Float32Array, length: number, source: number, target: number, enough: number): number {
    const n_points = Math.min(MAX_POINTS, Math.max(MIN_POINTS, Math.ceil(length / STEP)));
    // One by one: unpacking a typed array at once goes through an iterator.
    const x0 = curve[0] ?? 0;
    const y0 = curve[1] ?? 0;
    const x1 = curve[2] ?? 0;
    const y1 = curve[3] ?? 0;
    const x2 = curve[4] ?? 0;
    const y2 = curve[5] ?? 0;
    const x3 = curve[6] ?? 0;
    const y3 = curve[7] ?? 0;
    let met = 0;
    for (let i = 1; i < n_points && met < enough; i += 1) {
      const t = i / n_points;
      const u = 1 - t;
      const a = u * u * u;
      const b = 3 * u * u * t;
      const c = 3 * u * t * t;
      const d = t * t * t;
      const x = a * x0 + b * x1 + c * x2 + d * x3;
      const y = a * y0 + b * y1 + c * y2 + d * y3;
      met += this.isOnOther(x, y, source, target) ? 1 : 0;
    }
    return met;
  }

  private add(card: number): void {
    const at = card * 4;
    const [x = 0, y = 0, width = 0, height = 0] = this.rects.subarray(at, at + 4);
    const lastColumn = Math.floor((x + width + CLEARANCE - this.left) / this.cell);
    const lastRow = Math.floor((y + height + CLEARANCE - this.top) / this.cell);
    for (
      let column = Math.floor((x - CLEARANCE - this.left) / this.cell);
      column <= lastColumn;
      column += 1
    ) {
      for (let row = Math.floor((y - CLEARANCE - this.top) / this.cell); row <= lastRow; row += 1) {
        const cell = row * this.n_columns + column;
        const n_here = this.counts[cell] ?? PER_CELL;
        if (n_here < PER_CELL) {
          this.cards[cell * PER_CELL + n_here] = card;
          this.counts[cell] = n_here + 1;
        }
      }
    }
  }

  private isOnOther(x: number, y: number, source: number, target: number): boolean {
    const column = Math.floor((x - this.left) / this.cell);
    const row = Math.floor((y - this.top) / this.cell);
    if (column < 0 || row < 0 || column >= this.n_columns || row >= this.n_rows) {
      return false;
    }
    const cell = row * this.n_columns + column;
    const n_here = this.counts[cell] ?? 0;
    for (let i = 0; i < n_here; i += 1) {
      const card = this.cards[cell * PER_CELL + i] ?? 0;
      const at = card * 4;
      const left = (this.rects[at] ?? 0) - CLEARANCE;
      const top = (this.rects[at + 1] ?? 0) - CLEARANCE;
      if (
        card !== source &&
        card !== target &&
        x >= left &&
        y >= top &&
        x <= left + (this.rects[at + 2] ?? 0) + 2 * CLEARANCE &&
        y <= top + (this.rects[at + 3] ?? 0) + 2 * CLEARANCE
      ) {
        return true;
      }
    }
    return false;
  }
}
