// Attribute conditions of a trace search, as people type them: `key=value key2="two words"`.

export interface ParsedAttributes {
  readonly attributes: Record<string, string>;
  /** What could not be read; empty if all could. */
  readonly problem: string;
}

const PAIR = /([^\s=]+)=(?:"([^"]*)"|(\S*))/y;

export function parseAttributes(text: string): ParsedAttributes {
  const attributes: Record<string, string> = {};
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) {
      at += 1;
      continue;
    }
    PAIR.lastIndex = at;
    const pair = PAIR.exec(text);
    if (pair === null) {
      return { attributes, problem: `“${text.slice(at).split(/\s/, 1)[0] ?? ''}” is not key=value` };
    }
    attributes[pair[1] ?? ''] = pair[2] ?? pair[3] ?? '';
    at = PAIR.lastIndex;
  }
  return { attributes, problem: '' };
}
