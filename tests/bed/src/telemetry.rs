//! Prometheus and Jaeger: their configurations.

use serde_json::{Value, json};

use crate::mesh::NAMESPACE;
use crate::namespace;

/// Jaeger's ports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JaegerPorts {
    pub(crate) http: u16,
    pub(crate) grpc: u16,
    pub(crate) otlp_grpc: u16,
    pub(crate) otlp_http: u16,
}

/// Prometheus scrapes the Envoys, whose `istio_*` statistics need little renaming.
pub(crate) fn prometheus(scrape_seconds: u32, admin_ports: &[u16]) -> Value {
    let targets: Vec<String> = admin_ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    json!({
        "global": {"scrape_interval": format!("{scrape_seconds}s")},
        "scrape_configs": [{
            "job_name": "envoy-stats",
            "metrics_path": "/stats/prometheus",
            "params": {"filter": ["^istio"]},
            "static_configs": [{"targets": targets}],
            "metric_relabel_configs": relabelling(),
        }],
    })
}

/// Jaeger keeps traces in memory and takes them by OTLP. `base_path` is empty, or such as `/jaeger`.
pub(crate) fn jaeger(ports: JaegerPorts, base_path: &str) -> Value {
    let at = |address: &str, port: u16| json!({"endpoint": format!("{address}:{port}")});
    let endpoint = |port: u16| at("127.0.0.1", port);
    json!({
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {"traces": {
                "receivers": ["otlp"],
                "processors": ["batch"],
                "exporters": ["jaeger_storage_exporter"],
            }},
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "info"}},
        },
        "extensions": {
            "jaeger_query": {
                "storage": {"traces": "memory"},
                "base_path": base_path,
                "http": at(namespace::address(), ports.http),
                "grpc": endpoint(ports.grpc),
            },
            "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 20_000}}}},
        },
        "receivers": {"otlp": {"protocols": {
            "grpc": endpoint(ports.otlp_grpc),
            "http": endpoint(ports.otlp_http),
        }}},
        "processors": {"batch": {"timeout": "200ms"}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
    })
}

fn relabelling() -> Vec<Value> {
    // The Service is that of the cluster that Envoy chose. Where it chose none (there is no such
    // cluster), or is itself the destination, it is the host that was asked for.
    let chosen = (
        json!(["upstream"]),
        r"outbound\|\d+\|[^|]*\|(([^.]+)\.([^.]+)\..+)",
    );
    let asked = (json!(["upstream", "host"]), r"(?:|-|app);([^.:]+).*");
    let host = format!("$1.{NAMESPACE}.svc.cluster.local");
    let set = |(labels, regex): &(Value, &str), target: &str, replacement: &str| {
        json!({
            "source_labels": labels, "regex": regex,
            "target_label": target, "replacement": replacement,
        })
    };
    let mut rules = vec![
        set(&(json!(["__name__"]), "envoy_(istio_.+)"), "__name__", "$1"),
        set(&chosen, "destination_service", "$1"),
        set(&chosen, "destination_service_name", "$2"),
        set(&chosen, "destination_service_namespace", "$3"),
        set(&asked, "destination_service", &host),
        set(&asked, "destination_service_name", "$1"),
        set(&asked, "destination_service_namespace", NAMESPACE),
        json!({"regex": "upstream|host", "action": "labeldrop"}),
    ];
    // What no peer told about itself.
    for side in ["source", "destination"] {
        for label in [
            "workload",
            "workload_namespace",
            "app",
            "version",
            "canonical_service",
            "canonical_revision",
        ] {
            let label = format!("{side}_{label}");
            rules.push(set(&(json!([label]), "-?"), &label, "unknown"));
        }
    }
    rules
}
