//! What a server that was found says of itself, as far as choosing among several needs it.

use std::collections::BTreeSet;

use pilothouse_core::model::SourceError;
use pilothouse_core::ports::{MetricsSource as _, TraceSource as _};

use crate::{JaegerSource, Options, Place, PrometheusSource};

/// What a PromQL server says.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsSurvey {
    /// What answers, e.g. `Prometheus`.
    pub product: String,
    /// Its version, where it says.
    pub version: Option<String>,
    /// Series of `istio_requests_total`; `None` if they could not be counted.
    pub series: Option<u64>,
    /// Age of the newest of them, seconds; `None` without any.
    pub age_s: Option<f64>,
    /// Seconds between two scrapes, where that can be told.
    pub scrape_interval_s: Option<f64>,
    /// Namespaces of the services that they are about, at most 200.
    pub namespaces: BTreeSet<String>,
}

/// What a trace backend says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesSurvey {
    /// What answers, e.g. `Jaeger`.
    pub product: String,
    /// Its version, where it says.
    pub version: Option<String>,
    /// Services that have spans.
    pub services: usize,
}

/// Asks a PromQL server what it is and which mesh's metrics it holds.
///
/// # Errors
/// As [`PrometheusSource::at`] and its probe: nobody there, a sign-in that is wanted, something else than PromQL.
pub async fn survey_metrics(place: Place, options: Options) -> Result<MetricsSurvey, SourceError> {
    let source = PrometheusSource::at(place, options)?;
    let probe = source.probe().await?;
    let number = |name: &str| {
        probe
            .facts
            .get(name)
            .and_then(|text| text.parse::<f64>().ok())
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is what is meant"
    )]
    let series = number("mesh_series").map(|series| series as u64);
    let (age_s, namespaces) = if series == Some(0) {
        (None, BTreeSet::new())
    } else {
        tokio::join!(source.age_of_mesh_metrics(), source.mesh_namespaces())
    };
    Ok(MetricsSurvey {
        product: probe.product.clone(),
        version: probe.version.clone(),
        series,
        age_s,
        scrape_interval_s: number("scrape_interval_s"),
        namespaces,
    })
}

/// Asks a trace backend what it is; it is read through Jaeger's API.
///
/// # Errors
/// As [`JaegerSource::at`] and its probe.
pub async fn survey_traces(place: Place, options: Options) -> Result<TracesSurvey, SourceError> {
    let source = JaegerSource::at(place, options)?;
    let probe = source.probe().await?;
    let services = source.services().await?;
    Ok(TracesSurvey {
        product: probe.product.clone(),
        version: probe.version.clone(),
        services: services.len(),
    })
}

#[cfg(test)]
mod tests;
