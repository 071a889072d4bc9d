//! Traces: found again by id, shaped as Istio's, telling the same story as the metrics.

use std::collections::BTreeMap;

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_core::ports::{Measure, TraceSearch, WriteMode};
use pilothouse_core::trace::{Span, SpanKind, Trace, TraceId, TraceSummary, summarize};
use pilothouse_core::traffic::OpKind;
use serde_json::json;

use crate::testing::{Bench, NOON, ask, block, op, reviews, table};

fn hour() -> TraceSearch {
    TraceSearch {
        from: NOON.minus(TimeSpan::seconds(3_600)),
        to: NOON,
        limit: 10_000,
        ..TraceSearch::default()
    }
}

fn find(bench: &Bench, search: &TraceSearch) -> Vec<TraceSummary> {
    block(bench.mesh.traces().find(search)).unwrap().traces
}

fn show(bench: &Bench, id: TraceId) -> Trace {
    block(bench.mesh.traces().trace(id)).unwrap().unwrap()
}

fn all(bench: &Bench, search: &TraceSearch) -> Vec<Trace> {
    let found = find(bench, search);
    found
        .iter()
        .map(|summary| show(bench, summary.id))
        .collect()
}

fn text(span: &Span, name: &str) -> String {
    span.attribute(&[name]).unwrap_or_default()
}

#[test]
fn one_trace_begins_in_every_second() {
    let found = find(&Bench::new(1), &hour());
    assert!((3_598..=3_601).contains(&found.len()), "{}", found.len());
    assert!(
        found.windows(2).all(|w| w[0].start_ns > w[1].start_ns),
        "newest first"
    );
}

#[test]
fn what_is_found_is_what_is_shown() {
    let bench = Bench::new(2);
    bench.set(NOON.minus(TimeSpan::seconds(1_800)));
    bench.shift_reviews([30, 30, 40]);
    bench.set(NOON);
    for summary in find(&bench, &hour()).iter().step_by(40) {
        assert_eq!(&summarize(&show(&bench, summary.id)), summary);
    }
    let strange = block(bench.mesh.traces().trace(TraceId(12_345))).unwrap();
    assert_eq!(strange, None);
}

#[test]
fn traces_form_one_tree_with_a_span_of_either_proxy() {
    let bench = Bench::new(1);
    for trace in all(
        &bench,
        &TraceSearch {
            limit: 200,
            ..hour()
        },
    ) {
        let by_id: BTreeMap<_, &Span> = trace.spans.iter().map(|s| (s.id, s)).collect();
        assert_eq!(by_id.len(), trace.spans.len());
        let roots: Vec<&Span> = trace.spans.iter().filter(|s| s.parent.is_none()).collect();
        assert_eq!(roots.len(), 1);
        assert_eq!(roots[0].service, "istio-ingressgateway.edge");
        let request = text(roots[0], "guid:x-request-id");
        for span in &trace.spans {
            assert_eq!(text(span, "guid:x-request-id"), request);
            let Some(parent) = span.parent.map(|id| by_id[&id]) else {
                continue;
            };
            if span.kind == SpanKind::Server {
                assert_eq!(parent.kind, SpanKind::Client);
                assert_ne!(span.service, parent.service);
                assert!(text(span, "upstream_cluster").starts_with("inbound|"));
            } else {
                assert_eq!(
                    (span.kind, parent.kind),
                    (SpanKind::Client, SpanKind::Server)
                );
                assert_eq!(span.service, parent.service);
            }
            assert!(span.start_ns >= parent.start_ns);
        }
    }
}

#[test]
fn spans_name_the_subset_that_took_the_request() {
    let bench = Bench::new(1);
    let v2 = [
        ("istio.canonical_service", "reviews"),
        ("istio.canonical_revision", "v2"),
    ];
    let search = TraceSearch {
        attributes: v2.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        limit: 1,
        ..hour()
    };
    let trace = all(&bench, &search).remove(0);
    let client = trace
        .spans
        .iter()
        .find(|s| s.service == "catalog.shop" && s.operation.starts_with("reviews.shop"))
        .unwrap();
    assert_eq!(
        text(client, "upstream_cluster"),
        "outbound|9080|v2|reviews.shop.svc.cluster.local"
    );
    let node = text(client, "node_id");
    assert!(node.starts_with("sidecar~10.244."), "{node}");
    assert!(node.ends_with(".shop~shop.svc.cluster.local"), "{node}");
}

/// Requests to reviews by version, in a search.
fn versions(bench: &Bench, search: &TraceSearch) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for summary in find(bench, search) {
        for revision in summary
            .revisions
            .iter()
            .filter_map(|r| r.strip_prefix("reviews@"))
        {
            *counts.entry(revision.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

#[test]
fn traces_follow_a_shift() {
    let bench = Bench::new(1);
    let half = NOON.minus(TimeSpan::seconds(1_800));
    bench.set(half);
    bench.shift_reviews([0, 50, 50]);
    bench.set(NOON);
    let before = versions(
        &bench,
        &TraceSearch {
            to: Moment(half.0 - 1),
            ..hour()
        },
    );
    let after = versions(
        &bench,
        &TraceSearch {
            from: half,
            ..hour()
        },
    );
    assert!(before.keys().eq(["v1", "v2"]), "{before:?}");
    assert!(after.keys().eq(["v2", "v3"]), "{after:?}");
    let (v1, v2) = (before["v1"], before["v2"]);
    assert!(v1 > 6 * v2 && v1 < 13 * v2, "{before:?}");
    let (v2, v3) = (after["v2"], after["v3"]);
    assert!(v2 * 10 > v3 * 8 && v3 * 10 > v2 * 8, "{after:?}");
}

#[test]
fn traces_fail_as_often_as_the_metrics_say() {
    let bench = Bench::new(1);
    bench.set(NOON.minus(TimeSpan::seconds(3_700)));
    bench.shift_reviews([0, 50, 50]);
    bench.set(NOON);
    let mut seen = [0.0_f64; 2];
    let mut took = 0.0;
    for trace in all(&bench, &hour()) {
        for span in trace
            .spans
            .iter()
            .filter(|s| s.kind == SpanKind::Server && text(s, "istio.canonical_revision") == "v3")
        {
            seen[usize::from(span.is_error())] += 1.0;
            took += f64::from(u32::try_from(span.duration_ns / 1_000).unwrap()) / 1_000.0;
        }
    }
    let total = seen[0] + seen[1];
    let matchers = [
        ("reporter", "destination"),
        ("destination_workload", "reviews-v3"),
    ];
    let mean = |measure| bench.query(&ask(measure, &[], &matchers, NOON))[0].value;
    let expected_ms = mean(Measure::LatencySum) / mean(Measure::LatencyCount);
    let codes = table(&bench.query(&ask(Measure::Requests, &["response_code"], &matchers, NOON)));
    let expected = codes["500"] / codes.values().sum::<f64>();
    assert!(total > 900.0);
    assert!(
        (seen[1] / total - expected).abs() < 0.03,
        "{seen:?} {expected}"
    );
    assert!(
        (took / total - expected_ms).abs() < 0.1 * expected_ms,
        "{} {expected_ms}",
        took / total
    );
}

#[test]
fn every_condition_of_a_search_holds() {
    let bench = Bench::new(1);
    let errors = TraceSearch {
        only_errors: true,
        ..hour()
    };
    let failed = all(&bench, &errors);
    assert!(failed.len() > 5, "{}", failed.len());
    assert!(failed.iter().all(|t| t.spans.iter().any(Span::is_error)));
    let good = find(&bench, &hour())
        .iter()
        .filter(|t| t.errors == 0)
        .count();
    assert_eq!(good + failed.len(), find(&bench, &hour()).len());

    let slow = TraceSearch {
        min_duration_ns: Some(150_000_000),
        ..hour()
    };
    let quick = TraceSearch {
        max_duration_ns: Some(149_999_999),
        ..hour()
    };
    let (slow, quick) = (find(&bench, &slow), find(&bench, &quick));
    assert!(!slow.is_empty() && slow.iter().all(|t| t.duration_ns >= 150_000_000));
    assert_eq!(slow.len() + quick.len(), find(&bench, &hour()).len());

    let ledger = TraceSearch {
        service: Some("ledger.payments".to_owned()),
        ..hour()
    };
    let paid = find(&bench, &ledger);
    assert!(!paid.is_empty());
    assert!(
        paid.iter()
            .all(|t| t.services.iter().any(|s| s.name == "ledger.payments"))
    );
    let operation = TraceSearch {
        operation: Some("web-bff.edge.svc.cluster.local:8080/cart*".to_owned()),
        limit: 3,
        ..hour()
    };
    let found = block(bench.mesh.traces().find(&operation)).unwrap();
    assert_eq!((found.traces.len(), found.partial), (3, true));
    assert!(
        found
            .traces
            .iter()
            .all(|t| t.root_operation.ends_with("/cart*"))
    );
}

#[test]
fn listed_services_and_operations_are_those_of_the_spans() {
    let bench = Bench::new(1);
    let traces = bench.mesh.traces();
    let services = block(traces.services()).unwrap();
    assert!(services.is_sorted());
    for trace in all(
        &bench,
        &TraceSearch {
            limit: 300,
            ..hour()
        },
    ) {
        for span in &trace.spans {
            assert!(services.contains(&span.service), "{}", span.service);
            let operations = block(traces.operations(&span.service)).unwrap();
            assert!(operations.contains(&span.operation), "{}", span.operation);
        }
    }
}

#[test]
fn retries_are_siblings_of_one_request() {
    let bench = Bench::new(1);
    let retried = all(&bench, &hour()).into_iter().find_map(|trace| {
        let to_ratings: Vec<Span> = trace
            .spans
            .into_iter()
            .filter(|s| s.kind == SpanKind::Client && s.operation.starts_with("ratings."))
            .collect();
        let siblings = to_ratings.len() > 1 && to_ratings[0].parent == to_ratings[1].parent;
        siblings.then_some(to_ratings)
    });
    let tries = retried.unwrap();
    assert!(tries[0].is_error() && tries[1].start_ns >= tries[0].end_ns());
}

#[test]
fn faults_show_their_flags() {
    let bench = Bench::new(1);
    bench.set(NOON.minus(TimeSpan::seconds(3_700)));
    let fault = json!({ "abort": { "httpStatus": 503, "percentage": { "value": 20.0 } } });
    let ops = [op(OpKind::Add, "/spec/http/0/fault", fault)];
    bench.patch(&reviews(), &ops, WriteMode::Apply).unwrap();
    bench.set(NOON);
    let search = TraceSearch {
        attributes: [("response_flags".to_owned(), "FI".to_owned())].into(),
        limit: 5,
        ..hour()
    };
    for trace in all(&bench, &search) {
        let aborted = trace
            .spans
            .iter()
            .find(|s| text(s, "response_flags") == "FI")
            .unwrap();
        assert_eq!(aborted.http_status(), Some(503));
        assert!(trace.spans.iter().all(|s| s.parent != Some(aborted.id)));
    }
}

#[test]
fn nothing_from_the_future_is_found() {
    let bench = Bench::new(1);
    let late = TraceSearch {
        from: NOON,
        to: NOON.plus(TimeSpan::seconds(3_600)),
        ..hour()
    };
    assert_eq!(find(&bench, &late), []);
    bench.set(NOON.plus(TimeSpan::seconds(60)));
    let found = find(&bench, &late);
    assert!((57..=60).contains(&found.len()), "{}", found.len());
    let newest = found[0].id;
    bench.set(NOON);
    assert_eq!(block(bench.mesh.traces().trace(newest)).unwrap(), None);
}
