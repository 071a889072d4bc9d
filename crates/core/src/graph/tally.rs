//! Adds reports up: per edge and reporting proxy first, then one report per edge.
//!
//! Both proxies report the same call. Their reports are kept apart and never mixed: an edge that leaves a caller shows
//! the caller's, one that leaves a service node the callee's, and the other one only where that is missing
//! ([`EdgeTally::choose`]). Rows must come in one fixed order (see `fold.rs`), because sums of floats depend on it.

use std::collections::{BTreeMap, BTreeSet};

use super::clusters::Realms;
use super::identity::{NodeKey, identify, service_between};
use super::latency::{GroupKey, Groupings};
use super::queries::has_service_nodes;
use super::rows::{Peer, Report, Reporter, is_known};
use super::types::{GraphRequest, GraphType, NodeKind, Protocol};
use crate::ports::Measure;

/// Identity of an edge.
pub(super) type EdgeKey<'a> = (NodeKey<'a>, NodeKey<'a>, Protocol);

/// All reports, by node and edge.
#[derive(Debug, Default)]
pub(super) struct Tally<'a> {
    pub(super) nodes: BTreeMap<NodeKey<'a>, NodeTally<'a>>,
    pub(super) edges: BTreeMap<EdgeKey<'a>, EdgeTally<'a>>,
}

/// What rows tell about a node beside its identity.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeTally<'a> {
    pub(super) workload: Option<&'a str>,
    pub(super) app: Option<&'a str>,
    pub(super) version: Option<&'a str>,
    /// Services (namespace, name) through which it was called.
    pub(super) services: BTreeSet<(&'a str, &'a str)>,
    /// Its own latencies by who measured them.
    pub(super) latency: BTreeMap<Reporter, LatencySum>,
    /// Groups of callee quantiles in which it is.
    pub(super) groups: BTreeSet<GroupKey<'a>>,
}

/// Milliseconds per second, and calls per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct LatencySum {
    pub(super) millis: f64,
    pub(super) count: f64,
}

impl LatencySum {
    pub(super) fn add(&mut self, other: Self) {
        self.millis += other.millis;
        self.count += other.count;
    }

    /// Milliseconds per call; `None` without calls.
    pub(super) fn mean(self) -> Option<f64> {
        (self.count > 0.0).then(|| self.millis / self.count)
    }
}

/// Reports of one proxy about one edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums<'a> {
    pub(super) rate: f64,
    pub(super) errors: f64,
    /// Rate by (code, flags).
    pub(super) codes: BTreeMap<(&'a str, &'a str), f64>,
    /// Rate known to be over mutual TLS.
    pub(super) mutual_tls: f64,
    /// Rate of which it is known whether it is.
    pub(super) policy_known: f64,
    pub(super) latency: LatencySum,
    /// A part of what was asked is missing: the sums are not the rates.
    pub(super) is_partial: bool,
}

impl<'a> Sums<'a> {
    pub(super) fn add(&mut self, other: &Sums<'a>) {
        self.is_partial |= other.is_partial;
        self.rate += other.rate;
        self.errors += other.errors;
        for (code, rate) in &other.codes {
            *self.codes.entry(*code).or_default() += rate;
        }
        self.mutual_tls += other.mutual_tls;
        self.policy_known += other.policy_known;
        self.latency.add(other.latency);
    }
}

/// Whose report an edge shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Leaves {
    /// Its source is the caller.
    #[default]
    Caller,
    /// Its source is the service node in front of the callee.
    Service,
}

/// Reports about one edge.
#[derive(Clone, Debug, Default)]
pub(super) struct EdgeTally<'a> {
    pub(super) leaves: Leaves,
    pub(super) reports: BTreeMap<Reporter, Sums<'a>>,
    pub(super) groups: BTreeSet<GroupKey<'a>>,
}

impl<'a> EdgeTally<'a> {
    /// The one report that the edge shows: of the preferred proxy if it saw traffic, else of the next that did. A whole
    /// report goes before one of which a part is missing, since proxies in two clusters report to two servers.
    pub(super) fn choose(&self) -> Option<&Sums<'a>> {
        let order = match self.leaves {
            Leaves::Caller => [Reporter::Source, Reporter::Waypoint, Reporter::Destination],
            Leaves::Service => [Reporter::Destination, Reporter::Waypoint, Reporter::Source],
        };
        let reports = || {
            order
                .iter()
                .filter_map(|reporter| self.reports.get(reporter))
        };
        reports()
            .find(|sums| sums.rate > 0.0 && !sums.is_partial)
            .or_else(|| reports().find(|sums| sums.rate > 0.0))
            .or_else(|| reports().next())
    }
}

impl<'a> Tally<'a> {
    /// Adds the row of a counter that makes nodes and edges. `false` if the row names nobody.
    pub(super) fn add(
        &mut self,
        request: &GraphRequest,
        realms: &Realms<'_>,
        groupings: &Groupings<'a>,
        report: &Report<'a>,
    ) -> bool {
        let Some(path) = Path::of(request, realms, report) else {
            return false;
        };
        self.touch(request.graph_type, path.source, &report.source);
        let called = self.touch(request.graph_type, path.target, &report.target);
        if is_known(report.target.service) {
            called
                .services
                .insert((report.target.service_namespace, report.target.service));
        }
        if report.value > 0.0 {
            called.groups.extend(groupings.of_callee(report));
        }
        if let Some(service) = path.service {
            let node = self.touch(request.graph_type, service, &report.target);
            if report.value > 0.0 {
                node.groups.extend(groupings.of_callee(report));
            }
        }
        for (from, to, leaves) in path.hops() {
            let edge = self
                .edges
                .entry((from, to, report.protocol))
                .or_insert_with(|| EdgeTally {
                    leaves,
                    ..EdgeTally::default()
                });
            let sums = edge.reports.entry(report.reporter).or_default();
            sums.is_partial |= report.is_partial();
            sums.rate += report.value;
            if report.error {
                sums.errors += report.value;
            }
            *sums.codes.entry((report.code, report.flags)).or_default() += report.value;
            if let Some(mutual) = report.mutual_tls {
                sums.policy_known += report.value;
                sums.mutual_tls += if mutual { report.value } else { 0.0 };
            }
            if report.value > 0.0 {
                match leaves {
                    Leaves::Caller => edge.groups.extend(groupings.of_caller(report)),
                    Leaves::Service => edge.groups.extend(groupings.of_callee(report)),
                }
            }
        }
        true
    }

    /// Adds a row of the latency sum or count. Latency describes edges that the counters made; it makes none.
    pub(super) fn add_latency(
        &mut self,
        request: &GraphRequest,
        realms: &Realms<'_>,
        measure: Measure,
        report: &Report<'a>,
    ) {
        let Some(path) = Path::of(request, realms, report) else {
            return;
        };
        let (millis, count) = if measure == Measure::LatencySum {
            (report.value, 0.0)
        } else {
            (0.0, report.value)
        };
        let added = LatencySum { millis, count };
        for callee in std::iter::once(path.target).chain(path.service) {
            if let Some(node) = self.nodes.get_mut(&callee) {
                node.latency.entry(report.reporter).or_default().add(added);
            }
        }
        for (from, to, _) in path.hops() {
            let edge = self.edges.get_mut(&(from, to, report.protocol));
            if let Some(sums) = edge.and_then(|edge| edge.reports.get_mut(&report.reporter)) {
                sums.latency.add(added);
            }
        }
    }

    /// The node's entry, with what this row knows about it. Where rows disagree, the first in the alphabet: the choice must
    /// not hang on the order of rows.
    fn touch(
        &mut self,
        graph_type: GraphType,
        key: NodeKey<'a>,
        peer: &Peer<'a>,
    ) -> &mut NodeTally<'a> {
        let node = self.nodes.entry(key).or_default();
        let keep = |slot: &mut Option<&'a str>, value: &'a str| {
            if is_known(value) && slot.is_none_or(|kept| value < kept) {
                *slot = Some(value);
            }
        };
        match key.kind() {
            NodeKind::Workload => {
                keep(&mut node.workload, peer.workload);
                keep(&mut node.app, peer.app);
                keep(&mut node.version, peer.version);
            }
            NodeKind::App => {
                keep(&mut node.app, peer.app);
                if graph_type == GraphType::VersionedApp {
                    keep(&mut node.workload, peer.workload);
                    keep(&mut node.version, peer.version);
                }
            }
            NodeKind::Service | NodeKind::Unknown | NodeKind::Box => {}
        }
        node
    }
}

/// The nodes that one report runs through.
///
/// A call through a waypoint is reported to it and from it, both times in the name of the service. With a service node in
/// both, the service would call itself by way of the waypoint. So there is none, except in a graph of services, which
/// draws the way to the service from the first report and the way on from the second.
struct Path<'a> {
    source: NodeKey<'a>,
    service: Option<NodeKey<'a>>,
    target: NodeKey<'a>,
    from_waypoint: bool,
    to_waypoint: bool,
}

impl<'a> Path<'a> {
    fn of(request: &GraphRequest, realms: &Realms<'_>, report: &Report<'a>) -> Option<Self> {
        let from_waypoint = realms.is_waypoint(&report.source);
        let to_waypoint = realms.is_waypoint(&report.target);
        let source = identify(request.graph_type, from_waypoint, &report.source)?;
        let target = identify(request.graph_type, to_waypoint, &report.target)?;
        let has_service = if from_waypoint || to_waypoint {
            request.graph_type == GraphType::Service
        } else {
            has_service_nodes(request)
        };
        Some(Self {
            source,
            service: service_between(has_service, &report.target, &target),
            target,
            from_waypoint,
            to_waypoint,
        })
    }

    fn hops(&self) -> impl Iterator<Item = (NodeKey<'a>, NodeKey<'a>, Leaves)> + use<'a> {
        let (source, service, target) = (self.source, self.service, self.target);
        let first = (source, service.unwrap_or(target), Leaves::Caller);
        let second = service.map(|service| (service, target, Leaves::Service));
        let (begins, goes_on) = match service {
            Some(_) => (!self.from_waypoint, !self.to_waypoint),
            None => (true, false),
        };
        let first = begins.then_some(first);
        first.into_iter().chain(second.filter(|_| goes_on))
    }
}
