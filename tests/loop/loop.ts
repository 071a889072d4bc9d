// The loop, once: see the mesh, shift traffic, watch it follow, take it back, read a failing trace. It runs the same in a
// browser and in the real window; its steps build on each other.
import { describe, expect, it } from 'vitest';
import type { Driver } from './driver';
import { attribute, count, id, says, texts, there, until } from './driver';
import type { Rect } from './parts';
import { card, declares, follows, generation, goTo, onScreen, places, split, updates, weight } from './parts';

const FAILED_SPAN = `${id('waterfall-row')}[data-status="error"]`;

export function theLoop(opened: () => Driver): void {
  describe('the loop', () => {
    let before: Record<string, Rect> = {};

    it('changes its theme', async () => {
      const window = opened();
      const theme = (): Promise<string | null> => attribute(window, 'html', 'data-theme');
      await there(window, card('reviews'));
      expect(await attribute(window, id('theme'), 'aria-label')).toBe('Theme: system');
      await window.click(id('theme'));
      await window.click(id('theme'));
      await until('light', async () => (await theme()) === 'light');
      await window.picture('mesh-light');
      await window.click(id('theme'));
      await window.click(id('theme'));
      expect(await attribute(window, id('theme'), 'aria-label')).toBe('Theme: dark');
      expect(await theme()).toBe('dark');
    });

    it('shows the live graph of the demo mesh', async () => {
      const window = opened();
      await there(window, card('reviews'));
      await says(window, id('live'), 'Live');
      await says(window, id('context'), /demo/i);
      before = await until('a graph', async () => {
        const found = await places(window);
        return Object.keys(found).length > 10 && found;
      });
      expect(await texts(window, `${id('status')} [data-state]`)).toHaveLength(3);
      expect(await count(window, `${id('status')} [data-state="ok"]`)).toBe(3);
    });

    it('tells the same in the table', async () => {
      const window = opened();
      await window.click(id('stage-table'));
      await there(window, id('mesh-table'));
      const rows = await texts(window, id('row-name'));
      expect(rows.toSorted()).toEqual(Object.keys(before).toSorted());
      await window.click(id('table-graph'));
      await there(window, card('reviews'));
    });

    it('selects reviews and shows its split', async () => {
      const window = opened();
      await window.click(card('reviews'));
      await says(window, id('inspector-title'), 'shop/reviews');
      await says(window, id('figure-rate'), /\d.* rps/);
      await there(window, id('split-mini'));
      expect(await attribute(window, card('reviews'), 'aria-pressed')).toBe('true');
    });

    it('leaves every card at its place while numbers change', async () => {
      const window = opened();
      const sentence = (): Promise<string | null> => attribute(window, card('reviews'), 'aria-label');
      const first = await sentence();
      await updates(window, 3);
      await until('other numbers', async () => (await sentence()) !== first);
      expect(await places(window)).toEqual(before);
      await window.picture('mesh');
    });

    it('plans a shift of reviews from 90/10 to 50/50', async () => {
      const window = opened();
      await window.click(`${id('split-mini')} button`);
      await onScreen(window, 'splits');
      expect(await attribute(window, split, 'aria-pressed')).toBe('true');
      await declares(window, [90, 10, 0]);
      await follows(window, 'v2', 5, 15);
      await window.fill(weight('v2'), '50');
      await declares(window, [50, 50, 0]);
      await window.click(id('plan'));
      await says(window, id('diff'), /- .*weight: 90/);
      await says(window, id('diff'), /\+ .*weight: 50/);
      await says(window, id('patch'), 'test');
    });

    it('applies it after the dry run', async () => {
      const window = opened();
      await window.click(id('dry-run'));
      await says(window, id('dry-run-answer'), 'The server would take it');
      await window.fill(id('reason'), 'half for v2');
      await window.click(id('apply'));
      await says(window, id('journal'), 'half for v2');
      await declares(window, [50, 50, 0]);
    });

    it('sees the observed share follow', async () => {
      const window = opened();
      await there(window, id('progress'));
      await follows(window, 'v2', 45, 55);
      await there(window, `${id('step-converged')}[data-state="done"]`, 120_000);
      await window.picture('splits');
    });

    it('takes it back', async () => {
      const window = opened();
      await window.click(id('undo'));
      await says(window, id('plan-summary'), 'Undo');
      await says(window, id('dry-run-answer'), 'The server would take it');
      await window.click(id('apply'));
      await says(window, id('journal'), 'Undone');
      await declares(window, [90, 10, 0]);
      await follows(window, 'v2', 5, 30);
    });

    it('has moved no card by all this', async () => {
      const window = opened();
      await goTo(window, 'mesh');
      await there(window, card('reviews'));
      expect(await places(window)).toEqual(before);
    });

    it('opens a failing trace of reviews', async () => {
      const window = opened();
      await window.click(card('reviews'));
      await window.click(id('failing-traces'));
      await onScreen(window, 'traces');
      await there(window, id('trace-row'));
      expect(await window.evaluate(`document.querySelector('${id('trace-errors-only')}').checked`)).toBe(
        true,
      );
      await window.click(id('trace-row'));
      await there(window, FAILED_SPAN);
      await window.click(FAILED_SPAN);
      await says(window, id('span-inspector'), /error/i);
      await there(window, id('span-attributes'));
      await window.picture('traces');
    });

    it('goes on after the page was loaded anew', async () => {
      const window = opened();
      await goTo(window, 'mesh');
      const number = (await generation(window)) ?? 0;
      await window.reload();
      // The screen is remembered a moment after it changed: which one comes back is not what is asked here.
      await goTo(window, 'mesh');
      await there(window, card('reviews'));
      await updates(window, 3);
      expect(await generation(window)).toBeGreaterThan(number);
      await says(window, id('live'), 'Live');
      expect(await places(window)).toEqual(before);
    });
  });
}
