// Rules about the sources that no linter here can check: they hold for templates and styles, too.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|svelte|css)$/.test(name) && !name.endsWith('bindings.ts'))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));

function offenders(pattern: RegExp, only: RegExp = /./): string[] {
  return files.filter(({ name, text }) => only.test(name) && pattern.test(text)).map(({ name }) => name);
}

describe('sources', () => {
  it('put text from a cluster on the screen as text only', () => {
    expect(
      offenders(/\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write/, /\.(ts|svelte)$/),
    ).toEqual([]);
  });

  it('set no style attributes, which the content security policy forbids', () => {
    expect(offenders(/<[^>]*\sstyle(:[a-z-]+)?=/i, /\.svelte$/)).toEqual([]);
    expect(offenders(/setAttribute\('style'|cssText/)).toEqual([]);
  });

  it('name no address outside', () => {
    expect(offenders(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/)).toEqual([]);
  });

  it('make no ids of boxes, which are the engine’s to make', () => {
    expect(offenders(/\bcluster\b[^\n]*\}\/\$\{[^\n]*\bnamespace\b/, /\.(ts|svelte)$/)).toEqual([]);
  });

  it('name colours in one file only', () => {
    const colour = /#[0-9a-f]{6}\b|#[0-9a-f]{3}\b(?=[;\s])/i;
    expect(offenders(colour, /\.(svelte|css)$/)).toEqual([join('styles', 'tokens.css')]);
  });

  it('stay short', () => {
    expect(files.filter(({ text }) => text.split('\n').length > 400).map(({ name }) => name)).toEqual([]);
  });
});
