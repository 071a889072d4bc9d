//! Writes a [`MetricsQuery`] as PromQL: the one place that knows Istio's metric names and that escapes label values.
//!
//! Owns the text of a query and nothing else: what to ask is decided in [`crate::graph`], sending it is an adapter's
//! work, and the moment of evaluation ([`MetricsQuery::at`]) goes beside the text as the API's `time`.
//!
//! Values are not rounded, although other tools wrap each query in `round(…, 0.001)`: rounding turns a rate of one
//! request in an hour into "no traffic" and adds an error per row that sums up over an edge. Numbers are rounded where
//! they are shown.
//!
//! ```
//! use pilothouse_core::model::{Moment, TimeSpan};
//! use pilothouse_core::ports::{Measure, MetricsQuery};
//!
//! let query = MetricsQuery {
//!     measure: Measure::Requests,
//!     by: vec!["destination_workload".to_owned()],
//!     matchers: Vec::new(),
//!     window: TimeSpan::seconds(60),
//!     at: Moment(0),
//!     idle: false,
//! };
//! assert_eq!(
//!     pilothouse_core::promql::write(&query),
//!     "sum(rate(istio_requests_total[60s])) by (destination_workload) > 0"
//! );
//! ```
//!
//! Sources: Istio standard metrics; Prometheus querying basics (string literals, RE2 matchers, which are anchored).

use crate::model::TimeSpan;
use crate::ports::{MatchOp, Matcher, Measure, MetricsQuery, Sampled, SamplesQuery};

#[cfg(test)]
mod tests;

/// A pattern that no text matches, in RE2: what "one of no values" means.
const NOTHING: &str = r"[^\x00-\x{10FFFF}]";

/// The query as PromQL. Always valid, whatever the label values hold.
#[must_use]
pub fn write(query: &MetricsQuery) -> String {
    let selector = selector(query);
    let by = |first: &[&str]| {
        let labels = first
            .iter()
            .map(|label| name(label))
            .chain(query.by.iter().map(|label| name(label)));
        labels.collect::<Vec<_>>().join(", ")
    };
    let sum = match query.measure {
        Measure::LatencyQuantile(per_mille) => format!(
            "histogram_quantile({}, sum(rate({selector})) by ({}))",
            quantile(per_mille),
            by(&["le"])
        ),
        Measure::Requests
        | Measure::GrpcSentMessages
        | Measure::GrpcReceivedMessages
        | Measure::TcpSentBytes
        | Measure::TcpReceivedBytes
        | Measure::LatencySum
        | Measure::LatencyCount => format!("sum(rate({selector})) by ({})", by(&[])),
    };
    if query.idle {
        sum
    } else {
        format!("{sum} > 0")
    }
}

/// The query for samples as PromQL: a range selector.
#[must_use]
pub fn write_samples(query: &SamplesQuery) -> String {
    let metric = match query.of {
        Sampled::Requests => metric(Measure::Requests),
        Sampled::Up => "up",
    };
    range(metric, &query.matchers, query.window)
}

fn selector(query: &MetricsQuery) -> String {
    range(metric(query.measure), &query.matchers, query.window)
}

fn range(metric: &str, matchers: &[Matcher], window: TimeSpan) -> String {
    let matchers: Vec<String> = matchers.iter().filter_map(matcher).collect();
    let braces = if matchers.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", matchers.join(","))
    };
    format!("{metric}{braces}[{}]", duration(window))
}

const fn metric(measure: Measure) -> &'static str {
    match measure {
        Measure::Requests => "istio_requests_total",
        Measure::GrpcSentMessages => "istio_request_messages_total",
        Measure::GrpcReceivedMessages => "istio_response_messages_total",
        // Istio names bytes as the server's proxy sees them: what it received, the client sent.
        Measure::TcpSentBytes => "istio_tcp_received_bytes_total",
        Measure::TcpReceivedBytes => "istio_tcp_sent_bytes_total",
        Measure::LatencySum => "istio_request_duration_milliseconds_sum",
        Measure::LatencyCount => "istio_request_duration_milliseconds_count",
        Measure::LatencyQuantile(_) => "istio_request_duration_milliseconds_bucket",
    }
}

/// Thousandths as the shortest decimal fraction: 950 is `0.95`. More than 1000 is taken as 1000.
fn quantile(per_mille: u16) -> String {
    if per_mille >= 1000 {
        return "1".to_owned();
    }
    let digits = format!("{per_mille:03}");
    match digits.trim_end_matches('0') {
        "" => "0".to_owned(),
        fraction => format!("0.{fraction}"),
    }
}

/// A PromQL duration. PromQL knows none below a millisecond, and a window of nothing is a mistake that must not turn
/// into a query that the server refuses.
fn duration(window: TimeSpan) -> String {
    let millis = window.0.max(1);
    if millis % 1000 == 0 {
        format!("{}s", millis / 1000)
    } else {
        format!("{millis}ms")
    }
}

/// One matcher; `None` if it holds for every row.
fn matcher(matcher: &Matcher) -> Option<String> {
    let label = name(&matcher.label);
    let (equal, pattern) = match matcher.op {
        MatchOp::In => ("=", "=~"),
        MatchOp::NotIn => ("!=", "!~"),
    };
    match (matcher.values.as_slice(), matcher.op) {
        ([], MatchOp::In) => Some(format!("{label}=~{}", string(NOTHING))),
        ([], MatchOp::NotIn) => None,
        ([value], _) => Some(format!("{label}{equal}{}", string(value))),
        (values, _) => {
            // PromQL anchors patterns itself, and recognises a plain alternation of literals as a set look-up.
            let alternatives: Vec<String> = values.iter().map(|value| literal(value)).collect();
            Some(format!(
                "{label}{pattern}{}",
                string(&alternatives.join("|"))
            ))
        }
    }
}

/// A label name. Ours are constants; anything else in one becomes `_`, as in Prometheus's own relabelling, so that a
/// name can never end the selector.
fn name(label: &str) -> String {
    let mut out: String = label
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if out.chars().next().is_none_or(|c| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

/// A pattern (RE2) that matches this text and nothing else.
fn literal(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(
            c,
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A PromQL string in double quotes.
fn string(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '\\' => out.push_str(r"\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\t' => out.push_str(r"\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
