//! What is odd or wrong with a trace, in sentences. One finding per fact, however many spans share it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::analysis::{Clock, SpanNode, TraceAnalysis};

use super::flags::explain_flags;
use super::identity::Identities;
use super::party::service_of;
use super::skew::{MAX_SKEW_NS, Skew};
use super::types::{Span, SpanId, SpanKind, Trace};
use crate::model::{Finding, Severity};

/// What the stages noticed on their way.
pub(super) struct Oddities<'a> {
    pub(super) identities: &'a Identities,
    /// Kept indexes that were cut loose from a circle.
    pub(super) cycles: &'a [usize],
    pub(super) skew: &'a Skew,
    pub(super) zero_starts: usize,
}

/// The node where a failure most likely began: an erring span with no erring span below it; of several the one whose
/// failure went up all the way to a root, then the deepest, then a SERVER, then the earliest.
pub(super) fn likely_cause(spans: &[Span], nodes: &[SpanNode]) -> Option<usize> {
    let mut error_below = vec![false; nodes.len()];
    let mut up_to_root = vec![false; nodes.len()];
    for at in (0..nodes.len()).rev() {
        if let Some(parent) = nodes[at].parent
            && (nodes[at].error || error_below[at])
        {
            error_below[parent] = true;
        }
    }
    for at in 0..nodes.len() {
        up_to_root[at] = nodes[at].error && nodes[at].parent.is_none_or(|p| up_to_root[p]);
    }
    (0..nodes.len())
        .filter(|at| nodes[*at].error && !error_below[*at])
        .max_by_key(|at| {
            let node = &nodes[*at];
            let is_server = spans[node.span].kind == SpanKind::Server;
            (up_to_root[*at], node.depth, is_server, Reverse(*at))
        })
}

/// All findings, most severe first.
pub(super) fn find(
    trace: &Trace,
    analysis: &TraceAnalysis,
    oddities: &Oddities<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(cause(trace, analysis));
    if trace.partial {
        findings.push(Finding::new(
            Severity::Warning,
            "trace-partial",
            "",
            "the backend says that this is not the whole trace: counts, depth and the critical path may change; load it \
             again, or raise the backend's limit on the size of a trace",
        ));
    }
    findings.extend(broken_propagation(trace, analysis));
    findings.extend(orphans(trace, analysis, oddities.identities));
    findings.extend(identities(trace, analysis, oddities));
    findings.extend(clocks(trace, analysis, oddities));
    findings.extend(retries(analysis));
    findings.sort_by_key(|finding| Reverse(finding.severity));
    findings
}

fn cause(trace: &Trace, analysis: &TraceAnalysis) -> Option<Finding> {
    let node = analysis.nodes.get(analysis.likely_cause?)?;
    let span = &trace.spans[node.span];
    let service = service_of(span);
    let side = if span.kind == SpanKind::Client {
        "the calling side of"
    } else {
        "the called side of"
    };
    let mut message = format!(
        "the failure most likely began in {service}, {side} `{}`",
        span.operation
    );
    if !matches!(span.kind, SpanKind::Client | SpanKind::Server) {
        message = format!(
            "the failure most likely began in {service}, operation `{}`",
            span.operation
        );
    }
    if let Some(status) = span.http_status() {
        message.push_str(&format!(", status {status}"));
    }
    if let Some(flags) = span.response_flags() {
        message.push_str(&format!(", flags {flags}"));
        for meaning in explain_flags(&flags) {
            message.push_str(&format!(
                "; {}: {}, look at {}",
                meaning.flag, meaning.meaning, meaning.look_at
            ));
        }
    }
    Some(Finding::new(
        Severity::Error,
        "likely-cause",
        node.id.to_string(),
        message,
    ))
}

/// Roots that carry the request id of another root are parts of one request that lost their parent on the way. Without a
/// parent's id the headers were dropped; with the id of a span that is not here, somebody makes spans and does not
/// export them, or they are still to come.
fn broken_propagation(trace: &Trace, analysis: &TraceAnalysis) -> Vec<Finding> {
    let mut by_request: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for root in &analysis.roots {
        let span = &trace.spans[analysis.nodes[*root].span];
        if let Some(id) = span.attribute(&["guid:x-request-id"]) {
            by_request.entry(id).or_default().push(*root);
        }
    }
    let mut by_culprit: BTreeMap<(String, bool), (SpanId, usize)> = BTreeMap::new();
    for roots in by_request.into_values().filter(|roots| roots.len() > 1) {
        // The trunk is the request as it came in: the root that really is one, else the earliest.
        let named_parent = |root: &usize| trace.spans[analysis.nodes[*root].span].parent.is_some();
        let trunk = roots.iter().copied().min_by_key(|r| (named_parent(r), *r));
        for root in roots.iter().filter(|root| Some(**root) != trunk) {
            let node = &analysis.nodes[*root];
            let span = &trace.spans[node.span];
            let culprit = if span.kind == SpanKind::Server {
                format!("whoever calls {}", service_of(span))
            } else {
                service_of(span).to_owned()
            };
            let entry = by_culprit
                .entry((culprit, named_parent(root)))
                .or_insert((node.id, 0));
            entry.1 += 1;
        }
    }
    let describe = |((culprit, named_parent), (first, count)): (
        (String, bool),
        (SpanId, usize),
    )| {
        let parts = plural(
            count,
            "part of this request hangs",
            "parts of this request hang",
        );
        let message = if named_parent {
            format!(
                "{parts} in the air, with its x-request-id, but naming a parent that is not in \
                 the trace; {culprit} makes spans that are not exported, or not yet"
            )
        } else {
            format!(
                "{parts} in the air, with its x-request-id, but naming no parent; {culprit} \
                 does not pass on the trace headers (traceparent, b3) of the requests that it serves"
            )
        };
        Finding::new(
            Severity::Warning,
            "broken-propagation",
            first.to_string(),
            message,
        )
    };
    by_culprit.into_iter().map(describe).collect()
}

fn orphans(trace: &Trace, analysis: &TraceAnalysis, identities: &Identities) -> Option<Finding> {
    let first = identities.orphan.iter().position(|orphan| *orphan)?;
    let span = &trace.spans[identities.kept[first]];
    let parent = span.parent.unwrap_or_default();
    let spans = plural(
        analysis.orphans,
        "span names a parent",
        "spans name a parent",
    );
    Some(Finding::new(
        Severity::Warning,
        "orphan-spans",
        identities.id[first].to_string(),
        format!(
            "{spans} that is not in the trace, the first {parent}; shown as roots. A span may be late (load again), \
             dropped, or never exported"
        ),
    ))
}

fn identities(trace: &Trace, analysis: &TraceAnalysis, oddities: &Oddities<'_>) -> Vec<Finding> {
    let identities = oddities.identities;
    let mut findings = Vec::new();
    if let Some(first) = oddities.cycles.first() {
        let circles = plural(oddities.cycles.len(), "circle", "circles");
        findings.push(Finding::new(
            Severity::Warning,
            "parent-cycle",
            identities.id[*first].to_string(),
            format!(
                "spans name each other as parents in {circles}; each was cut open at its earliest span, which is shown as \
                 a root"
            ),
        ));
    }
    let ambiguous = identities.ambiguous.iter().filter(|a| **a).count();
    if let Some(first) = identities.ambiguous.iter().position(|ambiguous| *ambiguous) {
        let id = trace.spans[identities.kept[first]].id;
        findings.push(Finding::new(
            Severity::Warning,
            "repeated-span-ids",
            identities.id[first].to_string(),
            format!(
                "{} with an id that another, different span has too, the first {id}: their children may stand under the \
                 wrong one",
                plural(ambiguous, "span", "spans")
            ),
        ));
    }
    if analysis.duplicates > 0 {
        findings.push(Finding::new(
            Severity::Info,
            "duplicate-spans",
            "",
            format!(
                "{} dropped: exported more than once",
                plural(
                    analysis.duplicates,
                    "identical span was",
                    "identical spans were"
                )
            ),
        ));
    }
    if oddities.zero_starts > 0 {
        findings.push(Finding::new(
            Severity::Info,
            "missing-start",
            "",
            format!(
                "{} no start; shown where the parent starts",
                plural(oddities.zero_starts, "span has", "spans have")
            ),
        ));
    }
    findings
}

fn clocks(trace: &Trace, analysis: &TraceAnalysis, oddities: &Oddities<'_>) -> Vec<Finding> {
    let identities = oddities.identities;
    let Skew {
        shifts, misfits, ..
    } = oddities.skew;
    let mut findings = Vec::new();
    let largest = misfits
        .iter()
        .copied()
        .max_by_key(|k| (shifts[*k].abs(), Reverse(*k)));
    if let Some(k) = largest {
        let (code, done) = match analysis.clock {
            Clock::Corrected => ("clock-skew-corrected", "was moved"),
            Clock::Raw => ("clock-skew-uncorrected", "would have to move"),
        };
        let service = &trace.spans[identities.kept[k]].service;
        findings.push(Finding::new(
            Severity::Info,
            code,
            identities.id[k].to_string(),
            format!(
                "the clocks of hosts disagree: {} of {} spans did not fit into their parents; one of {service} {done} \
                 farthest, by {}",
                misfits.len(),
                analysis.nodes.len(),
                milliseconds(shifts[k]),
            ),
        ));
    }
    if let Some(k) = oddities.skew.refused.first() {
        findings.push(Finding::new(
            Severity::Warning,
            "clock-skew-too-large",
            identities.id[*k].to_string(),
            format!(
                "{} outside the parent by more than {} min and was left there: a queue, or a clock that is badly wrong",
                plural(oddities.skew.refused.len(), "span lies", "spans lie"),
                MAX_SKEW_NS / 60_000_000_000
            ),
        ));
    }
    findings
}

fn retries(analysis: &TraceAnalysis) -> Option<Finding> {
    let last = analysis
        .calls
        .iter()
        .filter_map(|call| Some((call, call.attempt?)))
        .filter(|(_, attempt)| attempt.number == attempt.of);
    let chains = last.clone().count();
    let (call, attempt) = last.max_by_key(|(_, attempt)| attempt.of)?;
    let node = analysis.nodes.get(call.client?)?;
    let outcome = if call.error { "failed" } else { "succeeded" };
    Some(Finding::new(
        Severity::Info,
        "retried-calls",
        node.id.to_string(),
        format!(
            "{} tried again after a failure; {} called {} {} times, and the last {outcome}",
            plural(chains, "call was", "calls were"),
            call.source.service,
            call.destination.as_ref()?.service,
            attempt.of
        ),
    ))
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn milliseconds(ns: i128) -> String {
    let thousandths = ns / 1000;
    let sign = if thousandths < 0 { "-" } else { "+" };
    let (whole, rest) = (thousandths.abs() / 1000, thousandths.abs() % 1000);
    format!("{sign}{whole}.{rest:03} ms")
}

#[cfg(test)]
mod tests;
