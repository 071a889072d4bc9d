// Where the loop looks and clicks, by name, and how it reads what it finds there.
import type { Driver } from './driver';
import { attribute, count, id, text, until } from './driver';

export const split = id('split-shop-reviews-0');
export const card = (name: string): string => id(`card-${name}`);
export const weight = (name: string): string => id(`weight-${name}`);

export type Rect = readonly [x: number, y: number, width: number, height: number];

/** Every card of the graph with its place in the window. */
export function places(window: Driver): Promise<Record<string, Rect>> {
  return window.evaluate(`Object.fromEntries(
    [...document.querySelectorAll('[data-testid^="card-"]')].map((card) => {
      const { x, y, width, height } = card.getBoundingClientRect();
      return [card.dataset.testid.slice(5), [x, y, width, height]];
    }),
  )`);
}

/** Number of the snapshot on the screen; null before the first. */
export async function generation(window: Driver): Promise<number | null> {
  const written = await attribute(window, id('status'), 'data-generation');
  return written === null ? null : Number(written);
}

/** Waits until `more` newer snapshots have come than the one on the screen now. */
export async function updates(window: Driver, more: number): Promise<void> {
  const before = await until('a snapshot', () => generation(window));
  await until(`${more} updates`, async () => ((await generation(window)) ?? 0) >= before + more);
}

/** Observed share of a destination, percent; null while nothing was counted. */
export async function observed(window: Driver, destination: string): Promise<number | null> {
  const share = Number.parseFloat((await text(window, id(`observed-${destination}`))) ?? '');
  return Number.isNaN(share) ? null : share;
}

/** Waits until the weights of reviews, as its inputs hold them, are these. */
export async function declares(window: Driver, weights: readonly number[]): Promise<void> {
  const inputs = `[...document.querySelectorAll('[data-testid^="weight-"]')].map((one) => one.valueAsNumber).join()`;
  await until(`the weights ${weights.join(' / ')}`, async () => {
    return (await window.evaluate<string>(inputs)) === weights.join();
  });
}

/** Waits until the observed share of a destination lies in a range, percent. */
export async function follows(window: Driver, destination: string, low: number, high: number): Promise<void> {
  let last: number | null = null;
  const inside = async (): Promise<boolean> => {
    last = await observed(window, destination);
    return last !== null && last >= low && last <= high;
  };
  await until(`${destination} between ${low} and ${high} %`, inside, 120_000).catch((error: unknown) => {
    throw new Error(`${String(error)}; it was ${String(last)} %`);
  });
}

/** Waits until a screen is shown. */
export async function onScreen(window: Driver, screen: 'mesh' | 'splits' | 'traces'): Promise<void> {
  await until(`the screen ${screen}`, async () => {
    return (await attribute(window, id('screen'), 'data-screen')) === screen;
  });
}

/** Goes to a screen by a click on its tab. */
export async function goTo(window: Driver, screen: 'mesh' | 'splits' | 'traces'): Promise<void> {
  await window.click(id(`screen-${screen}`));
  await onScreen(window, screen);
}

/** Presses Tab until the focus is on an element that matches; fails after as many as no screen needs. */
export async function tabTo(window: Driver, css: string): Promise<void> {
  for (let pressed = 0; pressed < 120; pressed += 1) {
    if (await isFocused(window, css)) {
      return;
    }
    await window.press('Tab');
  }
  throw new Error(`Tab does not reach ${css} (${await count(window, css)} match)`);
}

export function isFocused(window: Driver, css: string): Promise<boolean> {
  return window.evaluate(`document.activeElement?.matches(${JSON.stringify(css)}) === true`);
}

/** data-testid of what has the focus. */
export function focused(window: Driver): Promise<string | null> {
  return window.evaluate(`document.activeElement?.getAttribute('data-testid') ?? null`);
}
