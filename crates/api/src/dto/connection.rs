//! What a person chooses from, what was asked on the way to a context, and what each question answered.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything that can be chosen. Read from files alone: nothing was contacted, no plugin was started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct ChooserView {
    /// Every context of every kubeconfig, then the remembered addresses, then the demo mesh.
    pub contexts: Vec<ContextView>,
    /// Every kubeconfig that was looked at, in order of precedence.
    pub files: Vec<KubeconfigFileView>,
    /// What is wrong with our own settings and state files; empty if nothing is.
    pub problems: Vec<ProblemView>,
    /// How long reading took, milliseconds.
    pub read_ms: f64,
    /// Context that was open last, if it is still there: it gets the focus.
    pub last: Option<String>,
    /// Where settings, state and journal are kept, for people.
    pub folder: Option<String>,
}

/// A file that could not be used, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProblemView {
    /// What is wrong, as a sentence.
    pub message: String,
    /// The file.
    pub file: String,
    /// Line in it, from 1, where known.
    pub line: Option<u32>,
}

/// A kubeconfig file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct KubeconfigFileView {
    /// Its path, the home folder written as `~`.
    pub path: String,
    /// Contexts that it defines.
    pub contexts: u32,
    /// Why it cannot be read; null if it can.
    pub problem: Option<ProblemView>,
}

/// Where something of a mesh can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ContextKind {
    /// A context of a kubeconfig.
    Kubeconfig,
    /// Metrics and traces by address, without an API server.
    Addresses,
    /// The embedded demo mesh.
    Demo,
}

/// One card of the chooser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ContextView {
    /// What to pass to choose it.
    pub id: String,
    /// What kind of place it is.
    pub kind: ContextKind,
    /// Its name; contexts of equal names are told apart by their file.
    pub name: String,
    /// `demo`, `production`, `normal`: decides what it takes to write.
    pub class: String,
    /// The class in words, for people: `production`, `staging`, …
    pub class_label: String,
    /// Its colour: `#rrggbb` or `amber`, `blue`, `green`, `grey`, `pink`, `red`, `teal`, `violet`; null is the plain one.
    pub colour: Option<String>,
    /// Address of the API server, without credentials; null if no file defines it.
    pub server: Option<String>,
    /// File that defines the context, the home folder written as `~`.
    pub file: Option<String>,
    /// File that defines its cluster, where that is another one.
    pub cluster_file: Option<String>,
    /// File that defines its user, where that is another one.
    pub user_file: Option<String>,
    /// Default namespace.
    pub namespace: Option<String>,
    /// How it signs in.
    pub auth: AuthView,
    /// The kubeconfig's current context.
    pub is_current: bool,
    /// Open in this window.
    pub is_open: bool,
    /// When it was last open, RFC 3339; null if never (or not remembered).
    pub last_used: Option<String>,
    /// The last failure to open it since it was last open.
    pub last_failure: Option<LastFailureView>,
    /// Why it cannot be opened as it stands in its file; null if it can be tried.
    pub problem: Option<ProblemView>,
    /// What may surprise, as sentences: a cluster that comes from another file.
    pub notes: Vec<String>,
    /// What must be seen in red as long as it is open: a certificate that is not checked, impersonation.
    pub warnings: Vec<String>,
}

/// The last failure to open a context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LastFailureView {
    /// When, RFC 3339.
    pub at: String,
    /// What was said.
    pub message: String,
}

/// How a context signs in. Names programs, never a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuthView {
    /// `none`, `token`, `token_file`, `client_certificate`, `basic`, `plugin`, `provider`.
    pub kind: String,
    /// In words: `client certificate`, `token of a file`.
    pub text: String,
    /// The credential plugin, for `plugin`.
    pub plugin: Option<PluginView>,
    /// When the client certificate stops being valid, RFC 3339, where it can be read.
    pub expires: Option<String>,
}

/// A credential plugin, as it stands before it is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PluginView {
    /// The program as the kubeconfig names it.
    pub command: String,
    /// Where it was found; null if nowhere.
    pub found: Option<String>,
    /// Folders that were looked into.
    pub looked_in: Vec<String>,
    /// How to install it, in the kubeconfig's own words; may be several lines.
    pub install_hint: Option<String>,
    /// Why it may not be run; null if it may.
    pub denied: Option<String>,
}

/// A look at one context: what was asked, in order, and what was answered so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CheckView {
    /// The context.
    pub context: String,
    /// Counts looks at this context, from 1: an older one never replaces a newer one.
    pub run: u32,
    /// Where it stands.
    pub state: CheckState,
    /// When it began, RFC 3339.
    pub began: String,
    /// How long it took so far, milliseconds.
    pub elapsed_ms: f64,
    /// One line for each thing asked.
    pub lines: Vec<CheckLineView>,
    /// A program that is waited for; null if none.
    pub waiting: Option<WaitingView>,
    /// Credential plugins that were started.
    pub plugins_started: Vec<String>,
    /// Why it cannot be opened; null unless `failed`.
    pub failure: Option<CheckFailureView>,
    /// Namespaces that it opens with, busiest first; empty = all.
    pub namespaces: Vec<String>,
}

/// Where a look at a context stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Questions are under way.
    Running,
    /// Everything was answered, well or not: it can be opened.
    Done,
    /// It cannot be opened.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// One thing asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CheckLineView {
    /// `api_server`, `user`, `namespaces`, `istio`, `gateway_api`, `metrics`, `traces`, `scrape_interval`, `rights`, `owners`.
    pub id: String,
    /// What was asked, for people: `API server`.
    pub asked: String,
    /// How it went.
    pub state: LineState,
    /// What was answered, one sentence; empty while it is asked.
    pub answer: String,
    /// More, verbatim where a server said it; may be empty.
    pub detail: String,
    /// What to do; empty if nothing.
    pub hint: String,
    /// How long it took, milliseconds; null while it is asked.
    pub elapsed_ms: Option<f64>,
    /// The one thing to do about it; null if nothing.
    pub action: Option<ActionView>,
    /// Servers that were tried; only of `metrics` and `traces`.
    pub candidates: Vec<CandidateView>,
}

/// How a question went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Not yet asked: it needs the answer of another.
    Waiting,
    /// Asked, no answer yet.
    Asking,
    /// Well.
    Ok,
    /// Worth a note: less than one would wish.
    Note,
    /// Not there. Not a failure.
    Missing,
    /// 401 or 403.
    Forbidden,
    /// No answer, or nonsense.
    Failed,
}

/// What a person can do about a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ActionView {
    /// `copy` (of `text`), `address` (give one), `token` (give one), `namespaces` (type some), `retry`, `use` (this candidate).
    pub id: String,
    /// On the button.
    pub label: String,
    /// What is copied, e.g. the missing RBAC rule as YAML; null for others.
    pub text: Option<String>,
}

/// A server that may be the metrics or trace source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CandidateView {
    /// What to pass to choose it.
    pub id: String,
    /// `monitoring/prometheus-k8s:9090`, or its address.
    pub shown: String,
    /// Whether it is the one in use.
    pub chosen: bool,
    /// How its probe went.
    pub state: LineState,
    /// What answers there, e.g. `Prometheus 3.1.0`; empty if nothing did.
    pub product: String,
    /// Why it was considered: `named in Kiali's settings`.
    pub found_by: String,
    /// Why it was chosen or not, one sentence.
    pub why: String,
    /// How long its probe took, milliseconds.
    pub elapsed_ms: Option<f64>,
    /// What can be done about it; null if nothing.
    pub action: Option<ActionView>,
}

/// A program that is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct WaitingView {
    /// Its name.
    pub program: String,
    /// For how long, seconds.
    pub since_s: f64,
    /// When it is given up, seconds from its start.
    pub deadline_s: f64,
}

/// Why a context cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CheckFailureView {
    /// What was being asked.
    pub asked: String,
    /// What happened.
    pub happened: String,
    /// What helps.
    pub helps: String,
    /// A line to paste into a terminal, e.g. how to install a plugin; empty if there is none.
    pub command: String,
    /// Folders that were looked into, for a missing program.
    pub looked_in: Vec<String>,
    /// Before which step it stopped.
    pub stopped_at: String,
}

/// Names a context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ContextRequest {
    /// From [`ContextView::id`].
    pub context: String,
}

/// Asks to open a context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OpenRequest {
    /// From [`ContextView::id`].
    pub context: String,
    /// Beside those that are open; else instead of them.
    pub beside: bool,
}

/// Chooses another metrics or trace server for a context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SourceRequest {
    /// From [`ContextView::id`].
    pub context: String,
    /// `metrics` or `traces`.
    pub source: String,
    /// One of the candidates by [`CandidateView::id`]; null to give an address.
    pub candidate: Option<String>,
    /// An address; null to take a candidate as it is. With a candidate it says how to sign in there, and its URL is not
    /// read.
    pub address: Option<AddressRequest>,
}

/// A server by its address.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AddressRequest {
    /// `http://…` or `https://…`, with its base path.
    pub url: String,
    /// `prometheus`, `jaeger`, `tempo`, `zipkin`; empty = find out.
    pub kind: String,
    /// How to sign in: `none`, `bearer`, `basic`, `token_file`, `token_command`.
    pub sign_in: String,
    /// User, for `basic`.
    #[serde(default)]
    pub user: String,
    /// Token or password, for `bearer` and `basic`. Goes to the system's keychain or stays in memory; never into a file.
    #[serde(default)]
    pub secret: Option<String>,
    /// Whole path of the file that holds the token, for `token_file`; read again whenever it changes.
    #[serde(default)]
    pub token_file: String,
    /// Program that prints the token, and its arguments, for `token_command`. No shell reads it.
    #[serde(default)]
    pub token_command: Vec<String>,
    /// Tenant, sent as `X-Scope-OrgID`; empty = none.
    #[serde(default)]
    pub tenant: String,
    /// More headers, none of them secret: they are written into the settings.
    #[serde(default)]
    pub headers: Vec<HeaderView>,
    /// File with the certificates of its authority; empty = the system's.
    #[serde(default)]
    pub ca_file: String,
    /// File with a client certificate; empty = none.
    #[serde(default)]
    pub client_cert_file: String,
    /// File with its key; empty = it is in the certificate's.
    #[serde(default)]
    pub client_key_file: String,
}

/// A header of every request to a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HeaderView {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl std::fmt::Debug for AddressRequest {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddressRequest")
            .field("kind", &self.kind)
            .field("sign_in", &self.sign_in)
            .finish_non_exhaustive()
    }
}

/// Opens metrics and traces by address, without an API server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct AddressesRequest {
    /// Metrics; null for none.
    pub metrics: Option<AddressRequest>,
    /// Traces; null for none.
    pub traces: Option<AddressRequest>,
}

/// Chooses the namespaces that a context opens with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NamespacesRequest {
    /// From [`ContextView::id`].
    pub context: String,
    /// Their names; empty = all that may be listed.
    pub namespaces: Vec<String>,
}

/// A path that a person gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FileRequest {
    /// Path of a kubeconfig.
    pub path: String,
}

/// Text to copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TextView {
    /// The text.
    pub text: String,
}

/// What a window remembers between two starts. Shells keep it as it is; only the page knows what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct MemoryView {
    /// `system`, `dark` or `light`.
    pub theme: String,
    /// Size of everything in the window, 1 = as drawn.
    pub zoom: f64,
    /// The page's own state as JSON text; empty if there is none. At most 256 KiB.
    pub page: String,
    /// Why it is not kept; null if it is.
    pub problem: Option<ProblemView>,
}

impl Default for MemoryView {
    /// Nothing.
    fn default() -> Self {
        Self {
            theme: String::new(),
            zoom: 1.0,
            page: String::new(),
            problem: None,
        }
    }
}

/// Keeps what a window remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct MemoryRequest {
    /// `system`, `dark` or `light`; null leaves it.
    pub theme: Option<String>,
    /// Size of everything in the window, 0.5..=3, which a window of the desktop takes at once; null leaves it.
    #[serde(default)]
    pub zoom: Option<f64>,
    /// The page's own state as JSON text; null leaves it.
    pub page: Option<String>,
}
