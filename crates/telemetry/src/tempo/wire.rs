//! The JSON around traces: values of tags, results of a search, and what counts as "there is none".

use std::collections::BTreeMap;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::trace::{Trace, TraceId, TraceService, TraceSummary};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::formats::{FormatError, parse_traces};
use crate::http::Answer;

/// `{"version":"2.7.1","revision":"…"}`.
#[derive(Deserialize)]
struct Build {
    version: String,
}

/// `tagValues` is left out where there are none, `metrics` (since 2.5) where nothing was looked at.
#[derive(Deserialize)]
struct Values {
    #[serde(rename = "tagValues")]
    values: Option<Vec<TagValue>>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TagValue {
    #[serde(deserialize_with = "lenient")]
    value: Text,
}

#[derive(Deserialize)]
struct Results {
    traces: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "lenient")]
    metrics: Metrics,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metrics {
    #[serde(deserialize_with = "lenient")]
    completed_jobs: Number,
    #[serde(deserialize_with = "lenient")]
    total_jobs: Number,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Hit {
    #[serde(rename = "traceID", deserialize_with = "lenient")]
    trace_id: Text,
    #[serde(deserialize_with = "lenient")]
    root_service_name: Text,
    #[serde(deserialize_with = "lenient")]
    root_trace_name: Text,
    #[serde(deserialize_with = "lenient")]
    start_time_unix_nano: Number,
    #[serde(deserialize_with = "lenient")]
    duration_ms: Number,
    #[serde(deserialize_with = "lenient")]
    service_stats: BTreeMap<String, Option<Stats>>,
}

/// Zero-valued fields are left out.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stats {
    #[serde(deserialize_with = "lenient")]
    span_count: Number,
    #[serde(deserialize_with = "lenient")]
    error_count: Number,
}

#[derive(Default, Deserialize)]
struct Text(String);

/// 64-bit numbers are strings in JSON made from Protobuf.
#[derive(Default, Deserialize)]
#[serde(from = "Value")]
struct Number(u64);

impl From<Value> for Number {
    fn from(value: Value) -> Self {
        let number = value
            .as_u64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        Self(number.unwrap_or(0))
    }
}

impl Number {
    fn count(&self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A part that is null or of an unheard-of kind counts as missing: one odd trace does not take the others away.
fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + serde::de::DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// Whether this is Tempo's own word that it is there.
pub(super) fn says_echo(answer: &Answer) -> bool {
    answer.is_success() && answer.body().trim_ascii() == b"echo"
}

pub(super) fn read_version(answer: &Answer) -> Option<String> {
    let version = answer.json::<Build>().ok()?.version;
    let told = !version.is_empty() && version.len() < 64;
    told.then_some(version)
}

/// Values of a tag, sorted.
pub(super) fn read_values(answer: &Answer) -> Result<Vec<String>, SourceError> {
    let listed = answer.json::<Values>()?;
    let values = match listed.values {
        Some(values) => values,
        None if only_metrics(&listed.others) => Vec::new(),
        None => return Err(other_api(answer)),
    };
    let mut names: Vec<String> = values.into_iter().map(|one| one.value.0).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// What a search said.
pub(super) struct Found {
    /// Each with whether it is told in full.
    pub(super) traces: Vec<(TraceSummary, bool)>,
    /// Not all of the data was looked at.
    pub(super) partial: bool,
}

/// The results of a search; those without a readable id are left out.
pub(super) fn read_found(answer: &Answer) -> Result<Found, SourceError> {
    if answer.status() == 400 {
        let error = answer.failure();
        return Err(if error.message.contains("range specified") {
            error.with_hint("Tempo searches no longer range at once: choose a shorter time")
        } else {
            error
        });
    }
    let results = answer.json::<Results>()?;
    if results.traces.is_none() && !only_metrics(&results.others) {
        return Err(other_api(answer));
    }
    let traces = results.traces.unwrap_or_default().into_iter();
    let traces = traces.filter_map(|one| serde_json::from_value::<Hit>(one).ok());
    Ok(Found {
        traces: traces.filter_map(Hit::read).collect(),
        partial: results.metrics.completed_jobs.0 < results.metrics.total_jobs.0,
    })
}

impl Hit {
    fn read(self) -> Option<(TraceSummary, bool)> {
        let mut services: Vec<TraceService> = self
            .service_stats
            .into_iter()
            .map(|(name, stats)| {
                let stats = stats.unwrap_or_default();
                TraceService {
                    name,
                    spans: stats.span_count.count(),
                    errors: stats.error_count.count(),
                }
            })
            .collect();
        services.sort_by(|a, b| b.spans.cmp(&a.spans).then_with(|| a.name.cmp(&b.name)));
        let total =
            |of: fn(&TraceService) -> usize| services.iter().map(of).fold(0, usize::saturating_add);
        // Where the root has not come, a sentence in angle brackets stands in place of its service.
        let has_root =
            !self.root_service_name.0.is_empty() && !self.root_service_name.0.starts_with('<');
        let summary = TraceSummary {
            id: TraceId::parse(&self.trace_id.0)?,
            root_service: if has_root {
                self.root_service_name.0
            } else {
                String::new()
            },
            root_operation: self.root_trace_name.0,
            start_ns: self.start_time_unix_nano.0,
            duration_ns: self.duration_ms.0.saturating_mul(1_000_000),
            spans: total(|service| service.spans),
            errors: total(|service| service.errors),
            orphans: 0,
            services,
            revisions: Vec::new(),
        };
        let is_told = has_root && summary.spans > 0 && summary.start_ns > 0;
        Some((summary, is_told))
    }
}

/// Whether Tempo itself says that it has no such trace, by `/api/traces`: with nothing, or in a few words of its own. A
/// route that is not there and a proxy say something else.
pub(super) fn says_unknown(answer: &Answer) -> bool {
    let said = String::from_utf8_lossy(answer.body());
    answer.status() == 404 && (said.trim().is_empty() || said.contains("trace not found"))
}

/// The traces of an answer, none if it says so.
///
/// # Errors
/// The failure that the status tells; `BadAnswer` if there are no traces.
pub(super) fn read_traces(answer: &Answer) -> Result<Vec<Trace>, SourceError> {
    if !answer.is_success() {
        return Err(answer.failure());
    }
    if !answer.looks_like_json() {
        return Err(answer.not_json());
    }
    match parse_traces(answer.body()) {
        Ok(traces) => Ok(traces),
        Err(FormatError::Backend { message, .. }) => Err(answer.failure_saying(&message)),
        Err(error) => Err(answer
            .fail(SourceErrorKind::BadAnswer, &error.to_string())
            .with_hint("another server may answer here: check the address and its base path")),
    }
}

fn only_metrics(others: &BTreeMap<String, Value>) -> bool {
    others.keys().all(|key| key == "metrics")
}

/// Answered, but not by Tempo.
pub(super) fn other_api(answer: &Answer) -> SourceError {
    answer
        .fail(
            SourceErrorKind::BadAnswer,
            "the JSON is not what Tempo's API answers",
        )
        .with_hint("another server may answer here: check the address and its base path")
}
