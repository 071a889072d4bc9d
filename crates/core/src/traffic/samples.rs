//! A small mesh for tests: the Service `reviews` of `shop` with two versions.

use serde_json::{Value, json};

use crate::model::Object;

pub(super) fn object(doc: Value) -> Object {
    let text = doc.to_string();
    Object::from_document(doc).unwrap_or_else(|| panic!("not an object: {text}"))
}

pub(super) fn service(namespace: &str, name: &str) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [{"port": 9080, "name": "http"}]},
    }))
}

pub(super) fn deployment(namespace: &str, app: &str, version: &str, ready: u32) -> Object {
    object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": format!("{app}-{version}"), "namespace": namespace},
        "spec": {
            "replicas": 2,
            "template": {"metadata": {"labels": {"app": app, "version": version}}},
        },
        "status": {"replicas": 2, "readyReplicas": ready},
    }))
}

pub(super) fn destination_rule(namespace: &str, host: &str, versions: &[&str]) -> Object {
    let subsets: Vec<Value> = versions
        .iter()
        .map(|v| json!({"name": v, "labels": {"version": v}}))
        .collect();
    object(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": host, "namespace": namespace},
        "spec": {"host": host, "subsets": subsets},
    }))
}

/// A VirtualService `reviews` in `shop` with this `http` section.
pub(super) fn virtual_service(http: Value) -> Object {
    named_virtual_service(
        "shop",
        "reviews",
        "2026-01-02T00:00:00Z",
        json!({
            "hosts": ["reviews"],
            "http": http,
        }),
    )
}

pub(super) fn named_virtual_service(
    namespace: &str,
    name: &str,
    created: &str,
    spec: Value,
) -> Object {
    object(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {
            "name": name, "namespace": namespace, "resourceVersion": "41",
            "creationTimestamp": created,
        },
        "spec": spec,
    }))
}

/// A destination of the Service `reviews`.
pub(super) fn to_subset(subset: &str, weight: i64) -> Value {
    json!({"destination": {"host": "reviews", "subset": subset}, "weight": weight})
}

/// A mesh HTTPRoute for the Service `reviews` of `shop`.
pub(super) fn http_route(namespace: &str, name: &str, rules: Value) -> Object {
    mesh_route("HTTPRoute", namespace, name, rules)
}

/// The same of any kind of the Gateway API.
pub(super) fn mesh_route(kind: &str, namespace: &str, name: &str, rules: Value) -> Object {
    object(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "resourceVersion": "7"},
        "spec": {
            "parentRefs": [{"group": "", "kind": "Service", "name": "reviews", "namespace": "shop", "port": 9080}],
            "rules": rules,
        },
    }))
}

/// Service, two ready versions, a DestinationRule with both, and a 90/10 VirtualService.
pub(super) fn mesh() -> Vec<Object> {
    vec![
        service("shop", "reviews"),
        deployment("shop", "reviews", "v1", 2),
        deployment("shop", "reviews", "v2", 2),
        destination_rule("shop", "reviews", &["v1", "v2", "v3"]),
        virtual_service(json!([{"route": [to_subset("v1", 90), to_subset("v2", 10)]}])),
    ]
}
