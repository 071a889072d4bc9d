use crate::graph::testing::{Series, call, fail, fetch, graph, request};
use crate::graph::types::{Edge, GraphRequest, GraphType, LatencyStat, MeshGraph};
use crate::graph::{FetchedRows, Latency, fold};
use crate::ports::Measure;

const P95: Measure = Measure::LatencyQuantile(950);

fn asking(graph_type: GraphType) -> GraphRequest {
    GraphRequest {
        latency: vec![LatencyStat::Avg, LatencyStat::P95],
        ..request(graph_type)
    }
}

/// The call as both sides report it, with a p95 of each and a mean of half of that.
fn timed(series: &Series, caller_p95: f64, callee_p95: f64) -> Vec<Series> {
    let of = |reporter: &str, p95: f64| {
        let one = series.clone().with("reporter", reporter);
        [
            one.clone(),
            one.clone().measure(P95).rate(p95),
            one.clone()
                .measure(Measure::LatencySum)
                .rate(one.rate * p95 / 2.0),
            one.clone().measure(Measure::LatencyCount),
        ]
    };
    [of("source", caller_p95), of("destination", callee_p95)].concat()
}

fn edge<'a>(graph: &'a MeshGraph, source: &str, target: &str) -> &'a Edge {
    let found = graph
        .edges
        .iter()
        .find(|edge| edge.source.ends_with(source) && edge.target.ends_with(target));
    found.unwrap_or_else(|| panic!("no edge {source} > {target} in {:#?}", graph.edges))
}

fn node_latency(graph: &MeshGraph, id: &str) -> Latency {
    let node = graph.nodes.iter().find(|node| node.id.ends_with(id));
    node.expect("a node").latency
}

#[test]
fn each_side_has_its_own_latency_and_a_node_that_of_its_own_proxy() {
    let series = timed(
        &call("edge/gw-v1", "shop/web:web-v1").rate(4.0),
        100.0,
        60.0,
    );
    for graph_type in [GraphType::Workload, GraphType::App, GraphType::VersionedApp] {
        let graph = graph(&asking(graph_type), &series, &[]);
        let latency = graph.edges.first().expect("one edge").latency;
        assert_eq!(
            (latency.caller.p95, latency.callee.p95),
            (Some(100.0), Some(60.0))
        );
        assert_eq!(
            (latency.caller.avg, latency.callee.avg),
            (Some(50.0), Some(30.0))
        );
        let web = graph.nodes.iter().find(|node| node.namespace == "shop");
        let own = web.expect("a node").latency;
        assert_eq!((own.avg, own.p95, own.p99), (Some(30.0), Some(60.0), None));
    }
}

#[test]
fn service_edges_carry_the_callers_side_before_and_the_callees_behind() {
    let mut asked = asking(GraphType::Workload);
    asked.service_nodes = true;
    let series = [
        timed(
            &call("edge/gw-v1", "shop/web:web-v1").rate(4.0),
            100.0,
            60.0,
        ),
        timed(
            &call("edge/cli-v1", "shop/web:web-v1").rate(1.0),
            300.0,
            80.0,
        ),
        timed(
            &call("shop/web-v1", "shop/reviews:reviews-v1").rate(1.0),
            20.0,
            10.0,
        ),
        timed(
            &call("shop/web-v1", "shop/reviews:reviews-v2").rate(1.0),
            70.0,
            50.0,
        ),
    ]
    .concat();
    let graph = graph(&asked, &series, &[]);
    let p95 = |source: &str, target: &str| {
        let latency = edge(&graph, source, target).latency;
        (latency.caller.p95, latency.callee.p95)
    };
    assert_eq!(p95("gw-v1", "shop/web"), (Some(100.0), Some(60.0)));
    assert_eq!(p95("cli-v1", "shop/web"), (Some(300.0), Some(80.0)));
    assert_eq!(p95("shop/web", "web-v1"), (Some(300.0), Some(80.0)));
    assert_eq!(p95("web-v1", "shop/reviews"), (Some(70.0), Some(50.0)));
    assert_eq!(p95("shop/reviews", "reviews-v1"), (Some(20.0), Some(10.0)));
    assert_eq!(p95("shop/reviews", "reviews-v2"), (Some(70.0), Some(50.0)));
    assert_eq!(node_latency(&graph, "reviews-v2").p95, Some(50.0));
    assert_eq!(node_latency(&graph, "service:c1/shop/web").p95, Some(80.0));
    // Two versions lie in two groups; their quantiles do not add up to one of the service, their means do.
    let reviews = node_latency(&graph, "service:c1/shop/reviews");
    assert_eq!((reviews.avg, reviews.p95), (Some(15.0), None));
}

#[test]
fn services_keep_latency_where_a_group_is_exactly_the_edge() {
    let series = [
        timed(&call("edge/gw-v1", "shop/web:web-v1"), 100.0, 60.0),
        timed(&call("shop/web-v1", "shop/reviews:reviews-v1"), 20.0, 10.0),
        timed(&call("shop/web-v1", "shop/reviews:reviews-v2"), 70.0, 50.0),
    ]
    .concat();
    let graph = graph(&asking(GraphType::Service), &series, &[]);
    let latency = edge(&graph, "shop/web", "shop/reviews").latency;
    assert_eq!(
        (latency.caller.p95, latency.callee.p95),
        (Some(70.0), Some(50.0))
    );
    assert_eq!(latency.caller.avg, Some(22.5));
    assert_eq!(node_latency(&graph, "shop/reviews").p95, Some(50.0));
}

#[test]
fn a_group_of_several_edges_belongs_to_none() {
    // Two external hosts: neither has a workload, so a graph without service nodes asks for them as one group.
    let series = [
        timed(
            &call("shop/web-v1", "ext/a.example.com:unknown"),
            10.0,
            10.0,
        ),
        timed(
            &call("shop/web-v1", "ext/b.example.com:unknown"),
            90.0,
            90.0,
        ),
    ]
    .concat();
    let mut asked = asking(GraphType::Workload);
    let plain = graph(&asked, &series, &[]);
    let latency = edge(&plain, "web-v1", "a.example.com").latency.caller;
    assert_eq!((latency.avg, latency.p95), (Some(5.0), None));
    asked.service_nodes = true;
    let with_services = graph(&asked, &series, &[]);
    let latency = edge(&with_services, "web-v1", "a.example.com")
        .latency
        .caller;
    assert_eq!(latency.p95, Some(10.0));
}

#[test]
fn above_the_last_bucket_is_no_number_of_milliseconds() {
    let series = timed(
        &call("edge/gw-v1", "shop/web:web-v1"),
        3_600_000.0,
        f64::INFINITY,
    );
    let graph = graph(&asking(GraphType::Workload), &series, &[]);
    let latency = graph.edges.first().expect("one edge").latency;
    assert_eq!(latency.caller.p95, Some(f64::INFINITY));
    assert_eq!(latency.callee.p95, Some(f64::INFINITY));
}

#[test]
fn narrowed_and_split_queries_lose_nothing_of_the_chosen_namespaces() {
    let series = [
        timed(&call("edge/gw-v1", "shop/web:web-v1"), 100.0, 60.0),
        timed(&call("shop/web-v1", "shop/reviews:reviews-v1"), 20.0, 10.0),
        timed(&call("shop/web-v1", "pay/api:api-v1"), 40.0, 30.0),
    ]
    .concat();
    let mut asked = request(GraphType::Workload);
    asked.latency = vec![LatencyStat::P95];
    asked.namespaces = vec!["shop".to_owned()];
    let graph = graph(&asked, &series, &[]);
    let p95 = |source: &str, target: &str| edge(&graph, source, target).latency.caller.p95;
    assert_eq!(p95("gw-v1", "web-v1"), Some(100.0));
    assert_eq!(p95("web-v1", "reviews-v1"), Some(20.0));
    assert_eq!(p95("web-v1", "api-v1"), Some(40.0));
    assert_eq!(node_latency(&graph, "reviews-v1").p95, Some(10.0));
    assert_eq!(node_latency(&graph, "api-v1").p95, None);
}

#[test]
fn a_failed_half_of_the_mean_is_no_mean() {
    let series = timed(&call("edge/gw-v1", "shop/web:web-v1"), 100.0, 60.0);
    let asked = asking(GraphType::Workload);
    let all = || fetch(&asked, &series);
    let latency = |fetched: &FetchedRows| {
        let graph = fold(&asked, fetched, &[]);
        graph.edges.first().expect("one edge").latency.caller
    };
    let no_sum = latency(&fail(all(), |measure| measure == Measure::LatencySum));
    assert_eq!((no_sum.avg, no_sum.p95), (None, Some(100.0)));
    let no_count = latency(&fail(all(), |measure| measure == Measure::LatencyCount));
    assert_eq!(no_count.avg, None);
    let no_quantile = latency(&fail(all(), |measure| measure == P95));
    assert_eq!((no_quantile.avg, no_quantile.p95), (Some(50.0), None));
}
