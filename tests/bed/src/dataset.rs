//! A small mesh in numbers: what Istio's proxies of a few services would have told Prometheus.
//!
//! The values are a function of the moment and nothing else, and grow at a constant rate: servers
//! that were given the same moments have to give the same answers, whatever they think of the ends
//! of a window, and a test knows the true rate.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::clock;
use crate::mesh::{INGRESS_NAMESPACE, NAMESPACE};
use crate::metrics::MetricServer;
use crate::remote_write::Series;

/// Seconds between two samples. They lie 2 s after its multiples, so that no window that begins
/// at a multiple begins with a sample, where versions of Prometheus differ.
const STEP: u64 = 5;
const OFFSET: u64 = 2;
/// Seconds from the first sample to the moment of [`DataSet::new`].
const PAST: u64 = 900;

/// Istio's bounds, in milliseconds.
const BOUNDS: [f64; 19] = [
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1000.0,
    2500.0,
    5000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
];

const LATENCY: &str = "istio_request_duration_milliseconds";

/// The metrics of one cluster.
#[derive(Debug, Clone)]
pub struct DataSet {
    cluster: String,
    peer: Option<String>,
    reporter: Option<&'static str>,
    /// Seconds since 1970, a multiple of [`STEP`]: when every counter was 0.
    born: u64,
}

/// Writes a data set to servers as time goes by. Dropped, it stops.
pub struct Feed {
    stop: Option<(Sender<()>, JoinHandle<()>)>,
}

/// Requests of one kind, from workload to workload.
struct Flow {
    source: Workload,
    service: &'static str,
    /// `None` where no workload answered: nobody reports as destination.
    destination: Option<Workload>,
    /// Status code and Envoy's response flags.
    answer: Answer,
    /// Requests per second.
    rate: f64,
    /// Mean of the exponentially distributed latency.
    mean_ms: f64,
}

#[derive(Clone, Copy)]
struct Workload {
    app: &'static str,
    /// Empty for the ingress.
    version: &'static str,
}

type Answer = (&'static str, &'static str);
const OK: Answer = ("200", "-");

const INGRESS: Workload = workload("istio-ingressgateway", "");
const PAGE: Workload = workload("productpage", "v1");
const DETAILS: Workload = workload("details", "v1");
const REVIEWS_1: Workload = workload("reviews", "v1");
const REVIEWS_2: Workload = workload("reviews", "v2");
const RATINGS: Workload = workload("ratings", "v1");

const FLOWS: [Flow; 7] = [
    flow(INGRESS, "productpage", Some(PAGE), OK, 10.0, 40.0),
    flow(PAGE, "details", Some(DETAILS), OK, 10.0, 5.0),
    flow(PAGE, "reviews", Some(REVIEWS_1), OK, 5.0, 10.0),
    flow(PAGE, "reviews", Some(REVIEWS_2), OK, 4.5, 30.0),
    flow(PAGE, "reviews", Some(REVIEWS_2), ("500", "-"), 0.5, 30.0),
    flow(PAGE, "reviews", None, ("503", "UH"), 0.25, 0.2),
    flow(REVIEWS_2, "ratings", Some(RATINGS), OK, 5.0, 8.0),
];

impl DataSet {
    /// The metrics of a cluster of this name (Istio's cluster id), of the last quarter of an hour.
    #[must_use]
    pub fn new(cluster: &str) -> Self {
        let now = clock::since_epoch().as_secs();
        Self {
            cluster: cluster.to_owned(),
            peer: None,
            reporter: None,
            born: (now - PAST) / STEP * STEP,
        }
    }

    /// The same with a second cluster: reviews v2 of each calls ratings in the other. This
    /// cluster's Prometheus has its own callers' reports and its own ratings'.
    #[must_use]
    pub fn with_peer(self, cluster: &str) -> Self {
        Self {
            peer: Some(cluster.to_owned()),
            ..self
        }
    }

    /// What one reporter (`source` or `destination`) says.
    #[must_use]
    pub fn only(self, reporter: &'static str) -> Self {
        Self {
            reporter: Some(reporter),
            ..self
        }
    }

    /// Requests per second from all callers to a Service, every answer counted.
    #[must_use]
    pub fn rate_to(service: &str) -> f64 {
        let to = FLOWS.iter().filter(|flow| flow.service == service);
        to.map(|flow| flow.rate).sum()
    }

    /// Every series with its samples after `after` and up to `until`, in seconds since 1970.
    #[must_use]
    pub fn between(&self, after: u64, until: u64) -> Vec<Series> {
        let first = after.max(self.born).saturating_sub(OFFSET) / STEP + 1;
        let moments: Vec<u64> = (first..)
            .map(|step| step * STEP + OFFSET)
            .skip_while(|at| *at <= after)
            .take_while(|at| *at <= until)
            .collect();
        let mut all = Vec::new();
        for flow in &FLOWS {
            for reporter in ["source", "destination"] {
                let told = reporter == "source" || flow.destination.is_some();
                if told && self.reporter.is_none_or(|only| only == reporter) {
                    self.tell(flow, reporter, &moments, &mut all);
                }
            }
        }
        all
    }

    fn tell(&self, flow: &Flow, reporter: &str, moments: &[u64], all: &mut Vec<Series>) {
        let labels = self.labels(flow, reporter);
        let mut push = |name: &str, more: Option<(&str, String)>, rate: f64| {
            let mut labels = labels.clone();
            labels.insert("__name__".to_owned(), name.to_owned());
            labels.extend(more.map(|(key, value)| (key.to_owned(), value)));
            let samples = moments
                .iter()
                .map(|at| (self.millis(*at), rate * self.age(*at)))
                .collect();
            all.push(Series { labels, samples });
        };
        push("istio_requests_total", None, flow.rate);
        for bound in BOUNDS {
            let below = 1.0 - (-bound / flow.mean_ms).exp();
            let le = Some(("le", bound.to_string()));
            push(&format!("{LATENCY}_bucket"), le, flow.rate * below);
        }
        let all_of_them = Some(("le", "+Inf".to_owned()));
        push(&format!("{LATENCY}_bucket"), all_of_them, flow.rate);
        push(&format!("{LATENCY}_count"), None, flow.rate);
        push(&format!("{LATENCY}_sum"), None, flow.rate * flow.mean_ms);
    }

    fn labels(&self, flow: &Flow, reporter: &str) -> BTreeMap<String, String> {
        let mine = self.cluster.as_str();
        let peer = self.peer.as_deref().filter(|_| flow.service == "ratings");
        let (from, to) = match (peer, reporter) {
            (Some(peer), "source") => (mine, peer),
            (Some(peer), _) => (peer, mine),
            (None, _) => (mine, mine),
        };
        let mut labels = BTreeMap::new();
        let mut set = |key: String, value: String| drop(labels.insert(key, value));
        for (side, workload, cluster) in [
            ("source", Some(flow.source), from),
            ("destination", flow.destination, to),
        ] {
            for (key, value) in describe(workload, cluster) {
                set(format!("{side}_{key}"), value);
            }
        }
        let service = flow.service;
        for (key, value) in [
            ("reporter", reporter),
            ("destination_service_name", service),
            ("destination_service_namespace", NAMESPACE),
            ("request_protocol", "http"),
            ("response_code", flow.answer.0),
            ("response_flags", flow.answer.1),
            ("grpc_response_status", ""),
            ("job", "istio-proxies"),
        ] {
            set(key.to_owned(), value.to_owned());
        }
        let secure = if reporter == "source" {
            "unknown"
        } else {
            "mutual_tls"
        };
        set("connection_security_policy".to_owned(), secure.to_owned());
        let host = format!("{service}.{NAMESPACE}.svc.cluster.local");
        set("destination_service".to_owned(), host);
        // An empty label is no label.
        labels.retain(|_, value| !value.is_empty());
        labels
    }

    fn age(&self, at: u64) -> f64 {
        Duration::from_secs(at.saturating_sub(self.born)).as_secs_f64()
    }

    fn millis(&self, at: u64) -> i64 {
        i64::try_from(at * 1000).unwrap_or(i64::MAX)
    }
}

impl Feed {
    /// Writes what has been to each server, and goes on until dropped. A server that does not
    /// answer misses what is written meanwhile.
    ///
    /// # Errors
    /// When a server does not take the past.
    pub fn start(data: DataSet, servers: &[&MetricServer]) -> Result<Self> {
        let servers: Vec<MetricServer> = servers.iter().map(|server| (*server).clone()).collect();
        let mut told = clock::since_epoch().as_secs();
        for server in &servers {
            server.write(&data.between(0, told))?;
        }
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("feed".to_owned())
            .spawn(move || {
                let pause = Duration::from_secs(STEP) / 5;
                while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                    let now = clock::since_epoch().as_secs();
                    let fresh = data.between(told, now);
                    if fresh.iter().any(|series| !series.samples.is_empty()) {
                        for server in &servers {
                            drop(server.write(&fresh));
                        }
                    }
                    told = now;
                }
            })
            .context("no thread for the feed")?;
        Ok(Self {
            stop: Some((stop, thread)),
        })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.stop.take() {
            drop(stop);
            drop(thread.join());
        }
    }
}

/// What Istio says of a peer, without the side; of an unknown one it says so.
fn describe(workload: Option<Workload>, cluster: &str) -> Vec<(&'static str, String)> {
    let Some(Workload { app, version }) = workload else {
        let keys = [
            "workload",
            "workload_namespace",
            "app",
            "version",
            "canonical_service",
            "canonical_revision",
            "principal",
            "cluster",
        ];
        return keys.map(|key| (key, "unknown".to_owned())).to_vec();
    };
    let (name, namespace, revision) = if version.is_empty() {
        (app.to_owned(), INGRESS_NAMESPACE, "latest")
    } else {
        (format!("{app}-{version}"), NAMESPACE, version)
    };
    let account = format!("spiffe://cluster.local/ns/{namespace}/sa/{app}");
    vec![
        ("workload", name),
        ("workload_namespace", namespace.to_owned()),
        ("app", app.to_owned()),
        ("version", revision.to_owned()),
        ("canonical_service", app.to_owned()),
        ("canonical_revision", revision.to_owned()),
        ("principal", account),
        ("cluster", cluster.to_owned()),
    ]
}

const fn workload(app: &'static str, version: &'static str) -> Workload {
    Workload { app, version }
}

const fn flow(
    source: Workload,
    service: &'static str,
    destination: Option<Workload>,
    answer: Answer,
    rate: f64,
    mean_ms: f64,
) -> Flow {
    Flow {
        source,
        service,
        destination,
        answer,
        rate,
        mean_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::{DataSet, PAST};

    /// Each series' labels and samples, as text to compare.
    fn told(data: &DataSet, after: u64, until: u64) -> Vec<String> {
        let series = data.between(after, until).into_iter();
        series
            .flat_map(|one| {
                let labels = one.labels;
                one.samples
                    .into_iter()
                    .map(move |sample| format!("{labels:?} {sample:?}"))
            })
            .collect()
    }

    #[test]
    fn pieces_of_time_are_the_whole() {
        let data = DataSet::new("east");
        let (begin, end) = (data.born, data.born + PAST);
        let mut whole = told(&data, 0, end);
        for cut in begin..begin + 8 {
            let mut pieces = [told(&data, 0, cut), told(&data, cut, end)].concat();
            pieces.sort();
            whole.sort();
            assert_eq!(pieces, whole, "cut at {}", cut - begin);
        }
        assert!(told(&data, end, end).is_empty());
    }

    #[test]
    fn a_call_to_another_cluster_is_told_by_both_sides_of_it() {
        let data = DataSet::new("east").with_peer("west");
        let calls = data.between(0, data.born + 10);
        let mut clusters: Vec<[&str; 3]> = calls
            .iter()
            .filter(|series| series.labels["__name__"] == "istio_requests_total")
            .filter(|series| series.labels["destination_service_name"] == "ratings")
            .map(|series| {
                ["reporter", "source_cluster", "destination_cluster"]
                    .map(|label| series.labels[label].as_str())
            })
            .collect();
        clusters.sort_unstable();
        assert_eq!(
            clusters,
            [["destination", "west", "east"], ["source", "east", "west"]]
        );
    }
}
