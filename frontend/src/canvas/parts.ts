// What the DOM parts of the picture say. The texts come from the view, which alone formats numbers.
import type { Health } from '../model/health';

export interface CardContent {
  readonly label: string;
  /** All that a small card may have to cut. */
  readonly title: string;
  /** The whole card in one sentence, for readers of the screen. */
  readonly aria: string;
  readonly figures: string;
  readonly health: Health;
  /** Short words such as `new` or `gateway`. */
  readonly tags: readonly string[];
  /** Shares of a split, stable first; null without one. */
  readonly donut: readonly number[] | null;
  /** Gone from the graph, but its place is kept. */
  readonly ghost: boolean;
  readonly testId: string;
}

export interface LabelContent {
  /** Empty for no label. */
  readonly text: string;
  readonly aria: string;
  readonly health: Health;
  readonly testId: string;
}

/** The title of a namespace's box or of a cluster. */
export interface TitleContent {
  readonly name: string;
  /** The cluster around, where there are several; empty otherwise. */
  readonly within: string;
  /** Why what it stands over is not live, `34 s old`; empty while it is. */
  readonly stale: string;
  readonly note: string;
  readonly health: Health;
}

const SVG = 'http://www.w3.org/2000/svg';

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}

/** The mark of a health: shape and fill differ, so that colour is never the only sign. */
export function glyph(health: Health): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 12 12');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `glyph glyph-${health}`);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', GLYPH_PATHS[health]);
  svg.append(path);
  return svg;
}

/** Outlines in a 12 by 12 square; idle is hollow, unknown hollow and broken by the style sheet. */
export const GLYPH_PATHS: Readonly<Record<Health, string>> = {
  ok: 'M6 1.5a4.500 4.500 0 1 1 0 9a4.500 4.500 0 1 1 0-9z',
  degraded: 'M6 1L11.400 10.600H.600z',
  failing: 'M6 .300L11.700 6L6 11.700L.300 6z',
  idle: 'M6 2a4 4 0 1 1 0 8a4 4 0 1 1 0-8z',
  unknown: 'M6 2a4 4 0 1 1 0 8a4 4 0 1 1 0-8z',
};

/** A ring of shares; the first is the stable one. */
export function donut(shares: readonly number[]): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'donut');
  const around = 2 * Math.PI * 7.5;
  let begun = 0;
  shares.forEach((share, i) => {
    const arc = document.createElementNS(SVG, 'circle');
    arc.setAttribute('cx', '10');
    arc.setAttribute('cy', '10');
    arc.setAttribute('r', '7.5');
    arc.setAttribute('class', `arc arc-${i % 4}`);
    arc.setAttribute('stroke-dasharray', `${share * around} ${around}`);
    arc.setAttribute('stroke-dashoffset', `${-begun * around}`);
    arc.setAttribute('transform', 'rotate(-90 10 10)');
    svg.append(arc);
    begun += share;
  });
  return svg;
}
