//! Declared beside observed: which share of the counted requests each destination of a split really got.
//!
//! Destinations with the same backing (one subset that stands twice in a route) are one to the metrics: their rows are
//! counted once, and shared out by the weights. A row belongs to a backing if it names its host and, where the split
//! divides one host, its workload or revision; a row that belongs to several backings makes all of them unknown. Rows that
//! Envoy could not attribute (`destination_workload="unknown"`: no endpoints, no cluster) belong to none: they count as
//! requests of nobody and are left out of shares. The callers' rows are used where there are any, else the waypoints',
//! else the callees': never a mix.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Destination, Resolution, Split};
use crate::model::TimeSpan;
use crate::ports::{Labels, MetricRow};
use crate::stats::{self, Interval};

/// What the metrics say of one destination. `None` is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct ObservedDestination {
    /// Requests counted in the window; 0 only if other destinations of the split are known to have got some, or the
    /// metrics say 0.
    pub requests: Option<f64>,
    /// Requests per second.
    pub rate: Option<f64>,
    /// Error ratio, 0..=1; `None` without requests.
    pub error_ratio: Option<f64>,
    /// Share of the split's requests, 0..=1; `None` if none were counted.
    pub ratio: Option<f64>,
    /// 95 % Wilson interval of the share.
    pub interval: Option<Interval>,
    /// 95th percentile of latency, ms, by the callee's proxy or its waypoint; +Inf above the last bucket.
    pub p95_ms: Option<f64>,
}

/// Observed destinations of a split, in its order. `rows` are rates of requests grouped at least by `reporter`, the
/// destination labels and the response code; `quantiles` are p95 rows grouped by `reporter` and destination workload.
/// `None` = not known.
#[must_use]
pub fn observe_split(
    split: &Split,
    rows: Option<&[MetricRow]>,
    quantiles: Option<&[MetricRow]>,
    window: TimeSpan,
) -> Vec<ObservedDestination> {
    let mut groups = groups_of(&split.destinations);
    let total = rows.and_then(|rows| count(&mut groups, rows));
    let one = |destination: &Destination| {
        let backing = Backing::of(destination);
        let group = groups.iter().find(|group| group.backing == backing);
        let counted = group
            .zip(total)
            .filter(|(group, _)| !group.overlaps)
            .map(|(group, total)| observed(group, group.share_of(destination), total, window));
        ObservedDestination {
            p95_ms: quantiles.and_then(|rows| quantile_of(destination, rows)),
            ..counted.unwrap_or_default()
        }
    };
    split.destinations.iter().map(one).collect()
}

/// Requests per second that reached no workload, by the host that was asked and by the callers' word: Envoy had no
/// endpoint or no cluster for them.
#[must_use]
pub fn unserved(rows: &[MetricRow]) -> BTreeMap<&str, f64> {
    let mut by_host = BTreeMap::new();
    for row in rows {
        let is_nobodys = matches!(label(&row.labels, "destination_workload"), "" | "unknown");
        let is_callers = label(&row.labels, "reporter") == "source";
        if is_nobodys && is_callers && row.value.is_finite() && row.value > 0.0 {
            *by_host
                .entry(label(&row.labels, "destination_service"))
                .or_default() += row.value;
        }
    }
    by_host
}

/// What the metrics can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Backing<'a> {
    fqdn: &'a str,
    pods: Pods<'a>,
}

/// Which pods of the host, by the best that is known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pods<'a> {
    Workloads(&'a [String]),
    Revision(&'a str),
    /// None: there is no such Service or subset, or no workload fits it.
    Nobody,
    /// Nothing but the name of the subset: any of the host, as far as the metrics go.
    Any(Option<&'a str>),
}

impl<'a> Backing<'a> {
    fn of(destination: &'a Destination) -> Self {
        let is_missing = matches!(
            destination.resolution,
            Resolution::NoSuchService | Resolution::NoSuchSubset | Resolution::Refused
        );
        let pods = match &destination.revision {
            _ if is_missing => Pods::Nobody,
            _ if !destination.workloads.is_empty() => Pods::Workloads(&destination.workloads),
            Some(revision) => Pods::Revision(revision),
            None if destination.ready.is_some() => Pods::Nobody,
            None => Pods::Any(destination.subset.as_deref()),
        };
        Self {
            fqdn: &destination.fqdn,
            pods,
        }
    }

    fn got(&self, labels: &Labels) -> bool {
        label(labels, "destination_service") == self.fqdn
            && match self.pods {
                Pods::Workloads(known) => is_of(known, labels),
                Pods::Revision(revision) => {
                    label(labels, "destination_canonical_revision") == revision
                }
                Pods::Nobody => false,
                Pods::Any(_) => !matches!(label(labels, "destination_workload"), "" | "unknown"),
            }
    }
}

/// Destinations with one backing, and what it got.
struct Group<'a> {
    backing: Backing<'a>,
    n_destinations: f64,
    /// Sum of their effective ratios.
    declared: f64,
    rate: f64,
    errors: f64,
    /// Whether requests of it may be another's, too.
    overlaps: bool,
}

impl Group<'_> {
    /// Which part of the group's requests counts as this destination's.
    fn share_of(&self, destination: &Destination) -> f64 {
        if self.declared > 0.0 && self.n_destinations > 1.0 {
            destination.effective_ratio.unwrap_or(0.0) / self.declared
        } else {
            1.0 / self.n_destinations
        }
    }
}

fn groups_of(destinations: &[Destination]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for destination in destinations {
        let backing = Backing::of(destination);
        let declared = destination.effective_ratio.unwrap_or(0.0);
        match groups.iter_mut().find(|group| group.backing == backing) {
            Some(group) => {
                group.n_destinations += 1.0;
                group.declared += declared;
            }
            None => groups.push(Group {
                backing,
                n_destinations: 1.0,
                declared,
                rate: 0.0,
                errors: 0.0,
                overlaps: false,
            }),
        }
    }
    groups
}

/// Adds the rows of one reporter to their groups. The rate of all of them, each counted once; `None` if no row speaks of
/// any group.
fn count(groups: &mut [Group<'_>], rows: &[MetricRow]) -> Option<f64> {
    let sound = |row: &&MetricRow| row.value.is_finite() && row.value >= 0.0;
    let attributed: Vec<&MetricRow> = rows
        .iter()
        .filter(sound)
        .filter(|row| groups.iter().any(|group| group.backing.got(&row.labels)))
        .collect();
    let reporter = chosen_reporter(&attributed)?;
    let mut total = 0.0;
    for row in attributed {
        if label(&row.labels, "reporter") != reporter || row.value <= 0.0 {
            continue;
        }
        total += row.value;
        let mut owners: Vec<&mut Group<'_>> = groups
            .iter_mut()
            .filter(|group| group.backing.got(&row.labels))
            .collect();
        let shared = owners.len() > 1;
        for owner in &mut owners {
            owner.overlaps |= shared;
            owner.rate += row.value;
            if is_error(&row.labels) {
                owner.errors += row.value;
            }
        }
    }
    Some(total)
}

/// The first in the order of trust that counted a request, else the first that reports at all.
fn chosen_reporter(rows: &[&MetricRow]) -> Option<&'static str> {
    let speaks = |reporter: &str, counted: bool| {
        rows.iter()
            .any(|row| label(&row.labels, "reporter") == reporter && (!counted || row.value > 0.0))
    };
    let order = ["source", "waypoint", "destination"];
    let first = |counted: bool| order.into_iter().find(|reporter| speaks(reporter, counted));
    first(true).or_else(|| first(false))
}

fn observed(group: &Group<'_>, part: f64, total: f64, window: TimeSpan) -> ObservedDestination {
    let seconds = window.as_seconds();
    let rate = group.rate * part;
    ObservedDestination {
        requests: Some(rate * seconds),
        rate: Some(rate),
        error_ratio: (rate > 0.0).then(|| group.errors / group.rate),
        ratio: (total > 0.0).then(|| rate / total),
        interval: stats::wilson(rate * seconds, total * seconds, stats::Z_95),
        p95_ms: None,
    }
}

/// Joined by workload, for the rows name no host. Quantiles cannot be averaged: a destination of several workloads has none.
fn quantile_of(destination: &Destination, rows: &[MetricRow]) -> Option<f64> {
    let by = |reporter: &str| {
        let mut mine = rows.iter().filter(|row| {
            label(&row.labels, "reporter") == reporter && is_of(&destination.workloads, &row.labels)
        });
        let first = mine.next()?;
        mine.next().is_none().then_some(first.value)
    };
    by("destination")
        .or_else(|| by("waypoint"))
        .and_then(stats::latency_quantile)
}

/// Whether the row's callee is one of these workloads (`namespace/name`).
fn is_of(workloads: &[String], labels: &Labels) -> bool {
    let namespace = label(labels, "destination_workload_namespace");
    let workload = label(labels, "destination_workload");
    workloads
        .iter()
        .any(|known| known.split_once('/') == Some((namespace, workload)))
}

/// No response, HTTP 4xx and 5xx, and every gRPC status but OK are errors, as everywhere in the graph.
fn is_error(labels: &Labels) -> bool {
    let code = label(labels, "response_code");
    let http_error = code == "0" || code == "-" || code.starts_with('4') || code.starts_with('5');
    let grpc = label(labels, "grpc_response_status");
    let grpc_error = label(labels, "request_protocol") == "grpc" && !grpc.is_empty() && grpc != "0";
    http_error || grpc_error
}

fn label<'a>(labels: &'a Labels, name: &str) -> &'a str {
    labels.get(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
