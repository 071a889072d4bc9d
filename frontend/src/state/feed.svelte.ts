import type { Backend } from '../backend/backend';
import type { LayoutView, SessionView, SourceView, Update } from '../backend/bindings';
import { indexMesh } from '../model/mesh';
import type { Clock } from './clock.svelte';

/** The newest snapshot of the engine, replaced whole, and how the stream that brings it does. */
export class Feed {
  update = $state.raw<Update | null>(null);
  /** Kept apart: an update carries positions only when they changed. */
  layout = $state.raw<LayoutView | null>(null);
  session = $state.raw<SessionView | null>(null);
  /** When the update came, ms since the epoch. */
  receivedAt = $state(0);
  /** When the session came; a command may answer with a newer one. */
  sessionAt = $state(0);
  /** Why the stream is broken; null while it stands. */
  lost = $state<string | null>(null);
  readonly startedAt = Date.now();

  readonly mesh = $derived(this.update === null ? null : indexMesh(this.update.graph));
  readonly graph = $derived(this.update?.graph ?? null);
  readonly splits = $derived(this.update?.splits.splits ?? []);
  readonly progress = $derived(this.update?.progress ?? []);

  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  start(backend: Backend): () => void {
    return backend.subscribe(
      (update) => this.receive(update),
      (reason) => {
        this.lost = reason;
      },
    );
  }

  receive(update: Update): void {
    this.update = update;
    this.layout = update.layout ?? this.layout;
    this.receivedAt = Date.now();
    this.lost = null;
    this.setSession(update.session);
  }

  setSession(session: SessionView): void {
    this.session = session;
    this.sessionAt = Date.now();
  }

  /** Seconds since the update came. */
  readonly sinceReceived = $derived.by(() => Math.max(0, (this.clock.now - this.receivedAt) / 1000));

  /** Age of a source's last good answer now; null if it never gave one. */
  ageOf(source: SourceView): number | null {
    return source.age_s === null ? null : source.age_s + this.sinceReceived;
  }

  readonly metrics = $derived(this.graph?.sources.find((source) => source.name === 'metrics') ?? null);

  /** The metrics have answered, if only once: what they did not say is not zero. */
  readonly numbersKnown = $derived(this.metrics !== null && this.metrics.age_s !== null);

  /** The control plane has answered, if only once. */
  readonly objectsKnown = $derived(
    this.graph?.sources.some((source) => source.name === 'control-plane' && source.age_s !== null) ?? false,
  );

  /** Age of the numbers on the screen, seconds; null before the first. */
  readonly age = $derived.by(() => {
    if (this.update === null) {
      return null;
    }
    return this.metrics === null ? this.sinceReceived : this.ageOf(this.metrics);
  });

  /** The numbers are older than two ticks, or nothing says how old they are. */
  readonly stale = $derived.by(() => {
    if (this.update === null) {
      return false;
    }
    const refresh = this.session?.refresh_s ?? 10;
    const tooOld = this.age !== null && this.age > refresh * 2 + 2;
    return this.lost !== null || this.metrics?.state === 'stale' || tooOld;
  });

  /** Seconds until writes are locked again; null if they never are or are locked now. */
  readonly armedFor = $derived.by(() => {
    const writes = this.session?.writes;
    if (writes === undefined || !writes.armed || writes.remaining_s === null) {
      return null;
    }
    // The clock ticks once a second, so it may stand a little before the moment when the session came.
    const since = Math.max(0, (this.clock.now - this.sessionAt) / 1000);
    return Math.max(0, writes.remaining_s - since);
  });

  readonly armed = $derived.by(() => {
    return this.session?.writes.armed === true && (this.armedFor === null || this.armedFor > 0);
  });
}
