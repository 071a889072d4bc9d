//! A metrics source for tests: raw series in, answers to [`queries`] out, grouped and matched as a PromQL server would.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::types::{
    AmbientTraffic, FetchedRows, GraphRequest, GraphType, GrpcTraffic, HttpTraffic, MeshGraph,
    TcpTraffic,
};
use super::{fold, queries};
use crate::model::{Moment, Object, SourceError, SourceErrorKind, SourceKind, TimeSpan};
use crate::ports::{Labels, MatchOp, Measure, MetricRow, MetricsQuery};

pub(super) fn request(graph_type: GraphType) -> GraphRequest {
    GraphRequest {
        graph_type,
        service_nodes: false,
        namespaces: Vec::new(),
        window: TimeSpan::seconds(60),
        at: Moment(1_000_000),
        http: HttpTraffic::Requests,
        grpc: GrpcTraffic::Requests,
        tcp: TcpTraffic::Sent,
        idle_edges: false,
        idle_nodes: false,
        ambient: AmbientTraffic::None,
        latency: Vec::new(),
        thresholds: crate::model::Thresholds::default(),
    }
}

/// One raw series with its rate.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) measure: Measure,
    pub(super) labels: Labels,
    pub(super) rate: f64,
}

/// A call `ns/workload` -> `ns/service:workload`, one request per second, answered 200, reported by the callee. The app
/// and version are the workload's name up to and after its last `-`.
pub(super) fn call(from: &str, to: &str) -> Series {
    let (from_ns, from_workload) = from.split_once('/').expect("ns/workload");
    let (to_ns, callee) = to.split_once('/').expect("ns/service:workload");
    let (service, to_workload) = callee.split_once(':').expect("service:workload");
    let app = |workload: &str| {
        let (app, version) = workload.rsplit_once('-').unwrap_or((workload, "latest"));
        (app.to_owned(), version.to_owned())
    };
    let known = |ns: &str, workload: &str| {
        if workload == "unknown" {
            let unknown = || "unknown".to_owned();
            return (unknown(), (unknown(), unknown()));
        }
        (ns.to_owned(), app(workload))
    };
    let (source_ns, (source_app, source_version)) = known(from_ns, from_workload);
    let (target_ns, (target_app, target_version)) = known(to_ns, to_workload);
    let host = if service == "unknown" || service.contains('.') {
        service.to_owned()
    } else {
        format!("{service}.{to_ns}.svc.cluster.local")
    };
    let labels = [
        ("reporter", "destination"),
        ("source_cluster", "c1"),
        ("source_workload_namespace", &source_ns),
        ("source_workload", from_workload),
        ("source_canonical_service", &source_app),
        ("source_canonical_revision", &source_version),
        ("destination_cluster", "c1"),
        ("destination_service_namespace", to_ns),
        ("destination_service", &host),
        ("destination_service_name", service),
        ("destination_workload_namespace", &target_ns),
        ("destination_workload", to_workload),
        ("destination_canonical_service", &target_app),
        ("destination_canonical_revision", &target_version),
        ("request_protocol", "http"),
        ("response_code", "200"),
        ("response_flags", "-"),
        ("connection_security_policy", "mutual_tls"),
    ];
    Series {
        measure: Measure::Requests,
        labels: labels
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        rate: 1.0,
    }
}

impl Series {
    pub(super) fn with(mut self, label: &str, value: &str) -> Self {
        self.labels.insert(label.to_owned(), value.to_owned());
        self
    }

    pub(super) fn without(mut self, label: &str) -> Self {
        self.labels.remove(label);
        self
    }

    pub(super) fn rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    pub(super) fn code(self, code: &str, flags: &str) -> Self {
        self.with("response_code", code)
            .with("response_flags", flags)
    }

    /// Reported by the caller, who does not know how the connection is secured.
    pub(super) fn by_caller(self) -> Self {
        self.with("reporter", "source")
            .with("connection_security_policy", "unknown")
    }

    pub(super) fn measure(mut self, measure: Measure) -> Self {
        self.measure = measure;
        self
    }

    pub(super) fn row(self) -> MetricRow {
        MetricRow {
            labels: self.labels,
            value: self.rate,
        }
    }
}

/// What a server with these series answers. Of a quantile it answers the largest of the group, which is as wrong for a
/// union of groups as a real quantile is.
pub(super) fn answer(series: &[Series], query: &MetricsQuery) -> Vec<MetricRow> {
    let mut groups: BTreeMap<Labels, f64> = BTreeMap::new();
    for one in series.iter().filter(|one| one.measure == query.measure) {
        let value = |label: &str| one.labels.get(label).map_or("", String::as_str);
        let matched = query.matchers.iter().all(|matcher| {
            let among = matcher.values.iter().any(|v| v == value(&matcher.label));
            among == (matcher.op == MatchOp::In)
        });
        if !matched {
            continue;
        }
        let group = one
            .labels
            .iter()
            .filter(|(name, _)| query.by.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let slot = groups.entry(group).or_insert(0.0);
        *slot = if matches!(query.measure, Measure::LatencyQuantile(_)) {
            slot.max(one.rate)
        } else {
            *slot + one.rate
        };
    }
    groups
        .into_iter()
        .filter(|(_, value)| query.idle || *value > 0.0)
        .map(|(labels, value)| MetricRow { labels, value })
        .collect()
}

/// All answers to the request.
pub(super) fn fetch(request: &GraphRequest, series: &[Series]) -> FetchedRows {
    FetchedRows {
        answers: queries(request)
            .into_iter()
            .map(|query| {
                let rows = answer(series, &query);
                (query, Ok(rows))
            })
            .collect(),
    }
}

pub(super) fn graph(request: &GraphRequest, series: &[Series], objects: &[Object]) -> MeshGraph {
    fold(request, &fetch(request, series), objects)
}

/// The same answers, with those of the named measures failed.
pub(super) fn fail(mut fetched: FetchedRows, which: impl Fn(Measure) -> bool) -> FetchedRows {
    for (query, answer) in &mut fetched.answers {
        if which(query.measure) {
            *answer = Err(SourceError::new(
                SourceKind::Metrics,
                SourceErrorKind::TimedOut,
                "querying http://prometheus: no answer within 5 s",
            ));
        }
    }
    fetched
}

/// One line per edge: `source > target protocol rate errors%`, ids without their prefix and cluster.
pub(super) fn draw(graph: &MeshGraph) -> Vec<String> {
    let short = |id: &str| {
        let (kind, rest) = id.split_once(':').expect("an id");
        let name = rest.split_once('/').expect("a cluster").1;
        format!("{}:{name}", kind.chars().next().expect("a kind"))
    };
    let edges = graph.edges.iter().map(|edge| {
        let number = |value: Option<f64>| value.map_or("?".to_owned(), |v| format!("{v:.1}"));
        format!(
            "{} > {} {:?} {} {}%",
            short(&edge.source),
            short(&edge.target),
            edge.protocol,
            number(edge.traffic.rate),
            number(edge.traffic.error_ratio.map(|ratio| ratio * 100.0)),
        )
    });
    edges.collect()
}

pub(super) fn object(doc: Value) -> Object {
    Object::from_document(doc).expect("an object")
}

pub(super) fn deployment(namespace: &str, name: &str, labels: &Value) -> Object {
    object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"metadata": {"labels": labels}}},
    }))
}

pub(super) fn service(namespace: &str, name: &str, selector: &Value) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": selector},
    }))
}
