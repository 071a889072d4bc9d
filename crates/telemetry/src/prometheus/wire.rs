//! The JSON of `/api/v1/query`, read into rows.

use pilothouse_core::model::{Moment, SourceError, SourceErrorKind};
use pilothouse_core::ports::{Labels, MetricRow, MetricRows, SampleSeries, Samples};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::http::Answer;

/// The envelope of every answer.
#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    error: Option<String>,
    warnings: Option<Vec<String>>,
}

/// What kind of value came; the value itself is skipped.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "resultType")]
    result_type: String,
}

#[derive(Deserialize)]
struct Rows<R> {
    result: Vec<R>,
}

/// A row of a vector. Only native histograms have no `value`.
#[derive(Deserialize)]
struct VectorRow {
    #[serde(default)]
    metric: Labels,
    value: Option<(IgnoredAny, String)>,
}

/// A row of a matrix: its samples with their times in seconds.
#[derive(Deserialize)]
struct MatrixRow<V> {
    #[serde(default)]
    metric: Labels,
    #[serde(default = "Vec::new")]
    values: Vec<(f64, V)>,
}

/// The rows of an instant vector: NaN and histograms dropped, empty labels absent.
///
/// # Errors
/// The failure that the server or the HTTP status tells; `BadAnswer` for anything that is not a vector.
pub(super) fn read_vector(answer: &Answer) -> Result<MetricRows, SourceError> {
    let (rows, warnings): (Rows<VectorRow>, _) = read(answer, "vector")?;
    let asked = rows.result.len();
    let mut histograms = 0_usize;
    let mut read = Vec::with_capacity(asked);
    for row in rows.result {
        let Some((_, text)) = row.value else {
            histograms += 1;
            continue;
        };
        let value = number(answer, &text)?;
        if value.is_nan() {
            continue;
        }
        let mut labels = row.metric;
        labels.retain(|_, value| !value.is_empty());
        read.push(MetricRow { labels, value });
    }
    if histograms > 0 {
        tracing::warn!(histograms, "rows with native histograms were left out");
    }
    Ok(MetricRows {
        rows: read,
        warnings,
    })
}

fn number(answer: &Answer, text: &str) -> Result<f64, SourceError> {
    text.parse().map_err(|_| {
        let message = format!("`{}` is not a sample's value", excerpt(text));
        answer
            .fail(SourceErrorKind::BadAnswer, &message)
            .with_hint("another server may answer here: check the address")
    })
}

/// The series of a matrix with their samples: NaN dropped (it marks a series that ended), empty labels absent.
///
/// # Errors
/// As [`read_vector`].
pub(super) fn read_matrix(answer: &Answer) -> Result<Samples, SourceError> {
    let (rows, warnings): (Rows<MatrixRow<String>>, _) = read(answer, "matrix")?;
    let mut series = Vec::with_capacity(rows.result.len());
    for row in rows.result {
        let mut samples = Vec::with_capacity(row.values.len());
        for (seconds, text) in row.values {
            let value = number(answer, &text)?;
            if !value.is_nan() {
                samples.push((moment(seconds), value));
            }
        }
        let mut labels = row.metric;
        labels.retain(|_, value| !value.is_empty());
        series.push(SampleSeries { labels, samples });
    }
    Ok(Samples { series, warnings })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "milliseconds since 1970 fit for a long while"
)]
fn moment(seconds: f64) -> Moment {
    Moment((seconds * 1000.0).round() as i64)
}

/// The times of the samples of the first row of a matrix, in seconds, ascending.
///
/// # Errors
/// As [`read_vector`].
pub(super) fn read_sample_times(answer: &Answer) -> Result<Vec<f64>, SourceError> {
    let (rows, _): (Rows<MatrixRow<IgnoredAny>>, _) = read(answer, "matrix")?;
    let first = rows.result.into_iter().next();
    Ok(first
        .map(|row| row.values.into_iter().map(|(time, _)| time).collect())
        .unwrap_or_default())
}

/// The result, and what the server says against it. Advice on the query itself is no doubt of the answer.
fn read<T: DeserializeOwned>(
    answer: &Answer,
    wanted: &str,
) -> Result<(T, Vec<String>), SourceError> {
    // 401 and 403 come from a proxy in front; its body, JSON or not, is not Prometheus's.
    if matches!(answer.status(), 401 | 403) || !answer.looks_like_json() {
        return Err(if answer.is_success() {
            answer.not_json()
        } else {
            answer.failure()
        });
    }
    let head: Envelope<Kind> = match serde_json::from_slice(answer.body()) {
        Ok(head) => head,
        Err(_) if !answer.is_success() => return Err(answer.failure()),
        Err(error) => return Err(answer.not_parsed(&error)),
    };
    if head.status != "success" {
        return Err(said(
            answer,
            head.error_type.as_deref(),
            head.error.as_deref(),
        ));
    }
    if !answer.is_success() {
        return Err(answer.failure());
    }
    let kind = head.data.map(|data| data.result_type);
    if kind.as_deref() != Some(wanted) {
        let got = kind.map_or_else(
            || "nothing".to_owned(),
            |kind| format!("a {}", excerpt(&kind)),
        );
        return Err(answer
            .fail(
                SourceErrorKind::BadAnswer,
                &format!("{got} came where a {wanted} was asked for"),
            )
            .with_hint(
                "this server does not answer PromQL as Prometheus does: check the address",
            ));
    }
    // The result is parsed in a second pass, since `resultType` may stand behind it.
    let whole: Envelope<T> =
        serde_json::from_slice(answer.body()).map_err(|error| answer.not_parsed(&error))?;
    let mut warnings = head.warnings.unwrap_or_default();
    warnings.retain(|warning| !warning.starts_with("PromQL info"));
    whole
        .data
        .map(|data| (data, warnings))
        .ok_or_else(|| answer.not_json())
}

/// `status: error`, with the server's words verbatim.
fn said(answer: &Answer, error_type: Option<&str>, error: Option<&str>) -> SourceError {
    let error_type = error_type.unwrap_or("error without a type");
    let words = format!("{error_type}: {}", error.unwrap_or("no message"));
    let (kind, hint) = match error_type {
        "timeout" => (
            SourceErrorKind::TimedOut,
            "the query takes too long on the server: choose fewer namespaces, or allow more time",
        ),
        "bad_data" => (
            SourceErrorKind::ServerError,
            "the server does not understand the query: an old version, or another kind of server",
        ),
        "unavailable" => (
            SourceErrorKind::ServerError,
            "the server is not ready yet; wait",
        ),
        _ => (SourceErrorKind::ServerError, "look into the server's log"),
    };
    answer.fail(kind, &words).with_hint(hint)
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}
