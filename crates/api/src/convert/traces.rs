//! Traces: a line of the list, and the whole with its analysis.

use std::collections::BTreeMap;

use pilothouse_core::graph::{Edge, MeshGraph, Node};
use pilothouse_core::model::Moment;
use pilothouse_core::trace::{
    Call, Party, Span, SpanKind, SpanNode, SpanStatus, Trace, TraceAnalysis, TraceService,
    TraceSummary, Value,
};

use super::{count, finding_view, rfc3339};
use crate::dto::{
    CallView, PathSectionView, ServiceShareView, SpanEventView, SpanView, TraceRowView,
    TraceServiceView, TraceView,
};

pub(crate) fn trace_row(context: &str, summary: &TraceSummary) -> TraceRowView {
    let start_ms = i64::try_from(summary.start_ns / 1_000_000).unwrap_or(i64::MAX);
    TraceRowView {
        context: context.to_owned(),
        trace_id: summary.id.to_string(),
        root_service: summary.root_service.clone(),
        root_operation: summary.root_operation.clone(),
        start: rfc3339(Moment(start_ms)),
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit 53 bits"
        )]
        start_ms: start_ms as f64,
        duration_ns: summary.duration_ns,
        spans: count(summary.spans),
        errors: count(summary.errors),
        orphans: count(summary.orphans),
        services: summary.services.iter().map(service_view).collect(),
        revisions: summary.revisions.clone(),
    }
}

fn service_view(service: &TraceService) -> TraceServiceView {
    TraceServiceView {
        name: service.name.clone(),
        spans: count(service.spans),
        errors: count(service.errors),
    }
}

/// A whole trace of a context; `graph` tells which calls are edges of the live graph, that of all open contexts.
pub(crate) fn trace_view(
    context: &str,
    trace: &Trace,
    analysis: &TraceAnalysis,
    graph: &MeshGraph,
) -> TraceView {
    let id_of = |node: usize| {
        analysis
            .nodes
            .get(node)
            .map(|n| n.id.to_string())
            .unwrap_or_default()
    };
    let mut children = vec![0_u32; analysis.nodes.len()];
    for parent in analysis.nodes.iter().filter_map(|node| node.parent) {
        if let Some(count) = children.get_mut(parent) {
            *count += 1;
        }
    }
    let rows = analysis.nodes.iter().zip(children);
    let spans = rows.filter_map(|(node, children)| {
        Some(span_view(
            analysis,
            node,
            children,
            trace.spans.get(node.span)?,
        ))
    });
    let critical_path = analysis
        .critical_path
        .iter()
        .map(|section| PathSectionView {
            span_id: id_of(section.node),
            start_ns: offset(section.start_ns),
            end_ns: offset(section.end_ns),
        });
    TraceView {
        context: context.to_owned(),
        trace_id: trace.id.to_string(),
        epoch_ns: analysis.epoch_ns.to_string(),
        start: rfc3339(Moment(offset(analysis.epoch_ns / 1_000_000))),
        duration_ns: analysis.duration_ns,
        roots: analysis.roots.iter().map(|&node| id_of(node)).collect(),
        orphans: count(analysis.orphans),
        depth: analysis.depth,
        errors: count(analysis.errors),
        spans: spans.collect(),
        critical_path: critical_path.collect(),
        services: service_shares(trace, analysis),
        calls: call_views(&analysis.calls, graph, context),
        partial: trace.partial,
        findings: analysis.findings.iter().map(finding_view).collect(),
    }
}

fn span_view(analysis: &TraceAnalysis, node: &SpanNode, children: u32, span: &Span) -> SpanView {
    let parent = node.parent.and_then(|parent| analysis.nodes.get(parent));
    let shift = node.skew_shift_ns;
    let events = span.events.iter().map(|event| SpanEventView {
        at_ns: offset(event.time_ns)
            .saturating_sub(offset(analysis.epoch_ns))
            .saturating_add(shift),
        name: event.name.clone(),
        attributes: texts(&event.attributes),
    });
    SpanView {
        span_id: node.id.to_string(),
        parent_id: parent.map(|parent| parent.id.to_string()),
        service: span.service.clone(),
        operation: span.operation.clone(),
        kind: kind(span.kind).to_owned(),
        start_ns: offset(node.start_ns),
        duration_ns: node.duration_ns,
        self_ns: node.self_ns,
        status: status(span, node).to_owned(),
        attributes: texts(&span.attributes),
        resource: texts(&span.resource),
        events: events.collect(),
        skew_shift_ns: shift,
        depth: node.depth,
        children,
        revision: span.attribute(&["istio.canonical_revision"]),
        flags: span.response_flags(),
    }
}

fn status(span: &Span, node: &SpanNode) -> &'static str {
    match (node.error, span.status) {
        (true, _) | (false, SpanStatus::Error) => "error",
        (false, SpanStatus::Ok) => "ok",
        (false, SpanStatus::Unset) => "unset",
    }
}

fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "unspecified",
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

/// Services by their time on the critical path.
fn service_shares(trace: &Trace, analysis: &TraceAnalysis) -> Vec<ServiceShareView> {
    let mut shares: BTreeMap<&str, ServiceShareView> = BTreeMap::new();
    for node in &analysis.nodes {
        let Some(share) = share_of(&mut shares, trace, node) else {
            continue;
        };
        share.spans += 1;
        share.errors += u32::from(node.error);
        share.self_ns = share.self_ns.saturating_add(node.self_ns);
    }
    for section in &analysis.critical_path {
        let node = analysis.nodes.get(section.node);
        if let Some(share) = node.and_then(|node| share_of(&mut shares, trace, node)) {
            share.critical_ns += section.end_ns.saturating_sub(section.start_ns);
        }
    }
    let mut views: Vec<_> = shares.into_values().collect();
    views.sort_by(|a, b| {
        b.critical_ns
            .cmp(&a.critical_ns)
            .then_with(|| a.service.cmp(&b.service))
    });
    views
}

fn share_of<'a, 't>(
    shares: &'a mut BTreeMap<&'t str, ServiceShareView>,
    trace: &'t Trace,
    node: &SpanNode,
) -> Option<&'a mut ServiceShareView> {
    let service = trace.spans.get(node.span)?.service.as_str();
    let empty = || ServiceShareView {
        service: service.to_owned(),
        spans: 0,
        errors: 0,
        self_ns: 0,
        critical_ns: 0,
    };
    Some(shares.entry(service).or_insert_with(empty))
}

/// Calls by caller and callee, the slowest first.
fn call_views(calls: &[Call], graph: &MeshGraph, context: &str) -> Vec<CallView> {
    let mut views: BTreeMap<(String, String), CallView> = BTreeMap::new();
    for call in calls {
        let names = (
            party_name(Some(&call.source)),
            party_name(call.destination.as_deref()),
        );
        let view = views.entry(names.clone()).or_insert_with(|| {
            let edge = edge_of(call, graph, context);
            CallView {
                source: names.0,
                target: names.1,
                edge: edge.map(|edge| edge.id.clone()),
                calls: 0,
                errors: 0,
                max_ns: 0,
                edge_p95_ms: edge
                    .and_then(|edge| edge.latency.caller.p95)
                    .filter(|p95| p95.is_finite()),
            }
        });
        view.calls += 1;
        view.errors += u32::from(call.error);
        view.max_ns = view
            .max_ns
            .max(call.client_ns.or(call.server_ns).unwrap_or(0));
    }
    let mut views: Vec<_> = views.into_values().collect();
    views.sort_by(|a, b| {
        b.max_ns
            .cmp(&a.max_ns)
            .then_with(|| (&a.source, &a.target).cmp(&(&b.source, &b.target)))
    });
    views
}

fn party_name(party: Option<&Party>) -> String {
    let Some(party) = party else {
        return "unknown".to_owned();
    };
    match &party.namespace {
        Some(namespace) if !party.service.contains('.') => format!("{}.{namespace}", party.service),
        _ => party.service.clone(),
    }
}

/// The edge of a call: of clusters that have the same services, that of the context whose trace it is.
fn edge_of<'a>(call: &Call, graph: &'a MeshGraph, context: &str) -> Option<&'a Edge> {
    let node_of = |id: &str, party: &Party| {
        graph.nodes.iter().find(|node| {
            let named = [&node.app, &node.workload, &node.service]
                .into_iter()
                .flatten()
                .any(|n| *n == party.service);
            node.id == id
                && named
                && party
                    .namespace
                    .as_ref()
                    .is_none_or(|ns| *ns == node.namespace)
        })
    };
    let (source, destination) = (&call.source, call.destination.as_ref()?);
    let is_own = |node: &Node| node.context.as_deref() == Some(context);
    let fitting = graph.edges.iter().filter_map(|edge| {
        let ends = [
            node_of(&edge.source, source)?,
            node_of(&edge.target, destination)?,
        ];
        Some((edge, ends.into_iter().filter(|end| is_own(end)).count()))
    });
    // The first one of equals.
    let best = fitting.min_by_key(|(_, n_own)| std::cmp::Reverse(*n_own));
    best.map(|(edge, _)| edge)
}

fn texts(attributes: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    attributes
        .iter()
        .map(|(name, value)| (name.clone(), value.to_text()))
        .collect()
}

fn offset(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}
