import type { Palette } from '../../canvas/scene';
import { rgbOf } from '../../canvas/scene';

/** The canvas paints with the colours of the style sheet in force. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name);
  const outline = token('--outline').trim();
  return {
    health: ['--idle-fill', '--idle-fill', '--ok-fill', '--degraded-fill', '--failing-fill'].map((name) =>
      rgbOf(token(name)),
    ),
    boxFill: rgbOf(token('--panel')),
    boxLine: rgbOf(token('--line')),
    clusterFill: rgbOf(token('--well')),
    clusterLine: rgbOf(token('--line-strong')),
    background: rgbOf(token('--bg')),
    outline: outline.startsWith('#') ? rgbOf(outline) : null,
  };
}
