//! Quantiles: which group of a quantile query is exactly which edge or node.
//!
//! Quantiles cannot be added, averaged or divided. So a quantile is shown only where the group that it was asked for and
//! the edge (or node) are the same set of calls: the edge lies in one group only, and nothing else lies in that group.
//! The rows of the request counter tell which groups an edge lies in, because they carry all the labels that any
//! grouping uses. Everything else stays unknown. Means have no such trouble; they are sums (`tally.rs`).

use std::collections::{BTreeMap, BTreeSet};

use super::clusters::Server;
use super::rows::{Report, Reporter};
use super::types::Latency;
use crate::ports::{Labels, Measure};
use crate::stats::latency_quantile;

#[cfg(test)]
mod tests;

/// A group of a quantile query: which grouping, who reported, the scope of its clusters' names, and the values of its
/// labels.
pub(super) type GroupKey<'a> = (usize, Reporter, Option<&'a str>, Vec<&'a str>);

/// The quantile answers at hand.
#[derive(Debug, Default)]
pub(super) struct Groupings<'a> {
    groupings: Vec<Grouping<'a>>,
}

#[derive(Debug)]
struct Grouping<'a> {
    by: &'a [String],
    values: BTreeMap<GroupKey<'a>, Latency>,
}

impl<'a> Groupings<'a> {
    /// Collects the answers; queries with equal grouping are one grouping, whatever their quantile or matchers.
    pub(super) fn collect(servers: &'a [Server<'a>]) -> Self {
        let mut groupings: Vec<Grouping<'a>> = Vec::new();
        let answers = servers
            .iter()
            .flat_map(|server| server.rows.answers.iter().map(move |told| (server, told)));
        for (server, (query, answer)) in answers {
            let (Measure::LatencyQuantile(per_mille), Ok(rows)) = (query.measure, answer) else {
                continue;
            };
            let at = groupings
                .iter()
                .position(|grouping| grouping.by == query.by);
            let at = at.unwrap_or_else(|| {
                groupings.push(Grouping {
                    by: &query.by,
                    values: BTreeMap::new(),
                });
                groupings.len() - 1
            });
            let Some(grouping) = groupings.get_mut(at) else {
                continue;
            };
            for row in rows {
                let Some(key) = group_key(at, grouping.by, server, &row.labels) else {
                    continue;
                };
                let Some(value) = latency_quantile(row.value) else {
                    continue;
                };
                let latency = grouping.values.entry(key).or_default();
                let slot = match per_mille {
                    500 => &mut latency.p50,
                    950 => &mut latency.p95,
                    990 => &mut latency.p99,
                    _ => continue,
                };
                // Two answers for one group are no contradiction we can solve; the larger is the safe one to show,
                // and the choice does not depend on the order.
                *slot = Some(slot.map_or(value, |known| known.max(value)));
            }
        }
        Self { groupings }
    }

    /// The groups of this row in groupings that name the caller.
    pub(super) fn of_caller<'r>(&self, report: &Report<'r>) -> Vec<GroupKey<'r>> {
        self.groups(report, true)
    }

    /// The groups of this row in groupings that do not.
    pub(super) fn of_callee<'r>(&self, report: &Report<'r>) -> Vec<GroupKey<'r>> {
        self.groups(report, false)
    }

    fn groups<'r>(&self, report: &Report<'r>, names_caller: bool) -> Vec<GroupKey<'r>> {
        self.groupings
            .iter()
            .enumerate()
            .filter(|(_, grouping)| grouping.names_caller() == names_caller)
            .filter_map(|(at, grouping)| group_key(at, grouping.by, report.server, report.labels))
            .collect()
    }

    /// For each of the things, given with the groups that it lies in, the quantiles by reporter of the groups that are
    /// exactly it.
    pub(super) fn exact<T: Ord + Copy>(
        &self,
        things: &BTreeMap<T, &BTreeSet<GroupKey<'a>>>,
    ) -> BTreeMap<T, BTreeMap<Reporter, Latency>> {
        let mut members: BTreeMap<&GroupKey<'a>, usize> = BTreeMap::new();
        for groups in things.values() {
            for group in *groups {
                *members.entry(group).or_default() += 1;
            }
        }
        let mut exact: BTreeMap<T, BTreeMap<Reporter, Latency>> = BTreeMap::new();
        for (&thing, groups) in things {
            for group in *groups {
                let (at, reporter, ..) = group;
                let alone = members.get(group) == Some(&1);
                let whole = groups
                    .iter()
                    .filter(|(other_at, other, ..)| (other_at, other) == (at, reporter))
                    .count()
                    == 1;
                let found = self
                    .groupings
                    .get(*at)
                    .and_then(|grouping| grouping.values.get(group));
                if let (true, true, Some(latency)) = (alone, whole, found) {
                    exact.entry(thing).or_default().insert(*reporter, *latency);
                }
            }
        }
        exact
    }
}

impl Grouping<'_> {
    fn names_caller(&self) -> bool {
        self.by.iter().any(|label| label.starts_with("source_"))
    }
}

/// `None` if nobody reported. An absent label is an empty one, as in PromQL's groupings.
fn group_key<'r>(
    at: usize,
    by: &[String],
    server: &Server<'r>,
    labels: &'r Labels,
) -> Option<GroupKey<'r>> {
    let reporter = match labels.get("reporter").map(String::as_str)? {
        "source" => Reporter::Source,
        "waypoint" => Reporter::Waypoint,
        "destination" => Reporter::Destination,
        _ => return None,
    };
    let values = by
        .iter()
        .map(|label| labels.get(label).map_or("", String::as_str))
        .collect();
    let clusters = by.iter().map(String::as_str);
    let scope = server.scope(labels, clusters.filter(|label| label.ends_with("_cluster")));
    Some((at, reporter, scope, values))
}

/// The quantiles of one side with the mean of that side.
pub(super) fn with_mean(quantiles: Option<&Latency>, mean: Option<f64>) -> Latency {
    Latency {
        avg: mean,
        ..quantiles.copied().unwrap_or_default()
    }
}
