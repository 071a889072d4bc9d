// The main actions of the loop without a pointer.
import { describe, expect, it } from 'vitest';
import type { Driver } from './driver';
import { id, says, there, until } from './driver';
import { declares, focused, isFocused, onScreen, split, tabTo, weight } from './parts';

export function theKeyboard(opened: () => Driver): void {
  describe('the keyboard alone', () => {
    it('switches screens', async () => {
      const window = opened();
      await there(window, id('screen'));
      for (const [key, screen] of [
        ['3', 'traces'],
        ['2', 'splits'],
        ['1', 'mesh'],
      ] as const) {
        await window.press(key);
        await onScreen(window, screen);
      }
    });

    it('walks the graph and inspects a card', async () => {
      const window = opened();
      await tabTo(window, '[data-testid^="card-"]');
      const seen = new Set([await focused(window)]);
      for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp']) {
        await window.press(key);
        seen.add(await focused(window));
      }
      expect([...seen].every((name) => name?.startsWith('card-'))).toBe(true);
      expect(seen.size).toBeGreaterThan(2);
      const name = (await focused(window))?.replace('card-', '') ?? '';
      await window.press('Enter');
      await says(window, id('inspector-title'), name);
    });

    it('goes to the table and back', async () => {
      const window = opened();
      await window.press('t');
      await there(window, id('mesh-table'));
      await window.press('t');
      await there(window, id('stage'));
    });

    it('reaches the filter and the help, and leaves them', async () => {
      const window = opened();
      await window.press('/');
      await until('the filter', () => isFocused(window, id('filter')));
      await window.press('Escape');
      await until('the filter left', async () => !(await isFocused(window, id('filter'))));
      await window.press('?');
      await says(window, 'dialog[open]', 'Keys');
      await window.press('Escape');
      await until('the help closed', () =>
        window.evaluate(`document.querySelector('dialog[open]') === null`),
      );
    });

    it('shifts traffic and takes it back', async () => {
      const window = opened();
      await window.press('2');
      await onScreen(window, 'splits');
      await tabTo(window, split);
      await window.press('Enter');
      await tabTo(window, weight('v2'));
      // Tab selects what an input holds, so typing replaces it.
      for (const key of ['3', '0', 'Enter', 'Tab']) {
        await window.press(key);
      }
      await declares(window, [70, 30, 0]);
      await window.press('s');
      await until('the dry run’s button', () => isFocused(window, id('dry-run')));
      await window.press('Enter');
      await until('the button to apply', () => isFocused(window, id('apply')));
      await window.press('Enter');
      await says(window, id('journal'), /Applied: .*30/);
      await declares(window, [70, 30, 0]);
      await window.press('u');
      await says(window, id('plan-summary'), 'Undo');
      await until('the button to apply', () => isFocused(window, id('apply')));
      await window.press('Enter');
      await declares(window, [90, 10, 0]);
    });
  });
}
