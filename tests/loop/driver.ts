// What the loop needs of a window, whatever drives it.

export interface Driver {
  /** Clicks the first element that matches, once it is there and can be clicked. */
  click(css: string): Promise<void>;
  /** Replaces the value of an input and leaves it, so that the input tells of the change. */
  fill(css: string, text: string): Promise<void>;
  /** Presses a key (`3`, `Escape`, `u`) with the focus where it is. */
  press(key: string): Promise<void>;
  /** Runs an expression in the page and answers its JSON value. */
  evaluate<T>(expression: string): Promise<T>;
  /** Loads the page anew. */
  reload(): Promise<void>;
  /** Errors that the page told its console or caught from nobody: there must be none. */
  complaints(): Promise<readonly string[]>;
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
  for (;;) {
    const last = await ask();
    if (last !== null && last !== undefined && last !== false) {
      return last;
    }
    if (Date.now() > end) {
      throw new Error(`waited ${deadlineMs} ms for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The element with this data-testid. */
export const id = (testid: string): string => `[data-testid="${testid}"]`;

/** Visible text of the first element that matches; null if there is none. */
export function text(window: Driver, css: string): Promise<string | null> {
  return window.evaluate(`document.querySelector(${JSON.stringify(css)})?.innerText ?? null`);
}

/** Visible texts of all that match, without the space around them. */
export function texts(window: Driver, css: string): Promise<string[]> {
  return window.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(css)})].map((found) => found.innerText.trim())`,
  );
}

/** Value of an attribute of the first element that matches; null if there is none. */
export function attribute(window: Driver, css: string, name: string): Promise<string | null> {
  return window.evaluate(
    `document.querySelector(${JSON.stringify(css)})?.getAttribute(${JSON.stringify(name)}) ?? null`,
  );
}

/** How many elements match. */
export function count(window: Driver, css: string): Promise<number> {
  return window.evaluate(`document.querySelectorAll(${JSON.stringify(css)}).length`);
}

/** Waits for an element. */
export async function there(window: Driver, css: string, deadlineMs?: number): Promise<void> {
  await until(css, async () => (await count(window, css)) > 0, deadlineMs);
}

/** Waits until an element's text holds `words`, and tells what it held instead. */
export async function says(window: Driver, css: string, words: string | RegExp): Promise<void> {
  let last: string | null = null;
  const matches = async (): Promise<boolean> => {
    last = await text(window, css);
    return last !== null && (typeof words === 'string' ? last.includes(words) : words.test(last));
  };
  await until(`${String(words)} in ${css}`, matches).catch((error: unknown) => {
    throw new Error(`${String(error)}; it said ${JSON.stringify(last)}`);
  });
}
