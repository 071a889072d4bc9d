//! From world and objects to rates: who calls whom how often, with what outcomes and latencies, in each regime.
//!
//! Three walks over the calls: first attempts downwards (load of each version), failures and latencies upwards (a request
//! fails if its server or a call that it needs fails), then what is really sent downwards again, retries included. The last
//! one writes the rows. Base rates only; [`crate::rhythm`] says how long each regime lasts and how traffic swings in it.

use std::collections::BTreeMap;

use pilothouse_core::model::Object;

use crate::attempts::{Attempts, Served, attempts};
use crate::flow::{Flag, FlowKey, Outcome};
use crate::latency::{Buckets, Latency, Moments};
use crate::rhythm::{CALM, REGIMES};
use crate::routing::{Branch, End, Plans};
use crate::world::{Call, Operation, Place, Protocol, Workload, World, own_work};

/// What a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Requests,
    RequestMessages,
    ResponseMessages,
    /// Bytes that the client sent.
    SentBytes,
    /// Bytes that the client received.
    ReceivedBytes,
}

/// Number of families.
pub(crate) const FAMILIES: usize = 5;

/// Part of a row's rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) regime: usize,
    /// Per second, at a swing of 1.
    pub(crate) rate: f64,
    /// Index into [`Solved::latencies`]; meaningful for requests only.
    pub(crate) latency: usize,
}

/// Rates below this (once in a day) make no row.
const SMALLEST_RATE: f64 = 1e-5;

/// A row of metrics.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) key: FlowKey,
    pub(crate) parts: Vec<Part>,
}

/// A latency with what is asked of it over and over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownLatency {
    pub(crate) mean: f64,
    pub(crate) buckets: Buckets,
}

/// State of one version serving one operation, in one regime.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeState {
    /// Share of requests that fail by themselves.
    pub(crate) errors: f64,
    /// Factor on own work.
    pub(crate) slowdown: f64,
}

/// The traffic of one state of the objects.
#[derive(Debug)]
pub(crate) struct Solved {
    pub(crate) plans: Plans,
    /// By regime, then node.
    pub(crate) states: Vec<Vec<NodeState>>,
    /// By family, each sorted by key.
    pub(crate) rows: [Vec<Row>; FAMILIES],
    pub(crate) latencies: Vec<KnownLatency>,
}

impl Solved {
    pub(crate) fn new(world: &World, objects: &[Object]) -> Self {
        let plans = Plans::new(world, objects);
        let mut ledger = Ledger::default();
        let mut states = Vec::with_capacity(REGIMES);
        for regime in CALM..REGIMES {
            let solver = Solver {
                world,
                plans: &plans,
                regime,
            };
            let load = solver.first_attempts();
            let nodes = solver.states(&load);
            let served = solver.served(&nodes);
            solver.write_rows(&served, &mut ledger);
            states.push(nodes);
        }
        let rows = ledger.rows.map(|rows| {
            let rows = rows.into_iter().map(|(key, parts)| Row { key, parts });
            rows.collect()
        });
        Self {
            plans,
            states,
            rows,
            latencies: ledger.latencies,
        }
    }
}

/// Rows in the making.
#[derive(Debug, Default)]
struct Ledger {
    rows: [BTreeMap<FlowKey, Vec<Part>>; FAMILIES],
    latencies: Vec<KnownLatency>,
    index: BTreeMap<[u64; 4], usize>,
}

impl Ledger {
    fn add(&mut self, family: Family, key: FlowKey, regime: usize, rate: f64, latency: usize) {
        if rate > SMALLEST_RATE {
            let part = Part {
                regime,
                rate,
                latency,
            };
            self.rows[family as usize]
                .entry(key)
                .or_default()
                .push(part);
        }
    }

    fn latency(&mut self, latency: Latency) -> usize {
        let Self {
            latencies, index, ..
        } = self;
        *index.entry(latency.key()).or_insert_with(|| {
            latencies.push(KnownLatency {
                mean: latency.mean(),
                buckets: latency.buckets(),
            });
            latencies.len() - 1
        })
    }
}

struct Solver<'a> {
    world: &'a World,
    plans: &'a Plans,
    regime: usize,
}

impl<'a> Solver<'a> {
    /// Every version of every operation: callers before callees.
    fn nodes_downwards(&self) -> impl Iterator<Item = (&'a Operation, usize, &'a Workload, usize)> {
        let world = self.world;
        world.operations.iter().rev().flat_map(move |operation| {
            let app = &world.apps[operation.app];
            app.workloads
                .iter()
                .enumerate()
                .map(move |(position, workload)| {
                    let node = operation.first_node + position;
                    (operation, node, &world.workloads[*workload], *workload)
                })
        })
    }

    /// Requests per second that enter from outside, by node; the gateway's versions share by replicas.
    fn entering(&self) -> Vec<f64> {
        let mut rates = vec![0.0; self.world.nodes];
        for entry in &self.world.entries {
            let app = self.world.app_of(entry.operation);
            let replicas = |w: &usize| f64::from(self.world.workloads[*w].replicas);
            let total: f64 = app.workloads.iter().map(replicas).sum();
            for (position, workload) in app.workloads.iter().enumerate() {
                let share = replicas(workload) / total.max(1.0);
                rates[self.world.node(entry.operation, position)] += entry.rate * share;
            }
        }
        rates
    }

    /// Requests per second at each node if nobody tried twice.
    fn first_attempts(&self) -> Vec<f64> {
        let mut rates = self.entering();
        for (operation, node, workload, _) in self.nodes_downwards() {
            for call in made(operation, workload) {
                let rate = rates[node] * call.probability;
                for branch in &self.plans.of(call).branches {
                    for (target, share) in targets(branch) {
                        let node = self.world.node(call.to, self.world.position(target));
                        rates[node] += rate * branch.share * share;
                    }
                }
            }
        }
        rates
    }

    /// How each node does under its version's load.
    fn states(&self, rates: &[f64]) -> Vec<NodeState> {
        let mut load = vec![0.0; self.world.workloads.len()];
        for (_, node, _, workload) in self.nodes_downwards() {
            load[workload] += rates[node];
        }
        let mut states = vec![NodeState::default(); self.world.nodes];
        for (_, node, workload, index) in self.nodes_downwards() {
            let character = &workload.character;
            let (mut errors, mut slowdown) = (character.errors, 1.0);
            if let Some(strain) = character.strain {
                let load = load[index] / strain.capacity;
                errors += strain.errors * load;
                slowdown += strain.slowdown * load;
            }
            if let Some(burst) = character.burst.filter(|b| b.schedule + 1 == self.regime) {
                errors += burst.errors;
                slowdown *= burst.slowdown;
            }
            states[node] = NodeState {
                errors: errors.min(1.0),
                slowdown,
            };
        }
        states
    }

    /// Failures and latencies of each node, callees first.
    fn served(&self, states: &[NodeState]) -> Vec<Served> {
        let mut served = vec![Served::default(); self.world.nodes];
        let upwards: Vec<_> = self.nodes_downwards().collect();
        for (operation, node, workload, _) in upwards.into_iter().rev() {
            let state = states[node];
            let mut fine = 1.0 - state.errors;
            let mut time = own_work(&workload.character, operation.effort, state.slowdown);
            for call in made(operation, workload) {
                let mut failing = 0.0;
                let (mut mean, mut square) = (0.0, 0.0);
                for (branch, part) in self.parts(call, &served) {
                    failing += part.share * part.attempts.failing();
                    let felt = part.attempts.felt_by_caller(branch);
                    mean += part.share * felt.mean;
                    square += part.share * felt.mean.mul_add(felt.mean, felt.variance);
                }
                let felt = Moments {
                    mean,
                    variance: (square - mean * mean).max(0.0),
                };
                fine *= 1.0 - call.probability * call.critical * failing;
                time = time.then(felt.sometimes(call.probability));
            }
            served[node] = Served {
                failing: 1.0 - fine,
                time,
            };
        }
        served
    }

    /// The ways of a call with what becomes of their requests. Shares add up to 1.
    fn parts<'b>(
        &'b self,
        call: &'b Call,
        served: &'b [Served],
    ) -> impl Iterator<Item = (&'b Branch, Way)> {
        let protocol = self.world.app_of(call.to).protocol;
        self.plans.of(call).branches.iter().flat_map(move |branch| {
            let answered = match &branch.end {
                End::Answer(outcome) => Some(Way {
                    share: branch.share,
                    to: None,
                    attempts: Attempts::answered(*outcome, branch),
                }),
                End::Reach(_) => None,
            };
            let reached = targets(branch).map(move |(target, share)| {
                let node = self.world.node(call.to, self.world.position(target));
                let error = self.error_of(target, protocol);
                Way {
                    share: branch.share * share,
                    to: Some(target),
                    attempts: attempts(branch, protocol, served[node], error),
                }
            });
            answered
                .into_iter()
                .chain(reached)
                .map(move |way| (branch, way))
        })
    }

    /// How a failing request of a version ends.
    fn error_of(&self, workload: usize, protocol: Protocol) -> Outcome {
        if protocol == Protocol::Grpc {
            Outcome::grpc(
                self.world.workloads[workload].character.grpc_error,
                Flag::None,
            )
        } else {
            Outcome::status(protocol, 500, Flag::None)
        }
    }

    fn write_rows(&self, served: &[Served], ledger: &mut Ledger) {
        let mut rates = self.entering();
        for (operation, node, workload, index) in self.nodes_downwards() {
            for call in made(operation, workload) {
                let rate = rates[node] * call.probability;
                for (branch, way) in self.parts(call, served) {
                    let sent = rate * way.share;
                    if let Some(to) = way.to {
                        let node = self.world.node(call.to, self.world.position(to));
                        rates[node] += sent * way.attempts.tries;
                    }
                    let flow = Flow {
                        from: index,
                        call,
                        branch,
                        way: &way,
                        sent,
                    };
                    self.write_flow(&flow, ledger);
                }
            }
        }
    }

    fn write_flow(&self, flow: &Flow<'_>, ledger: &mut Ledger) {
        let Flow {
            from,
            call,
            branch,
            way,
            sent,
        } = *flow;
        let asked = &self.world.operations[call.to];
        let app = &self.world.apps[asked.app];
        let inside = app.place == Place::Mesh;
        let key = FlowKey {
            seen_by_callee: false,
            from,
            service: branch.service,
            to: way.to.filter(|_| inside),
            outcome: None,
            plain_text: self.plans.of(call).plain_text,
        };
        let sides = [(false, sent), (true, sent * way.attempts.tries)];
        let reporting = sides
            .into_iter()
            .filter(|(callee, _)| !callee || (inside && way.to.is_some()));
        for (seen_by_callee, rate) in reporting {
            let key = FlowKey {
                seen_by_callee,
                ..key
            };
            if app.protocol == Protocol::Tcp {
                if way.to.is_some() {
                    let (sent, received) = asked.bytes;
                    ledger.add(Family::SentBytes, key, self.regime, rate * sent, 0);
                    ledger.add(Family::ReceivedBytes, key, self.regime, rate * received, 0);
                }
                continue;
            }
            if app.protocol == Protocol::Grpc && way.to.is_some() {
                let (requests, answers) = asked.messages;
                ledger.add(
                    Family::RequestMessages,
                    key,
                    self.regime,
                    rate * requests,
                    0,
                );
                ledger.add(
                    Family::ResponseMessages,
                    key,
                    self.regime,
                    rate * answers,
                    0,
                );
            }
            let not_found = way
                .to
                .map_or(0.0, |to| self.world.workloads[to].character.not_found);
            for (outcome, share, latency) in way.attempts.reported(seen_by_callee, not_found) {
                let latency = ledger.latency(latency);
                let key = FlowKey {
                    outcome: Some(outcome),
                    ..key
                };
                ledger.add(Family::Requests, key, self.regime, rate * share, latency);
            }
        }
    }
}

/// One way of a call.
struct Way {
    /// Of the call's requests.
    share: f64,
    to: Option<usize>,
    attempts: Attempts,
}

struct Flow<'a> {
    from: usize,
    call: &'a Call,
    branch: &'a Branch,
    way: &'a Way,
    /// Requests per second.
    sent: f64,
}

fn made<'a>(operation: &'a Operation, workload: &'a Workload) -> impl Iterator<Item = &'a Call> {
    let calls = operation.calls.iter();
    calls.filter(|call| call.made_by(&workload.version))
}

fn targets(branch: &Branch) -> impl Iterator<Item = (usize, f64)> {
    let targets = match &branch.end {
        End::Reach(targets) => targets.as_slice(),
        End::Answer(_) => &[],
    };
    targets.iter().copied()
}
