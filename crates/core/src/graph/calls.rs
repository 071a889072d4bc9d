//! Edges with one report chosen, and the reduction to a graph of services.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::NodeKey;
use super::latency::GroupKey;
use super::rows::Reporter;
use super::tally::{EdgeKey, EdgeTally, LatencySum, Leaves, Sums};
use super::types::NodeKind;

#[cfg(test)]
mod tests;

/// Edges by identity.
pub(super) type Calls<'a> = BTreeMap<EdgeKey<'a>, Call<'a>>;

/// What an edge shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) leaves: Leaves,
    /// The chosen report.
    pub(super) shown: Sums<'a>,
    /// Rate known to be over mutual TLS, and rate of which it is known. The caller's proxy never knows.
    pub(super) mutual_tls: f64,
    pub(super) policy_known: f64,
    pub(super) caller_latency: LatencySum,
    pub(super) callee_latency: LatencySum,
    pub(super) groups: BTreeSet<GroupKey<'a>>,
    /// What both sides said, where both did.
    pub(super) both: Option<BothSides<'a>>,
}

/// Rates and errors of one edge by the caller's and by the callee's account.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BothSides<'a> {
    pub(super) caller_rate: f64,
    pub(super) caller_errors: f64,
    /// The caller's rate by (code, flags); empty if it saw no errors.
    pub(super) caller_codes: BTreeMap<(&'a str, &'a str), f64>,
    pub(super) callee_rate: f64,
    pub(super) callee_errors: f64,
}

impl<'a> Call<'a> {
    pub(super) fn of(tally: EdgeTally<'a>) -> Self {
        let latency = |reporter: Reporter| {
            let sums = tally.reports.get(&reporter);
            sums.map(|sums| sums.latency)
                .filter(|latency| latency.count > 0.0)
        };
        let policy = [Reporter::Destination, Reporter::Waypoint, Reporter::Source]
            .iter()
            .filter_map(|reporter| tally.reports.get(reporter))
            .find(|sums| sums.policy_known > 0.0);
        let sides = (
            tally.reports.get(&Reporter::Source),
            tally.reports.get(&Reporter::Destination),
        );
        let both = match sides {
            (Some(caller), Some(callee))
                if caller.rate > 0.0
                    && callee.rate > 0.0
                    && !caller.is_partial
                    && !callee.is_partial =>
            {
                let codes = (caller.errors > 0.0).then(|| caller.codes.clone());
                Some(BothSides {
                    caller_rate: caller.rate,
                    caller_errors: caller.errors,
                    caller_codes: codes.unwrap_or_default(),
                    callee_rate: callee.rate,
                    callee_errors: callee.errors,
                })
            }
            _ => None,
        };
        Self {
            leaves: tally.leaves,
            shown: tally.choose().cloned().unwrap_or_default(),
            mutual_tls: policy.map_or(0.0, |sums| sums.mutual_tls),
            policy_known: policy.map_or(0.0, |sums| sums.policy_known),
            caller_latency: latency(Reporter::Source).unwrap_or_default(),
            callee_latency: latency(Reporter::Destination)
                .or_else(|| latency(Reporter::Waypoint))
                .unwrap_or_default(),
            groups: tally.groups,
            both,
        }
    }

    fn add(&mut self, other: &Call<'a>) {
        self.shown.add(&other.shown);
        self.mutual_tls += other.mutual_tls;
        self.policy_known += other.policy_known;
        self.caller_latency.add(other.caller_latency);
        self.callee_latency.add(other.callee_latency);
        self.groups.extend(other.groups.iter().cloned());
        if let Some(theirs) = &other.both {
            let ours = self.both.get_or_insert_default();
            ours.caller_rate += theirs.caller_rate;
            ours.caller_errors += theirs.caller_errors;
            for (code, rate) in &theirs.caller_codes {
                *ours.caller_codes.entry(*code).or_default() += rate;
            }
            ours.callee_rate += theirs.callee_rate;
            ours.callee_errors += theirs.callee_errors;
        }
    }
}

/// Folds workloads away: what remains are services and the callers that nobody calls. A service calls whatever the
/// workloads behind it call.
pub(super) fn reduce_to_services<'a>(calls: &Calls<'a>) -> Calls<'a> {
    let is_service = |key: &NodeKey<'a>| key.kind() == NodeKind::Service;
    let called: BTreeSet<NodeKey<'a>> = calls
        .keys()
        .filter(|(from, to, _)| from != to)
        .map(|(_, to, _)| *to)
        .collect();
    let mut services_of: BTreeMap<NodeKey<'a>, BTreeSet<NodeKey<'a>>> = BTreeMap::new();
    for (from, to, _) in calls.keys() {
        if is_service(from) && !is_service(to) {
            services_of.entry(*to).or_default().insert(*from);
        }
    }
    let mut reduced = Calls::new();
    for ((from, to, protocol), call) in calls {
        if !is_service(to) {
            continue;
        }
        let callers: Vec<NodeKey<'a>> = if is_service(from) || !called.contains(from) {
            vec![*from]
        } else {
            services_of
                .get(from)
                .into_iter()
                .flatten()
                .copied()
                .collect()
        };
        for caller in callers {
            reduced
                .entry((caller, *to, *protocol))
                .or_default()
                .add(call);
        }
    }
    reduced
}
