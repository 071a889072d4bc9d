//! What a change does, when, and that it changes nothing before it.

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_core::ports::Measure;

use crate::testing::{Bench, NOON, ask, table};

/// Share of `reviews-v3` in the requests to reviews over a window of 60 s.
fn canary_share(bench: &Bench, at: Moment) -> f64 {
    let matchers = [
        ("reporter", "source"),
        ("destination_service_name", "reviews"),
    ];
    let rows = table(&bench.query(&ask(
        Measure::Requests,
        &["destination_workload"],
        &matchers,
        at,
    )));
    rows.get("reviews-v3").copied().unwrap_or(0.0) / rows.values().sum::<f64>()
}

#[test]
fn rates_follow_a_shift_within_its_window() {
    let bench = Bench::new(1);
    bench.shift_reviews([10, 65, 25]);
    let after = |seconds: i64| canary_share(&bench, NOON.plus(TimeSpan::seconds(seconds)));
    assert!(after(0).abs() < 1e-12);
    for (seconds, expected) in [(15, 0.0625), (30, 0.125), (60, 0.25), (600, 0.25)] {
        // The swing makes the seconds of a window weigh a little differently.
        assert!(
            (after(seconds) - expected).abs() < 2e-3,
            "{seconds}: {}",
            after(seconds)
        );
    }
}

#[test]
fn the_past_stays_as_it_was() {
    let bench = Bench::new(1);
    let earlier = NOON.minus(TimeSpan::seconds(300));
    let query = ask(Measure::Requests, &crate::labels::LABELS, &[], earlier);
    let (rows, text) = (bench.query(&query), bench.mesh.exposition(earlier));
    bench.shift_reviews([0, 0, 100]);
    assert_eq!(bench.query(&query), rows);
    assert_eq!(bench.mesh.exposition(earlier), text);
}

#[test]
fn counters_never_fall() {
    let bench = Bench::new(1);
    bench.shift_reviews([30, 30, 40]);
    bench.set(NOON.plus(TimeSpan::seconds(40)));
    bench.shift_reviews([100, 0, 0]);
    let totals: Vec<f64> = [-60, 0, 20, 40, 41, 100]
        .into_iter()
        .map(|seconds| {
            let text = bench.mesh.exposition(NOON.plus(TimeSpan::seconds(seconds)));
            text.lines()
                .filter(|line| {
                    line.starts_with("istio_requests_total{") && line.contains("reviews-v3")
                })
                .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
                .sum()
        })
        .collect();
    assert!(totals.is_sorted(), "{totals:?}");
    assert!(totals[5] > 0.0);
}

#[test]
fn a_version_that_lost_its_traffic_stays_as_an_idle_row() {
    let bench = Bench::new(1);
    bench.shift_reviews([50, 0, 50]);
    bench.set(NOON.plus(TimeSpan::seconds(100)));
    bench.shift_reviews([100, 0, 0]);
    let matchers = [("destination_workload", "reviews-v3")];
    let at = NOON.plus(TimeSpan::seconds(400));
    let mut query = ask(Measure::Requests, &["destination_workload"], &matchers, at);
    assert_eq!(bench.query(&query), []);
    query.idle = true;
    assert_eq!(
        table(&bench.query(&query)),
        [("reviews-v3".to_owned(), 0.0)].into()
    );
}

#[test]
fn the_canary_gets_worse_the_more_it_gets() {
    let failing = |share: i64| {
        let bench = Bench::new(1);
        bench.shift_reviews([0, 100 - share, share]);
        let matchers = [
            ("reporter", "source"),
            ("destination_workload", "reviews-v3"),
        ];
        let at = NOON.plus(TimeSpan::seconds(60));
        let codes = table(&bench.query(&ask(Measure::Requests, &["response_code"], &matchers, at)));
        let p95 = bench.query(&ask(Measure::LatencyQuantile(950), &[], &matchers, at));
        (codes["500"] / codes.values().sum::<f64>(), p95[0].value)
    };
    let (few, slow) = failing(5);
    let (many, slower) = failing(50);
    assert!(few < 0.02 && many > 0.08, "{few} {many}");
    assert!(slow > 200.0 && slower > slow * 1.5, "{slow} {slower}");
}
