import type { Backend } from '../backend/backend';
import type { SessionView } from '../backend/bindings';
import { Attempts } from './attempts.svelte';
import type { Feed } from './feed.svelte';
import type { Place } from './place.svelte';

/** The write lock, and the other two things that change the session: its window and a refresh at once. */
export class Session extends Attempts {
  /** The context that is being armed; null for the first that is open. */
  arming = $state<string | null>(null);
  /** The context that the dialog is about. */
  readonly target: SessionView | null = $derived.by(() => this.feed.sessionOf(this.arming));

  private readonly backend: Backend;
  private readonly feed: Feed;
  private readonly place: Place;

  constructor(backend: Backend, feed: Feed, place: Place) {
    super();
    this.backend = backend;
    this.feed = feed;
    this.place = place;
  }

  /** Opens the lock, or asks for the context's name first where that is demanded. */
  async beginArming(context: string | null = null): Promise<void> {
    this.error = null;
    this.arming = context;
    const several = this.feed.sessions.length > 1;
    if (several && context === null) {
      // Which one is meant is never guessed from a key: the list has a button for each.
      this.place.contextsOpen = true;
      return;
    }
    if (several || this.target?.writes.needs_name === true) {
      this.place.armOpen = true;
    } else {
      await this.arm(null);
    }
  }

  async arm(typedName: string | null): Promise<void> {
    const done = await this.change(() =>
      this.backend.call('arm', { context: this.target?.context ?? null, typed_name: typedName }),
    );
    if (done) {
      this.place.armOpen = false;
    } else {
      // A refusal without the dialog would have no place to be read.
      this.place.armOpen = true;
    }
  }

  /** Locks writes to this context and to no other. */
  async disarm(context: string): Promise<void> {
    await this.change(() => this.backend.call('disarm', { context }));
  }

  /** Locks the one context that is unlocked; of several none is guessed. */
  async toggleArmed(): Promise<void> {
    const [open, ...others] = this.feed.lockable;
    await (open === undefined || others.length > 0 ? this.beginArming() : this.disarm(open.context));
  }

  async setWindow(seconds: number): Promise<void> {
    await this.change(() => this.backend.call('set_window', { window_s: seconds }));
  }

  async refresh(): Promise<void> {
    try {
      await this.backend.call('refresh', null);
    } catch {
      // The sources report their own failure; a refused refresh adds nothing to it.
    }
  }

  private async change(command: () => Promise<SessionView>): Promise<boolean> {
    return this.attempt(async () => this.feed.setSession(await command()));
  }
}
