use serde_json::json;

use crate::graph::testing::{call, deployment, graph, object, request, service};
use crate::graph::types::{GraphType, MeshGraph};

fn badges_of(graph: &MeshGraph, id: &str) -> String {
    let node = graph.nodes.iter().find(|node| node.id.ends_with(id));
    node.unwrap_or_else(|| panic!("no {id}")).badges.join(" ")
}

#[test]
fn marks_say_where_a_node_stands() {
    let mut asked = request(GraphType::Workload);
    asked.idle_nodes = true;
    asked.namespaces = vec!["shop".to_owned()];
    let to_outside = |name: &str| {
        call("shop/web-v1", &format!("unknown/{name}:unknown"))
            .with("destination_service", name)
            .by_caller()
    };
    let series = [
        call("edge/gw-v1", "shop/web:web-v1"),
        call("unknown/unknown", "shop/web:web-v1").with("source_cluster", "unknown"),
        to_outside("PassthroughCluster"),
        to_outside("BlackHoleCluster"),
        to_outside("api.example.com"),
        to_outside("unknown"),
    ];
    let objects = [deployment("shop", "lonely", &json!({}))];
    let graph = graph(&asked, &series, &objects);
    let cases = [
        ("edge/gw-v1", "outside root"),
        ("shop/web-v1", ""),
        ("shop/lonely", "idle"),
        ("PassthroughCluster", "egress inaccessible"),
        ("BlackHoleCluster", "egress inaccessible"),
        ("api.example.com", "external"),
        ("service:c1/unknown/unknown", "inaccessible"),
        ("unknown:unknown/unknown/unknown", "inaccessible root"),
    ];
    for (id, expected) in cases {
        assert_eq!(badges_of(&graph, id), expected, "{id}");
    }
}

#[test]
fn marks_say_what_routes_a_node_and_that_it_is_a_gateway() {
    let mut asked = request(GraphType::Workload);
    asked.service_nodes = true;
    asked.idle_nodes = true;
    let series = [
        call("gateways/in-v1", "shop/web:web-v1"),
        call("shop/web-v1", "shop/reviews:reviews-v1"),
        call("shop/web-v1", "istio-system/egress:istio-egressgateway"),
    ];
    let objects = [
        deployment("gateways", "in-v1", &json!({"istio": "ingressgateway"})),
        deployment(
            "gateways",
            "api",
            &json!({"gateway.networking.k8s.io/gateway-name": "api"}),
        ),
        deployment(
            "shop",
            "waypoint",
            &json!({"gateway.networking.k8s.io/gateway-name": "waypoint",
                    "gateway.istio.io/managed": "istio.io-mesh-controller"}),
        ),
        deployment("shop", "reviews-v2", &json!({"app": "reviews"})),
        service("shop", "reviews", &json!({"app": "reviews"})),
        object(
            json!({"kind": "VirtualService", "metadata": {"name": "r", "namespace": "shop"},
                      "spec": {"hosts": ["reviews.shop.svc.cluster.local"]}}),
        ),
        object(
            json!({"kind": "HTTPRoute", "metadata": {"name": "w", "namespace": "shop"},
                      "spec": {"parentRefs": [{"kind": "Service", "group": "", "name": "web"}]}}),
        ),
    ];
    let graph = graph(&asked, &series, &objects);
    let cases = [
        ("gateways/in-v1", "ingress root"),
        ("gateways/api", "idle ingress"),
        ("shop/waypoint", "idle"),
        ("istio-system/istio-egressgateway", ""),
        ("service:c1/shop/reviews", "virtual-service"),
        ("shop/reviews-v1", "virtual-service"),
        ("shop/reviews-v2", "idle virtual-service"),
        ("service:c1/shop/web", "http-route"),
        ("workload:c1/shop/web-v1", "http-route"),
    ];
    for (id, expected) in cases {
        assert_eq!(badges_of(&graph, id), expected, "{id}");
    }
}
