import type { Backend } from '../backend/backend';
import type { LayoutView, SessionView, SourceView, Update } from '../backend/bindings';
import { indexMesh } from '../model/mesh';
import type { Clock } from './clock.svelte';

/** After how many answers that did not come the silence is named. */
const MISSED = 3;

/** The newest snapshot of the engine, replaced whole, and how the stream that brings it does. */
export class Feed {
  update = $state.raw<Update | null>(null);
  /** Kept apart: an update carries positions only when they changed. */
  layout = $state.raw<LayoutView | null>(null);
  /** The session of the first open context; of nothing while none is open. Null before the first answer. */
  session = $state.raw<SessionView | null>(null);
  /** The sessions of all open contexts, in the order of opening. */
  sessions = $state.raw<readonly SessionView[]>([]);
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

  /** `then` hears of every update, after it is here. */
  start(backend: Backend, then: (update: Update) => void = () => undefined): () => void {
    return backend.subscribe(
      (update) => {
        this.receive(update);
        then(update);
      },
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
    this.session = update.session;
    this.sessions = update.sessions;
    this.sessionAt = Date.now();
  }

  /** A newer session, as a command answered it: of the context that it names. */
  setSession(session: SessionView): void {
    if (this.session === null || this.session.context === session.context) {
      this.session = session;
    }
    this.sessions = this.sessions.map((one) => (one.context === session.context ? session : one));
    this.sessionAt = Date.now();
  }

  /** The session of an open context; of the first one if none is named. */
  sessionOf(context: string | null): SessionView | null {
    if (context === null) {
      return this.session;
    }
    return this.sessions.find((session) => session.context === context) ?? null;
  }

  sourcesOf(context: string): readonly SourceView[] {
    return this.graph?.sources.filter((source) => source.context === context) ?? [];
  }

  /** Seconds since the update came. */
  readonly sinceReceived = $derived.by(() => Math.max(0, (this.clock.now - this.receivedAt) / 1000));

  /** Age of a source's last good answer now; null if it never gave one. */
  ageOf(source: SourceView): number | null {
    return source.age_s === null ? null : source.age_s + this.sinceReceived;
  }

  /** Seconds without a word from the engine; null while it speaks at least every third time that it should. */
  readonly silentFor = $derived.by(() => {
    const patience = (this.session?.refresh_s ?? 10) * MISSED;
    const silent = this.update !== null && this.lost === null && this.sinceReceived > patience;
    return silent ? this.sinceReceived : null;
  });

  /** Where the numbers come from; of several contexts one that has answered. */
  readonly metrics = $derived.by(() => {
    const all = this.graph?.sources.filter((source) => source.name === 'metrics') ?? [];
    return all.find((source) => source.age_s !== null) ?? all[0] ?? null;
  });

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

  /** Seconds until writes to a context are locked again; null if they never are or are locked now. */
  armedForIn(session: SessionView | null): number | null {
    const writes = session?.writes;
    if (writes === undefined || !writes.armed || writes.remaining_s === null) {
      return null;
    }
    // The clock ticks once a second, so it may stand a little before the moment when the session came.
    const since = Math.max(0, (this.clock.now - this.sessionAt) / 1000);
    return Math.max(0, writes.remaining_s - since);
  }

  armedIn(session: SessionView | null): boolean {
    const left = this.armedForIn(session);
    return session?.writes.armed === true && (left === null || left > 0);
  }

  /** A context that writes are open to; the first one of several. */
  readonly armedSession = $derived.by(() => {
    const all = this.sessions.length === 0 && this.session !== null ? [this.session] : this.sessions;
    return all.find((session) => this.armedIn(session)) ?? null;
  });

  readonly armedFor = $derived.by(() => this.armedForIn(this.armedSession));

  /** Writes are open somewhere. */
  readonly armed = $derived(this.armedSession !== null);
}
