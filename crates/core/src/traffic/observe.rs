//! Declared beside observed: which share of the counted requests each destination of a split really got.
//!
//! A row belongs to a destination if it names its host and, where the split divides one host, its workload or revision.
//! Rows that Envoy could not attribute (`destination_workload="unknown"`: no endpoints, no cluster) belong to none: they
//! count as requests of nobody and are left out of shares. The callers' rows are used where there are any, else the
//! callees': never a mix.

use serde::{Deserialize, Serialize};

use super::{Destination, Split};
use crate::model::TimeSpan;
use crate::ports::{Labels, MetricRow};
use crate::stats::{self, Interval};

/// What the metrics say of one destination. `None` is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct ObservedDestination {
    /// Requests counted in the window.
    pub requests: Option<f64>,
    /// Requests per second.
    pub rate: Option<f64>,
    /// Error ratio, 0..=1; `None` without requests.
    pub error_ratio: Option<f64>,
    /// Share of the split's requests, 0..=1; `None` if none were counted.
    pub ratio: Option<f64>,
    /// 95 % Wilson interval of the share.
    pub interval: Option<Interval>,
    /// 95th percentile of latency, ms, by the callee's proxy; +Inf above the last bucket.
    pub p95_ms: Option<f64>,
}

/// Observed destinations of a split, in its order. `rows` are rates of requests grouped at least by `reporter`, the
/// destination labels and the response code; `quantiles` are p95 rows grouped by destination workload. `None` = not known.
#[must_use]
pub fn observe_split(
    split: &Split,
    rows: Option<&[MetricRow]>,
    quantiles: Option<&[MetricRow]>,
    window: TimeSpan,
) -> Vec<ObservedDestination> {
    let Some(rows) = rows else {
        return vec![ObservedDestination::default(); split.destinations.len()];
    };
    let reporter = chosen_reporter(split, rows);
    let rates: Vec<(f64, f64)> = split
        .destinations
        .iter()
        .map(|destination| rate_and_errors(split, destination, rows, reporter))
        .collect();
    let total: f64 = rates.iter().map(|(rate, _)| rate).sum();
    let seconds = window.as_seconds();
    let mut observed: Vec<ObservedDestination> = Vec::with_capacity(rates.len());
    for (destination, (rate, errors)) in split.destinations.iter().zip(rates) {
        let counted = total > 0.0;
        observed.push(ObservedDestination {
            requests: Some(rate * seconds),
            rate: Some(rate),
            error_ratio: (rate > 0.0).then(|| errors / rate),
            ratio: counted.then(|| rate / total),
            interval: counted
                .then(|| stats::wilson(rate * seconds, total * seconds, stats::Z_95))
                .flatten(),
            p95_ms: quantiles.and_then(|rows| quantile_of(split, destination, rows)),
        });
    }
    observed
}

/// Whether any row of the callers speaks of this split; else the callees' rows must do.
fn chosen_reporter(split: &Split, rows: &[MetricRow]) -> &'static str {
    let of_callers = rows
        .iter()
        .filter(|row| label(&row.labels, "reporter") == "source");
    let mut attributed = of_callers.filter(|row| {
        split
            .destinations
            .iter()
            .any(|d| belongs(split, d, &row.labels))
    });
    if attributed.any(|row| row.value > 0.0) {
        "source"
    } else {
        "destination"
    }
}

fn rate_and_errors(
    split: &Split,
    destination: &Destination,
    rows: &[MetricRow],
    reporter: &str,
) -> (f64, f64) {
    let mine = rows.iter().filter(|row| {
        label(&row.labels, "reporter") == reporter && belongs(split, destination, &row.labels)
    });
    mine.fold((0.0, 0.0), |(rate, errors), row| {
        let bad = if is_error(&row.labels) {
            row.value
        } else {
            0.0
        };
        (rate + row.value, errors + bad)
    })
}

fn quantile_of(split: &Split, destination: &Destination, rows: &[MetricRow]) -> Option<f64> {
    let mut mine = rows.iter().filter(|row| {
        label(&row.labels, "reporter") == "destination"
            && belongs_to_workload(split, destination, &row.labels)
    });
    let first = mine.next()?;
    // Quantiles cannot be averaged: a destination of several workloads has none here.
    mine.next().is_none().then_some(first.value)
}

/// No response, HTTP 4xx and 5xx, and every gRPC status but OK are errors, as everywhere in the graph.
fn is_error(labels: &Labels) -> bool {
    let code = label(labels, "response_code");
    let http_error = code == "0" || code == "-" || code.starts_with('4') || code.starts_with('5');
    let grpc = label(labels, "grpc_response_status");
    let grpc_error = label(labels, "request_protocol") == "grpc" && !grpc.is_empty() && grpc != "0";
    http_error || grpc_error
}

fn belongs(split: &Split, destination: &Destination, labels: &Labels) -> bool {
    label(labels, "destination_service") == destination.fqdn
        && belongs_to_workload(split, destination, labels)
}

/// Joins by workload where the destination's workloads are known, else by revision, else (the host has only one
/// destination in the split) by the host alone.
fn belongs_to_workload(split: &Split, destination: &Destination, labels: &Labels) -> bool {
    let workload = label(labels, "destination_workload");
    if !destination.workloads.is_empty() {
        let namespace = label(labels, "destination_workload_namespace");
        return destination
            .workloads
            .iter()
            .any(|known| known.split_once('/') == Some((namespace, workload)));
    }
    match &destination.revision {
        Some(revision) => label(labels, "destination_canonical_revision") == revision,
        None => {
            let alone = split
                .destinations
                .iter()
                .filter(|d| d.fqdn == destination.fqdn)
                .count()
                == 1;
            alone && !workload.is_empty() && workload != "unknown"
        }
    }
}

fn label<'a>(labels: &'a Labels, name: &str) -> &'a str {
    labels.get(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
