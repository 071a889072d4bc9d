// @vitest-environment jsdom
import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { fakeBackend, update } from '../../tests/fakeBackend';
import { stubWindow } from '../../tests/fixture/jsdom';
import { progress, SPLITS } from '../../tests/fixture/splits';
import { App as AppState } from '../state/app.svelte';
import App from './App.svelte';

function open(): { app: AppState; backend: ReturnType<typeof fakeBackend> } {
  stubWindow();
  const backend = fakeBackend();
  const app = new AppState(backend);
  app.place.go('splits');
  render(App, { app });
  return { app, backend };
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('the window', () => {
  it('draws a curve that has two points at the same moment', async () => {
    const { backend } = open();
    const [point] = progress().curve;
    backend.push(
      update({
        progress: [
          progress({ curve: point === undefined ? [] : [point, point], split_id: SPLITS[0]?.id ?? '' }),
        ],
      }),
    );
    expect(await screen.findByTestId('progress')).toBeTruthy();
  });

  it('says that a screen broke, and goes on with the others', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { app, backend } = open();
    const broken = SPLITS.map((split) => ({ ...split, destinations: null as never }));
    backend.push(update({ splits: { splits: broken } }));
    expect((await screen.findByTestId('state-failed')).textContent).toContain('This screen broke');
    expect(told).toHaveBeenCalled();
    app.place.go('traces');
    await waitFor(() => expect(screen.queryByText('This screen broke')).toBeNull());
    expect(await screen.findAllByTestId('trace-row')).not.toHaveLength(0);
    backend.push(update());
    app.place.go('splits');
    expect(await screen.findAllByTestId(/^split-/)).not.toHaveLength(0);
  });
});
