//! A tiny mesh as a Kubernetes API server, a Prometheus and a Jaeger would answer it, for tests of what happens when one
//! of them does not.
//!
//! `web` calls `reviews` 10 times a second; its `VirtualService` sends 90 of 100 to v1.

use serde_json::{Value, json};

use crate::{Ctl, Reply, Request};
use anyhow::Result;

/// Requests per second to reviews v1 and v2.
pub const RATES: [(&str, f64); 2] = [("v1", 9.0), ("v2", 1.0)];

/// Group, version, plural and kind of what the server knows.
const RESOURCES: [(&str, &str, &str, &str); 8] = [
    ("", "v1", "namespaces", "Namespace"),
    ("", "v1", "services", "Service"),
    ("", "v1", "pods", "Pod"),
    ("apps", "v1", "deployments", "Deployment"),
    (
        "networking.istio.io",
        "v1",
        "virtualservices",
        "VirtualService",
    ),
    (
        "networking.istio.io",
        "v1",
        "destinationrules",
        "DestinationRule",
    ),
    (
        "networking.istio.io",
        "v1",
        "serviceentries",
        "ServiceEntry",
    ),
    ("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute"),
];

/// Writes a kubeconfig for a server without TLS and answers its path.
///
/// # Errors
/// If it cannot be written.
pub fn kubeconfig(ctl: &Ctl, server: &str) -> Result<String> {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "clusters": [{"name": "fake", "cluster": {"server": server}}],
        "users": [{"name": "someone", "user": {"token": "secret-token"}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "someone"}}],
    });
    ctl.file("kubeconfig.json", config.to_string())
}

/// A healthy API server of the older kind, which lists before it watches, and where nothing changes.
#[must_use]
pub fn kubernetes(request: &Request) -> Reply {
    if request.parameter("sendInitialEvents").is_some() {
        return refusal(422, "Invalid", "sendInitialEvents is forbidden for watch");
    }
    if request.parameter("watch").is_some() {
        return Reply::Quiet;
    }
    let parts: Vec<&str> = request.path().trim_matches('/').split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["version"]) => Reply::json(
            200,
            &json!({"major": "1", "minor": "36", "gitVersion": "v1.36.2"}),
        ),
        ("GET", ["readyz" | "livez" | "healthz"]) => Reply::text(200, "text/plain", "ok"),
        ("GET", ["api"]) => Reply::json(200, &json!({"kind": "APIVersions", "versions": ["v1"]})),
        ("GET", ["apis"]) => Reply::json(200, &groups()),
        ("GET", ["api", version]) => resource_list("", version),
        ("GET", ["apis", group, version]) => resource_list(group, version),
        ("POST", ["apis", "authentication.k8s.io", version, _]) => {
            let status = json!({"userInfo": {"username": "someone"}});
            Reply::json(
                201,
                &review(
                    "authentication.k8s.io",
                    version,
                    "SelfSubjectReview",
                    &status,
                ),
            )
        }
        ("POST", ["apis", "authorization.k8s.io", version, _]) => {
            let status = json!({"allowed": true});
            Reply::json(
                201,
                &review(
                    "authorization.k8s.io",
                    version,
                    "SelfSubjectAccessReview",
                    &status,
                ),
            )
        }
        ("GET", ["api", version, rest @ ..]) => objects("", version, rest),
        ("GET", ["apis", group, version, rest @ ..]) => objects(group, version, rest),
        _ => Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n"),
    }
}

/// A refusal as an API server words it.
#[must_use]
pub fn refusal(status: u16, reason: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": status,
        }),
    )
}

/// Whether a request is about a kind that Istio or Gateway API define.
#[must_use]
pub fn of_a_definition(request: &Request) -> bool {
    request.path().contains("istio.io") || request.path().contains("gateway.networking")
}

/// A healthy Prometheus.
#[must_use]
pub fn prometheus(request: &Request) -> Reply {
    prometheus_with(request, &rows)
}

/// A healthy Prometheus whose rows of a query are these.
#[must_use]
pub fn prometheus_with(request: &Request, rows: &dyn Fn(&str) -> Vec<Value>) -> Reply {
    let success = |data: &Value| Reply::json(200, &json!({"status": "success", "data": data}));
    match request.path() {
        "/api/v1/query" => {
            let query = request.parameter("query").unwrap_or_default();
            success(&json!({"resultType": "vector", "result": rows(&query)}))
        }
        "/api/v1/status/buildinfo" => success(&json!({"version": "2.42.0", "revision": "x"})),
        "/api/v1/status/config" => success(&json!({"yaml": "global:\n  scrape_interval: 5s\n"})),
        _ => Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n"),
    }
}

/// The rows of a query over the tiny mesh.
#[must_use]
pub fn rows(query: &str) -> Vec<Value> {
    let metric = |name: &str| query.contains(name);
    let value = |rate: f64| match () {
        () if metric("istio_requests_total") || metric("milliseconds_count") => Some(rate),
        () if metric("milliseconds_sum") => Some(rate * 20.0),
        () if metric("milliseconds_bucket") => Some(45.0),
        () => None,
    };
    let rates = RATES
        .iter()
        .filter_map(|(version, rate)| Some((version, value(*rate)?)));
    rates
        .map(|(version, value)| row(&labels(version), &value.to_string()))
        .collect()
}

/// A row of an instant vector.
#[must_use]
pub fn row(labels: &Value, value: &str) -> Value {
    json!({"metric": labels, "value": [1_772_442_840.0, value]})
}

/// Labels of `web` calling this version of `reviews`, as the caller's proxy reports it.
#[must_use]
pub fn labels(version: &str) -> Value {
    json!({
        "reporter": "source", "request_protocol": "http", "response_code": "200",
        "response_flags": "-", "grpc_response_status": "",
        "source_cluster": "Kubernetes", "source_workload_namespace": "shop",
        "source_workload": "web-v1", "source_canonical_service": "web",
        "source_canonical_revision": "v1",
        "destination_cluster": "Kubernetes", "destination_service_namespace": "shop",
        "destination_service": "reviews.shop.svc.cluster.local",
        "destination_service_name": "reviews", "destination_workload_namespace": "shop",
        "destination_workload": format!("reviews-{version}"),
        "destination_canonical_service": "reviews", "destination_canonical_revision": version,
        "connection_security_policy": "unknown",
    })
}

/// A Jaeger that knows no trace.
#[must_use]
pub fn jaeger(request: &Request) -> Reply {
    let path = request.path();
    if path.ends_with("/services") {
        return Reply::json(
            200,
            &json!({"services": ["reviews.shop"], "data": ["reviews.shop"]}),
        );
    }
    let message = "trace not found";
    let body = json!({
        "data": null, "errors": [{"code": 404, "msg": message}],
        "error": {"httpCode": 404, "message": message},
    });
    Reply::json(404, &body)
}

fn groups() -> Value {
    let mut names: Vec<&str> = RESOURCES
        .iter()
        .map(|(group, ..)| *group)
        .filter(|g| !g.is_empty())
        .collect();
    names.dedup();
    let group = |name: &&str| {
        let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
        json!({"name": name, "versions": [version], "preferredVersion": version})
    };
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": names.iter().map(group).collect::<Vec<_>>()})
}

fn resource_list(group: &str, version: &str) -> Reply {
    let known: Vec<Value> = RESOURCES
        .iter()
        .filter(|(g, v, ..)| *g == group && *v == version)
        .map(|(.., plural, kind)| {
            json!({
                "name": plural, "singularName": "", "namespaced": *kind != "Namespace", "kind": kind,
                "verbs": ["get", "list", "patch", "watch"],
            })
        })
        .collect();
    if known.is_empty() {
        return Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n");
    }
    let name = api_version(group, version);
    let kind = "APIResourceList";
    Reply::json(
        200,
        &json!({"kind": kind, "apiVersion": "v1", "groupVersion": name, "resources": known}),
    )
}

fn objects(group: &str, version: &str, path: &[&str]) -> Reply {
    let (plural, name) = match path {
        ["namespaces", _, plural] | [plural] => (*plural, None),
        ["namespaces", _, plural, name] | [plural, name] => (*plural, Some(*name)),
        _ => ("", None),
    };
    let known = RESOURCES
        .iter()
        .find(|(g, v, p, _)| *g == group && *v == version && *p == plural);
    let Some((.., kind)) = known else {
        return Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n");
    };
    let all: Vec<Value> = declared()
        .into_iter()
        .filter(|object| object["kind"] == *kind)
        .collect();
    match name {
        None => Reply::json(
            200,
            &json!({
                "kind": format!("{kind}List"), "apiVersion": api_version(group, version),
                "metadata": {"resourceVersion": "100"}, "items": all,
            }),
        ),
        Some(name) => match all.iter().find(|object| object["metadata"]["name"] == name) {
            Some(object) => Reply::json(200, object),
            None => refusal(404, "NotFound", &format!("{plural} \"{name}\" not found")),
        },
    }
}

fn declared() -> Vec<Value> {
    let object = |version: &str, kind: &str, name: &str, labels: Value, spec: Value| {
        json!({
            "apiVersion": version, "kind": kind, "spec": spec,
            "metadata": {
                "name": name, "namespace": (kind != "Namespace").then_some("shop"), "labels": labels,
                "uid": format!("{kind}-{name}"), "resourceVersion": "7", "generation": 1,
                "creationTimestamp": "2026-03-02T09:14:00Z",
            },
        })
    };
    let deployment = |app: &str, version: &str| {
        let labels = json!({"app": app, "version": version});
        let spec = json!({
            "replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": []}},
        });
        object(
            "apps/v1",
            "Deployment",
            &format!("{app}-{version}"),
            labels.clone(),
            spec,
        )
    };
    let service = |app: &str| {
        let spec = json!({"selector": {"app": app}, "ports": [{"name": "http", "port": 9080}]});
        object("v1", "Service", app, json!({}), spec)
    };
    let istio = "networking.istio.io/v1";
    let to = |subset: &str, weight: u32| json!({"destination": {"host": "reviews", "subset": subset}, "weight": weight});
    let subset = |version: &str| json!({"name": version, "labels": {"version": version}});
    let routes = json!({"hosts": ["reviews"], "http": [{"route": [to("v1", 90), to("v2", 10)]}]});
    let subsets = json!({"host": "reviews", "subsets": [subset("v1"), subset("v2")]});
    vec![
        object(
            "v1",
            "Namespace",
            "shop",
            json!({"istio-injection": "enabled"}),
            json!({}),
        ),
        service("web"),
        service("reviews"),
        deployment("web", "v1"),
        deployment("reviews", "v1"),
        deployment("reviews", "v2"),
        object(istio, "VirtualService", "reviews", json!({}), routes),
        object(istio, "DestinationRule", "reviews", json!({}), subsets),
    ]
}

fn review(group: &str, version: &str, kind: &str, status: &Value) -> Value {
    json!({"kind": kind, "apiVersion": api_version(group, version), "metadata": {}, "spec": {}, "status": status})
}

fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}
