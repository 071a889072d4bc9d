// What the page asks the engine to remember between two starts: one JSON text with a version. A text that is broken, or
// of a version to come, is as good as none; a field of another shape falls back alone.

export const VERSION = 1;

export interface PageMemory {
  readonly screen: string;
  /** Texts of the filter box, by screen. */
  readonly filters: Readonly<Record<string, string>>;
  readonly hiddenBoxes: readonly string[];
  /** How the namespaces of each context were chosen, by its name; contexts that were never seen are not in it. */
  readonly namespaceChoices: Readonly<Record<string, 'busiest' | 'chosen'>>;
  readonly figures: Readonly<Record<string, boolean>>;
  /** Window of the numbers, seconds; null if it was never chosen. */
  readonly windowS: number | null;
  readonly table: boolean;
}

export function writePage(memory: PageMemory): string {
  return JSON.stringify({ version: VERSION, ...memory });
}

/** Null if nothing of it can be used. */
export function readPage(text: string): PageMemory | null {
  const kept = parse(text);
  if (kept === null || kept['version'] !== VERSION) {
    return null;
  }
  const windowS = kept['windowS'];
  return {
    screen: typeof kept['screen'] === 'string' ? kept['screen'] : '',
    filters: fieldsOf(kept['filters'], isString),
    hiddenBoxes: Array.isArray(kept['hiddenBoxes']) ? kept['hiddenBoxes'].filter(isString) : [],
    namespaceChoices: fieldsOf(kept['namespaceChoices'], isChoice),
    figures: fieldsOf(kept['figures'], isBoolean),
    windowS: typeof windowS === 'number' && Number.isFinite(windowS) ? windowS : null,
    table: kept['table'] === true,
  };
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const kept: unknown = JSON.parse(text);
    return isRecord(kept) ? kept : null;
  } catch {
    return null;
  }
}

function fieldsOf<T>(value: unknown, fits: (field: unknown) => field is T): Record<string, T> {
  const fields = isRecord(value) ? Object.entries(value) : [];
  return Object.fromEntries(fields.filter((entry): entry is [string, T] => fits(entry[1])));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isChoice(value: unknown): value is 'busiest' | 'chosen' {
  return value === 'busiest' || value === 'chosen';
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
