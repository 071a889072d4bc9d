// Debian's Chromium, driven by Playwright, on the browser shell.
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Driver } from './driver';
import { artifacts, binary, Child, program } from './processes';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];

export class BrowserDriver implements Driver {
  readonly page: Page;
  private readonly folder = artifacts('browser');
  private readonly browser: Browser;
  private readonly shell: Child;
  private readonly heard: string[] = [];

  private constructor(shell: Child, browser: Browser, page: Page) {
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

  /** Starts the shell on the demo mesh and opens its screens. */
  static async open(): Promise<BrowserDriver> {
    const executablePath = program('/usr/bin/chromium', 'chromium');
    const shell = new Child(binary('pilothouse-dev'), ['--demo']);
    try {
      const [address] = await shell.printed(/http:\/\/\S+\n/);
      const browser = await chromium.launch({ executablePath, args: FLAGS });
      const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
      const driver = new BrowserDriver(shell, browser, await context.newPage());
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
