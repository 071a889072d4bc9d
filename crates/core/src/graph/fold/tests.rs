use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::graph::queries;
use crate::graph::testing::{Series, call, deployment, draw, fail, fetch, graph, request, service};
use crate::graph::types::{
    AmbientTraffic, GrpcTraffic, LatencyStat, Node, Protocol, RateAndErrors, TcpTraffic, Traffic,
};
use crate::model::Health;

const TCP: Measure = Measure::TcpSentBytes;

fn tcp(from: &str, to: &str, rate: f64) -> Series {
    call(from, to)
        .without("request_protocol")
        .without("response_code")
        .measure(TCP)
        .rate(rate)
}

/// A shop behind a gateway: two versions, a failing one, TCP to a database, both sides reporting.
fn shop() -> Vec<Series> {
    let both = |series: Series| [series.clone().by_caller(), series];
    [
        both(call("edge/gw-v1", "shop/web:web-v1").rate(100.0)),
        both(call("shop/web-v1", "shop/reviews:reviews-v1").rate(60.0)),
        both(call("shop/web-v1", "shop/reviews:reviews-v2").rate(15.0)),
        both(
            call("shop/web-v1", "shop/reviews:reviews-v2")
                .rate(5.0)
                .code("503", "-"),
        ),
        both(tcp("shop/reviews-v1", "data/db:db-v1", 2000.0)),
    ]
    .concat()
}

fn node<'a>(graph: &'a MeshGraph, id: &str) -> &'a Node {
    let found = graph.nodes.iter().find(|node| node.id.ends_with(id));
    found.unwrap_or_else(|| panic!("no {id} in {:?}", graph.nodes))
}

#[test]
fn the_shop_in_every_graph_type() {
    let cases: [(GraphType, bool, &[&str]); 5] = [
        (
            GraphType::Workload,
            false,
            &[
                "w:edge/gw-v1 > w:shop/web-v1 Http 100.0 0.0%",
                "w:shop/reviews-v1 > w:data/db-v1 Tcp 2000.0 ?%",
                "w:shop/web-v1 > w:shop/reviews-v1 Http 60.0 0.0%",
                "w:shop/web-v1 > w:shop/reviews-v2 Http 20.0 25.0%",
            ],
        ),
        (
            GraphType::App,
            false,
            &[
                "a:edge/gw > a:shop/web Http 100.0 0.0%",
                "a:shop/reviews > a:data/db Tcp 2000.0 ?%",
                "a:shop/web > a:shop/reviews Http 80.0 6.2%",
            ],
        ),
        (
            GraphType::VersionedApp,
            false,
            &[
                "v:edge/gw-v1 > v:shop/web-v1 Http 100.0 0.0%",
                "v:shop/reviews-v1 > v:data/db-v1 Tcp 2000.0 ?%",
                "v:shop/web-v1 > v:shop/reviews-v1 Http 60.0 0.0%",
                "v:shop/web-v1 > v:shop/reviews-v2 Http 20.0 25.0%",
            ],
        ),
        (
            GraphType::App,
            true,
            &[
                "a:edge/gw > s:shop/web Http 100.0 0.0%",
                "a:shop/reviews > s:data/db Tcp 2000.0 ?%",
                "a:shop/web > s:shop/reviews Http 80.0 6.2%",
                "s:data/db > a:data/db Tcp 2000.0 ?%",
                "s:shop/reviews > a:shop/reviews Http 80.0 6.2%",
                "s:shop/web > a:shop/web Http 100.0 0.0%",
            ],
        ),
        (
            GraphType::Service,
            false,
            &[
                "s:shop/reviews > s:data/db Tcp 2000.0 ?%",
                "s:shop/web > s:shop/reviews Http 80.0 6.2%",
                "w:edge/gw-v1 > s:shop/web Http 100.0 0.0%",
            ],
        ),
    ];
    for (graph_type, service_nodes, expected) in cases {
        let mut asked = request(graph_type);
        asked.service_nodes = service_nodes;
        assert_eq!(
            draw(&graph(&asked, &shop(), &[])),
            expected,
            "{graph_type:?}"
        );
    }
}

#[test]
fn nodes_sum_up_their_edges_and_are_judged_by_what_they_serve() {
    let graph = graph(&request(GraphType::Workload), &shop(), &[]);
    let web = node(&graph, "web-v1");
    assert_eq!(web.incoming[&Protocol::Http].rate, Some(100.0));
    assert_eq!(web.outgoing[&Protocol::Http].rate, Some(80.0));
    assert_eq!(web.outgoing[&Protocol::Http].error_ratio, Some(5.0 / 80.0));
    let health = |id: &str| node(&graph, id).health;
    assert_eq!(health("web-v1"), Health::Ok);
    assert_eq!(health("reviews-v2"), Health::Failing);
    assert_eq!(health("db-v1"), Health::Ok);
    assert_eq!(health("gw-v1"), Health::Ok);
    assert_eq!(web.app.as_deref(), Some("web"));
    assert_eq!(web.version.as_deref(), Some("v1"));
    assert_eq!(node(&graph, "db-v1").outgoing, Traffic::new());
}

#[test]
fn edges_tell_shares_codes_and_mutual_tls() {
    let mut series = shop();
    let plain = call("shop/web-v1", "shop/reviews:reviews-v2")
        .with("connection_security_policy", "none")
        .rate(20.0);
    series.push(plain);
    let graph = graph(&request(GraphType::Workload), &series, &[]);
    let edge = graph
        .edges
        .iter()
        .find(|edge| edge.target.ends_with("reviews-v2"));
    let edge = edge.expect("an edge");
    assert_eq!(edge.share_of_source, Some(0.25));
    assert_eq!(edge.mtls_ratio, Some(0.5));
    let codes: Vec<(&str, f64)> = edge
        .codes
        .iter()
        .map(|share| (share.code.as_str(), share.ratio))
        .collect();
    assert_eq!(codes, [("200", 0.75), ("503", 0.25)]);
    let tcp = graph
        .edges
        .iter()
        .find(|edge| edge.protocol == Protocol::Tcp);
    let tcp = tcp.expect("an edge");
    assert_eq!(tcp.share_of_source, None);
    assert_eq!(tcp.mtls_ratio, Some(1.0));
}

#[test]
fn sent_and_received_bytes_add_up_only_if_both_are_asked() {
    let series = [
        tcp("a/x-v1", "b/y:y-v1", 10.0),
        tcp("a/x-v1", "b/y:y-v1", 3.0).measure(Measure::TcpReceivedBytes),
    ];
    let cases = [
        (TcpTraffic::Sent, Some(10.0)),
        (TcpTraffic::Received, Some(3.0)),
        (TcpTraffic::Total, Some(13.0)),
        (TcpTraffic::None, None),
    ];
    for (tcp, rate) in cases {
        let mut asked = request(GraphType::Workload);
        asked.tcp = tcp;
        let graph = graph(&asked, &series, &[]);
        let found = graph.edges.first().and_then(|edge| edge.traffic.rate);
        assert_eq!(found, rate, "{tcp:?}");
    }
}

#[test]
fn grpc_messages_replace_grpc_requests_and_have_no_errors() {
    let grpc = call("a/x-v1", "b/y:y-v1")
        .with("request_protocol", "grpc")
        .with("grpc_response_status", "14");
    let messages = grpc.clone().measure(Measure::GrpcSentMessages).rate(50.0);
    let series = [grpc, messages, call("a/x-v1", "b/y:y-v1").rate(2.0)];
    let mut asked = request(GraphType::Workload);
    let lines = |asked: &GraphRequest| draw(&graph(asked, &series, &[]));
    assert_eq!(
        lines(&asked),
        [
            "w:a/x-v1 > w:b/y-v1 Grpc 1.0 100.0%",
            "w:a/x-v1 > w:b/y-v1 Http 2.0 0.0%"
        ]
    );
    asked.grpc = GrpcTraffic::Sent;
    assert_eq!(
        lines(&asked),
        [
            "w:a/x-v1 > w:b/y-v1 Grpc 50.0 ?%",
            "w:a/x-v1 > w:b/y-v1 Http 2.0 0.0%"
        ]
    );
}

#[test]
fn waypoints_report_for_both_sides_only_if_asked() {
    let by_waypoint = call("a/x-v1", "b/y:y-v1").with("reporter", "waypoint");
    let series = [by_waypoint.rate(7.0)];
    let mut asked = request(GraphType::Workload);
    assert!(graph(&asked, &series, &[]).edges.is_empty());
    asked.ambient = AmbientTraffic::Waypoint;
    let lines = draw(&graph(&asked, &series, &[]));
    assert_eq!(lines, ["w:a/x-v1 > w:b/y-v1 Http 7.0 0.0%"]);
}

#[test]
fn a_failed_query_makes_its_numbers_unknown_and_no_others() {
    let asked = request(GraphType::Workload);
    let without_tcp = fail(fetch(&asked, &shop()), |measure| measure == TCP);
    let graph = fold(&asked, &without_tcp, &[]);
    let web = node(&graph, "web-v1");
    assert_eq!(web.incoming[&Protocol::Http].rate, Some(100.0));
    assert_eq!(web.incoming[&Protocol::Tcp], RateAndErrors::default());
    assert_eq!(web.health, Health::Ok);
    assert_eq!(graph.edges.len(), 3);
    assert!(node(&graph, "gw-v1").badges.contains(&"root".to_owned()));
}

#[test]
fn half_of_a_sum_is_unknown_but_its_edges_are_there() {
    let mut asked = request(GraphType::Workload);
    asked.tcp = TcpTraffic::Total;
    let half = fail(fetch(&asked, &shop()), |measure| {
        measure == Measure::TcpReceivedBytes
    });
    let graph = fold(&asked, &half, &[]);
    let tcp = graph
        .edges
        .iter()
        .find(|edge| edge.protocol == Protocol::Tcp);
    let tcp = tcp.expect("an edge");
    assert_eq!(tcp.traffic, RateAndErrors::default());
    assert_eq!(tcp.health, Health::Unknown);
}

#[test]
fn without_any_metrics_the_declared_nodes_are_there_and_unknown() {
    let objects = [
        deployment("shop", "web-v1", &json!({"app": "web"})),
        deployment("shop", "reviews-v1", &json!({"app": "reviews"})),
        service("shop", "web", &json!({"app": "web"})),
    ];
    let asked = request(GraphType::Workload);
    let nothing_yet = FetchedRows::default();
    let all_failed = fail(fetch(&asked, &shop()), |_| true);
    for (fetched, n_findings) in [(nothing_yet, 0), (all_failed, 1)] {
        let graph = fold(&asked, &fetched, &objects);
        assert_eq!(graph.findings.len(), n_findings);
        assert_eq!(graph.nodes.len(), 2);
        for node in &graph.nodes {
            assert_eq!(node.health, Health::Unknown);
            assert_eq!(node.incoming[&Protocol::Http].rate, None);
            assert_eq!(node.badges, Vec::<String>::new());
        }
    }
    // An answer without rows is an answer: these nodes are idle.
    let mut idle = asked.clone();
    idle.idle_nodes = true;
    for node in graph(&idle, &[], &objects).nodes {
        assert_eq!(
            (node.health, node.badges),
            (Health::Idle, vec!["idle".to_owned()])
        );
    }
    assert!(graph(&asked, &[], &objects).nodes.is_empty());
}

#[test]
fn idle_edges_show_zero_and_the_dead_go() {
    let quiet = |to: &str| call("shop/web-v1", to).rate(0.0);
    let series = [
        call("edge/gw-v1", "shop/web:web-v1"),
        quiet("shop/reviews:reviews-v1"),
        quiet("shop/reviews:reviews-v9"),
        quiet("shop/gone:unknown"),
        call("unknown/unknown", "shop/web:web-v1")
            .with("source_cluster", "unknown")
            .rate(0.0),
    ];
    let objects = [
        deployment("shop", "web-v1", &json!({"app": "web"})),
        deployment("shop", "reviews-v1", &json!({"app": "reviews"})),
        service("shop", "reviews", &json!({"app": "reviews"})),
    ];
    let mut asked = request(GraphType::Workload);
    assert_eq!(draw(&graph(&asked, &series, &objects)).len(), 1);
    asked.idle_edges = true;
    let graph = graph(&asked, &series, &objects);
    assert_eq!(
        draw(&graph),
        [
            "w:edge/gw-v1 > w:shop/web-v1 Http 1.0 0.0%",
            "w:shop/web-v1 > s:shop/gone Http 0.0 ?%",
            "w:shop/web-v1 > w:shop/reviews-v1 Http 0.0 ?%",
        ]
    );
    let reviews = node(&graph, "reviews-v1");
    assert_eq!(reviews.health, Health::Idle);
    assert_eq!(reviews.badges, ["idle"]);
    assert_eq!(
        graph.edges.last().map(|edge| edge.health),
        Some(Health::Idle)
    );
}

#[test]
fn what_nobody_lists_may_well_be_alive() {
    // Only Deployments are listed; a StatefulSet beside them is not declared dead for that.
    let mut asked = request(GraphType::Workload);
    asked.idle_edges = true;
    let series = [
        call("edge/gw-v1", "shop/web:web-v1"),
        call("shop/web-v1", "shop/db:db").rate(0.0),
    ];
    let labels = json!({"app": "web"});
    let objects = [
        deployment("shop", "web-v1", &labels),
        service("shop", "web", &labels),
        service("shop", "db", &json!({"app": "db"})),
    ];
    for known in [&objects[..], &[]] {
        assert_eq!(graph(&asked, &series, known).edges.len(), 2);
    }
}

/// Through a waypoint: to it by the caller's report, on from it by its own.
#[test]
fn calls_through_a_waypoint_count_once() {
    let labels = json!({"gateway.istio.io/managed": "istio.io-mesh-controller"});
    let objects = [deployment("shop", "wp", &labels)];
    let series = [
        call("shop/web-v1", "shop/reviews:wp").by_caller().rate(5.0),
        call("shop/wp", "shop/reviews:reviews-v1")
            .with("reporter", "waypoint")
            .rate(5.0),
        call("shop/reviews-v1", "shop/ratings:ratings-v1"),
    ];
    let cases: [(GraphType, bool, &[&str]); 4] = [
        (
            GraphType::App,
            true,
            &[
                "a:shop/reviews > s:shop/ratings Http 1.0 0.0%",
                "s:shop/ratings > a:shop/ratings Http 1.0 0.0%",
                "a:shop/web > w:shop/wp Http 5.0 0.0%",
                "w:shop/wp > a:shop/reviews Http 5.0 0.0%",
            ],
        ),
        (
            GraphType::VersionedApp,
            false,
            &[
                "v:shop/reviews-v1 > v:shop/ratings-v1 Http 1.0 0.0%",
                "v:shop/web-v1 > w:shop/wp Http 5.0 0.0%",
                "w:shop/wp > v:shop/reviews-v1 Http 5.0 0.0%",
            ],
        ),
        (
            GraphType::Workload,
            true,
            &[
                "s:shop/ratings > w:shop/ratings-v1 Http 1.0 0.0%",
                "w:shop/reviews-v1 > s:shop/ratings Http 1.0 0.0%",
                "w:shop/web-v1 > w:shop/wp Http 5.0 0.0%",
                "w:shop/wp > w:shop/reviews-v1 Http 5.0 0.0%",
            ],
        ),
        (
            GraphType::Service,
            false,
            &[
                "s:shop/reviews > s:shop/ratings Http 1.0 0.0%",
                "w:shop/web-v1 > s:shop/reviews Http 5.0 0.0%",
            ],
        ),
    ];
    for (graph_type, service_nodes, expected) in cases {
        let asked = GraphRequest {
            service_nodes,
            ambient: AmbientTraffic::Total,
            ..request(graph_type)
        };
        let mut drawn = draw(&graph(&asked, &series, &objects));
        let mut expected = expected.to_vec();
        drawn.sort();
        expected.sort_unstable();
        assert_eq!(drawn, expected, "{graph_type:?}");
    }
}

#[test]
fn totals_of_a_chosen_namespace_hold_all_its_calls() {
    let mut asked = request(GraphType::Workload);
    asked.namespaces = vec!["shop".to_owned()];
    let mut series = shop();
    series.push(call("edge/gw-v1", "other/x:x-v1").rate(900.0));
    let graph = graph(&asked, &series, &[]);
    assert_eq!(graph.edges.len(), 4);
    let gateway = node(&graph, "gw-v1");
    assert_eq!(gateway.outgoing[&Protocol::Http].rate, Some(100.0));
    assert!(gateway.badges.contains(&"outside".to_owned()));
}

#[test]
fn overlapping_answers_count_once() {
    let asked = request(GraphType::Workload);
    let mut twice = fetch(&asked, &shop());
    twice.answers.extend(fetch(&asked, &shop()).answers);
    assert_eq!(fold(&asked, &twice, &[]), graph(&asked, &shop(), &[]));
}

fn any_series() -> impl Strategy<Value = Series> {
    let name =
        || prop::sample::select(vec!["a/x-v1", "a/x-v2", "b/y-v1", "b/z", "unknown/unknown"]);
    let callee = prop::sample::select(vec![
        "a/x:x-v1",
        "a/x:x-v2",
        "b/y:y-v1",
        "b/all:z",
        "b/y:unknown",
        "unknown/PassthroughCluster:unknown",
    ]);
    let reporter = prop::sample::select(vec!["source", "destination", "waypoint"]);
    let code = prop::sample::select(vec!["200", "503", "0"]);
    let measure = prop::sample::select(vec![
        Measure::Requests,
        TCP,
        Measure::LatencySum,
        Measure::LatencyCount,
        Measure::LatencyQuantile(950),
    ]);
    (name(), callee, reporter, code, measure, 0.001..1000.0_f64).prop_map(
        |(from, to, reporter, code, measure, rate)| {
            call(from, to)
                .with("reporter", reporter)
                .code(code, "-")
                .measure(measure)
                .rate(rate)
        },
    )
}

proptest! {
    /// Equal data give an equal graph, bit by bit, whatever the order of rows and answers.
    #[test]
    fn order_does_not_matter(
        series in prop::collection::vec(any_series(), 1..40),
        seed in any::<u64>(),
        graph_type in prop::sample::select(vec![
            GraphType::Workload, GraphType::App, GraphType::VersionedApp, GraphType::Service,
        ]),
        service_nodes in any::<bool>(),
    ) {
        let asked = GraphRequest {
            service_nodes,
            ambient: AmbientTraffic::Total,
            latency: vec![LatencyStat::Avg, LatencyStat::P95],
            ..request(graph_type)
        };
        let straight = fetch(&asked, &series);
        let mut shuffled = straight.clone();
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        shuffled.answers.sort_by_key(|_| next());
        for (_, answer) in &mut shuffled.answers {
            if let Ok(rows) = answer {
                rows.sort_by_key(|_| next());
            }
        }
        let graph = fold(&asked, &straight, &[]);
        prop_assert_eq!(&graph, &fold(&asked, &shuffled, &[]));
        check_laws(&graph)?;
    }
}

/// What holds for every graph.
fn check_laws(graph: &MeshGraph) -> Result<(), TestCaseError> {
    let ids: BTreeSet<&str> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    prop_assert_eq!(ids.len(), graph.nodes.len());
    let mut shares: BTreeMap<(&str, Protocol), f64> = BTreeMap::new();
    for edge in &graph.edges {
        prop_assert!(ids.contains(edge.source.as_str()) && ids.contains(edge.target.as_str()));
        prop_assert!(edge.traffic.rate.is_some_and(|rate| rate > 0.0));
        for ratio in [edge.traffic.error_ratio, edge.mtls_ratio]
            .into_iter()
            .flatten()
        {
            prop_assert!((0.0..=1.0).contains(&ratio));
        }
        let codes: f64 = edge.codes.iter().map(|share| share.ratio).sum();
        prop_assert!((codes - 1.0).abs() < 1e-9, "{}", codes);
        if let Some(share) = edge.share_of_source {
            *shares.entry((&edge.source, edge.protocol)).or_default() += share;
        }
    }
    for share in shares.values() {
        prop_assert!((share - 1.0).abs() < 1e-9, "{}", share);
    }
    Ok(())
}

#[test]
fn a_graph_needs_no_more_than_its_own_queries() {
    let asked = request(GraphType::Workload);
    let measures: BTreeSet<Measure> = queries(&asked).iter().map(|query| query.measure).collect();
    let needed: BTreeSet<Measure> = traffic_measures(&asked).into_iter().collect();
    assert_eq!(measures, needed);
}
