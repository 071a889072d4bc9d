//! The numbers of nodes and edges: totals, shares, latencies, health, and what is unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::badges::{Connections, badges};
use super::calls::{Call, Calls};
use super::clusters::Realms;
use super::findings;
use super::identity::NodeKey;
use super::latency::{Groupings, with_mean};
use super::rows::{Reporter, UNKNOWN};
use super::tally::{EdgeKey, Leaves, NodeTally};
use super::types::{
    CodeShare, Edge, EdgeLatency, GraphRequest, GrpcTraffic, Latency, MeshGraph, Node, NodeKind,
    Protocol, RateAndErrors, Traffic,
};
use crate::model::{Finding, Health, Thresholds};

/// What every number of a graph needs to know.
pub(super) struct Drawing<'a> {
    pub(super) thresholds: Thresholds,
    pub(super) request: &'a GraphRequest,
    pub(super) realms: &'a Realms<'a>,
}

/// Sums of one node, one direction, one protocol.
#[derive(Clone, Copy, Default)]
struct Flow {
    rate: f64,
    errors: f64,
    /// A part of it is missing.
    is_partial: bool,
}

/// Flows by node and protocol.
type Flows<'a> = BTreeMap<NodeKey<'a>, BTreeMap<Protocol, Flow>>;

impl Drawing<'_> {
    pub(super) fn draw<'a>(
        &self,
        groupings: &Groupings<'a>,
        tallies: &BTreeMap<NodeKey<'a>, NodeTally<'a>>,
        calls: &Calls<'a>,
        mut findings: Vec<Finding>,
    ) -> MeshGraph {
        let (mut incoming, mut outgoing) = (Flows::new(), Flows::new());
        for ((from, to, protocol), call) in calls {
            for (flows, node) in [(&mut outgoing, from), (&mut incoming, to)] {
                let flow = flows
                    .entry(*node)
                    .or_default()
                    .entry(*protocol)
                    .or_default();
                flow.rate += call.shown.rate;
                flow.errors += call.shown.errors;
                flow.is_partial |= call.shown.is_partial;
            }
        }
        let mut nodes = self.nodes(groupings, tallies, &incoming, &outgoing);
        let quantiles = edge_quantiles(groupings, calls);
        let none = BTreeMap::new();
        let mut edges = Vec::with_capacity(calls.len());
        for (key, call) in calls {
            let sent = outgoing.get(&key.0).and_then(|flows| flows.get(&key.2));
            let mut sent = sent.copied().unwrap_or_default();
            sent.is_partial |= self.realms.unknown(&key.0.cluster).contains(&key.2);
            let by_side = quantiles.get(key).unwrap_or(&none);
            let edge = self.edge(key, call, sent, by_side);
            if edge.traffic.rate.is_some() && self.has_errors(key.2) {
                let (id, protocol) = (&edge.id, key.2);
                findings.extend(findings::disagreement(self.thresholds, id, protocol, call));
            }
            edges.push(edge);
        }
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        edges.sort_by(|a, b| a.id.cmp(&b.id));
        findings.sort();
        MeshGraph {
            request: self.request.clone(),
            nodes,
            edges,
            findings,
        }
    }

    fn nodes<'a>(
        &self,
        groupings: &Groupings<'a>,
        tallies: &BTreeMap<NodeKey<'a>, NodeTally<'a>>,
        incoming: &Flows<'a>,
        outgoing: &Flows<'a>,
    ) -> Vec<Node> {
        // A service and the workload behind it lie in the same group, so each kind is matched for itself.
        let of_kind = |services: bool| {
            let nodes = tallies.iter();
            let groups = nodes
                .filter(|(key, _)| (key.kind() == NodeKind::Service) == services)
                .map(|(key, node)| (*key, &node.groups))
                .collect();
            groupings.exact(&groups)
        };
        let (services, others) = (of_kind(true), of_kind(false));
        let none = BTreeMap::new();
        tallies
            .iter()
            .map(|(key, tally)| {
                let latency = node_latency(tally, services.get(key).or_else(|| others.get(key)));
                let unknown = self.realms.unknown(&key.cluster);
                let traffic =
                    |flows: &Flows<'a>| self.traffic(flows.get(key).unwrap_or(&none), unknown);
                let (incoming, outgoing) = (traffic(incoming), traffic(outgoing));
                self.node(key, tally, latency, incoming, outgoing)
            })
            .collect()
    }

    fn node(
        &self,
        key: &NodeKey<'_>,
        tally: &NodeTally<'_>,
        latency: Latency,
        incoming: Traffic,
        outgoing: Traffic,
    ) -> Node {
        let health = self.health(&incoming, &outgoing);
        let health = self.thresholds.with_latency(health, latency.p95);
        let unknown = self.realms.unknown(&key.cluster);
        let is_used = |traffic: &Traffic, protocol: &Protocol| {
            traffic.contains_key(protocol) && !unknown.contains(protocol)
        };
        let connections = Connections {
            is_called: incoming.keys().any(|protocol| is_used(&incoming, protocol)),
            calls: outgoing.keys().any(|protocol| is_used(&outgoing, protocol)),
            is_idle: health == Health::Idle,
        };
        let badges = badges(
            self.request,
            self.realms.declared(&key.cluster),
            key,
            tally,
            connections,
        );
        let text = |value: Option<&str>| value.map(str::to_owned);
        let nobody = (key.kind() == NodeKind::Unknown).then_some(UNKNOWN);
        Node {
            id: key.id(),
            kind: key.kind(),
            cluster: key.cluster.name.to_owned(),
            context: text(
                self.realms
                    .of_cluster(&key.cluster)
                    .and_then(|realm| realm.context),
            ),
            namespace: key.namespace.to_owned(),
            workload: text(tally.workload.or(nobody)),
            app: text(tally.app.or(nobody)),
            version: text(tally.version.or(nobody)),
            service: text(key.service()),
            incoming,
            outgoing,
            latency,
            health,
            badges,
        }
    }

    fn edge(
        &self,
        key: &EdgeKey<'_>,
        call: &Call<'_>,
        sent: Flow,
        quantiles: &BTreeMap<Reporter, Latency>,
    ) -> Edge {
        let (source, target, protocol) = (key.0.id(), key.1.id(), key.2);
        // What a service node passes on is the sum of all callers: only the callees' own server has them all.
        let is_whole = match call.leaves {
            Leaves::Caller => true,
            Leaves::Service => !self.realms.unknown(&key.1.cluster).contains(&protocol),
        };
        let known = is_whole && !call.shown.is_partial;
        let rate = call.shown.rate;
        let flow = Flow {
            rate,
            errors: call.shown.errors,
            is_partial: !known,
        };
        let traffic = self.rate_and_errors(protocol, flow);
        let all_known = known && !sent.is_partial;
        let share = (all_known && protocol != Protocol::Tcp && sent.rate > 0.0)
            .then(|| (rate / sent.rate).min(1.0));
        let callee = quantiles
            .get(&Reporter::Destination)
            .or_else(|| quantiles.get(&Reporter::Waypoint));
        let latency = EdgeLatency {
            caller: with_mean(quantiles.get(&Reporter::Source), call.caller_latency.mean()),
            callee: with_mean(callee, call.callee_latency.mean()),
        };
        let health = self.thresholds.judge(traffic.rate, traffic.error_ratio);
        // What the caller waits for counts; where it does not say, what the callee takes.
        let p95 = latency.caller.p95.or(latency.callee.p95);
        Edge {
            id: format!("{source}>{target}:{}", name(protocol)),
            source,
            target,
            protocol,
            codes: if known { codes(call) } else { Vec::new() },
            latency,
            mtls_ratio: (known && call.policy_known > 0.0)
                .then(|| (call.mutual_tls / call.policy_known).min(1.0)),
            share_of_source: share,
            health: self.thresholds.with_latency(health, p95),
            traffic,
        }
    }

    fn traffic(&self, flows: &BTreeMap<Protocol, Flow>, unknown: &BTreeSet<Protocol>) -> Traffic {
        let unknown = unknown
            .iter()
            .map(|&protocol| (protocol, RateAndErrors::default()));
        flows
            .iter()
            .map(|(&protocol, &flow)| (protocol, self.rate_and_errors(protocol, flow)))
            .chain(unknown)
            .collect()
    }

    fn rate_and_errors(&self, protocol: Protocol, flow: Flow) -> RateAndErrors {
        if flow.is_partial {
            return RateAndErrors::default();
        }
        let counted = self.has_errors(protocol) && flow.rate > 0.0;
        RateAndErrors {
            rate: Some(flow.rate),
            error_ratio: counted.then(|| (flow.errors / flow.rate).min(1.0)),
        }
    }

    /// Bytes and messages have no errors, only requests do.
    fn has_errors(&self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Http => true,
            Protocol::Grpc => self.request.grpc == GrpcTraffic::Requests,
            Protocol::Tcp => false,
        }
    }

    /// A node does as well as what it serves; one that nobody calls, as well as what it asks for.
    fn health(&self, incoming: &Traffic, outgoing: &Traffic) -> Health {
        let worst = |traffic: &Traffic| {
            let of = |t: &RateAndErrors| self.thresholds.judge(t.rate, t.error_ratio);
            traffic.values().map(of).filter(|h| *h > Health::Idle).max()
        };
        let is_unknown = || {
            let both = incoming.values().chain(outgoing.values());
            both.into_iter().any(|traffic| traffic.rate.is_none())
        };
        match worst(incoming).or_else(|| worst(outgoing)) {
            Some(health) => health,
            None if is_unknown() => Health::Unknown,
            None => Health::Idle,
        }
    }
}

/// Quantiles of edges; those behind service nodes lie in other groupings than those in front.
fn edge_quantiles<'a>(
    groupings: &Groupings<'a>,
    calls: &Calls<'a>,
) -> BTreeMap<EdgeKey<'a>, BTreeMap<Reporter, Latency>> {
    let of = |leaves: Leaves| {
        let groups = calls
            .iter()
            .filter(|(_, call)| call.leaves == leaves)
            .map(|(key, call)| (*key, &call.groups))
            .collect();
        groupings.exact(&groups)
    };
    let mut quantiles = of(Leaves::Caller);
    quantiles.extend(of(Leaves::Service));
    quantiles
}

/// The node's latency by its own proxy, or by the waypoint before it.
fn node_latency(tally: &NodeTally<'_>, quantiles: Option<&BTreeMap<Reporter, Latency>>) -> Latency {
    let own = [Reporter::Destination, Reporter::Waypoint];
    let mean = own
        .iter()
        .find_map(|reporter| tally.latency.get(reporter)?.mean());
    let measured = own.iter().find_map(|reporter| quantiles?.get(reporter));
    with_mean(measured, mean)
}

/// Shares of response codes, the most frequent first.
fn codes(call: &Call<'_>) -> Vec<CodeShare> {
    let total = call.shown.rate;
    if total <= 0.0 {
        return Vec::new();
    }
    let mut codes: Vec<CodeShare> = call
        .shown
        .codes
        .iter()
        .map(|((code, flags), rate)| CodeShare {
            code: (*code).to_owned(),
            flags: (*flags).to_owned(),
            ratio: (rate / total).min(1.0),
        })
        .collect();
    // Stable: equals stay in the order of code and flags.
    codes.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    codes
}

const fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "http",
        Protocol::Grpc => "grpc",
        Protocol::Tcp => "tcp",
    }
}
