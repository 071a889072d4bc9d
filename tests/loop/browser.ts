// Debian's Chromium, driven by Playwright.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Driver } from "./driver";
import { artifacts, program } from "./processes";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];

export class BrowserDriver implements Driver {
  /** Errors of the console and of the page: there must be none. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
  ) {
    page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
  }

  static async open(address: string, scheme: "dark" | "light" = "dark"): Promise<BrowserDriver> {
    const executablePath = program("/usr/bin/chromium", "chromium");
    const browser = await chromium.launch({ executablePath, args: FLAGS });
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 }, colorScheme: scheme });
    const driver = new BrowserDriver(browser, page);
    await page.goto(address);
    return driver;
  }

  close(): Promise<void> {
    return this.browser.close();
  }

  async click(css: string): Promise<void> {
    await this.page.locator(css).first().click();
  }

  async fill(css: string, text: string): Promise<void> {
    await this.page.locator(css).first().fill(text);
  }

  press(key: string): Promise<void> {
    return this.page.keyboard.press(key);
  }

  async text(css: string): Promise<string | null> {
    const found = this.page.locator(css);
    return (await found.count()) > 0 ? found.first().innerText() : null;
  }

  count(css: string): Promise<number> {
    return this.page.locator(css).count();
  }

  evaluate<T>(expression: string): Promise<T> {
    return this.page.evaluate(expression);
  }

  async picture(name: string): Promise<void> {
    mkdirSync(join(artifacts, "browser"), { recursive: true });
    await this.page.screenshot({ path: join(artifacts, "browser", `${name}.png`) });
  }
}
