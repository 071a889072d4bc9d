//! Shares: which rows count for which destination, and what stays unknown.

use serde_json::{Value, json};

use super::*;
use crate::traffic::read_splits;
use crate::traffic::samples::{deployment, destination_rule, service, to_subset, virtual_service};

const HOST: &str = "reviews.shop.svc.cluster.local";

fn split_of(route: &Value) -> Split {
    let mut objects = vec![
        service("shop", "reviews"),
        deployment("shop", "reviews", "v1", 2),
        deployment("shop", "reviews", "v2", 2),
        destination_rule("shop", "reviews", &["v1", "v2"]),
    ];
    let subsets = objects[3].doc["spec"]["subsets"].as_array_mut().unwrap();
    subsets.push(json!({"name": "all"}));
    subsets.push(json!({"name": "first", "labels": {"version": "v1"}}));
    subsets.push(json!({"name": "canary", "labels": {"track": "canary"}}));
    objects.push(virtual_service(json!([{ "route": route }])));
    read_splits(&objects).into_iter().next().unwrap()
}

fn split() -> Split {
    split_of(&json!([to_subset("v1", 90), to_subset("v2", 10)]))
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

fn observe(split: &Split, rows: &[MetricRow]) -> Vec<ObservedDestination> {
    observe_split(split, Some(rows), None, TimeSpan::seconds(60))
}

fn ratios(rows: &[MetricRow]) -> Vec<Option<f64>> {
    observe(&split(), rows).iter().map(|d| d.ratio).collect()
}

fn requests(split: &Split, rows: &[MetricRow]) -> Vec<Option<f64>> {
    let seen = observe(split, rows);
    seen.iter().map(|d| d.requests.map(f64::round)).collect()
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
fn requests_that_reach_no_workload_are_counted_apart() {
    let rows = [
        row("source", "reviews-v1", "200", 10.0),
        row("source", "unknown", "503", 7.5),
        row("destination", "unknown", "503", 7.5),
    ];
    assert_eq!(unserved(&rows), BTreeMap::from([(HOST, 7.5)]));
    assert_eq!(unserved(&rows[..1]), BTreeMap::new());
}

#[test]
fn errors_requests_and_interval() {
    let rows = [
        row("source", "reviews-v1", "200", 8.0),
        row("source", "reviews-v1", "503", 1.0),
        row("source", "reviews-v1", "0", 1.0),
        row("source", "reviews-v2", "200", 10.0),
    ];
    let seen = observe(&split(), &rows);
    assert_eq!(seen[0].requests, Some(600.0));
    assert_eq!(
        seen[0].error_ratio,
        Some(0.2),
        "no response is an error, too"
    );
    let interval = seen[0].interval.unwrap();
    assert!(interval.contains(0.5) && interval.half_width() < 0.03);
}

/// A subset that stands twice, under one or under two names, gets what its pods got, once.
#[test]
fn one_backing_is_counted_once_and_shared_out_by_weight() {
    let rows = [
        row("source", "reviews-v1", "200", 70.0),
        row("source", "reviews-v2", "200", 30.0),
    ];
    for other in ["v1", "first"] {
        let split = split_of(&json!([
            to_subset("v1", 50),
            to_subset(other, 20),
            to_subset("v2", 30)
        ]));
        let seen = requests(&split, &rows);
        assert_eq!(seen, [Some(3000.0), Some(1200.0), Some(1800.0)], "{other}");
    }
    let off = split_of(&json!([
        to_subset("v1", 0),
        to_subset("v1", 0),
        to_subset("v2", 1)
    ]));
    let seen = requests(&off, &rows);
    assert_eq!(seen, [Some(2100.0), Some(2100.0), Some(1800.0)]);
}

#[test]
fn overlapping_backings_are_unknown_and_others_keep_their_share() {
    let elsewhere = json!({"destination": {"host": "api.example.com"}, "weight": 25});
    let split = split_of(&json!([
        to_subset("all", 50),
        to_subset("v2", 25),
        elsewhere
    ]));
    let mut external = row("source", "gateway", "200", 1.0);
    external.labels.insert(
        "destination_service".to_owned(),
        "api.example.com".to_owned(),
    );
    let rows = [row("source", "reviews-v2", "200", 3.0), external];
    let seen = observe(&split, &rows);
    assert_eq!(seen[0], ObservedDestination::default());
    assert_eq!(seen[1], ObservedDestination::default());
    assert_eq!(seen[2].ratio, Some(0.25));
    let mut codes = split.findings.iter().map(|f| f.code.as_str());
    assert!(codes.any(|code| code == "destinations-overlap"));
}

#[test]
fn subsets_of_which_nothing_is_known_take_no_requests_of_each_other() {
    let mut split = split();
    for destination in &mut split.destinations {
        destination.workloads.clear();
        destination.revision = None;
        destination.ready = None;
    }
    let rows = [row("source", "reviews-0", "200", 3.0)];
    assert_eq!(requests(&split, &rows), [None, None]);
    split.destinations.pop();
    assert_eq!(requests(&split, &rows), [Some(180.0)]);
}

#[test]
fn what_nobody_stands_behind_gets_nothing_and_takes_nothing() {
    let rows = [row("source", "reviews-v1", "200", 3.0)];
    for subset in ["undefined", "canary"] {
        let split = split_of(&json!([to_subset("v1", 50), to_subset(subset, 50)]));
        let seen = requests(&split, &rows);
        assert_eq!(seen, [Some(180.0), Some(0.0)], "{subset}");
    }
}

#[test]
fn waypoints_speak_where_no_caller_does() {
    let rows = [
        row("waypoint", "reviews-v1", "200", 3.0),
        row("waypoint", "reviews-v2", "200", 1.0),
        row("destination", "reviews-v2", "200", 7.0),
        row("source", "reviews-v2", "200", 9.0),
    ];
    assert_eq!(ratios(&rows[..3]), [Some(0.75), Some(0.25)]);
    assert_eq!(ratios(&rows), [Some(0.0), Some(1.0)]);
}

#[test]
fn quantiles_are_the_callees_and_have_no_end_in_the_open_bucket() {
    let rows = [
        row("destination", "reviews-v1", "", 3_600_000.0),
        row("waypoint", "reviews-v1", "", 5.0),
        row("waypoint", "reviews-v2", "", 8.0),
        row("source", "reviews-v2", "", 9.0),
    ];
    let p95 = |rows: &[MetricRow]| {
        let seen = observe_split(&split(), None, Some(rows), TimeSpan::seconds(60));
        [seen[0].p95_ms, seen[1].p95_ms]
    };
    assert_eq!(p95(&rows), [Some(f64::INFINITY), Some(8.0)]);
    assert_eq!(
        p95(&[row("waypoint", "reviews-v1", "", f64::NAN)]),
        [None, None]
    );
}

#[test]
fn unknown_is_never_zero() {
    let unknown = observe_split(&split(), None, None, TimeSpan::seconds(60));
    assert_eq!(unknown, [ObservedDestination::default(); 2]);
    let broken = row("source", "reviews-v1", "200", f64::NAN);
    let lost = row("source", "unknown", "503", 5.0);
    for silent in [&[][..], &[broken, lost]] {
        assert_eq!(observe(&split(), silent), unknown, "nobody speaks of it");
    }
    let idle = [row("source", "reviews-v1", "200", 0.0)];
    assert_eq!(requests(&split(), &idle), [Some(0.0), Some(0.0)]);
    assert_eq!(ratios(&idle), [None, None]);
}
