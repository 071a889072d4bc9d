//! What a source must answer, in our own words. Adapters (`kube`, `telemetry`, `demo`) implement these three traits.
//!
//! Every call may fail with a [`SourceError`]; an answer that says "there is none" is not a failure. Futures are boxed so
//! that the engine can hold adapters as `Arc<dyn …>`; core itself never polls one.

mod refusal;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Moment, Object, ObjectKind, ObjectRef, SourceError, TimeSpan};
use crate::trace::{Trace, TraceId, TraceSummary};
use crate::traffic::PatchOp;

/// The answer of a port, some time later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// Tells the present moment. Shells hand the machine's clock in; tests and replays pass their own.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

// ---------------------------------------------------------------- control plane

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectEvent {
    /// The full list of one kind: replaces whatever was known of it.
    Listed {
        /// Which kind.
        kind: ObjectKind,
        /// All of its objects in the watched namespaces.
        objects: Vec<Object>,
    },
    /// Created or changed.
    Applied(Box<Object>),
    /// Gone.
    Deleted(ObjectRef),
    /// This kind does not exist on the server (its CRD is not installed). Not a failure.
    Absent(ObjectKind),
    /// Watching this kind failed; the adapter goes on trying with backoff. What was known stays and turns stale.
    Failed {
        /// Which kind.
        kind: ObjectKind,
        /// Why.
        error: SourceError,
    },
}

/// Where a watch sends its events. Must not block.
pub trait ObjectSink: Send + Sync {
    /// Takes one event.
    fn send(&self, event: ObjectEvent);
}

/// Whether a write is only tried or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// The server runs every check and changes nothing (`dryRun=All`).
    DryRun,
    /// For real.
    Apply,
}

/// What the server answered to a patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Patched {
    /// The object as it is now (or would be).
    pub object: Object,
    /// `Warning` headers, verbatim.
    pub warnings: Vec<String>,
}

/// What we are connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPlaneIdentity {
    /// Context of the kubeconfig, or `demo`.
    pub context: String,
    /// Server address, without credentials.
    pub server: String,
    /// Version the server reports, where it does.
    pub version: Option<String>,
    /// The user as the server sees us (SelfSubjectReview), where it says.
    pub user: Option<String>,
}

/// Declared objects: list, watch, patch.
pub trait ControlPlane: Send + Sync {
    /// Who and where we are. One cheap round trip.
    fn identity(&self) -> Answer<'_, ControlPlaneIdentity>;

    /// All objects of one kind in the chosen namespaces; an absent CRD answers an empty list.
    fn list(&self, kind: ObjectKind) -> Answer<'_, Vec<Object>>;

    /// Watches all kinds until dropped, sending to `sink`: for each kind first `Listed` (or `Absent`, `Failed`), then
    /// changes. Reconnects by itself (410, closed streams, backoff with jitter). Never resolves.
    fn watch<'a>(
        &'a self,
        sink: &'a dyn ObjectSink,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// One object as it is now; `None` if there is none.
    fn get<'a>(&'a self, object: &'a ObjectRef) -> Answer<'a, Option<Object>>;

    /// JSON Patch with field manager `pilothouse` and strict field validation. A failed `test` and a stale
    /// resourceVersion are `Conflict`; an admission refusal is `Rejected` with the server's words verbatim.
    fn patch<'a>(
        &'a self,
        object: &'a ObjectRef,
        ops: &'a [PatchOp],
        mode: WriteMode,
    ) -> Answer<'a, Patched>;

    /// Whether we may patch this object (SelfSubjectAccessReview).
    fn may_patch<'a>(&'a self, object: &'a ObjectRef) -> Answer<'a, bool>;

    /// Lets the next call sign in anew, whatever came of it before: a person asked for it. Nothing to do where nobody
    /// signs in.
    fn log_in_again(&self) {}
}

// ---------------------------------------------------------------- metrics

/// Label names to values.
pub type Labels = BTreeMap<String, String>;

/// One row of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRow {
    /// Labels of the row. An absent label is absent here, not empty.
    pub labels: Labels,
    /// The value; never NaN (adapters drop NaN rows: a quotient of nothing is unknown).
    pub value: f64,
}

/// What a metric query asks for, in the mesh's terms. [`crate::promql`] writes it as PromQL; the demo mesh answers it
/// without. Rates are per second over [`MetricsQuery::window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Rate of `istio_requests_total` (HTTP and gRPC; told apart by `request_protocol`).
    Requests,
    /// Rate of gRPC request messages (`istio_request_messages_total`).
    GrpcSentMessages,
    /// Rate of gRPC response messages (`istio_response_messages_total`).
    GrpcReceivedMessages,
    /// Rate of `istio_tcp_received_bytes_total`: bytes that the client sent (names are the server proxy's view).
    TcpSentBytes,
    /// Rate of `istio_tcp_sent_bytes_total`: bytes that the client received.
    TcpReceivedBytes,
    /// Rate of `istio_request_duration_milliseconds_sum`: milliseconds per second.
    LatencySum,
    /// Rate of `istio_request_duration_milliseconds_count`.
    LatencyCount,
    /// Quantile of `istio_request_duration_milliseconds`, in thousandths (950 = p95); a value is milliseconds, +Inf when
    /// it falls into the top bucket.
    LatencyQuantile(u16),
}

/// One instant query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsQuery {
    /// What.
    pub measure: Measure,
    /// Labels to group by, in this order; rows carry these labels only (and of these only those that exist).
    pub by: Vec<String>,
    /// Keep only rows that match all of these.
    pub matchers: Vec<Matcher>,
    /// Length of the rate window.
    pub window: TimeSpan,
    /// Moment of evaluation.
    pub at: Moment,
    /// Also answer rows whose value is 0.
    pub idle: bool,
}

/// A label matcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// Label name.
    pub label: String,
    /// How the value is compared.
    pub op: MatchOp,
    /// The values; more than one only with `In` and `NotIn`.
    pub values: Vec<String>,
}

/// How a matcher compares. Values are literal text, never patterns: the PromQL writer escapes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchOp {
    /// One of the values.
    In,
    /// None of the values.
    NotIn,
}

/// What a metrics query answered.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MetricRows {
    /// The instant vector; an empty one is an answer.
    pub rows: Vec<MetricRow>,
    /// What the server says against its own answer, verbatim: a store that is down, a part that is missing.
    pub warnings: Vec<String>,
}

impl From<Vec<MetricRow>> for MetricRows {
    fn from(rows: Vec<MetricRow>) -> Self {
        Self {
            rows,
            warnings: Vec::new(),
        }
    }
}

/// Counters and gauges whose own samples can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampled {
    /// `istio_requests_total`.
    Requests,
    /// `up`: one series a target, as often as it is scraped.
    Up,
}

/// Samples as the server holds them, over a window that ends at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamplesQuery {
    /// Of what.
    pub of: Sampled,
    /// Keep only series that match all of these.
    pub matchers: Vec<Matcher>,
    /// Length of the window.
    pub window: TimeSpan,
    /// Its end.
    pub at: Moment,
}

/// One series with its samples, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleSeries {
    /// Its labels, those of its target among them.
    pub labels: Labels,
    /// When, and what.
    pub samples: Vec<(Moment, f64)>,
}

/// What a query for samples answered.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Samples {
    /// The series; an empty list is an answer.
    pub series: Vec<SampleSeries>,
    /// What the server says against its own answer, verbatim.
    pub warnings: Vec<String>,
}

/// What `check` tells about a source.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Probe {
    /// What answers, e.g. `Prometheus`, `Jaeger`, `demo mesh`.
    pub product: String,
    /// Its version, where it says.
    pub version: Option<String>,
    /// Which of its APIs we use, e.g. `v3`.
    pub api: Option<String>,
    /// Address, without credentials.
    pub address: String,
    /// Facts worth knowing: scrape interval, number of mesh series, services seen.
    pub facts: BTreeMap<String, String>,
    /// The server's own time when it answered, where that can be asked: its samples carry its clock, not ours.
    pub clock: Option<Moment>,
}

/// Answers instant queries over Istio's standard metrics.
pub trait MetricsSource: Send + Sync {
    /// Is it there, is it what it should be, does it hold mesh metrics.
    fn probe(&self) -> Answer<'_, Probe>;

    /// The instant vector. Deadline 5 s.
    fn query<'a>(&'a self, query: &'a MetricsQuery) -> Answer<'a, MetricRows>;

    /// The samples themselves, where a number has to be counted rather than estimated. Deadline 5 s.
    fn samples<'a>(&'a self, query: &'a SamplesQuery) -> Answer<'a, Samples>;
}

// ---------------------------------------------------------------- traces

/// A search for traces. All conditions hold together; the newest traces first.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct TraceSearch {
    /// Service name as the backend knows it (`reviews.shop`, `reviews`); `None` = any (backends that need one are asked for
    /// every service they list, up to a cap).
    pub service: Option<String>,
    /// Operation (span name).
    pub operation: Option<String>,
    /// Only traces with an erroring span.
    pub only_errors: bool,
    /// Shortest and longest duration of the whole trace, in nanoseconds.
    pub min_duration_ns: Option<u64>,
    /// See `min_duration_ns`.
    pub max_duration_ns: Option<u64>,
    /// Span attributes that some one span of the trace must carry, exactly.
    pub attributes: BTreeMap<String, String>,
    /// Start of the interval in which a trace must have begun.
    pub from: Moment,
    /// End of it.
    pub to: Moment,
    /// At most this many.
    pub limit: usize,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TracesFound {
    /// Newest first, at most the limit.
    pub traces: Vec<TraceSummary>,
    /// The backend had more, or answered in part.
    pub partial: bool,
}

/// Which API a trace backend speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceKind {
    /// Jaeger's, of any generation.
    Jaeger,
    /// Grafana Tempo's.
    Tempo,
    /// Zipkin's, v2.
    Zipkin,
}

impl TraceKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Jaeger, Self::Tempo, Self::Zipkin];

    /// The word for it in flags and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jaeger => "jaeger",
            Self::Tempo => "tempo",
            Self::Zipkin => "zipkin",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Finds and fetches traces.
pub trait TraceSource: Send + Sync {
    /// Is it there and what is it.
    fn probe(&self) -> Answer<'_, Probe>;

    /// Names of the services that have spans, sorted.
    fn services(&self) -> Answer<'_, Vec<String>>;

    /// Operations (span names) of a service, sorted.
    fn operations<'a>(&'a self, service: &'a str) -> Answer<'a, Vec<String>>;

    /// Traces that match, newest first.
    fn find<'a>(&'a self, search: &'a TraceSearch) -> Answer<'a, TracesFound>;

    /// The whole trace; `None` if the backend does not have it.
    fn trace(&self, id: TraceId) -> Answer<'_, Option<Trace>>;
}

/// Traces of which it is found out only when somebody asks where they are: which of several answers, what kind it is,
/// whether the search for them has ended. Whoever asks waits for it.
pub trait LateTraceSource: Send + Sync {
    /// The source that is asked.
    fn source(&self) -> Answer<'_, Arc<dyn TraceSource>>;
}

impl<T: LateTraceSource> TraceSource for T {
    fn probe(&self) -> Answer<'_, Probe> {
        Box::pin(async { self.source().await?.probe().await })
    }

    fn services(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async { self.source().await?.services().await })
    }

    fn operations<'a>(&'a self, service: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move { self.source().await?.operations(service).await })
    }

    fn find<'a>(&'a self, search: &'a TraceSearch) -> Answer<'a, TracesFound> {
        Box::pin(async move { self.source().await?.find(search).await })
    }

    fn trace(&self, id: TraceId) -> Answer<'_, Option<Trace>> {
        Box::pin(async move { self.source().await?.trace(id).await })
    }
}

// ---------------------------------------------------------------- HTTP on a way that somebody else provides

/// One HTTP request to a server that is not reached by its own address: through the API server's service proxy, or
/// through a forwarded port. Who sends it knows the way; who asks knows what is meant.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HttpCall {
    /// `true` sends [`HttpCall::body`] by POST; `false` is a GET, and the body is empty.
    pub post: bool,
    /// Path and query below the server's root, beginning with `/`, already escaped.
    pub path: String,
    /// Header names in lower case, and their values. A value may be a secret: it is never logged.
    pub headers: Vec<(String, String)>,
    /// Body of a POST.
    pub body: Vec<u8>,
    /// Largest answer that is read, after decompression; a larger one is `TooLarge`.
    pub max_body_bytes: usize,
}

impl std::fmt::Debug for HttpCall {
    /// Without the values of headers and the body: either may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpCall")
            .field("post", &self.post)
            .field("path", &self.path)
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}

/// What the server (or somebody on the way) answered, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HttpReply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty if there was none.
    pub content_type: String,
    /// The whole body, decompressed.
    pub body: Vec<u8>,
    /// The API server answered itself instead of passing the request on: `status` is its own (403: no right to the proxy;
    /// 503: no endpoints; 404: no such service).
    pub from_the_way: bool,
}

/// A way to one HTTP server.
pub trait HttpWay: Send + Sync {
    /// How it is shown: `monitoring/prometheus-k8s:9090 through the API server`. Holds no secret.
    fn shown(&self) -> &str;

    /// Sends one request. An answer of any status is `Ok`; failing to get one is an error of the way.
    fn call(&self, call: HttpCall) -> Answer<'_, HttpReply>;
}
