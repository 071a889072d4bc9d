//! Rows and counters: labels, conservation, determinism, and agreement with the exposition.

use std::collections::BTreeMap;

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_core::ports::{MatchOp, Measure, MetricsQuery};
use proptest::prelude::*;

use crate::labels::LABELS;
use crate::latency::{BOUNDS, Buckets, quantile};
use crate::testing::{Bench, NOON, ask, table};

#[test]
fn rows_carry_istios_labels() {
    let bench = Bench::new(1);
    let query = |matchers: &[(&str, &str)]| {
        let mut rows = bench.query(&ask(Measure::Requests, &LABELS, matchers, NOON));
        rows.sort_by(|a, b| b.value.total_cmp(&a.value));
        rows.into_iter().map(|row| row.labels).next().unwrap()
    };
    let label = |labels: &BTreeMap<String, String>, name: &str| labels.get(name).cloned();
    let served = query(&[
        ("destination_workload", "reviews-v1"),
        ("reporter", "destination"),
    ]);
    for (name, value) in [
        ("source_workload", "catalog-v1"),
        ("source_workload_namespace", "shop"),
        ("source_canonical_service", "catalog"),
        ("source_canonical_revision", "v1"),
        ("source_cluster", "Kubernetes"),
        ("destination_service", "reviews.shop.svc.cluster.local"),
        ("destination_service_name", "reviews"),
        ("destination_service_namespace", "shop"),
        ("destination_canonical_revision", "v1"),
        ("request_protocol", "http"),
        ("response_code", "200"),
        ("response_flags", "-"),
        ("connection_security_policy", "mutual_tls"),
    ] {
        assert_eq!(label(&served, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(label(&served, "grpc_response_status"), None);

    let outside = query(&[("destination_service_name", "PassthroughCluster")]);
    for (name, value) in [
        ("reporter", "source"),
        ("source_workload", "fraud-v1"),
        ("destination_service", "risk.example.com"),
        ("destination_service_namespace", "unknown"),
        ("destination_workload", "unknown"),
        ("destination_cluster", "unknown"),
        ("connection_security_policy", "unknown"),
    ] {
        assert_eq!(label(&outside, name).as_deref(), Some(value), "{name}");
    }

    let grpc = query(&[("destination_workload", "ledger-v1")]);
    assert_eq!(label(&grpc, "request_protocol").as_deref(), Some("grpc"));
    assert_eq!(label(&grpc, "grpc_response_status").as_deref(), Some("0"));
}

#[test]
fn exactly_one_call_is_in_plain_text() {
    let bench = Bench::new(1);
    let by = ["source_workload", "destination_workload"];
    let plain = [
        ("reporter", "destination"),
        ("connection_security_policy", "none"),
    ];
    let rows = bench.query(&ask(Measure::Requests, &by, &plain, NOON));
    let edges: Vec<String> = table(&rows).into_keys().collect();
    // Values stand in the order of label names: destination, source.
    assert_eq!(edges, ["auth-v1 web-bff-v1"]);
}

#[test]
fn what_callers_send_is_what_callees_get() {
    let bench = Bench::new(1);
    let by = [
        "source_workload",
        "destination_workload",
        "destination_service_name",
    ];
    let side = |reporter: &str, measure| {
        let mut rows = table(&bench.query(&ask(measure, &by, &[("reporter", reporter)], NOON)));
        // Retried calls reach their callee more than once; nobody reports from outside.
        rows.retain(|edge, _| !edge.contains("ratings") && !edge.contains("Passthrough"));
        rows
    };
    for measure in [
        Measure::Requests,
        Measure::TcpSentBytes,
        Measure::TcpReceivedBytes,
        Measure::GrpcSentMessages,
        Measure::GrpcReceivedMessages,
    ] {
        let (sent, received) = (side("source", measure), side("destination", measure));
        assert!(!sent.is_empty(), "{measure:?}");
        assert!(sent.keys().eq(received.keys()), "{measure:?}");
        for (edge, rate) in sent {
            assert!((rate - received[&edge]).abs() < 1e-3, "{measure:?} {edge}");
        }
    }
}

#[test]
fn what_goes_into_a_service_is_what_its_calls_are_made_of() {
    let bench = Bench::new(1);
    let total = |matchers: &[(&str, &str)]| {
        let rows = bench.query(&ask(Measure::Requests, &[], matchers, NOON));
        rows.iter().map(|row| row.value).sum::<f64>()
    };
    let into = total(&[
        ("reporter", "destination"),
        ("destination_workload", "web-bff-v1"),
    ]);
    let checks = total(&[
        ("reporter", "source"),
        ("source_workload", "web-bff-v1"),
        ("destination_service_name", "auth"),
    ]);
    assert!((into - checks).abs() < 1e-6, "{into} {checks}");
}

#[test]
fn the_ledger_fails_for_a_minute_every_few_minutes() {
    let bench = Bench::new(1);
    let failing = |at: Moment| {
        let matchers = [
            ("reporter", "destination"),
            ("destination_workload", "ledger-v1"),
        ];
        let mut query = ask(Measure::Requests, &["grpc_response_status"], &matchers, at);
        query.window = TimeSpan::seconds(10);
        let rows = table(&bench.query(&query));
        rows["13"] / rows.values().sum::<f64>()
    };
    let shares: Vec<f64> = (0..60)
        .map(|step| failing(NOON.plus(TimeSpan::seconds(60 * step))))
        .collect();
    let bad = shares.iter().filter(|share| **share > 0.05).count();
    assert!((4..=16).contains(&bad), "{shares:?}");
    assert!(
        shares.iter().all(|share| (0.001..0.07).contains(share)),
        "{shares:?}"
    );
}

#[test]
fn matchers_take_literal_values_and_the_absent_label() {
    let bench = Bench::new(1);
    let count = |label: &str, op, values: &[&str]| {
        let mut query = ask(Measure::Requests, &["request_protocol"], &[], NOON);
        query.matchers.push(pilothouse_core::ports::Matcher {
            label: label.to_owned(),
            op,
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        });
        table(&bench.query(&query)).into_keys().collect::<Vec<_>>()
    };
    assert_eq!(count("grpc_response_status", MatchOp::In, &[""]), ["http"]);
    assert_eq!(
        count("grpc_response_status", MatchOp::NotIn, &[""]),
        ["grpc"]
    );
    assert_eq!(
        count("response_code", MatchOp::In, &["200", "500"]),
        ["grpc", "http"]
    );
    assert_eq!(
        count("reporter", MatchOp::In, &[".*"]),
        Vec::<String>::new()
    );
    assert_eq!(
        count("no_such_label", MatchOp::NotIn, &["x"]),
        ["grpc", "http"]
    );
    assert_eq!(
        count("no_such_label", MatchOp::In, &["x"]),
        Vec::<String>::new()
    );
}

#[test]
fn equal_seeds_give_equal_bytes() {
    let (one, two) = (Bench::new(7), Bench::new(7));
    for bench in [&one, &two] {
        bench.shift_reviews([60, 20, 20]);
    }
    let later = NOON.plus(TimeSpan::seconds(90));
    assert_eq!(one.mesh.exposition(later), two.mesh.exposition(later));
    let query = ask(Measure::LatencyQuantile(950), &LABELS, &[], later);
    assert_eq!(one.query(&query), two.query(&query));
    assert_ne!(
        one.mesh.exposition(later),
        Bench::new(8).mesh.exposition(later)
    );
}

/// Samples of one metric: labels without `le`, `le`, value.
fn samples(text: &str, metric: &str) -> BTreeMap<(BTreeMap<String, String>, String), f64> {
    text.lines()
        .filter_map(|line| line.strip_prefix(metric)?.strip_prefix('{'))
        .map(|line| {
            let (labels, value) = line.rsplit_once("} ").unwrap();
            let mut labels: BTreeMap<String, String> = labels
                .split("\",")
                .map(|pair| {
                    let (name, value) = pair.split_once("=\"").unwrap();
                    (name.to_owned(), value.trim_end_matches('"').to_owned())
                })
                .collect();
            let bound = labels.remove("le").unwrap_or_default();
            ((labels, bound), value.parse().unwrap())
        })
        .collect()
}

/// Rates by two expositions a window apart.
fn rates(
    bench: &Bench,
    metric: &str,
    query: &MetricsQuery,
) -> BTreeMap<(BTreeMap<String, String>, String), f64> {
    let early = bench.mesh.exposition(query.at.minus(query.window));
    let early = samples(&early, metric);
    samples(&bench.mesh.exposition(query.at), metric)
        .into_iter()
        .map(|(key, value)| {
            let before = early.get(&key).copied().unwrap_or(0.0);
            (key, (value - before) / query.window.as_seconds())
        })
        .filter(|(_, rate)| *rate > 1e-5)
        .collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-4 * a.abs().max(b.abs()).max(1e-2)
}

#[test]
fn two_expositions_give_the_rates_of_the_port() {
    let bench = Bench::new(3);
    bench.shift_reviews([40, 30, 30]);
    // A window across the shift.
    let at = NOON.plus(TimeSpan::seconds(20));
    let metrics = [
        (Measure::Requests, "istio_requests_total"),
        (
            Measure::LatencyCount,
            "istio_request_duration_milliseconds_count",
        ),
        (
            Measure::LatencySum,
            "istio_request_duration_milliseconds_sum",
        ),
        (Measure::TcpSentBytes, "istio_tcp_received_bytes_total"),
        (Measure::TcpReceivedBytes, "istio_tcp_sent_bytes_total"),
        (Measure::GrpcSentMessages, "istio_request_messages_total"),
        (
            Measure::GrpcReceivedMessages,
            "istio_response_messages_total",
        ),
    ];
    for (measure, metric) in metrics {
        let query = ask(measure, &LABELS, &[], at);
        let scraped = rates(&bench, metric, &query);
        let rows = bench.query(&query);
        assert!(!rows.is_empty(), "{metric}");
        for row in rows.iter().filter(|row| row.value > 1e-3) {
            let key = (row.labels.clone(), String::new());
            assert!(
                close(scraped[&key], row.value),
                "{metric} {row:?} {}",
                scraped[&key]
            );
        }
        let known: Vec<_> = rows.iter().map(|row| &row.labels).collect();
        for ((labels, _), rate) in scraped.iter().filter(|(_, rate)| **rate > 1e-3) {
            assert!(known.contains(&labels), "{metric} {labels:?} {rate}");
        }
    }
}

#[test]
fn quantiles_of_the_buckets_are_the_quantiles_of_the_port() {
    let bench = Bench::new(3);
    bench.shift_reviews([40, 30, 30]);
    let at = NOON.plus(TimeSpan::seconds(60));
    let by = ["destination_workload", "reporter"];
    let query = ask(Measure::LatencyQuantile(950), &by, &[], at);
    let mut groups: BTreeMap<BTreeMap<String, String>, (Buckets, f64)> = BTreeMap::new();
    for ((mut labels, bound), rate) in
        rates(&bench, "istio_request_duration_milliseconds_bucket", &query)
    {
        labels.retain(|name, _| by.contains(&name.as_str()));
        let group = groups.entry(labels).or_insert(([0.0; BOUNDS.len()], 0.0));
        match BOUNDS.iter().position(|b| b.to_string() == bound) {
            Some(index) => group.0[index] += rate,
            None => group.1 += rate,
        }
    }
    let rows = bench.query(&query);
    assert_eq!(rows.len(), groups.len());
    for row in rows {
        let (buckets, total) = &groups[&row.labels];
        let expected = quantile(0.95, buckets, *total).unwrap();
        assert!(close(expected, row.value), "{row:?} {expected}");
    }
}

#[test]
fn a_thousand_services_are_all_there() {
    let bench = Bench::sized(2, 1_000);
    let world = bench.mesh.world();
    let inside = world.namespaces().len();
    assert!((80..=90).contains(&inside), "{inside}");
    let by = [
        "source_workload",
        "source_workload_namespace",
        "destination_service",
    ];
    let rows = bench.query(&ask(
        Measure::Requests,
        &by,
        &[("reporter", "source")],
        NOON,
    ));
    assert!(rows.len() > 2_000, "{}", rows.len());
    let busiest = rows.iter().map(|row| row.value).fold(0.0, f64::max);
    assert!(busiest < 5_000.0, "{busiest}");
    let both = ["destination_service"];
    let services = bench.query(&ask(Measure::Requests, &both, &[], NOON));
    let bytes = bench.query(&ask(Measure::TcpSentBytes, &both, &[], NOON));
    assert!(
        services.len() + bytes.len() > 900,
        "{}",
        services.len() + bytes.len()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn rates_of_adjacent_windows_average_to_the_rate_of_both(
        start in 0_i64..3_600, first in 1_i64..900, second in 1_i64..900,
    ) {
        let bench = Bench::new(4);
        let (a, b) = (start + first, start + first + second);
        let total = |from: i64, to: i64| {
            let mut query = ask(Measure::Requests, &["destination_workload"], &[], NOON.plus(TimeSpan::seconds(to)));
            query.window = TimeSpan::seconds(to - from);
            let rows = table(&bench.query(&query));
            rows.into_iter().map(|(key, rate)| (key, rate * query.window.as_seconds())).collect::<BTreeMap<_, _>>()
        };
        let (one, two, both) = (total(start, a), total(a, b), total(start, b));
        for (workload, count) in both {
            prop_assert!((count - one[&workload] - two[&workload]).abs() < 1e-3);
        }
    }
}
