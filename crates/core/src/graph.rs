//! The live graph: rows of metrics and declared objects folded into nodes and edges with request rate, error ratio and
//! latency, by the rules that Istio operators know.
//!
//! Principal types: [`GraphRequest`] (what to draw), [`MeshGraph`] with [`Node`]s and [`Edge`]s. The engine asks
//! [`queries`] which metrics a request needs, fetches them, and hands the answers to [`fold`].

mod types;

pub use types::{
    AmbientTraffic, CodeShare, Edge, EdgeLatency, FetchedRows, GraphRequest, GraphType,
    GrpcTraffic, HttpTraffic, Latency, LatencyStat, MeshGraph, Node, NodeKind, Protocol,
    RateAndErrors, TcpTraffic, Traffic,
};
