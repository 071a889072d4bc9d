import { toCallError } from '../backend/backend';
import type { ApiError } from '../backend/bindings';

/**
 * One thing that is asked for now and then: what it is, and how the asking goes.
 *
 * A new question drops the answer of an older one still under way. The last good value stays while a new one loads or
 * fails, so a view can go on showing it, marked as old.
 */
export class Remote<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(false);
  /** When the question under way, or the last one, was asked; ms since the epoch. */
  askedAt = $state(0);
  /** How long the last answer took. */
  tookMs = $state<number | null>(null);

  private asked = 0;

  /** Resolves to the answer, or to null if it failed or was overtaken. */
  async ask(question: () => Promise<T>): Promise<T | null> {
    this.asked += 1;
    const mine = this.asked;
    this.loading = true;
    this.askedAt = Date.now();
    try {
      const value = await question();
      if (mine !== this.asked) {
        return null;
      }
      this.value = value;
      this.error = null;
      this.tookMs = Date.now() - this.askedAt;
      return value;
    } catch (thrown) {
      if (mine === this.asked) {
        this.error = toCallError(thrown).error;
      }
      return null;
    } finally {
      if (mine === this.asked) {
        this.loading = false;
      }
    }
  }

  clear(): void {
    this.asked += 1;
    this.value = null;
    this.error = null;
    this.loading = false;
    this.tookMs = null;
  }
}
