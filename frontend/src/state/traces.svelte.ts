import type { Backend } from '../backend/backend';
import type {
  EdgeView,
  NodeView,
  ServicesView,
  SpanView,
  TraceListView,
  TraceRowView,
  TraceSearchRequest,
  TraceView,
} from '../backend/bindings';
import { parseAttributes } from '../model/attributes';
import type { TraceOrder } from '../model/traceList';
import { ancestorsOf, firstFailures } from '../model/waterfall';
import { Remote } from './remote.svelte';

/** Where a search came from on the mesh; it narrows the search until it is taken off. */
export interface Origin {
  readonly kind: 'node' | 'edge';
  readonly id: string;
  readonly label: string;
}

export interface TraceForm {
  /** The context whose traces are searched; empty for those of all, or for where the search came from. */
  context: string;
  service: string;
  operation: string;
  attributes: string;
  minMs: number | null;
  maxMs: number | null;
  onlyErrors: boolean;
  sinceS: number;
  limit: number;
}

/** The search for traces and the one that is open. */
export class Traces {
  form = $state<TraceForm>({
    context: '',
    service: '',
    operation: '',
    attributes: '',
    minMs: null,
    maxMs: null,
    onlyErrors: false,
    sinceS: 900,
    limit: 50,
  });
  origin = $state.raw<Origin | null>(null);
  problem = $state('');
  openId = $state<string | null>(null);
  /** The context that has the open trace; null if any may. */
  openContext = $state<string | null>(null);
  spanId = $state<string | null>(null);
  collapsed = $state.raw<ReadonlySet<string>>(new Set());
  rawClock = $state(false);
  order = $state<TraceOrder>('slowest');
  showCritical = $state(true);

  /** The search whose answer is the list, or under way: the form may say other things since. */
  asked = $state.raw<TraceSearchRequest | null>(null);

  readonly services = new Remote<ServicesView>();
  readonly operations = new Remote<ServicesView>();
  readonly list = new Remote<TraceListView>();
  readonly trace = new Remote<TraceView>();

  /** The open trace; null while another one's answer is still here. */
  readonly opened: TraceView | null = $derived.by(() => {
    const trace = this.trace.value;
    return trace !== null && this.isOpen(trace) ? trace : null;
  });

  /** The trace on the screen: the open one, and while another one is read the one before. */
  readonly shown: TraceView | null = $derived(this.opened ?? (this.trace.loading ? this.trace.value : null));

  readonly span: SpanView | null = $derived.by(() => {
    const id = this.spanId;
    return this.opened?.spans.find((span) => span.span_id === id) ?? null;
  });

  private readonly backend: Backend;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** A trace is known by its id and its context: two clusters may each have a part of it. */
  isOpen(trace: { readonly trace_id: string; readonly context: string }): boolean {
    return (
      trace.trace_id === this.openId && (this.openContext === null || this.openContext === trace.context)
    );
  }

  /** The context that the form names; null for all. */
  private get context(): string | null {
    return this.form.context === '' ? null : this.form.context;
  }

  /** Fills what an unopened screen lacks. */
  async begin(): Promise<void> {
    if (this.services.value === null && !this.services.loading) {
      this.askServices();
    }
    if (this.list.value === null && !this.list.loading && this.list.error === null) {
      // What a link opened is not closed for what nobody asked for.
      await this.find(() => this.openId !== null);
    }
  }

  private askServices(): void {
    const { context } = this;
    void this.services.ask(() => this.backend.call('trace_services', { context }));
  }

  /** Another context, or all of them (empty): its names are others. */
  async chooseContext(context: string): Promise<void> {
    this.form.context = context;
    this.services.clear();
    this.askServices();
    await this.chooseService(this.form.service);
  }

  /** A service of one's own choice takes the place of where the search came from. */
  async chooseService(service: string): Promise<void> {
    if (service !== '') {
      this.origin = null;
    }
    this.form.service = service;
    this.form.operation = '';
    this.operations.clear();
    if (service !== '') {
      const { context } = this;
      await this.operations.ask(() => this.backend.call('trace_operations', { context, service }));
    }
  }

  /** Another mesh is open: nothing that was found is there any more. */
  forget(): void {
    this.origin = null;
    this.form.service = '';
    this.form.operation = '';
    this.form.context = '';
    this.forgetAnswers();
    this.close();
  }

  /** A context was opened beside the others or closed: what they said together is no longer the whole, or too much. */
  contextsChanged(open: readonly string[]): void {
    if (this.form.context !== '' && !open.includes(this.form.context)) {
      this.form.context = '';
    }
    this.forgetAnswers();
    const { value } = this.trace;
    if (value !== null && !open.includes(value.context)) {
      this.close();
    }
  }

  private forgetAnswers(): void {
    this.asked = null;
    this.services.clear();
    this.operations.clear();
    this.list.clear();
  }

  /** Opens the slowest that is found, unless the open one is among them. */
  async search(): Promise<void> {
    await this.find((rows) => rows.some((row) => this.isOpen(row)));
  }

  /** `keep` says whether the open one stays open. */
  private async find(keep: (rows: readonly TraceRowView[]) => boolean): Promise<void> {
    const request = this.request();
    if (request === null) {
      return;
    }
    this.asked = request;
    const found = await this.list.ask(() => this.backend.call('find_traces', request));
    if (found === null || keep(found.traces)) {
      return;
    }
    const row = slowest(found.traces);
    if (row === undefined) {
      this.close();
    } else {
      await this.open(row.trace_id, row.context);
    }
  }

  /** The form as a request; null, with `problem` set, if it cannot be read. */
  private request(): TraceSearchRequest | null {
    const { attributes, problem } = parseAttributes(this.form.attributes);
    this.problem = problem;
    const { minMs, maxMs } = this.form;
    if (problem === '' && minMs !== null && maxMs !== null && minMs > maxMs) {
      this.problem = 'the least duration is above the greatest';
    }
    if (this.problem !== '') {
      return null;
    }
    return {
      context: this.context,
      service: this.form.service === '' ? null : this.form.service,
      operation: this.form.operation === '' ? null : this.form.operation,
      only_errors: this.form.onlyErrors,
      min_duration_ms: minMs,
      max_duration_ms: maxMs,
      attributes,
      since_s: this.form.sinceS,
      limit: this.form.limit,
      node: this.origin?.kind === 'node' ? this.origin.id : null,
      edge: this.origin?.kind === 'edge' ? this.origin.id : null,
    };
  }

  async searchFrom(origin: Origin, only: { minMs: number | null; onlyErrors: boolean }): Promise<void> {
    this.origin = origin;
    if (this.form.context !== '') {
      // What comes from the mesh is of its own cluster, whichever was searched before.
      this.form.context = '';
      this.services.clear();
      this.askServices();
    }
    Object.assign(this.form, {
      service: '',
      operation: '',
      attributes: '',
      minMs: only.minMs === null ? null : Math.round(only.minMs),
      maxMs: null,
      onlyErrors: only.onlyErrors,
    });
    this.operations.clear();
    this.list.clear();
    this.close();
    await this.search();
  }

  async leaveOrigin(): Promise<void> {
    this.origin = null;
    await this.search();
  }

  /** Without a context all that are open are asked for it. */
  async open(traceId: string, context: string | null = null): Promise<void> {
    this.openId = traceId;
    this.openContext = context;
    const raw_clock = this.rawClock;
    const trace = await this.trace.ask(() =>
      this.backend.call('trace', { context, trace_id: traceId, raw_clock }),
    );
    if (trace !== null) {
      this.openContext = trace.context;
      // The backend writes ids in full, whatever was typed.
      this.openId = trace.trace_id;
      this.collapsed = new Set();
      this.spanId = worthALook(trace);
    }
  }

  close(): void {
    this.trace.clear();
    this.openId = null;
    this.openContext = null;
    this.spanId = null;
  }

  async setRawClock(raw: boolean): Promise<void> {
    this.rawClock = raw;
    if (this.openId !== null) {
      const { openId: trace_id, openContext: context } = this;
      await this.trace.ask(() => this.backend.call('trace', { context, trace_id, raw_clock: raw }));
      // What is on the screen still follows the other clock.
      if (this.trace.error !== null && this.opened !== null) {
        this.rawClock = !raw;
      }
    }
  }

  /** Selects a span, and opens whatever is collapsed above it. */
  reveal(spanId: string): void {
    const above = ancestorsOf(this.opened?.spans ?? [], spanId);
    if (above.some((id) => this.collapsed.has(id))) {
      const next = new Set(this.collapsed);
      above.forEach((id) => next.delete(id));
      this.collapsed = next;
    }
    this.spanId = spanId;
  }

  toggle(spanId: string): void {
    const next = new Set(this.collapsed);
    if (!next.delete(spanId)) {
      next.add(spanId);
    }
    this.collapsed = next;
  }

  collapseAll(): void {
    const spans = this.opened?.spans ?? [];
    this.collapsed = new Set(
      spans.filter((span) => span.children > 0 && span.depth > 0).map((span) => span.span_id),
    );
  }

  expandAll(): void {
    this.collapsed = new Set();
  }
}

export function nodeOrigin(node: NodeView): Origin {
  return { kind: 'node', id: node.id, label: `${node.namespace}/${node.label}` };
}

export function edgeOrigin(edge: EdgeView, source: string, target: string): Origin {
  return { kind: 'edge', id: edge.id, label: `${source} → ${target}` };
}

function slowest<T extends { duration_ns: number }>(rows: readonly T[]): T | undefined {
  return rows.toSorted((a, b) => b.duration_ns - a.duration_ns)[0];
}

/** Where a failure began is what one looks for: the engine's guess, else an error without one below; else the root. */
function worthALook(trace: TraceView): string | null {
  const guess = trace.findings.find((finding) => finding.code === 'likely-cause')?.object;
  const guessed = trace.spans.find((span) => span.span_id === guess);
  return (guessed ?? firstFailures(trace.spans)[0] ?? trace.spans[0])?.span_id ?? null;
}
