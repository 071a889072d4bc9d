// What the loop needs of a window, whatever drives it.

export interface Driver {
  /** Clicks the first element that matches, once it is there and can be clicked. */
  click(css: string): Promise<void>;
  /** Replaces the value of an input. */
  fill(css: string, text: string): Promise<void>;
  /** Presses a key (`3`, `Escape`, `u`) with the focus where it is. */
  press(key: string): Promise<void>;
  /** Visible text of the first element that matches; null if there is none. */
  text(css: string): Promise<string | null>;
  /** How many elements match. */
  count(css: string): Promise<number>;
  /** Runs an expression in the page and answers its JSON value. */
  evaluate<T>(expression: string): Promise<T>;
  /** Takes a picture, after what was drawn last is on screen. */
  picture(name: string): Promise<void>;
}

/** Asks again and again until the answer is there; fails with what was waited for and the last answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  deadlineMs = 30_000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    last = await ask();
    if (last !== null && last !== undefined && last !== false) return last as T;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}; last answer: ${String(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The element with this data-testid. */
export const id = (testid: string): string => `[data-testid="${testid}"]`;
