//! Shares: which rows count for which destination, and what stays unknown.

use serde_json::json;

use super::*;
use crate::traffic::read_splits;
use crate::traffic::samples::{deployment, destination_rule, service, virtual_service};

const HOST: &str = "reviews.shop.svc.cluster.local";

fn split() -> Split {
    let route = |subset: &str, weight: i64| json!({"destination": {"host": "reviews", "subset": subset}, "weight": weight});
    let objects = [
        service("shop", "reviews"),
        deployment("shop", "reviews", "v1", 2),
        deployment("shop", "reviews", "v2", 2),
        destination_rule("shop", "reviews", &["v1", "v2"]),
        virtual_service(json!([{"route": [route("v1", 90), route("v2", 10)]}])),
    ];
    read_splits(&objects).into_iter().next().unwrap()
}

fn row(reporter: &str, workload: &str, code: &str, value: f64) -> MetricRow {
    let revision = workload.rsplit('-').next().unwrap();
    let labels = [
        ("reporter", reporter),
        ("destination_service", HOST),
        ("destination_workload_namespace", "shop"),
        ("destination_workload", workload),
        ("destination_canonical_revision", revision),
        ("request_protocol", "http"),
        ("response_code", code),
    ];
    MetricRow {
        labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        value,
    }
}

fn ratios(rows: &[MetricRow]) -> Vec<Option<f64>> {
    observe_split(&split(), Some(rows), None, TimeSpan::seconds(60))
        .iter()
        .map(|d| d.ratio)
        .collect()
}

#[test]
fn callers_rows_count_and_are_never_mixed_with_the_callees() {
    let rows = [
        row("source", "reviews-v1", "200", 3.0),
        row("source", "reviews-v2", "200", 1.0),
        row("destination", "reviews-v1", "200", 100.0),
    ];
    assert_eq!(ratios(&rows), [Some(0.75), Some(0.25)]);
    assert_eq!(
        ratios(&rows[2..]),
        [Some(1.0), Some(0.0)],
        "the callees' rows serve where no caller reports"
    );
}

#[test]
fn what_envoy_could_not_attribute_belongs_to_nobody() {
    let mut lost = row("source", "unknown", "503", 5.0);
    lost.labels
        .insert("response_flags".to_owned(), "UH".to_owned());
    let rows = [
        row("source", "reviews-v1", "200", 1.0),
        row("source", "reviews-v2", "200", 1.0),
        lost,
    ];
    assert_eq!(ratios(&rows), [Some(0.5), Some(0.5)]);
}

#[test]
fn errors_requests_and_interval() {
    let rows = [
        row("source", "reviews-v1", "200", 8.0),
        row("source", "reviews-v1", "503", 1.0),
        row("source", "reviews-v1", "0", 1.0),
        row("source", "reviews-v2", "200", 10.0),
    ];
    let seen = observe_split(&split(), Some(&rows), None, TimeSpan::seconds(60));
    assert_eq!(seen[0].requests, Some(600.0));
    assert_eq!(
        seen[0].error_ratio,
        Some(0.2),
        "no response is an error, too"
    );
    let interval = seen[0].interval.unwrap();
    assert!(interval.contains(0.5) && interval.half_width() < 0.03);
}

#[test]
fn no_answer_is_unknown_and_no_requests_have_no_share() {
    let unknown = observe_split(&split(), None, None, TimeSpan::seconds(60));
    assert!(
        unknown
            .iter()
            .all(|d| d.requests.is_none() && d.rate.is_none() && d.ratio.is_none())
    );
    let silent = observe_split(&split(), Some(&[]), None, TimeSpan::seconds(60));
    assert!(
        silent
            .iter()
            .all(|d| d.requests == Some(0.0) && d.ratio.is_none() && d.error_ratio.is_none())
    );
}
