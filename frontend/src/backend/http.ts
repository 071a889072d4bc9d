// Transport of the browser shell on loopback, for tests: POST with JSON, and a stream of lines for updates.
import type { AnswerOf, Backend, CommandName } from './backend';
import { CallError, toCallError } from './backend';
import type { Streams, Update } from './bindings';
import { LineSplitter } from './lines';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;

/** The token of `#t=TOKEN`; it stays in memory only, so a reload needs the full address again. */
export function tokenFrom(fragment: string): string {
  return new URLSearchParams(fragment.replace(/^#/, '')).get('t') ?? '';
}

export function httpBackend(token: string, base = ''): Backend {
  const post = (command: string, body: string, signal: AbortSignal | null): Promise<Response> =>
    fetch(`${base}/ipc/${command}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body,
      signal,
    });

  return {
    zooms: false,
    async call<C extends CommandName>(command: C, request: unknown): Promise<AnswerOf<C>> {
      try {
        const response = await post(command, JSON.stringify(request ?? {}), null);
        if (!response.ok) {
          throw await failure(response);
        }
        const text = await response.text();
        return (text === '' ? null : JSON.parse(text)) as AnswerOf<C>;
      } catch (thrown) {
        throw unreachable(thrown);
      }
    },
    subscribe(onUpdate, onLost) {
      const ended = new AbortController();
      void keepReading(post, ended.signal, onUpdate, onLost);
      return () => ended.abort();
    },
  };
}

/** Reads the stream, and opens it again with growing pauses, until `ended`. */
async function keepReading(
  post: (command: string, body: string, signal: AbortSignal) => Promise<Response>,
  ended: AbortSignal,
  onUpdate: (update: Update) => void,
  onLost: (reason: string) => void,
): Promise<void> {
  let pauseMs = FIRST_RETRY_MS;
  while (!ended.aborted) {
    let reason = 'the stream ended';
    try {
      const response = await post('subscribe' satisfies keyof Streams, '{}', ended);
      if (!response.ok || response.body === null) {
        throw await failure(response);
      }
      await readLines(response.body, (line) => {
        pauseMs = FIRST_RETRY_MS;
        onUpdate(JSON.parse(line) as Update);
      });
    } catch (thrown) {
      reason = unreachable(thrown).message;
    }
    if (ended.aborted) {
      return;
    }
    onLost(reason);
    await pause(pauseMs, ended);
    pauseMs = Math.min(pauseMs * 2, LAST_RETRY_MS);
  }
}

async function readLines(body: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const lines = new LineSplitter();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    for (const line of lines.push(decoder.decode(value, { stream: true }))) {
      onLine(line);
    }
  }
}

async function failure(response: Response): Promise<CallError> {
  const text = await response.text();
  try {
    const parsed: unknown = JSON.parse(text);
    const error = toCallError(parsed);
    if (error.error.code !== 'internal' || isRecord(parsed)) {
      return error;
    }
  } catch {
    // Not JSON: the words of whatever answered are all there is.
  }
  return new CallError({
    code: response.status === 401 ? 'unauthorized' : 'unavailable',
    message: `the engine answered ${response.status} ${response.statusText}`.trim(),
    detail: text.slice(0, 2000),
    hint: response.status === 401 ? 'Open the full address that the engine printed, with its #t=… part.' : '',
  });
}

function isRecord(value: unknown): value is { code: string } {
  return typeof value === 'object' && value !== null && 'code' in value;
}

/** A fetch that never reached the engine throws a TypeError: that is "unavailable", not a fault of ours. */
function unreachable(thrown: unknown): CallError {
  if (thrown instanceof TypeError) {
    return new CallError({
      code: 'unavailable',
      message: 'the engine cannot be reached',
      detail: thrown.message,
      hint: 'Is it still running?',
    });
  }
  return toCallError(thrown);
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    ended.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
