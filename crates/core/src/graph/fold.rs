//! Folds answers and objects into the graph: the order of the steps.
//!
//! Rows are sorted before anything is summed, so equal data give equal bits whatever the order of rows and answers.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{Call, Calls, reduce_to_services};
use super::clusters::{ClusterPart, Realms, Server};
use super::draw::Drawing;
use super::findings;
use super::fingerprint::fingerprint;
use super::identity::NodeKey;
use super::latency::Groupings;
use super::queries::{plan, traffic_measures};
use super::rows::{Dropped, read};
use super::tally::{NodeTally, Tally};
use super::types::{FetchedRows, GraphRequest, GraphType, MeshGraph, NodeKind};
use crate::model::{Finding, Object};
use crate::ports::{Measure, MetricRow};

#[cfg(test)]
mod tests;

/// Labels that name clusters.
const CLUSTERS: [&str; 2] = ["source_cluster", "destination_cluster"];
/// Share by which two tellings of one rate may differ: two servers are asked, and scrape, some seconds apart.
const TOLERANCE: f64 = 0.1;

/// The graph that these answers and objects show, judged by the usual thresholds.
///
/// Never fails: what is missing is `None` and named in a finding. While a query for traffic has no answer, the declared
/// nodes of the chosen namespaces are drawn whether or not idle nodes are asked for, since nobody knows which are idle.
#[must_use]
pub fn fold(request: &GraphRequest, fetched: &FetchedRows, objects: &[Object]) -> MeshGraph {
    draw(request, &Realms::alone(request, fetched, objects))
}

/// The graph of several clusters as one: what [`fold`] would draw if one server had all rows.
///
/// - A call between two clusters is one edge with one report, though the caller's proxy told one server of it and the
///   callee's the other. Rows that several servers tell, all labels equal, are one series and count once.
/// - Objects of a context bear on the nodes of its cluster alone.
/// - What one cluster's server did not tell is unknown there; its calls with others are known by the others' account.
/// - Clusters with equal ids are kept apart, each server's rows meaning its own, and a finding says what that hides.
#[must_use]
pub fn fold_clusters(request: &GraphRequest, parts: &[ClusterPart<'_>]) -> MeshGraph {
    draw(request, &Realms::of(request, parts))
}

fn draw(request: &GraphRequest, realms: &Realms<'_>) -> MeshGraph {
    let groupings = Groupings::collect(&realms.servers);
    let mut findings = realms.findings.clone();
    findings.extend(findings::left_out(&plan(request)));
    for server in &realms.servers {
        findings.extend(findings::failed_queries(
            several(realms, server),
            server.rows,
        ));
    }
    let (tally, unusable) = tally(request, realms, &groupings);
    findings.extend(unusable);
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
    remove_dead(realms, &mut nodes, &mut calls);
    for realm in &realms.realms {
        if request.idle_nodes || !realm.unknown.is_empty() {
            realm.declared.add_missing(request, realm.key, &mut nodes);
        }
    }
    let drawing = Drawing {
        thresholds: request.thresholds,
        request,
        realms,
    };
    drawing.draw(&groupings, &nodes, &calls, findings)
}

/// The context to name in findings about a server, if there are several.
fn several<'a>(realms: &Realms<'_>, server: &Server<'a>) -> Option<&'a str> {
    server.context.filter(|_| realms.servers.len() > 1)
}

/// Sums up all rows of all answers, in one fixed order; with findings about rows that could not be used.
fn tally<'a>(
    request: &GraphRequest,
    realms: &'a Realms<'a>,
    groupings: &Groupings<'a>,
) -> (Tally<'a>, Vec<Finding>) {
    let mut tally = Tally::default();
    let mut dropped: BTreeMap<(Option<&str>, Dropped), usize> = BTreeMap::new();
    let mut repeated = Repeated::default();
    for measure in traffic_measures(request) {
        for (server, row) in rows(realms, measure, &mut repeated) {
            match read(request, measure, server, row) {
                Ok(report) => {
                    tally.add(request, realms, groupings, &report);
                }
                Err(reason) => {
                    let key = (several(realms, server), reason);
                    *dropped.entry(key).or_default() += 1;
                }
            }
        }
    }
    // A sum without its count, or a count without its sum, is no mean.
    let latency = [Measure::LatencySum, Measure::LatencyCount];
    for measure in latency {
        for (server, row) in rows(realms, measure, &mut Repeated::default()) {
            if !latency.iter().all(|&both| server.is_answered(both)) {
                continue;
            }
            if let Ok(report) = read(request, measure, server, row) {
                tally.add_latency(request, realms, measure, &report);
            }
        }
    }
    let mut said: Vec<Finding> = dropped
        .into_iter()
        .filter_map(|((context, reason), n)| findings::unusable_rows(context, reason, n))
        .collect();
    said.extend(findings::repeated(&repeated));
    (tally, said)
}

/// A row with its place in the one order.
struct Placed<'a> {
    print: u64,
    scope: Option<&'a str>,
    server: &'a Server<'a>,
    row: &'a MetricRow,
}

/// Rows of one measure from all answers, in one fixed order. Of rows with equal labels (from overlapping queries, or told
/// by several servers) one that is whole, and of those the largest.
fn rows<'a>(
    realms: &'a Realms<'a>,
    measure: Measure,
    repeated: &mut Repeated<'a>,
) -> Vec<(&'a Server<'a>, &'a MetricRow)> {
    let answers = realms.servers.iter().flat_map(|server| {
        let answers = server.rows.answers.iter();
        answers.map(move |(query, answer)| (server, query, answer))
    });
    let mut rows: Vec<Placed<'a>> = answers
        .filter(|(_, query, _)| query.measure == measure)
        .filter_map(|(server, _, answer)| Some((server, answer.as_ref().ok()?)))
        .flat_map(|(server, rows)| rows.iter().map(move |row| (server, row)))
        .map(|(server, row)| Placed {
            print: fingerprint(&row.labels),
            scope: server.scope(&row.labels, CLUSTERS.into_iter()),
            server,
            row,
        })
        .collect();
    rows.sort_unstable_by(|a, b| {
        let by_labels = a.print.cmp(&b.print);
        let by_labels = by_labels.then_with(|| a.row.labels.cmp(&b.row.labels));
        let is_partial = |placed: &Placed<'_>| !placed.server.unknown.is_empty();
        by_labels
            .then_with(|| a.scope.cmp(&b.scope))
            .then_with(|| is_partial(a).cmp(&is_partial(b)))
            .then_with(|| b.row.value.total_cmp(&a.row.value))
            .then_with(|| a.server.context.cmp(&b.server.context))
    });
    rows.dedup_by(|again, kept| {
        let is_same = again.print == kept.print
            && again.scope == kept.scope
            && again.row.labels == kept.row.labels;
        if is_same {
            repeated.note(again, kept);
        }
        is_same
    });
    rows.into_iter()
        .map(|placed| (placed.server, placed.row))
        .collect()
}

/// Rows that several servers told.
#[derive(Debug, Default)]
pub(super) struct Repeated<'a> {
    pub(super) contexts: BTreeSet<&'a str>,
    pub(super) n_rows: usize,
    /// Of these, those whose values differ by more than the seconds between two questions explain.
    pub(super) n_differing: usize,
}

impl<'a> Repeated<'a> {
    fn note(&mut self, again: &Placed<'a>, kept: &Placed<'a>) {
        let (Some(one), Some(other)) = (again.server.context, kept.server.context) else {
            return;
        };
        if one == other {
            return;
        }
        self.contexts.extend([one, other]);
        self.n_rows += 1;
        let (a, b) = (again.row.value, kept.row.value);
        if (a - b).abs() > TOLERANCE * a.abs().max(b.abs()) {
            self.n_differing += 1;
        }
    }
}

fn ends<'a>(calls: &Calls<'a>) -> BTreeSet<NodeKey<'a>> {
    calls
        .keys()
        .flat_map(|(from, to, _)| [*from, *to])
        .collect()
}

/// Removes what carries nothing and is no longer there, until nothing changes. Only zero rates (idle edges) can be dead,
/// and nobody of whom something is unknown.
fn remove_dead<'a>(
    realms: &Realms<'_>,
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
                || !realms.unknown(&key.cluster).is_empty()
                || match key.kind() {
                    NodeKind::Unknown => false,
                    NodeKind::Service => key.is_egress_cluster() || connected.contains(key),
                    NodeKind::Workload | NodeKind::App => {
                        realms.declared(&key.cluster).may_exist(key, node)
                    }
                    NodeKind::Box => true,
                }
        });
        calls.retain(|(from, to, _), _| nodes.contains_key(from) && nodes.contains_key(to));
        if nodes.len() == before {
            return;
        }
    }
}
