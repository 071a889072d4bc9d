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
import type { ShiftStep } from '../model/shiftSteps';
import { contextOf } from '../model/splitId';
import { declaredWeights, moveWeight, sameWeights, sharesOfDraft } from '../model/weights';
import { Remote } from './remote.svelte';

export interface Failure {
  readonly during: ShiftStep;
  readonly error: ApiError;
}

interface Draft {
  /** The destination that moves, and the weights before it began to. */
  readonly pivot: number;
  readonly base: readonly number[];
  readonly weights: readonly number[];
  /** What was declared when the draft began: if that changes, somebody else was here. */
  readonly declared: readonly number[];
}

/** How far the work on one split has come. */
export interface Flow {
  readonly draft: Draft | null;
  readonly plan: PlanView | null;
  /** The journal entry that the plan takes back; null for a shift. */
  readonly undoOf: string | null;
  readonly dryRun: DryRunView | null;
  readonly failure: Failure | null;
  readonly busy: ShiftStep | null;
  readonly reason: string;
  /** Raised by whatever makes an answer under way worthless: such an answer is dropped. */
  readonly epoch: number;
}

const NO_PLAN = { plan: null, undoOf: null, dryRun: null, failure: null, busy: null } as const;
const UNTOUCHED: Flow = { ...NO_PLAN, draft: null, reason: '', epoch: 0 };

/** Refusals after which the same plan can never be applied. */
const FINAL: ReadonlySet<string> = new Set(['conflict', 'not_found']);

/**
 * Weight shifts on their way: draft -> plan -> dry run -> apply, for each split on its own. Every change of a draft throws
 * its plan away, and what the backend still says about it; while a plan is being applied its split cannot be edited. The
 * engine holds the plan itself, this holds its one-time id.
 */
export class Shift {
  /** The last change that was applied from this window. */
  applied = $state.raw<JournalEntryView | null>(null);
  readonly journal = new Remote<JournalView>();

  private flows = $state.raw<ReadonlyMap<string, Flow>>(new Map());
  private readonly backend: Backend;

  /** The split that is written to right now; there is never more than one. */
  readonly applying: string | null = $derived.by(() => {
    for (const [splitId, flow] of this.flows) {
      if (flow.busy === 'apply') {
        return splitId;
      }
    }
    return null;
  });

  /** What Undo takes back: the last own change. An undo is no such change; taking one back does a shift again. */
  readonly lastUndoable: JournalEntryView | null = $derived.by(
    () => this.journal.value?.entries.find((entry) => entry.undoable && entry.kind !== 'undo') ?? null,
  );

  constructor(backend: Backend) {
    this.backend = backend;
  }

  of(splitId: string): Flow {
    return this.flows.get(splitId) ?? UNTOUCHED;
  }

  /** Weights to show for a split: the draft's if there is one, else those of the plan in hand, else as declared. */
  weightsOf(split: SplitView): readonly number[] {
    const { draft, plan } = this.of(split.id);
    if (draft !== null) {
      return draft.weights;
    }
    return plan === null ? declaredWeights(split) : plan.weights_after;
  }

  /** The shares that these weights give; null where none exists. */
  sharesOf(split: SplitView): readonly (number | null)[] {
    const { draft, plan } = this.of(split.id);
    if (draft !== null) {
      return sharesOfDraft(draft.weights);
    }
    return plan === null
      ? split.destinations.map((destination) => destination.effective_ratio)
      : plan.predictions.map((prediction) => prediction.ratio_after);
  }

  isDrafted(split: SplitView): boolean {
    const { draft } = this.of(split.id);
    return draft !== null && !sameWeights(draft.weights, declaredWeights(split));
  }

  /** The declared weights changed under the draft, and not to what it says. */
  isOutdated(split: SplitView): boolean {
    const { draft } = this.of(split.id);
    return draft !== null && this.isDrafted(split) && !sameWeights(draft.declared, declaredWeights(split));
  }

  /** The plan in hand can never be applied: the object changed, or the engine has forgotten it. */
  isUseless(splitId: string): boolean {
    const { plan, failure } = this.of(splitId);
    return plan !== null && failure !== null && FINAL.has(failure.error.code);
  }

  setWeight(split: SplitView, index: number, value: number): void {
    const { draft } = this.of(split.id);
    const current = this.weightsOf(split);
    const base = draft?.pivot === index ? draft.base : current;
    const weights = moveWeight(base, index, value);
    if (this.applying === split.id || sameWeights(weights, current)) {
      return;
    }
    const now = declaredWeights(split);
    const declared = draft?.declared ?? now;
    this.discard(split.id, {
      draft: sameWeights(weights, now) ? null : { pivot: index, base, weights, declared },
    });
  }

  setReason(splitId: string, reason: string): void {
    this.change(splitId, { reason });
  }

  /** Forgets draft and plan, as if the split had just been opened. */
  reset(splitId: string): void {
    if (this.applying !== splitId) {
      this.discard(splitId, { draft: null, reason: '' });
    }
  }

  /** One level back: from the plan, or what is asked about it, to the draft; from the draft to none. False if there is none. */
  back(splitId: string): boolean {
    const { draft, plan, failure, busy } = this.of(splitId);
    if (busy === 'apply') {
      return false;
    }
    if (plan !== null || failure !== null || busy !== null) {
      this.discard(splitId);
      return true;
    }
    if (draft !== null) {
      this.reset(splitId);
      return true;
    }
    return false;
  }

  async stage(split: SplitView): Promise<boolean> {
    const { draft, busy } = this.of(split.id);
    if (busy !== null) {
      return false;
    }
    const weights = this.weightsOf(split);
    // The plan tells the difference from what is declared now, so the draft may, too.
    this.discard(split.id, {
      draft: draft === null ? null : { ...draft, declared: declaredWeights(split) },
    });
    const request = {
      split_id: split.id,
      // By position, counted from 1: two destinations may share a name.
      weights: split.destinations.map((_, i) => ({ destination: `#${i + 1}`, weight: weights[i] ?? 0 })),
    };
    return this.step(
      split.id,
      'plan',
      () => this.backend.call('plan_shift', request),
      (plan) => this.change(split.id, { plan }),
    );
  }

  /**
   * Opens the plan that takes a change back, and asks the server about it at once: Enter then carries it out. Resolves to
   * the split that it is about, or to null if there is no such plan.
   */
  async stageUndo(splitId: string, entryId: string | null): Promise<string | null> {
    if (this.of(splitId).busy !== null) {
      return null;
    }
    this.discard(splitId);
    let opened = null as PlanView | null;
    await this.step(
      splitId,
      'undo',
      () => this.backend.call('plan_undo', { context: contextOf(splitId), entry_id: entryId }),
      (plan) => {
        if (this.applying !== plan.split_id) {
          opened = plan;
          this.discard(plan.split_id, { draft: null, plan, undoOf: entryId });
        }
      },
    );
    if (opened !== null && opened.applicable && opened.changes.length > 0) {
      await this.tryOut(opened.split_id);
    }
    return opened?.split_id ?? null;
  }

  /** The same plan, made from what the object is now. */
  async planAgain(split: SplitView): Promise<boolean> {
    const { plan, undoOf } = this.of(split.id);
    return plan?.kind === 'undo' ? (await this.stageUndo(split.id, undoOf)) !== null : this.stage(split);
  }

  async tryOut(splitId: string): Promise<boolean> {
    const { plan } = this.of(splitId);
    if (plan === null) {
      return false;
    }
    return this.step(
      splitId,
      'dry_run',
      () => this.backend.call('dry_run', { plan_id: plan.plan_id }),
      (dryRun) => this.change(splitId, { dryRun }),
    );
  }

  async apply(splitId: string): Promise<boolean> {
    const { plan, reason } = this.of(splitId);
    if (plan === null || this.applying !== null || this.isUseless(splitId)) {
      return false;
    }
    const done = await this.step(
      splitId,
      'apply',
      () => this.backend.call('apply', { plan_id: plan.plan_id, reason: reason.trim() }),
      (entry) => {
        this.discard(splitId, { draft: null, reason: '' });
        this.applied = entry;
      },
    );
    void this.loadJournal();
    return done;
  }

  async loadJournal(): Promise<void> {
    await this.journal.ask(() => this.backend.call('journal', null));
  }

  /** Throws the plan away, and what is still to come about it. */
  private discard(splitId: string, more: Partial<Flow> = {}): void {
    this.change(splitId, { ...NO_PLAN, epoch: this.of(splitId).epoch + 1, ...more });
  }

  private change(splitId: string, part: Partial<Flow>): void {
    this.flows = new Map(this.flows).set(splitId, { ...this.of(splitId), ...part });
  }

  private async step<T>(
    splitId: string,
    during: ShiftStep,
    ask: () => Promise<T>,
    take: (answer: T) => void,
  ): Promise<boolean> {
    const { busy, epoch } = this.of(splitId);
    if (busy !== null) {
      return false;
    }
    this.change(splitId, { busy: during, failure: null });
    try {
      const answer = await ask();
      if (this.of(splitId).epoch !== epoch) {
        return false;
      }
      this.change(splitId, { busy: null });
      take(answer);
      return true;
    } catch (thrown) {
      if (this.of(splitId).epoch === epoch) {
        this.change(splitId, { busy: null, failure: { during, error: toCallError(thrown).error } });
      }
      return false;
    }
  }
}
