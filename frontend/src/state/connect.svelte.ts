import type { Backend } from '../backend/backend';
import type {
  AddressesRequest,
  AddressRequest,
  CandidateView,
  CheckView,
  ChooserView,
  ContextView,
  SessionView,
  Update,
} from '../backend/bindings';
import { checkOf, choiceAmong, matchesContext, stepFrom } from '../model/connect';
import { Attempts } from './attempts.svelte';
import type { Feed } from './feed.svelte';
import { Remote } from './remote.svelte';

export const DEMO = 'demo';

/** What a small window over the connection screen asks for. */
export type ConnectDialog =
  | { readonly kind: 'file' }
  | { readonly kind: 'namespaces'; readonly context: string }
  | {
      readonly kind: 'source';
      readonly context: string;
      readonly source: 'metrics' | 'traces';
      /** The address of the candidate that wants a token; empty to give another address. */
      readonly url: string;
      /** The server inside the cluster that wants a sign-in; null for an address. */
      readonly candidate: CandidateView | null;
    };

/**
 * Choosing a mesh: what there is to choose, what was asked of it, and opening it. Nothing is contacted before somebody
 * says so: choosing a card asks nobody, `check` does.
 */
export class Connect extends Attempts {
  /** Somebody asked for the connection screen; without an open context it is shown anyway. */
  wanted = $state(false);
  chosenId = $state<string | null>(null);
  filter = $state('');
  dialog = $state.raw<ConnectDialog | null>(null);
  /** What opens as soon as its look went well. */
  opening = $state<string | null>(null);
  readonly list = new Remote<ChooserView>();
  /** The filter of the connection screen, so that a key can reach it. */
  filterBox: HTMLInputElement | null = null;
  /** The first field of the address form, and what unfolds the form and goes there. */
  addressBox: HTMLInputElement | null = null;
  showAddresses: () => void = () => undefined;

  private readonly backend: Backend;
  private readonly feed: Feed;
  /** Of the last list: the engine's count of changes, and which contexts were open. */
  private listed = '';

  readonly contexts: readonly ContextView[] = $derived(this.list.value?.contexts ?? []);
  readonly shown: readonly ContextView[] = $derived(
    this.contexts.filter((context) => matchesContext(context, this.filter)),
  );
  readonly chosen: ContextView | null = $derived(
    this.contexts.find((context) => context.id === this.chosenId) ?? null,
  );
  readonly check: CheckView | null = $derived.by(() => this.checkOf(this.chosenId ?? ''));
  /** The connection screen is in front. */
  readonly isShown: boolean = $derived.by(() => {
    return this.wanted || (this.feed.update !== null && this.feed.sessions.length === 0);
  });

  constructor(backend: Backend, feed: Feed) {
    super();
    this.backend = backend;
    this.feed = feed;
  }

  checkOf(context: string): CheckView | null {
    return checkOf(this.feed.update?.checks ?? [], context);
  }

  isOpen(context: string): boolean {
    return this.feed.sessions.some((session) => session.context === context);
  }

  /** The name of a context for people; its id if no file names it any more. */
  nameOf(context: string): string {
    return this.contexts.find(({ id }) => id === context)?.name ?? context;
  }

  /** The class of a context in words; empty where there is none to say. */
  classOf(session: SessionView): string {
    return session.class_label || (session.class === 'normal' ? '' : session.class);
  }

  /** Brings the connection screen to the front, with this context chosen; with none named, the one that is open. */
  show(context?: string): void {
    this.wanted = true;
    this.chosenId = (context ?? this.feed.session?.context) || this.chosenId;
    void this.load();
  }

  /** Back to what was open; false if nothing is. */
  leave(): boolean {
    if (this.feed.sessions.length === 0) {
      return false;
    }
    this.wanted = false;
    this.opening = null;
    this.error = null;
    return true;
  }

  async load(): Promise<void> {
    this.settle(await this.list.ask(() => this.backend.call('chooser', null)));
  }

  /** Hears of every update: reads the files again when they changed, and enters what has opened. */
  receive(update: Update): void {
    const open = update.sessions.map((session) => session.context);
    const now = JSON.stringify([update.chooser_revision, open]);
    if (now !== this.listed) {
      this.listed = now;
      void this.load();
    }
    if (this.opening === null) {
      return;
    }
    if (open.includes(this.opening)) {
      this.opening = null;
      this.wanted = false;
    } else if (['failed', 'cancelled'].includes(checkOf(update.checks, this.opening)?.state ?? '')) {
      // The failure stays on the screen; what failed must not open later by surprise.
      this.opening = null;
    }
  }

  choose(id: string | null): void {
    this.chosenId = id;
    this.error = null;
  }

  step(by: number): void {
    const ids = this.shown.map((context) => context.id);
    this.choose(stepFrom(ids, this.chosenId, by));
  }

  /** The one next thing to do with the chosen context: look at it, then open it; an open one is gone to. */
  async goOn(): Promise<void> {
    const { chosen, check } = this;
    if (chosen === null || chosen.problem !== null || this.busy) {
      return;
    }
    if (this.isOpen(chosen.id)) {
      this.leave();
    } else if (chosen.kind === 'demo' || check?.state === 'done') {
      await this.open(chosen.id, false);
    } else if (check?.state !== 'running') {
      await this.begin(chosen.id);
    }
  }

  async begin(context: string): Promise<void> {
    await this.attempt(() => this.backend.call('check_context', { context }));
  }

  async cancel(context: string): Promise<void> {
    await this.attempt(() => this.backend.call('cancel_check', { context }));
  }

  async open(context: string, beside: boolean): Promise<void> {
    this.opening = context;
    if (!(await this.attempt(() => this.backend.call('open_context', { context, beside })))) {
      this.opening = null;
    }
  }

  /** One key away at any time: a command that is still under way is waited for, the key is not lost. */
  async openDemo(): Promise<void> {
    this.choose(DEMO);
    await this.ended();
    await this.goOn();
  }

  async close(context: string): Promise<void> {
    await this.attempt(() => this.backend.call('close_context', { context }));
  }

  async logInAgain(context: string): Promise<void> {
    await this.attempt(() => this.backend.call('log_in_again', { context }));
  }

  async addFile(path: string): Promise<void> {
    const before = new Set(this.contexts.map((context) => context.id));
    let added: ChooserView | null = null;
    const done = await this.attempt(async () => {
      added = await this.backend.call('add_kubeconfig', { path });
    });
    if (done) {
      this.list.value = added;
      this.settle(added, before);
      this.dialog = null;
    }
  }

  /** Remembers metrics and traces by address, and looks at them. */
  async addAddresses(request: AddressesRequest): Promise<boolean> {
    return this.attempt(async () => {
      const { context } = await this.backend.call('add_addresses', request);
      this.filter = '';
      this.chosenId = context;
      await this.load();
      await this.backend.call('check_context', { context });
    });
  }

  async takeCandidate(context: string, source: string, candidate: string): Promise<void> {
    await this.attempt(() =>
      this.backend.call('choose_source', { context, source, candidate, address: null }),
    );
  }

  /** With a candidate the address is only how to sign in there. */
  async takeAddress(
    context: string,
    source: string,
    candidate: string | null,
    address: AddressRequest,
  ): Promise<void> {
    const request = { context, source, candidate, address };
    if (await this.attempt(() => this.backend.call('choose_source', request))) {
      this.dialog = null;
    }
  }

  async takeNamespaces(context: string, namespaces: string[]): Promise<void> {
    if (await this.attempt(() => this.backend.call('choose_namespaces', { context, namespaces }))) {
      this.dialog = null;
    }
  }

  /** The report of a look, to copy; null if there is none. */
  async report(context: string): Promise<string | null> {
    let text: string | null = null;
    await this.attempt(async () => {
      text = (await this.backend.call('connection_report', { context })).text;
    });
    return text;
  }

  closeDialog(): void {
    this.dialog = null;
    this.error = null;
  }

  /** Keeps the choice over a new list; a context that has just come is chosen. */
  private settle(list: ChooserView | null, before: ReadonlySet<string> | null = null): void {
    if (list === null) {
      return;
    }
    const fresh = before === null ? undefined : list.contexts.find(({ id }) => !before.has(id));
    this.chosenId = fresh?.id ?? choiceAmong(list.contexts, this.chosenId, list.last);
  }
}
