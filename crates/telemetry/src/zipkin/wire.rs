//! The JSON around traces, and what counts as "there is none".

use std::collections::BTreeMap;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::trace::{Trace, TraceId};
use serde::Deserialize;

use crate::formats::parse_traces;
use crate::http::Answer;

/// `{"zipkin":{"version":"3.5.1","commit":"b7e2258"}}`.
#[derive(Deserialize)]
struct Info {
    zipkin: Build,
}

#[derive(Deserialize)]
struct Build {
    version: String,
}

pub(super) fn read_version(answer: &Answer) -> Option<String> {
    let version = answer.json::<Info>().ok()?.zipkin.version;
    let told = !version.is_empty() && version.len() < 64;
    told.then_some(version)
}

/// A bare list of names, sorted.
pub(super) fn read_names(answer: &Answer) -> Result<Vec<String>, SourceError> {
    let listed = answer.json::<Vec<Option<String>>>()?;
    let mut names: Vec<String> = listed.into_iter().flatten().collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Zipkin's text of an id: 16 digits, or 32 if they are needed; some take nothing else.
pub(super) fn written(id: TraceId) -> String {
    match u64::try_from(id.0) {
        Ok(short) => format!("{short:016x}"),
        Err(_) => id.to_string(),
    }
}

/// Whether Zipkin itself says that it has no such trace: `0000000000000099 not found`.
pub(super) fn says_unknown(answer: &Answer, id: TraceId) -> bool {
    let said = String::from_utf8_lossy(answer.body());
    let subject = said.trim().strip_suffix(" not found");
    answer.status() == 404
        && subject
            .and_then(TraceId::parse)
            .is_some_and(|named| is_same(named, id))
}

/// Whether two ids may be one trace's: services that know only 64 bits cut an id to its low half.
pub(super) fn is_same(a: TraceId, b: TraceId) -> bool {
    a == b || (low(a) == low(b) && (is_short(a) || is_short(b)))
}

const fn is_short(id: TraceId) -> bool {
    id.0 >> 64 == 0
}

const fn low(id: TraceId) -> u128 {
    id.0 & (u64::MAX as u128)
}

/// The traces of an answer.
///
/// # Errors
/// The failure that the status tells; `BadAnswer` if it is not a list of spans or of traces.
pub(super) fn read_traces(answer: &Answer) -> Result<Vec<Trace>, SourceError> {
    if !answer.is_success() {
        return Err(answer.failure());
    }
    if !answer.looks_like_json() {
        return Err(answer.not_json());
    }
    let other = |what: &str| {
        answer
            .fail(SourceErrorKind::BadAnswer, what)
            .with_hint("another server may answer here: check the address and its base path")
    };
    if answer.body().trim_ascii_start().first() != Some(&b'[') {
        return Err(other("the JSON is no list of traces"));
    }
    let traces = parse_traces(answer.body()).map_err(|error| other(&error.to_string()))?;
    Ok(joined(traces))
}

/// Traces whose spans carry both forms of one id (`STRICT_TRACE_ID=false`) as the one trace that they are.
fn joined(traces: Vec<Trace>) -> Vec<Trace> {
    let mut long: BTreeMap<u128, Vec<TraceId>> = BTreeMap::new();
    for trace in traces.iter().filter(|trace| !is_short(trace.id)) {
        long.entry(low(trace.id)).or_default().push(trace.id);
    }
    let whole = |id: TraceId| match long.get(&low(id)).map(Vec::as_slice) {
        Some([only]) if is_short(id) => Some(*only),
        _ => None,
    };
    let (cut, mut kept): (Vec<Trace>, Vec<Trace>) = traces
        .into_iter()
        .partition(|trace| whole(trace.id).is_some());
    for part in cut {
        let owner = whole(part.id);
        if let Some(trace) = kept.iter_mut().find(|trace| Some(trace.id) == owner) {
            trace.warnings.push(format!(
                "{} spans carry only the low half of the trace's id",
                part.spans.len()
            ));
            trace.spans.extend(part.spans);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(id: u128) -> Trace {
        Trace {
            id: TraceId(id),
            spans: Vec::new(),
            partial: false,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn halves_of_an_id_are_one_trace_where_that_is_certain() {
        const LONG: u128 = (7 << 64) | 5;
        const OTHER: u128 = (8 << 64) | 5;
        let ids = |traces: &[u128]| -> Vec<(u128, usize)> {
            let traces = traces.iter().map(|id| trace(*id)).collect();
            let joined = joined(traces).into_iter();
            joined.map(|t| (t.id.0, t.warnings.len())).collect()
        };
        assert_eq!(ids(&[5, LONG, 6]), [(LONG, 1), (6, 0)]);
        assert_eq!(ids(&[5, LONG, OTHER]), [(5, 0), (LONG, 0), (OTHER, 0)]);
        assert!(is_same(TraceId(5), TraceId(LONG)) && is_same(TraceId(LONG), TraceId(LONG)));
        assert!(!is_same(TraceId(OTHER), TraceId(LONG)) && !is_same(TraceId(6), TraceId(LONG)));
    }

    #[test]
    fn ids_are_written_as_short_as_they_are() {
        assert_eq!(written(TraceId(0x99)), "0000000000000099");
        assert_eq!(
            written(TraceId(1 << 64)),
            "00000000000000010000000000000000"
        );
    }
}
