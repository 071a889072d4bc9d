//! The truth about traffic: every call between apps, as its caller saw it.
//!
//! The ledger is filled by the apps and the load, outside of any Envoy, so it does not depend on
//! the metrics that a test compares it with. A call is what one request and its answer are to the
//! caller; attempts that Envoy makes behind it (retries) are one call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock;

/// Who called whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The calling workload.
    pub source: String,
    /// The Service that it asked for, by short name.
    pub service: String,
    /// The workload that answered; `None` when the answer came from an Envoy on the way.
    pub destination: Option<String>,
}

/// Calls on one edge with one status that ended in one second.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Seconds since 1970, by the clock that Prometheus on this machine also reads.
    pub second: u64,
    /// Who called whom.
    pub edge: Edge,
    /// The HTTP status that the caller got; 0 when the request was sent and no answer came.
    pub status: u16,
}

/// Counted calls. Iterate over [`Calls::iter`] for other sums than these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    counts: BTreeMap<Call, u64>,
}

impl Calls {
    /// All counts, by second, edge and status.
    pub fn iter(&self) -> impl Iterator<Item = (&Call, u64)> {
        self.counts.iter().map(|(call, n)| (call, *n))
    }

    /// The calls that ended in the seconds `from..to` (since 1970).
    #[must_use]
    pub fn between(&self, from: u64, to: u64) -> Self {
        self.filter(|call| (from..to).contains(&call.second))
    }

    /// The calls from this workload to this Service.
    #[must_use]
    pub fn on(&self, source: &str, service: &str) -> Self {
        self.filter(|call| call.edge.source == source && call.edge.service == service)
    }

    /// The calls answered with 500 or more, or not at all.
    #[must_use]
    pub fn failed(&self) -> Self {
        self.filter(|call| call.status == 0 || call.status >= 500)
    }

    /// How many.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many per edge.
    #[must_use]
    pub fn edges(&self) -> BTreeMap<Edge, u64> {
        self.sum_by(|call| call.edge.clone())
    }

    /// How many per edge and status.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<(Edge, u16), u64> {
        self.sum_by(|call| (call.edge.clone(), call.status))
    }

    fn filter(&self, keep: impl Fn(&Call) -> bool) -> Self {
        let kept = self.counts.iter().filter(|(call, _)| keep(call));
        Self {
            counts: kept.map(|(call, n)| (call.clone(), *n)).collect(),
        }
    }

    fn sum_by<K: Ord>(&self, key: impl Fn(&Call) -> K) -> BTreeMap<K, u64> {
        self.counts
            .iter()
            .fold(BTreeMap::new(), |mut sums, (call, n)| {
                *sums.entry(key(call)).or_default() += n;
                sums
            })
    }
}

/// Where apps and load write their calls; clones share one ledger.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    calls: Arc<Mutex<Calls>>,
}

impl Ledger {
    pub(crate) fn record(&self, edge: Edge, status: u16) {
        let call = Call {
            second: clock::since_epoch().as_secs(),
            edge,
            status,
        };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.counts.entry(call).or_default() += 1;
    }

    pub(crate) fn read(&self) -> Calls {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Calls, Edge};

    #[test]
    fn calls_are_summed_by_edge_and_time() {
        let call = |second, destination: Option<&str>, status| Call {
            second,
            edge: Edge {
                source: "productpage-v1".to_owned(),
                service: "reviews".to_owned(),
                destination: destination.map(str::to_owned),
            },
            status,
        };
        let calls = Calls {
            counts: [
                (call(10, Some("reviews-v1"), 200), 9),
                (call(10, Some("reviews-v2"), 500), 1),
                (call(11, Some("reviews-v1"), 200), 5),
                (call(11, None, 503), 2),
            ]
            .into(),
        };
        assert_eq!(calls.total(), 17);
        assert_eq!(calls.between(10, 11).total(), 10);
        assert_eq!(calls.failed().total(), 3);
        assert_eq!(calls.edges().into_values().collect::<Vec<_>>(), [2, 14, 1]);
        assert_eq!(calls.on("productpage-v1", "ratings").total(), 0);
    }
}
