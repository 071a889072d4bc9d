import type { Backend } from '../backend/backend';
import { toCallError } from '../backend/backend';
import type {
  ApiError,
  DryRunView,
  JournalEntryView,
  JournalView,
  PlanView,
  SplitView,
} from '../backend/bindings';
import { declaredWeights, moveWeight, sameWeights } from '../model/weights';
import { Remote } from './remote.svelte';

export type ShiftStep = 'plan' | 'dry_run' | 'apply' | 'undo';

export interface Failure {
  readonly during: ShiftStep;
  readonly error: ApiError;
}

interface Draft {
  readonly splitId: string;
  /** The destination that moves, and the weights before it began to. */
  readonly pivot: number;
  readonly base: readonly number[];
  readonly weights: readonly number[];
  /** What was declared when the draft began: if that changes, somebody else was here. */
  readonly declared: readonly number[];
}

/**
 * A weight shift on its way: draft -> plan -> dry run -> apply. Every change of the draft throws the plan away; the
 * engine holds the plan itself, this holds its one-time id.
 */
export class Shift {
  draft = $state.raw<Draft | null>(null);
  plan = $state.raw<PlanView | null>(null);
  dryRun = $state.raw<DryRunView | null>(null);
  applied = $state.raw<JournalEntryView | null>(null);
  failure = $state.raw<Failure | null>(null);
  busy = $state<ShiftStep | null>(null);
  reason = $state('');
  readonly journal = new Remote<JournalView>();

  private readonly backend: Backend;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Weights to show for a split: the draft's if there is one, else as declared. */
  weightsOf(split: SplitView): readonly number[] {
    return this.draft?.splitId === split.id ? this.draft.weights : declaredWeights(split);
  }

  isDrafted(split: SplitView): boolean {
    return this.draft?.splitId === split.id && !sameWeights(this.draft.weights, declaredWeights(split));
  }

  /** The declared weights changed under the draft. */
  isOutdated(split: SplitView): boolean {
    return this.draft?.splitId === split.id && !sameWeights(this.draft.declared, declaredWeights(split));
  }

  setWeight(split: SplitView, index: number, value: number): void {
    const current = this.weightsOf(split);
    const sameMove = this.draft?.splitId === split.id && this.draft.pivot === index;
    const base = sameMove && this.draft !== null ? this.draft.base : current;
    const weights = moveWeight(base, index, value);
    if (sameWeights(weights, current)) {
      return;
    }
    const declared = this.draft?.splitId === split.id ? this.draft.declared : declaredWeights(split);
    this.discardPlan();
    this.draft = { splitId: split.id, pivot: index, base, weights, declared };
  }

  /** Forgets draft and plan, as if the split had just been opened. */
  reset(): void {
    this.draft = null;
    this.discardPlan();
    this.reason = '';
  }

  async stage(split: SplitView): Promise<boolean> {
    const weights = this.weightsOf(split);
    return this.step('plan', async () => {
      this.discardPlan();
      this.plan = await this.backend.call('plan_shift', {
        split_id: split.id,
        // By position, counted from 1: two destinations may share a name.
        weights: split.destinations.map((_, i) => ({ destination: `#${i + 1}`, weight: weights[i] ?? 0 })),
      });
    });
  }

  /** Opens the plan that takes a change back, and asks the server about it at once: Enter then carries it out. */
  async stageUndo(entryId: string | null): Promise<boolean> {
    const staged = await this.step('undo', async () => {
      this.discardPlan();
      this.plan = await this.backend.call('plan_undo', { entry_id: entryId });
      this.draft = null;
    });
    return staged && this.plan?.applicable === true ? this.tryOut() : staged;
  }

  async tryOut(): Promise<boolean> {
    const plan = this.plan;
    if (plan === null) {
      return false;
    }
    return this.step('dry_run', async () => {
      this.dryRun = await this.backend.call('dry_run', { plan_id: plan.plan_id });
    });
  }

  async apply(): Promise<boolean> {
    const plan = this.plan;
    if (plan === null) {
      return false;
    }
    const done = await this.step('apply', async () => {
      this.applied = await this.backend.call('apply', { plan_id: plan.plan_id, reason: this.reason.trim() });
      this.draft = null;
      this.plan = null;
      this.dryRun = null;
      this.reason = '';
    });
    void this.loadJournal();
    return done;
  }

  async loadJournal(): Promise<void> {
    await this.journal.ask(() => this.backend.call('journal', null));
  }

  private discardPlan(): void {
    this.plan = null;
    this.dryRun = null;
    this.applied = null;
    this.failure = null;
  }

  private async step(during: ShiftStep, work: () => Promise<void>): Promise<boolean> {
    if (this.busy !== null) {
      return false;
    }
    this.busy = during;
    this.failure = null;
    try {
      await work();
      return true;
    } catch (thrown) {
      this.failure = { during, error: toCallError(thrown).error };
      return false;
    } finally {
      this.busy = null;
    }
  }
}
