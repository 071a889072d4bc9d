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
  /** When commands answered with a newer session than that of the update, by context. */
  private answeredAt = $state.raw<ReadonlyMap<string, number>>(new Map());
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
    this.answeredAt = new Map();
  }

  /** A newer session, as a command answered it: of the context that it names. The others are as old as they were. */
  setSession(session: SessionView): void {
    this.answeredAt = new Map([...this.answeredAt, [session.context, Date.now()]]);
    if (this.session === null || this.session.context === session.context) {
      this.session = session;
    }
    this.sessions = this.sessions.map((one) => (one.context === session.context ? session : one));
  }

  /** The session of an open context; of the first one if none is named. */
  sessionOf(context: string | null): SessionView | null {
    if (context === null) {
      return this.session;
    }
    return this.sessions.find((session) => session.context === context) ?? null;
  }

  /** The sources of a context as they are now: while nothing comes, numbers that were live grow old. */
  sourcesOf(context: string): readonly SourceView[] {
    const own = this.graph?.sources.filter((source) => source.context === context) ?? [];
    return own.map((source) =>
      source.name === 'metrics' && source.state === 'ok' && this.isOld(source)
        ? { ...source, state: 'stale' }
        : source,
    );
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

  /** Metrics that have answered, if only once. */
  private readonly answered: readonly SourceView[] = $derived.by(
    () => this.graph?.sources.filter((source) => source.name === 'metrics' && source.age_s !== null) ?? [],
  );

  /** Metrics that are older than two ticks of their context. */
  private isOld(source: SourceView): boolean {
    const refresh = this.sessionOf(source.context)?.refresh_s ?? this.session?.refresh_s ?? 10;
    return source.state === 'stale' || (this.ageOf(source) ?? 0) > refresh * 2 + 2;
  }

  /** Age of the numbers on the screen, seconds: of the oldest that are live, else of the newest; null before the first. */
  readonly age: number | null = $derived.by(() => {
    if (this.update === null || (this.metrics !== null && this.answered.length === 0)) {
      return null;
    }
    const agesOf = (sources: readonly SourceView[]): number[] =>
      sources.map((source) => this.ageOf(source) ?? 0);
    const live = agesOf(this.answered.filter((source) => !this.isOld(source)));
    if (live.length > 0) {
      return Math.max(...live);
    }
    return this.answered.length === 0 ? this.sinceReceived : Math.min(...agesOf(this.answered));
  });

  /** All numbers are older than two ticks, or nothing says how old they are. */
  readonly stale: boolean = $derived.by(() => {
    if (this.update === null || this.lost !== null) {
      return this.update !== null;
    }
    if (this.answered.length === 0) {
      return this.metrics === null && this.sinceReceived > (this.session?.refresh_s ?? 10) * 2 + 2;
    }
    return this.answered.every((source) => this.isOld(source));
  });

  /** The numbers of this context are; of all if none is named. */
  staleIn(context: string | null): boolean {
    const own = this.answered.filter((source) => source.context === context);
    return this.stale || own.some((source) => this.isOld(source));
  }

  /** Seconds until writes to a context are locked again; null if they never are or are locked now. */
  armedForIn(session: SessionView | null): number | null {
    const writes = session?.writes;
    if (writes === undefined || !writes.armed || writes.remaining_s === null) {
      return null;
    }
    // The clock ticks once a second, so it may stand a little before the moment when the session came.
    const at = this.answeredAt.get(session?.context ?? '') ?? this.receivedAt;
    const since = Math.max(0, (this.clock.now - at) / 1000);
    return Math.max(0, writes.remaining_s - since);
  }

  armedIn(session: SessionView | null): boolean {
    const left = this.armedForIn(session);
    return session?.writes.armed === true && (left === null || left > 0);
  }

  /** The contexts that writes are open to. */
  readonly armedSessions: readonly SessionView[] = $derived.by(() => {
    const all = this.sessions.length === 0 && this.session !== null ? [this.session] : this.sessions;
    return all.filter((session) => this.armedIn(session));
  });

  /** Those of them that can be locked again: a demo cannot. */
  readonly lockable: readonly SessionView[] = $derived.by(() =>
    this.armedSessions.filter((session) => this.armedForIn(session) !== null),
  );

  /** Seconds until the first of them locks itself; null if none does. */
  readonly armedFor: number | null = $derived.by(() => {
    const left = this.lockable.map((session) => this.armedForIn(session) ?? 0);
    return left.length === 0 ? null : Math.min(...left);
  });

  /** Writes are open somewhere. */
  readonly armed = $derived(this.armedSessions.length > 0);
}
