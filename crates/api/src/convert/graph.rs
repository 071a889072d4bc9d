//! The graph, its layout and the state of its sources.

use std::collections::BTreeMap;

use pilothouse_core::graph::{
    self, Edge, GraphRequest, GraphType, Latency, MeshGraph, Node, NodeKind, Protocol, Traffic,
};
use pilothouse_core::layout::{Layout, Rect};
use pilothouse_core::model::{
    Finding, Health, Moment, Severity, SourceErrorKind, SourceKind, TimeSpan,
};
use pilothouse_engine::{QueryRecord, SourceState, SourceStatus};

use super::{count, rfc3339};
use crate::dto::{
    CodeShareView, EdgeView, FindingView, GraphView, LatencyView, LayoutView, NodeView, QueryView,
    RectView, SourceFault, SourceView, SplitView, TrafficView,
};

pub(crate) fn graph_view(
    generation: u64,
    graph: &MeshGraph,
    queries: impl Iterator<Item = QueryView>,
    sources: Vec<SourceView>,
    splits: &[SplitView],
) -> GraphView {
    let mut findings: Vec<FindingView> = graph.findings.iter().map(finding_view).collect();
    findings.sort_by_key(|f| std::cmp::Reverse(severity_rank(&f.severity)));
    GraphView {
        generation,
        taken_at: rfc3339(graph.request.at),
        window_s: graph.request.window.as_seconds(),
        graph_type: graph_type(graph.request.graph_type).to_owned(),
        nodes: graph
            .nodes
            .iter()
            .map(|node| node_view(node, &graph.request, splits))
            .collect(),
        edges: graph.edges.iter().map(edge_view).collect(),
        sources,
        findings,
        queries: queries.collect(),
    }
}

/// The graph in the DOT language of Graphviz.
#[must_use]
pub fn dot(graph: &MeshGraph) -> String {
    graph::to_dot(graph)
}

fn graph_type(kind: GraphType) -> &'static str {
    match kind {
        GraphType::Workload => "workload",
        GraphType::App => "app",
        GraphType::VersionedApp => "versioned-app",
        GraphType::Service => "service",
    }
}

fn node_view(node: &Node, request: &GraphRequest, splits: &[SplitView]) -> NodeView {
    // A node that nobody calls (a gateway, a job) is told by what it sends. Outside the chosen namespaces nobody asked who
    // calls it.
    let asked = request.namespaces.is_empty() || request.namespaces.contains(&node.namespace);
    let shown = if asked && node.incoming.is_empty() {
        &node.outgoing
    } else {
        &node.incoming
    };
    let (rate, error_ratio) = requests(shown);
    let own_splits = splits
        .iter()
        .filter(|s| s.node.as_deref() == Some(&node.id))
        .map(|s| s.id.clone());
    NodeView {
        id: node.id.clone(),
        kind: node_kind(node.kind).to_owned(),
        cluster: node.cluster.clone(),
        context: node.context.clone(),
        namespace: node.namespace.clone(),
        workload: node.workload.clone(),
        app: node.app.clone(),
        version: node.version.clone(),
        service: node.service.clone(),
        label: label(node),
        incoming: traffic_view(&node.incoming),
        outgoing: traffic_view(&node.outgoing),
        rate,
        error_ratio,
        latency_ms: latency_view(&node.latency),
        health: health(node.health).to_owned(),
        badges: node.badges.clone(),
        box_id: Some(graph::box_of(&node.id).to_owned()),
        splits: own_splits.collect(),
    }
}

fn label(node: &Node) -> String {
    let name = match node.kind {
        NodeKind::Workload => node.workload.as_ref(),
        NodeKind::App => node.app.as_ref(),
        NodeKind::Service => node.service.as_ref(),
        NodeKind::Unknown | NodeKind::Box => None,
    };
    let name = name
        .or(node.app.as_ref())
        .or(node.workload.as_ref())
        .or(node.service.as_ref());
    let name = name.map_or("unknown", String::as_str);
    match (&node.kind, &node.version) {
        (NodeKind::App, Some(version)) => format!("{name} {version}"),
        _ => name.to_owned(),
    }
}

/// HTTP and gRPC together: requests per second and their error ratio. Unknown if any part is unknown; a node without
/// either has no request rate.
fn requests(traffic: &Traffic) -> (Option<f64>, Option<f64>) {
    let requests: Vec<_> = [Protocol::Http, Protocol::Grpc]
        .iter()
        .filter_map(|p| traffic.get(p))
        .collect();
    let rates: Option<Vec<f64>> = requests.iter().map(|t| t.rate).collect();
    let Some(rates) = rates.filter(|rates| !rates.is_empty()) else {
        return (None, None);
    };
    let total: f64 = rates.iter().sum();
    if total <= 0.0 {
        return (Some(total), None);
    }
    let errors: f64 = requests
        .iter()
        .zip(&rates)
        .map(|(t, rate)| t.error_ratio.unwrap_or(0.0) * rate)
        .sum();
    (Some(total), Some(errors / total))
}

fn edge_view(edge: &Edge) -> EdgeView {
    let codes = edge.codes.iter().map(|code| CodeShareView {
        code: code.code.clone(),
        flags: code.flags.clone(),
        ratio: code.ratio,
    });
    EdgeView {
        id: edge.id.clone(),
        source: edge.source.clone(),
        target: edge.target.clone(),
        protocol: protocol(edge.protocol).to_owned(),
        rate: edge.traffic.rate,
        error_ratio: edge.traffic.error_ratio,
        codes: codes.collect(),
        latency_ms: latency_view(&edge.latency.caller),
        callee_latency_ms: latency_view(&edge.latency.callee),
        mtls_ratio: edge.mtls_ratio,
        share_of_source: edge.share_of_source,
        health: health(edge.health).to_owned(),
    }
}

fn traffic_view(traffic: &Traffic) -> BTreeMap<String, TrafficView> {
    let view = |t: &graph::RateAndErrors| TrafficView {
        rate: t.rate,
        error_ratio: t.error_ratio,
    };
    traffic
        .iter()
        .map(|(p, t)| (protocol(*p).to_owned(), view(t)))
        .collect()
}

/// JSON has no infinity: a quantile above the last bucket becomes null and is named in `beyond`.
pub(crate) fn latency_view(latency: &Latency) -> LatencyView {
    let named = [
        ("avg", latency.avg),
        ("p50", latency.p50),
        ("p95", latency.p95),
        ("p99", latency.p99),
    ];
    let beyond = named
        .iter()
        .filter(|(_, value)| value.is_some_and(f64::is_infinite));
    let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
    LatencyView {
        avg: finite(latency.avg),
        p50: finite(latency.p50),
        p95: finite(latency.p95),
        p99: finite(latency.p99),
        beyond: beyond.map(|(name, _)| (*name).to_owned()).collect(),
    }
}

pub(crate) fn query_view(query: &QueryRecord) -> QueryView {
    QueryView {
        name: query.name.clone(),
        promql: query.promql.clone(),
        rows: query.outcome.as_ref().ok().map(|rows| count(*rows)),
        error: query.outcome.as_ref().err().cloned(),
    }
}

pub(crate) fn finding_view(finding: &Finding) -> FindingView {
    let severity = match finding.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    FindingView {
        severity: severity.to_owned(),
        code: finding.code.clone(),
        object: finding.object.clone(),
        path: finding.path.clone(),
        message: finding.message.clone(),
    }
}

fn severity_rank(severity: &str) -> u8 {
    match severity {
        "error" => 2,
        "warning" => 1,
        _ => 0,
    }
}

pub(crate) fn source_views(
    context: &str,
    statuses: &[SourceStatus],
    now: Moment,
    fresh_for: TimeSpan,
) -> Vec<SourceView> {
    statuses
        .iter()
        .map(|status| source_view(context, status, now, fresh_for))
        .collect()
}

fn source_view(
    context: &str,
    status: &SourceStatus,
    now: Moment,
    fresh_for: TimeSpan,
) -> SourceView {
    // A watch speaks only when something changes: for the control plane silence is no age.
    let fresh_for = if status.kind == SourceKind::Metrics {
        fresh_for
    } else {
        TimeSpan(i64::MAX)
    };
    let probe = status.probe.as_ref();
    let product = probe.map(|probe| match &probe.version {
        Some(version) => format!("{} {version}", probe.product),
        None => probe.product.clone(),
    });
    let fault = status.error.as_ref().map(|error| SourceFault {
        code: error_kind(error.kind),
        message: error.message.clone(),
        hint: error.hint.clone(),
        count: status.failures,
    });
    SourceView {
        context: context.to_owned(),
        name: source_name(status.kind).to_owned(),
        product: product.unwrap_or_default(),
        version: probe.and_then(|probe| probe.version.clone()),
        api: probe.and_then(|probe| probe.api.clone()),
        facts: probe.map(|probe| probe.facts.clone()).unwrap_or_default(),
        address: probe.map(|probe| probe.address.clone()).unwrap_or_default(),
        state: state_name(status.state(now, fresh_for)).to_owned(),
        age_s: status
            .last_good
            .map(|good| now.since(good).as_seconds().max(0.0)),
        queries: status.queries,
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of one tick")]
        elapsed_ms: status.elapsed.map(|span| span.0 as f64),
        error: fault,
    }
}

fn error_kind(kind: SourceErrorKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn source_name(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::ControlPlane => "control-plane",
        SourceKind::Metrics => "metrics",
        SourceKind::Traces => "traces",
    }
}

fn state_name(state: SourceState) -> &'static str {
    match state {
        SourceState::Loading => "loading",
        SourceState::Ok => "ok",
        SourceState::Stale => "stale",
        SourceState::Failed => "failed",
        SourceState::Forbidden => "forbidden",
        SourceState::Absent => "absent",
    }
}

fn health(health: Health) -> &'static str {
    match health {
        Health::Unknown => "unknown",
        Health::Idle => "idle",
        Health::Ok => "ok",
        Health::Degraded => "degraded",
        Health::Failing => "failing",
    }
}

fn node_kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Workload => "workload",
        NodeKind::App => "app",
        NodeKind::Service => "service",
        NodeKind::Unknown => "unknown",
        NodeKind::Box => "box",
    }
}

fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "http",
        Protocol::Grpc => "grpc",
        Protocol::Tcp => "tcp",
    }
}

pub(crate) fn layout_view(layout: &Layout) -> LayoutView {
    let rects = |rects: &BTreeMap<String, Rect>| {
        let view = |r: &Rect| RectView {
            x: r.x,
            y: r.y,
            width: r.width,
            height: r.height,
        };
        rects.iter().map(|(id, r)| (id.clone(), view(r))).collect()
    };
    LayoutView {
        version: layout.version,
        nodes: rects(&layout.nodes),
        boxes: rects(&layout.boxes),
        clusters: rects(&layout.clusters),
        around: layout
            .boxes
            .keys()
            .filter_map(|id| Some((id.clone(), layout.around(id)?.to_owned())))
            .collect(),
        ghosts: layout.ghosts.clone(),
    }
}
