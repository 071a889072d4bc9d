// @vitest-environment jsdom
import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { update } from '../../../tests/fakeBackend';
import { GRAPH, session } from '../../../tests/fixture/mesh';
import { refusal } from '../../../tests/fixture/splits';
import { focused, prepareWindow, press, showSplits } from '../../../tests/fixture/splitsScreen';

prepareWindow();

const status = (): string => screen.getByTestId('status').firstElementChild?.textContent ?? '';

describe('the context', () => {
  it('tells name and server of a real one, and nothing about being unreal', async () => {
    const real = session({ context: 'prod-eu', class: 'normal', server: '' });
    const { backend } = await showSplits({}, { session: real });
    expect(screen.getByTestId('context').title).toBe('prod-eu');
    backend.push(update({ session: { ...real, server: 'prod.example:6443' } }));
    await waitFor(() => expect(screen.getByTestId('context').title).toBe('prod-eu\nprod.example:6443'));
    backend.push(update({ session: session({ class: 'demo' }) }));
    await waitFor(() => expect(screen.getByTestId('context').title).toContain('Nothing here is real'));
  });
});

describe('the window of the numbers', () => {
  it('is marked while the numbers are of another one', async () => {
    const { backend } = await showSplits({}, { session: session({ window_s: 300 }) });
    expect(screen.getByTestId('window-pending').textContent).toContain('Numbers of the last 1 min');
    backend.push(update({ graph: { ...GRAPH, window_s: 300 }, session: session({ window_s: 300 }) }));
    await waitFor(() => expect(screen.getByTestId('window-pending').textContent).toBe(''));
  });
});

describe('the status line', () => {
  it('counts what the filter matches', async () => {
    const { app } = await showSplits();
    expect(status()).toBe('3 splits, 1 finding');
    app.place.filterText.splits = 'reviews';
    await waitFor(() => expect(status()).toBe('1 match of 3 splits'));
    app.place.filterText.mesh = 'nowhere';
    app.place.go('mesh');
    await waitFor(() => expect(status()).toBe(`0 match of ${GRAPH.nodes.length} services`));
  });

  it('tells a failed search from none', async () => {
    const { app } = await showSplits({
      find_traces: () => {
        throw refusal('unavailable');
      },
    });
    app.place.go('traces');
    await waitFor(() => expect(status()).toBe('the search failed'));
  });
});

describe('the focus', () => {
  it('begins a new screen at its beginning, unless it is in the filter', async () => {
    const { app } = await showSplits();
    expect(document.activeElement).toBe(document.body);
    press('3');
    await waitFor(() => expect(focused()).toBe('screen'));
    app.filterBox?.focus();
    app.place.go('splits');
    await screen.findByTestId('plan-panel');
    expect(focused()).toBe('filter');
  });

  it('goes to the name that arming production asks for', async () => {
    // jsdom knows no modal dialogs.
    Object.assign(HTMLDialogElement.prototype, {
      showModal(this: HTMLDialogElement) {
        this.open = true;
      },
    });
    await showSplits(
      {},
      {
        session: session({
          class: 'production',
          writes: { armed: false, remaining_s: null, needs_name: true, forbidden: false },
        }),
      },
    );
    await fireEvent.click(screen.getByTestId('arm'));
    await waitFor(() => expect(focused()).toBe('arm-name'));
  });
});

describe('a held Enter', () => {
  it('does not walk from step to step', async () => {
    await showSplits();
    const button = screen.getByTestId('theme');
    const event = new KeyboardEvent('keydown', {
      key: 'Enter',
      repeat: true,
      bubbles: true,
      cancelable: true,
    });
    button.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
  });
});
