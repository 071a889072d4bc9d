// Where the text of a span's bar goes, by the pixels that there are.
import { CHARACTER_PX } from './axis';

export interface BarRoom {
  /** Pixels left of the bar, of the bar, and right of it. */
  readonly before: number;
  readonly bar: number;
  readonly after: number;
  /** Before the duration stands a mark. */
  readonly failed: boolean;
  readonly duration: string;
  readonly note: string;
  readonly skew: string;
}

export type BarTextPlace = 'after' | 'before' | 'on';

const GAP_PX = 8;
const MARK_PX = 16;
const CHIP_PX = 14;
/** Of a note it is enough to see how it begins: the inspector has the whole of it. */
const NOTE_PX = 150;

/** Beside the bar where there is room, after it rather than before it; on it where neither side has any. */
export function barTextPlace({ before, bar, after, failed, duration, note, skew }: BarRoom): BarTextPlace {
  const widthOf = (text: string): number => (text === '' ? 0 : text.length * CHARACTER_PX + GAP_PX);
  const shortest = widthOf(duration) + (failed ? MARK_PX : 0);
  const least = shortest + (skew === '' ? 0 : widthOf(skew) + CHIP_PX);
  const wanted = least + Math.min(NOTE_PX, widthOf(note));
  for (const room of [wanted, least, shortest]) {
    if (after >= room) {
      return 'after';
    }
    if (before >= room) {
      return 'before';
    }
    if (bar >= room) {
      return 'on';
    }
  }
  return bar >= Math.max(after, before) ? 'on' : after > before ? 'after' : 'before';
}
