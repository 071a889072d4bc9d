// Generated from the table of commands (crates/api/src/commands.in.rs) and crates/api/src/dto by `make bindings`.
// Do not edit.

/** Every command; `null` as request means that it takes none, as answer that it gives none. */
export interface Commands {
  /** Where we are and whether we may write. */
  session: { request: null; answer: SessionView };
  /** The newest state, whole, with positions. */
  latest: { request: null; answer: Update };
  /** Asks every source now instead of at the next tick. */
  refresh: { request: null; answer: null };
  /** Changes the window of every rate. */
  set_window: { request: WindowRequest; answer: SessionView };
  /** Unlocks writes to one context for a while. */
  arm: { request: ArmRequest; answer: SessionView };
  /** Locks writes to one context, or to all. */
  disarm: { request: DisarmRequest; answer: SessionView };
  /** Stages a shift: nothing is written. */
  plan_shift: { request: PlanRequest; answer: PlanView };
  /** Lets the server try a plan: nothing is written. */
  dry_run: { request: PlanIdRequest; answer: DryRunView };
  /** Carries a plan out. */
  apply: { request: ApplyRequest; answer: JournalEntryView };
  /** Stages the inverse of a journal entry: nothing is written. */
  plan_undo: { request: UndoRequest; answer: PlanView };
  /** The journal of this context, newest first. */
  journal: { request: null; answer: JournalView };
  /** Everything that can be chosen: contexts, addresses, the demo mesh. Contacts nobody. */
  chooser: { request: null; answer: ChooserView };
  /** Begins to look at a context; its steps come with the updates. */
  check_context: { request: ContextRequest; answer: CheckView };
  /** Stops looking at a context; a credential plugin that is waited for is ended. */
  cancel_check: { request: ContextRequest; answer: null };
  /** Opens a context, which is looked at first if it was not. */
  open_context: { request: OpenRequest; answer: SessionView };
  /** Closes a context. */
  close_context: { request: ContextRequest; answer: SessionView };
  /** Signs in to an open context again: a credential plugin runs anew, a token file is read anew. */
  log_in_again: { request: ContextRequest; answer: null };
  /** Takes other namespaces for a context, and looks at it again; one that is open is reopened. */
  choose_namespaces: { request: NamespacesRequest; answer: null };
  /** Takes another metrics or trace source for a context, and looks at it again; one that is open is reopened. */
  choose_source: { request: SourceRequest; answer: null };
  /** Metrics and traces by address, without an API server: the id of that place. */
  add_addresses: { request: AddressesRequest; answer: ContextRequest };
  /** Reads one more kubeconfig from now on. */
  add_kubeconfig: { request: FileRequest; answer: ChooserView };
  /** What was asked of a context and answered, as text without secrets. */
  connection_report: { request: ContextRequest; answer: TextView };
  /** What the window remembers between two starts. */
  memory: { request: null; answer: MemoryView };
  /** Keeps it. */
  remember: { request: MemoryRequest; answer: null };
  /** Follows a link: the next update tells where it leads. Opens and contacts nothing. */
  follow_link: { request: LinkTextRequest; answer: null };
  /** The link to a place, to copy. */
  link_to: { request: LinkRequest; answer: TextView };
  /** The link was followed or given up: updates no longer tell it. */
  end_link: { request: LinkEndRequest; answer: null };
  /** Services that have traces. */
  trace_services: { request: TracesOfRequest; answer: ServicesView };
  /** Operations of a service. */
  trace_operations: { request: OperationsRequest; answer: ServicesView };
  /** Traces that match, newest first. */
  find_traces: { request: TraceSearchRequest; answer: TraceListView };
  /** One trace, analysed. */
  trace: { request: TraceIdRequest; answer: TraceView };
}

/** Every command that answers again and again. */
export interface Streams {
  /** Every update from now on: the newest state after each change. */
  subscribe: { request: null; answer: Update };
}

export type ActionView = { 
/**
 * `copy` (of `text`), `address` (give one), `token` (give one), `namespaces` (type some), `retry`, `use` (this candidate).
 */
id: string, 
/**
 * On the button.
 */
label: string, 
/**
 * What is copied, e.g. the missing RBAC rule as YAML; null for others.
 */
text: string | null, };

export type AddressRequest = { 
/**
 * `http://…` or `https://…`, with its base path.
 */
url: string, 
/**
 * `prometheus`, `jaeger`, `tempo`, `zipkin`; empty = find out.
 */
kind: string, 
/**
 * How to sign in: `none`, `bearer`, `basic`, `token_file`, `token_command`.
 */
sign_in: string, 
/**
 * User, for `basic`.
 */
user: string, 
/**
 * Token or password, for `bearer` and `basic`. Goes to the system's keychain or stays in memory; never into a file.
 */
secret: string | null, 
/**
 * Whole path of the file that holds the token, for `token_file`; read again whenever it changes.
 */
token_file: string, 
/**
 * Program that prints the token, and its arguments, for `token_command`. No shell reads it.
 */
token_command: Array<string>, 
/**
 * Tenant, sent as `X-Scope-OrgID`; empty = none.
 */
tenant: string, 
/**
 * More headers, none of them secret: they are written into the settings.
 */
headers: Array<HeaderView>, 
/**
 * File with the certificates of its authority; empty = the system's.
 */
ca_file: string, 
/**
 * File with a client certificate; empty = none.
 */
client_cert_file: string, 
/**
 * File with its key; empty = it is in the certificate's.
 */
client_key_file: string, };

export type AddressesRequest = { 
/**
 * Metrics; null for none.
 */
metrics: AddressRequest | null, 
/**
 * Traces; null for none.
 */
traces: AddressRequest | null, };

export type ApiError = { 
/**
 * Why; branch on this.
 */
code: Code, 
/**
 * One sentence for people.
 */
message: string, 
/**
 * More, e.g. the server's own words, verbatim; may be empty.
 */
detail: string, 
/**
 * What to do; may be empty.
 */
hint: string, };

export type ApplyRequest = { 
/**
 * From [`PlanView::plan_id`].
 */
plan_id: string, 
/**
 * Why, for the journal; may be empty.
 */
reason: string, };

export type ArmRequest = { 
/**
 * The context; null for the only one that is open.
 */
context: string | null, 
/**
 * The context's name as typed, where [`WritesView::needs_name`].
 */
typed_name: string | null, };

export type AuthView = { 
/**
 * `none`, `token`, `token_file`, `client_certificate`, `basic`, `plugin`, `provider`.
 */
kind: string, 
/**
 * In words: `client certificate`, `token of a file`.
 */
text: string, 
/**
 * The credential plugin, for `plugin`.
 */
plugin: PluginView | null, 
/**
 * When the client certificate stops being valid, RFC 3339, where it can be read.
 */
expires: string | null, };

export type BandView = { 
/**
 * Destination name.
 */
destination: string, 
/**
 * Declared share.
 */
target: number, 
/**
 * Lower bound at the present count.
 */
low: number, 
/**
 * Upper bound.
 */
high: number, 
/**
 * Observed share since the change; null if nothing was counted.
 */
observed: number | null, 
/**
 * Requests counted since the change.
 */
requests: number, };

export type CallView = { 
/**
 * Caller service.
 */
source: string, 
/**
 * Callee service.
 */
target: string, 
/**
 * Graph edge id, if the graph has it.
 */
edge: string | null, 
/**
 * Calls.
 */
calls: number, 
/**
 * Erroring calls.
 */
errors: number, 
/**
 * Longest duration, as the caller felt it.
 */
max_ns: number, 
/**
 * Present p95 of the edge, milliseconds.
 */
edge_p95_ms: number | null, };

export type CandidateView = { 
/**
 * What to pass to choose it.
 */
id: string, 
/**
 * `monitoring/prometheus-k8s:9090`, or its address.
 */
shown: string, 
/**
 * Whether it is the one in use.
 */
chosen: boolean, 
/**
 * How its probe went.
 */
state: LineState, 
/**
 * What answers there, e.g. `Prometheus 3.1.0`; empty if nothing did.
 */
product: string, 
/**
 * Why it was considered: `named in Kiali's settings`.
 */
found_by: string, 
/**
 * Why it was chosen or not, one sentence.
 */
why: string, 
/**
 * How long its probe took, milliseconds.
 */
elapsed_ms: number | null, 
/**
 * What can be done about it; null if nothing.
 */
action: ActionView | null, };

export type ChangeView = { 
/**
 * Destination name.
 */
destination: string, 
/**
 * JSON pointer.
 */
path: string, 
/**
 * Before; null if absent.
 */
before: number | null, 
/**
 * After; null if removed.
 */
after: number | null, };

export type CheckFailureView = { 
/**
 * What was being asked.
 */
asked: string, 
/**
 * What happened.
 */
happened: string, 
/**
 * What helps.
 */
helps: string, 
/**
 * A line to paste into a terminal, e.g. how to install a plugin; empty if there is none.
 */
command: string, 
/**
 * Folders that were looked into, for a missing program.
 */
looked_in: Array<string>, 
/**
 * Before which step it stopped.
 */
stopped_at: string, };

export type CheckLineView = { 
/**
 * `api_server`, `user`, `namespaces`, `istio`, `gateway_api`, `metrics`, `traces`, `scrape_interval`, `rights`, `owners`.
 */
id: string, 
/**
 * What was asked, for people: `API server`.
 */
asked: string, 
/**
 * How it went.
 */
state: LineState, 
/**
 * What was answered, one sentence; empty while it is asked.
 */
answer: string, 
/**
 * More, verbatim where a server said it; may be empty.
 */
detail: string, 
/**
 * What to do; empty if nothing.
 */
hint: string, 
/**
 * How long it took, milliseconds; null while it is asked.
 */
elapsed_ms: number | null, 
/**
 * The one thing to do about it; null if nothing.
 */
action: ActionView | null, 
/**
 * Servers that were tried; only of `metrics` and `traces`.
 */
candidates: Array<CandidateView>, };

export type CheckState = "running" | "done" | "failed" | "cancelled";

export type CheckView = { 
/**
 * The context.
 */
context: string, 
/**
 * Counts looks at this context, from 1: an older one never replaces a newer one.
 */
run: number, 
/**
 * Where it stands.
 */
state: CheckState, 
/**
 * When it began, RFC 3339.
 */
began: string, 
/**
 * How long it took so far, milliseconds.
 */
elapsed_ms: number, 
/**
 * One line for each thing asked.
 */
lines: Array<CheckLineView>, 
/**
 * A program that is waited for; null if none.
 */
waiting: WaitingView | null, 
/**
 * Credential plugins that were started.
 */
plugins_started: Array<string>, 
/**
 * Why it cannot be opened; null unless `failed`.
 */
failure: CheckFailureView | null, 
/**
 * Namespaces that it opens with, busiest first; empty = all.
 */
namespaces: Array<string>, };

export type ChooserView = { 
/**
 * Every context of every kubeconfig, then the remembered addresses, then the demo mesh.
 */
contexts: Array<ContextView>, 
/**
 * Every kubeconfig that was looked at, in order of precedence.
 */
files: Array<KubeconfigFileView>, 
/**
 * What is wrong with our own settings and state files; empty if nothing is.
 */
problems: Array<ProblemView>, 
/**
 * How long reading took, milliseconds.
 */
read_ms: number, 
/**
 * Context that was open last, if it is still there: it gets the focus.
 */
last: string | null, 
/**
 * Where settings, state and journal are kept, for people.
 */
folder: string | null, };

export type Code = "bad_request" | "bad_data" | "not_found" | "not_configured" | "switched_off" | "unavailable" | "timed_out" | "unauthorized" | "forbidden" | "conflict" | "rejected" | "read_only" | "internal";

export type CodeShareView = { 
/**
 * HTTP code, gRPC status or `-`.
 */
code: string, 
/**
 * Envoy's response flags or `-`.
 */
flags: string, 
/**
 * 0..=1.
 */
ratio: number, };

export type ContextFailureView = { 
/**
 * Its name.
 */
context: string, 
/**
 * Why.
 */
error: ApiError, };

export type ContextKind = "kubeconfig" | "addresses" | "demo";

export type ContextRequest = { 
/**
 * From [`ContextView::id`].
 */
context: string, };

export type ContextView = { 
/**
 * What to pass to choose it.
 */
id: string, 
/**
 * What kind of place it is.
 */
kind: ContextKind, 
/**
 * Its name; contexts of equal names are told apart by their file.
 */
name: string, 
/**
 * `demo`, `production`, `normal`: decides what it takes to write.
 */
class: string, 
/**
 * The class in words, for people: `production`, `staging`, …
 */
class_label: string, 
/**
 * Its colour: `#rrggbb` or `amber`, `blue`, `green`, `grey`, `pink`, `red`, `teal`, `violet`; null is the plain one.
 */
colour: string | null, 
/**
 * Address of the API server, without credentials; null if no file defines it.
 */
server: string | null, 
/**
 * File that defines the context, the home folder written as `~`.
 */
file: string | null, 
/**
 * File that defines its cluster, where that is another one.
 */
cluster_file: string | null, 
/**
 * File that defines its user, where that is another one.
 */
user_file: string | null, 
/**
 * Default namespace.
 */
namespace: string | null, 
/**
 * How it signs in.
 */
auth: AuthView, 
/**
 * The kubeconfig's current context.
 */
is_current: boolean, 
/**
 * Open in this window.
 */
is_open: boolean, 
/**
 * When it was last open, RFC 3339; null if never (or not remembered).
 */
last_used: string | null, 
/**
 * The last failure to open it since it was last open.
 */
last_failure: LastFailureView | null, 
/**
 * Why it cannot be opened as it stands in its file; null if it can be tried.
 */
problem: ProblemView | null, 
/**
 * What may surprise, as sentences: a cluster that comes from another file.
 */
notes: Array<string>, 
/**
 * What must be seen in red as long as it is open: a certificate that is not checked, impersonation.
 */
warnings: Array<string>, };

export type DestinationView = { 
/**
 * Position in the entry, from 0.
 */
index: number, 
/**
 * Name to show and to type: the subset, else the host.
 */
name: string, 
/**
 * Host as written.
 */
host: string, 
/**
 * Subset.
 */
subset: string | null, 
/**
 * Port.
 */
port: number | null, 
/**
 * Canonical revision behind it, where it can be told.
 */
revision: string | null, 
/**
 * Weight as written; null if absent.
 */
weight: number | null, 
/**
 * What the weight counts for: as written, else what its API makes of an absent one.
 */
counted_weight: number, 
/**
 * Share by the weights, 0..=1.
 */
effective_ratio: number | null, 
/**
 * Share of the requests counted in the window, 0..=1; null if none were counted or the count failed.
 */
observed_ratio: number | null, 
/**
 * 95 % interval of the observed share.
 */
interval: [number, number] | null, 
/**
 * Requests counted in the window; null if unknown.
 */
requests: number | null, 
/**
 * Requests per second; null if unknown.
 */
rate: number | null, 
/**
 * Error ratio, by its own proxy where that reports.
 */
error_ratio: number | null, 
/**
 * Latency.
 */
latency_ms: LatencyView, 
/**
 * Ready replicas; null if unknown.
 */
ready_endpoints: number | null, 
/**
 * Wanted replicas; null if unknown.
 */
wanted_endpoints: number | null, };

export type DiffLine = { 
/**
 * `context`, `removed`, `added`.
 */
kind: string, 
/**
 * The line, without its sign.
 */
text: string, };

export type DisarmRequest = { 
/**
 * The context; null for every one that is open.
 */
context: string | null, };

export type DryRunView = { 
/**
 * The server would take it, and its answer equals the staged document.
 */
ok: boolean, 
/**
 * Round trip.
 */
elapsed_ms: number, 
/**
 * `Warning` headers, verbatim.
 */
warnings: Array<string>, 
/**
 * Leaves that the server would change besides ours (`/spec/http/0/timeout: null -> "1s"`); empty is good.
 */
mutations: Array<string>, };

export type EdgeView = { 
/**
 * Stable id.
 */
id: string, 
/**
 * Caller's node id.
 */
source: string, 
/**
 * Callee's node id.
 */
target: string, 
/**
 * `http`, `grpc`, `tcp`.
 */
protocol: string, 
/**
 * Per second (bytes for tcp).
 */
rate: number | null, 
/**
 * 0..=1.
 */
error_ratio: number | null, 
/**
 * Response codes, most frequent first.
 */
codes: Array<CodeShareView>, 
/**
 * What the caller felt.
 */
latency_ms: LatencyView, 
/**
 * What the callee's proxy measured.
 */
callee_latency_ms: LatencyView, 
/**
 * Share of requests over mutual TLS.
 */
mtls_ratio: number | null, 
/**
 * Share of what the source sends by this protocol.
 */
share_of_source: number | null, 
/**
 * `unknown`, `idle`, `ok`, `degraded`, `failing`.
 */
health: string, };

export type FileRequest = { 
/**
 * Path of a kubeconfig.
 */
path: string, };

export type FindingView = { 
/**
 * `info`, `warning`, `error`.
 */
severity: string, 
/**
 * Stable name.
 */
code: string, 
/**
 * What it is about.
 */
object: string, 
/**
 * JSON pointer inside the object; may be empty.
 */
path: string, 
/**
 * For people; plain text.
 */
message: string, };

export type GraphView = { 
/**
 * Counts snapshots.
 */
generation: number, 
/**
 * Moment of the numbers, RFC 3339.
 */
taken_at: string, 
/**
 * Window of every rate, seconds.
 */
window_s: number, 
/**
 * `workload`, `app`, `versioned-app`, `service`.
 */
graph_type: string, 
/**
 * Sorted by id.
 */
nodes: Array<NodeView>, 
/**
 * Sorted by id.
 */
edges: Array<EdgeView>, 
/**
 * Sources with their state.
 */
sources: Array<SourceView>, 
/**
 * Findings, worst first.
 */
findings: Array<FindingView>, 
/**
 * The queries behind the numbers.
 */
queries: Array<QueryView>, };

export type HeaderView = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its value.
 */
value: string, };

export type JournalEntryView = { 
/**
 * Its id.
 */
entry_id: string, 
/**
 * RFC 3339.
 */
at: string, 
/**
 * `apply`, `undo`.
 */
kind: string, 
/**
 * Context it was made in.
 */
context: string, 
/**
 * User as the server saw us.
 */
user: string | null, 
/**
 * Which split.
 */
split_id: string, 
/**
 * In words.
 */
summary: string, 
/**
 * The operator's reason.
 */
reason: string, 
/**
 * `applied`, `refused`, `failed`, `intended` (begun, outcome never written: look at the object).
 */
outcome: string, 
/**
 * The server's words if it refused or failed.
 */
message: string, 
/**
 * Changed leaves.
 */
changes: Array<ChangeView>, 
/**
 * resourceVersion before.
 */
resource_version_before: string, 
/**
 * resourceVersion after; null if nothing was written.
 */
resource_version_after: string | null, 
/**
 * Whether it can still be undone.
 */
undoable: boolean, };

export type JournalView = { 
/**
 * Entries.
 */
entries: Array<JournalEntryView>, };

export type KubeconfigFileView = { 
/**
 * Its path, the home folder written as `~`.
 */
path: string, 
/**
 * Contexts that it defines.
 */
contexts: number, 
/**
 * Why it cannot be read; null if it can.
 */
problem: ProblemView | null, };

export type LastFailureView = { 
/**
 * When, RFC 3339.
 */
at: string, 
/**
 * What was said.
 */
message: string, };

export type LatencyView = { 
/**
 * Mean.
 */
avg: number | null, 
/**
 * Median.
 */
p50: number | null, 
/**
 * 95th percentile.
 */
p95: number | null, 
/**
 * 99th percentile.
 */
p99: number | null, 
/**
 * Names of the statistics that lie above the last bucket: they are null above, and known to exceed its bound.
 */
beyond: Array<string>, };

export type LayoutView = { 
/**
 * Changes only when a position changes.
 */
version: number, 
/**
 * Card by node id.
 */
nodes: { [key in string]: RectView }, 
/**
 * Box by the id that nodes name as theirs.
 */
boxes: { [key in string]: RectView }, 
/**
 * Outlines of clusters, around the boxes of their namespaces; empty with one cluster. The key is the cluster's name,
 * with the context where several clusters go by one name.
 */
clusters: { [key in string]: RectView }, 
/**
 * The key in `clusters` of each box that stands in one.
 */
around: { [key in string]: string }, 
/**
 * Nodes that are gone but keep their slot.
 */
ghosts: Array<string>, };

export type LineState = "waiting" | "asking" | "ok" | "note" | "missing" | "forbidden" | "failed";

export type LinkEndRequest = { 
/**
 * From [`LinkView::serial`].
 */
serial: number, };

export type LinkPlace = "mesh" | "node" | "edge" | "split" | "trace";

export type LinkRequest = { 
/**
 * The context; null for that of the id, or else the first that is open.
 */
context: string | null, 
/**
 * The kind of place.
 */
place: LinkPlace, 
/**
 * Id of the node, edge, split or trace, as updates name it; empty for the Mesh screen.
 */
id: string, 
/**
 * As of this moment, RFC 3339; null is whenever it is followed.
 */
at: string | null, 
/**
 * Window of rates, seconds; null leaves that of whoever follows it.
 */
window_s: number | null, };

export type LinkTextRequest = { 
/**
 * `pilothouse://…`
 */
text: string, };

export type LinkView = { 
/**
 * Counts links: each is followed once.
 */
serial: number, 
/**
 * Why it cannot be followed, as a sentence; null if it can. Nothing else of it is known then.
 */
refused: string | null, 
/**
 * The context that it leads into, by its id. Nobody but a person opens it.
 */
context: string, 
/**
 * Whether that context is open.
 */
is_open: boolean, 
/**
 * The kind of place.
 */
place: LinkPlace, 
/**
 * Id of the node, edge, split or trace, as updates and commands name it; empty for the Mesh screen.
 */
id: string, 
/**
 * The moment that is meant, RFC 3339; null is now.
 */
at: string | null, 
/**
 * Window of rates that is meant, seconds; null leaves it.
 */
window_s: number | null, 
/**
 * The command line that shows the graph as of that moment; null without a moment, or where none would.
 */
command: string | null, };

export type MemoryRequest = { 
/**
 * `system`, `dark` or `light`; null leaves it.
 */
theme: string | null, 
/**
 * Size of everything in the window, 0.5..=3, which a window of the desktop takes at once; null leaves it.
 */
zoom: number | null, 
/**
 * The page's own state as JSON text; null leaves it.
 */
page: string | null, };

export type MemoryView = { 
/**
 * `system`, `dark` or `light`.
 */
theme: string, 
/**
 * Size of everything in the window, 1 = as drawn.
 */
zoom: number, 
/**
 * The page's own state as JSON text; empty if there is none. At most 256 KiB.
 */
page: string, 
/**
 * Why it is not kept; null if it is.
 */
problem: ProblemView | null, };

export type NamespacesRequest = { 
/**
 * From [`ContextView::id`].
 */
context: string, 
/**
 * Their names; empty = all that may be listed.
 */
namespaces: Array<string>, };

export type NodeView = { 
/**
 * Stable id.
 */
id: string, 
/**
 * `workload`, `app`, `service`, `unknown`, `box`.
 */
type: string, 
/**
 * Istio's id of the cluster.
 */
cluster: string, 
/**
 * Open context that reaches the cluster; null if none does.
 */
context: string | null, 
/**
 * Namespace.
 */
namespace: string, 
/**
 * Workload name.
 */
workload: string | null, 
/**
 * Canonical service.
 */
app: string | null, 
/**
 * Canonical revision.
 */
version: string | null, 
/**
 * Service name.
 */
service: string | null, 
/**
 * The name to print on a card.
 */
label: string, 
/**
 * Received, by protocol.
 */
in: { [key in string]: TrafficView }, 
/**
 * Sent, by protocol.
 */
out: { [key in string]: TrafficView }, 
/**
 * What it serves, http and grpc together, requests per second; of a node that nobody calls what it sends; null if
 * unknown.
 */
rate: number | null, 
/**
 * Error ratio of the same requests.
 */
error_ratio: number | null, 
/**
 * Latency of what it serves.
 */
latency_ms: LatencyView, 
/**
 * `unknown`, `idle`, `ok`, `degraded`, `failing`.
 */
health: string, 
/**
 * Marks, sorted.
 */
badges: Array<string>, 
/**
 * Id of the box around it (`cluster/namespace`).
 */
box: string | null, 
/**
 * Ids of the splits (see [`super::SplitView::id`]) that divide this node's traffic.
 */
splits: Array<string>, };

export type OpView = { 
/**
 * `test`, `replace`, `add`, `remove`.
 */
op: string, 
/**
 * JSON pointer.
 */
path: string, 
/**
 * The value as JSON text; empty for `remove`.
 */
value: string, };

export type OpenRequest = { 
/**
 * From [`ContextView::id`].
 */
context: string, 
/**
 * Beside those that are open; else instead of them.
 */
beside: boolean, };

export type OperationsRequest = { 
/**
 * The context; null for all that are open.
 */
context: string | null, 
/**
 * Service as the backend knows it.
 */
service: string, };

export type OwnerView = { 
/**
 * `hand`, `argo-cd`, `flux`, `flagger`, `argo-rollouts`, `kiali`, `helm`.
 */
tool: string, 
/**
 * Its application, canary or release.
 */
name: string | null, 
/**
 * What says so.
 */
evidence: string, };

export type PathSectionView = { 
/**
 * The span that the time belongs to.
 */
span_id: string, 
/**
 * From the trace's start.
 */
start_ns: number, 
/**
 * From the trace's start.
 */
end_ns: number, };

export type PlanIdRequest = { 
/**
 * From [`PlanView::plan_id`].
 */
plan_id: string, };

export type PlanRequest = { 
/**
 * [`SplitView::id`].
 */
split_id: string, 
/**
 * New weights; destinations not named keep theirs.
 */
weights: Array<WeightRequest>, };

export type PlanView = { 
/**
 * One-time id, which names the context, too; the plan itself stays with the engine.
 */
plan_id: string, 
/**
 * Context whose cluster it would change.
 */
context: string, 
/**
 * Which split.
 */
split_id: string, 
/**
 * `shift` or `undo`.
 */
kind: string, 
/**
 * `v2 10 -> 50 %` and so on.
 */
summary: string, 
/**
 * resourceVersion that it was planned against.
 */
resource_version: string, 
/**
 * Changed leaves; empty = nothing to do.
 */
changes: Array<ChangeView>, 
/**
 * What the weights count for after it, in order of the destinations.
 */
weights_after: Array<number>, 
/**
 * YAML diff, changed lines with a little context.
 */
diff: Array<DiffLine>, 
/**
 * The patch.
 */
ops: Array<OpView>, 
/**
 * Expected effect.
 */
predictions: Array<PredictionView>, 
/**
 * Findings; one of severity `error` refuses the plan.
 */
findings: Array<FindingView>, 
/**
 * Whether it can be applied as far as we can tell before the dry run.
 */
applicable: boolean, 
/**
 * The same as a command line.
 */
cli: string, };

export type PluginView = { 
/**
 * The program as the kubeconfig names it.
 */
command: string, 
/**
 * Where it was found; null if nowhere.
 */
found: string | null, 
/**
 * Folders that were looked into.
 */
looked_in: Array<string>, 
/**
 * How to install it, in the kubeconfig's own words; may be several lines.
 */
install_hint: string | null, 
/**
 * Why it may not be run; null if it may.
 */
denied: string | null, };

export type PredictionView = { 
/**
 * Destination name.
 */
destination: string, 
/**
 * Share before, by the weights.
 */
ratio_before: number | null, 
/**
 * Share after.
 */
ratio_after: number | null, 
/**
 * Requests per second now.
 */
rate_before: number | null, 
/**
 * Requests per second expected.
 */
rate_after: number | null, 
/**
 * Requests per second and ready endpoint expected.
 */
per_endpoint_after: number | null, 
/**
 * `per_endpoint_after` over today's; null if unknown.
 */
load_factor: number | null, };

export type ProblemView = { 
/**
 * What is wrong, as a sentence.
 */
message: string, 
/**
 * The file.
 */
file: string, 
/**
 * Line in it, from 1, where known.
 */
line: number | null, };

export type ProgressPoint = { 
/**
 * Seconds since the change (negative: before).
 */
t_s: number, 
/**
 * Observed share of the watched destination.
 */
observed: number | null, 
/**
 * 95 % interval.
 */
interval: [number, number] | null, };

export type ProgressView = { 
/**
 * Journal entry.
 */
entry_id: string, 
/**
 * Which split.
 */
split_id: string, 
/**
 * `converging`, `converged`, `stalled`, `too_little_traffic`, `blind` (no metrics), `incomparable`, `undone`, `superseded`.
 */
phase: string, 
/**
 * When it was applied, RFC 3339.
 */
applied_at: string, 
/**
 * Seconds since then.
 */
elapsed_s: number, 
/**
 * The destination that the curve shows: the one whose share grew most.
 */
watched: string, 
/**
 * Bands by destination.
 */
bands: Array<BandView>, 
/**
 * Judged windows in the band, in a row.
 */
windows_in_band: number, 
/**
 * Windows in a row that are needed.
 */
windows_needed: number, 
/**
 * After this many seconds without convergence it counts as stalled.
 */
stall_after_s: number, 
/**
 * Curve, oldest first.
 */
curve: Array<ProgressPoint>, 
/**
 * One sentence.
 */
message: string, };

export type QueryView = { 
/**
 * `requests`, `tcp_sent_bytes`, `latency_sum`, `latency_quantile_950_edges`, …
 */
name: string, 
/**
 * The PromQL text.
 */
promql: string, 
/**
 * Rows answered; null if it failed.
 */
rows: number | null, 
/**
 * Why it failed.
 */
error: string | null, };

export type RectView = { 
/**
 * Left.
 */
x: number, 
/**
 * Top.
 */
y: number, 
/**
 * Width.
 */
width: number, 
/**
 * Height.
 */
height: number, };

export type ServiceShareView = { 
/**
 * Service.
 */
service: string, 
/**
 * Spans.
 */
spans: number, 
/**
 * Erroring spans.
 */
errors: number, 
/**
 * Sum of self times.
 */
self_ns: number, 
/**
 * Time on the critical path.
 */
critical_ns: number, };

export type ServicesView = { 
/**
 * Sorted.
 */
names: Array<string>, 
/**
 * Contexts that were asked in vain: what they have is missing here.
 */
failures: Array<ContextFailureView>, };

export type SessionView = { 
/**
 * Context name, or `demo`; empty while nothing is open.
 */
context: string, 
/**
 * Istio's id of the cluster, where known.
 */
cluster: string | null, 
/**
 * API server address; empty in the demo.
 */
server: string, 
/**
 * The user as the server sees us.
 */
user: string | null, 
/**
 * Server version.
 */
server_version: string | null, 
/**
 * `demo`, `production`, `normal`: colours the frame, with the word.
 */
class: string, 
/**
 * The class in words, for people: `production`, `staging`; empty if it is in none.
 */
class_label: string, 
/**
 * Colour of the frame: `#rrggbb` or `amber`, `blue`, `green`, `grey`, `pink`, `red`, `teal`, `violet`; null is the plain one.
 */
colour: string | null, 
/**
 * What must be seen in red as long as the context is open: a certificate that is not checked, impersonation.
 */
warnings: Array<string>, 
/**
 * Namespaces that it was opened with; empty = all that may be seen.
 */
namespaces: Array<string>, 
/**
 * Write lock.
 */
writes: WritesView, 
/**
 * Rate window in force, seconds.
 */
window_s: number, 
/**
 * Windows on offer, seconds.
 */
windows: Array<number>, 
/**
 * Seconds between ticks.
 */
refresh_s: number, 
/**
 * Product version.
 */
app_version: string, };

export type SourceFault = { 
/**
 * Error kind, e.g. `timed_out`, `forbidden`.
 */
code: string, 
/**
 * What went wrong.
 */
message: string, 
/**
 * What to do.
 */
hint: string, 
/**
 * How many times in a row.
 */
count: number, };

export type SourceRequest = { 
/**
 * From [`ContextView::id`].
 */
context: string, 
/**
 * `metrics` or `traces`.
 */
source: string, 
/**
 * One of the candidates by [`CandidateView::id`]; null to give an address.
 */
candidate: string | null, 
/**
 * An address; null to take a candidate as it is. With a candidate it says how to sign in there, and its URL is not
 * read.
 */
address: AddressRequest | null, };

export type SourceView = { 
/**
 * Context that asks it.
 */
context: string, 
/**
 * `control-plane`, `metrics`, `traces`.
 */
name: string, 
/**
 * What answers, e.g. `Prometheus 2.42`, `demo mesh`; empty if not known yet.
 */
product: string, 
/**
 * Version, where it says.
 */
version: string | null, 
/**
 * Which of its APIs we use, e.g. `v3`, where there are several.
 */
api: string | null, 
/**
 * What the last look at it told, e.g. `scrape_interval_s`, `mesh_series`.
 */
facts: { [key in string]: string }, 
/**
 * Address without credentials.
 */
address: string, 
/**
 * `loading` (never answered yet), `ok`, `stale` (older than two ticks), `failed`, `forbidden`, `absent` (not
 * configured).
 */
state: string, 
/**
 * Seconds since the last good answer; null if there never was one.
 */
age_s: number | null, 
/**
 * Queries in the last tick.
 */
queries: number, 
/**
 * How long the last tick's answers took (of the control plane and the traces: the last look), milliseconds.
 */
elapsed_ms: number | null, 
/**
 * The current failure, if any.
 */
error: SourceFault | null, };

export type SpanEventView = { 
/**
 * From the trace's start.
 */
at_ns: number, 
/**
 * What.
 */
name: string, 
/**
 * More.
 */
attributes: { [key in string]: string }, };

export type SpanView = { 
/**
 * Unique inside the answer (a repeated id has a suffix).
 */
span_id: string, 
/**
 * Parent inside the answer; null for a root.
 */
parent_id: string | null, 
/**
 * Service.
 */
service: string, 
/**
 * Operation.
 */
operation: string, 
/**
 * `unspecified`, `internal`, `server`, `client`, `producer`, `consumer`.
 */
kind: string, 
/**
 * From the trace's start; negative only on the raw clock.
 */
start_ns: number, 
/**
 * Duration.
 */
duration_ns: number, 
/**
 * Time not covered by children.
 */
self_ns: number, 
/**
 * `unset`, `ok`, `error`: our verdict.
 */
status: string, 
/**
 * Attributes as text.
 */
attributes: { [key in string]: string }, 
/**
 * Attributes of the resource.
 */
resource: { [key in string]: string }, 
/**
 * Events.
 */
events: Array<SpanEventView>, 
/**
 * By how much the clock was corrected.
 */
skew_shift_ns: number, 
/**
 * 0 for a root.
 */
depth: number, 
/**
 * Number of direct children.
 */
children: number, 
/**
 * Canonical revision, where known.
 */
revision: string | null, 
/**
 * Envoy's response flags, where set.
 */
flags: string | null, };

export type SplitView = { 
/**
 * `CONTEXT/VirtualService/shop/reviews/http/0`, with `/` and `%` of the context escaped as in a URL.
 */
id: string, 
/**
 * Context that declares it.
 */
context: string, 
/**
 * `VirtualService`, `HTTPRoute`, `GRPCRoute`, `TCPRoute`, `TLSRoute`.
 */
kind: string, 
/**
 * Namespace of the object.
 */
namespace: string, 
/**
 * Name of the object.
 */
name: string, 
/**
 * Index of the route entry.
 */
route: number, 
/**
 * `http`, `tcp`, `tls`, `rules`.
 */
section: string, 
/**
 * Condition in words.
 */
match: string, 
/**
 * Hosts in full.
 */
hosts: Array<string>, 
/**
 * Whether it decides for callers in the mesh.
 */
in_force: boolean, 
/**
 * Object that takes its place (`HTTPRoute/shop/reviews`).
 */
overridden_by: string | null, 
/**
 * Owner.
 */
owner: OwnerView, 
/**
 * Destinations in order.
 */
destinations: Array<DestinationView>, 
/**
 * Index of the destination that a shift is about: the smallest share above zero.
 */
canary: number, 
/**
 * Node id of the service in the graph, if it is there.
 */
node: string | null, 
/**
 * `agrees`, `drift`, `converging`, `unknown` (no or too few requests, or no metrics), `overridden`, `incomparable` (a
 * finding says why).
 */
verdict: string, 
/**
 * Findings, worst first.
 */
findings: Array<FindingView>, };

export type SplitsView = { 
/**
 * Worst first, then by id.
 */
splits: Array<SplitView>, };

export type TextView = { 
/**
 * The text.
 */
text: string, };

export type TraceIdRequest = { 
/**
 * The context whose trace source has it; null to ask all that are open.
 */
context: string | null, 
/**
 * Hex id.
 */
trace_id: string, 
/**
 * Leave clocks as recorded.
 */
raw_clock: boolean, };

export type TraceListView = { 
/**
 * The traces.
 */
traces: Array<TraceRowView>, 
/**
 * There may be more.
 */
partial: boolean, 
/**
 * The sources asked.
 */
sources: Array<SourceView>, 
/**
 * Contexts that were asked in vain: what they have is missing here.
 */
failures: Array<ContextFailureView>, };

export type TraceRowView = { 
/**
 * Context whose trace source has it.
 */
context: string, 
/**
 * 32 hex digits.
 */
trace_id: string, 
/**
 * Service of the root.
 */
root_service: string, 
/**
 * Operation of the root.
 */
root_operation: string, 
/**
 * RFC 3339.
 */
start: string, 
/**
 * The same in milliseconds since the epoch.
 */
start_ms: number, 
/**
 * First start to last end.
 */
duration_ns: number, 
/**
 * Spans.
 */
spans: number, 
/**
 * Erroring spans.
 */
errors: number, 
/**
 * Spans whose parent is missing.
 */
orphans: number, 
/**
 * Services.
 */
services: Array<TraceServiceView>, 
/**
 * `service@revision` seen.
 */
revisions: Array<string>, };

export type TraceSearchRequest = { 
/**
 * The context whose traces are meant; null for those of the node or edge, else all that are open.
 */
context: string | null, 
/**
 * Service as the backend knows it; null = any.
 */
service: string | null, 
/**
 * Operation.
 */
operation: string | null, 
/**
 * Only traces with an erroring span.
 */
only_errors: boolean, 
/**
 * Shortest duration of the whole trace.
 */
min_duration_ms: number | null, 
/**
 * Longest duration of the whole trace.
 */
max_duration_ms: number | null, 
/**
 * Attributes that one span must carry.
 */
attributes: { [key in string]: string }, 
/**
 * How far back, seconds; null = 3600.
 */
since_s: number | null, 
/**
 * At most this many; null = 20.
 */
limit: number | null, 
/**
 * Graph node whose traces are wanted (sets the service).
 */
node: string | null, 
/**
 * Graph edge whose traces are wanted: traces in which its source called its target.
 */
edge: string | null, };

export type TraceServiceView = { 
/**
 * Service name.
 */
name: string, 
/**
 * Its spans.
 */
spans: number, 
/**
 * Its erroring spans.
 */
errors: number, };

export type TraceView = { 
/**
 * Context whose trace source has it.
 */
context: string, 
/**
 * 32 hex digits.
 */
trace_id: string, 
/**
 * First start, ns since the epoch, as text (it exceeds 2^53).
 */
epoch_ns: string, 
/**
 * First start, RFC 3339.
 */
start: string, 
/**
 * First start to last end.
 */
duration_ns: number, 
/**
 * Root span ids.
 */
roots: Array<string>, 
/**
 * Spans whose parent is missing.
 */
orphans: number, 
/**
 * Depth of the tree.
 */
depth: number, 
/**
 * Erroring spans.
 */
errors: number, 
/**
 * Spans in pre-order.
 */
spans: Array<SpanView>, 
/**
 * Critical path in time order (an estimate: last child to finish).
 */
critical_path: Array<PathSectionView>, 
/**
 * Services, most critical time first.
 */
services: Array<ServiceShareView>, 
/**
 * Calls between services.
 */
calls: Array<CallView>, 
/**
 * The backend said that spans are missing.
 */
partial: boolean, 
/**
 * Findings.
 */
findings: Array<FindingView>, };

export type TracesOfRequest = { 
/**
 * The context; null for all that are open.
 */
context: string | null, };

export type TrafficView = { 
/**
 * Per second (bytes for tcp); null if unknown.
 */
rate: number | null, 
/**
 * 0..=1; null if unknown or meaningless (tcp).
 */
error_ratio: number | null, };

export type UndoRequest = { 
/**
 * The context; null for the first that is open.
 */
context: string | null, 
/**
 * Journal entry; null = the last undoable one.
 */
entry_id: string | null, };

export type Update = { 
/**
 * The graph (type `app` for the Mesh screen): of all open contexts together.
 */
graph: GraphView, 
/**
 * Positions; null if equal to the last ones sent in this subscription.
 */
layout: LayoutView | null, 
/**
 * Splits of all open contexts.
 */
splits: SplitsView, 
/**
 * Changes being watched, newest first.
 */
progress: Array<ProgressView>, 
/**
 * The session of the first open context; without one, that of nothing (its context is empty).
 */
session: SessionView, 
/**
 * The sessions of all open contexts, in the order of opening.
 */
sessions: Array<SessionView>, 
/**
 * Looks at contexts since the start, one each, the newest run.
 */
checks: Array<CheckView>, 
/**
 * Counts changes of what can be chosen (a kubeconfig that was edited): ask for `chooser` again when it grows.
 */
chooser_revision: number, 
/**
 * The link that is to be followed; null if there is none, or none any more.
 */
link: LinkView | null, };

export type WaitingView = { 
/**
 * Its name.
 */
program: string, 
/**
 * For how long, seconds.
 */
since_s: number, 
/**
 * When it is given up, seconds from its start.
 */
deadline_s: number, };

export type WeightRequest = { 
/**
 * Destination name (subset or host), or `#1` by position.
 */
destination: string, 
/**
 * Weight.
 */
weight: number, };

export type WindowRequest = { 
/**
 * Seconds, 15..=86400.
 */
window_s: number, };

export type WritesView = { 
/**
 * Whether changes are possible now.
 */
armed: boolean, 
/**
 * Seconds until writes are locked again; null if they never are (demo).
 */
remaining_s: number | null, 
/**
 * Arming asks for the context's name to be typed.
 */
needs_name: boolean, 
/**
 * The program was started with `--read-only`: writes stay locked.
 */
forbidden: boolean, };
