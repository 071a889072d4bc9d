// The W3C protocol of WebKitWebDriver: a few JSON calls.

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** One session, that is: one run of the program that the driver started. */
export class Session {
  private readonly base: string;

  private constructor(base: string) {
    this.base = base;
  }

  static async start(driver: string, path: string, args: readonly string[]): Promise<Session> {
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary: path, args } } };
    const answer = await call<{ sessionId: string }>(`${driver}/session`, 'POST', { capabilities });
    return new Session(`${driver}/session/${answer.sessionId}`);
  }

  async end(): Promise<void> {
    await call(this.base, 'DELETE');
  }

  post<T = unknown>(path: string, body: unknown): Promise<T> {
    return call(this.base + path, 'POST', body);
  }

  get<T>(path: string): Promise<T> {
    return call(this.base + path, 'GET');
  }

  /** The first element that matches; null if there is none. */
  async find(css: string): Promise<string | null> {
    const wanted = { using: 'css selector', value: css };
    const found = await this.post<Record<string, string>[]>('/elements', wanted);
    return found[0]?.[ELEMENT] ?? null;
  }
}

/** A refusal of the driver; `code` is the protocol's error code. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

async function call<T>(address: string, method: string, body?: unknown): Promise<T> {
  const response = await fetch(address, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
  if (!response.ok) {
    const code = value.error ?? String(response.status);
    throw new Refusal(code, `${method} ${new URL(address).pathname}: ${code} ${value.message ?? ''}`);
  }
  return value;
}
