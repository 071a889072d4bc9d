// How the real window starts: with a link, while another one runs, and again where it was closed.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attribute, id, says, there, until } from './driver';
import { artifacts, binary, Child, program } from './processes';
import { inspectorPort, listening, nameOf, tree } from './sockets';
import { surroundings, WindowDriver } from './window';

const REVIEWS = 'pilothouse://demo/split/VirtualService/shop/reviews/http/0?window=5m';

describe('several starts of the app', () => {
  const folder = artifacts('desktop-start');
  const socket = `unix:path=${join(folder, 'bus')}`;
  let bus: Child;
  let window: WindowDriver;

  beforeAll(async () => {
    const daemon = program('/usr/bin/dbus-daemon', 'dbus-daemon');
    bus = new Child(daemon, ['--session', '--nofork', `--address=${socket}`, '--print-address']);
    await bus.printed(/^unix:/m);
    window = await WindowDriver.open({ words: ['--demo', REVIEWS], folder, bus: socket });
  });
  afterAll(async () => {
    await window?.close();
    await bus?.stop();
  });
  afterEach(async () => {
    expect(await window.complaints(), 'errors of the page').toEqual([]);
  });

  /** Starts the app once more, as a desktop does, and waits for its end. */
  async function again(...words: string[]): Promise<Child> {
    const environment = { DISPLAY: window.display, ...surroundings(folder, socket) };
    const start = new Child(binary('pilothouse'), words, environment);
    await start.ended();
    return start;
  }

  it('begins at the place of its link', async () => {
    await there(window, `${id('screen')}[data-screen="splits"]`);
    await says(window, 'section[aria-label^="Split "]', /reviews[^]*counted in the last 5 min/);
    await until('the title', async () => titles(window.display).includes('Demo mesh - Pilothouse'));
  });

  it('hands the link of a second start to the first', async () => {
    expect(
      (await again('pilothouse://demo/node/app:Kubernetes/shop/reviews?at=2026-01-31T12:00:00Z')).output,
    ).toBe('');
    await there(window, `${id('screen')}[data-screen="mesh"]`);
    await says(window, id('inspector-title'), 'shop/reviews');
    await says(window, id('link-note'), 'pilothousectl --demo graph --at 2026-01-31T12:00:00.000Z');
  });

  it('says that a link is none, and stays where it is', async () => {
    await again('pilothouse://demo/settings/token');
    await says(window, id('link-note'), 'A link was not followed');
    expect(await attribute(window, id('screen'), 'data-screen')).toBe('mesh');
  });

  it('opens no context for a link', async () => {
    await again('--context', 'prod-eu');
    await says(window, id('link-waiting'), 'prod-eu, which is not open');
    await says(window, id('context'), 'Demo mesh');
  });

  it('gives a start of its own to whoever asks for other limits', async () => {
    const environment = { DISPLAY: window.display, ...surroundings(folder, socket) };
    const other = new Child(binary('pilothouse'), ['--demo', '--read-only'], environment);
    try {
      await until('a second window', async () => {
        return titles(window.display).filter((title) => title === 'Demo mesh - Pilothouse').length === 2;
      });
    } finally {
      await other.stop();
    }
  });

  it('listens on no socket of its own, with a bus as well', () => {
    const app = tree(window.pid).find((pid) => nameOf(pid) === 'pilothouse') ?? -1;
    expect(listening(tree(app))).toEqual([inspectorPort(app)]);
  });
});

describe('the window over restarts', () => {
  const folder = artifacts('desktop-place');
  const kept = join(folder, 'home/pilothouse');
  const state = (): { window: unknown } =>
    JSON.parse(readFileSync(join(kept, 'state/state.json'), 'utf8')) as { window: unknown };
  const place = { x: 40, y: 30, width: 1000, height: 700, maximised: false };
  const open = (): Promise<WindowDriver> => WindowDriver.open({ folder });

  it('opens where it was, as large as it was, and remembers the size of everything', async () => {
    mkdirSync(join(kept, 'state'), { recursive: true, mode: 0o700 });
    writeFileSync(join(kept, 'state/state.json'), JSON.stringify({ schema: 1, window: place }));
    const first = await open();
    try {
      await there(first, id('context'));
      expect(frames(first.display)).toContain('1000x700+40+30');
      expect(await first.evaluate('[innerWidth, innerHeight]')).toEqual([1000, 700]);
      await first.hold('Control', '+');
      await first.hold('Control', '+');
      await until('a larger page', async () => (await first.evaluate('innerWidth')) === 800);
    } finally {
      await first.closeForNow();
    }
    const second = await open();
    try {
      await until('the larger page', async () => (await second.evaluate('innerWidth')) === 800);
      await second.hold('Control', '0');
      await until('the page as drawn', async () => (await second.evaluate('innerWidth')) === 1000);
    } finally {
      await second.closeForNow();
    }
    expect(state().window).toEqual(place);
  });

  it('opens where it can be seen when its screen is gone', async () => {
    const gone = { ...place, x: -4000, y: 3000, width: 5000 };
    writeFileSync(join(kept, 'state/state.json'), JSON.stringify({ schema: 1, window: gone }));
    const window = await open();
    try {
      await there(window, id('context'));
      expect(frames(window.display)).toContain('1600x700+0+0');
    } finally {
      await window.close();
    }
  });
});

function windows(display: string): string[] {
  const xwininfo = program('/usr/bin/xwininfo', 'x11-utils');
  const told = execFileSync(xwininfo, ['-display', display, '-root', '-tree'], { encoding: 'utf8' });
  return told.split('\n').filter((line) => line.includes('("pilothouse"'));
}

/** Titles of the app's windows on a display. */
function titles(display: string): string[] {
  return windows(display).flatMap((line) => /"([^"]*)": \("pilothouse"/.exec(line)?.[1] ?? []);
}

/** Sizes and places of them, as `1000x700+40+30`. */
function frames(display: string): string[] {
  return windows(display).flatMap((line) => /(\d+x\d+[+-]\d+[+-]\d+) /.exec(line)?.[1] ?? []);
}
