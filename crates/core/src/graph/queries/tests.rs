use super::*;
use crate::graph::testing::request;
use crate::promql;

fn measures(request: &GraphRequest) -> Vec<Measure> {
    queries(request).iter().map(|query| query.measure).collect()
}

const P95: Measure = Measure::LatencyQuantile(950);

#[test]
fn whatever_is_asked_six_queries_suffice_and_a_server_can_read_them() {
    let stats = [
        LatencyStat::Avg,
        LatencyStat::P50,
        LatencyStat::P95,
        LatencyStat::P99,
    ];
    let grpc = [
        GrpcTraffic::Requests,
        GrpcTraffic::Sent,
        GrpcTraffic::Total,
        GrpcTraffic::None,
    ];
    let types = [
        GraphType::Workload,
        GraphType::App,
        GraphType::VersionedApp,
        GraphType::Service,
    ];
    for graph_type in types {
        for grpc in grpc {
            for tcp in [TcpTraffic::Sent, TcpTraffic::Total, TcpTraffic::None] {
                for subset in 0..16_u8 {
                    let mut asked = request(graph_type);
                    asked.grpc = grpc;
                    asked.tcp = tcp;
                    asked.service_nodes = subset % 2 == 0;
                    asked.ambient = AmbientTraffic::Total;
                    asked.latency = (0..4_u8)
                        .filter(|bit| subset & (1 << bit) != 0)
                        .filter_map(|bit| stats.get(usize::from(bit)).copied())
                        .collect();
                    asked.namespaces = (0..3).map(|n| format!("team.{n}")).collect();
                    let queries = queries(&asked);
                    assert!(queries.len() <= BUDGET, "{asked:?}");
                    for query in &queries {
                        let text = promql::write(query);
                        assert!(promql_parser::parser::parse(&text).is_ok(), "{text}");
                        assert!(query.by.iter().any(|label| label == "reporter"));
                    }
                }
            }
        }
    }
}

#[test]
fn traffic_takes_one_query_per_family() {
    let mut asked = request(GraphType::Workload);
    assert_eq!(measures(&asked), [Measure::Requests, Measure::TcpSentBytes]);
    asked.grpc = GrpcTraffic::Total;
    asked.tcp = TcpTraffic::Received;
    let expected = [
        Measure::Requests,
        Measure::GrpcSentMessages,
        Measure::GrpcReceivedMessages,
        Measure::TcpReceivedBytes,
    ];
    assert_eq!(measures(&asked), expected);
    asked.http = HttpTraffic::None;
    assert_eq!(
        measures(&asked),
        expected.into_iter().skip(1).collect::<Vec<_>>()
    );
    // Without the request counter there is nothing that a latency could belong to.
    asked.latency = vec![LatencyStat::P95];
    assert!(!measures(&asked).contains(&P95));
}

#[test]
fn the_budget_goes_to_what_operators_watch() {
    let mut asked = request(GraphType::Workload);
    let cases: [(&[LatencyStat], &[Measure], &[&str]); 4] = [
        (&[LatencyStat::P95], &[P95, P95], &[]),
        (
            &[LatencyStat::Avg, LatencyStat::P95],
            &[P95, P95, Measure::LatencySum, Measure::LatencyCount],
            &[],
        ),
        (
            &[LatencyStat::P50, LatencyStat::P99, LatencyStat::P95],
            &[
                P95,
                P95,
                Measure::LatencyQuantile(990),
                Measure::LatencyQuantile(500),
            ],
            &["p99 of nodes", "p50 of nodes"],
        ),
        (
            &[LatencyStat::Avg, LatencyStat::P99, LatencyStat::P95],
            &[P95, P95, Measure::LatencySum, Measure::LatencyCount],
            &["p99 of edges", "p99 of nodes"],
        ),
    ];
    for (latency, expected, left_out) in cases {
        asked.latency = latency.to_vec();
        let plan = plan(&asked);
        let measures: Vec<Measure> = plan.queries.iter().map(|q| q.measure).skip(2).collect();
        assert_eq!(measures, expected);
        assert_eq!(plan.left_out, left_out);
    }
}

#[test]
fn quantiles_are_grouped_for_the_edges_of_the_graph_type() {
    let cases = [
        (
            GraphType::Workload,
            false,
            "source_workload destination_cluster destination_workload_namespace destination_workload",
            "destination_cluster destination_workload_namespace destination_workload",
        ),
        (
            GraphType::App,
            false,
            "source_canonical_service destination_cluster destination_workload_namespace destination_canonical_service",
            "destination_cluster destination_workload_namespace destination_canonical_service",
        ),
        (
            GraphType::VersionedApp,
            true,
            "source_workload destination_cluster destination_service_namespace destination_service_name",
            "destination_cluster destination_service_namespace destination_service_name destination_workload_namespace destination_workload",
        ),
        (
            GraphType::Service,
            false,
            "source_canonical_service destination_cluster destination_service_namespace destination_service_name",
            "destination_cluster destination_service_namespace destination_service_name",
        ),
    ];
    for (graph_type, service_nodes, edges, nodes) in cases {
        let mut asked = request(graph_type);
        asked.service_nodes = service_nodes;
        asked.latency = vec![LatencyStat::P95];
        let by: Vec<String> = queries(&asked)
            .iter()
            .skip(2)
            .map(|query| query.by.join(" "))
            .collect();
        assert_eq!(
            by,
            [
                format!(
                    "source_cluster source_workload_namespace {edges} request_protocol reporter"
                ),
                format!("{nodes} reporter")
            ]
        );
    }
}

#[test]
fn chosen_namespaces_narrow_quantiles_only() {
    let mut asked = request(GraphType::Workload);
    asked.latency = vec![LatencyStat::P95];
    asked.namespaces = vec!["shop".to_owned(), "edge".to_owned()];
    let queries = queries(&asked);
    let about_namespaces = |query: &MetricsQuery| {
        let texts = query
            .matchers
            .iter()
            .filter(|matcher| matcher.label.ends_with("_namespace"))
            .map(|matcher| {
                format!(
                    "{} {:?} {}",
                    matcher.label,
                    matcher.op,
                    matcher.values.len()
                )
            });
        texts.collect::<Vec<_>>().join(", ")
    };
    let found: Vec<String> = queries.iter().map(about_namespaces).collect();
    assert_eq!(
        found,
        [
            "",
            "",
            "destination_workload_namespace In 2",
            "destination_workload_namespace In 2",
            "source_workload_namespace In 2, destination_workload_namespace NotIn 2",
        ]
    );
    // With the mean there is no room for the second half, so the query per edge stays whole.
    asked.latency.push(LatencyStat::Avg);
    let found: Vec<String> = super::queries(&asked)
        .iter()
        .map(about_namespaces)
        .collect();
    assert_eq!(
        found,
        ["", "", "", "destination_workload_namespace In 2", "", ""]
    );
}

#[test]
fn ambient_traffic_decides_which_reporters_count() {
    let cases = [
        (AmbientTraffic::None, 2, true),
        (AmbientTraffic::Waypoint, 3, true),
        (AmbientTraffic::Ztunnel, 2, false),
        (AmbientTraffic::Total, 3, false),
    ];
    for (ambient, reporters, without_ztunnel) in cases {
        let mut asked = request(GraphType::Workload);
        asked.ambient = ambient;
        let queries = queries(&asked);
        let matcher = |measure: Measure, label: &str| {
            let query = queries.iter().find(|query| query.measure == measure);
            let matchers = &query.expect("asked").matchers;
            matchers.iter().find(|m| m.label == label).cloned()
        };
        let found = matcher(Measure::Requests, "reporter").expect("a matcher");
        assert_eq!(found.values.len(), reporters);
        assert!(matcher(Measure::Requests, "app").is_none());
        assert_eq!(
            matcher(Measure::TcpSentBytes, "app").is_some(),
            without_ztunnel
        );
    }
}

#[test]
fn a_protocol_that_is_not_drawn_is_not_fetched() {
    let mut asked = request(GraphType::Workload);
    asked.grpc = GrpcTraffic::None;
    asked.latency = vec![LatencyStat::Avg, LatencyStat::P95];
    for query in queries(&asked) {
        let narrowed = query
            .matchers
            .iter()
            .any(|m| m.label == "request_protocol" && m.values == ["http"]);
        assert_eq!(narrowed, query.measure != Measure::TcpSentBytes);
    }
}
