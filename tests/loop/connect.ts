// From the window to a cluster: what can be chosen, what a look says, and the way back.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { seriousViolations } from './accessibility';
import type { BrowserDriver } from './browser';
import { attribute, id, says, text, there, until } from './driver';
import { isFocused } from './parts';
import { preview } from './preview';

const card = (context: string): string => id(`context-${context}`);

async function inFront(window: BrowserDriver, screen: string): Promise<void> {
  await until(screen, async () => (await attribute(window, id('screen'), 'data-screen')) === screen);
}

/** Nothing of this part sticks out of the window sideways. The picture of the mesh cuts its own. */
async function fits(window: BrowserDriver, part: string): Promise<void> {
  const wide = `[...document.querySelectorAll('${part}')]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.tagName + '.' + one.getAttribute('class'))`;
  expect(await window.evaluate<string[]>(wide)).toEqual([]);
}

export function theChooser(opened: () => BrowserDriver): void {
  describe('the chooser', () => {
    it('is in front at the start and contacts nobody', async () => {
      const window = opened();
      await inFront(window, 'connect');
      await until('the focus on the current context', () => isFocused(window, card('staging')));
      await says(window, id('contexts'), 'staging');
      await says(window, card('prod-eu'), 'not on PATH');
      await says(window, card('staging'), 'certificate is not checked');
      const check = `fetch('/ipc/latest', { method: 'POST', body: '{}', headers: {
        'Content-Type': 'application/json', Authorization: 'Bearer ' + new URLSearchParams(location.hash.slice(1)).get('t'),
      } }).then((answer) => answer.json()).then(({ checks }) => checks.length)`;
      expect(await window.evaluate(check)).toBe(0);
      await window.picture('chooser');
    });

    it('opens the demo by one key, and comes back by another', async () => {
      const window = opened();
      await window.press('d');
      await inFront(window, 'mesh');
      await there(window, id('stage'));
      await window.press('Control+o');
      await inFront(window, 'connect');
    });

    it('shows a broken context with file and line', async () => {
      const window = opened();
      await window.click(card('lost'));
      await says(window, card('lost'), /nowhere/);
      await says(window, id('look'), /config:\d+/);
    });

    it('says what to do about a server that does not answer', async () => {
      const window = opened();
      await window.click(card('staging'));
      await until('the focus on the card', () => isFocused(window, card('staging')));
      await window.press('Enter');
      await says(window, id('connect-failed'), 'staging did not open');
      await says(window, id('connect-failed'), 'What helps');
      await says(window, id('unasked'), 'Namespaces');
    });

    it('says where a missing plugin was looked for and how to install it', async () => {
      const window = opened();
      await window.click(card('prod-eu'));
      await window.press('Enter');
      await says(window, id('connect-failed'), 'prod-eu did not open');
      await says(window, id('connect-failed'), 'apt-get install pilothouse-test-plugin');
      await says(window, id('connect-failed'), /looked in/i);
      await window.picture('connect-failed');
    });

    it.each([
      [1600, 1000],
      [800, 600],
      [720, 450],
    ])('fits into %i x %i', async (width, height) => {
      const window = opened();
      await window.page.setViewportSize({ width, height });
      await fits(window, 'header *, [data-testid="screen"] *');
      await window.press('Escape');
      await inFront(window, 'mesh');
      await fits(window, 'header *, footer *');
      await window.press('Control+o');
      await inFront(window, 'connect');
    });

    it.each(['dark', 'light'] as const)('bars nobody at 800 x 600, %s', async (theme) => {
      const window = opened();
      await window.page.setViewportSize({ width: 800, height: 600 });
      await window.page.emulateMedia({ colorScheme: theme });
      for (const context of ['prod-eu', 'lost', 'demo']) {
        await window.click(card(context));
        const show = (): Promise<void> => says(window, id('look'), /./);
        expect(await seriousViolations(window, theme, show)).toEqual([]);
      }
      await window.page.emulateMedia({ colorScheme: 'dark' });
    });

    it('shows a whole checklist with its candidates', async () => {
      const window = opened();
      const { address, close } = await preview();
      const page = await window.page.context().newPage();
      try {
        await page.setViewportSize({ width: 1440, height: 900 });
        await page.goto(`${address}?connect=checklist&theme=dark`);
        await page.locator(id('candidate')).first().waitFor();
        expect(await page.locator(`${id('candidate')}[data-chosen="true"]`).count()).toBe(2);
        expect(await page.locator(`${id('checklist')} > li`).count()).toBe(10);
        await page.screenshot({ path: join(window.folder, 'checklist.png') });
        for (const width of [800, 720]) {
          await page.setViewportSize({ width, height: 600 });
          const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
          expect(wide).toBe(false);
        }
      } finally {
        await page.close();
        await close();
      }
    });

    it('stays when the last mesh is closed, and opens the demo by one key', async () => {
      const window = opened();
      await window.page.setViewportSize({ width: 1440, height: 900 });
      await window.click(card('demo'));
      await window.click(id('close-context'));
      await says(window, id('context'), 'No mesh chosen');
      expect(await attribute(window, id('screen'), 'data-screen')).toBe('connect');
      await until('the focus on a card', () => isFocused(window, '[data-card]'));
      await window.press('d');
      await inFront(window, 'mesh');
      await there(window, id('stage'));
      await until('the title', async () => (await window.page.title()) === 'Demo mesh - Pilothouse');
    });

    it('opens again from the chip, and Escape goes back', async () => {
      const window = opened();
      await window.click(id('context'));
      await inFront(window, 'connect');
      await until('the focus on the open one', () => isFocused(window, card('demo')));
      expect(await text(window, card('demo'))).toContain('open');
      await window.press('Escape');
      await inFront(window, 'mesh');
    });
  });
}
