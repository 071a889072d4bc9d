import type { Backend } from '../backend/backend';
import { readPage, writePage } from '../model/pageMemory';
import type { Place } from './place.svelte';
import type { Preferences } from './prefs.svelte';

/** Changes within this time are kept together, in milliseconds. */
const TOGETHER_MS = 400;

/**
 * What the window remembers between two starts: its look and where it was left. The engine keeps it; what it cannot keep
 * or give back costs nothing but the memory.
 */
export class Memory {
  /** What was kept has been asked for: from now on changes are. */
  loaded = $state(false);

  private readonly backend: Backend;
  private readonly prefs: Preferences;
  private readonly place: Place;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private kept = { theme: '', page: '' };

  constructor(backend: Backend, prefs: Preferences, place: Place) {
    this.backend = backend;
    this.prefs = prefs;
    this.place = place;
  }

  /** Everything that is kept, as it is now. */
  private now(): { theme: string; page: string } {
    const { place, prefs } = this;
    return {
      theme: prefs.theme,
      page: writePage({
        screen: place.screen,
        filters: { ...place.filterText },
        hiddenBoxes: [...place.hiddenBoxes],
        namespaceChoices: { ...place.namespaceChoices },
        figures: { ...prefs.edgeFigures },
        windowS: prefs.windowS,
        table: place.table,
      }),
    };
  }

  async load(): Promise<void> {
    try {
      const { theme, page } = await this.backend.call('memory', null);
      const kept = readPage(page);
      this.prefs.restore(theme, kept?.figures ?? {}, kept?.windowS ?? null);
      if (kept !== null) {
        this.place.restore(kept);
      }
    } catch {
      // Nothing is known: the window begins as new.
    }
    this.kept = this.now();
    this.loaded = true;
  }

  /** Keeps every change, a moment after it, until the answer is called. */
  watch(): () => void {
    return $effect.root(() => {
      $effect(() => {
        const now = this.now();
        if (!this.loaded) {
          return;
        }
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.keep(now), TOGETHER_MS);
      });
    });
  }

  private async keep(now: { theme: string; page: string }): Promise<void> {
    const { kept } = this;
    if (now.theme === kept.theme && now.page === kept.page) {
      return;
    }
    this.kept = now;
    try {
      await this.backend.call('remember', {
        theme: now.theme === kept.theme ? null : now.theme,
        page: now.page === kept.page ? null : now.page,
        zoom: null,
      });
    } catch {
      // The next change tries again; a choice that is not remembered still holds in this window.
      this.kept = kept;
    }
  }
}
