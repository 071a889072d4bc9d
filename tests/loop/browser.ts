// Debian's Chromium, driven by Playwright, on the browser shell.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Driver } from './driver';
import { prepareHome } from './home';
import { artifacts, binary, Child, program } from './processes';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];

export class BrowserDriver implements Driver {
  readonly page: Page;
  /** For what a run leaves to look at. */
  readonly folder: string;
  private readonly browser: Browser;
  private readonly shell: Child;
  private readonly heard: string[] = [];

  private constructor(folder: string, shell: Child, browser: Browser, page: Page) {
    this.folder = folder;
    this.shell = shell;
    this.browser = browser;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error') {
        this.heard.push(`${message.text()} (${message.location().url})`);
      }
    });
    page.on('pageerror', (error) => this.heard.push(String(error)));
  }

  /** Starts the shell, on the demo mesh unless the flags say otherwise, in a home of its own, and opens its screens. */
  static async open(
    name = 'browser',
    size = { width: 1600, height: 1000 },
    flags: readonly string[] = ['--demo'],
  ): Promise<BrowserDriver> {
    const executablePath = program('/usr/bin/chromium', 'chromium');
    const folder = artifacts(name);
    const home = join(folder, 'home');
    prepareHome(home);
    const shell = new Child(binary('pilothouse-dev'), flags, {
      HOME: home,
      // Where plugins are looked for is on a picture: nothing of this machine.
      PATH: '/usr/local/bin:/usr/bin:/bin',
      SHELL: '/bin/sh',
      PILOTHOUSE_HOME: join(home, 'pilothouse'),
      KUBECONFIG: join(home, 'config'),
    });
    try {
      const [address] = await shell.printed(/http:\/\/\S+\n/);
      const browser = await chromium.launch({ executablePath, args: FLAGS });
      const context = await browser.newContext({ viewport: size, colorScheme: 'dark' });
      const driver = new BrowserDriver(folder, shell, browser, await context.newPage());
      await driver.page.goto(address.trim());
      return driver;
    } catch (error) {
      await shell.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.shell.stop();
    rmSync(join(this.folder, 'home'), { recursive: true, force: true });
  }

  async click(css: string): Promise<void> {
    await this.page.locator(css).first().click();
  }

  async fill(css: string, text: string): Promise<void> {
    const input = this.page.locator(css).first();
    await input.fill(text);
    await input.blur();
  }

  press(key: string): Promise<void> {
    return this.page.keyboard.press(key);
  }

  evaluate<T>(expression: string): Promise<T> {
    return this.page.evaluate(expression);
  }

  async reload(): Promise<void> {
    await this.page.reload();
  }

  complaints(): Promise<readonly string[]> {
    return Promise.resolve(this.heard);
  }

  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: join(this.folder, `${name}.png`) });
  }
}
