//! Traces as shells see them. Span times are nanoseconds from the trace's first start: they fit a JavaScript number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ApiError, FindingView, SourceView};

/// A search.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct TraceSearchRequest {
    /// The context whose traces are meant; null for those of the node or edge, else all that are open.
    pub context: Option<String>,
    /// Service as the backend knows it; null = any.
    pub service: Option<String>,
    /// Operation.
    pub operation: Option<String>,
    /// Only traces with an erroring span.
    pub only_errors: bool,
    /// Shortest duration of the whole trace.
    pub min_duration_ms: Option<f64>,
    /// Longest duration of the whole trace.
    pub max_duration_ms: Option<f64>,
    /// Attributes that one span must carry.
    pub attributes: BTreeMap<String, String>,
    /// How far back, seconds; null = 3600.
    pub since_s: Option<f64>,
    /// At most this many; null = 20.
    pub limit: Option<u32>,
    /// Graph node whose traces are wanted (sets the service).
    pub node: Option<String>,
    /// Graph edge whose traces are wanted: traces in which its source called its target.
    pub edge: Option<String>,
}

/// A service's part in a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TraceServiceView {
    /// Service name.
    pub name: String,
    /// Its spans.
    pub spans: u32,
    /// Its erroring spans.
    pub errors: u32,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct TraceRowView {
    /// Context whose trace source has it.
    pub context: String,
    /// 32 hex digits.
    pub trace_id: String,
    /// Service of the root.
    pub root_service: String,
    /// Operation of the root.
    pub root_operation: String,
    /// RFC 3339.
    pub start: String,
    /// The same in milliseconds since the epoch.
    pub start_ms: f64,
    /// First start to last end.
    #[ts(type = "number")]
    pub duration_ns: u64,
    /// Spans.
    pub spans: u32,
    /// Erroring spans.
    pub errors: u32,
    /// Spans whose parent is missing.
    pub orphans: u32,
    /// Services.
    pub services: Vec<TraceServiceView>,
    /// `service@revision` seen.
    pub revisions: Vec<String>,
}

/// What a search found, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct TraceListView {
    /// The traces.
    pub traces: Vec<TraceRowView>,
    /// There may be more.
    pub partial: bool,
    /// The sources asked.
    pub sources: Vec<SourceView>,
    /// Contexts that were asked in vain: what they have is missing here.
    pub failures: Vec<ContextFailureView>,
}

/// A context that did not answer where others did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ContextFailureView {
    /// Its name.
    pub context: String,
    /// Why.
    pub error: ApiError,
}

/// Names of services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ServicesView {
    /// Sorted.
    pub names: Vec<String>,
    /// Contexts that were asked in vain: what they have is missing here.
    pub failures: Vec<ContextFailureView>,
}

/// Asks for the operations of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OperationsRequest {
    /// The context; null for all that are open.
    #[serde(default)]
    pub context: Option<String>,
    /// Service as the backend knows it.
    pub service: String,
}

/// Names a context whose traces are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TracesOfRequest {
    /// The context; null for all that are open.
    #[serde(default)]
    pub context: Option<String>,
}

/// Asks for one trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TraceIdRequest {
    /// The context whose trace source has it; null to ask all that are open.
    #[serde(default)]
    pub context: Option<String>,
    /// Hex id.
    pub trace_id: String,
    /// Leave clocks as recorded.
    #[serde(default)]
    pub raw_clock: bool,
}

/// An event of a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SpanEventView {
    /// From the trace's start.
    #[ts(type = "number")]
    pub at_ns: i64,
    /// What.
    pub name: String,
    /// More.
    pub attributes: BTreeMap<String, String>,
}

/// A span, in pre-order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SpanView {
    /// Unique inside the answer (a repeated id has a suffix).
    pub span_id: String,
    /// Parent inside the answer; null for a root.
    pub parent_id: Option<String>,
    /// Service.
    pub service: String,
    /// Operation.
    pub operation: String,
    /// `unspecified`, `internal`, `server`, `client`, `producer`, `consumer`.
    pub kind: String,
    /// From the trace's start; negative only on the raw clock.
    #[ts(type = "number")]
    pub start_ns: i64,
    /// Duration.
    #[ts(type = "number")]
    pub duration_ns: u64,
    /// Time not covered by children.
    #[ts(type = "number")]
    pub self_ns: u64,
    /// `unset`, `ok`, `error`: our verdict.
    pub status: String,
    /// Attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of the resource.
    pub resource: BTreeMap<String, String>,
    /// Events.
    pub events: Vec<SpanEventView>,
    /// By how much the clock was corrected.
    #[ts(type = "number")]
    pub skew_shift_ns: i64,
    /// 0 for a root.
    pub depth: u32,
    /// Number of direct children.
    pub children: u32,
    /// Canonical revision, where known.
    pub revision: Option<String>,
    /// Envoy's response flags, where set.
    pub flags: Option<String>,
}

/// A section of the critical path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PathSectionView {
    /// The span that the time belongs to.
    pub span_id: String,
    /// From the trace's start.
    #[ts(type = "number")]
    pub start_ns: i64,
    /// From the trace's start.
    #[ts(type = "number")]
    pub end_ns: i64,
}

/// A service's share of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ServiceShareView {
    /// Service.
    pub service: String,
    /// Spans.
    pub spans: u32,
    /// Erroring spans.
    pub errors: u32,
    /// Sum of self times.
    #[ts(type = "number")]
    pub self_ns: u64,
    /// Time on the critical path.
    #[ts(type = "number")]
    pub critical_ns: u64,
}

/// A call between two services seen in the trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CallView {
    /// Caller service.
    pub source: String,
    /// Callee service.
    pub target: String,
    /// Graph edge id, if the graph has it.
    pub edge: Option<String>,
    /// Calls.
    pub calls: u32,
    /// Erroring calls.
    pub errors: u32,
    /// Longest duration, as the caller felt it.
    #[ts(type = "number")]
    pub max_ns: u64,
    /// Present p95 of the edge, milliseconds.
    pub edge_p95_ms: Option<f64>,
}

/// A whole trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct TraceView {
    /// Context whose trace source has it.
    pub context: String,
    /// 32 hex digits.
    pub trace_id: String,
    /// First start, ns since the epoch, as text (it exceeds 2^53).
    pub epoch_ns: String,
    /// First start, RFC 3339.
    pub start: String,
    /// First start to last end.
    #[ts(type = "number")]
    pub duration_ns: u64,
    /// Root span ids.
    pub roots: Vec<String>,
    /// Spans whose parent is missing.
    pub orphans: u32,
    /// Depth of the tree.
    pub depth: u32,
    /// Erroring spans.
    pub errors: u32,
    /// Spans in pre-order.
    pub spans: Vec<SpanView>,
    /// Critical path in time order (an estimate: last child to finish).
    pub critical_path: Vec<PathSectionView>,
    /// Services, most critical time first.
    pub services: Vec<ServiceShareView>,
    /// Calls between services.
    pub calls: Vec<CallView>,
    /// The backend said that spans are missing.
    pub partial: bool,
    /// Findings.
    pub findings: Vec<FindingView>,
}
