//! Folds answers and objects into the graph: the order of the steps.
//!
//! Rows are sorted before anything is summed, so equal data give equal bits whatever the order of rows and answers.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{Call, Calls, reduce_to_services};
use super::declared::Declared;
use super::draw::Drawing;
use super::findings;
use super::fingerprint::fingerprint;
use super::identity::NodeKey;
use super::latency::Groupings;
use super::queries::{plan, traffic_measures};
use super::rows::{Dropped, read};
use super::tally::{NodeTally, Tally};
use super::types::{
    FetchedRows, GraphRequest, GraphType, GrpcTraffic, HttpTraffic, MeshGraph, NodeKind, Protocol,
};
use crate::model::{Object, Thresholds};
use crate::ports::{Measure, MetricRow};

#[cfg(test)]
mod tests;

/// The graph that these answers and objects show, judged by the usual thresholds.
///
/// Never fails: what is missing is `None` and named in a finding. While a query for traffic has no answer, the declared
/// nodes of the chosen namespaces are drawn whether or not idle nodes are asked for, since nobody knows which are idle.
#[must_use]
pub fn fold(request: &GraphRequest, fetched: &FetchedRows, objects: &[Object]) -> MeshGraph {
    let declared = Declared::read(objects);
    let groupings = Groupings::collect(fetched);
    let mut findings = findings::failed_queries(fetched);
    findings.extend(findings::left_out(&plan(request)));

    let (tally, dropped) = tally(request, &declared, fetched, &groupings);
    for (reason, count) in dropped {
        findings.extend(findings::unusable_rows(reason, count));
    }
    let mut nodes = tally.nodes;
    let mut calls: Calls<'_> = tally
        .edges
        .into_iter()
        .map(|(key, edge)| (key, Call::of(edge)))
        .collect();
    if request.graph_type == GraphType::Service {
        calls = reduce_to_services(&calls);
        let kept = ends(&calls);
        nodes.retain(|key, _| kept.contains(key));
    }
    let unknown = unknown_protocols(request, fetched);
    if unknown.is_empty() {
        remove_dead(&declared, &mut nodes, &mut calls);
    }
    if request.idle_nodes || !unknown.is_empty() {
        declared.add_missing(request, &mut nodes);
    }
    let drawing = Drawing {
        thresholds: Thresholds::default(),
        request,
        declared,
        unknown,
    };
    drawing.draw(&groupings, &nodes, &calls, findings)
}

/// Sums up all rows of all answers, in one fixed order, and counts those that could not be used.
fn tally<'a>(
    request: &GraphRequest,
    declared: &Declared<'_>,
    fetched: &'a FetchedRows,
    groupings: &Groupings<'a>,
) -> (Tally<'a>, BTreeMap<Dropped, usize>) {
    let mut tally = Tally::default();
    let mut dropped: BTreeMap<Dropped, usize> = BTreeMap::new();
    for measure in traffic_measures(request) {
        for row in rows(fetched, measure) {
            match read(request, measure, row) {
                Ok(report) => {
                    tally.add(request, declared, groupings, &report);
                }
                Err(reason) => *dropped.entry(reason).or_default() += 1,
            }
        }
    }
    // A sum without its count, or a count without its sum, is no mean.
    let latency = [Measure::LatencySum, Measure::LatencyCount];
    if latency.iter().all(|&measure| is_answered(fetched, measure)) {
        for measure in latency {
            for row in rows(fetched, measure) {
                if let Ok(report) = read(request, measure, row) {
                    tally.add_latency(request, declared, measure, &report);
                }
            }
        }
    }
    (tally, dropped)
}

/// Rows of one measure from all answers, in one fixed order; of rows with equal labels (from overlapping queries) the largest.
fn rows(fetched: &FetchedRows, measure: Measure) -> Vec<&MetricRow> {
    let answers = fetched.answers.iter();
    let mut rows: Vec<(u64, &MetricRow)> = answers
        .filter(|(query, _)| query.measure == measure)
        .filter_map(|(_, answer)| answer.as_ref().ok())
        .flatten()
        .map(|row| (fingerprint(&row.labels), row))
        .collect();
    rows.sort_unstable_by(|(a_print, a), (b_print, b)| {
        let by_labels = a_print.cmp(b_print).then_with(|| a.labels.cmp(&b.labels));
        by_labels.then_with(|| b.value.total_cmp(&a.value))
    });
    rows.dedup_by(|(a_print, a), (b_print, b)| a_print == b_print && a.labels == b.labels);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn is_answered(fetched: &FetchedRows, measure: Measure) -> bool {
    let mut answers = fetched
        .answers
        .iter()
        .filter(|(query, _)| query.measure == measure)
        .peekable();
    answers.peek().is_some() && answers.all(|(_, answer)| answer.is_ok())
}

/// Protocols whose rates are not known, because a query that they need failed or was never answered.
fn unknown_protocols(request: &GraphRequest, fetched: &FetchedRows) -> BTreeSet<Protocol> {
    let mut unknown = BTreeSet::new();
    for measure in traffic_measures(request) {
        if is_answered(fetched, measure) {
            continue;
        }
        match measure {
            Measure::TcpSentBytes | Measure::TcpReceivedBytes => {
                unknown.insert(Protocol::Tcp);
            }
            Measure::GrpcSentMessages | Measure::GrpcReceivedMessages => {
                unknown.insert(Protocol::Grpc);
            }
            Measure::Requests
            | Measure::LatencySum
            | Measure::LatencyCount
            | Measure::LatencyQuantile(_) => {
                if request.http == HttpTraffic::Requests {
                    unknown.insert(Protocol::Http);
                }
                if request.grpc == GrpcTraffic::Requests {
                    unknown.insert(Protocol::Grpc);
                }
            }
        }
    }
    unknown
}

fn ends<'a>(calls: &Calls<'a>) -> BTreeSet<NodeKey<'a>> {
    calls
        .keys()
        .flat_map(|(from, to, _)| [*from, *to])
        .collect()
}

/// Removes what carries nothing and is no longer there, until nothing changes. Only zero rates (idle edges) can be dead.
fn remove_dead<'a>(
    declared: &Declared<'_>,
    nodes: &mut BTreeMap<NodeKey<'a>, NodeTally<'a>>,
    calls: &mut Calls<'a>,
) {
    let alive: BTreeSet<NodeKey<'a>> = calls
        .iter()
        .filter(|(_, call)| call.shown.rate > 0.0)
        .flat_map(|((from, to, _), _)| [*from, *to])
        .collect();
    loop {
        let before = nodes.len();
        let connected = ends(calls);
        nodes.retain(|key, node| {
            alive.contains(key)
                || match key.kind() {
                    NodeKind::Unknown => false,
                    NodeKind::Service => key.is_egress_cluster() || connected.contains(key),
                    NodeKind::Workload | NodeKind::App => declared.may_exist(key, node),
                    NodeKind::Box => true,
                }
        });
        calls.retain(|(from, to, _), _| nodes.contains_key(from) && nodes.contains_key(to));
        if nodes.len() == before {
            return;
        }
    }
}
