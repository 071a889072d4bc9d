//! The live graph: rows of metrics and declared objects folded into nodes and edges with request rate, error ratio and
//! latency, by the rules that Istio operators know.
//!
//! Principal types: [`GraphRequest`] (what to draw), [`MeshGraph`] with [`Node`]s and [`Edge`]s. The engine asks
//! [`queries`] which metrics a request needs, fetches them, and hands the answers to [`fold`].
//! Several clusters, each a [`ClusterPart`], are one graph by [`fold_clusters`].
//!
//! The steps of a fold, one file each: `clusters` (which cluster is meant), `rows` (which rows count and what they say),
//! `identity` (who the ends are), `tally` (sums per edge and proxy), `calls` (one report per edge; services only),
//! `latency` (quantiles that are exactly an edge or a node), `declared` and `badges` (what objects add), `draw` (the
//! numbers), `findings`, and `fold` itself. The rules are Kiali's, so that two tools pointed at one Prometheus agree,
//! except where those are wrong: reports of both proxies are never mixed, totals do not depend on the order of anything,
//! and what failed is unknown, not zero. Where Kiali draws an edge without rates for a request protocol other than http
//! and grpc, we draw none and say so in a finding: an edge here always has a protocol that its numbers are of, and
//! Istio's proxies count requests of those two only.

mod badges;
mod calls;
mod clusters;
mod declared;
mod dot;
mod draw;
mod findings;
mod fingerprint;
mod fold;
mod identity;
mod latency;
mod queries;
mod rows;
mod tally;
mod types;

#[cfg(test)]
mod testing;

pub use clusters::{ClusterPart, PartMetrics};
pub use dot::to_dot;
pub use fold::{fold, fold_clusters};
pub use identity::{box_of, cluster_of};
pub use queries::{BUDGET, queries};
pub use types::{
    AmbientTraffic, CodeShare, Edge, EdgeLatency, FetchedRows, GraphRequest, GraphType,
    GrpcTraffic, HttpTraffic, Latency, LatencyStat, MeshGraph, Node, NodeKind, Protocol,
    RateAndErrors, TcpTraffic, Traffic,
};
