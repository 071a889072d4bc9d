// The one door to the engine. Two transports stand behind it: the desktop shell (tauri.ts) and, for tests in a browser,
// HTTP on loopback (http.ts). Everything above this file is the same in both.
import type { ApiError, Code, Commands, Update } from './bindings';

export type CommandName = keyof Commands;
export type RequestOf<C extends CommandName> = Commands[C]['request'];
export type AnswerOf<C extends CommandName> = Commands[C]['answer'];

export interface Backend {
  /** Whether the shell shows the page larger or smaller when it is told to; a browser does that by itself. */
  readonly zooms: boolean;
  /** Rejects with a {@link CallError} and with nothing else. */
  call<C extends CommandName>(command: C, request: RequestOf<C>): Promise<AnswerOf<C>>;
  /**
   * Delivers every update from now on. `onLost` tells why the stream broke; the transport goes on trying, and the next
   * update means that it succeeded. Returns the function that ends the subscription.
   */
  subscribe(onUpdate: (update: Update) => void, onLost: (reason: string) => void): () => void;
}

/** A command that failed; branch on `error.code` only. */
export class CallError extends Error {
  readonly error: ApiError;

  constructor(error: ApiError) {
    super(error.message);
    this.name = 'CallError';
    this.error = error;
  }
}

const CODES: ReadonlySet<string> = new Set<Code>([
  'bad_request',
  'bad_data',
  'not_found',
  'not_configured',
  'switched_off',
  'unavailable',
  'timed_out',
  'unauthorized',
  'forbidden',
  'conflict',
  'rejected',
  'read_only',
  'internal',
]);

/** Whatever a transport threw, as a {@link CallError}: callers never meet another shape. */
export function toCallError(thrown: unknown): CallError {
  if (thrown instanceof CallError) {
    return thrown;
  }
  if (isApiError(thrown)) {
    return new CallError(thrown);
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CallError({ code: 'internal', message, detail: '', hint: '' });
}

function isApiError(value: unknown): value is ApiError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    CODES.has(value.code) &&
    'message' in value &&
    typeof value.message === 'string'
  );
}
