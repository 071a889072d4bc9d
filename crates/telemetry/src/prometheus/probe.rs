//! What answers, and whether it holds mesh metrics. A few small requests, none of them needed for the queries.

use std::collections::{BTreeMap, BTreeSet};

use pilothouse_core::model::{Moment, SourceError};
use pilothouse_core::ports::{Labels, Probe};
use serde::Deserialize;

use super::{PrometheusSource, wire};
use crate::http::offload;

/// The metric that every mesh with HTTP traffic has.
const MESH_METRIC: &str = "istio_requests_total";

/// How far back samples are looked at to learn the time between scrapes: enough for three at the slowest usual pace.
const LOOK_BACK: &str = "5m";

const VICTORIA_METRICS: &str = "VictoriaMetrics";

#[derive(Deserialize)]
struct BuildInfo {
    data: BuildData,
}

#[derive(Debug, Deserialize)]
struct BuildData {
    version: Option<String>,
    /// Mimir names itself here.
    application: Option<String>,
}

/// Thanos' stores by their kind.
#[derive(Deserialize)]
struct Stores {
    #[serde(rename = "data")]
    _by_kind: BTreeMap<String, Vec<serde::de::IgnoredAny>>,
}

/// What tells that `PromQL` is answered: whatever else is asked may fail.
#[derive(Debug)]
pub(crate) struct FirstWords {
    build: Option<BuildData>,
    n_series: f64,
}

impl FirstWords {
    pub(crate) const fn n_series(&self) -> f64 {
        self.n_series
    }
}

/// Facts: `mesh_series` (number of request counters, 0 if there are none) and, where it can be seen, `scrape_interval_s`.
pub(super) async fn probe(source: &PrometheusSource) -> Result<Probe, SourceError> {
    Ok(source.all_words(&source.first_words().await?).await)
}

impl PrometheusSource {
    /// Asks whether `PromQL` is answered: as long as one round trip takes.
    pub(crate) async fn first_words(&self) -> Result<FirstWords, SourceError> {
        let count = format!("count({MESH_METRIC})");
        let (build, counted) = tokio::join!(build_info(self), self.vector(&count, None));
        Ok(FirstWords {
            build: build?,
            n_series: counted?.rows.first().map_or(0.0, |row| row.value),
        })
    }

    /// Asks the rest at the same time.
    pub(crate) async fn all_words(&self, first: &FirstWords) -> Probe {
        let build = first.build.as_ref();
        let interval = async {
            match first.n_series > 0.0 {
                true => scrape_interval(self).await,
                false => None,
            }
        };
        let product = async {
            match build.and_then(|build| build.application.clone()) {
                Some(application) => application,
                None => speaker(self).await.to_owned(),
            }
        };
        let (interval, product, clock) = tokio::join!(interval, product, clock(self));
        let mut facts = BTreeMap::from([("mesh_series".to_owned(), first.n_series.to_string())]);
        facts.extend(interval.map(|s| ("scrape_interval_s".to_owned(), s.to_string())));
        let version = build.and_then(|build| build.version.clone());
        Probe {
            // The one that it tells is that of the Prometheus whose API it offers.
            version: version.filter(|version| !version.is_empty() && product != VICTORIA_METRICS),
            product,
            api: Some("v1".to_owned()),
            address: self.address().to_owned(),
            facts,
            clock,
        }
    }
}

/// The server's present moment; `None` if it does not say.
async fn clock(source: &PrometheusSource) -> Option<Moment> {
    let answer = source.vector("vector(time())", None).await.ok()?;
    let seconds = answer.rows.first()?.value;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds of a moment fit; what does not is no moment"
    )]
    (seconds > 0.0 && seconds < 1e11).then_some(Moment((seconds * 1000.0) as i64))
}

/// `None` where the server does not have this path: Thanos and `VictoriaMetrics` have had it only since some version.
async fn build_info(source: &PrometheusSource) -> Result<Option<BuildData>, SourceError> {
    let answer = source
        .client
        .get(&["api", "v1", "status", "buildinfo"], &[])
        .await?;
    if answer.is_refusal() {
        return Err(answer.failure());
    }
    Ok(answer.json::<BuildInfo>().ok().map(|info| info.data))
}

/// Who speaks `PromQL` without saying its name: Thanos has a page of its stores, and `VictoriaMetrics` functions of its own.
async fn speaker(source: &PrometheusSource) -> &'static str {
    let stores = source.client.get(&["api", "v1", "stores"], &[]);
    let (stores, own_function) = tokio::join!(stores, source.vector("now()", None));
    if stores.is_ok_and(|answer| answer.json::<Stores>().is_ok()) {
        return "Thanos";
    }
    if own_function.is_ok_and(|answer| !answer.rows.is_empty()) {
        return VICTORIA_METRICS;
    }
    "Prometheus"
}

/// Seconds between scrapes of the mesh's proxies, from the times of the raw samples of one busy series; `None` if that
/// cannot be told. Works wherever `PromQL` does: target and configuration pages are often closed, and can be megabytes.
async fn scrape_interval(source: &PrometheusSource) -> Option<f64> {
    let busiest = source
        .vector(&format!("topk(1, {MESH_METRIC})"), None)
        .await
        .ok()?;
    let selector = selector(&busiest.rows.first()?.labels)?;
    let answer = source
        .instant(&format!("{selector}[{LOOK_BACK}]"), None)
        .await
        .ok()?;
    let times = offload(answer, wire::read_sample_times).await.ok()?;
    median_gap(&times)
}

/// The selector of exactly this series; `None` if a label has a name that the classic syntax cannot write.
fn selector(labels: &Labels) -> Option<String> {
    let mut matchers = Vec::with_capacity(labels.len());
    for (name, value) in labels {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plain {
            return None;
        }
        // JSON escapes a string as `PromQL` reads it: both are a subset of Go's escapes.
        let value = serde_json::to_string(value).ok()?;
        matchers.push(format!("{name}={value}"));
    }
    (!matchers.is_empty()).then(|| format!("{{{}}}", matchers.join(",")))
}

/// The median of the gaps between times, to a tenth of a second; `None` below two gaps.
fn median_gap(times: &[f64]) -> Option<f64> {
    let mut gaps: Vec<f64> = times
        .windows(2)
        .filter_map(|pair| match pair {
            [earlier, later] => Some(later - earlier),
            _ => None,
        })
        .filter(|gap| *gap > 0.0)
        .collect();
    if gaps.len() < 2 {
        return None;
    }
    gaps.sort_by(f64::total_cmp);
    let median = gaps.get(gaps.len() / 2)?;
    // Scrapes come a few milliseconds early or late.
    Some(((median * 10.0).round() / 10.0).max(0.1))
}

impl PrometheusSource {
    /// Seconds since the newest sample of the mesh's requests; `None` if there is none or it could not be asked.
    pub(crate) async fn age_of_mesh_metrics(&self) -> Option<f64> {
        let query = format!("time() - max(timestamp({MESH_METRIC}))");
        let answer = self.vector(&query, None).await.ok()?;
        Some(answer.rows.first()?.value)
    }

    /// Namespaces of the services that the mesh's requests go to; empty if that could not be asked.
    pub(crate) async fn mesh_namespaces(&self) -> BTreeSet<String> {
        let label = "destination_service_namespace";
        let query = format!("topk(200, count by ({label}) ({MESH_METRIC}))");
        let answer = self.vector(&query, None).await;
        let rows = answer.map(|answer| answer.rows).unwrap_or_default();
        rows.into_iter()
            .filter_map(|mut row| row.labels.remove(label))
            .filter(|name| !name.is_empty() && name != "unknown")
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scrape_interval_is_the_usual_gap() {
        for (times, expected) in [
            (&[][..], None),
            (&[1.0, 16.0], None),
            (&[0.0, 15.002, 29.999, 45.0], Some(15.0)),
            // A missed scrape does not double it.
            (&[0.0, 30.0, 60.0, 120.0, 150.0], Some(30.0)),
            (&[0.0, 0.5, 1.0], Some(0.5)),
            (&[5.0, 5.0, 5.0], None),
        ] {
            assert_eq!(median_gap(times), expected, "{times:?}");
        }
    }

    #[test]
    fn a_selector_names_one_series_whatever_its_labels_hold() {
        let labels = Labels::from([
            ("__name__".to_owned(), MESH_METRIC.to_owned()),
            ("path".to_owned(), "a\"b\\c\n".to_owned()),
        ]);
        assert_eq!(
            selector(&labels).unwrap(),
            r#"{__name__="istio_requests_total",path="a\"b\\c\n"}"#
        );
        assert_eq!(selector(&Labels::new()), None);
        let dotted = Labels::from([("http.method".to_owned(), "GET".to_owned())]);
        assert_eq!(selector(&dotted), None);
    }
}
