import type { PageMemory } from '../model/pageMemory';
import type { MeshFilter } from '../model/visible';

export const SCREENS = ['mesh', 'splits', 'traces'] as const;
export type Screen = (typeof SCREENS)[number];

export type NamespaceChoice = 'busiest' | 'chosen';

export interface Selection {
  readonly kind: 'node' | 'edge';
  readonly id: string;
}

/** Where the operator is: screen, selection, filters. What outlives the window is said in memory. */
export class Place {
  screen = $state<Screen>('mesh');
  selection = $state.raw<Selection | null>(null);
  splitId = $state<string | null>(null);
  /** The table instead of the picture. */
  table = $state(false);
  helpOpen = $state(false);
  armOpen = $state(false);
  /** The open contexts, unfolded under their chip. */
  contextsOpen = $state(false);
  /** What a narrow window has no room for, unfolded. */
  moreOpen = $state(false);
  /** The source whose details are read. */
  source = $state.raw<{ readonly context: string; readonly name: string } | null>(null);
  /** Text of the filter box, by screen. */
  filterText = $state<Record<Screen, string>>({ mesh: '', splits: '', traces: '' });
  hiddenBoxes = $state.raw<ReadonlySet<string>>(new Set());
  /** How the namespaces of a context were chosen: by themselves, the busiest, or by somebody. */
  namespaceChoices = $state.raw<Readonly<Record<string, NamespaceChoice>>>({});
  onlyUnhealthy = $state(false);
  showIdle = $state(true);

  private trail: Selection[] = [];
  /** Somebody went somewhere: what was kept no longer decides where to begin. */
  private moved = false;

  readonly meshFilter: MeshFilter = $derived({
    hiddenBoxes: this.hiddenBoxes,
    onlyUnhealthy: this.onlyUnhealthy,
    showIdle: this.showIdle,
    query: this.filterText.mesh,
  });

  go(screen: Screen): void {
    this.moved = true;
    this.screen = screen;
  }

  /** Folds what is unfolded over the screen; false if nothing is. */
  fold(): boolean {
    const folded = this.contextsOpen || this.moreOpen;
    this.contextsOpen = false;
    this.moreOpen = false;
    return folded;
  }

  /** Begins where the window was left. */
  restore(kept: PageMemory): void {
    this.hiddenBoxes = new Set(kept.hiddenBoxes);
    this.namespaceChoices = kept.namespaceChoices;
    if (this.moved) {
      return;
    }
    this.screen = SCREENS.find((screen) => screen === kept.screen) ?? this.screen;
    for (const screen of SCREENS) {
      this.filterText[screen] = kept.filters[screen] ?? this.filterText[screen];
    }
    this.table = kept.table;
  }

  /** Other contexts are open: nothing that was chosen is there any more. */
  forget(): void {
    this.select(null);
    this.splitId = null;
  }

  select(selection: Selection | null): void {
    if (this.selection !== null && selection !== null) {
      this.trail = [...this.trail.slice(-49), this.selection];
    }
    if (selection === null) {
      this.trail = [];
    }
    this.selection = selection;
  }

  /** To the selection before this one, and from the first one to none. False if there was nothing to leave. */
  back(): boolean {
    if (this.selection === null) {
      return false;
    }
    this.selection = this.trail.pop() ?? null;
    return true;
  }

  toggleBox(id: string): void {
    const next = new Set(this.hiddenBoxes);
    if (!next.delete(id)) {
      next.add(id);
    }
    this.hiddenBoxes = next;
    this.namespacesAreChosen();
  }

  /** The first look at a context leaves these out; it is not done again. */
  leaveOut(context: string, boxes: readonly string[]): void {
    this.hiddenBoxes = new Set([...this.hiddenBoxes, ...boxes]);
    this.namespaceChoices = {
      ...this.namespaceChoices,
      [context]: boxes.length === 0 ? 'chosen' : 'busiest',
    };
  }

  showAllNamespaces(): void {
    this.hiddenBoxes = new Set();
    this.namespacesAreChosen();
  }

  private namespacesAreChosen(): void {
    const contexts = Object.keys(this.namespaceChoices);
    this.namespaceChoices = Object.fromEntries(contexts.map((context) => [context, 'chosen']));
  }

  showOnMesh(selection: Selection): void {
    this.select(selection);
    this.table = false;
    this.go('mesh');
  }

  showSplit(id: string): void {
    this.splitId = id;
    this.go('splits');
  }
}
