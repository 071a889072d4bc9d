// The Debian package: what is in it, and that it runs from where it was unpacked. It is made of the test build; with
// PILOTHOUSE_DEB a package that was built before is looked at instead.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { id, says, there } from './driver';
import { artifacts, binary, program } from './processes';
import { surroundings, WindowDriver } from './window';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const LICENSES = 'usr/share/doc/pilothouse/third-party-licenses.gz';

function run(
  path: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): string {
  const env = { ...process.env, ...environment };
  return execFileSync(path, words, { encoding: 'utf8', env, cwd: repository, maxBuffer: 64 << 20 });
}

/** Where the package is: of the test build, made now, if no other is named. */
function made(): string {
  const named = process.env['PILOTHOUSE_DEB'];
  if (named !== undefined) {
    return named;
  }
  run('bash', ['scripts/deb.sh', '--dev']);
  const out = join(binary('pilothouse'), '../../deb-dev');
  return join(out, readdirSync(out).find((name) => name.endsWith('.deb')) ?? 'no package');
}

describe('the Debian package', () => {
  const folder = artifacts('package');
  const root = join(folder, 'root');
  const inside = (path: string): string => join(root, path);
  const text = (path: string): string => {
    const bytes = readFileSync(inside(path));
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  };
  const ctl = (...words: string[]): string =>
    run(inside('usr/bin/pilothousectl'), words, surroundings(folder, null));
  let deb = '';

  beforeAll(() => {
    const dpkg = program('/usr/bin/dpkg-deb', 'dpkg');
    deb = made();
    mkdirSync(root, { recursive: true });
    run(dpkg, ['-x', deb, root]);
  }, 120_000);

  it('belongs to root and can be changed by nobody else', () => {
    const rows = run('dpkg-deb', ['-c', deb]).trim().split('\n');
    const odd = rows.filter((row) => !/^(-rwxr-xr-x|-rw-r--r--|drwxr-xr-x|lrwxrwxrwx) root\/root /.test(row));
    expect(odd).toEqual([]);
    expect(rows.filter((row) => row.startsWith('-rwx')).map((row) => row.split(' ').at(-1))).toEqual([
      './usr/bin/pilothouse',
      './usr/bin/pilothousectl',
    ]);
  });

  it('runs no script when it is installed, and names what it needs', () => {
    const members = run('dpkg-deb', ['-I', deb]);
    expect(/preinst|postinst|prerm|postrm/.test(members)).toBe(false);
    const needs = run('dpkg-deb', ['-f', deb, 'Depends']);
    for (const name of ['libc6 (>= 2.', 'libgtk-3-0', 'libwebkit2gtk-4.1-0']) {
      expect(needs).toContain(name);
    }
    for (const name of ['pilothouse', 'pilothousectl']) {
      expect(run('ldd', [inside(`usr/bin/${name}`)]).includes('not found'), name).toBe(false);
    }
  });

  it('has a command line, as a plugin of kubectl too', () => {
    expect(readlinkSync(inside('usr/bin/kubectl-pilothouse'))).toBe('pilothousectl');
    const version = run('dpkg-deb', ['-f', deb, 'Version']).trim();
    expect(ctl('version').trim()).toBe(version);
    expect(run(inside('usr/bin/kubectl-pilothouse'), ['version']).trim()).toBe(version);
    const services = JSON.parse(ctl('--demo', 'services', '-o', 'json')) as unknown;
    expect(JSON.stringify(services)).toContain('reviews');
  });

  it('tells the desktop of the window and of its links', () => {
    const entry = 'usr/share/applications/pilothouse.desktop';
    const validate = program('/usr/bin/desktop-file-validate', 'desktop-file-utils');
    expect(run(validate, ['--no-hints', inside(entry)])).toBe('');
    expect(text(entry)).toContain('\nExec=pilothouse %u\n');
    expect(text(entry)).toContain('\nMimeType=x-scheme-handler/pilothouse;\n');
    for (const size of ['32x32', '128x128', '256x256', '512x512']) {
      const icon = readFileSync(inside(`usr/share/icons/hicolor/${size}/apps/pilothouse.png`));
      expect(`${icon.readUInt32BE(16)}x${icon.readUInt32BE(20)}`).toBe(size);
    }
    expect(text('usr/share/icons/hicolor/scalable/apps/pilothouse.svg')).toContain('<svg');
  });

  it('has man pages that render without a complaint', () => {
    const man = program('/usr/bin/man', 'man-db');
    const pages = readdirSync(inside('usr/share/man/man1'));
    expect(pages).toEqual(
      expect.arrayContaining(['pilothouse.1.gz', 'pilothousectl.1.gz', 'kubectl-pilothouse.1.gz']),
    );
    expect(pages.length).toBeGreaterThan(15);
    for (const page of pages) {
      const path = inside(`usr/share/man/man1/${page}`);
      // What groff complains of goes to standard error, which is put into the answer here.
      const shown = run('/bin/sh', ['-c', '"$0" --warnings -E UTF-8 -l "$1" 2>&1', man, path], {
        MANWIDTH: '100',
        MANROFFOPT: '',
        LC_ALL: 'C.UTF-8',
      });
      expect(shown, page).toMatch(/NAME[^]*SYNOPSIS/);
      expect(/.*(?:warning|error:).*/.exec(shown), page).toBeNull();
    }
  });

  it('completes in three shells', () => {
    const scripts = {
      bash: 'usr/share/bash-completion/completions/pilothousectl',
      zsh: 'usr/share/zsh/vendor-completions/_pilothousectl',
      fish: 'usr/share/fish/vendor_completions.d/pilothousectl.fish',
    };
    for (const [shell, path] of Object.entries(scripts)) {
      expect(text(path)).toBe(ctl('completion', shell));
    }
    run('bash', ['-n', inside(scripts.bash)]);
  });

  it('names whose work is in it', () => {
    expect(text('usr/share/doc/pilothouse/copyright')).toMatch(/^Format: https:[^]*Files: \*\nCopyright: /);
    const licenses = text(LICENSES);
    for (const name of ['tauri', 'kube', 'tokio', 'svelte']) {
      expect(licenses).toMatch(new RegExp(`^${name} [0-9][^ ]*: .+`, 'm'));
    }
    expect(/.*: see null$/m.exec(licenses)).toBeNull();
    expect(licenses).toContain('Permission is hereby granted');
  });

  it('holds nothing of the machine that built it', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => {
      return lstatSync(inside(path)).isFile() && !path.startsWith('usr/bin/');
    });
    expect(files.length).toBeGreaterThan(25);
    for (const path of files) {
      expect(text(path).includes(repository), path).toBe(false);
    }
  });

  describe('its window', () => {
    let window: WindowDriver | undefined;
    afterAll(() => window?.close());

    it('opens at a link, from where it was unpacked', async () => {
      window = await WindowDriver.open({
        app: inside('usr/bin/pilothouse'),
        words: ['--demo', 'pilothouse://demo/split/VirtualService/shop/reviews/http/0'],
        folder,
      });
      await there(window, `${id('screen')}[data-screen="splits"]`);
      await says(window, 'section[aria-label^="Split "]', 'reviews');
    });

    it('is found by the command line beside it', () => {
      expect(existsSync(inside('usr/bin/pilothouse'))).toBe(true);
      const info = JSON.parse(ctl('info', '-o', 'json')) as { desktop_app: string };
      expect(info.desktop_app).toBe(inside('usr/bin/pilothouse'));
    });
  });
});
