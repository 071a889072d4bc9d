//! The counters in Prometheus' text format, as if all proxies were scraped at one address.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use pilothouse_core::model::Moment;

use crate::flow::FlowKey;
use crate::labels::LABELS;
use crate::latency::{BOUNDS, Buckets};
use crate::simulation::{Simulation, Stretch};
use crate::solve::Family;

/// Counters of one row.
#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) count: f64,
    milliseconds: f64,
    buckets: Buckets,
}

/// All counters at `at`, having been zero at `since`.
pub(crate) fn write(simulation: &Simulation, since: Moment, at: Moment) -> String {
    let mut text = String::new();
    let stretches = simulation.stretches(since, at.max(since));
    // Writing to a String does not fail.
    let _: fmt::Result = write_all(simulation, &stretches, &mut text);
    text
}

fn write_all(simulation: &Simulation, stretches: &[Stretch], out: &mut String) -> fmt::Result {
    let plain = [
        ("istio_request_messages_total", Family::RequestMessages),
        ("istio_response_messages_total", Family::ResponseMessages),
        // Named from the server's side: it receives what the client sends.
        ("istio_tcp_received_bytes_total", Family::SentBytes),
        ("istio_tcp_sent_bytes_total", Family::ReceivedBytes),
    ];
    let requests = counters(stretches, Family::Requests);
    write_counter(simulation, "istio_requests_total", &requests, out)?;
    let name = "istio_request_duration_milliseconds";
    writeln!(out, "# TYPE {name} histogram")?;
    for (key, counter) in &requests {
        let labels = labels(simulation, key)?;
        for (bound, count) in BOUNDS.iter().zip(counter.buckets) {
            writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
        }
        let Counter {
            count,
            milliseconds,
            ..
        } = counter;
        writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}")?;
        writeln!(out, "{name}_sum{{{labels}}} {milliseconds}")?;
        writeln!(out, "{name}_count{{{labels}}} {count}")?;
    }
    for (name, family) in plain {
        write_counter(simulation, name, &counters(stretches, family), out)?;
    }
    Ok(())
}

pub(crate) fn counters(stretches: &[Stretch], family: Family) -> BTreeMap<FlowKey, Counter> {
    let mut counters: BTreeMap<FlowKey, Counter> = BTreeMap::new();
    for Stretch { solved, weights } in stretches {
        for row in &solved.rows[family as usize] {
            let counter = counters.entry(row.key).or_default();
            for part in &row.parts {
                let amount = part.rate * weights[part.regime];
                let latency = &solved.latencies.get(part.latency);
                counter.count += amount;
                if let (Some(latency), Family::Requests) = (latency, family) {
                    counter.milliseconds += amount * latency.mean;
                    for (bucket, share) in counter.buckets.iter_mut().zip(latency.buckets) {
                        *bucket += amount * share;
                    }
                }
            }
        }
    }
    counters
}

fn write_counter(
    simulation: &Simulation,
    name: &str,
    counters: &BTreeMap<FlowKey, Counter>,
    out: &mut String,
) -> fmt::Result {
    writeln!(out, "# TYPE {name} counter")?;
    for (key, counter) in counters {
        writeln!(
            out,
            "{name}{{{}}} {}",
            labels(simulation, key)?,
            counter.count
        )?;
    }
    Ok(())
}

fn labels(simulation: &Simulation, key: &FlowKey) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let values = simulation.dictionary.labels(&simulation.world, key);
    for (name, value) in LABELS.iter().zip(values) {
        if let Some(value) = simulation.dictionary.text(value) {
            let comma = if text.is_empty() { "" } else { "," };
            write!(text, "{comma}{name}=\"{}\"", escaped(&value))?;
        }
    }
    Ok(text)
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
