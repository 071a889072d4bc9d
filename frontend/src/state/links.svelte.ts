import type { Backend } from '../backend/backend';
import { toCallError } from '../backend/backend';
import type { LinkRequest, LinkView } from '../backend/bindings';
import type { Mesh } from '../model/mesh';
import type { App } from './app.svelte';
import type { Selection } from './place.svelte';

/** What is to be said about a link. */
export type LinkNote =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'moment'; readonly at: string; readonly command: string | null }
  | { readonly kind: 'copied'; readonly text: string }
  | { readonly kind: 'not-copied'; readonly text: string }
  | { readonly kind: 'no-link'; readonly why: string };

/** Links from outside into the window, each followed once; and the link to what is shown. */
export class Links {
  /** The link that waits until somebody opens its context. */
  waiting = $state.raw<LinkView | null>(null);
  note = $state.raw<LinkNote | null>(null);

  /** Serial of the last link that was followed or given up. */
  private done = 0;
  private readonly backend: Backend;
  private readonly app: App;

  constructor(backend: Backend, app: App) {
    this.backend = backend;
    this.app = app;
  }

  /** The link of an update. One into a context that is not open waits: only a person opens a context. */
  take(link: LinkView | null): void {
    this.waiting = null;
    if (link === null || link.serial <= this.done) {
      return;
    }
    if (link.refused !== null) {
      this.note = { kind: 'refused', why: link.refused };
    } else if (link.is_open) {
      this.follow(link);
    } else {
      this.waiting = link;
      this.app.connect.show(link.context);
      return;
    }
    this.end(link);
  }

  /** Forgets the link that waits. */
  giveUp(): void {
    const { waiting } = this;
    this.waiting = null;
    if (waiting !== null) {
      this.end(waiting);
    }
  }

  /** Copies the link to what is shown, with the window that its numbers are of. */
  async copy(): Promise<void> {
    try {
      const { text } = await this.backend.call('link_to', this.here());
      this.note = await toClipboard(text);
    } catch (thrown) {
      this.note = { kind: 'no-link', why: toCallError(thrown).message };
    }
  }

  private follow(link: LinkView): void {
    const { place, session, traces, feed } = this.app;
    this.note = null;
    switch (link.place) {
      case 'mesh':
        place.go('mesh');
        break;
      case 'node':
      case 'edge':
        place.showOnMesh({ kind: link.place, id: link.id });
        break;
      case 'split':
        place.showSplit(link.id);
        break;
      case 'trace':
        place.go('traces');
        void traces.open(link.id, link.context);
        break;
    }
    if (link.window_s !== null && link.window_s !== feed.session?.window_s) {
      void session.setWindow(link.window_s);
    }
    // A trace is of its own moment.
    if (link.at !== null && link.place !== 'trace') {
      this.note = { kind: 'moment', at: link.at, command: link.command };
    }
  }

  private end(link: LinkView): void {
    this.done = link.serial;
    // Whoever cannot be told tells the same link again, which is then older than this one.
    this.backend.call('end_link', { serial: link.serial }).catch(() => undefined);
  }

  private here(): LinkRequest {
    const { place, traces, feed } = this.app;
    const to = { context: null, at: null, window_s: feed.session?.window_s ?? null };
    if (place.screen === 'splits' && place.splitId !== null) {
      return { ...to, place: 'split', id: place.splitId };
    }
    if (place.screen === 'traces' && traces.openId !== null) {
      return { ...to, context: traces.openContext, place: 'trace', id: traces.openId, window_s: null };
    }
    if (place.screen === 'mesh' && place.selection !== null) {
      const { kind, id } = place.selection;
      return { ...to, context: contextOf(place.selection, feed.mesh), place: kind, id };
    }
    return { ...to, place: 'mesh', id: '' };
  }
}

/** The context that reaches what is selected; null if none is known to. */
function contextOf({ kind, id }: Selection, mesh: Mesh | null): string | null {
  const edge = kind === 'edge' ? mesh?.edges.get(id) : undefined;
  const ends = edge === undefined ? [id] : [edge.source, edge.target];
  return ends.map((end) => mesh?.nodes.get(end)?.context ?? null).find((context) => context !== null) ?? null;
}

async function toClipboard(text: string): Promise<LinkNote> {
  try {
    await navigator.clipboard.writeText(text);
    return { kind: 'copied', text };
  } catch {
    // Without permission or without a clipboard; the text can still be selected.
    return { kind: 'not-copied', text };
  }
}
