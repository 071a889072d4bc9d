//! Words of the graph. Rates are per second (bytes per second for tcp), ratios in 0..=1, latencies in milliseconds.
//! `None` always means unknown, never zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Finding, Health, Moment, SourceError, Thresholds, TimeSpan};
use crate::ports::{Measure, MetricRow, MetricsQuery};

/// Which identity a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GraphType {
    /// Workloads.
    Workload,
    /// Canonical services.
    App,
    /// Canonical services by revision.
    VersionedApp,
    /// Services; workload nodes are folded away.
    Service,
}

/// Which HTTP traffic is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpTraffic {
    /// Requests per second.
    Requests,
    /// Not at all.
    None,
}

/// Which gRPC traffic is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrpcTraffic {
    /// Requests per second.
    Requests,
    /// Messages sent by the client.
    Sent,
    /// Messages received by the client.
    Received,
    /// Both kinds of messages.
    Total,
    /// Not at all.
    None,
}

/// Which TCP traffic is drawn (bytes per second).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TcpTraffic {
    /// Sent by the client.
    Sent,
    /// Received by the client.
    Received,
    /// Both.
    Total,
    /// Not at all.
    None,
}

/// Which reporters of an ambient mesh count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AmbientTraffic {
    /// Sidecars only.
    None,
    /// Waypoints too.
    Waypoint,
    /// ztunnels too.
    Ztunnel,
    /// All.
    Total,
}

/// What to draw, and as of when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphRequest {
    /// Identity of nodes.
    pub graph_type: GraphType,
    /// Service nodes between callers and workloads.
    pub service_nodes: bool,
    /// Namespaces; empty = all.
    pub namespaces: Vec<String>,
    /// Rate window of every number.
    pub window: TimeSpan,
    /// Moment of every query.
    pub at: Moment,
    /// HTTP traffic.
    pub http: HttpTraffic,
    /// gRPC traffic.
    pub grpc: GrpcTraffic,
    /// TCP traffic.
    pub tcp: TcpTraffic,
    /// Edges without traffic, too.
    pub idle_edges: bool,
    /// Declared nodes without traffic, too.
    pub idle_nodes: bool,
    /// Ambient reporters.
    pub ambient: AmbientTraffic,
    /// Which latencies to ask for.
    pub latency: Vec<LatencyStat>,
    /// From where on something is degraded or failing.
    #[serde(default)]
    pub thresholds: Thresholds,
}

/// A latency statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LatencyStat {
    /// Mean.
    Avg,
    /// Median.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
}

impl LatencyStat {
    /// The quantile in thousandths; `None` for the mean.
    #[must_use]
    pub const fn per_mille(self) -> Option<u16> {
        match self {
            Self::Avg => None,
            Self::P50 => Some(500),
            Self::P95 => Some(950),
            Self::P99 => Some(990),
        }
    }
}

/// Answers to the queries of a request: each either rows or why there are none.
#[derive(Clone, Debug, Default)]
pub struct FetchedRows {
    /// Each query with its answer.
    pub answers: Vec<(MetricsQuery, Result<Vec<MetricRow>, SourceError>)>,
}

impl FetchedRows {
    /// The first failure among the answers for this measure, if all of them failed.
    #[must_use]
    pub fn failure(&self, measure: Measure) -> Option<&SourceError> {
        let of_measure = || self.answers.iter().filter(|(q, _)| q.measure == measure);
        if of_measure().any(|(_, answer)| answer.is_ok()) {
            return None;
        }
        of_measure().find_map(|(_, answer)| answer.as_ref().err())
    }
}

/// Application protocol of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1 and HTTP/2.
    Http,
    /// gRPC.
    Grpc,
    /// Opaque bytes.
    Tcp,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A workload.
    Workload,
    /// A canonical service, perhaps with a revision.
    App,
    /// A Kubernetes service, a ServiceEntry host, PassthroughCluster or BlackHoleCluster.
    Service,
    /// Somebody without telemetry.
    Unknown,
    /// A box around others.
    Box,
}

/// A rate with its share of errors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct RateAndErrors {
    /// Per second; `None` if the query failed.
    pub rate: Option<f64>,
    /// 0..=1; `None` for tcp, for messages, and where nothing was requested.
    pub error_ratio: Option<f64>,
}

/// Traffic of a node in one direction, by protocol. A protocol that the node does not speak is absent.
pub type Traffic = BTreeMap<Protocol, RateAndErrors>;

/// Latencies in milliseconds. +Inf stands for "above the last bucket".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct Latency {
    /// Mean.
    pub avg: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

/// Latency of an edge as each side measured it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct EdgeLatency {
    /// What the caller felt.
    pub caller: Latency,
    /// What the callee's proxy measured.
    pub callee: Latency,
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Stable identity, equal for equal (type, cluster, namespace, names): e.g. `app:Kubernetes/shop/reviews`. A cluster
    /// that shares its id with another is written with its context (`app:Kubernetes@admin/shop/reviews`), and the
    /// characters `%`, `/`, `>` and `@` inside of names as `%XX`.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// Istio's id of its cluster, `unknown` if the telemetry does not say. Not a key: see [`super::box_of`].
    pub cluster: String,
    /// The context that reaches its cluster: its objects are there, and writes go there. `None` for a cluster that none of
    /// the contexts reaches, for one of several that nothing tells apart, and where no contexts were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Namespace, `unknown` if not known.
    pub namespace: String,
    /// Workload name, where the node has one.
    pub workload: Option<String>,
    /// Canonical service.
    pub app: Option<String>,
    /// Canonical revision.
    pub version: Option<String>,
    /// Service name.
    pub service: Option<String>,
    /// What it receives.
    pub incoming: Traffic,
    /// What it sends.
    pub outgoing: Traffic,
    /// Latency of what it serves, measured by its own proxy.
    pub latency: Latency,
    /// How it does.
    pub health: Health,
    /// Marks: `egress`, `ingress`, `root`, `idle`, `external`, `virtual-service`, `outside`, …; sorted.
    pub badges: Vec<String>,
}

/// Share of one response code on an edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeShare {
    /// HTTP code, gRPC status, or `-` for no response.
    pub code: String,
    /// Envoy's response flags, `-` for none.
    pub flags: String,
    /// Share of the edge's requests, 0..=1.
    pub ratio: f64,
}

/// An edge: source calls target by protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Stable identity: `source>target:protocol`.
    pub id: String,
    /// Node id of the caller.
    pub source: String,
    /// Node id of the callee.
    pub target: String,
    /// Protocol.
    pub protocol: Protocol,
    /// Rate and errors.
    pub traffic: RateAndErrors,
    /// Response codes, most frequent first.
    pub codes: Vec<CodeShare>,
    /// Latency by side.
    pub latency: EdgeLatency,
    /// Share of requests over mutual TLS, 0..=1.
    pub mtls_ratio: Option<f64>,
    /// This edge's share of what its source sends by this protocol, 0..=1.
    pub share_of_source: Option<f64>,
    /// How it does.
    pub health: Health,
}

/// The folded graph, nodes and edges sorted by id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeshGraph {
    /// What was asked.
    pub request: GraphRequest,
    /// Sorted by id.
    pub nodes: Vec<Node>,
    /// Sorted by id.
    pub edges: Vec<Edge>,
    /// What we noticed.
    pub findings: Vec<Finding>,
}
