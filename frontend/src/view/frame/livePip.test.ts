// @vitest-environment jsdom
import { screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { GRAPH, source } from '../../../tests/fixture/mesh';
import { prepareWindow, showSplits } from '../../../tests/fixture/splitsScreen';

prepareWindow();
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

it('tells the age of live numbers as a bound that seldom changes, and of stale ones by the second', async () => {
  const sources = [source('metrics', 'Prometheus', { age_s: 0 })];
  const { app } = await showSplits({}, { graph: { ...GRAPH, sources } });
  const words: string[] = [];
  for (let second = 0; second <= 24; second += 1) {
    await tick();
    words.push(screen.getByTestId('live').textContent?.replaceAll(/\s+/g, ' ').trim() ?? '');
    vi.setSystemTime(Date.now() + 1000);
    app.clock.now = Date.now();
  }
  expect(app.feed.stale).toBe(true);
  const refresh = app.feed.session?.refresh_s ?? 0;
  const live = words.slice(0, refresh * 2 + 3);
  expect(new Set(live)).toEqual(
    new Set(['Live · under 5 s ago', 'Live · under 15 s ago', 'Live · under 25 s ago']),
  );
  expect(words[4]).toContain('under 5 s');
  expect(words[5]).toContain('under 15 s');
  expect(words.slice(-2)).toEqual(['Stale · 23 s ago', 'Stale · 24 s ago']);
});
