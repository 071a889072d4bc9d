//! Splits, plans, the progress of a shift, the journal.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{FindingView, LatencyView};

/// Who would undo a change made by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OwnerView {
    /// `hand`, `argo-cd`, `flux`, `flagger`, `argo-rollouts`, `kiali`, `helm`.
    pub tool: String,
    /// Its application, canary or release.
    pub name: Option<String>,
    /// What says so.
    pub evidence: String,
}

/// One weighted destination, declared beside observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct DestinationView {
    /// Position in the entry, from 0.
    pub index: u32,
    /// Name to show and to type: the subset, else the host.
    pub name: String,
    /// Host as written.
    pub host: String,
    /// Subset.
    pub subset: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Canonical revision behind it, where it can be told.
    pub revision: Option<String>,
    /// Weight as written; null if absent.
    #[ts(type = "number | null")]
    pub weight: Option<i64>,
    /// What the weight counts for: as written, else what its API makes of an absent one.
    #[ts(type = "number")]
    pub counted_weight: i64,
    /// Share by the weights, 0..=1.
    pub effective_ratio: Option<f64>,
    /// Share of the requests counted in the window, 0..=1; null if none were counted or the count failed.
    pub observed_ratio: Option<f64>,
    /// 95 % interval of the observed share.
    pub interval: Option<[f64; 2]>,
    /// Requests counted in the window; null if unknown.
    pub requests: Option<f64>,
    /// Requests per second; null if unknown.
    pub rate: Option<f64>,
    /// Error ratio, by its own proxy where that reports.
    pub error_ratio: Option<f64>,
    /// Latency.
    pub latency_ms: LatencyView,
    /// Ready replicas; null if unknown.
    pub ready_endpoints: Option<u32>,
    /// Wanted replicas; null if unknown.
    pub wanted_endpoints: Option<u32>,
}

/// One split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SplitView {
    /// `CONTEXT/VirtualService/shop/reviews/http/0`, with `/` and `%` of the context escaped as in a URL.
    pub id: String,
    /// Context that declares it.
    pub context: String,
    /// `VirtualService`, `HTTPRoute`, `GRPCRoute`, `TCPRoute`, `TLSRoute`.
    pub kind: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Index of the route entry.
    pub route: u32,
    /// `http`, `tcp`, `tls`, `rules`.
    pub section: String,
    /// Condition in words.
    #[serde(rename = "match")]
    pub matches: String,
    /// Hosts in full.
    pub hosts: Vec<String>,
    /// Whether it decides for callers in the mesh.
    pub in_force: bool,
    /// Object that takes its place (`HTTPRoute/shop/reviews`).
    pub overridden_by: Option<String>,
    /// Owner.
    pub owner: OwnerView,
    /// Destinations in order.
    pub destinations: Vec<DestinationView>,
    /// Index of the destination that a shift is about: the smallest share above zero.
    pub canary: u32,
    /// Node id of the service in the graph, if it is there.
    pub node: Option<String>,
    /// `agrees`, `drift`, `converging`, `unknown` (no or too few requests, or no metrics), `overridden`, `incomparable` (a
    /// finding says why).
    pub verdict: String,
    /// Findings, worst first.
    pub findings: Vec<FindingView>,
}

/// All splits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SplitsView {
    /// Worst first, then by id.
    pub splits: Vec<SplitView>,
}

/// A new weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WeightRequest {
    /// Destination name (subset or host), or `#1` by position.
    pub destination: String,
    /// Weight.
    #[ts(type = "number")]
    pub weight: i64,
}

/// Asks for a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanRequest {
    /// [`SplitView::id`].
    pub split_id: String,
    /// New weights; destinations not named keep theirs.
    pub weights: Vec<WeightRequest>,
}

/// Names a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanIdRequest {
    /// From [`PlanView::plan_id`].
    pub plan_id: String,
}

/// Carries a plan out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApplyRequest {
    /// From [`PlanView::plan_id`].
    pub plan_id: String,
    /// Why, for the journal; may be empty.
    pub reason: String,
}

/// Asks for the plan that takes a change back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UndoRequest {
    /// The context; null for the first that is open.
    #[serde(default)]
    pub context: Option<String>,
    /// Journal entry; null = the last undoable one.
    pub entry_id: Option<String>,
}

/// A changed leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChangeView {
    /// Destination name.
    pub destination: String,
    /// JSON pointer.
    pub path: String,
    /// Before; null if absent.
    #[ts(type = "number | null")]
    pub before: Option<i64>,
    /// After; null if removed.
    #[ts(type = "number | null")]
    pub after: Option<i64>,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DiffLine {
    /// `context`, `removed`, `added`.
    pub kind: String,
    /// The line, without its sign.
    pub text: String,
}

/// A JSON Patch operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OpView {
    /// `test`, `replace`, `add`, `remove`.
    pub op: String,
    /// JSON pointer.
    pub path: String,
    /// The value as JSON text; empty for `remove`.
    pub value: String,
}

/// What a change is expected to do to one destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PredictionView {
    /// Destination name.
    pub destination: String,
    /// Share before, by the weights.
    pub ratio_before: Option<f64>,
    /// Share after.
    pub ratio_after: Option<f64>,
    /// Requests per second now.
    pub rate_before: Option<f64>,
    /// Requests per second expected.
    pub rate_after: Option<f64>,
    /// Requests per second and ready endpoint expected.
    pub per_endpoint_after: Option<f64>,
    /// `per_endpoint_after` over today's; null if unknown.
    pub load_factor: Option<f64>,
}

/// What the server said to the dry run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct DryRunView {
    /// The server would take it, and its answer equals the staged document.
    pub ok: bool,
    /// Round trip.
    pub elapsed_ms: f64,
    /// `Warning` headers, verbatim.
    pub warnings: Vec<String>,
    /// Leaves that the server would change besides ours (`/spec/http/0/timeout: null -> "1s"`); empty is good.
    pub mutations: Vec<String>,
}

/// A staged change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PlanView {
    /// One-time id, which names the context, too; the plan itself stays with the engine.
    pub plan_id: String,
    /// Context whose cluster it would change.
    pub context: String,
    /// Which split.
    pub split_id: String,
    /// `shift` or `undo`.
    pub kind: String,
    /// `v2 10 -> 50 %` and so on.
    pub summary: String,
    /// resourceVersion that it was planned against.
    pub resource_version: String,
    /// Changed leaves; empty = nothing to do.
    pub changes: Vec<ChangeView>,
    /// What the weights count for after it, in order of the destinations.
    #[ts(type = "Array<number>")]
    pub weights_after: Vec<i64>,
    /// YAML diff, changed lines with a little context.
    pub diff: Vec<DiffLine>,
    /// The patch.
    pub ops: Vec<OpView>,
    /// Expected effect.
    pub predictions: Vec<PredictionView>,
    /// Findings; one of severity `error` refuses the plan.
    pub findings: Vec<FindingView>,
    /// Whether it can be applied as far as we can tell before the dry run.
    pub applicable: bool,
    /// The same as a command line.
    pub cli: String,
}

/// The band that the observed share must enter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct BandView {
    /// Destination name.
    pub destination: String,
    /// Declared share.
    pub target: f64,
    /// Lower bound at the present count.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Observed share since the change; null if nothing was counted.
    pub observed: Option<f64>,
    /// Requests counted since the change.
    pub requests: f64,
}

/// A point of the observed share's curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ProgressPoint {
    /// Seconds since the change (negative: before).
    pub t_s: f64,
    /// Observed share of the watched destination.
    pub observed: Option<f64>,
    /// 95 % interval.
    pub interval: Option<[f64; 2]>,
}

/// How an applied change does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ProgressView {
    /// Journal entry.
    pub entry_id: String,
    /// Which split.
    pub split_id: String,
    /// `converging`, `converged`, `stalled`, `too_little_traffic`, `blind` (no metrics), `incomparable`, `undone`, `superseded`.
    pub phase: String,
    /// When it was applied, RFC 3339.
    pub applied_at: String,
    /// Seconds since then.
    pub elapsed_s: f64,
    /// The destination that the curve shows: the one whose share grew most.
    pub watched: String,
    /// Bands by destination.
    pub bands: Vec<BandView>,
    /// Judged windows in the band, in a row.
    pub windows_in_band: u32,
    /// Windows in a row that are needed.
    pub windows_needed: u32,
    /// After this many seconds without convergence it counts as stalled.
    pub stall_after_s: f64,
    /// Curve, oldest first.
    pub curve: Vec<ProgressPoint>,
    /// One sentence.
    pub message: String,
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct JournalEntryView {
    /// Its id.
    pub entry_id: String,
    /// RFC 3339.
    pub at: String,
    /// `apply`, `undo`.
    pub kind: String,
    /// Context it was made in.
    pub context: String,
    /// User as the server saw us.
    pub user: Option<String>,
    /// Which split.
    pub split_id: String,
    /// In words.
    pub summary: String,
    /// The operator's reason.
    pub reason: String,
    /// `applied`, `refused`, `failed`, `intended` (begun, outcome never written: look at the object).
    pub outcome: String,
    /// The server's words if it refused or failed.
    pub message: String,
    /// Changed leaves.
    pub changes: Vec<ChangeView>,
    /// resourceVersion before.
    pub resource_version_before: String,
    /// resourceVersion after; null if nothing was written.
    pub resource_version_after: Option<String>,
    /// Whether it can still be undone.
    pub undoable: bool,
}

/// The journal, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct JournalView {
    /// Entries.
    pub entries: Vec<JournalEntryView>,
}
