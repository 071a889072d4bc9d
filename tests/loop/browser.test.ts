import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations, views } from './accessibility';
import { BrowserDriver } from './browser';
import { theChooser } from './connect';
import { theKeyboard } from './keyboard';
import { theLoop } from './loop';

describe('in Chromium', () => {
  let window: BrowserDriver;
  beforeAll(async () => {
    window = await BrowserDriver.open();
  });
  afterAll(() => window?.close());
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') {
      await window.picture('failed');
    }
    expect(await window.complaints(), 'errors of the page').toEqual([]);
  });

  theLoop(() => window);
  theKeyboard(() => window);

  describe.each(['dark', 'light'] as const)('%s', (theme) => {
    it.each(views.map(({ name, show }) => [name, show] as const))('bars nobody from %s', async (_, show) => {
      expect(await seriousViolations(window, theme, show)).toEqual([]);
    });
  });
});

describe('choosing a mesh in Chromium', () => {
  let window: BrowserDriver;
  beforeAll(async () => {
    window = await BrowserDriver.open('connect', { width: 1440, height: 900 }, []);
  });
  afterAll(() => window?.close());
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') {
      await window.picture('failed');
    }
    expect(await window.complaints(), 'errors of the page').toEqual([]);
  });

  theChooser(() => window);
});
