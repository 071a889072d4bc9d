import type { Backend } from '../backend/backend';

/** Sizes to step through, as browsers have them. */
const STEPS = [0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3];

/** The size of everything in the window; the shell carries it out and remembers it. */
export class WindowZoom {
  /** Whether this shell can; a browser has keys of its own for it. */
  readonly able: boolean;

  private readonly backend: Backend;
  /** One step after the other, each from where the last one led. */
  private last: Promise<void> = Promise.resolve();

  constructor(backend: Backend) {
    this.backend = backend;
    this.able = backend.zooms;
  }

  larger(): Promise<void> {
    return this.change((now) => STEPS.find((step) => step > now) ?? now);
  }

  smaller(): Promise<void> {
    return this.change((now) => STEPS.findLast((step) => step < now) ?? now);
  }

  asDrawn(): Promise<void> {
    return this.change(() => 1);
  }

  private change(next: (now: number) => number): Promise<void> {
    this.last = this.last.then(() => this.step(next));
    return this.last;
  }

  private async step(next: (now: number) => number): Promise<void> {
    try {
      // Asked anew each time: the settings may have been edited by hand.
      const { zoom } = await this.backend.call('memory', null);
      await this.backend.call('remember', { theme: null, zoom: next(zoom), page: null });
    } catch {
      // A window that cannot remember is shown larger all the same.
    }
  }
}
