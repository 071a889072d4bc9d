import { toCallError } from '../backend/backend';
import type { ApiError } from '../backend/bindings';

/** Commands of one part of the window, one at a time: whether one is under way, and why the last one was refused. */
export class Attempts {
  busy = $state(false);
  error = $state.raw<ApiError | null>(null);
  private underWay: Promise<unknown> = Promise.resolve();

  /** Resolves when no command is under way any more. */
  protected ended(): Promise<unknown> {
    return this.underWay;
  }

  /** Resolves to whether it was done. */
  protected attempt(command: () => Promise<unknown>): Promise<boolean> {
    const attempt = this.carryOut(command);
    this.underWay = attempt;
    return attempt;
  }

  private async carryOut(command: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    try {
      await command();
      this.error = null;
      return true;
    } catch (thrown) {
      this.error = toCallError(thrown).error;
      return false;
    } finally {
      this.busy = false;
    }
  }
}
