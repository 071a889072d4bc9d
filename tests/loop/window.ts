// The real window, in a display of its own, driven by WebKitWebDriver.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Driver } from './driver';
import { until } from './driver';
import { artifacts, binary, bound, Child, freePort, program } from './processes';
import { Refusal, Session } from './webdriver';

const KEYS: Readonly<Record<string, string>> = {
  Escape: '\uE00C',
  Enter: '\uE007',
  Tab: '\uE004',
  ArrowLeft: '\uE012',
  ArrowUp: '\uE013',
  ArrowRight: '\uE014',
  ArrowDown: '\uE015',
};
/** A click that comes too early: the element is gone again, or something lies over it. */
const TOO_EARLY = ['stale element reference', 'element click intercepted', 'element not interactable'];
/** WebKit's driver does not tell what the page complains of, so the page keeps it. */
const LISTEN = `(() => {
  const heard = (window.complaints = []);
  addEventListener('error', ({ message }) => heard.push(message));
  addEventListener('unhandledrejection', ({ reason }) => heard.push(String(reason)));
  const tell = console.error;
  console.error = (...words) => {
    heard.push(words.map(String).join(' '));
    tell.apply(console, words);
  };
})()`;

/** What a window is opened with. */
export interface Opening {
  readonly app?: string;
  /** The words after the program's name. */
  readonly words?: readonly string[];
  /** Where its home is and its pictures go. */
  readonly folder?: string;
  /** Address of a session's D-Bus. Without it there is none: another window of this machine must not take the start over. */
  readonly bus?: string | null;
}

/** Variables under which the app keeps to `folder`. */
export function surroundings(folder: string, bus: string | null): Record<string, string> {
  const home = homeIn(folder);
  return {
    HOME: home,
    PILOTHOUSE_HOME: join(home, 'pilothouse'),
    XDG_RUNTIME_DIR: home,
    DBUS_SESSION_BUS_ADDRESS: bus ?? `unix:path=${join(home, 'no-bus')}`,
    NO_AT_BRIDGE: '1',
  };
}

function homeIn(folder: string): string {
  return join(folder, 'home');
}

export class WindowDriver implements Driver {
  private readonly folder: string;
  private readonly children: readonly Child[];
  private readonly session: Session;
  /** Name of the display that it is on. */
  readonly display: string;

  private constructor(children: readonly Child[], folder: string, session: Session, display: string) {
    this.display = display;
    this.children = children;
    this.folder = folder;
    this.session = session;
  }

  /** Opens the app; a build of this tree on the demo mesh, if nothing else is said. */
  static async open({
    app = binary('pilothouse'),
    words = ['--demo'],
    folder = artifacts('desktop'),
    bus = null,
  }: Opening = {}): Promise<WindowDriver> {
    const xvfb = program('/usr/bin/Xvfb', 'xvfb');
    const webdriver = program('/usr/bin/WebKitWebDriver', 'webkit2gtk-driver');
    const home = homeIn(folder);
    mkdirSync(home, { mode: 0o700, recursive: true });
    const children: Child[] = [];
    try {
      const screen = ['-displayfd', '1', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'];
      const display = new Child(xvfb, screen);
      children.push(display);
      const [number] = await display.printed(/^\d+$/m);
      const port = await freePort();
      const driver = new Child(webdriver, [`--port=${port}`, '--host=127.0.0.1'], {
        DISPLAY: `:${number}`,
        ...surroundings(folder, bus),
        TAURI_WEBVIEW_AUTOMATION: 'true',
      });
      children.push(driver);
      const address = `http://127.0.0.1:${port}`;
      const ready = (): Promise<boolean> =>
        fetch(`${address}/status`).then(
          ({ ok }) => ok,
          () => false,
        );
      await until('WebKitWebDriver', ready);
      const session = await Session.start(address, ...bound(app, words));
      const window = new WindowDriver(children, folder, session, `:${number}`);
      await window.evaluate(LISTEN);
      return window;
    } catch (error) {
      await leave(children, folder);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.session.end().catch(() => undefined);
    await leave(this.children, this.folder);
  }

  /** Closes it, and leaves to a next one what it remembers. */
  async closeForNow(): Promise<void> {
    await this.session.end().catch(() => undefined);
    await stop(this.children);
  }

  /** The driver, which started the app. */
  get pid(): number {
    return this.children.at(-1)?.pid ?? -1;
  }

  async click(css: string): Promise<void> {
    await until(`a click on ${css}`, async () => {
      const element = await this.session.find(css);
      if (
        element === null ||
        (await this.evaluate(`document.querySelector(${JSON.stringify(css)}).disabled`))
      ) {
        return false;
      }
      return this.session.post(`/element/${element}/click`, {}).then(
        () => true,
        (refusal: unknown) => {
          if (refusal instanceof Refusal && TOO_EARLY.includes(refusal.code)) {
            return false;
          }
          throw refusal;
        },
      );
    });
  }

  async fill(css: string, text: string): Promise<void> {
    await until(`the input ${css}`, () => this.session.find(css));
    // As a person does it: select what is there, type over it. The protocol's "clear" would leave the input in between.
    await this.evaluate(`document.querySelector(${JSON.stringify(css)}).select()`);
    await this.type([...text]);
    await this.evaluate(`document.activeElement.blur()`);
  }

  press(key: string): Promise<void> {
    return this.type([KEYS[key] ?? key]);
  }

  /** Presses a key while another one is held. */
  async hold(held: 'Control', key: string): Promise<void> {
    const modifier = { Control: '\uE009' }[held];
    const actions = [
      { type: 'keyDown', value: modifier },
      { type: 'keyDown', value: key },
      { type: 'keyUp', value: key },
      { type: 'keyUp', value: modifier },
    ];
    await this.keys(actions);
  }

  evaluate<T>(expression: string): Promise<T> {
    return this.session.post('/execute/sync', { script: `return ${expression}`, args: [] });
  }

  async reload(): Promise<void> {
    await this.session.post('/refresh', {});
    await this.evaluate(LISTEN);
  }

  complaints(): Promise<readonly string[]> {
    return this.evaluate('window.complaints');
  }

  async picture(name: string): Promise<void> {
    // A screenshot shows the last composited frame: wait for two.
    const script =
      'const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(true)))';
    await this.session.post('/execute/async', { script, args: [] });
    const png = await this.session.get<string>('/screenshot');
    writeFileSync(join(this.folder, `${name}.png`), Buffer.from(png, 'base64'));
  }

  private async type(keys: readonly string[]): Promise<void> {
    const actions = keys.flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    await this.keys(actions);
  }

  private async keys(actions: readonly { type: string; value: string }[]): Promise<void> {
    await this.session.post('/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }
}

/** Ends the children, the youngest first, and forgets what the app kept. */
async function leave(children: readonly Child[], folder: string): Promise<void> {
  await stop(children);
  rmSync(homeIn(folder), { recursive: true, force: true });
}

async function stop(children: readonly Child[]): Promise<void> {
  for (const child of children.toReversed()) {
    await child.stop();
  }
}
