import { describe, expect, it } from 'vitest';

import { fakeBackend } from '../../tests/fakeBackend';
import { App } from './app.svelte';
import { runKey } from './commands';
import { WindowZoom } from './windowZoom';

function zoomFrom(start: number): { zoom: WindowZoom; sizes: number[] } {
  const sizes = [start];
  const backend = fakeBackend({
    memory: () => ({ theme: 'system', zoom: sizes.at(-1) ?? 1, page: '', problem: null }),
    remember: ({ zoom }) => {
      sizes.push(zoom ?? 0);
      return null;
    },
  });
  return { zoom: new WindowZoom(backend), sizes };
}

describe('the size of everything in the window', () => {
  it('goes up and down by steps, and back', async () => {
    const { zoom, sizes } = zoomFrom(1);
    await Promise.all([zoom.larger(), zoom.larger(), zoom.smaller(), zoom.smaller(), zoom.smaller()]);
    await zoom.asDrawn();
    expect(sizes).toEqual([1, 1.1, 1.25, 1.1, 1, 0.9, 1]);
  });

  it('begins at any size and ends at the last step', async () => {
    const { zoom, sizes } = zoomFrom(1.3);
    await zoom.larger();
    expect(sizes.at(-1)).toBe(1.5);
    const most = zoomFrom(3);
    await most.zoom.larger();
    const least = zoomFrom(0.5);
    await least.zoom.smaller();
    expect([most.sizes.at(-1), least.sizes.at(-1)]).toEqual([3, 0.5]);
  });

  it('has the keys of a browser in the window, and leaves them to a browser', () => {
    for (const zooms of [true, false]) {
      const backend = { ...fakeBackend(), zooms };
      const app = new App(backend);
      const held = ['+', '=', '-', '0'].map((key) => {
        const event = { key, ctrlKey: true, metaKey: false, altKey: false, isComposing: false, target: null };
        return runKey(app, event as unknown as KeyboardEvent);
      });
      expect(held).toEqual([zooms, zooms, zooms, zooms]);
    }
  });
});
