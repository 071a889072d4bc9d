use pilothouse_core::model::SourceErrorKind;
use serde_json::{Value, json};

use crate::mock::{Canned, Seen, list, serve};

const KIALI: &str = "
external_services:
  prometheus:
    url: http://admin:hunter2@prometheus.monitoring:9090/base
    auth: {type: bearer, token: hunter2}
  tracing:
    in_cluster_url: http://tempo.monitoring:3200
    url: https://tempo.example
    provider: tempo
    use_grpc: false
";

const MESH: &str = "
rootNamespace: istio-system
defaultConfig:
  tracing: {zipkin: {address: 'zipkin.istio-system:9411'}}
extensionProviders:
- name: otel
  opentelemetry: {service: collector.monitoring.svc.cluster.local, port: 4317}
- name: authz
  envoyExtAuthzHttp: {service: oauth.auth, port: 80}
";

fn deployment(name: &str, revision: &str, cluster: Option<&str>) -> Value {
    let env = cluster.map(|name| json!({"name": "CLUSTER_ID", "value": name}));
    let env: Vec<_> = env.into_iter().collect();
    json!({
        "metadata": {"namespace": "istio-system", "name": name, "labels": {"istio.io/rev": revision}},
        "spec": {"template": {"spec": {"containers": [
            {"name": "sidecar", "image": "x:1"},
            {"name": "discovery", "image": "docker.io/istio/pilot:1.27.1", "env": env},
        ]}}},
    })
}

fn slice(service: &str, family: &str, pods: &[(&str, bool)]) -> Value {
    let endpoint = |&(pod, ready): &(&str, bool)| json!({"addresses": [format!("{family}-{pod}")], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": pod}});
    let endpoints: Vec<_> = pods.iter().map(endpoint).collect();
    json!({
        "metadata": {"namespace": "monitoring", "name": format!("{service}-{family}"), "labels": {"kubernetes.io/service-name": service}},
        "addressType": family, "endpoints": endpoints,
    })
}

/// A cluster with Istio, Kiali and the Gateway API.
fn cluster(seen: &Seen) -> Canned {
    let path = seen.line.trim_start_matches("GET ");
    let path = path
        .split("limit=")
        .next()
        .unwrap()
        .trim_end_matches(['?', '&']);
    let ok = |items: &[Value]| Canned::ok(&list("1", items));
    match path {
        "/api/v1/services" => ok(&[
            json!({
                "metadata": {"namespace": "monitoring", "name": "prometheus", "labels": {"app": "p"}, "creationTimestamp": "2026-01-02T03:04:05Z",
                    "annotations": {"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "hunter2"}},
                "spec": {"clusterIP": "10.0.0.1", "selector": {"app": "p"}, "ports": [{"name": "web", "port": 9090, "targetPort": "web", "protocol": "TCP"}]},
            }),
            json!({"metadata": {"namespace": "monitoring", "name": "alias"}, "spec": {"externalName": "p.example", "ports": null}}),
            json!({"metadata": {"namespace": "ops", "name": "kiali"}, "spec": {"clusterIP": "None"}}),
            json!({"metadata": {"namespace": "odd", "name": 7}}),
        ]),
        "/apis/discovery.k8s.io/v1/endpointslices" => ok(&[
            slice("prometheus", "IPv4", &[("p-0", true), ("p-1", false)]),
            slice("prometheus", "IPv6", &[("p-0", true)]),
        ]),
        "/api/v1/namespaces" => ok(&[
            json!({"metadata": {"name": "shop", "labels": {"istio.io/dataplane-mode": "ambient"}}}),
        ]),
        "/apis/apps/v1/deployments?labelSelector=app%3Distiod" => ok(&[
            deployment("istiod-canary", "canary", Some("east")),
            deployment("istiod", "default", Some("east")),
        ]),
        "/apis/apps/v1/daemonsets?fieldSelector=metadata.name%3Dztunnel" => ok(&[]),
        "/api/v1/namespaces/ops/configmaps/kiali" => {
            Canned::ok(&json!({"data": {"config.yaml": KIALI}}))
        }
        "/api/v1/namespaces/istio-system/configmaps/istio" => Canned::ok(
            &json!({"data": {"mesh": MESH, "meshNetworks": "networks: {east: {}, west: {}}"}}),
        ),
        "/apis" => Canned::ok(&json!({"groups": [
            {"name": "gateway.networking.k8s.io", "versions": [{"version": "v1beta1"}, {"version": "v1"}], "preferredVersion": {"version": "v1"}},
            {"name": "flagger.app", "versions": [{"version": "v1beta1"}]},
        ]})),
        "/apis/gateway.networking.k8s.io/v1" => Canned::ok(&json!({"resources": [
            {"name": "httproutes", "kind": "HTTPRoute"}, {"name": "httproutes/status", "kind": "Status"},
        ]})),
        "/apis/kiali.io/v1alpha1/kialis" | "/apis/gateway.networking.k8s.io/v1beta1" => {
            Canned::no_path()
        }
        path if path.contains("/configmaps/") => {
            let mut missing = crate::mock::status(404, "NotFound", "configmaps not found");
            missing["details"] = json!({"name": "kiali"});
            Canned::json(404, &missing)
        }
        other => Canned::status(
            500,
            "InternalError",
            &format!("nobody should ask for {other}"),
        ),
    }
}

#[tokio::test]
async fn the_inventory_holds_services_mesh_hints_and_apis() {
    let (source, log) = serve(&[], cluster);
    let inventory = source.inventory().await;
    let services = inventory.services.result.as_ref().unwrap();
    assert_eq!(services.len(), 3, "the odd one is left out");
    assert_eq!(services[0].ports[0].target_port, "web");
    assert_eq!(services[0].cluster_ip.as_deref(), Some("10.0.0.1"));
    assert_eq!(
        services[0].created.unwrap().to_string(),
        "2026-01-02T03:04:05Z"
    );
    assert_eq!(services[1].external_name.as_deref(), Some("p.example"));
    assert_eq!(services[2].cluster_ip, None);
    let readiness = &inventory.readiness.result.as_ref().unwrap()
        [&("monitoring".to_owned(), "prometheus".to_owned())];
    assert_eq!(
        (readiness.ready, readiness.total),
        (1, 2),
        "both families are one pod"
    );
    assert_eq!(inventory.ready_endpoints("monitoring", "alias"), Some(0));

    let istiods = inventory.istiods.result.as_ref().unwrap();
    assert_eq!(istiods[1].version.as_deref(), Some("1.27.1"));
    assert_eq!(inventory.cluster_name(), Some("east"));
    assert_eq!(inventory.is_ambient(), Some(true));
    let [mesh] = inventory.meshes.result.as_deref().unwrap() else {
        panic!("one mesh");
    };
    let tracing: Vec<_> = mesh
        .tracing
        .iter()
        .map(|to| (to.protocol.as_str(), to.service.as_str(), to.port))
        .collect();
    let expected = [
        (
            "opentelemetry",
            "collector.monitoring.svc.cluster.local",
            Some(4317),
        ),
        ("zipkin", "zipkin.istio-system", Some(9411)),
    ];
    assert_eq!(tracing, expected);
    assert_eq!(mesh.networks, ["east", "west"]);

    let [kiali] = inventory.kiali.result.as_deref().unwrap() else {
        panic!("one hint");
    };
    assert_eq!(kiali.found_in, "ConfigMap ops/kiali");
    assert_eq!(
        kiali.prometheus_url.as_deref(),
        Some("http://prometheus.monitoring:9090/base")
    );
    assert_eq!(
        kiali.tracing_internal_url.as_deref(),
        Some("http://tempo.monitoring:3200")
    );
    assert_eq!(
        (kiali.tracing_provider.as_deref(), kiali.tracing_uses_grpc),
        (Some("tempo"), Some(false))
    );

    let apis = inventory.apis.result.as_ref().unwrap();
    assert_eq!(
        apis.versions["gateway.networking.k8s.io"],
        ["v1", "v1beta1"]
    );
    assert_eq!(apis.gateway_kinds.keys().collect::<Vec<_>>(), ["v1"]);
    assert_eq!(
        apis.gateway_kinds["v1"].len(),
        1,
        "a subresource is no kind"
    );
    assert_eq!(
        (
            inventory.serves("flagger.app"),
            inventory.serves("argoproj.io")
        ),
        (Some(true), Some(false))
    );

    let all = format!("{inventory:?}");
    assert!(!all.contains("hunter2"), "a credential of somebody else");
    assert!(!log.lines().iter().any(|line| line.contains("secrets")));
}

#[tokio::test]
async fn one_part_that_fails_hides_no_other() {
    let parts = [
        "/services?",
        "/endpointslices",
        "/api/v1/namespaces?",
        "/deployments",
        "/daemonsets",
        "/configmaps/istio",
        "/configmaps/kiali",
        "/apis",
    ];
    for denied in parts {
        let (source, _) = serve(&[], move |seen: &Seen| {
            let is_it = if denied == "/apis" {
                seen.line == "GET /apis"
            } else {
                seen.line.contains(denied)
            };
            if is_it {
                Canned::status(403, "Forbidden", "no")
            } else {
                cluster(seen)
            }
        });
        let found = source.inventory().await;
        let failures = [
            found.services.result.err(),
            found.readiness.result.err(),
            found.namespaces.result.err(),
            found.istiods.result.err(),
            found.meshes.result.err(),
            found.kiali.result.err(),
            found.ztunnels.result.err(),
            found.apis.result.err(),
        ];
        let failures: Vec<_> = failures.into_iter().flatten().collect();
        assert_eq!(failures.len(), 1, "{denied}: {failures:?}");
        assert_eq!(failures[0].kind, SourceErrorKind::Forbidden);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown() {
    let (source, _) = serve(&[], |_| Canned::status(403, "Forbidden", "no"));
    let inventory = source.inventory().await;
    assert_eq!(inventory.ready_endpoints("a", "b"), None);
    assert_eq!(inventory.cluster_name(), None);
    assert_eq!(inventory.is_ambient(), None);
    assert_eq!(inventory.serves("flagger.app"), None);
}

#[tokio::test]
async fn chosen_namespaces_are_the_only_ones_that_are_listed() {
    let (source, log) = serve(&["shop"], |seen: &Seen| {
        if seen.line.contains("/namespaces/shop") {
            Canned::ok(&list("1", &[]))
        } else {
            Canned::no_path()
        }
    });
    let inventory = source.inventory().await;
    assert_eq!(inventory.services.result, Ok(Vec::new()));
    let lists: Vec<_> = log
        .lines()
        .into_iter()
        .filter(|line| line.contains("limit="))
        .collect();
    assert!(
        lists.iter().all(|line| line.contains("/namespaces/shop/")),
        "{lists:?}"
    );
}

#[tokio::test]
async fn a_cluster_id_that_was_not_set_is_istios_own_and_two_are_none() {
    let cases = [
        (vec![None], Some("Kubernetes")),
        (vec![Some("a"), None], None),
        (vec![], None),
    ];
    for (ids, expected) in cases {
        let istiods: Vec<_> = ids
            .iter()
            .map(|id| deployment("istiod", "default", *id))
            .collect();
        let (source, _) = serve(&[], move |seen: &Seen| {
            if seen.line.contains("/deployments") {
                Canned::ok(&list("1", &istiods))
            } else {
                cluster(seen)
            }
        });
        assert_eq!(source.inventory().await.cluster_name(), expected);
    }
}
