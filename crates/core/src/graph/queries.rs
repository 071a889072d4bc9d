//! Which metrics a request needs: at most [`BUDGET`] queries, however many namespaces and services there are.
//!
//! One query per metric family, with the reports of both proxies in one answer (`reporter` is in the grouping), because
//! the number of queries and not the number of rows is what makes other tools slow. Traffic comes first; latency gets
//! what is left of the budget, in this order, and a step that does not fit is left out:
//!
//! 1. requests, gRPC messages, TCP bytes (one to five queries);
//! 2. the first wanted quantile (of p95, p99, p50) per edge;
//! 3. the same per callee, so that a node has a quantile of its own: quantiles of edges cannot be added up;
//! 4. the mean (two queries: sum and count, which give edges and nodes alike);
//! 5. the other quantiles per edge, then per callee;
//! 6. what is still left buys narrower quantile queries, see below.
//!
//! **Namespaces.** "To or from the chosen namespaces" is an *or* of two labels, and matchers of one query can only *and*.
//! Two queries per family would need twelve, so the families are asked without a namespace matcher and filtered while
//! folding. Quantiles are the exception, since buckets are by far the dearest: the query per callee matches the callee's
//! namespace, and the query per edge is split in two disjoint ones (into the namespaces, and out of them) while the
//! budget allows.
//!
//! **Grouping of quantiles.** A quantile is only right for exactly the group it was asked for, so the groups are the
//! edges of the graph type. Where the destination is not a workload (a call to an external host in a graph without
//! service nodes), several edges may share a group; their quantile then stays unknown (see `latency.rs`).

use super::types::{
    AmbientTraffic, GraphRequest, GraphType, GrpcTraffic, HttpTraffic, LatencyStat, TcpTraffic,
};
use crate::ports::{MatchOp, Matcher, Measure, MetricsQuery};

#[cfg(test)]
mod tests;

/// Queries of one request, at most.
pub const BUDGET: usize = 6;

/// Labels that identify both ends of a report.
const ENDS: [&str; 13] = [
    "source_cluster",
    "source_workload_namespace",
    "source_workload",
    "source_canonical_service",
    "source_canonical_revision",
    "destination_cluster",
    "destination_service_namespace",
    "destination_service",
    "destination_service_name",
    "destination_workload_namespace",
    "destination_workload",
    "destination_canonical_service",
    "destination_canonical_revision",
];

/// The queries whose answers [`super::fold`] needs; at most [`BUDGET`].
#[must_use]
pub fn queries(request: &GraphRequest) -> Vec<MetricsQuery> {
    plan(request).queries
}

/// What is asked, and what the budget left out.
pub(super) struct QueryPlan {
    pub(super) queries: Vec<MetricsQuery>,
    /// Wanted, but not asked: e.g. `p99 of edges`.
    pub(super) left_out: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Edges(LatencyStat),
    Callees(LatencyStat),
    Mean,
}

pub(super) fn plan(request: &GraphRequest) -> QueryPlan {
    let mut queries: Vec<MetricsQuery> = traffic_measures(request)
        .into_iter()
        .map(|measure| traffic_query(request, measure))
        .collect();
    let mut left_out = Vec::new();
    let mut edge_quantiles = Vec::new();
    for step in latency_steps(request) {
        let asked = match step {
            Step::Edges(stat) => quantile(request, stat, edge_labels(request)),
            Step::Callees(stat) => callee_quantile(request, stat),
            Step::Mean => mean(request),
        };
        if queries.len() + asked.len() <= BUDGET {
            if matches!(step, Step::Edges(_)) {
                edge_quantiles.push(queries.len());
            }
            queries.extend(asked);
        } else {
            left_out.push(match step {
                Step::Edges(stat) => format!("{} of edges", name(stat)),
                Step::Callees(stat) => format!("{} of nodes", name(stat)),
                Step::Mean => "mean latency".to_owned(),
            });
        }
    }
    if !request.namespaces.is_empty() {
        for at in edge_quantiles {
            if queries.len() < BUDGET {
                split_by_direction(request, &mut queries, at);
            }
        }
    }
    QueryPlan { queries, left_out }
}

/// The measures whose rows make edges.
pub(super) fn traffic_measures(request: &GraphRequest) -> Vec<Measure> {
    let mut measures = Vec::new();
    if request.http == HttpTraffic::Requests || request.grpc == GrpcTraffic::Requests {
        measures.push(Measure::Requests);
    }
    if matches!(request.grpc, GrpcTraffic::Sent | GrpcTraffic::Total) {
        measures.push(Measure::GrpcSentMessages);
    }
    if matches!(request.grpc, GrpcTraffic::Received | GrpcTraffic::Total) {
        measures.push(Measure::GrpcReceivedMessages);
    }
    if matches!(request.tcp, TcpTraffic::Sent | TcpTraffic::Total) {
        measures.push(Measure::TcpSentBytes);
    }
    if matches!(request.tcp, TcpTraffic::Received | TcpTraffic::Total) {
        measures.push(Measure::TcpReceivedBytes);
    }
    measures
}

fn latency_steps(request: &GraphRequest) -> Vec<Step> {
    // Latencies hang on the edges that the request counter makes; without it there is nothing to hang them on.
    if !traffic_measures(request).contains(&Measure::Requests) {
        return Vec::new();
    }
    let wanted = |stat: &LatencyStat| request.latency.contains(stat);
    let mut quantiles = [LatencyStat::P95, LatencyStat::P99, LatencyStat::P50]
        .into_iter()
        .filter(wanted);
    let mut steps = Vec::new();
    if let Some(first) = quantiles.next() {
        steps.extend([Step::Edges(first), Step::Callees(first)]);
    }
    if wanted(&LatencyStat::Avg) {
        steps.push(Step::Mean);
    }
    let others: Vec<LatencyStat> = quantiles.collect();
    steps.extend(others.iter().map(|&stat| Step::Edges(stat)));
    steps.extend(others.iter().map(|&stat| Step::Callees(stat)));
    steps
}

const fn name(stat: LatencyStat) -> &'static str {
    match stat {
        LatencyStat::Avg => "mean",
        LatencyStat::P50 => "p50",
        LatencyStat::P95 => "p95",
        LatencyStat::P99 => "p99",
    }
}

fn traffic_query(request: &GraphRequest, measure: Measure) -> MetricsQuery {
    let added: &[&str] = match measure {
        Measure::Requests => &[
            "request_protocol",
            "response_code",
            "grpc_response_status",
            "response_flags",
            "connection_security_policy",
        ],
        Measure::TcpSentBytes | Measure::TcpReceivedBytes => {
            &["response_flags", "connection_security_policy"]
        }
        Measure::LatencySum | Measure::LatencyCount => &["request_protocol"],
        Measure::GrpcSentMessages | Measure::GrpcReceivedMessages | Measure::LatencyQuantile(_) => {
            &[]
        }
    };
    let mut matchers = vec![reporters(request)];
    match measure {
        Measure::TcpSentBytes | Measure::TcpReceivedBytes => matchers.extend(no_ztunnel(request)),
        Measure::Requests
        | Measure::LatencySum
        | Measure::LatencyCount
        | Measure::LatencyQuantile(_) => matchers.extend(one_protocol(request)),
        Measure::GrpcSentMessages | Measure::GrpcReceivedMessages => {}
    }
    query(request, measure, [&ENDS[..], added].concat(), matchers)
}

fn mean(request: &GraphRequest) -> Vec<MetricsQuery> {
    [Measure::LatencySum, Measure::LatencyCount]
        .map(|measure| traffic_query(request, measure))
        .to_vec()
}

fn quantile(request: &GraphRequest, stat: LatencyStat, by: Vec<&str>) -> Vec<MetricsQuery> {
    let matchers = std::iter::once(reporters(request))
        .chain(one_protocol(request))
        .collect();
    stat.per_mille()
        .map(|q| query(request, Measure::LatencyQuantile(q), by, matchers))
        .into_iter()
        .collect()
}

fn callee_quantile(request: &GraphRequest, stat: LatencyStat) -> Vec<MetricsQuery> {
    let mut asked = quantile(request, stat, callee_labels(request));
    if !request.namespaces.is_empty() {
        let label = callee_namespace(request);
        for query in &mut asked {
            query
                .matchers
                .push(matching(label, MatchOp::In, &request.namespaces));
        }
    }
    asked
}

/// Replaces the query by two: calls into the chosen namespaces, and calls out of them to elsewhere. No row is in both.
/// Calls from outside that never reached a workload are in neither; nobody served them, so they have no latency to show.
fn split_by_direction(request: &GraphRequest, queries: &mut Vec<MetricsQuery>, at: usize) {
    let Some(incoming) = queries.get_mut(at) else {
        return;
    };
    let mut outgoing = incoming.clone();
    let callee = callee_namespace(request);
    let chosen = &request.namespaces;
    incoming
        .matchers
        .push(matching(callee, MatchOp::In, chosen));
    outgoing.matchers.extend([
        matching("source_workload_namespace", MatchOp::In, chosen),
        matching(callee, MatchOp::NotIn, chosen),
    ]);
    queries.push(outgoing);
}

/// The label that says where the callee of an edge lives; always one of the grouping.
fn callee_namespace(request: &GraphRequest) -> &'static str {
    if has_service_nodes(request) {
        "destination_service_namespace"
    } else {
        "destination_workload_namespace"
    }
}

pub(super) fn has_service_nodes(request: &GraphRequest) -> bool {
    request.service_nodes || request.graph_type == GraphType::Service
}

/// What tells the edges that leave a caller from each other.
fn edge_labels(request: &GraphRequest) -> Vec<&'static str> {
    let caller = match request.graph_type {
        GraphType::Workload | GraphType::VersionedApp => "source_workload",
        GraphType::App | GraphType::Service => "source_canonical_service",
    };
    let mut by = vec!["source_cluster", "source_workload_namespace", caller];
    by.extend(if has_service_nodes(request) {
        service_labels()
    } else {
        workload_labels(request)
    });
    by.push("request_protocol");
    by
}

/// What tells callees (and the edges from service nodes to them) from each other. The protocol is left out: a node has
/// one latency.
fn callee_labels(request: &GraphRequest) -> Vec<&'static str> {
    match (request.graph_type, has_service_nodes(request)) {
        (GraphType::Service, _) => service_labels().to_vec(),
        (_, false) => workload_labels(request).to_vec(),
        (_, true) => {
            let mut by = service_labels().to_vec();
            by.extend(workload_labels(request).into_iter().skip(1));
            by
        }
    }
}

const fn service_labels() -> [&'static str; 3] {
    [
        "destination_cluster",
        "destination_service_namespace",
        "destination_service_name",
    ]
}

fn workload_labels(request: &GraphRequest) -> [&'static str; 3] {
    let callee = match request.graph_type {
        GraphType::Workload | GraphType::VersionedApp => "destination_workload",
        GraphType::App | GraphType::Service => "destination_canonical_service",
    };
    [
        "destination_cluster",
        "destination_workload_namespace",
        callee,
    ]
}

fn query(
    request: &GraphRequest,
    measure: Measure,
    by: Vec<&str>,
    matchers: Vec<Matcher>,
) -> MetricsQuery {
    MetricsQuery {
        measure,
        by: by
            .into_iter()
            .chain(["reporter"])
            .map(str::to_owned)
            .collect(),
        matchers,
        window: request.window,
        at: request.at,
        idle: request.idle_edges,
    }
}

fn matching(label: &str, op: MatchOp, values: &[impl AsRef<str>]) -> Matcher {
    Matcher {
        label: label.to_owned(),
        op,
        values: values
            .iter()
            .map(|value| value.as_ref().to_owned())
            .collect(),
    }
}

fn reporters(request: &GraphRequest) -> Matcher {
    let both = ["source", "destination"];
    let all = ["source", "destination", "waypoint"];
    match request.ambient {
        AmbientTraffic::None | AmbientTraffic::Ztunnel => matching("reporter", MatchOp::In, &both),
        AmbientTraffic::Waypoint | AmbientTraffic::Total => matching("reporter", MatchOp::In, &all),
    }
}

fn no_ztunnel(request: &GraphRequest) -> Option<Matcher> {
    match request.ambient {
        AmbientTraffic::None | AmbientTraffic::Waypoint => {
            Some(matching("app", MatchOp::NotIn, &["ztunnel"]))
        }
        AmbientTraffic::Ztunnel | AmbientTraffic::Total => None,
    }
}

/// Where only one of HTTP and gRPC is drawn, only that one is fetched; a quantile over both would be wrong for either.
fn one_protocol(request: &GraphRequest) -> Option<Matcher> {
    let http = request.http == HttpTraffic::Requests;
    let grpc = request.grpc == GrpcTraffic::Requests;
    match (http, grpc) {
        (true, false) => Some(matching("request_protocol", MatchOp::In, &["http"])),
        (false, true) => Some(matching("request_protocol", MatchOp::In, &["grpc"])),
        (true, true) | (false, false) => None,
    }
}
