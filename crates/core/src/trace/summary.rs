//! A trace as one line of a list. Counts what the backend gave, on the raw clocks, without any repair.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::types::{Span, SpanId, Trace, TraceService, TraceSummary};

/// Nanoseconds of 2000-01-01: a trace that reaches beyond it holds wall-clock times, so a start of 0 is a missing one.
pub(super) const WALL_CLOCK_NS: u64 = 946_684_800_000_000_000;

/// Sums a trace up.
///
/// The root is the earliest span without a parent; without one the earliest whose parent is missing; else the earliest.
/// An empty trace has empty names and zero times.
#[must_use]
pub fn summarize(trace: &Trace) -> TraceSummary {
    let ids: BTreeSet<SpanId> = trace.spans.iter().map(|span| span.id).collect();
    let is_orphan = |span: &Span| span.parent.is_some_and(|parent| !ids.contains(&parent));
    let latest = trace.spans.iter().map(|s| s.start_ns).max().unwrap_or(0);
    let timed = |span: &&Span| span.start_ns > 0 || latest < WALL_CLOCK_NS;
    let start_ns = trace.spans.iter().filter(timed).map(|s| s.start_ns).min();
    let start_ns = start_ns.unwrap_or(0);
    let end_ns = trace.spans.iter().filter(timed).map(Span::end_ns).max();

    let root = trace.spans.iter().min_by_key(|span| {
        let rank = match span.parent {
            None => 0,
            Some(_) if is_orphan(span) => 1,
            Some(_) => 2,
        };
        (rank, !timed(span), span.start_ns, span.id)
    });
    let mut services: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut revisions = BTreeSet::new();
    let mut errors = 0;
    for span in &trace.spans {
        let failed = usize::from(span.is_error());
        errors += failed;
        let counts = services.entry(&span.service).or_default();
        counts.0 += 1;
        counts.1 += failed;
        if let Some(revision) = span.attribute(&["istio.canonical_revision"]) {
            let service = span.attribute(&["istio.canonical_service"]);
            let service = service.unwrap_or_else(|| span.service.clone());
            revisions.insert(format!("{service}@{revision}"));
        }
    }
    let mut services: Vec<TraceService> = services
        .into_iter()
        .map(|(name, (spans, errors))| TraceService {
            name: name.to_owned(),
            spans,
            errors,
        })
        .collect();
    services.sort_by_key(|service| Reverse(service.spans));

    TraceSummary {
        id: trace.id,
        root_service: root.map(|span| span.service.clone()).unwrap_or_default(),
        root_operation: root.map(|span| span.operation.clone()).unwrap_or_default(),
        start_ns,
        duration_ns: end_ns.unwrap_or(0).saturating_sub(start_ns),
        spans: trace.spans.len(),
        errors,
        orphans: trace.spans.iter().filter(|span| is_orphan(span)).count(),
        services,
        revisions: revisions.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{span, trace};
    use super::summarize;
    use crate::trace::{SpanKind, Value};

    #[test]
    fn a_trace_is_summed_up_on_one_line() {
        let mut canary = span(3, Some(2), 30, 50);
        canary.service = "reviews.shop".to_owned();
        for (key, value) in [
            ("istio.canonical_service", "reviews"),
            ("istio.canonical_revision", "v2"),
            ("response_flags", "UO"),
        ] {
            canary
                .attributes
                .insert(key.to_owned(), Value::Text(value.to_owned()));
        }
        let mut root = span(1, None, 10, 40);
        root.kind = SpanKind::Server;
        let summary = summarize(&trace(vec![
            canary,
            root,
            span(2, Some(1), 5, 1),
            span(4, Some(99), 20, 1),
        ]));
        assert_eq!(summary.root_operation, "op1");
        assert_eq!((summary.start_ns, summary.duration_ns), (5, 75));
        assert_eq!((summary.spans, summary.errors, summary.orphans), (4, 1, 1));
        assert_eq!(summary.revisions, ["reviews@v2"]);
        let services: Vec<(&str, usize, usize)> = summary
            .services
            .iter()
            .map(|s| (s.name.as_str(), s.spans, s.errors))
            .collect();
        assert_eq!(services, [("svc", 3, 0), ("reviews.shop", 1, 1)]);
    }

    #[test]
    fn without_a_root_the_earliest_orphan_stands_for_it() {
        let summary = summarize(&trace(vec![
            span(5, Some(9), 20, 1),
            span(6, Some(9), 10, 1),
            span(7, Some(6), 0, 1),
        ]));
        assert_eq!(summary.root_operation, "op6");
        assert_eq!(summary.orphans, 2);
    }

    #[test]
    fn a_missing_start_does_not_stretch_a_trace_back_to_1970() {
        let epoch = 1_700_000_000_000_000_000;
        let summary = summarize(&trace(vec![
            span(1, None, epoch, 9),
            span(2, Some(1), 0, 3),
        ]));
        assert_eq!((summary.start_ns, summary.duration_ns), (epoch, 9));
    }

    #[test]
    fn an_empty_trace_has_no_numbers_to_invent() {
        let summary = summarize(&trace(Vec::new()));
        assert_eq!((summary.spans, summary.duration_ns), (0, 0));
        assert_eq!(summary.root_service, "");
    }
}
