use std::collections::BTreeMap;

use pilothouse_kube::{
    ApiGroups, Inventory, KialiHint, MeshFact, Part, PortFact, ServiceFact, TracingProvider,
};

use super::*;

fn part<T>(value: T) -> Part<T> {
    Part {
        result: Ok(value),
        took_ms: 1,
    }
}

fn service(name: &str, labels: &[(&str, &str)], ports: &[(&str, u16)]) -> ServiceFact {
    let (namespace, name) = name.split_once('/').unwrap();
    ServiceFact {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        labels: labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        ports: ports
            .iter()
            .map(|(name, port)| PortFact {
                name: (*name).to_owned(),
                port: *port,
                protocol: "TCP".to_owned(),
                ..PortFact::default()
            })
            .collect(),
        ..ServiceFact::default()
    }
}

fn cluster(services: Vec<ServiceFact>) -> Inventory {
    Inventory {
        services: part(services),
        readiness: part(BTreeMap::new()),
        namespaces: part(Vec::new()),
        istiods: part(Vec::new()),
        meshes: part(Vec::new()),
        kiali: part(Vec::new()),
        ztunnels: part(Vec::new()),
        apis: part(ApiGroups::default()),
    }
}

fn shown(candidates: &[Candidate]) -> Vec<String> {
    candidates.iter().map(|c| c.place.shown()).collect()
}

#[test]
fn every_chart_of_the_field_is_found_at_its_port_and_path() {
    let name = "app.kubernetes.io/name";
    let component = "app.kubernetes.io/component";
    let cases = [
        (
            service(
                "m/p-operated",
                &[("operated-prometheus", "true")],
                &[("web", 9090)],
            ),
            "m/p-operated:9090",
        ),
        (
            service(
                "m/p",
                &[("app", "prometheus"), ("component", "server")],
                &[("http", 80)],
            ),
            "m/p:80",
        ),
        (
            service(
                "istio-system/prometheus",
                &[(name, "prometheus")],
                &[("http", 9090)],
            ),
            "istio-system/prometheus:9090",
        ),
        (
            service("m/x", &[(name, "vmselect")], &[("http", 8481)]),
            "m/x:8481/select/0/prometheus",
        ),
        (
            service("m/vmsingle-x", &[(name, "vmsingle")], &[("http", 8429)]),
            "m/vmsingle-x:8429",
        ),
        (
            service(
                "m/t",
                &[(name, "thanos"), (component, "query")],
                &[("grpc", 10901), ("http", 10902)],
            ),
            "m/t:10902",
        ),
        (
            service("m/mimir-nginx", &[], &[("http-metric", 80)]),
            "m/mimir-nginx:80/prometheus",
        ),
        (
            service("openshift-monitoring/thanos-querier", &[], &[("web", 9091)]),
            "openshift-monitoring/thanos-querier:9091",
        ),
    ];
    for (found, wanted) in cases {
        let candidates = metrics_candidates(&cluster(vec![found]));
        assert_eq!(shown(&candidates), [wanted]);
    }
}

#[test]
fn servers_of_one_name_in_two_clusters_are_two_and_one_address_is_one() {
    let service = Where::Service {
        namespace: "istio-system".to_owned(),
        name: "prometheus".to_owned(),
        port: "9090".to_owned(),
        https: false,
        base_path: String::new(),
    };
    assert_ne!(
        service.server("https://east:6443"),
        service.server("https://west:6443")
    );
    let address = Where::Address("https://thanos.example.com".to_owned());
    assert_eq!(
        address.server("https://east:6443"),
        address.server("https://west:6443")
    );
}

#[test]
fn what_stands_around_a_prometheus_is_none() {
    let name = ("app.kubernetes.io/name", "prometheus");
    let around = [
        "m/prometheus-alertmanager",
        "m/prometheus-node-exporter",
        "m/prometheus-operator",
    ];
    let services = around.map(|n| service(n, &[name], &[("http", 9090)]));
    assert_eq!(metrics_candidates(&cluster(services.to_vec())), []);
    let mut alias = service("m/prometheus", &[name], &[("http", 9090)]);
    alias.external_name = Some("prometheus.example.com".to_owned());
    assert_eq!(metrics_candidates(&cluster(vec![alias])), []);
}

#[test]
fn kialis_settings_come_before_labels_and_name_a_service_or_an_address() {
    let mut inventory = cluster(vec![
        service(
            "m/prometheus",
            &[("app.kubernetes.io/name", "prometheus")],
            &[("http", 9090)],
        ),
        service("mon/prom", &[], &[("web", 9090)]),
    ]);
    inventory.kiali = part(vec![
        KialiHint {
            prometheus_url: Some("http://prom.mon.svc.cluster.local:9090/base/".to_owned()),
            ..KialiHint::default()
        },
        KialiHint {
            prometheus_url: Some("https://mimir.example.com/prometheus".to_owned()),
            ..KialiHint::default()
        },
    ]);
    let candidates = metrics_candidates(&inventory);
    let wanted = [
        "mon/prom:9090/base",
        "https://mimir.example.com/prometheus",
        "m/prometheus:9090",
    ];
    assert_eq!(shown(&candidates), wanted);
    assert_eq!(candidates.first().map(|c| c.rank), Some(Rank::Kiali));
}

#[test]
fn an_operators_mark_comes_first() {
    let mut own = service(
        "m/own",
        &[("pilothouse.io/prometheus", "true")],
        &[("metrics", 7000)],
    );
    own.ports.insert(
        0,
        PortFact {
            protocol: "UDP".to_owned(),
            port: 53,
            ..PortFact::default()
        },
    );
    let candidates = metrics_candidates(&cluster(vec![
        service("m/prometheus", &[], &[("http", 9090)]),
        own,
    ]));
    assert_eq!(shown(&candidates), ["m/own:7000", "m/prometheus:9090"]);
    assert_eq!(candidates.first().map(|c| c.rank), Some(Rank::Marked));
}

#[test]
fn traces_are_found_by_addon_chart_and_beside_the_collector() {
    let name = "app.kubernetes.io/name";
    let mut inventory = cluster(vec![
        service(
            "istio-system/tracing",
            &[("app", "jaeger")],
            &[("http-query", 80)],
        ),
        service(
            "istio-system/jaeger-collector",
            &[("app", "jaeger")],
            &[("http", 14268)],
        ),
        service(
            "obs/tempo",
            &[(name, "tempo")],
            &[("otlp", 4317), ("http", 3200)],
        ),
        service("z/zipkin", &[("app", "zipkin")], &[("http", 9411)]),
    ]);
    inventory.meshes = part(vec![MeshFact {
        tracing: vec![TracingProvider {
            service: "obs/tempo.obs.svc.cluster.local".to_owned(),
            ..TracingProvider::default()
        }],
        ..MeshFact::default()
    }]);
    let candidates = trace_candidates(&inventory);
    let wanted = [
        "obs/tempo:3200",
        "istio-system/tracing:80/jaeger",
        "z/zipkin:9411",
    ];
    assert_eq!(shown(&candidates), wanted);
}

#[test]
fn a_cluster_that_tells_nothing_has_no_candidates() {
    let forbidden = pilothouse_engine::SourceError::new(
        pilothouse_engine::SourceKind::ControlPlane,
        pilothouse_engine::SourceErrorKind::Forbidden,
        "services is forbidden",
    );
    let mut inventory = cluster(Vec::new());
    inventory.services = Part {
        result: Err(forbidden),
        took_ms: 1,
    };
    assert_eq!(metrics_candidates(&inventory), []);
    assert_eq!(trace_candidates(&inventory), []);
}

#[test]
fn one_server_with_two_paths_is_one_candidate() {
    let labelled = service(
        "istio-system/tracing",
        &[("app", "jaeger")],
        &[("http-query", 80)],
    );
    let mut inventory = cluster(vec![labelled]);
    let hint = KialiHint {
        tracing_internal_url: Some("http://tracing.istio-system/custom".to_owned()),
        ..KialiHint::default()
    };
    inventory.kiali = part(vec![hint]);
    let found = trace_candidates(&inventory);
    assert_eq!(shown(&found), ["istio-system/tracing:80/custom"]);
    assert_eq!(found[0].rank, Rank::Kiali);
}
