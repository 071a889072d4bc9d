export type Theme = 'dark' | 'light' | 'system';
export type EdgeFigure = 'rate' | 'errors' | 'p95' | 'mtls';

const KEY = 'pilothouse.preferences';
const THEMES: readonly Theme[] = ['dark', 'light', 'system'];

/** How the window looks; kept between starts on this machine, and never anything about a cluster. */
export class Preferences {
  theme = $state<Theme>('dark');
  edgeFigures = $state<Record<EdgeFigure, boolean>>({ rate: true, errors: true, p95: false, mtls: false });

  private systemDark = $state(true);
  private readonly storage: Storage | null;

  readonly dark = $derived(this.theme === 'system' ? this.systemDark : this.theme === 'dark');

  constructor(storage: Storage | null) {
    this.storage = storage;
    this.load();
  }

  /** Follows the system's choice while the theme says so. */
  watchSystem(query: MediaQueryList): () => void {
    const read = (): void => {
      this.systemDark = query.matches;
    };
    read();
    query.addEventListener('change', read);
    return () => query.removeEventListener('change', read);
  }

  nextTheme(): void {
    const at = THEMES.indexOf(this.theme);
    this.theme = THEMES[(at + 1) % THEMES.length] ?? 'dark';
    this.save();
  }

  toggleFigure(figure: EdgeFigure): void {
    this.edgeFigures = { ...this.edgeFigures, [figure]: !this.edgeFigures[figure] };
    this.save();
  }

  private save(): void {
    try {
      this.storage?.setItem(KEY, JSON.stringify({ theme: this.theme, edgeFigures: this.edgeFigures }));
    } catch {
      // A full or forbidden storage costs only the memory of the choice.
    }
  }

  private load(): void {
    try {
      const kept: unknown = JSON.parse(this.storage?.getItem(KEY) ?? 'null');
      if (typeof kept !== 'object' || kept === null) {
        return;
      }
      if ('theme' in kept) {
        this.theme = THEMES.find((theme) => theme === kept.theme) ?? this.theme;
      }
      if ('edgeFigures' in kept && typeof kept.edgeFigures === 'object') {
        const figures = kept.edgeFigures as Partial<Record<EdgeFigure, unknown>>;
        for (const figure of ['rate', 'errors', 'p95', 'mtls'] as const) {
          if (typeof figures[figure] === 'boolean') {
            this.edgeFigures[figure] = figures[figure];
          }
        }
      }
    } catch {
      // Unreadable preferences are as good as none.
    }
  }
}
