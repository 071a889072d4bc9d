// @vitest-environment jsdom
import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { update } from '../../../tests/fakeBackend';
import { deferred, destination, journalEntry, refusal, SPLITS } from '../../../tests/fixture/splits';
import { ARMED, focused, prepareWindow, press, showSplits } from '../../../tests/fixture/splitsScreen';
import type { JournalEntryView, SplitView } from '../../backend/bindings';
import { verdictSentence } from './words';

prepareWindow();

const [LEDGER, REVIEWS, FRAUD] = SPLITS as readonly [SplitView, SplitView, SplitView];
const shownSplit = (): string =>
  screen.getByRole('region', { name: /^Split / }).getAttribute('aria-label') ?? '';
const disabled = (id: string): boolean => (screen.getByTestId(id) as HTMLButtonElement).disabled;
const weight = (name: string): string => (screen.getByTestId(`weight-${name}`) as HTMLInputElement).value;

async function choose(split: SplitView): Promise<void> {
  await fireEvent.click(screen.getByTestId(`split-${split.namespace}-${split.name}-0`));
}

/** To the point where Apply is open. */
async function toApply(): Promise<void> {
  await choose(REVIEWS);
  await fireEvent.click(screen.getByTestId('preset-25'));
  await fireEvent.click(screen.getByTestId('plan'));
  await fireEvent.click(await screen.findByTestId('dry-run'));
  await waitFor(() => expect(disabled('apply')).toBe(false));
}

describe('the split in front', () => {
  it('stays while the order of the list changes, and is not replaced when it goes', async () => {
    const { backend } = await showSplits();
    expect(shownSplit()).toBe('Split payments/ledger');
    backend.push(update({ splits: { splits: [REVIEWS, FRAUD, LEDGER] }, session: ARMED }));
    await waitFor(() => expect(screen.getAllByTestId(/^split-/)[0]?.dataset['testid']).toContain('reviews'));
    expect(shownSplit()).toBe('Split payments/ledger');
    backend.push(update({ splits: { splits: [REVIEWS, FRAUD] }, session: ARMED }));
    expect((await screen.findByTestId('split-gone')).textContent).toContain('payments/ledger is gone');
    expect(screen.getByTestId('journal')).toBeTruthy();
    backend.push(update({ splits: { splits: [] }, session: ARMED }));
    await waitFor(() => expect(screen.queryAllByTestId(/^split-payments/)).toHaveLength(0));
    expect(screen.getByTestId('split-gone').textContent).toContain('payments/ledger is gone');
  });

  it('shows which others have a draft or a plan', async () => {
    await showSplits();
    await toApply();
    await choose(LEDGER);
    expect(screen.getByTestId('split-shop-reviews-0').textContent).toContain('plan');
    await fireEvent.click(screen.getByTestId('preset-10'));
    expect(screen.getByTestId('split-payments-ledger-0').textContent).toContain('draft');
    await choose(REVIEWS);
    expect(weight('v3')).toBe('25');
    expect(disabled('apply')).toBe(false);
  });
});

describe('while a plan is being applied', () => {
  it('locks its controls and says so', async () => {
    const answer = deferred<JournalEntryView>();
    await showSplits({ apply: () => answer.promise });
    await toApply();
    expect(screen.queryByTestId('writing')).toBeNull();
    await fireEvent.click(screen.getByTestId('apply'));
    expect((await screen.findByTestId('writing')).textContent).toContain('A write is under way');
    for (const id of ['weight-v3', 'slider-v3', 'preset-50', 'reset', 'plan', 'discard', 'apply', 'reason']) {
      expect([id, disabled(id)]).toEqual([id, true]);
    }
    await choose(LEDGER);
    expect(disabled('weight-v1')).toBe(false);
    expect(screen.getByTestId('writing').textContent).toContain('shop/reviews is being changed');
    answer.resolve(journalEntry({ entry_id: 'entry-2' }));
    await waitFor(() => expect(screen.queryByTestId('writing')).toBeNull());
  });
});

describe('the undo', () => {
  const entries = [
    journalEntry({ entry_id: 'entry-3', kind: 'undo', summary: 'an undo' }),
    journalEntry({ entry_id: 'entry-2', undoable: false }),
    journalEntry({ entry_id: 'entry-1', summary: 'a shift' }),
  ];

  it('takes back the last change that is no undo, by its id, on the screen of its split', async () => {
    const { backend } = await showSplits({ journal: () => ({ entries }) });
    const button = await screen.findByTestId('undo');
    expect(button.textContent).toContain('a shift');
    expect(screen.getAllByRole('button', { name: 'Undo this' })).toHaveLength(1);
    press('u');
    expect((await screen.findByTestId('plan-summary')).textContent).toContain('Undo');
    expect(backend.calls.find((call) => call.command === 'plan_undo')?.request).toEqual({
      context: null,
      entry_id: 'entry-1',
    });
    expect(shownSplit()).toBe('Split shop/reviews');
    expect(weight('v3')).toBe('5');
    expect(screen.getByTestId('destination-v3').textContent).toContain('was 10');
  });

  it('is not there when only an undo could be taken back', async () => {
    const { backend } = await showSplits({ journal: () => ({ entries: entries.slice(0, 2) }) });
    await screen.findByRole('button', { name: 'Undo this' });
    expect(screen.queryByTestId('undo')).toBeNull();
    press('u');
    expect(backend.calls.some((call) => call.command === 'plan_undo')).toBe(false);
  });

  it('says why it failed on its own split only', async () => {
    await showSplits({
      plan_undo: () => {
        throw refusal('conflict');
      },
    });
    await screen.findByTestId('undo');
    press('u');
    expect((await screen.findByTestId('failure')).dataset['code']).toBe('conflict');
    expect(screen.getByTestId('step-staged').dataset['state']).toBe('bad');
    expect(screen.queryByTestId('plan-again')).toBeNull();
    await choose(LEDGER);
    expect(screen.queryByTestId('failure')).toBeNull();
  });
});

describe('a conflict', () => {
  it('closes Apply and leads to a new plan', async () => {
    let plans = 0;
    const { backend } = await showSplits({
      apply: () => {
        plans += 1;
        throw refusal('conflict');
      },
    });
    await toApply();
    await fireEvent.click(screen.getByTestId('apply'));
    const again = await screen.findByTestId('plan-again');
    expect(disabled('apply')).toBe(true);
    expect(document.activeElement).toBe(again);
    expect(screen.getByTestId('step-applied').dataset['state']).toBe('bad');
    expect(screen.getByTestId('step-applied').textContent).toContain('Not applied');
    await fireEvent.click(again);
    await waitFor(() => expect(focused()).toBe('dry-run'));
    expect(screen.queryByTestId('failure')).toBeNull();
    expect(backend.calls.filter((call) => call.command === 'plan_shift')).toHaveLength(2);
    expect(plans).toBe(1);
  });
});

describe('the focus', () => {
  it('goes from Apply to Undo', async () => {
    await showSplits({ journal: () => ({ entries: [journalEntry({ entry_id: 'entry-2' })] }) });
    await toApply();
    await waitFor(() => expect(focused()).toBe('apply'));
    await fireEvent.click(screen.getByTestId('apply'));
    await waitFor(() => expect(focused()).toBe('undo'));
  });

  it('goes from Discard and Reset to the weight that the presets move', async () => {
    await showSplits();
    await toApply();
    await fireEvent.click(screen.getByTestId('discard'));
    expect(focused()).toBe('weight-v3');
    await fireEvent.click(screen.getByTestId('preset-50'));
    await fireEvent.click(screen.getByTestId('reset'));
    expect(focused()).toBe('weight-v3');
  });

  it('stays in the reason while somebody writes it', async () => {
    await showSplits();
    await toApply();
    screen.getByTestId('reason').focus();
    await fireEvent.input(screen.getByTestId('reason'), { target: { value: 'because' } });
    expect(focused()).toBe('reason');
    // Esc is out of the text first; the plan stays.
    press('Escape');
    expect(focused()).toBeNull();
    expect(screen.getByTestId('plan-summary')).toBeTruthy();
  });
});

describe('Esc', () => {
  it('drops the plan, then the draft, then the filter', async () => {
    const { app } = await showSplits();
    await toApply();
    app.place.filterText.splits = 'reviews';
    press('Escape');
    await waitFor(() => expect(screen.queryByTestId('plan-summary')).toBeNull());
    expect(weight('v3')).toBe('25');
    press('Escape');
    await waitFor(() => expect(weight('v3')).toBe('10'));
    expect(app.place.filterText.splits).toBe('reviews');
    press('Escape');
    expect(app.place.filterText.splits).toBe('');
  });

  it('takes back what was typed and not entered', async () => {
    await showSplits();
    await choose(REVIEWS);
    const input = screen.getByTestId('weight-v3') as HTMLInputElement;
    input.focus();
    await fireEvent.input(input, { target: { value: '77' } });
    await fireEvent.keyDown(input, { key: 'Escape' });
    expect(input.value).toBe('10');
  });

  it('leaves the origin of a search for traces, then its filter', async () => {
    const { app } = await showSplits();
    app.place.go('traces');
    app.traces.origin = { kind: 'node', id: 'x', label: 'shop/reviews' };
    app.place.filterText.traces = 'web';
    press('Escape');
    expect(app.traces.origin).toBeNull();
    expect(app.place.filterText.traces).toBe('web');
    press('Escape');
    expect(app.place.filterText.traces).toBe('');
  });
});

describe('the verdict', () => {
  it('tells nothing counted from too little counted', () => {
    expect(verdictSentence(FRAUD)).toBe('share unknown: no requests were counted');
    const few = destination('v1', 90, 100, { observed_ratio: 0.9, requests: 46 });
    const none = destination('v2', 10, 100, { observed_ratio: 0.1, requests: 5 });
    expect(verdictSentence({ ...FRAUD, destinations: [few, none] })).toBe('too few requests to tell: n 51');
  });
});
