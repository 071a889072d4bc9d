// Every screen through axe: no violation of level serious or above.
import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserDriver } from './browser';
import type { Driver } from './driver';
import { attribute, id, there, until } from './driver';
import { card, goTo, split, tabTo } from './parts';

interface View {
  readonly name: string;
  /** From any view, by what a person can do. */
  readonly show: (window: Driver) => Promise<void>;
}

export const views: readonly View[] = [
  {
    name: 'the graph with a selection',
    show: async (window) => {
      await goTo(window, 'mesh');
      await window.click(card('reviews'));
      await there(window, id('split-mini'));
    },
  },
  {
    name: 'the table',
    show: async (window) => {
      await window.press('t');
      await there(window, id('mesh-table'));
    },
  },
  {
    name: 'the keys',
    show: async (window) => {
      await window.press('t');
      await there(window, id('stage'));
      await window.press('?');
      await there(window, 'dialog[open]');
    },
  },
  {
    name: 'a planned shift',
    show: async (window) => {
      await window.press('Escape');
      await goTo(window, 'splits');
      await window.click(split);
      await window.click(id('preset-50'));
      await window.click(id('plan'));
      await window.click(id('dry-run'));
      await there(window, id('dry-run-answer'));
    },
  },
  {
    name: 'a trace',
    show: async (window) => {
      await window.click(id('discard'));
      await goTo(window, 'traces');
      await there(window, id('trace-row'));
      await there(window, id('span-inspector'));
      await tabTo(window, id('waterfall-row'));
    },
  },
];

/** Serious and critical findings on a view in a theme, one line each. */
export async function seriousViolations(
  window: BrowserDriver,
  theme: 'dark' | 'light',
  show: (window: Driver) => Promise<void>,
): Promise<string[]> {
  await until(theme, async () => {
    if ((await attribute(window, 'html', 'data-theme')) === theme) {
      return true;
    }
    await window.click(id('theme'));
    return false;
  });
  await show(window);
  const { violations } = await new AxeBuilder({ page: window.page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id: rule, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${rule}: ${target.join(' ')}: ${failureSummary ?? ''}`),
    );
}
