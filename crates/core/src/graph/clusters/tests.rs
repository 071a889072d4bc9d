//! Two clusters, `east` and `west`, each with a proxy on every workload that reports to the server of its own cluster.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::graph::testing::{Series, call, deployment, fail, fetch, object, request, service};
use crate::graph::types::{AmbientTraffic, GraphType, LatencyStat, MeshGraph, Node, TcpTraffic};
use crate::graph::{fold, fold_clusters};
use crate::model::{Health, Severity};
use crate::ports::Measure;

/// A call within or between clusters, as its callee's proxy tells it.
fn between(from: (&str, &str), to: (&str, &str)) -> Series {
    call(from.1, to.1)
        .with("source_cluster", from.0)
        .with("destination_cluster", to.0)
}

fn web_to_pay() -> Series {
    between(("east", "shop/web-v1"), ("west", "shop/pay:pay-v1")).rate(10.0)
}

fn own<'a>(
    context: &'a str,
    cluster: Option<&'a str>,
    rows: &'a FetchedRows,
    objects: &'a [Object],
) -> ClusterPart<'a> {
    ClusterPart {
        context,
        cluster,
        metrics: PartMetrics::Own(rows),
        objects,
    }
}

fn asked() -> GraphRequest {
    GraphRequest {
        ambient: AmbientTraffic::Total,
        ..request(GraphType::Workload)
    }
}

/// Edges with their rates, ids in full.
fn edges(graph: &MeshGraph) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or("?".to_owned(), |v| format!("{v:.1}"));
    graph
        .edges
        .iter()
        .map(|edge| {
            let names = [&edge.source, &edge.target].map(|id| id.split_once(':').unwrap().1);
            format!("{} > {} {}", names[0], names[1], number(edge.traffic.rate))
        })
        .collect()
}

/// Nodes as `id = context`.
fn owners(graph: &MeshGraph) -> Vec<String> {
    let nodes = graph.nodes.iter();
    nodes
        .map(|node| format!("{} = {}", node.id, node.context.as_deref().unwrap_or("-")))
        .collect()
}

fn codes(graph: &MeshGraph) -> Vec<&str> {
    let findings = graph.findings.iter();
    findings.map(|finding| finding.code.as_str()).collect()
}

fn node<'a>(graph: &'a MeshGraph, id: &str) -> &'a Node {
    let found = graph.nodes.iter().find(|node| node.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {:?}", owners(graph)))
}

#[test]
fn a_call_between_clusters_is_one_edge_whoever_tells_it() {
    let by_caller = || web_to_pay().by_caller().rate(11.0);
    let by_callee = web_to_pay;
    let cases: [(&str, Vec<Series>, Vec<Series>, &str); 4] = [
        ("both", vec![by_caller()], vec![by_callee()], "11.0"),
        ("the caller's", vec![by_caller()], vec![], "11.0"),
        ("the callee's", vec![], vec![by_callee()], "10.0"),
        (
            "the caller's, in two series",
            vec![by_caller(), by_caller().code("503", "UF").rate(1.0)],
            vec![by_callee()],
            "12.0",
        ),
    ];
    let asked = asked();
    for (name, east, west, rate) in cases {
        let (east, west) = (fetch(&asked, &east), fetch(&asked, &west));
        let parts = [
            own("ctx-east", Some("east"), &east, &[]),
            own("ctx-west", Some("west"), &west, &[]),
        ];
        let graph = fold_clusters(&asked, &parts);
        let expected = format!("east/shop/web-v1 > west/shop/pay-v1 {rate}");
        assert_eq!(edges(&graph), [expected], "{name}");
        let owned = [
            "workload:east/shop/web-v1 = ctx-east",
            "workload:west/shop/pay-v1 = ctx-west",
        ];
        assert_eq!(owners(&graph), owned, "{name}");
        let told = fold_clusters(&asked, &[parts[1], parts[0]]);
        assert_eq!(told, graph, "{name}: the order of parts does not matter");
    }
}

#[test]
fn each_sides_story_is_told_though_two_servers_hold_them() {
    let asked = asked();
    let failed = web_to_pay().by_caller().code("504", "UT");
    let east = fetch(&asked, &[failed]);
    let west = fetch(&asked, &[web_to_pay()]);
    let parts = [
        own("ctx-east", Some("east"), &east, &[]),
        own("ctx-west", Some("west"), &west, &[]),
    ];
    let graph = fold_clusters(&asked, &parts);
    assert_eq!(codes(&graph), ["sides-disagree"]);
    assert_eq!(graph.edges[0].traffic.error_ratio, Some(1.0));
    assert_eq!(graph.edges[0].mtls_ratio, Some(1.0), "as the callee says");
}

#[test]
fn one_server_of_two_clusters_is_asked_once() {
    let asked = asked();
    let local = between(("west", "shop/pay-v1"), ("west", "shop/bank:bank-v1"));
    let rows = fetch(&asked, &[web_to_pay(), local]);
    let objects = [deployment("shop", "idle-v1", &json!({}))];
    let shared = ClusterPart {
        metrics: PartMetrics::SharedWith("ctx-east"),
        ..own("ctx-west", Some("west"), &rows, &objects)
    };
    let request = GraphRequest {
        idle_nodes: true,
        ..asked
    };
    let parts = [own("ctx-east", Some("east"), &rows, &[]), shared];
    let graph = fold_clusters(&request, &parts);
    let expected = [
        "workload:east/shop/web-v1 = ctx-east",
        "workload:west/shop/bank-v1 = ctx-west",
        "workload:west/shop/idle-v1 = ctx-west",
        "workload:west/shop/pay-v1 = ctx-west",
    ];
    assert_eq!(owners(&graph), expected);
    assert_eq!(codes(&graph), Vec::<&str>::new());

    // Whoever asks the same server twice counts no call twice, and hears of it.
    let parts = [
        own("ctx-east", Some("east"), &rows, &[]),
        own("ctx-west", Some("west"), &rows, &objects),
    ];
    let twice = fold_clusters(&request, &parts);
    assert_eq!((&twice.nodes, &twice.edges), (&graph.nodes, &graph.edges));
    assert_eq!(codes(&twice), ["rows-told-twice"]);
    assert_eq!(twice.findings[0].severity, Severity::Info);
}

#[test]
fn two_servers_with_half_the_truth_each_make_the_whole() {
    let asked = asked();
    let series = |to: &str, rate: f64| between(("east", "shop/web-v1"), ("east", to)).rate(rate);
    let one = fetch(
        &asked,
        &[series("shop/a:a-v1", 1.0), series("shop/b:b-v1", 5.0)],
    );
    let other = fetch(
        &asked,
        &[series("shop/b:b-v1", 2.0), series("shop/c:c-v1", 3.0)],
    );
    let parts = [
        own("ctx-east", Some("east"), &one, &[]),
        own("ctx-west", Some("west"), &other, &[]),
    ];
    let graph = fold_clusters(&asked, &parts);
    let expected = [
        "east/shop/web-v1 > east/shop/a-v1 1.0",
        "east/shop/web-v1 > east/shop/b-v1 5.0",
        "east/shop/web-v1 > east/shop/c-v1 3.0",
    ];
    assert_eq!(edges(&graph), expected);
    let told = &graph.findings[0];
    assert_eq!(
        (told.code.as_str(), told.severity),
        ("rows-told-twice", Severity::Warning)
    );
    assert!(
        told.message.contains("1 of them differ"),
        "{}",
        told.message
    );
}

#[test]
fn clusters_with_one_id_are_kept_apart() {
    let asked = GraphRequest {
        idle_nodes: true,
        latency: vec![LatencyStat::P95],
        thresholds: crate::model::Thresholds::default(),
        ..asked()
    };
    let calls = |rate: f64| {
        let call = between(
            ("Kubernetes", "shop/web-v1"),
            ("Kubernetes", "shop/pay:pay-v1"),
        );
        let p95 = call
            .clone()
            .measure(Measure::LatencyQuantile(950))
            .rate(rate * 100.0);
        fetch(&asked, &[call.rate(rate), p95])
    };
    let (one, two) = (calls(1.0), calls(2.0));
    let north = between(("north", "shop/gw-v1"), ("Kubernetes", "shop/web:web-v1"));
    let three = fetch(&asked, &[north.by_caller()]);
    let objects = [deployment("shop", "idle-v1", &json!({}))];
    let parts = [
        own("user@a/ns", Some("Kubernetes"), &one, &objects),
        own("b", None, &two, &objects),
        own("c", Some("north"), &three, &[]),
    ];
    let graph = fold_clusters(&asked, &parts);
    let expected = [
        "workload:Kubernetes/shop/web-v1 = -",
        "workload:Kubernetes@b/shop/idle-v1 = b",
        "workload:Kubernetes@b/shop/pay-v1 = b",
        "workload:Kubernetes@b/shop/web-v1 = b",
        "workload:Kubernetes@user%40a%2Fns/shop/idle-v1 = user@a/ns",
        "workload:Kubernetes@user%40a%2Fns/shop/pay-v1 = user@a/ns",
        "workload:Kubernetes@user%40a%2Fns/shop/web-v1 = user@a/ns",
        "workload:north/shop/gw-v1 = c",
    ];
    assert_eq!(owners(&graph), expected);
    assert_eq!(codes(&graph), ["same-cluster-id"]);
    let message = &graph.findings[0].message;
    assert!(
        message.starts_with("2 clusters call themselves Kubernetes (b, user@a/ns)"),
        "{message}"
    );
    let p95 = |id: &str| node(&graph, id).latency.p95;
    assert_eq!(p95("workload:Kubernetes@b/shop/pay-v1"), Some(200.0));
    assert_eq!(
        p95("workload:Kubernetes@user%40a%2Fns/shop/pay-v1"),
        Some(100.0)
    );
}

#[test]
fn clusters_with_one_id_and_one_server_are_one_and_a_finding_says_so() {
    let asked = GraphRequest {
        idle_nodes: true,
        ..asked()
    };
    let call = between(
        ("Kubernetes", "shop/web-v1"),
        ("Kubernetes", "shop/pay:pay-v1"),
    );
    let rows = fetch(&asked, &[call]);
    let objects = [deployment("shop", "web-v1", &json!({}))];
    let parts = [
        own("a", Some("Kubernetes"), &rows, &objects),
        ClusterPart {
            metrics: PartMetrics::SharedWith("a"),
            ..own("b", Some("Kubernetes"), &rows, &[])
        },
    ];
    let graph = fold_clusters(&asked, &parts);
    let expected = [
        "workload:Kubernetes/shop/pay-v1 = -",
        "workload:Kubernetes/shop/web-v1 = -",
    ];
    assert_eq!(owners(&graph), expected);
    assert_eq!(codes(&graph), ["same-cluster-id"]);
    assert!(graph.findings[0].message.contains("drawn as one"));
}

#[test]
fn two_contexts_of_one_cluster_are_drawn_once() {
    let asked = GraphRequest {
        idle_nodes: true,
        ..asked()
    };
    let call = between(("east", "shop/web-v1"), ("east", "shop/pay:pay-v1"));
    let rows = fetch(&asked, &[call]);
    let objects = [
        object(json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "u-1"}})),
        deployment("shop", "idle-v1", &json!({})),
    ];
    let parts = [
        own("viewer", None, &rows, &objects),
        own("admin", Some("east"), &rows, &objects),
    ];
    let graph = fold_clusters(&asked, &parts);
    let expected = [
        "workload:east/shop/idle-v1 = admin",
        "workload:east/shop/pay-v1 = admin",
        "workload:east/shop/web-v1 = admin",
    ];
    assert_eq!(owners(&graph), expected);
    assert_eq!(codes(&graph), ["rows-told-twice", "same-cluster"]);
}

#[test]
fn an_id_that_nobody_told_is_read_from_the_reports() {
    let asked = GraphRequest {
        idle_nodes: true,
        ..asked()
    };
    let local = |cluster: &str| between((cluster, "shop/a-v1"), (cluster, "shop/b:b-v1"));
    let objects = [deployment("shop", "idle-v1", &json!({}))];
    let idle = |parts: &[ClusterPart<'_>]| -> Vec<String> {
        let graph = fold_clusters(&asked, parts);
        let owners = owners(&graph).into_iter();
        owners.filter(|owner| owner.contains("idle-v1")).collect()
    };
    let east = fetch(&asked, &[local("east"), web_to_pay().by_caller()]);
    let west = fetch(&asked, &[local("west"), web_to_pay()]);
    let both = fetch(&asked, &[local("east"), local("west")]);
    let bare = fetch(
        &asked,
        &[local("x")
            .without("source_cluster")
            .without("destination_cluster")],
    );
    let nothing = FetchedRows::default();
    let other = own("o", Some("west"), &west, &[]);

    // Of its own server: whoever reports. Names of those it calls say nothing.
    let known = [own("c", None, &east, &objects), other];
    assert_eq!(idle(&known), ["workload:east/shop/idle-v1 = c"]);
    // Of a server of two clusters: the one that is nobody else's.
    let left = [own("c", None, &both, &objects), other];
    assert_eq!(idle(&left), ["workload:east/shop/idle-v1 = c"]);
    let shared = [
        own("o", Some("west"), &both, &[]),
        ClusterPart {
            metrics: PartMetrics::SharedWith("o"),
            ..own("c", None, &both, &objects)
        },
    ];
    assert_eq!(idle(&shared), ["workload:east/shop/idle-v1 = c"]);
    // Two that may be it, nobody who says, or no answers: nothing is guessed.
    for rows in [&bare, &nothing] {
        let parts = [own("c", None, rows, &objects), other];
        assert_eq!(idle(&parts), ["workload:unknown@c/shop/idle-v1 = c"]);
    }
    let parts = [
        own("c", None, &both, &objects),
        own("o", Some("north"), &nothing, &[]),
    ];
    assert_eq!(idle(&parts), ["workload:unknown@c/shop/idle-v1 = c"]);
    assert!(codes(&fold_clusters(&asked, &parts)).contains(&"cluster-id-unknown"));
}

#[test]
fn rows_that_name_no_cluster_belong_to_the_cluster_of_their_server() {
    let asked = asked();
    let bare = |rate: f64| {
        let call = call("shop/web-v1", "shop/pay:pay-v1").rate(rate);
        fetch(
            &asked,
            &[call
                .without("source_cluster")
                .without("destination_cluster")],
        )
    };
    let (one, two) = (bare(1.0), bare(2.0));
    let parts = [own("a", Some("east"), &one, &[]), own("b", None, &two, &[])];
    let expected = [
        "east/shop/web-v1 > east/shop/pay-v1 1.0",
        "unknown@b/shop/web-v1 > unknown@b/shop/pay-v1 2.0",
    ];
    assert_eq!(edges(&fold_clusters(&asked, &parts)), expected);
}

#[test]
fn what_one_server_does_not_tell_is_unknown_in_its_cluster_alone() {
    let asked = GraphRequest {
        service_nodes: true,
        ..asked()
    };
    let to_east = between(("west", "shop/pay-v1"), ("east", "shop/web:web-v1")).rate(7.0);
    let east = fetch(
        &asked,
        &[
            web_to_pay().by_caller(),
            to_east.clone(),
            to_east.clone().rate(1.0).code("503", "-"),
        ],
    );
    let west = fetch(&asked, &[web_to_pay(), to_east.by_caller()]);
    let objects = [deployment("shop", "idle-v1", &json!({}))];
    for rows in [fail(west, |_| true), FetchedRows::default()] {
        let parts = [
            own("ctx-east", Some("east"), &east, &objects),
            own("ctx-west", Some("west"), &rows, &objects),
        ];
        let graph = fold_clusters(&asked, &parts);
        let expected = [
            "east/shop/web > east/shop/web-v1 8.0",
            "west/shop/pay > west/shop/pay-v1 ?",
            "east/shop/web-v1 > west/shop/pay 10.0",
            "west/shop/pay-v1 > east/shop/web 8.0",
        ];
        assert_eq!(edges(&graph), expected);
        let health = |id: &str| node(&graph, id).health;
        assert_eq!(health("workload:east/shop/web-v1"), Health::Failing);
        assert_eq!(health("workload:west/shop/pay-v1"), Health::Unknown);
        assert_eq!(health("workload:west/shop/idle-v1"), Health::Unknown);
        let idle = graph
            .nodes
            .iter()
            .filter(|node| node.id.ends_with("idle-v1"));
        assert_eq!(
            idle.count(),
            1,
            "those of east are known to be idle, and not asked for"
        );
        let of_east = node(&graph, "workload:east/shop/web-v1");
        assert_eq!(of_east.outgoing[&Protocol::Http].rate, Some(10.0));
        assert_eq!(of_east.incoming[&Protocol::Http].rate, Some(8.0));
        assert!(
            !of_east.incoming.contains_key(&Protocol::Tcp),
            "no TCP, and that is known"
        );
        let share = |source: &str| {
            let edge = graph
                .edges
                .iter()
                .find(|edge| edge.source.ends_with(source));
            edge.unwrap().share_of_source
        };
        assert_eq!(share("east/shop/web-v1"), Some(1.0));
        assert_eq!(
            share("west/shop/pay-v1"),
            None,
            "it may call others in its own cluster"
        );
        let failures = codes(&graph).contains(&"metrics-query-failed");
        assert_eq!(failures, !rows.answers.is_empty());
        assert!(
            graph
                .findings
                .iter()
                .all(|finding| finding.message.starts_with("ctx-west: "))
        );
    }
}

#[test]
fn half_of_a_sum_at_the_caller_gives_way_to_the_whole_at_the_callee() {
    let asked = GraphRequest {
        tcp: TcpTraffic::Total,
        ..asked()
    };
    let tcp = |measure: Measure, rate: f64| {
        let series = web_to_pay()
            .without("request_protocol")
            .without("response_code");
        series.measure(measure).rate(rate)
    };
    let both = [
        tcp(Measure::TcpSentBytes, 100.0),
        tcp(Measure::TcpReceivedBytes, 50.0),
    ];
    let west = fetch(&asked, &both);
    let east = fail(fetch(&asked, &both.map(Series::by_caller)), |measure| {
        measure == Measure::TcpReceivedBytes
    });
    let parts = [
        own("ctx-east", Some("east"), &east, &[]),
        own("ctx-west", Some("west"), &west, &[]),
    ];
    let graph = fold_clusters(&asked, &parts);
    assert_eq!(edges(&graph), ["east/shop/web-v1 > west/shop/pay-v1 150.0"]);
    let alone = fold_clusters(&asked, &parts[..1]);
    assert_eq!(edges(&alone), ["east/shop/web-v1 > west/shop/pay-v1 ?"]);
}

#[test]
fn objects_bear_on_their_own_cluster_alone() {
    let asked = GraphRequest {
        service_nodes: true,
        idle_nodes: true,
        ..asked()
    };
    let local = |cluster: &str| between((cluster, "shop/web-v1"), (cluster, "shop/pay:pay-v1"));
    let (east, west) = (
        fetch(&asked, &[local("east")]),
        fetch(&asked, &[local("west")]),
    );
    let labels = json!({"app": "pay"});
    let routed = [
        deployment("shop", "pay-v1", &labels),
        deployment("shop", "pay-v2", &labels),
        service("shop", "pay", &labels),
        object(
            json!({"kind": "VirtualService", "metadata": {"name": "pay", "namespace": "shop"},
                      "spec": {"hosts": ["pay"]}}),
        ),
    ];
    let gateway = [deployment(
        "shop",
        "pay-v1",
        &json!({"istio": "ingressgateway"}),
    )];
    let parts = [
        own("ctx-east", Some("east"), &east, &routed),
        own("ctx-west", Some("west"), &west, &gateway),
    ];
    let graph = fold_clusters(&asked, &parts);
    let cases = [
        ("service:east/shop/pay", "virtual-service"),
        ("service:west/shop/pay", ""),
        ("workload:east/shop/pay-v1", "virtual-service"),
        ("workload:east/shop/pay-v2", "idle virtual-service"),
        ("workload:west/shop/pay-v1", "ingress"),
    ];
    for (id, badges) in cases {
        assert_eq!(node(&graph, id).badges.join(" "), badges, "{id}");
    }
    assert!(
        graph
            .nodes
            .iter()
            .all(|node| node.id != "workload:west/shop/pay-v2")
    );
}

#[test]
fn one_context_is_what_fold_draws_with_its_name() {
    let asked = GraphRequest {
        idle_nodes: true,
        ..asked()
    };
    let rows = fetch(&asked, &[web_to_pay(), web_to_pay().by_caller()]);
    let objects = [deployment("shop", "idle-v1", &json!({}))];
    let mut named = fold_clusters(&asked, &[own("c", None, &rows, &objects)]);
    assert!(
        named
            .nodes
            .iter()
            .all(|node| node.context.as_deref() == Some("c"))
    );
    for node in &mut named.nodes {
        node.context = None;
    }
    assert_eq!(named, fold(&asked, &rows, &objects));
    let east = fold_clusters(&asked, &[own("c", Some("east"), &rows, &objects)]);
    let expected = [
        "workload:east/shop/idle-v1 = c",
        "workload:east/shop/web-v1 = c",
        "workload:west/shop/pay-v1 = -",
    ];
    assert_eq!(owners(&east), expected);
    let nobody = fold_clusters(&asked, &[]);
    assert!(nobody.nodes.is_empty() && nobody.edges.is_empty());
}

fn any_series() -> impl Strategy<Value = Series> {
    let cluster = || prop::sample::select(vec!["east", "west", "north"]);
    let caller = prop::sample::select(vec!["a/x-v1", "a/x-v2", "b/y-v1", "unknown/unknown"]);
    let callee = prop::sample::select(vec!["a/x:x-v1", "a/x:x-v2", "b/y:y-v1", "b/y:unknown"]);
    let reporter = prop::sample::select(vec!["source", "destination", "waypoint"]);
    let measure = prop::sample::select(vec![
        Measure::Requests,
        Measure::TcpSentBytes,
        Measure::LatencySum,
        Measure::LatencyCount,
        Measure::LatencyQuantile(950),
    ]);
    let ends = (cluster(), caller, cluster(), callee);
    (ends, reporter, measure, 0.0..1000.0_f64).prop_map(
        |((from_cluster, from, to_cluster, to), reporter, measure, rate)| {
            let unknown = from == "unknown/unknown";
            let from_cluster = if unknown { "unknown" } else { from_cluster };
            between((from_cluster, from), (to_cluster, to))
                .with("reporter", reporter)
                .measure(measure)
                .rate(rate)
        },
    )
}

proptest! {
    /// Rows split by the cluster of the proxy that reports them give what all rows in one server give, bit by bit.
    #[test]
    fn split_by_reporter_nothing_changes(
        series in prop::collection::vec(any_series(), 1..40),
        graph_type in prop::sample::select(vec![
            GraphType::Workload, GraphType::App, GraphType::VersionedApp, GraphType::Service,
        ]),
        service_nodes in any::<bool>(),
        idle_edges in any::<bool>(),
    ) {
        let asked = GraphRequest {
            service_nodes,
            idle_edges,
            latency: vec![LatencyStat::Avg, LatencyStat::P95],
            thresholds: crate::model::Thresholds::default(),
            ..GraphRequest { graph_type, ..asked() }
        };
        let clusters = ["east", "north", "west"];
        let reported_in = |series: &Series| {
            let by_caller = series.labels["reporter"] == "source";
            let end = if by_caller { "source_cluster" } else { "destination_cluster" };
            clusters.iter().position(|name| *name == series.labels[end]).unwrap_or(0)
        };
        let mut split: BTreeMap<usize, Vec<Series>> = BTreeMap::new();
        for one in &series {
            split.entry(reported_in(one)).or_default().push(one.clone());
        }
        let rows: Vec<FetchedRows> = (0..clusters.len())
            .map(|at| fetch(&asked, split.get(&at).map_or(&[], Vec::as_slice)))
            .collect();
        let parts: Vec<ClusterPart<'_>> = clusters
            .iter()
            .zip(&rows)
            .map(|(&name, rows)| own(name, Some(name), rows, &[]))
            .collect();
        let mut united = fold_clusters(&asked, &parts);
        for node in &mut united.nodes {
            let expected = (node.cluster != "unknown").then(|| node.cluster.clone());
            prop_assert_eq!(node.context.take(), expected);
        }
        let whole = fold(&asked, &fetch(&asked, &series), &[]);
        prop_assert_eq!((united.nodes, united.edges), (whole.nodes, whole.edges));
    }
}
