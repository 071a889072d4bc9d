export type Theme = 'dark' | 'light' | 'system';
export type EdgeFigure = 'rate' | 'errors' | 'p95' | 'mtls';

const THEMES: readonly Theme[] = ['system', 'dark', 'light'];
const FIGURES: readonly EdgeFigure[] = ['rate', 'errors', 'p95', 'mtls'];

/** How the window looks; kept between starts (see memory), and never anything about a cluster. */
export class Preferences {
  theme = $state<Theme>('system');
  edgeFigures = $state<Record<EdgeFigure, boolean>>({ rate: true, errors: true, p95: false, mtls: false });
  /** Window of the numbers that was chosen last, seconds; null if it never was. */
  windowS = $state<number | null>(null);

  private systemDark = $state(true);

  readonly dark = $derived(this.theme === 'system' ? this.systemDark : this.theme === 'dark');

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
    this.theme = THEMES[(at + 1) % THEMES.length] ?? 'system';
  }

  toggleFigure(figure: EdgeFigure): void {
    this.edgeFigures = { ...this.edgeFigures, [figure]: !this.edgeFigures[figure] };
  }

  /** Takes over what was kept; what does not fit is left as it is. */
  restore(theme: string, figures: Readonly<Record<string, boolean>>, windowS: number | null): void {
    this.theme = THEMES.find((one) => one === theme) ?? this.theme;
    this.edgeFigures = Object.fromEntries(
      FIGURES.map((figure) => [figure, figures[figure] ?? this.edgeFigures[figure]]),
    ) as Record<EdgeFigure, boolean>;
    this.windowS = windowS;
  }
}
