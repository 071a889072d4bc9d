// The one door to the engine. Two transports stand behind it: the desktop shell (tauri.ts) and, for tests in a browser,
// HTTP on loopback (http.ts). Everything above this file is the same in both.
import type {
  ApiError,
  ApplyRequest,
  ArmRequest,
  Code,
  DryRunView,
  JournalEntryView,
  JournalView,
  OperationsRequest,
  PlanIdRequest,
  PlanRequest,
  PlanView,
  ServicesView,
  SessionView,
  TraceIdRequest,
  TraceListView,
  TraceSearchRequest,
  TraceView,
  UndoRequest,
  Update,
  WindowRequest,
} from './bindings';

/** Every command with its request and its answer; `null` as request means that it takes none. */
export interface Commands {
  session: { request: null; answer: SessionView };
  latest: { request: null; answer: Update };
  refresh: { request: null; answer: unknown };
  set_window: { request: WindowRequest; answer: SessionView };
  arm: { request: ArmRequest; answer: SessionView };
  disarm: { request: null; answer: SessionView };
  plan_shift: { request: PlanRequest; answer: PlanView };
  dry_run: { request: PlanIdRequest; answer: DryRunView };
  apply: { request: ApplyRequest; answer: JournalEntryView };
  plan_undo: { request: UndoRequest; answer: PlanView };
  journal: { request: null; answer: JournalView };
  trace_services: { request: null; answer: ServicesView };
  trace_operations: { request: OperationsRequest; answer: ServicesView };
  find_traces: { request: TraceSearchRequest; answer: TraceListView };
  trace: { request: TraceIdRequest; answer: TraceView };
}

export type CommandName = keyof Commands;
export type RequestOf<C extends CommandName> = Commands[C]['request'];
export type AnswerOf<C extends CommandName> = Commands[C]['answer'];

export interface Backend {
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
