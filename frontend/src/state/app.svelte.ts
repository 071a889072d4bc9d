import { tick } from 'svelte';

import type { Backend } from '../backend/backend';
import type { Update } from '../backend/bindings';
import { callOfSpan } from '../model/calls';
import { beyondBusiest, namespacesOf } from '../model/busiest';
import { frameClass, frameColour } from '../model/connect';
import { contextOf } from '../model/splitId';
import { visibleParts } from '../model/visible';
import { Clock } from './clock.svelte';
import { Connect } from './connect.svelte';
import { Feed } from './feed.svelte';
import { Links } from './links.svelte';
import { Memory } from './memory.svelte';
import { MeshView } from './meshView.svelte';
import type { Screen } from './place.svelte';
import { Place } from './place.svelte';
import { Preferences } from './prefs.svelte';
import { Session } from './session.svelte';
import { Shift } from './shift.svelte';
import { edgeOrigin, nodeOrigin, Traces } from './traces.svelte';
import { WindowZoom } from './windowZoom';
import { Width } from './width.svelte';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** What the picture of the mesh can do; it registers itself while it is on the screen. */
export interface Stage {
  fit(): void;
  /** Fills the window with the namespace of the service that the keyboard is on, or else of the selected one. */
  zoomToNamespace(): void;
  zoomBy(factor: number): void;
  zoomTo(zoom: number): void;
  hasFocus(): boolean;
  walk(direction: Direction): void;
}

/** All state of a window. Views get it from the context; nothing of it is global. */
export class App {
  readonly clock = new Clock();
  readonly feed = new Feed(this.clock);
  readonly place = new Place();
  readonly meshView = new MeshView();
  readonly prefs = new Preferences();
  readonly width = new Width();
  readonly memory: Memory;
  readonly connect: Connect;
  readonly session: Session;
  readonly shift: Shift;
  readonly traces: Traces;
  readonly links: Links;
  readonly windowZoom: WindowZoom;
  stage = $state.raw<Stage | null>(null);
  /** The filter box of the frame, so that a key can reach it. */
  filterBox: HTMLInputElement | null = null;
  /** The weight that the presets move, so that the focus has a place to go to when a plan is thrown away. */
  weightBox: HTMLInputElement | null = null;

  readonly visible = $derived(
    this.feed.mesh === null ? null : visibleParts(this.feed.mesh, this.place.meshFilter),
  );

  /** The split that was chosen; null if there is none or it is gone: never another one in its place. */
  readonly split = $derived(this.feed.splits.find((split) => split.id === this.place.splitId) ?? null);

  /** The class that colours the frame. */
  readonly frameClass: string = $derived.by(() => frameClass(this.feed.sessions));
  /** The colour that the settings give it instead. */
  readonly frameColour: string | null = $derived.by(() => frameColour(this.feed.sessions));

  private readonly backend: Backend;
  /** Which contexts were open at the last update. */
  private open: readonly string[] = [];

  /** The screen in front: the connection screen covers the others. */
  readonly front: Screen | 'connect' = $derived.by(() =>
    this.connect.isShown ? 'connect' : this.place.screen,
  );

  constructor(backend: Backend) {
    this.backend = backend;
    this.memory = new Memory(backend, this.prefs, this.place);
    this.connect = new Connect(backend, this.feed);
    this.session = new Session(backend, this.feed, this.place);
    this.shift = new Shift(backend);
    this.traces = new Traces(backend);
    this.links = new Links(backend, this);
    this.windowZoom = new WindowZoom(backend);
  }

  start(): () => void {
    const stops = [this.clock.start(), this.feed.start(this.backend, (update) => this.receive(update))];
    void this.memory.load().then(() => this.preselectNamespaces());
    return () => stops.forEach((stop) => stop());
  }

  /** To a screen; from the connection screen, too, if anything is open. */
  go(screen: Screen): void {
    if (!this.connect.isShown || this.connect.leave()) {
      this.place.go(screen);
    }
  }

  /** Another window of the numbers, now and at the next start. */
  chooseWindow(seconds: number): void {
    this.prefs.windowS = seconds;
    void this.session.setWindow(seconds);
  }

  /** Where a split lies, if that can be mistaken: `prod-eu, cluster c1`; empty while only one context is open. */
  whereOf(splitId: string): string {
    const { feed, connect } = this;
    if (feed.sessions.length < 2) {
      return '';
    }
    const session = feed.sessionOf(contextOf(splitId));
    const name = connect.nameOf(session?.context ?? contextOf(splitId) ?? '');
    return session?.cluster ? `${name}, cluster ${session.cluster}` : name;
  }

  /** What an update means beyond the feed: contexts that opened or closed. */
  receive(update: Update): void {
    this.connect.receive(update);
    const open = update.sessions.map((session) => session.context);
    if (this.open.length > 0 && !this.open.some((context) => open.includes(context))) {
      this.place.forget();
      this.traces.forget();
      this.meshView.camera = null;
    }
    const added = open.some((context) => !this.open.includes(context));
    const closed = this.open.some((context) => !open.includes(context));
    if (this.open.length > 0 && (added || closed)) {
      this.traces.contextsChanged(open);
      if (open.length > 0 && this.place.screen === 'traces') {
        void this.traces.begin();
      }
    }
    this.open = open;
    this.preselectNamespaces();
    const { windowS } = this.prefs;
    const { session } = update;
    if (added && windowS !== null && windowS !== session.window_s && session.windows.includes(windowS)) {
      void this.session.setWindow(windowS);
    }
  }

  /** A context that is seen for the first time, with numbers, shows its busiest namespaces: a view, everything is watched. */
  private preselectNamespaces(): void {
    const { feed, memory, place } = this;
    if (!memory.loaded || feed.mesh === null) {
      return;
    }
    for (const { context, namespaces } of feed.sessions) {
      const known = feed.sourcesOf(context).some((one) => one.name === 'metrics' && one.age_s !== null);
      if (!known || place.namespaceChoices[context] !== undefined) {
        continue;
      }
      const all = namespacesOf(feed.mesh, context, feed.sessions.length === 1);
      // Somebody said which ones already, when opening it or by hiding some.
      const isSaid = namespaces.length > 0 || all.some(({ id }) => place.hiddenBoxes.has(id));
      if (all.length > 0) {
        const left = isSaid ? [] : beyondBusiest(feed.mesh, all);
        place.leaveOut(context, left);
        if (left.length > 0 && feed.sessions.length === 1) {
          // It may have been fitted already, with all of them.
          void tick().then(() => this.stage?.fit());
        }
      }
    }
  }

  /** Opens the plan that takes a change back (the last own one, if none is named), on the screen of its split. */
  async planUndo(entryId: string | null): Promise<void> {
    const { journal, lastUndoable } = this.shift;
    const entry =
      entryId === null ? lastUndoable : journal.value?.entries.find((one) => one.entry_id === entryId);
    const splitId = entry?.split_id ?? this.place.splitId;
    if (splitId === null) {
      return;
    }
    this.place.showSplit(splitId);
    const planned = await this.shift.stageUndo(splitId, entry?.entry_id ?? entryId);
    if (planned !== null && planned !== splitId) {
      this.place.showSplit(planned);
    }
  }

  /** Throws the plan and the draft of a split away; the focus goes to its weights. */
  discardShift(splitId: string): void {
    this.shift.reset(splitId);
    this.weightBox?.focus();
  }

  /** One level back on the screen in front. */
  back(): void {
    const { connect, place, shift, traces } = this;
    if (place.fold()) {
      return;
    }
    if (connect.isShown) {
      connect.leave();
    } else if (place.screen === 'mesh') {
      if (!place.back()) {
        place.table = false;
      }
    } else if (place.screen === 'traces') {
      if (traces.origin === null) {
        place.filterText.traces = '';
      } else {
        void traces.leaveOrigin();
      }
    } else if (place.splitId !== null && shift.applying !== place.splitId) {
      if (shift.back(place.splitId)) {
        this.weightBox?.focus();
      } else {
        place.filterText.splits = '';
      }
    }
  }

  /** Traces of the node or edge that is selected; `slow` means above its present p95. */
  async openTraces(kind: 'slow' | 'failing'): Promise<void> {
    const selection = this.place.selection;
    const mesh = this.feed.mesh;
    if (selection === null || mesh === null) {
      return;
    }
    const node = selection.kind === 'node' ? mesh.nodes.get(selection.id) : undefined;
    const edge = selection.kind === 'edge' ? mesh.edges.get(selection.id) : undefined;
    const p95 = node?.latency_ms.p95 ?? edge?.latency_ms.p95 ?? edge?.callee_latency_ms.p95 ?? null;
    const only = { minMs: kind === 'slow' ? p95 : null, onlyErrors: kind === 'failing' };
    // What was typed for another search would hide what this one finds.
    this.place.filterText.traces = '';
    this.place.go('traces');
    if (node !== undefined) {
      await this.traces.searchFrom(nodeOrigin(node), only);
    } else if (edge !== undefined) {
      const label = (id: string): string => mesh.nodes.get(id)?.label ?? id;
      await this.traces.searchFrom(edgeOrigin(edge, label(edge.source), label(edge.target)), only);
    }
  }

  /** The edge that led to the selected span, on the mesh. */
  showSpanOnMesh(): void {
    const span = this.traces.span;
    const trace = this.traces.trace.value;
    if (span === null || trace === null) {
      return;
    }
    const edge = callOfSpan(span, trace.spans, trace.calls)?.edge;
    if (edge !== undefined && edge !== null) {
      this.place.showOnMesh({ kind: 'edge', id: edge });
    }
  }
}
