//! What a server that was found says of itself, as far as choosing among several needs it.
//!
//! Which API it speaks and where that begins is found out: every kind is asked at once, and the one that answers in its
//! own shape counts (a page for any path, as Jaeger and login proxies have it, is nobody's shape). Where somebody answers
//! but not so, the usual base paths are tried.

use std::collections::BTreeSet;

use futures::future::join_all;
use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};

use crate::prometheus::FirstWords;
use crate::{Options, Place, PrometheusSource, TraceKind, open_traces};

/// Where PromQL is served if not at the root: behind a path prefix, Mimir, the cluster version of `VictoriaMetrics`. The
/// last is the root, for what was thought to be elsewhere.
const METRICS_BASES: [&str; 3] = ["/prometheus", "/select/0/prometheus", ""];

/// The same of traces: Istio's addon of Jaeger, `VictoriaTraces`, the user interface of Zipkin, and path prefixes.
const TRACE_BASES: [(TraceKind, &str); 8] = [
    (TraceKind::Jaeger, "/jaeger"),
    (TraceKind::Jaeger, "/tracing"),
    (TraceKind::Jaeger, "/select/jaeger"),
    (TraceKind::Tempo, "/tempo"),
    (TraceKind::Zipkin, "/zipkin"),
    (TraceKind::Jaeger, ""),
    (TraceKind::Tempo, ""),
    (TraceKind::Zipkin, ""),
];

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
    /// Where its API begins, if not where it was said to; empty for the root.
    pub base_path: Option<String>,
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
    /// Which API it speaks.
    pub kind: TraceKind,
    /// Where its API begins, if not where it was said to; empty for the root.
    pub base_path: Option<String>,
}

/// A PromQL server that answers.
#[derive(Debug)]
pub struct AnsweringMetrics {
    source: PrometheusSource,
    first_words: FirstWords,
    base_path: Option<String>,
}

/// Asks a PromQL server what it is and which mesh's metrics it holds.
///
/// # Errors
/// Those of [`answering_metrics`].
pub async fn survey_metrics(place: Place, options: Options) -> Result<MetricsSurvey, SourceError> {
    Ok(answering_metrics(place, options).await?.survey().await)
}

/// Asks whether anybody answers PromQL there, and where that begins: one round trip, but for odd places.
///
/// # Errors
/// As [`PrometheusSource::at`] and its probe: nobody there, a sign-in that is wanted, something else than PromQL.
pub async fn answering_metrics(
    place: Place,
    options: Options,
) -> Result<AnsweringMetrics, SourceError> {
    let first = metrics_at(place.clone(), None, options.clone()).await;
    let Err(error) = first else { return first };
    if !answers_otherwise(&error) {
        return Err(error);
    }
    let elsewhere = METRICS_BASES.into_iter().filter_map(|base| {
        let place = place.with_base(base)?;
        Some(metrics_at(place, Some(base), options.clone()))
    });
    first_of(join_all(elsewhere).await).ok_or(error)
}

async fn metrics_at(
    place: Place,
    base: Option<&str>,
    options: Options,
) -> Result<AnsweringMetrics, SourceError> {
    let source = PrometheusSource::at(place, options)?;
    let first_words = source.first_words().await?;
    Ok(AnsweringMetrics {
        source,
        first_words,
        base_path: base.map(str::to_owned),
    })
}

impl AnsweringMetrics {
    /// Where its API begins, if not where it was said to; empty for the root.
    #[must_use]
    pub fn base_path(&self) -> Option<&str> {
        self.base_path.as_deref()
    }

    /// What it is and which mesh's metrics it holds. What it does not answer is unknown.
    pub async fn survey(&self) -> MetricsSurvey {
        let source = &self.source;
        let n_series = self.first_words.n_series();
        let of_the_mesh = async {
            if n_series > 0.0 {
                tokio::join!(source.mesh_namespaces(), source.age_of_mesh_metrics())
            } else {
                (BTreeSet::new(), None)
            }
        };
        let all_words = source.all_words(&self.first_words);
        let ((namespaces, age_s), probe) = tokio::join!(of_the_mesh, all_words);
        let interval = probe.facts.get("scrape_interval_s");
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, which is what is meant"
        )]
        let series = n_series as u64;
        MetricsSurvey {
            product: probe.product,
            version: probe.version,
            series: Some(series),
            age_s,
            scrape_interval_s: interval.and_then(|text| text.parse().ok()),
            namespaces,
            base_path: self.base_path.clone(),
        }
    }
}

/// Asks a trace backend what it is; of which kind, if that is not said.
///
/// # Errors
/// That of the kind that was said. Else the most telling one of all: a sign-in that is wanted, nobody there; `BadAnswer`
/// if somebody is, but no trace backend.
pub async fn survey_traces(
    place: Place,
    options: Options,
    kind: Option<TraceKind>,
) -> Result<TracesSurvey, SourceError> {
    let is_asked = |one: TraceKind| kind.is_none_or(|said| said == one);
    let kinds = TraceKind::ALL.into_iter().filter(|one| is_asked(*one));
    let here = kinds.map(|one| traces_at(place.clone(), None, &options, one));
    let mut errors = Vec::new();
    for answer in join_all(here).await {
        match answer {
            Ok(survey) => return Ok(survey),
            Err(error) => errors.push(error),
        }
    }
    if !errors.iter().all(answers_otherwise) {
        return Err(most_telling(errors));
    }
    let elsewhere = TRACE_BASES
        .into_iter()
        .filter(|(one, _)| is_asked(*one))
        .filter_map(|(one, base)| {
            let place = place.with_base(base)?;
            Some(traces_at(place, Some(base), &options, one))
        });
    first_of(join_all(elsewhere).await).ok_or_else(|| most_telling(errors))
}

async fn traces_at(
    place: Place,
    base: Option<&str>,
    options: &Options,
    kind: TraceKind,
) -> Result<TracesSurvey, SourceError> {
    let probe = open_traces(Some(kind), place, options.clone())?
        .probe()
        .await?;
    let services = probe.facts.get("services").map(|text| text.parse());
    Ok(TracesSurvey {
        product: probe.product,
        version: probe.version,
        services: services.and_then(Result::ok).unwrap_or(0),
        kind,
        base_path: base.map(str::to_owned),
    })
}

fn first_of<T>(answers: Vec<Result<T, SourceError>>) -> Option<T> {
    answers.into_iter().find_map(Result::ok)
}

/// Somebody is there and lets us in, but this API is not.
const fn answers_otherwise(error: &SourceError) -> bool {
    matches!(
        error.kind,
        SourceErrorKind::NotFound | SourceErrorKind::BadAnswer | SourceErrorKind::ServerError
    )
}

/// What stands for the failures of all kinds that were asked. They differ only in what was expected to answer, unless
/// somebody answers something else.
fn most_telling(errors: Vec<SourceError>) -> SourceError {
    let several = errors.len() > 1;
    let is_refusal = |kind| {
        matches!(
            kind,
            SourceErrorKind::Unauthorized | SourceErrorKind::Forbidden
        )
    };
    let rank = |error: &SourceError| (!is_refusal(error.kind), answers_otherwise(error));
    let Some(error) = errors.into_iter().min_by_key(rank) else {
        let kind = SourceErrorKind::NotConfigured;
        return SourceError::new(SourceKind::Traces, kind, "nobody was asked for traces");
    };
    if several && answers_otherwise(&error) {
        let message = format!(
            "somebody answers, but neither as Jaeger nor as Tempo nor as Zipkin; {}",
            error.message
        );
        let kind = if error.kind == SourceErrorKind::ServerError {
            error.kind
        } else {
            SourceErrorKind::BadAnswer
        };
        return SourceError::new(SourceKind::Traces, kind, message).with_hint(
            "check the address, its port and its base path: collectors answer no questions",
        );
    }
    error
}

#[cfg(test)]
mod tests;
