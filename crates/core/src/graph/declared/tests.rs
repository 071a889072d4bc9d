use serde_json::json;

use super::*;
use crate::graph::testing::{call, deployment, graph, object, request, service};
use crate::graph::types::MeshGraph;

fn idle(graph_type: GraphType) -> GraphRequest {
    GraphRequest {
        idle_nodes: true,
        ..request(graph_type)
    }
}

fn ids(graph: &MeshGraph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.id.as_str()).collect()
}

#[test]
fn canonical_names_follow_istios_order() {
    let cases = [
        (json!({}), "reviews-v3", "latest"),
        (json!({"app": "reviews", "version": "v3"}), "reviews", "v3"),
        (
            json!({"app": "x", "app.kubernetes.io/name": "reviews",
                   "version": "x", "app.kubernetes.io/version": "v3"}),
            "reviews",
            "v3",
        ),
        (
            json!({"app": "x", "app.kubernetes.io/name": "y", "service.istio.io/canonical-name": "reviews",
                   "app.kubernetes.io/version": "y", "service.istio.io/canonical-revision": "v3"}),
            "reviews",
            "v3",
        ),
        (json!({"app": "", "version": 3}), "reviews-v3", "latest"),
    ];
    for (labels, app, version) in cases {
        let objects = [deployment("shop", "reviews-v3", &labels)];
        let declared = Declared::read(objects.iter());
        let workload = &declared.workloads[&("shop", "reviews-v3")];
        assert_eq!((workload.app, workload.version), (app, version), "{labels}");
    }
}

#[test]
fn declared_things_without_traffic_become_nodes_of_the_graph_type() {
    let labels = json!({"app": "ratings", "version": "v1"});
    let objects = [
        deployment("shop", "ratings-v1", &labels),
        deployment("shop", "reviews-v1", &json!({"app": "reviews"})),
        service("shop", "ratings", &json!({"app": "ratings"})),
        service("shop", "reviews", &json!({"app": "reviews"})),
    ];
    let series = [call("edge/gw-v1", "shop/reviews:reviews-v1")];
    let gateway = |kind: &str| format!("{kind}:c1/edge/gw");
    let cases = [
        (GraphType::Workload, false, "workload:c1/shop/ratings-v1", 3),
        (GraphType::App, false, "app:c1/shop/ratings", 3),
        (
            GraphType::VersionedApp,
            false,
            "version:c1/shop/ratings-v1",
            3,
        ),
        (GraphType::Workload, true, "service:c1/shop/ratings", 5),
        (GraphType::Service, false, "service:c1/shop/ratings", 3),
    ];
    for (graph_type, service_nodes, expected, count) in cases {
        let mut asked = idle(graph_type);
        asked.service_nodes = service_nodes;
        let drawn = graph(&asked, &series, &objects);
        assert!(ids(&drawn).contains(&expected), "{:?}", ids(&drawn));
        assert_eq!(
            drawn.nodes.len(),
            count,
            "{} {:?}",
            gateway(""),
            ids(&drawn)
        );
        asked.idle_nodes = false;
        let drawn = graph(&asked, &series, &objects);
        assert!(!ids(&drawn).contains(&expected), "{:?}", ids(&drawn));
    }
}

#[test]
fn declared_things_outside_the_chosen_namespaces_stay_out() {
    let objects = [
        deployment("shop", "web-v1", &json!({})),
        deployment("pay", "api-v1", &json!({})),
    ];
    let mut asked = idle(GraphType::Workload);
    asked.namespaces = vec!["shop".to_owned()];
    assert_eq!(
        ids(&graph(&asked, &[], &objects)),
        ["workload:Kubernetes/shop/web-v1"]
    );
}

#[test]
fn declared_things_join_the_cluster_that_telemetry_names() {
    let objects = [
        deployment("shop", "idle-v1", &json!({})),
        deployment("pay", "idle-v1", &json!({})),
    ];
    let in_cluster = |cluster: &str, from: &str, to: &str| {
        call(from, to)
            .with("source_cluster", cluster)
            .with("destination_cluster", cluster)
    };
    let series = [
        in_cluster("east", "shop/web-v1", "shop/reviews:reviews-v1"),
        in_cluster("east", "shop/web-v1", "shop/ratings:ratings-v1"),
        in_cluster("west", "pay/api-v1", "pay/ledger:ledger-v1"),
        in_cluster("east", "pay/api-v1", "pay/ledger:ledger-v1"),
        in_cluster("west", "pay/api-v1", "pay/bank:bank-v1"),
    ];
    let drawn = graph(&idle(GraphType::Workload), &series, &objects);
    let found: Vec<&str> = ids(&drawn)
        .into_iter()
        .filter(|id| id.ends_with("idle-v1"))
        .collect();
    assert_eq!(
        found,
        ["workload:east/shop/idle-v1", "workload:west/pay/idle-v1"]
    );
}

#[test]
fn hosts_of_virtual_services_are_resolved_as_istio_does() {
    let cases = [
        ("reviews", ("shop", "reviews")),
        ("reviews.pay", ("pay", "reviews")),
        ("reviews.pay.svc.cluster.local", ("pay", "reviews")),
        ("api.example.com", ("", "api.example.com")),
        ("*", ("shop", "*")),
    ];
    for (host, (namespace, name)) in cases {
        let expected = (namespace.to_owned(), name.to_owned());
        assert_eq!(resolve(host, "shop"), expected, "{host}");
    }
}

#[test]
fn odd_documents_are_read_for_what_they_hold() {
    let objects = [
        deployment("shop", "no-labels", &json!("none")),
        service("shop", "headless", &json!(null)),
        object(
            json!({"kind": "VirtualService", "metadata": {"name": "x", "namespace": "shop"},
                      "spec": {"hosts": ["web", 7, null]}}),
        ),
        object(
            json!({"kind": "HTTPRoute", "metadata": {"name": "x", "namespace": "shop"},
                      "spec": {"parentRefs": [{"kind": "Service", "name": "web"}, {"kind": "Gateway", "name": "gw"}, 3]}}),
        ),
    ];
    let declared = Declared::read(objects.iter());
    assert_eq!(declared.workloads[&("shop", "no-labels")].app, "no-labels");
    let web = BTreeSet::from([("shop".to_owned(), "web".to_owned())]);
    assert_eq!(declared.virtual_services, web);
    assert_eq!(declared.gateway_routes, web);
}
