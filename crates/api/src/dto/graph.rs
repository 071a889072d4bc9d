//! The graph as shells see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Rate and errors by one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct TrafficView {
    /// Per second (bytes for tcp); null if unknown.
    pub rate: Option<f64>,
    /// 0..=1; null if unknown or meaningless (tcp).
    pub error_ratio: Option<f64>,
}

/// Latencies in milliseconds; null if unknown.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct LatencyView {
    /// Mean.
    pub avg: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Names of the statistics that lie above the last bucket: they are null above, and known to exceed its bound.
    pub beyond: Vec<String>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct NodeView {
    /// Stable id.
    pub id: String,
    /// `workload`, `app`, `service`, `unknown`, `box`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Istio's id of the cluster.
    pub cluster: String,
    /// Open context that reaches the cluster; null if none does.
    pub context: Option<String>,
    /// Namespace.
    pub namespace: String,
    /// Workload name.
    pub workload: Option<String>,
    /// Canonical service.
    pub app: Option<String>,
    /// Canonical revision.
    pub version: Option<String>,
    /// Service name.
    pub service: Option<String>,
    /// The name to print on a card.
    pub label: String,
    /// Received, by protocol.
    #[serde(rename = "in")]
    pub incoming: BTreeMap<String, TrafficView>,
    /// Sent, by protocol.
    #[serde(rename = "out")]
    pub outgoing: BTreeMap<String, TrafficView>,
    /// What it serves, http and grpc together, requests per second; of a node that nobody calls what it sends; null if
    /// unknown.
    pub rate: Option<f64>,
    /// Error ratio of the same requests.
    pub error_ratio: Option<f64>,
    /// Latency of what it serves.
    pub latency_ms: LatencyView,
    /// `unknown`, `idle`, `ok`, `degraded`, `failing`.
    pub health: String,
    /// Marks, sorted.
    pub badges: Vec<String>,
    /// Id of the box around it (`cluster/namespace`).
    #[serde(rename = "box")]
    pub box_id: Option<String>,
    /// Ids of the splits (see [`super::SplitView::id`]) that divide this node's traffic.
    pub splits: Vec<String>,
}

/// Share of a response code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CodeShareView {
    /// HTTP code, gRPC status or `-`.
    pub code: String,
    /// Envoy's response flags or `-`.
    pub flags: String,
    /// 0..=1.
    pub ratio: f64,
}

/// An edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct EdgeView {
    /// Stable id.
    pub id: String,
    /// Caller's node id.
    pub source: String,
    /// Callee's node id.
    pub target: String,
    /// `http`, `grpc`, `tcp`.
    pub protocol: String,
    /// Per second (bytes for tcp).
    pub rate: Option<f64>,
    /// 0..=1.
    pub error_ratio: Option<f64>,
    /// Response codes, most frequent first.
    pub codes: Vec<CodeShareView>,
    /// What the caller felt.
    pub latency_ms: LatencyView,
    /// What the callee's proxy measured.
    pub callee_latency_ms: LatencyView,
    /// Share of requests over mutual TLS.
    pub mtls_ratio: Option<f64>,
    /// Share of what the source sends by this protocol.
    pub share_of_source: Option<f64>,
    /// `unknown`, `idle`, `ok`, `degraded`, `failing`.
    pub health: String,
}

/// Something noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FindingView {
    /// `info`, `warning`, `error`.
    pub severity: String,
    /// Stable name.
    pub code: String,
    /// What it is about.
    pub object: String,
    /// JSON pointer inside the object; may be empty.
    pub path: String,
    /// For people; plain text.
    pub message: String,
}

/// A source's failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SourceFault {
    /// Error kind, e.g. `timed_out`, `forbidden`.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// How many times in a row.
    pub count: u32,
}

/// A source and how fresh it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SourceView {
    /// Context that asks it.
    pub context: String,
    /// `control-plane`, `metrics`, `traces`.
    pub name: String,
    /// What answers, e.g. `Prometheus 2.42`, `demo mesh`; empty if not known yet.
    pub product: String,
    /// Version, where it says.
    pub version: Option<String>,
    /// Which of its APIs we use, e.g. `v3`, where there are several.
    pub api: Option<String>,
    /// What the last look at it told, e.g. `scrape_interval_s`, `mesh_series`.
    pub facts: BTreeMap<String, String>,
    /// Address without credentials.
    pub address: String,
    /// `loading` (never answered yet), `ok`, `stale` (older than two ticks), `failed`, `forbidden`, `absent` (not
    /// configured).
    pub state: String,
    /// Seconds since the last good answer; null if there never was one.
    pub age_s: Option<f64>,
    /// Queries in the last tick.
    pub queries: u32,
    /// How long the last tick's answers took (of the control plane and the traces: the last look), milliseconds.
    pub elapsed_ms: Option<f64>,
    /// The current failure, if any.
    pub error: Option<SourceFault>,
}

/// A query that was asked for the numbers on screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct QueryView {
    /// `requests`, `tcp_sent_bytes`, `latency_sum`, `latency_quantile_950_edges`, …
    pub name: String,
    /// The PromQL text.
    pub promql: String,
    /// Rows answered; null if it failed.
    pub rows: Option<u32>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The graph at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct GraphView {
    /// Counts snapshots.
    #[ts(type = "number")]
    pub generation: u64,
    /// Moment of the numbers, RFC 3339.
    pub taken_at: String,
    /// Window of every rate, seconds.
    pub window_s: f64,
    /// `workload`, `app`, `versioned-app`, `service`.
    pub graph_type: String,
    /// Sorted by id.
    pub nodes: Vec<NodeView>,
    /// Sorted by id.
    pub edges: Vec<EdgeView>,
    /// Sources with their state.
    pub sources: Vec<SourceView>,
    /// Findings, worst first.
    pub findings: Vec<FindingView>,
    /// The queries behind the numbers.
    pub queries: Vec<QueryView>,
}

/// A rectangle in world pixels, y downward.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RectView {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Where everything stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LayoutView {
    /// Changes only when a position changes.
    #[ts(type = "number")]
    pub version: u64,
    /// Card by node id.
    pub nodes: BTreeMap<String, RectView>,
    /// Box by the id that nodes name as theirs.
    pub boxes: BTreeMap<String, RectView>,
    /// Outlines of clusters, around the boxes of their namespaces; empty with one cluster. The key is the cluster's name,
    /// with the context where several clusters go by one name.
    pub clusters: BTreeMap<String, RectView>,
    /// The key in `clusters` of each box that stands in one.
    pub around: BTreeMap<String, String>,
    /// Nodes that are gone but keep their slot.
    pub ghosts: Vec<String>,
}
