//! What servers of metrics and traces are labelled and named like, in the charts that people install.

use pilothouse_kube::ServiceFact;

use super::Rank;

/// One kind of server.
#[derive(Debug)]
pub(super) struct Mark {
    /// What it is, for people.
    pub(super) product: &'static str,
    /// Labels that it has, all of them; one with an empty value may have any.
    labels: &'static [(&'static str, &'static str)],
    /// Names that it goes by; `*` at an end stands for anything.
    names: &'static [&'static str],
    /// Names of its HTTP port, the likeliest first.
    pub(super) port_names: &'static [&'static str],
    /// Numbers of its HTTP port.
    pub(super) ports: &'static [u16],
    /// Where its API begins.
    pub(super) base_path: &'static str,
}

impl Mark {
    /// Whether a service is of this kind, how sure that is, and why.
    pub(super) fn fits(
        &'static self,
        service: &ServiceFact,
    ) -> Option<(&'static Self, Rank, String)> {
        let has = |(key, value): &(&str, &str)| {
            let own = service.labels.get(*key);
            own.is_some_and(|own| value.is_empty() || own == value)
        };
        if !self.labels.is_empty() && self.labels.iter().all(has) {
            let labels: Vec<String> = self
                .labels
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            let why = format!("labelled as {} ({})", self.product, labels.join(", "));
            return Some((self, Rank::Label, why));
        }
        let named = self.names.iter().any(|name| goes_by(&service.name, name));
        named.then(|| (self, Rank::Name, format!("named like {}", self.product)))
    }
}

fn goes_by(name: &str, pattern: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (None, None) => name == pattern,
    }
}

/// Services around a Prometheus that are none themselves.
pub(super) fn is_bystander(service: &ServiceFact) -> bool {
    let others = [
        "alertmanager",
        "node-exporter",
        "pushgateway",
        "kube-state-metrics",
        "blackbox",
        "operator",
        "adapter",
        "vmagent",
        "vmalert",
        "vminsert",
        "vmstorage",
        "grafana",
        "sidecar",
        "ruler",
        "compactor",
        "distributor",
        "ingester",
        "store-gateway",
        "storegateway",
        "collector",
        "agent",
        "cassandra",
        "memcached",
    ];
    others.iter().any(|other| service.name.contains(other))
}

/// Servers of metrics.
pub(super) const METRICS: &[Mark] = &[
    Mark {
        product: "Prometheus",
        labels: &[("operated-prometheus", "true")],
        names: &["prometheus-operated", "prometheus-k8s"],
        port_names: &["web", "http-web", "http"],
        ports: &[9090],
        base_path: "",
    },
    Mark {
        product: "Prometheus",
        labels: &[("app.kubernetes.io/name", "prometheus")],
        names: &["prometheus", "prometheus-server", "*-prometheus"],
        port_names: &["http", "web", "http-web"],
        ports: &[9090, 80],
        base_path: "",
    },
    Mark {
        product: "Prometheus",
        labels: &[("app", "prometheus"), ("component", "server")],
        names: &[],
        port_names: &["http", "web"],
        ports: &[9090, 80],
        base_path: "",
    },
    Mark {
        product: "Prometheus",
        labels: &[("app", "kube-prometheus-stack-prometheus")],
        names: &["*-kube-prometheus-stack-prometheus"],
        port_names: &["http-web", "web"],
        ports: &[9090],
        base_path: "",
    },
    Mark {
        product: "Prometheus",
        labels: &[("headlamp-prometheus", "true")],
        names: &[],
        port_names: &["http", "web"],
        ports: &[9090],
        base_path: "",
    },
    Mark {
        product: "Thanos Query",
        labels: &[("app.kubernetes.io/name", "thanos-query")],
        names: &["thanos-query", "thanos-querier", "*-thanos-query"],
        port_names: &["http", "web"],
        ports: &[10902, 9090, 9091],
        base_path: "",
    },
    Mark {
        product: "Thanos Query",
        labels: &[
            ("app.kubernetes.io/name", "thanos"),
            ("app.kubernetes.io/component", "query"),
        ],
        names: &["thanos-query-frontend"],
        port_names: &["http"],
        ports: &[10902, 9090],
        base_path: "",
    },
    Mark {
        product: "VictoriaMetrics",
        labels: &[("app.kubernetes.io/name", "vmsingle")],
        names: &[
            "vmsingle*",
            "victoria-metrics",
            "*-victoria-metrics-single-server",
        ],
        port_names: &["http"],
        ports: &[8429, 8428],
        base_path: "",
    },
    Mark {
        product: "VictoriaMetrics",
        labels: &[("app.kubernetes.io/name", "victoria-metrics-single")],
        names: &[],
        port_names: &["http"],
        ports: &[8428, 8429],
        base_path: "",
    },
    Mark {
        product: "VictoriaMetrics cluster",
        labels: &[("app.kubernetes.io/name", "vmselect")],
        names: &["vmselect*", "*-vmselect"],
        port_names: &["http"],
        ports: &[8481],
        base_path: "/select/0/prometheus",
    },
    Mark {
        product: "Mimir",
        labels: &[
            ("app.kubernetes.io/name", "mimir"),
            ("app.kubernetes.io/component", "gateway"),
        ],
        names: &[
            "mimir-gateway",
            "mimir-nginx",
            "*-mimir-nginx",
            "*-mimir-gateway",
        ],
        port_names: &["http-metric", "http-metrics", "http"],
        ports: &[80, 8080],
        base_path: "/prometheus",
    },
    Mark {
        product: "Mimir",
        labels: &[
            ("app.kubernetes.io/name", "mimir"),
            ("app.kubernetes.io/component", "query-frontend"),
        ],
        names: &[],
        port_names: &["http-metrics", "http"],
        ports: &[8080],
        base_path: "/prometheus",
    },
];

/// Servers of traces.
pub(super) const TRACES: &[Mark] = &[
    Mark {
        product: "Jaeger",
        labels: &[
            ("app.kubernetes.io/name", "jaeger"),
            ("app.kubernetes.io/component", "query"),
        ],
        names: &["jaeger-query", "*-jaeger-query", "*-query"],
        port_names: &["http-query", "query"],
        ports: &[16686, 80],
        base_path: "",
    },
    // Istio's addon publishes the query service as `tracing`, below /jaeger.
    Mark {
        product: "Jaeger",
        labels: &[("app", "jaeger")],
        names: &["tracing", "jaeger"],
        port_names: &["http-query", "query-http"],
        ports: &[16686, 80],
        base_path: "/jaeger",
    },
    Mark {
        product: "Tempo",
        labels: &[
            ("app.kubernetes.io/name", "tempo"),
            ("app.kubernetes.io/component", "query-frontend"),
        ],
        names: &["tempo-query-frontend", "*-tempo-query-frontend"],
        port_names: &["http-metrics", "http"],
        ports: &[3200, 3100],
        base_path: "",
    },
    Mark {
        product: "Tempo",
        labels: &[("app.kubernetes.io/name", "tempo")],
        names: &["tempo", "tempo-query"],
        port_names: &["tempo-prom-metrics", "http-metrics", "http"],
        ports: &[3200, 3100],
        base_path: "",
    },
    Mark {
        product: "Zipkin",
        labels: &[("app", "zipkin")],
        names: &["zipkin", "*-zipkin"],
        port_names: &["http-query", "http"],
        ports: &[9411],
        base_path: "",
    },
    Mark {
        product: "VictoriaTraces",
        labels: &[("app.kubernetes.io/name", "victoria-traces-single")],
        names: &["victoria-traces*", "vtsingle*"],
        port_names: &["http"],
        ports: &[10428],
        base_path: "/select/jaeger",
    },
];
