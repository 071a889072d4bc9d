import { describe, expect, it } from 'vitest';

import { fakeBackend } from '../../tests/fakeBackend';
import { deferred, DRY_RUN, journalEntry, plan, refusal, SPLITS } from '../../tests/fixture/splits';
import type { FakeBackend } from '../../tests/fakeBackend';
import type { DryRunView, JournalEntryView, PlanView, SplitView } from '../backend/bindings';
import { Shift } from './shift.svelte';

const [LEDGER, REVIEWS] = SPLITS as readonly [SplitView, SplitView, SplitView];

function withWeights(split: SplitView, weights: readonly number[]): SplitView {
  return {
    ...split,
    destinations: split.destinations.map((one, i) => ({
      ...one,
      weight: weights[i] ?? 0,
      counted_weight: weights[i] ?? 0,
    })),
  };
}

function begin(answers: Parameters<typeof fakeBackend>[0] = {}): { shift: Shift; backend: FakeBackend } {
  const backend = fakeBackend(answers);
  return { shift: new Shift(backend), backend };
}

async function planned(shift: Shift): Promise<void> {
  shift.setWeight(REVIEWS, 2, 25);
  await shift.stage(REVIEWS);
}

describe('an edit while the backend works', () => {
  it('drops the plan of the weights before it', async () => {
    const answer = deferred<PlanView>();
    const { shift } = begin({ plan_shift: () => answer.promise });
    shift.setWeight(REVIEWS, 2, 25);
    const staged = shift.stage(REVIEWS);
    shift.setWeight(REVIEWS, 2, 50);
    expect(shift.of(REVIEWS.id).busy).toBeNull();
    answer.resolve(plan({ split_id: REVIEWS.id, weights: [] }));
    expect(await staged).toBe(false);
    expect(shift.of(REVIEWS.id).plan).toBeNull();
    expect(shift.weightsOf(REVIEWS)[2]).toBe(50);
  });

  it('drops the dry run of a plan that was thrown away, and its failure', async () => {
    const answer = deferred<DryRunView>();
    const { shift } = begin({ dry_run: () => answer.promise });
    await planned(shift);
    const tried = shift.tryOut(REVIEWS.id);
    shift.reset(REVIEWS.id);
    await planned(shift);
    answer.reject(refusal('rejected'));
    expect(await tried).toBe(false);
    expect(shift.of(REVIEWS.id)).toMatchObject({ dryRun: null, failure: null, busy: null });
    expect(shift.of(REVIEWS.id).plan).not.toBeNull();
  });

  it('drops the plan of an undo', async () => {
    const answer = deferred<PlanView>();
    const { shift } = begin({ plan_undo: () => answer.promise });
    const staged = shift.stageUndo(REVIEWS.id, 'entry-1');
    shift.setWeight(REVIEWS, 2, 50);
    answer.resolve({ ...plan({ split_id: REVIEWS.id, weights: [] }), kind: 'undo' });
    expect(await staged).toBeNull();
    expect(shift.of(REVIEWS.id).plan).toBeNull();
    expect(shift.of(REVIEWS.id).draft).not.toBeNull();
  });

  it('is refused while the plan is being applied', async () => {
    const answer = deferred<JournalEntryView>();
    const { shift } = begin({ apply: () => answer.promise });
    await planned(shift);
    await shift.tryOut(REVIEWS.id);
    const applied = shift.apply(REVIEWS.id);
    expect(shift.applying).toBe(REVIEWS.id);
    shift.setWeight(REVIEWS, 2, 50);
    shift.reset(REVIEWS.id);
    expect(shift.back(REVIEWS.id)).toBe(false);
    expect(shift.weightsOf(REVIEWS)[2]).toBe(25);
    expect(shift.of(REVIEWS.id).plan).not.toBeNull();
    // Another split can be worked on meanwhile, and keeps what was done there.
    shift.setWeight(LEDGER, 1, 10);
    answer.resolve(journalEntry({ entry_id: 'entry-2' }));
    expect(await applied).toBe(true);
    expect(shift.applying).toBeNull();
    expect(shift.of(REVIEWS.id)).toMatchObject({ draft: null, plan: null, dryRun: null });
    expect(shift.weightsOf(LEDGER)).toEqual([90, 10]);
  });

  it('applies one plan at a time', async () => {
    const answer = deferred<JournalEntryView>();
    const { shift, backend } = begin({ apply: () => answer.promise });
    await planned(shift);
    shift.setWeight(LEDGER, 1, 10);
    await shift.stage(LEDGER);
    void shift.apply(REVIEWS.id);
    expect(await shift.apply(LEDGER.id)).toBe(false);
    expect(backend.calls.filter((call) => call.command === 'apply')).toHaveLength(1);
    answer.resolve(journalEntry());
  });
});

describe('drafts', () => {
  it('are kept for each split, with their plans and reasons', async () => {
    const { shift } = begin();
    await planned(shift);
    shift.setReason(REVIEWS.id, 'half for v3');
    shift.setWeight(LEDGER, 1, 10);
    expect(shift.weightsOf(REVIEWS)).toEqual([25, 50, 25]);
    expect(shift.of(REVIEWS.id).plan).not.toBeNull();
    expect(shift.of(REVIEWS.id).reason).toBe('half for v3');
    expect(shift.of(LEDGER.id).reason).toBe('');
    shift.reset(LEDGER.id);
    expect(shift.isDrafted(REVIEWS)).toBe(true);
  });

  it('are none when they say what is declared', () => {
    const { shift } = begin();
    shift.setWeight(REVIEWS, 2, 25);
    shift.setWeight(REVIEWS, 2, 10);
    expect(shift.of(REVIEWS.id).draft).toBeNull();
    expect(shift.isOutdated(withWeights(REVIEWS, [20, 70, 10]))).toBe(false);
  });

  it('are outdated once somebody else changed the weights, but not when that made them true', () => {
    const { shift } = begin();
    shift.setWeight(REVIEWS, 2, 25);
    expect(shift.isOutdated(withWeights(REVIEWS, [20, 70, 10]))).toBe(true);
    expect(shift.isOutdated(withWeights(REVIEWS, [25, 50, 25]))).toBe(false);
  });

  it('give way to the weights of an undo, which show until it is dropped', async () => {
    const { shift } = begin();
    shift.setWeight(REVIEWS, 1, 0);
    expect(await shift.stageUndo(REVIEWS.id, 'entry-1')).toBe(REVIEWS.id);
    expect(shift.of(REVIEWS.id)).toMatchObject({ draft: null, undoOf: 'entry-1' });
    expect(shift.of(REVIEWS.id).dryRun).toEqual(DRY_RUN);
    expect(shift.weightsOf(REVIEWS)).toEqual([25, 65, 5]);
    shift.setWeight(REVIEWS, 2, 15);
    expect(shift.weightsOf(REVIEWS)).toEqual([25, 55, 15]);
    expect(shift.of(REVIEWS.id).plan).toBeNull();
  });
});

describe('backing out', () => {
  it('drops the plan, then the draft, then nothing', async () => {
    const { shift } = begin();
    await planned(shift);
    await shift.tryOut(REVIEWS.id);
    expect(shift.back(REVIEWS.id)).toBe(true);
    expect(shift.of(REVIEWS.id)).toMatchObject({ plan: null, dryRun: null });
    expect(shift.isDrafted(REVIEWS)).toBe(true);
    expect(shift.back(REVIEWS.id)).toBe(true);
    expect(shift.isDrafted(REVIEWS)).toBe(false);
    expect(shift.back(REVIEWS.id)).toBe(false);
  });
});

describe('a refusal', () => {
  it('belongs to its split and goes with the next edit', async () => {
    const { shift } = begin({
      plan_shift: () => {
        throw refusal('rejected');
      },
    });
    await planned(shift);
    expect(shift.of(REVIEWS.id).failure).toMatchObject({ during: 'plan', error: { code: 'rejected' } });
    expect(shift.of(LEDGER.id).failure).toBeNull();
    shift.setWeight(REVIEWS, 2, 50);
    expect(shift.of(REVIEWS.id).failure).toBeNull();
  });

  it.each(['conflict', 'not_found'] as const)(
    'as %s makes the plan useless until it is made again',
    async (code) => {
      let refused = true;
      const { shift } = begin({
        apply: () => {
          if (refused) {
            throw refusal(code);
          }
          return journalEntry();
        },
      });
      await planned(shift);
      await shift.tryOut(REVIEWS.id);
      expect(shift.isUseless(REVIEWS.id)).toBe(false);
      expect(await shift.apply(REVIEWS.id)).toBe(false);
      expect(shift.isUseless(REVIEWS.id)).toBe(true);
      refused = false;
      expect(await shift.apply(REVIEWS.id)).toBe(false);
      const changed = withWeights(REVIEWS, [20, 70, 10]);
      expect(await shift.planAgain(changed)).toBe(true);
      expect(shift.isUseless(REVIEWS.id)).toBe(false);
      expect(shift.weightsOf(changed)).toEqual([25, 50, 25]);
      expect(shift.isOutdated(changed)).toBe(false);
      expect(await shift.apply(REVIEWS.id)).toBe(true);
    },
  );

  it('plans the same undo again', async () => {
    const { shift, backend } = begin({
      dry_run: () => {
        throw refusal('conflict');
      },
    });
    await shift.stageUndo(REVIEWS.id, 'entry-1');
    expect(shift.isUseless(REVIEWS.id)).toBe(true);
    await shift.planAgain(REVIEWS);
    expect(backend.calls.filter((call) => call.command === 'plan_undo').map((call) => call.request)).toEqual([
      { context: null, entry_id: 'entry-1' },
      { context: null, entry_id: 'entry-1' },
    ]);
  });
});

describe('the journal', () => {
  it('knows the last change that an undo takes back, which is no undo', async () => {
    const { shift } = begin({
      journal: () => ({
        entries: [
          journalEntry({ entry_id: 'entry-3', kind: 'undo' }),
          journalEntry({ entry_id: 'entry-2', undoable: false }),
          journalEntry({ entry_id: 'entry-1' }),
        ],
      }),
    });
    expect(shift.lastUndoable).toBeNull();
    await shift.loadJournal();
    expect(shift.lastUndoable?.entry_id).toBe('entry-1');
  });
});
