use promql_parser::label::MatchOp as Parsed;
use promql_parser::parser::{Expr, VectorSelector};
use proptest::prelude::*;

use super::*;
use crate::model::Moment;

fn query(measure: Measure, by: &[&str], matchers: Vec<Matcher>) -> MetricsQuery {
    MetricsQuery {
        measure,
        by: by.iter().map(|&label| label.to_owned()).collect(),
        matchers,
        window: TimeSpan::seconds(60),
        at: Moment(0),
        idle: true,
    }
}

fn matching(label: &str, op: MatchOp, values: &[&str]) -> Matcher {
    Matcher {
        label: label.to_owned(),
        op,
        values: values.iter().map(|&value| value.to_owned()).collect(),
    }
}

#[test]
fn samples_are_a_range_of_one_metric() {
    let samples = |of, matchers| {
        write_samples(&SamplesQuery {
            of,
            matchers,
            window: TimeSpan::seconds(45),
            at: Moment(0),
        })
    };
    let hosts = matching("destination_service", MatchOp::In, &["a.b", "c"]);
    assert_eq!(
        samples(Sampled::Requests, vec![hosts]),
        r#"istio_requests_total{destination_service=~"a\\.b|c"}[45s]"#
    );
    assert_eq!(samples(Sampled::Up, Vec::new()), "up[45s]");
}

/// Parses the text as Prometheus would and returns the one selector in it.
fn selector_of(text: &str) -> VectorSelector {
    fn find(expr: &Expr) -> VectorSelector {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "we write four kinds, the parser knows twelve"
        )]
        match expr {
            Expr::Binary(binary) => find(&binary.lhs),
            Expr::Aggregate(aggregate) => find(&aggregate.expr),
            Expr::Call(call) => find(call.args.args.last().expect("an argument")),
            Expr::MatrixSelector(matrix) => matrix.vs.clone(),
            other => panic!("not expected: {other:?}"),
        }
    }
    find(&promql_parser::parser::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

#[test]
fn writes_every_measure() {
    let cases = [
        (
            Measure::Requests,
            "sum(rate(istio_requests_total[60s])) by (a, b)",
        ),
        (
            Measure::GrpcSentMessages,
            "sum(rate(istio_request_messages_total[60s])) by (a, b)",
        ),
        (
            Measure::GrpcReceivedMessages,
            "sum(rate(istio_response_messages_total[60s])) by (a, b)",
        ),
        (
            Measure::TcpSentBytes,
            "sum(rate(istio_tcp_received_bytes_total[60s])) by (a, b)",
        ),
        (
            Measure::TcpReceivedBytes,
            "sum(rate(istio_tcp_sent_bytes_total[60s])) by (a, b)",
        ),
        (
            Measure::LatencySum,
            "sum(rate(istio_request_duration_milliseconds_sum[60s])) by (a, b)",
        ),
        (
            Measure::LatencyCount,
            "sum(rate(istio_request_duration_milliseconds_count[60s])) by (a, b)",
        ),
        (
            Measure::LatencyQuantile(950),
            "histogram_quantile(0.95, \
             sum(rate(istio_request_duration_milliseconds_bucket[60s])) by (le, a, b))",
        ),
    ];
    for (measure, expected) in cases {
        let mut asked = query(measure, &["a", "b"], Vec::new());
        assert_eq!(write(&asked), expected);
        selector_of(expected);
        asked.idle = false;
        assert_eq!(write(&asked), format!("{expected} > 0"));
        selector_of(&write(&asked));
    }
}

#[test]
fn writes_quantiles_as_short_fractions() {
    let cases = [
        (0, "0"),
        (5, "0.005"),
        (500, "0.5"),
        (990, "0.99"),
        (999, "0.999"),
        (1000, "1"),
        (4000, "1"),
    ];
    for (per_mille, expected) in cases {
        assert_eq!(quantile(per_mille), expected);
    }
}

#[test]
fn writes_windows_that_a_server_accepts() {
    for (millis, expected) in [(60_000, "60s"), (1500, "1500ms"), (0, "1ms"), (-5, "1ms")] {
        assert_eq!(duration(TimeSpan(millis)), expected);
    }
}

#[test]
fn writes_matchers() {
    let cases = [
        (MatchOp::In, vec!["shop"], r#"{ns="shop"}"#),
        (MatchOp::NotIn, vec!["shop"], r#"{ns!="shop"}"#),
        (MatchOp::In, vec!["shop", "a.b"], r#"{ns=~"shop|a\\.b"}"#),
        (MatchOp::NotIn, vec!["x", "y"], r#"{ns!~"x|y"}"#),
        (
            MatchOp::In,
            vec![r#"a"} or up{x=""#],
            r#"{ns="a\"} or up{x=\""}"#,
        ),
        (MatchOp::In, vec![], r#"{ns=~"[^\\x00-\\x{10FFFF}]"}"#),
        (MatchOp::NotIn, vec![], ""),
    ];
    for (op, values, expected) in cases {
        let text = write(&query(
            Measure::Requests,
            &["a"],
            vec![matching("ns", op, &values)],
        ));
        assert_eq!(
            text,
            format!("sum(rate(istio_requests_total{expected}[60s])) by (a)")
        );
        selector_of(&text);
    }
}

#[test]
fn no_label_name_ends_the_selector() {
    let asked = query(
        Measure::Requests,
        &["a) or up", ""],
        vec![matching("9\"}", MatchOp::In, &["x"])],
    );
    assert_eq!(
        write(&asked),
        r#"sum(rate(istio_requests_total{_9__="x"}[60s])) by (a__or_up, _)"#
    );
}

proptest! {
    /// Whatever the values hold, the server reads back exactly these values and matches exactly them.
    #[test]
    fn values_are_read_back_as_they_were(
        values in prop::collection::vec(any::<String>(), 1..4),
        other in any::<String>(),
        negated in any::<bool>(),
    ) {
        let op = if negated { MatchOp::NotIn } else { MatchOp::In };
        let matcher = Matcher { label: "ns".to_owned(), op, values: values.clone() };
        let text = write(&query(Measure::Requests, &["a"], vec![matcher]));
        let selector = selector_of(&text);
        let read = selector.matchers.matchers.first().expect("one matcher");
        let plain = matches!(read.op, Parsed::Equal | Parsed::NotEqual);
        prop_assert_eq!(plain, values.len() == 1);
        for value in &values {
            prop_assert_eq!(read.is_match(value), !negated);
        }
        prop_assert_eq!(read.is_match(&other), values.contains(&other) != negated);
    }
}
