// Whose work is in the programs: every crate and npm package that is linked in, its licence, and the texts that come with
// it. usage: node scripts/deb/third-party.mjs > FILE
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LARGEST = 64 << 20;
const TEXTS = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;
// In the built screens; everything else of npm only builds or tests them.
const NPM = ['svelte', '@tauri-apps/api'];

const cargo = (...words) => execFileSync('cargo', words, { encoding: 'utf8', maxBuffer: LARGEST });
const host = execFileSync('rustc', ['-vV'], { encoding: 'utf8' }).match(/^host: (.+)$/m)[1];

function crates() {
  const words = ['-p', 'pilothouse', '-p', 'pilothousectl', '-e', 'normal', '--target', host];
  const tree = cargo('tree', '--locked', ...words, '--prefix', 'none', '--format', '{p}');
  const linked = new Set(tree.split('\n').map((line) => line.split(' ').slice(0, 2).join(' ')));
  const { packages } = JSON.parse(cargo('metadata', '--locked', '--format-version', '1', '--filter-platform', host));
  return packages
    .filter(({ name, version, source }) => source !== null && linked.has(`${name} v${version}`))
    .map(({ name, version, license, license_file, manifest_path }) => ({
      name: `${name} ${version}`,
      license: license ?? `see ${license_file}`,
      folder: dirname(manifest_path),
    }));
}

function npm() {
  return NPM.map((name) => {
    const folder = join('frontend/node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return { name: `${name} ${version}`, license, folder };
  });
}

const all = [...crates(), ...npm()].sort((a, b) => (a.name < b.name ? -1 : 1));
const texts = new Map();
for (const { name, folder } of all) {
  for (const file of readdirSync(folder, { withFileTypes: true })) {
    if (file.isFile() && TEXTS.test(file.name)) {
      const text = readFileSync(join(folder, file.name), 'utf8').replaceAll('\r\n', '\n').trim();
      texts.set(text, [...(texts.get(text) ?? []), name]);
    }
  }
}

const rule = '='.repeat(80);
const list = all.map(({ name, license }) => `${name}: ${license}`).join('\n');
console.log(`Linked into pilothouse and pilothousectl, with their licences:\n\n${list}`);
for (const [text, names] of texts) {
  console.log(`\n${rule}\n${names.join(', ')}\n${rule}\n\n${text}`);
}
