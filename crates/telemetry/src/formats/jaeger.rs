//! Jaeger v1 JSON, as its query service, its UI and `VictoriaTraces` write it.

use std::collections::BTreeMap;
use std::fmt;

use pilothouse_core::trace::{self, SpanEvent, SpanId, SpanKind, SpanStatus, TraceId, Value};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Collector;
use super::otlp::{kind, status};
use super::scalar::{Number, Plain, Text, or_default, span_id, trace_id};

/// Processes by the id that spans call them.
pub(super) type Processes<'a> = BTreeMap<Text<'a>, Process<'a>>;

/// One trace.
#[derive(Deserialize)]
pub(super) struct Trace<'a> {
    #[serde(borrow, default, rename = "traceID")]
    trace_id: Text<'a>,
    /// Required: Jaeger wraps lists of other things in `data` too.
    #[serde(borrow, deserialize_with = "or_default")]
    spans: Vec<Span<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    processes: Processes<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    warnings: Vec<Text<'a>>,
    #[serde(skip)]
    failures: Vec<String>,
}

/// One span.
#[derive(Deserialize)]
pub(super) struct Span<'a> {
    #[serde(borrow, default, rename = "traceID")]
    trace_id: Text<'a>,
    #[serde(borrow, default, rename = "spanID")]
    span_id: Text<'a>,
    /// Deprecated by its authors, still written by some.
    #[serde(borrow, default, rename = "parentSpanID")]
    parent_span_id: Text<'a>,
    #[serde(borrow, default, rename = "operationName")]
    operation_name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    references: Vec<Reference<'a>>,
    #[serde(default, rename = "startTime")]
    start_time: Number,
    #[serde(default)]
    duration: Number,
    #[serde(default, deserialize_with = "or_default")]
    tags: Tags,
    #[serde(default, deserialize_with = "or_default")]
    logs: Vec<Log>,
    #[serde(borrow, default, rename = "processID")]
    process_id: Text<'a>,
    /// Instead of `processID`, where a span carries its own.
    #[serde(borrow, default)]
    process: Option<Process<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    warnings: Vec<Text<'a>>,
}

/// Who wrote spans.
#[derive(Deserialize)]
pub(super) struct Process<'a> {
    #[serde(borrow, default, rename = "serviceName")]
    service_name: Text<'a>,
    #[serde(default, deserialize_with = "or_default")]
    tags: Tags,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, default, rename = "refType")]
    kind: Text<'a>,
    #[serde(borrow, default, rename = "traceID")]
    trace_id: Text<'a>,
    #[serde(borrow, default, rename = "spanID")]
    span_id: Text<'a>,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    timestamp: Number,
    #[serde(default, deserialize_with = "or_default")]
    fields: Tags,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, default)]
    key: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    value: Option<Plain>,
}

/// A list of tags; of a repeated key the last one counts.
#[derive(Default)]
struct Tags(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tags")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tags, A::Error> {
                let mut tags = BTreeMap::new();
                while let Some(tag) = seq.next_element::<Tag<'de>>()? {
                    let value = typed(tag.kind.as_str(), tag.value);
                    tags.insert(tag.key.into_owned(), value);
                }
                Ok(Tags(tags))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// A value as its `type` says, where a storage wrote it as text.
fn typed(kind: &str, value: Option<Plain>) -> Value {
    let value = value.map_or(Value::Json(serde_json::Value::Null), |plain| plain.0);
    let Value::Text(text) = value else {
        return value;
    };
    let parsed = match kind {
        "int64" => text.parse().ok().map(Value::Int),
        "float64" => text.parse().ok().map(Value::Float),
        "bool" => text.parse().ok().map(Value::Bool),
        _ => None,
    };
    parsed.unwrap_or(Value::Text(text))
}

/// Says in `warnings` if an id is missing or had to be hashed; `read` is its `hashed`.
pub(super) fn warn_about_id(
    read: Option<bool>,
    what: &str,
    text: &str,
    warnings: &mut Vec<String>,
) {
    match read {
        Some(false) => {}
        Some(true) => warnings.push(format!(
            "{what} id `{text}` is neither hexadecimal nor base64; its hash stands for it"
        )),
        None => warnings.push(format!("the span has no {what} id")),
    }
}

impl<'a> Trace<'a> {
    /// A trace that stands alone, outside `data`.
    pub(super) fn bare(
        trace_id: Option<Text<'a>>,
        spans: Vec<Span<'a>>,
        processes: Option<Processes<'a>>,
        warnings: Option<Vec<Text<'a>>>,
    ) -> Self {
        Self {
            trace_id: trace_id.unwrap_or_default(),
            spans,
            processes: processes.unwrap_or_default(),
            warnings: warnings.unwrap_or_default(),
            failures: Vec::new(),
        }
    }

    /// Adds what the backend said failed.
    pub(super) fn add_warnings(&mut self, warnings: impl Iterator<Item = String>) {
        self.failures.extend(warnings);
    }

    /// Adds its spans to their traces.
    pub(super) fn collect(self, into: &mut Collector) {
        let read = trace_id(self.trace_id.as_str());
        let own = read.map(|id| id.id);
        let mut said = self.failures;
        if read.is_some_and(|id| id.hashed) {
            warn_about_id(Some(true), "trace", self.trace_id.as_str(), &mut said);
        }
        said.extend(self.warnings.into_iter().map(Text::into_owned));
        let resources: BTreeMap<Text<'a>, BTreeMap<String, Value>> = self
            .processes
            .into_iter()
            .map(|(id, process)| (id, process.into_resource()))
            .collect();
        for span in self.spans {
            let (id, span) = span.convert(own, &resources);
            into.span(id, span);
        }
        if let Some(trace) = own.and_then(|id| into.trace(id)) {
            trace.warnings.extend(said);
        }
    }
}

impl Process<'_> {
    fn into_resource(self) -> BTreeMap<String, Value> {
        let mut resource = self.tags.0;
        if !self.service_name.as_str().is_empty() {
            let name = Value::Text(self.service_name.into_owned());
            resource.insert("service.name".to_owned(), name);
        }
        resource
    }
}

impl<'a> Span<'a> {
    fn convert(
        mut self,
        own: Option<TraceId>,
        resources: &BTreeMap<Text<'a>, BTreeMap<String, Value>>,
    ) -> (TraceId, trace::Span) {
        let mut warnings: Vec<String> = Vec::new();
        let read = trace_id(self.trace_id.as_str());
        let trace = read.map(|id| id.id).or(own);
        warn_about_id(
            read.map(|i| i.hashed).or(own.map(|_| false)),
            "trace",
            self.trace_id.as_str(),
            &mut warnings,
        );
        let id = span_id(self.span_id.as_str());
        warn_about_id(
            id.map(|i| i.hashed),
            "span",
            self.span_id.as_str(),
            &mut warnings,
        );
        if self.duration.is_negative() {
            warnings.push("the span's duration is negative; it is taken as 0".to_owned());
        }
        warnings.extend(self.warnings.into_iter().map(Text::into_owned));

        let (parent, links) = relate(&self.references, self.parent_span_id.as_str(), trace);
        let mut attributes = self.tags.0;
        let kind = lift_kind(&mut attributes);
        let status = lift_status(&mut attributes);
        if parent.is_some_and(|p| p.follows) {
            // OpenTelemetry's name for it; analysis must not pull such a span under its parent's clock.
            attributes
                .entry("opentracing.ref_type".to_owned())
                .or_insert(Value::Text("follows_from".to_owned()));
        }
        let resource = match self.process.take() {
            Some(process) => process.into_resource(),
            None => resources.get(&self.process_id).cloned().unwrap_or_default(),
        };
        let mut events: Vec<SpanEvent> = self.logs.into_iter().map(Log::into_event).collect();
        events.sort_by_key(|event| event.time_ns);
        let span = trace::Span {
            id: id.map(|i| i.id).unwrap_or_default(),
            parent: parent.map(|p| p.id),
            service: resource
                .get("service.name")
                .map(Value::to_text)
                .unwrap_or_default(),
            operation: self.operation_name.into_owned(),
            kind,
            start_ns: self.start_time.to_ns(1000),
            duration_ns: self.duration.to_ns(1000),
            status,
            attributes,
            resource,
            events,
            links,
            warnings,
        };
        (trace.unwrap_or_default(), span)
    }
}

#[derive(Clone, Copy)]
struct Parent {
    id: SpanId,
    follows: bool,
}

/// Parent: the first `CHILD_OF` inside the trace, else the first `FOLLOWS_FROM` inside it, else the deprecated field. All
/// other references are links.
fn relate(
    references: &[Reference<'_>],
    deprecated: &str,
    own: Option<TraceId>,
) -> (Option<Parent>, Vec<(TraceId, SpanId)>) {
    let inside = |r: &Reference<'_>| {
        let trace = trace_id(r.trace_id.as_str()).map(|id| id.id);
        trace.is_none() || trace == own
    };
    let follows = |r: &Reference<'_>| r.kind.as_str().eq_ignore_ascii_case("FOLLOWS_FROM");
    let usable = |r: &&Reference<'_>| inside(r) && span_id(r.span_id.as_str()).is_some();
    let chosen = references
        .iter()
        .filter(usable)
        .position(|r| !follows(r))
        .or_else(|| references.iter().filter(usable).position(follows))
        .and_then(|at| references.iter().filter(usable).nth(at));
    let parent = chosen
        .and_then(|r| {
            Some(Parent {
                id: span_id(r.span_id.as_str())?.id,
                follows: follows(r),
            })
        })
        .or_else(|| {
            let id = span_id(deprecated)?.id;
            Some(Parent { id, follows: false })
        });
    let links = references
        .iter()
        .filter(|r| !chosen.is_some_and(|c| std::ptr::eq(c, *r)))
        .filter_map(|r| {
            let trace = trace_id(r.trace_id.as_str()).map(|id| id.id).or(own)?;
            Some((trace, span_id(r.span_id.as_str())?.id))
        });
    (parent, links.collect())
}

fn lift_kind(attributes: &mut BTreeMap<String, Value>) -> SpanKind {
    let lifted = attributes
        .get("span.kind")
        .map(|value| kind(&value.to_text()));
    match lifted {
        None | Some(SpanKind::Unspecified) => SpanKind::Unspecified,
        Some(known) => {
            attributes.remove("span.kind");
            known
        }
    }
}

fn lift_status(attributes: &mut BTreeMap<String, Value>) -> SpanStatus {
    let lifted = attributes
        .get("otel.status_code")
        .map(|value| status(&value.to_text()));
    match lifted {
        None | Some(SpanStatus::Unset) => SpanStatus::Unset,
        Some(known) => {
            attributes.remove("otel.status_code");
            known
        }
    }
}

impl Log {
    /// A log's name is its field `event` (`OpenTracing`), else `message`.
    fn into_event(self) -> SpanEvent {
        let mut attributes = self.fields.0;
        let name = attributes
            .remove("event")
            .or_else(|| attributes.remove("message"));
        SpanEvent {
            time_ns: self.timestamp.to_ns(1000),
            name: name.map(|value| value.to_text()).unwrap_or_default(),
            attributes,
        }
    }
}
