//! What the operator should know about the numbers: failed queries, rows left out, sides that disagree.

use std::collections::BTreeSet;

use super::calls::{BothSides, Call};
use super::fold::Repeated;
use super::queries::QueryPlan;
use super::rows::{Dropped, is_error};
use super::tally::Leaves;
use super::types::{FetchedRows, LatencyStat, Protocol};
use crate::model::{Finding, Severity, SourceError, SourceKind, Thresholds};
use crate::ports::Measure;

#[cfg(test)]
mod tests;

/// One finding per reason, with everything that is unknown because of it.
pub(super) fn failed_queries(context: Option<&str>, fetched: &FetchedRows) -> Vec<Finding> {
    let mut reasons: Vec<(&SourceError, Vec<String>)> = Vec::new();
    for (query, answer) in &fetched.answers {
        let Err(error) = answer else {
            continue;
        };
        let subject = subject(query.measure);
        match reasons.iter_mut().find(|(known, _)| *known == error) {
            Some((_, subjects)) if subjects.contains(&subject) => {}
            Some((_, subjects)) => subjects.push(subject),
            None => reasons.push((error, vec![subject])),
        }
    }
    reasons
        .iter()
        .map(|(error, subjects)| failed_for(context, error, subjects))
        .collect()
}

fn failed_for(context: Option<&str>, error: &SourceError, subjects: &[String]) -> Finding {
    let source = match error.source_kind {
        SourceKind::Metrics => "the metrics source",
        SourceKind::ControlPlane => "the control plane",
        SourceKind::Traces => "the trace source",
    };
    let hint = if error.hint.is_empty() {
        String::new()
    } else {
        format!("; {}", error.hint)
    };
    Finding::new(
        Severity::Warning,
        "metrics-query-failed",
        "",
        format!(
            "{}{} are unknown: {source} failed: {}{hint}",
            of_context(context),
            subjects.join(", "),
            error.message
        ),
    )
}

fn subject(measure: Measure) -> String {
    let text = match measure {
        Measure::Requests => "request rates and errors",
        Measure::GrpcSentMessages => "rates of sent gRPC messages",
        Measure::GrpcReceivedMessages => "rates of received gRPC messages",
        Measure::TcpSentBytes => "rates of sent TCP bytes",
        Measure::TcpReceivedBytes => "rates of received TCP bytes",
        Measure::LatencySum | Measure::LatencyCount => "mean latencies",
        Measure::LatencyQuantile(per_mille) => {
            let stat = [LatencyStat::P50, LatencyStat::P95, LatencyStat::P99]
                .into_iter()
                .find(|stat| stat.per_mille() == Some(per_mille));
            return match stat {
                Some(LatencyStat::P50) => "p50 latencies".to_owned(),
                Some(LatencyStat::P95) => "p95 latencies".to_owned(),
                Some(LatencyStat::P99) => "p99 latencies".to_owned(),
                Some(LatencyStat::Avg) | None => format!("latencies at {per_mille} ‰"),
            };
        }
    };
    text.to_owned()
}

/// What was wanted but did not fit the budget of queries.
pub(super) fn left_out(plan: &QueryPlan) -> Option<Finding> {
    (!plan.left_out.is_empty()).then(|| {
        Finding::new(
            Severity::Info,
            "latency-not-asked",
            "",
            format!(
                "not asked, to stay within {} queries: {}; ask for fewer kinds of traffic or latency to see it",
                super::BUDGET,
                plan.left_out.join(", ")
            ),
        )
    })
}

/// How many rows could not be used because of what they are, not because of what was asked.
pub(super) fn unusable_rows(
    context: Option<&str>,
    reason: Dropped,
    count: usize,
) -> Option<Finding> {
    let (code, why) = match reason {
        Dropped::LabelMissing => (
            "labels-missing",
            "lack a label that Istio sets; look for metric relabelling that drops labels",
        ),
        Dropped::OtherProtocol => (
            "other-protocol",
            "carry a request protocol that is neither http nor grpc",
        ),
        Dropped::NoRate => (
            "odd-rates",
            "carry no rate but NaN, an infinite or a negative number; look for a recording rule that divides by zero",
        ),
        Dropped::NotWanted => return None,
    };
    (count > 0).then(|| {
        let rows = if count == 1 { "row" } else { "rows" };
        Finding::new(
            Severity::Info,
            code,
            "",
            format!(
                "{}{count} {rows} of metrics left out: they {why}",
                of_context(context)
            ),
        )
    })
}

/// How a finding about one of several contexts begins.
fn of_context(context: Option<&str>) -> String {
    context.map_or_else(String::new, |context| format!("{context}: "))
}

/// Several contexts reach clusters of one id.
pub(super) fn namesakes(name: &str, contexts: &[&str]) -> Option<Finding> {
    (contexts.len() > 1).then(|| {
        let all = contexts.join(", ");
        same_id(format!(
            "{} clusters call themselves {name} ({all}): calls between them cannot be told, and each is drawn as if it \
             had none with the others; give each an id of its own (global.multiCluster.clusterName)",
            contexts.len()
        ))
    })
}

/// Two contexts have their cluster's id and their metrics server in common.
pub(super) fn drawn_as_one(name: &str, one: &str, other: &str) -> Finding {
    same_id(format!(
        "the clusters of {one} and {other} call themselves {name} and have one metrics server: nothing tells their rows \
         apart, so they are drawn as one; give each an id of its own (global.multiCluster.clusterName)"
    ))
}

fn same_id(message: String) -> Finding {
    Finding::new(Severity::Warning, "same-cluster-id", "", message)
}

/// A context of which nobody says which of the clusters in its metrics it reaches.
pub(super) fn which_cluster(context: &str, seen: &BTreeSet<&str>) -> Finding {
    let seen: Vec<&str> = seen.iter().copied().collect();
    let message = format!(
        "{context} does not say which cluster it reaches, and its metrics know several ({}): its objects are drawn apart \
         from its traffic; name the cluster's id",
        seen.join(", ")
    );
    Finding::new(Severity::Warning, "cluster-id-unknown", "", message)
}

/// Two contexts reach one cluster.
pub(super) fn one_cluster(first: &str, other: &str) -> Option<Finding> {
    (first != other).then(|| {
        let message =
            format!("{first} and {other} reach the same cluster: it is drawn once, as {first}");
        Finding::new(Severity::Info, "same-cluster", "", message)
    })
}

/// Several servers told the same series.
pub(super) fn repeated(repeated: &Repeated<'_>) -> Option<Finding> {
    let Repeated {
        contexts,
        n_rows,
        n_differing,
    } = repeated;
    (*n_rows > 0).then(|| {
        let contexts: Vec<&str> = contexts.iter().copied().collect();
        let (severity, doubt) = if *n_differing > 0 {
            let doubt = format!(
                "; {n_differing} of them differ, and the larger counts: one of the servers does not see everything"
            );
            (Severity::Warning, doubt)
        } else {
            (Severity::Info, String::new())
        };
        Finding::new(
            severity,
            "rows-told-twice",
            "",
            format!(
                "{n_rows} rows are in the metrics of more than one of {}: each counts once{doubt}",
                contexts.join(", ")
            ),
        )
    })
}

/// Where caller and callee tell different stories about errors, by as much as makes an edge degraded. Told of the edge
/// that leaves the caller; the one behind a service node has the same story.
pub(super) fn disagreement(
    thresholds: Thresholds,
    edge_id: &str,
    protocol: Protocol,
    call: &Call<'_>,
) -> Option<Finding> {
    if call.leaves == Leaves::Service {
        return None;
    }
    let BothSides {
        caller_rate,
        caller_errors,
        caller_codes,
        callee_rate,
        callee_errors,
    } = call.both.as_ref()?;
    let caller = caller_errors / caller_rate;
    let callee = callee_errors / callee_rate;
    if protocol == Protocol::Tcp || (caller - callee).abs() < thresholds.degraded {
        return None;
    }
    let percent = |ratio: f64| format!("{:.1} %", ratio * 100.0);
    let message = if caller > callee {
        let worst = caller_codes
            .iter()
            .filter(|((code, _), _)| is_error(protocol, code))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .map_or_else(String::new, |((code, flags), _)| {
                format!(" (mostly {code} {flags})")
            });
        format!(
            "{} of calls fail at the caller{worst}, {} by the callee's own account: calls time out or are cut off \
             between the two; compare the latency of both sides",
            percent(caller),
            percent(callee)
        )
    } else {
        format!(
            "the callee fails {} of calls, its caller sees {}: retries hide the failures",
            percent(callee),
            percent(caller)
        )
    };
    Some(Finding::new(
        Severity::Warning,
        "sides-disagree",
        edge_id,
        message,
    ))
}
