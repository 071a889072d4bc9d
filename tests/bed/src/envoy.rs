//! Envoy beside each workload: its bootstrap, and what it says istiod has told it.
//!
//! Clusters, endpoints and routes come from istiod over ADS. The listeners are static, because
//! istiod's need iptables and filters of Istio's own Envoy build. What those filters do for
//! telemetry is done with stock ones: peers tell each other who they are in `x-peer-*` headers,
//! and a stats access logger counts requests under Istio's names and labels
//! (`envoy.extensions.access_loggers.stats.v3`, work in progress upstream, hence the pinned Envoy).

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::http;
use crate::mesh::{CLUSTER, GATEWAY_PORT, SERVICE_PORT, Workload};

/// Where one Envoy listens and whom it reaches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) inbound: u16,
    pub(crate) outbound: u16,
    pub(crate) admin: u16,
    /// The app's; none at the ingress.
    pub(crate) app: Option<u16>,
    pub(crate) xds: u16,
    pub(crate) otlp: u16,
}

#[derive(Clone, Copy)]
enum Direction {
    Inbound,
    Outbound,
}

/// The configuration that Envoy starts with.
pub(crate) fn bootstrap(workload: &Workload, ports: Ports) -> Value {
    let ads = json!({"ads": {}, "resource_api_version": "V3"});
    // A gateway's routes are named after the Gateway's port, a sidecar's after the Service's.
    let table = if workload.is_ingress() {
        format!("http.{GATEWAY_PORT}")
    } else {
        SERVICE_PORT.to_string()
    };
    let routes = json!({"rds": {"route_config_name": table, "config_source": ads}});
    let mut listeners = vec![listener(
        workload,
        Direction::Outbound,
        ports.outbound,
        &routes,
    )];
    let mut clusters = vec![
        cluster("xds-grpc", ports.xds, true),
        cluster("otlp", ports.otlp, true),
    ];
    if let Some(app) = ports.app {
        let routes = json!({"route_config": to_app(workload)});
        listeners.push(listener(
            workload,
            Direction::Inbound,
            ports.inbound,
            &routes,
        ));
        clusters.push(cluster("app", app, false));
    }
    json!({
        "node": node(workload),
        "admin": {"address": address(ports.admin)},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}],
            },
            "cds_config": ads,
        },
        "static_resources": {"listeners": listeners, "clusters": clusters},
        // By default histograms and spans lag behind by up to 5 s.
        "stats_flush_interval": "1s",
        "layered_runtime": {"layers": [{
            "name": "bed",
            "static_layer": {"tracing.opentelemetry.flush_interval_ms": 500},
        }]},
        "stats_config": {"histogram_bucket_settings": [{
            "match": {"safe_regex": {"regex": ".*"}},
            // The buckets of istio_request_duration_milliseconds in Istio's own proxy.
            "buckets": [
                0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000,
                300_000, 600_000, 1_800_000, 3_600_000,
            ],
        }]},
    })
}

/// The weights of a Service's first route in the Envoy whose admin page is at `admin`, by subset,
/// or by Service where the cluster has no subset; `None` while Envoy has no route to it.
pub(crate) fn weights(
    admin: u16,
    service: &str,
    namespace: &str,
) -> Result<Option<BTreeMap<String, u32>>> {
    let page = http::get(admin, "/config_dump?resource=dynamic_route_configs", &[])?;
    let dump: Value = serde_json::from_str(&page.body).context("no JSON in Envoy's config_dump")?;
    let host = format!("{service}.{namespace}.svc.cluster.local:{SERVICE_PORT}");
    let route = elements(&dump, "/configs")
        .flat_map(|config| elements(config, "/route_config/virtual_hosts"))
        .find(|virtual_host| virtual_host.get("name").and_then(Value::as_str) == Some(&host))
        .and_then(|virtual_host| virtual_host.pointer("/routes/0/route"));
    let Some(route) = route else { return Ok(None) };
    if let Some(cluster) = route.get("cluster").and_then(Value::as_str) {
        return Ok(Some([(destination(cluster), 100)].into()));
    }
    let weighted = elements(route, "/weighted_clusters/clusters").filter_map(|cluster| {
        let name = cluster.get("name")?.as_str()?;
        let weight = cluster.get("weight").and_then(Value::as_u64).unwrap_or(0);
        Some((destination(name), u32::try_from(weight).ok()?))
    });
    Ok(Some(weighted.collect()))
}

/// `outbound|9080|v1|reviews.bookinfo.svc.cluster.local` is subset v1.
fn destination(cluster: &str) -> String {
    let mut parts = cluster.split('|').skip(2);
    let subset = parts.next().unwrap_or_default();
    let host = parts.next().unwrap_or(cluster);
    let short = host.split('.').next().unwrap_or(host);
    if subset.is_empty() {
        short.to_owned()
    } else {
        subset.to_owned()
    }
}

fn elements<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Who istiod takes this proxy for.
fn node(workload: &Workload) -> Value {
    let Workload {
        app,
        name,
        namespace,
        ..
    } = workload;
    let role = if workload.is_ingress() {
        "router"
    } else {
        "sidecar"
    };
    let ip = workload.pod_ip();
    let pod = workload.pod();
    json!({
        "id": format!("{role}~{ip}~{pod}.{namespace}~{namespace}.svc.cluster.local"),
        "cluster": format!("{app}.{namespace}"),
        "metadata": {
            "NAMESPACE": namespace,
            "CLUSTER_ID": CLUSTER,
            "ISTIO_VERSION": "1.31.0",
            "INSTANCE_IPS": ip,
            "LABELS": crate::objects::labels(workload),
            "WORKLOAD_NAME": name,
        },
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn cluster(name: &str, port: u16, http2: bool) -> Value {
    let endpoint = json!({"endpoint": {"address": address(port)}});
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    });
    if http2 {
        cluster["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": kind("extensions.upstreams.http.v3.HttpProtocolOptions"),
                "explicit_http_config": {"http2_protocol_options": {}},
            },
        });
    }
    cluster
}

fn to_app(workload: &Workload) -> Value {
    let Workload { app, namespace, .. } = workload;
    let operation = format!("{app}.{namespace}.svc.cluster.local:{SERVICE_PORT}/*");
    json!({"name": "inbound", "virtual_hosts": [{
        "name": format!("inbound|http|{SERVICE_PORT}"),
        "domains": ["*"],
        "routes": [{
            "match": {"prefix": "/"},
            "route": {"cluster": "app", "timeout": "0s"},
            "decorator": {"operation": operation},
        }],
    }]})
}

fn listener(workload: &Workload, direction: Direction, port: u16, routes: &Value) -> Value {
    let (name, side) = match direction {
        Direction::Inbound => ("virtualInbound", "INBOUND"),
        Direction::Outbound => ("virtualOutbound", "OUTBOUND"),
    };
    let mut connection_manager = json!({
        "@type": kind("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": side.to_lowercase(),
        "generate_request_id": true,
        "tracing": tracing(workload),
        "http_filters": [
            introduction(workload, direction),
            {
                "name": "envoy.filters.http.fault",
                "typed_config": {"@type": kind("extensions.filters.http.fault.v3.HTTPFault")},
            },
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": kind("extensions.filters.http.router.v3.Router")},
            },
        ],
        "access_log": [telemetry(workload, direction)],
    });
    if let (Value::Object(into), Value::Object(from)) = (&mut connection_manager, routes) {
        into.extend(from.clone());
    }
    json!({
        "name": name,
        "traffic_direction": side,
        "address": address(port),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": connection_manager,
        }]}],
    })
}

/// Tells the peer who this is: the called by request headers, the caller by response headers.
fn introduction(workload: &Workload, direction: Direction) -> Value {
    let headers: Vec<Value> = identity(workload)
        .map(|(key, value)| {
            json!({"append": {
                "header": {"key": format!("x-peer-{key}"), "value": value},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }})
        })
        .into();
    let side = match direction {
        Direction::Inbound => "response_mutations",
        Direction::Outbound => "request_mutations",
    };
    json!({
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": kind("extensions.filters.http.header_mutation.v3.HeaderMutation"),
            "mutations": {side: headers},
        },
    })
}

/// `istio_requests_total` and `istio_request_duration_milliseconds` of one reporter.
fn telemetry(workload: &Workload, direction: Direction) -> Value {
    let (own, peer, header, security) = match direction {
        Direction::Inbound => ("destination", "source", "REQUEST_HEADER", "none"),
        Direction::Outbound => ("source", "destination", "RESPONSE_HEADER", "unknown"),
    };
    let mut tags: Map<String, Value> = [
        ("reporter", own),
        ("request_protocol", "http"),
        ("response_code", "%RESPONSE_CODE%"),
        ("response_flags", "%RESPONSE_FLAGS%"),
        ("connection_security_policy", security),
        // Prometheus makes destination_service of these two, and drops them.
        ("upstream", "%UPSTREAM_CLUSTER_RAW%"),
        ("host", "%REQUEST_HEADER(:AUTHORITY)%"),
    ]
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .into_iter()
    .collect();
    let mut add = |side: &str, who: &dyn Fn(&str) -> String| {
        for (label, key) in [
            ("workload", "workload"),
            ("workload_namespace", "namespace"),
            ("app", "app"),
            ("version", "version"),
            ("canonical_service", "app"),
            ("canonical_revision", "revision"),
        ] {
            tags.insert(format!("{side}_{label}"), json!(who(key)));
        }
        tags.insert(format!("{side}_principal"), json!("unknown"));
        tags.insert(format!("{side}_cluster"), json!(CLUSTER));
    };
    let known: BTreeMap<&str, &str> = identity(workload).into();
    add(own, &|key| {
        known.get(key).copied().unwrap_or_default().to_owned()
    });
    add(peer, &|key| format!("%{header}(x-peer-{key})%"));
    let tags: Vec<Value> = tags
        .iter()
        .map(|(name, value)| json!({"name": name, "value_format": value}))
        .collect();
    json!({
        "name": "envoy.access_loggers.stats",
        "typed_config": {
            "@type": kind("extensions.access_loggers.stats.v3.Config"),
            "stats_scope": {"prefix": "istio"},
            "counters": [{"stat": {"name": "requests_total", "tags": tags}, "value_fixed": 1}],
            "histograms": [{
                "stat": {"name": "request_duration_milliseconds", "tags": tags},
                "unit": "Milliseconds",
                "value_format": "%DURATION%",
            }],
        },
    })
}

fn identity(workload: &Workload) -> [(&'static str, &'static str); 5] {
    [
        ("workload", workload.name),
        ("namespace", workload.namespace),
        ("app", workload.app),
        ("version", workload.version.unwrap_or("unknown")),
        ("revision", workload.revision()),
    ]
}

/// Spans to Jaeger over OTLP, with the tags that Istio's proxies add.
fn tracing(workload: &Workload) -> Value {
    let Workload { app, namespace, .. } = workload;
    let tags = [
        ("istio.canonical_service", *app),
        ("istio.canonical_revision", workload.revision()),
        ("istio.mesh_id", "cluster.local"),
        ("istio.cluster_id", CLUSTER),
        ("istio.namespace", namespace),
    ];
    let tags = tags.map(|(tag, value)| json!({"tag": tag, "literal": {"value": value}}));
    json!({
        "random_sampling": {"value": 100},
        "custom_tags": tags,
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": kind("config.trace.v3.OpenTelemetryConfig"),
                "service_name": format!("{app}.{namespace}"),
                "grpc_service": {"envoy_grpc": {"cluster_name": "otlp"}, "timeout": "1s"},
            },
        },
    })
}

fn kind(name: &str) -> String {
    format!("type.googleapis.com/envoy.{name}")
}

#[cfg(test)]
mod tests {
    use super::destination;

    #[test]
    fn a_cluster_is_known_by_its_subset_or_else_by_its_service() {
        let check = |cluster, expect| assert_eq!(destination(cluster), expect);
        check("outbound|9080|v1|reviews.bookinfo.svc.cluster.local", "v1");
        check(
            "outbound|9080||reviews-v2.bookinfo.svc.cluster.local",
            "reviews-v2",
        );
        check("BlackHoleCluster", "BlackHoleCluster");
    }
}
