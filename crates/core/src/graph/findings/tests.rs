use crate::graph::testing::{Series, call, fail, fetch, graph, request};
use crate::graph::types::{GraphType, LatencyStat};
use crate::graph::{GraphRequest, fold};
use crate::model::Finding;
use crate::ports::Measure;

fn told(request: &GraphRequest, series: &[Series]) -> Vec<(String, String)> {
    let findings = graph(request, series, &[]).findings;
    let brief = |finding: Finding| (finding.code, finding.message);
    findings.into_iter().map(brief).collect()
}

#[test]
fn a_failed_query_is_named_with_its_source_and_error() {
    let asked = request(GraphType::Workload);
    let failed = fail(fetch(&asked, &[]), |measure| measure == Measure::Requests);
    let graph = fold(&asked, &failed, &[]);
    let finding = graph.findings.first().expect("a finding");
    assert_eq!(finding.code, "metrics-query-failed");
    assert_eq!(
        finding.message,
        "request rates and errors are unknown: the metrics source failed: \
         querying http://prometheus: no answer within 5 s"
    );
}

#[test]
fn one_reason_is_told_once_for_everything_that_it_costs() {
    let mut asked = request(GraphType::Workload);
    asked.latency = vec![LatencyStat::Avg, LatencyStat::P95];
    let failed = fail(fetch(&asked, &[]), |_| true);
    let told = fold(&asked, &failed, &[]).findings;
    let costs: Vec<&str> = told
        .iter()
        .filter(|finding| finding.code == "metrics-query-failed")
        .filter_map(|finding| finding.message.split_once(" are unknown: "))
        .map(|(costs, _)| costs)
        .collect();
    assert_eq!(
        costs,
        ["request rates and errors, rates of sent TCP bytes, p95 latencies, mean latencies"]
    );
}

#[test]
fn what_the_budget_left_out_is_said() {
    let mut asked = request(GraphType::Workload);
    asked.latency = vec![LatencyStat::Avg, LatencyStat::P95, LatencyStat::P99];
    let told = told(&asked, &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.contains("p99 of edges, p99 of nodes"), "{told:?}");
}

#[test]
fn rows_without_labels_are_counted() {
    let series = [
        call("a/x-v1", "b/y:y-v1").without("source_workload"),
        call("a/x-v1", "b/z:z-v1").with("request_protocol", "dubbo"),
    ];
    let told = told(&request(GraphType::Workload), &series);
    let codes: Vec<&str> = told.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["labels-missing", "other-protocol"]);
}

#[test]
fn rows_that_carry_no_rate_are_counted() {
    let row = |value: f64| call("a/x-v1", "b/y:y-v1").rate(value).row();
    let asked = request(GraphType::Workload);
    let mut fetched = fetch(&asked, &[]);
    let rows = vec![row(f64::INFINITY), row(1.0)];
    fetched.answers[0].1 = Ok(rows);
    let graph = fold(&asked, &fetched, &[]);
    assert_eq!(graph.findings.len(), 1, "{:?}", graph.findings);
    assert_eq!(graph.findings[0].code, "odd-rates");
    assert!(graph.findings[0].message.starts_with("1 row of metrics"));
}

#[test]
fn calls_that_time_out_at_the_caller_and_are_served_by_the_callee() {
    let ok = call("shop/web-v1", "shop/reviews:reviews-v1");
    let series = [
        ok.clone().by_caller().rate(96.0),
        ok.clone().by_caller().code("504", "UT").rate(4.0),
        ok.rate(100.0),
    ];
    for (graph_type, service_nodes) in [
        (GraphType::Workload, false),
        (GraphType::Workload, true),
        (GraphType::Service, false),
    ] {
        let asked = GraphRequest {
            service_nodes,
            ..request(graph_type)
        };
        let graph = graph(&asked, &series, &[]);
        let finding = graph.findings.first().expect("a finding");
        assert_eq!(graph.findings.len(), 1, "told once");
        assert_eq!(finding.code, "sides-disagree");
        let mut edges = graph.edges.iter();
        let edge = edges.find(|edge| edge.source.starts_with("workload"));
        let edge = edge.expect("an edge");
        assert_eq!(finding.object, edge.id);
        assert!(
            finding
                .message
                .starts_with("4.0 % of calls fail at the caller (mostly 504 UT), 0.0 % by"),
            "{}",
            finding.message
        );
        // The caller's report only: neither a rate of 104 nor an error ratio of 4 in 200.
        assert_eq!(edge.traffic.rate, Some(100.0));
        assert_eq!(edge.traffic.error_ratio, Some(0.04));
    }
}

/// Folded into one edge of services with calls that only the callee reports, the caller's code stays the caller's.
#[test]
fn the_code_that_is_named_is_the_callers() {
    let ok = call("shop/web-v1", "shop/reviews:reviews-v1");
    let series = [
        call("edge/gw-v1", "shop/web:web-v1"),
        call("edge/gw-v1", "shop/web:web-v2"),
        ok.clone().by_caller().code("504", "UT").rate(10.0),
        ok.clone().by_caller().rate(90.0),
        ok.rate(100.0),
        call("shop/web-v2", "shop/reviews:reviews-v1")
            .code("500", "-")
            .rate(50.0),
    ];
    let told = told(&request(GraphType::Service), &series);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.contains("(mostly 504 UT)"), "{told:?}");
}

#[test]
fn retries_that_hide_failures_are_seen() {
    let ok = call("shop/web-v1", "shop/reviews:reviews-v1");
    let series = [
        ok.clone().by_caller().rate(100.0),
        ok.clone().rate(100.0),
        ok.code("503", "-").rate(25.0),
    ];
    let told = told(&request(GraphType::Workload), &series);
    assert_eq!(
        told.first().map(|(_, message)| message.as_str()),
        Some("the callee fails 20.0 % of calls, its caller sees 0.0 %: retries hide the failures")
    );
}

#[test]
fn sides_that_agree_are_no_news() {
    let ok = call("shop/web-v1", "shop/reviews:reviews-v1");
    let failing = ok.clone().code("500", "-");
    let series = [
        ok.clone().by_caller().rate(90.0),
        failing.clone().by_caller().rate(10.0),
        ok.rate(91.0),
        failing.rate(10.5),
    ];
    assert_eq!(told(&request(GraphType::Workload), &series), []);
}
