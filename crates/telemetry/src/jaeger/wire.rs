//! The JSON around traces: lists of names, summaries, and what counts as "there is none".

use std::collections::BTreeMap;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::trace::{Trace, TraceId, TraceService, TraceSummary};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::formats::{FormatError, parse_traces};
use crate::http::Answer;

/// Zero-valued fields are left out, here and below: `{}` is an empty list, but other keys alone are another API.
#[derive(Deserialize)]
struct ServicesV3 {
    services: Option<Vec<String>>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct OperationsV3 {
    #[serde(default)]
    operations: Vec<OperationV3>,
}

#[derive(Deserialize)]
struct OperationV3 {
    #[serde(default)]
    name: String,
}

/// v1 always has `data`, which may be null.
#[derive(Deserialize)]
struct NamesV1 {
    #[serde(deserialize_with = "Option::deserialize")]
    data: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Summaries {
    summaries: Option<Vec<Summary>>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Summary {
    trace_id: String,
    root_service_name: String,
    root_operation_name: String,
    /// 64-bit numbers are strings in JSON made from Protobuf.
    min_start_time_unix_nano: Number,
    max_end_time_unix_nano: Number,
    span_count: Number,
    error_span_count: Number,
    orphan_span_count: Number,
    services: Vec<SummaryService>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SummaryService {
    name: String,
    span_count: Number,
    error_span_count: Number,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u64),
    Text(String),
}

impl Default for Number {
    fn default() -> Self {
        Self::Plain(0)
    }
}

impl Number {
    fn get(&self) -> u64 {
        match self {
            Self::Plain(number) => *number,
            Self::Text(text) => text.parse().unwrap_or(0),
        }
    }

    fn count(&self) -> usize {
        usize::try_from(self.get()).unwrap_or(usize::MAX)
    }
}

/// Jaeger's own error documents, of both generations.
#[derive(Deserialize)]
struct ErrorDocument {
    error: Option<IgnoredAny>,
    errors: Option<Vec<IgnoredAny>>,
}

pub(super) fn read_services_v3(answer: &Answer) -> Result<Vec<String>, SourceError> {
    let listed = answer.json::<ServicesV3>()?;
    let services = listed_or_empty(answer, listed.services, &listed.others)?;
    Ok(sorted(services))
}

pub(super) fn read_operations_v3(answer: &Answer) -> Result<Vec<String>, SourceError> {
    let operations = answer.json::<OperationsV3>()?.operations;
    Ok(sorted(operations.into_iter().map(|one| one.name).collect()))
}

/// A list of names in v1: services, or the operations of one.
pub(super) fn read_names_v1(answer: &Answer) -> Result<Vec<String>, SourceError> {
    Ok(sorted(answer.json::<NamesV1>()?.data.unwrap_or_default()))
}

fn listed_or_empty<T>(
    answer: &Answer,
    list: Option<Vec<T>>,
    others: &BTreeMap<String, IgnoredAny>,
) -> Result<Vec<T>, SourceError> {
    match list {
        Some(list) => Ok(list),
        None if others.is_empty() => Ok(Vec::new()),
        None => Err(answer
            .fail(
                SourceErrorKind::BadAnswer,
                "the JSON is not what Jaeger's v3 API answers",
            )
            .with_hint("another server may answer here: check the address and its base path")),
    }
}

/// An operation comes once for each span kind.
fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    names
}

/// Summaries; "nothing found" is an empty list. A summary without a readable id is left out.
pub(super) fn read_summaries(answer: &Answer) -> Result<Vec<TraceSummary>, SourceError> {
    if answer.status() == 404 && says_error(answer) {
        return Ok(Vec::new());
    }
    let listed = answer.json::<Summaries>()?;
    let summaries = listed_or_empty(answer, listed.summaries, &listed.others)?;
    Ok(summaries.into_iter().filter_map(Summary::read).collect())
}

impl Summary {
    fn read(self) -> Option<TraceSummary> {
        let start_ns = self.min_start_time_unix_nano.get();
        let mut services: Vec<TraceService> = self
            .services
            .into_iter()
            .map(|service| TraceService {
                spans: service.span_count.count(),
                errors: service.error_span_count.count(),
                name: service.name,
            })
            .collect();
        services.sort_by(|a, b| b.spans.cmp(&a.spans).then_with(|| a.name.cmp(&b.name)));
        Some(TraceSummary {
            id: TraceId::parse(&self.trace_id)?,
            root_service: self.root_service_name,
            root_operation: self.root_operation_name,
            start_ns,
            duration_ns: self.max_end_time_unix_nano.get().saturating_sub(start_ns),
            spans: self.span_count.count(),
            errors: self.error_span_count.count(),
            orphans: self.orphan_span_count.count(),
            services,
            revisions: Vec::new(),
        })
    }
}

/// Whether this is an error in Jaeger's own JSON, and so comes from Jaeger and not from something in front of it.
pub(super) fn says_error(answer: &Answer) -> bool {
    serde_json::from_slice::<ErrorDocument>(answer.body()).is_ok_and(|document| {
        document.error.is_some() || document.errors.is_some_and(|errors| !errors.is_empty())
    })
}

/// The traces of an answer; Jaeger's "not found" is an empty list.
///
/// # Errors
/// The failure that the status or Jaeger's error document tells, its words verbatim; `BadAnswer` if there are no traces.
pub(super) fn read_traces(answer: &Answer) -> Result<Vec<Trace>, SourceError> {
    let from_proxy = matches!(answer.status(), 401 | 403);
    if from_proxy || !answer.looks_like_json() {
        return Err(if answer.is_success() {
            answer.not_json()
        } else {
            answer.failure()
        });
    }
    match parse_traces(answer.body()) {
        Ok(traces) if answer.is_success() => Ok(traces),
        Err(FormatError::Backend { code, .. })
            if answer.status() == 404 || (answer.is_success() && code == Some(404)) =>
        {
            Ok(Vec::new())
        }
        Err(FormatError::Backend { message, .. }) => Err(answer.failure_saying(&message)),
        Ok(_) | Err(_) if !answer.is_success() => Err(answer.failure()),
        Ok(traces) => Ok(traces),
        Err(error) => Err(answer
            .fail(SourceErrorKind::BadAnswer, &error.to_string())
            .with_hint("another server may answer here: check the address and its base path")),
    }
}
