// The real window: WebKitWebDriver starts the desktop app; the W3C protocol is a few JSON calls.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Driver } from "./driver";
import { until } from "./driver";
import { artifacts, Child, freePort, program } from "./processes";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const KEYS: Record<string, string> = { Escape: "\uE00C", Enter: "\uE007", Tab: "\uE004", ArrowRight: "\uE014" };

export class WindowDriver implements Driver {
  private constructor(
    private readonly session: string,
    private readonly display: Child,
    private readonly webdriver: Child,
  ) {}

  /** Opens the app in a display of its own. */
  static async open(app: string): Promise<WindowDriver> {
    const number = 90 + (process.pid % 400);
    const xvfb = program("/usr/bin/Xvfb", "xvfb");
    const display = Child.start(xvfb, [`:${number}`, "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]);
    const port = await freePort();
    const path = program("/usr/bin/WebKitWebDriver", "webkit2gtk-driver");
    const webdriver = Child.start(path, [`--port=${port}`, "--host=127.0.0.1"], {
      DISPLAY: `:${number}`,
      TAURI_WEBVIEW_AUTOMATION: "true",
      NO_AT_BRIDGE: "1",
    });
    const base = `http://127.0.0.1:${port}`;
    const ready = () => fetch(`${base}/status`).then((r) => r.ok).catch(() => false);
    await until("WebKitWebDriver", ready, 15_000);
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary: app, args: [] } } };
    const answer = await call<{ sessionId: string }>(base, "POST", "/session", { capabilities });
    return new WindowDriver(`${base}/session/${answer.sessionId}`, display, webdriver);
  }

  async close(): Promise<void> {
    await fetch(this.session, { method: "DELETE" }).catch(() => undefined);
    await this.webdriver.stop();
    await this.display.stop();
  }

  async click(css: string): Promise<void> {
    await until(`a click on ${css}`, async () => {
      const element = await this.find(css);
      if (!element) return null;
      return this.command("POST", `/element/${element}/click`, {}).then(
        () => true,
        () => null,
      );
    });
  }

  async fill(css: string, text: string): Promise<void> {
    await until(`the input ${css}`, () => this.find(css));
    // As a person does it: select what is there, type over it.
    await this.evaluate(`(() => { const e = document.querySelector(${JSON.stringify(css)}); e.focus(); e.select?.(); })()`);
    const element = await this.find(css);
    await this.command("POST", `/element/${element}/value`, { text });
  }

  async press(key: string): Promise<void> {
    const value = KEYS[key] ?? key;
    const actions = [{ type: "key", id: "keyboard", actions: [{ type: "keyDown", value }, { type: "keyUp", value }] }];
    await this.command("POST", "/actions", { actions });
  }

  async text(css: string): Promise<string | null> {
    return this.evaluate(`document.querySelector(${JSON.stringify(css)})?.innerText ?? null`);
  }

  async count(css: string): Promise<number> {
    return this.evaluate(`document.querySelectorAll(${JSON.stringify(css)}).length`);
  }

  evaluate<T>(expression: string): Promise<T> {
    return this.command("POST", "/execute/sync", { script: `return ${expression}`, args: [] });
  }

  async picture(name: string): Promise<void> {
    // A screenshot shows the last composited frame: wait for two.
    const script = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(true)))";
    await this.command("POST", "/execute/async", { script, args: [] });
    const png = await this.command<string>("GET", "/screenshot");
    mkdirSync(join(artifacts, "desktop"), { recursive: true });
    writeFileSync(join(artifacts, "desktop", `${name}.png`), Buffer.from(png, "base64"));
  }

  private async find(css: string): Promise<string | null> {
    const found = await this.command<Record<string, string>[]>("POST", "/elements", { using: "css selector", value: css });
    return found[0]?.[ELEMENT] ?? null;
  }

  private command<T>(method: string, path: string, body?: unknown): Promise<T> {
    return call(this.session, method, path, body);
  }
}

async function call<T>(base: string, method: string, path: string, body?: unknown): Promise<T> {
  const request = { method, headers: { "Content-Type": "application/json" }, body: body === undefined ? null : JSON.stringify(body) };
  const response = await fetch(base + path, request);
  const answer = (await response.json()) as { value: T & { message?: string } };
  if (!response.ok) throw new Error(`${method} ${path}: ${answer.value.message ?? response.status}`);
  return answer.value;
}
