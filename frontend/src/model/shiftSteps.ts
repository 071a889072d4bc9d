// The way of a shift, as steps that are done, under way, refused or still to come.
import type { DryRunView, PlanView, ProgressView } from '../backend/bindings';

/** What the backend is asked for on that way. */
export type ShiftStep = 'plan' | 'dry_run' | 'apply' | 'undo';
export type StepName = 'staged' | 'checked' | 'dry_run' | 'applied' | 'converging' | 'converged';
export type StepState = 'done' | 'now' | 'bad' | 'todo';

export interface Step {
  readonly name: StepName;
  readonly state: StepState;
}

const NAMES: readonly StepName[] = ['staged', 'checked', 'dry_run', 'applied', 'converging', 'converged'];

/**
 * A plan in hand, or the failure to get one, comes before the progress of an earlier change: it is what the operator works
 * on. `failed` is the last question that was refused or not answered.
 */
export function shiftSteps(
  plan: PlanView | null,
  dryRun: DryRunView | null,
  progress: ProgressView | null,
  failed: ShiftStep | null = null,
): Step[] {
  if (plan !== null) {
    return planSteps(plan, dryRun, failed);
  }
  if (failed !== null) {
    return NAMES.map((name) => ({ name, state: name === 'staged' ? 'bad' : 'todo' }));
  }
  if (progress !== null) {
    return progressSteps(progress);
  }
  return NAMES.map((name) => ({ name, state: 'todo' }));
}

function planSteps(plan: PlanView, dryRun: DryRunView | null, failed: ShiftStep | null): Step[] {
  const states: Partial<Record<StepName, StepState>> = { staged: 'done' };
  states.checked = plan.applicable ? 'done' : 'bad';
  if (plan.applicable) {
    states.dry_run = failed === 'dry_run' || dryRun?.ok === false ? 'bad' : dryRun === null ? 'now' : 'done';
    if (dryRun?.ok === true && failed !== 'dry_run') {
      states.applied = failed === 'apply' ? 'bad' : 'now';
    }
  }
  return NAMES.map((name) => ({ name, state: states[name] ?? 'todo' }));
}

function progressSteps(progress: ProgressView): Step[] {
  const last: Record<string, [StepState, StepState]> = {
    converging: ['now', 'todo'],
    converged: ['done', 'done'],
    stalled: ['bad', 'todo'],
    too_little_traffic: ['now', 'todo'],
    incomparable: ['now', 'todo'],
    blind: ['bad', 'todo'],
  };
  const [converging, converged] = last[progress.phase] ?? ['todo', 'todo'];
  return NAMES.map((name) => {
    if (name === 'converging') {
      return { name, state: converging };
    }
    return { name, state: name === 'converged' ? converged : 'done' };
  });
}
