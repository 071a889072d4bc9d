//! The metric and trace servers of the namespace, and what they hold.

use anyhow::Result;
use pilothouse_acceptance::now_ms;
use pilothouse_bed::{
    Cover, DataSet, Feed, Front, MetricServer, PrometheusVersion, Rules, Series, Servers,
};

/// The counter, and a histogram of 19 bounds and `+Inf` with its count and sum.
const SERIES_OF_A_FLOW: usize = 23;

/// Every server that a step may show to the cluster, by name and port.
pub(super) struct Backends {
    pub(super) ports: Vec<(&'static str, u16)>,
    _feed: Feed,
    _front: Front,
}

impl Backends {
    pub(super) fn start(servers: &Servers) -> Result<Self> {
        let prometheus = |name, version, labels| servers.prometheus(name, version, labels);
        let empty = prometheus("empty", PrometheusVersion::Two, &[])?;
        let full = prometheus("full", PrometheusVersion::Three, &[("prometheus", "full")])?;
        let foreign = prometheus("foreign", PrometheusVersion::Two, &[])?;
        let half = prometheus("half", PrometheusVersion::Two, &[])?;
        let victoria = servers.victoria_metrics("victoria")?;
        let feed = Feed::start(DataSet::new("east"), &[&full, &victoria])?;
        of_namespace(&foreign, "elsewhere", usize::MAX)?;
        // Fewer series than `full`, which is taken of two equals.
        of_namespace(&half, "istio-system", 3)?;
        let thanos = servers.thanos("thanos", &[&full])?;
        let jaeger = servers.jaeger("tracing", "/jaeger")?;
        let need = Some(("x-scope-orgid".to_owned(), "shop".to_owned()));
        let prefix = "/prometheus".to_owned();
        let rules = Rules {
            prefix,
            need,
            page: false,
        };
        let front = Front::start(full.port(), Cover::Plain, rules)?;
        Ok(Self {
            ports: vec![
                ("empty", empty.port()),
                ("full", full.port()),
                ("foreign", foreign.port()),
                ("half", half.port()),
                ("victoria", victoria.port()),
                ("thanos", thanos.port()),
                ("tracing", jaeger.port),
                ("mimir-gateway", front.port()),
            ],
            _feed: feed,
            _front: front,
        })
    }

    pub(super) fn port(&self, name: &str) -> u16 {
        let found = self.ports.iter().find(|(own, _)| *own == name);
        found.map_or(0, |(_, port)| *port)
    }
}

/// A quarter of an hour of the mesh's metrics, about services of another namespace; of so many flows at most.
fn of_namespace(server: &MetricServer, namespace: &str, n_flows: usize) -> Result<()> {
    let now = u64::try_from(now_ms() / 1000)?;
    let series = DataSet::new("east").between(0, now).into_iter();
    let moved: Vec<Series> = series
        .take(n_flows.saturating_mul(SERIES_OF_A_FLOW))
        .map(|mut series| {
            series.labels.insert(
                "destination_service_namespace".to_owned(),
                namespace.to_owned(),
            );
            series
        })
        .collect();
    server.write(&moved)
}
