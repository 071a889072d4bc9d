//! Reads traces in any of the JSON formats in the field into the one model of `pilothouse_core::trace`.
//!
//! Owns the wire types of Jaeger v1 (`{"data": […]}` and a bare trace), of OTLP JSON in all its wrappings
//! (`resourceSpans`, Jaeger v3's `result`, Tempo's `trace` and `batches`) and of Zipkin v2 (`[span]`, `[[span]]`), and
//! any number of those one after another (NDJSON). Does not fetch, does not repair: spans come out as the backend gave
//! them (repeated ids, missing parents, zero starts), names of attributes as they came. Only the notation is unified:
//!
//! * ids: hexadecimal in either case, with leading zeros stripped or not, or base64 (Tempo); anything else is hashed,
//!   and the span says so in its warnings;
//! * times: numbers or decimal strings, ns or µs, become ns;
//! * kinds and status codes: numbers or names;
//! * what Jaeger writes as tags although it is a field of OpenTelemetry (`span.kind`, `otel.status_code`) is lifted
//!   into the field; what OpenTelemetry writes as fields although our model has none (scope, status message) becomes
//!   an attribute under Jaeger's name (`otel.scope.name`, `otel.status_description`).
//!
//! A service name is always also in the resource as `service.name`, an address of a Zipkin endpoint as `host.ip`.

mod jaeger;
mod otlp;
mod scalar;
mod zipkin;

use std::collections::BTreeMap;
use std::fmt;

use pilothouse_core::trace::{Span, Trace, TraceId};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use scalar::{Number, Text};

/// Why bytes could not be read as traces.
#[derive(Debug, Error)]
pub enum FormatError {
    /// Nothing but white space.
    #[error("reading traces: the input is empty")]
    Empty,
    /// Not JSON at all; a login page or an error page of a proxy, more often than not.
    #[error(
        "reading traces: expected JSON, but the input is {what} (it begins `{start}`); check the address and the \
         credentials"
    )]
    NotJson {
        /// `an HTML page`, `plain text`, `binary data`.
        what: &'static str,
        /// Its first characters, for a person to recognise it.
        start: String,
    },
    /// JSON that ends too early.
    #[error(
        "reading traces as {tried}: the input ends in the middle of a value at line {line}, column {column}; it was \
         cut off, fetch it again"
    )]
    Truncated {
        /// The format that it looked like.
        tried: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 0 (the column of the last byte read).
        column: usize,
    },
    /// JSON that breaks the format's rules.
    #[error("reading traces as {tried}: {source}")]
    Malformed {
        /// The format that it looked like.
        tried: &'static str,
        /// What and where (line and column are in its text).
        source: serde_json::Error,
    },
    /// A JSON document of another kind.
    #[error(
        "reading traces: a JSON document of no known trace format ({hint}); expected Jaeger, OTLP, Tempo or Zipkin JSON"
    )]
    Unknown {
        /// What it looks like instead.
        hint: String,
    },
    /// The backend answered with an error document.
    #[error("reading traces: the answer is an error of the backend: {message}")]
    Backend {
        /// Its words, verbatim.
        message: String,
        /// Its status code, where it says one.
        code: Option<i64>,
    },
}

/// Reads all traces in `bytes`, in order of first appearance; spans of one trace id are one trace, wherever they stand.
///
/// # Errors
/// [`FormatError`] on anything that is not one of the formats; no part of a broken input is returned.
pub fn parse_traces(bytes: &[u8]) -> Result<Vec<Trace>, FormatError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    reject_foreign(bytes)?;
    let mut collected = Collector::default();
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<Document<'_>>();
    loop {
        let begin = documents.byte_offset();
        match documents.next() {
            None => break,
            Some(Ok(document)) => {
                let end = documents.byte_offset();
                let slice = bytes.get(begin..end).unwrap_or_default();
                document.collect(slice, &mut collected)?;
            }
            Some(Err(source)) => {
                let tried = guess(bytes.get(begin..).unwrap_or_default());
                return Err(broken(tried, source));
            }
        }
    }
    Ok(collected.traces)
}

fn broken(tried: &'static str, source: serde_json::Error) -> FormatError {
    if source.is_eof() {
        FormatError::Truncated {
            tried,
            line: source.line(),
            column: source.column(),
        }
    } else {
        FormatError::Malformed { tried, source }
    }
}

/// Refuses what does not even begin like JSON, with a better word for it than the JSON parser has.
fn reject_foreign(bytes: &[u8]) -> Result<(), FormatError> {
    let trimmed = bytes.trim_ascii_start();
    let what = match trimmed.first() {
        None => return Err(FormatError::Empty),
        Some(b'{' | b'[') => return Ok(()),
        Some(b'<') => "an HTML page",
        Some(byte) if byte.is_ascii_graphic() || *byte >= 0x80 => "plain text",
        Some(_) => "binary data",
    };
    let head = trimmed.get(..trimmed.len().min(160)).unwrap_or_default();
    let start = String::from_utf8_lossy(head)
        .chars()
        .filter(|c| !c.is_control())
        .take(40)
        .collect();
    Err(FormatError::NotJson { what, start })
}

/// Which format a broken document was going to be, by the first telling key near its beginning.
fn guess(bytes: &[u8]) -> &'static str {
    const KEYS: [(&str, &str); 8] = [
        ("\"resourceSpans\"", "OTLP JSON"),
        ("\"resource_spans\"", "OTLP JSON"),
        ("\"batches\"", "Tempo JSON"),
        ("\"trace\"", "Tempo JSON"),
        ("\"result\"", "Jaeger v3 JSON"),
        ("\"data\"", "Jaeger JSON"),
        ("\"processes\"", "Jaeger JSON"),
        ("\"traceID\"", "Jaeger JSON"),
    ];
    let trimmed = bytes.trim_ascii_start();
    if trimmed.first() == Some(&b'[') {
        return "Zipkin JSON";
    }
    let head = String::from_utf8_lossy(trimmed.get(..trimmed.len().min(4096)).unwrap_or_default());
    KEYS.iter()
        .filter_map(|(key, name)| Some((head.find(key)?, *name)))
        .min()
        .map_or("JSON", |(_, name)| name)
}

/// Traces in order of first appearance.
#[derive(Default)]
struct Collector {
    traces: Vec<Trace>,
    index: BTreeMap<TraceId, usize>,
}

impl Collector {
    fn trace(&mut self, id: TraceId) -> Option<&mut Trace> {
        let next = self.traces.len();
        let at = *self.index.entry(id).or_insert(next);
        if at == next {
            self.traces.push(Trace {
                id,
                spans: Vec::new(),
                partial: false,
                warnings: Vec::new(),
            });
        }
        self.traces.get_mut(at)
    }

    fn span(&mut self, id: TraceId, span: Span) {
        if let Some(trace) = self.trace(id) {
            trace.spans.push(span);
        }
    }
}

/// One JSON document of any format.
enum Document<'a> {
    Object(Box<Envelope<'a>>),
    Array(Vec<zipkin::Item<'a>>),
}

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Document<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of traces")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Envelope::deserialize(MapAccessDeserializer::new(map))
                    .map(|envelope| Document::Object(Box::new(envelope)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Document::Array)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The union of all wrappings: whichever key is there tells the format.
#[derive(Deserialize)]
struct Envelope<'a> {
    /// Jaeger v1.
    #[serde(borrow, default)]
    data: Option<Vec<jaeger::Trace<'a>>>,
    /// Jaeger v3 (also its streamed form, one document after another).
    #[serde(borrow, default)]
    result: Option<otlp::Resources<'a>>,
    /// Tempo v2.
    #[serde(borrow, default)]
    trace: Option<otlp::Resources<'a>>,
    /// OTLP itself, and Tempo v1.
    #[serde(
        borrow,
        default,
        rename = "resourceSpans",
        alias = "resource_spans",
        alias = "batches"
    )]
    resources: Option<Vec<otlp::ResourceSpans<'a>>>,
    /// A bare Jaeger trace.
    #[serde(borrow, default, rename = "traceID")]
    trace_id: Option<Text<'a>>,
    /// See `trace_id`.
    #[serde(borrow, default)]
    spans: Option<Vec<jaeger::Span<'a>>>,
    /// See `trace_id`.
    #[serde(borrow, default)]
    processes: Option<jaeger::Processes<'a>>,
    /// See `trace_id`.
    #[serde(borrow, default)]
    warnings: Option<Vec<Text<'a>>>,
    /// Tempo: `PARTIAL` (or its number, 1); anything else is complete.
    #[serde(borrow, default)]
    status: Option<Text<'a>>,
    /// Tempo: why partial. Also the text of a bare gRPC error.
    #[serde(borrow, default)]
    message: Option<Text<'a>>,
    /// Jaeger v1's list of errors; with data it is a warning.
    #[serde(borrow, default)]
    errors: Option<Vec<BackendError<'a>>>,
    /// Jaeger v3's error.
    #[serde(borrow, default)]
    error: Option<BackendError<'a>>,
    /// A bare gRPC error's code.
    #[serde(default)]
    code: Option<Number>,
    /// A bare Zipkin span (its trace id has another case than Jaeger's).
    #[serde(borrow, default, rename = "traceId")]
    zipkin_trace_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct BackendError<'a> {
    #[serde(default, alias = "httpCode")]
    code: Option<Number>,
    #[serde(borrow, default, alias = "message")]
    msg: Option<Text<'a>>,
}

impl BackendError<'_> {
    fn text(&self) -> String {
        self.msg
            .as_ref()
            .map_or_else(|| "no message".to_owned(), |m| m.as_str().to_owned())
    }
}

impl Document<'_> {
    fn collect(self, slice: &[u8], into: &mut Collector) -> Result<(), FormatError> {
        match self {
            Self::Array(items) => {
                for item in items {
                    item.collect(into);
                }
                Ok(())
            }
            Self::Object(envelope) => envelope.collect(slice, into),
        }
    }
}

impl Envelope<'_> {
    fn collect(self, slice: &[u8], into: &mut Collector) -> Result<(), FormatError> {
        let failures = self.errors.as_deref().unwrap_or_default();
        if let Some(traces) = self.data.filter(|t| !t.is_empty() || failures.is_empty()) {
            for mut trace in traces {
                let about = failures.iter().map(BackendError::text);
                trace.add_warnings(about);
                trace.collect(into);
            }
            return Ok(());
        }
        if let Some(failure) = failures.first().or(self.error.as_ref()) {
            return Err(FormatError::Backend {
                message: failure.text(),
                code: failure.code.map(Number::to_i64),
            });
        }
        if let Some(resources) = self
            .result
            .or(self.trace)
            .map(|wrapped| wrapped.resource_spans.unwrap_or_default())
            .or(self.resources)
        {
            let partial = self
                .status
                .is_some_and(|s| s.as_str().ends_with("PARTIAL") || s.as_str() == "1");
            let message = self.message.map(Text::into_owned).unwrap_or_default();
            otlp::collect(resources, partial, &message, into);
            return Ok(());
        }
        if let Some(spans) = self.spans {
            let trace = jaeger::Trace::bare(self.trace_id, spans, self.processes, self.warnings);
            trace.collect(into);
            return Ok(());
        }
        if self.zipkin_trace_id.is_some() {
            let span: zipkin::Span<'_> =
                serde_json::from_slice(slice).map_err(|e| broken("Zipkin JSON", e))?;
            zipkin::Item::Span(Box::new(span)).collect(into);
            return Ok(());
        }
        if let (Some(code), Some(message)) = (self.code, self.message) {
            return Err(FormatError::Backend {
                message: message.into_owned(),
                code: Some(code.to_i64()),
            });
        }
        unknown(slice)
    }
}

/// Says what a document without any telling key holds. `{}` is Jaeger v3 for "nothing found", `{"data": null}` Jaeger v1.
fn unknown(slice: &[u8]) -> Result<(), FormatError> {
    let keys: BTreeMap<String, serde::de::IgnoredAny> =
        serde_json::from_slice(slice).map_err(|e| broken("JSON", e))?;
    let hint = if keys.is_empty() || keys.contains_key("data") {
        return Ok(());
    } else if keys.contains_key("traces") || keys.contains_key("summaries") {
        "a list of search results: they hold no spans, fetch the traces by id".to_owned()
    } else {
        let names: Vec<&str> = keys.keys().map(String::as_str).take(6).collect();
        format!("its keys are {}", names.join(", "))
    };
    Err(FormatError::Unknown { hint })
}

#[cfg(test)]
mod tests;
