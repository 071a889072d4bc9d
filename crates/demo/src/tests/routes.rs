//! Effects of declared routes: faults, timeouts, missing subsets, no endpoints, both APIs.

use pilothouse_core::model::{ObjectKind, ObjectRef, TimeSpan};
use pilothouse_core::ports::{Measure, WriteMode};
use pilothouse_core::traffic::OpKind;
use serde_json::{Value, json};

use crate::testing::{Bench, NOON, ask, op, reviews, table};

/// Shares of `destination_workload response_code response_flags` as the callers of a service see them.
fn seen(bench: &Bench, service: &str) -> Vec<(String, f64)> {
    let by = ["destination_workload", "response_code", "response_flags"];
    let matchers = [
        ("reporter", "source"),
        ("destination_service_name", service),
    ];
    let at = NOON.plus(TimeSpan::seconds(60));
    let rows = table(&bench.query(&ask(Measure::Requests, &by, &matchers, at)));
    let total: f64 = rows.values().sum();
    rows.into_iter()
        .map(|(key, rate)| (key, rate / total))
        .filter(|(_, share)| *share > 0.01)
        .collect()
}

fn check(bench: &Bench, service: &str, expected: &[(&str, f64)]) {
    let found = seen(bench, service);
    let names: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    let wanted: Vec<&str> = expected.iter().map(|(key, _)| *key).collect();
    assert_eq!(names, wanted, "{found:?}");
    for ((key, share), (_, wanted)) in found.iter().zip(expected) {
        assert!((share - wanted).abs() < 0.01, "{key}: {share}");
    }
}

fn apply(bench: &Bench, object: &ObjectRef, path: &str, value: Value) {
    let ops = [op(OpKind::Add, path, value)];
    bench.patch(object, &ops, WriteMode::Apply).unwrap();
}

#[test]
fn an_injected_abort_is_answered_by_the_callers_proxy() {
    let bench = Bench::new(1);
    let fault = json!({ "abort": { "httpStatus": 418, "percentage": { "value": 25.0 } } });
    apply(&bench, &reviews(), "/spec/http/0/fault", fault);
    check(
        &bench,
        "reviews",
        &[
            ("reviews-v1 200 -", 0.675),
            ("reviews-v2 200 -", 0.075),
            ("unknown 418 FI", 0.25),
        ],
    );
}

#[test]
fn an_injected_delay_is_felt_by_the_caller_only() {
    let bench = Bench::new(1);
    let fault = json!({ "delay": { "fixedDelay": "2s", "percentage": { "value": 50.0 } } });
    apply(&bench, &reviews(), "/spec/http/0/fault", fault);
    let p95 = |reporter: &str| {
        let matchers = [
            ("reporter", reporter),
            ("destination_service_name", "reviews"),
        ];
        let at = NOON.plus(TimeSpan::seconds(60));
        bench.query(&ask(Measure::LatencyQuantile(950), &[], &matchers, at))[0].value
    };
    assert!(p95("source") > 1_000.0, "{}", p95("source"));
    assert!(p95("destination") < 250.0, "{}", p95("destination"));
    check(
        &bench,
        "reviews",
        &[
            ("reviews-v1 200 -", 0.45),
            ("reviews-v1 200 DI", 0.45),
            ("reviews-v2 200 -", 0.05),
            ("reviews-v2 200 DI", 0.05),
        ],
    );
}

#[test]
fn a_timeout_is_504_for_the_caller_and_200_for_the_callee() {
    let bench = Bench::new(1);
    apply(&bench, &reviews(), "/spec/http/0/timeout", json!("20ms"));
    let late: f64 = seen(&bench, "reviews")
        .iter()
        .filter(|(key, _)| key.ends_with("504 UT"))
        .map(|(_, share)| share)
        .sum();
    assert!(late > 0.2, "{late}");
    let matchers = [
        ("reporter", "destination"),
        ("destination_service_name", "reviews"),
    ];
    let at = NOON.plus(TimeSpan::seconds(60));
    let codes = table(&bench.query(&ask(Measure::Requests, &["response_code"], &matchers, at)));
    assert!(!codes.contains_key("504"), "{codes:?}");
}

#[test]
fn a_subset_that_is_not_defined_is_no_cluster() {
    let bench = Bench::new(1);
    let rule = ObjectRef::new(ObjectKind::DestinationRule, "shop", "reviews");
    let ops = [op(OpKind::Replace, "/spec/subsets/0/name", json!("v0"))];
    bench.patch(&rule, &ops, WriteMode::Apply).unwrap();
    check(
        &bench,
        "reviews",
        &[("reviews-v2 200 -", 0.1), ("unknown 503 NC", 0.9)],
    );
}

#[test]
fn a_subset_without_ready_endpoints_is_no_healthy_upstream() {
    let bench = Bench::new(1);
    let deployment = ObjectRef::new(ObjectKind::Deployment, "shop", "reviews-v1");
    apply(&bench, &deployment, "/spec/replicas", json!(0));
    check(
        &bench,
        "reviews",
        &[("reviews-v2 200 -", 0.1), ("unknown 503 UH", 0.9)],
    );
}

#[test]
fn a_route_that_fits_nothing_is_no_route() {
    let bench = Bench::new(1);
    let nothing = json!([{ "uri": { "exact": "/nowhere" } }]);
    apply(&bench, &reviews(), "/spec/http/0/match", nothing);
    check(&bench, "reviews", &[("unknown 404 NR", 1.0)]);
}

#[test]
fn a_header_route_takes_the_testers() {
    let bench = Bench::new(1);
    let route = json!({
        "match": [{ "headers": { "end-user": { "exact": "tester" } } }],
        "route": [{ "destination": { "host": "reviews", "subset": "v3" } }],
    });
    apply(&bench, &reviews(), "/spec/http/0", route);
    check(
        &bench,
        "reviews",
        &[
            ("reviews-v1 200 -", 0.882),
            ("reviews-v2 200 -", 0.098),
            ("reviews-v3 200 -", 0.02),
        ],
    );
}

#[test]
fn backend_weights_of_an_http_route_split_services() {
    let bench = Bench::new(1);
    check(&bench, "checkout-v1", &[("checkout-v1 200 -", 1.0)]);
    let route = ObjectRef::new(ObjectKind::HttpRoute, "shop", "checkout");
    let rate = |service: &str| {
        let matchers = [
            ("reporter", "source"),
            ("destination_service_name", service),
        ];
        let at = NOON.plus(TimeSpan::seconds(60));
        let rows = bench.query(&ask(Measure::Requests, &[], &matchers, at));
        rows.iter().map(|row| row.value).sum::<f64>()
    };
    assert!((rate("checkout-v1") / rate("checkout-v2") - 19.0).abs() < 1e-6);
    for (index, weight) in [(0, 0), (1, 0)] {
        let path = format!("/spec/rules/0/backendRefs/{index}/weight");
        let ops = [op(OpKind::Replace, &path, json!(weight))];
        bench.patch(&route, &ops, WriteMode::Apply).unwrap();
    }
    // All zero is admitted, and every request answers 500.
    check(&bench, "checkout", &[("unknown 500 -", 1.0)]);
}

#[test]
fn turning_tls_off_shows_in_the_callees_rows() {
    let bench = Bench::new(1);
    let rule = ObjectRef::new(ObjectKind::DestinationRule, "shop", "reviews");
    apply(
        &bench,
        &rule,
        "/spec/trafficPolicy",
        json!({ "tls": { "mode": "DISABLE" } }),
    );
    let matchers = [
        ("reporter", "destination"),
        ("destination_service_name", "reviews"),
    ];
    let at = NOON.plus(TimeSpan::seconds(60));
    let by = ["connection_security_policy"];
    let rows = table(&bench.query(&ask(Measure::Requests, &by, &matchers, at)));
    assert!(rows.keys().eq(["none"]), "{rows:?}");
}
