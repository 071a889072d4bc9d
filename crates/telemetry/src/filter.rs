//! Which traces a search means: the part of a [`TraceSearch`] that is judged here, since backends judge it otherwise.
//!
//! Backends take a minimum duration as "some span lasts as long", an interval as "some span starts in it" and an error as
//! one tag; a [`TraceSearch`] means the whole trace each time. A file has no backend at all.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use pilothouse_core::model::Moment;
use pilothouse_core::ports::{TraceSearch, TracesFound};
use pilothouse_core::trace::{Span, Trace, TraceId, TraceSummary};

/// Start, whole duration and errors, as far as a summary tells.
pub(crate) fn summary_fits(search: &TraceSearch, summary: &TraceSummary) -> bool {
    let start = i128::from(summary.start_ns);
    start >= nanoseconds(search.from)
        && start <= nanoseconds(search.to)
        && search
            .min_duration_ns
            .is_none_or(|min| summary.duration_ns >= min)
        && search
            .max_duration_ns
            .is_none_or(|max| summary.duration_ns <= max)
        && (!search.only_errors || summary.errors > 0)
}

/// Whether some one span has the service, the operation and all attributes.
pub(crate) fn spans_fit(search: &TraceSearch, trace: &Trace) -> bool {
    trace.spans.iter().any(|span| {
        search
            .service
            .as_ref()
            .is_none_or(|name| *name == span.service)
            && search
                .operation
                .as_ref()
                .is_none_or(|name| *name == span.operation)
            && search
                .attributes
                .iter()
                .all(|(name, value)| carries(span, name, value))
    })
}

/// On the span itself or on its resource: that is where backends look, and where agents put `istio.canonical_revision`
/// differs.
fn carries(span: &Span, name: &str, value: &str) -> bool {
    [&span.attributes, &span.resource]
        .into_iter()
        .filter_map(|attributes| attributes.get(name))
        .any(|found| found.to_text() == value)
}

fn nanoseconds(moment: Moment) -> i128 {
    i128::from(moment.0) * 1_000_000
}

/// Traces gathered from several answers: each once, the newest first, cut at the limit.
#[derive(Debug)]
pub(crate) struct Gathered {
    found: BTreeMap<TraceId, TraceSummary>,
    /// Something is known to be missing.
    pub(crate) partial: bool,
}

impl Gathered {
    pub(crate) const fn new(partial: bool) -> Self {
        Self {
            found: BTreeMap::new(),
            partial,
        }
    }

    pub(crate) fn extend(&mut self, summaries: impl IntoIterator<Item = TraceSummary>) {
        for summary in summaries {
            self.found.entry(summary.id).or_insert(summary);
        }
    }

    pub(crate) fn finish(self, limit: usize) -> TracesFound {
        let partial = self.partial || self.found.len() > limit;
        let mut traces: Vec<TraceSummary> = self.found.into_values().collect();
        traces.sort_by_key(|summary| (Reverse(summary.start_ns), summary.id));
        traces.truncate(limit);
        TracesFound { traces, partial }
    }
}

#[cfg(test)]
mod tests {
    use pilothouse_core::trace::{SpanId, Value};

    use super::*;

    fn span(service: &str, attributes: &[(&str, Value)]) -> Span {
        Span {
            id: SpanId(1),
            parent: None,
            service: service.to_owned(),
            operation: format!("do {service}"),
            kind: pilothouse_core::trace::SpanKind::Server,
            start_ns: 1,
            duration_ns: 1,
            status: pilothouse_core::trace::SpanStatus::Unset,
            attributes: attributes
                .iter()
                .map(|(k, v)| ((*k).to_owned(), v.clone()))
                .collect(),
            resource: BTreeMap::from([("ns".to_owned(), Value::Text("shop".to_owned()))]),
            events: Vec::new(),
            links: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Service, operation, attributes, and whether they fit.
    type Case<'a> = (
        Option<&'a str>,
        Option<&'a str>,
        &'a [(&'a str, &'a str)],
        bool,
    );

    #[test]
    fn one_span_must_carry_everything_that_is_asked() {
        let trace = Trace {
            id: TraceId(1),
            spans: vec![
                span(
                    "a",
                    &[("code", Value::Int(503)), ("retry", Value::Bool(true))],
                ),
                span("b", &[("code", Value::Int(200))]),
            ],
            partial: false,
            warnings: Vec::new(),
        };
        let cases: [Case<'_>; 8] = [
            (None, None, &[], true),
            (Some("a"), None, &[("code", "503")], true),
            (Some("b"), None, &[("code", "503")], false),
            (None, None, &[("retry", "true"), ("code", "503")], true),
            (None, None, &[("retry", "true"), ("code", "200")], false),
            (Some("a"), Some("do b"), &[], false),
            (None, None, &[("code", "50")], false),
            (Some("b"), None, &[("ns", "shop")], true),
        ];
        for (service, operation, attributes, expected) in cases {
            let search = TraceSearch {
                service: service.map(str::to_owned),
                operation: operation.map(str::to_owned),
                attributes: attributes
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
                ..TraceSearch::default()
            };
            assert_eq!(spans_fit(&search, &trace), expected, "{search:?}");
        }
    }
}
