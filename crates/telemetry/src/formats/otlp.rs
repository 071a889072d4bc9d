//! OTLP JSON (opentelemetry-proto `TracesData`), as Jaeger v3, Tempo and the collector's file exporter write it.

use std::collections::BTreeMap;
use std::fmt;

use pilothouse_core::trace::{self, SpanEvent, SpanKind, SpanStatus, TraceId, Value};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Collector;
use super::scalar::{Number, Text, or_default, span_id, trace_id};

/// The inside of `{"result": …}` and `{"trace": …}`.
#[derive(Deserialize)]
pub(super) struct Resources<'a> {
    #[serde(
        borrow,
        default,
        rename = "resourceSpans",
        alias = "resource_spans",
        alias = "batches"
    )]
    pub(super) resource_spans: Option<Vec<ResourceSpans<'a>>>,
}

/// Spans of one resource.
#[derive(Deserialize)]
pub(super) struct ResourceSpans<'a> {
    #[serde(default, deserialize_with = "or_default")]
    resource: Resource,
    #[serde(
        borrow,
        default,
        rename = "scopeSpans",
        alias = "scope_spans",
        alias = "instrumentationLibrarySpans",
        deserialize_with = "or_default"
    )]
    scope_spans: Vec<ScopeSpans<'a>>,
}

#[derive(Default, Deserialize)]
struct Resource {
    #[serde(default, deserialize_with = "or_default")]
    attributes: Attributes,
}

#[derive(Deserialize)]
struct ScopeSpans<'a> {
    #[serde(
        borrow,
        default,
        alias = "instrumentationLibrary",
        deserialize_with = "or_default"
    )]
    scope: Scope<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    spans: Vec<Span<'a>>,
}

#[derive(Default, Deserialize)]
struct Scope<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    version: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    #[serde(borrow, default, alias = "trace_id")]
    trace_id: Text<'a>,
    #[serde(borrow, default, alias = "span_id")]
    span_id: Text<'a>,
    #[serde(borrow, default, alias = "parent_span_id")]
    parent_span_id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(default, alias = "start_time_unix_nano")]
    start_time_unix_nano: Number,
    #[serde(default, alias = "end_time_unix_nano")]
    end_time_unix_nano: Number,
    #[serde(default, deserialize_with = "or_default")]
    attributes: Attributes,
    #[serde(borrow, default, deserialize_with = "or_default")]
    events: Vec<Event<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    links: Vec<Link<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    status: Status<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(default, alias = "time_unix_nano")]
    time_unix_nano: Number,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(default, deserialize_with = "or_default")]
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link<'a> {
    #[serde(borrow, default, alias = "trace_id")]
    trace_id: Text<'a>,
    #[serde(borrow, default, alias = "span_id")]
    span_id: Text<'a>,
}

#[derive(Default, Deserialize)]
struct Status<'a> {
    #[serde(borrow, default)]
    code: Text<'a>,
    #[serde(borrow, default)]
    message: Text<'a>,
}

/// A list of keys and values; of a repeated key the last one counts.
#[derive(Default)]
struct Attributes(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of attributes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Attributes, A::Error> {
                let mut attributes = BTreeMap::new();
                while let Some(entry) = seq.next_element::<KeyValue<'de>>()? {
                    let value = entry.value.map_or_else(null, AnyValue::into_value);
                    attributes.insert(entry.key.into_owned(), value);
                }
                Ok(Attributes(attributes))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[derive(Deserialize)]
struct KeyValue<'a> {
    #[serde(borrow, default)]
    key: Text<'a>,
    #[serde(borrow, default)]
    value: Option<AnyValue<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyValue<'a> {
    #[serde(borrow, default, alias = "string_value")]
    string_value: Option<Text<'a>>,
    #[serde(default, alias = "bool_value")]
    bool_value: Option<bool>,
    #[serde(default, alias = "int_value")]
    int_value: Option<Number>,
    /// A number, or `"NaN"`, `"Infinity"`, `"-Infinity"`.
    #[serde(borrow, default, alias = "double_value")]
    double_value: Option<Text<'a>>,
    #[serde(borrow, default, alias = "array_value")]
    array_value: Option<List<'a>>,
    #[serde(borrow, default, alias = "kvlist_value")]
    kvlist_value: Option<Map<'a>>,
    /// Base64, kept as text.
    #[serde(borrow, default, alias = "bytes_value")]
    bytes_value: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    values: Vec<AnyValue<'a>>,
}

#[derive(Deserialize)]
struct Map<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    values: Vec<KeyValue<'a>>,
}

const fn null() -> Value {
    Value::Json(serde_json::Value::Null)
}

impl AnyValue<'_> {
    fn into_value(self) -> Value {
        if self.array_value.is_some() || self.kvlist_value.is_some() {
            return Value::Json(self.into_json());
        }
        if let Some(text) = self.string_value.or(self.bytes_value) {
            Value::Text(text.into_owned())
        } else if let Some(flag) = self.bool_value {
            Value::Bool(flag)
        } else if let Some(number) = self.int_value {
            Value::Int(number.to_i64())
        } else if let Some(double) = self.double_value {
            double
                .as_str()
                .parse()
                .map_or_else(|_| Value::Text(double.into_owned()), Value::Float)
        } else {
            null()
        }
    }

    /// Depth is bounded by the JSON parser's own limit on nesting.
    fn into_json(mut self) -> serde_json::Value {
        if let Some(list) = self.array_value.take() {
            return list.values.into_iter().map(Self::into_json).collect();
        }
        if let Some(map) = self.kvlist_value.take() {
            let entries = map.values.into_iter().map(|entry| {
                let value = entry.value.unwrap_or_default().into_json();
                (entry.key.into_owned(), value)
            });
            return serde_json::Value::Object(entries.collect());
        }
        match self.into_value() {
            Value::Bool(flag) => flag.into(),
            Value::Int(number) => number.into(),
            Value::Float(number) => number.into(),
            Value::Text(text) => text.into(),
            Value::Json(json) => json,
        }
    }
}

/// Adds the spans of these resources to their traces.
pub(super) fn collect(
    resources: Vec<ResourceSpans<'_>>,
    partial: bool,
    message: &str,
    into: &mut Collector,
) {
    let mut touched: Vec<TraceId> = Vec::new();
    for of_resource in resources {
        let resource = of_resource.resource.attributes.0;
        for of_scope in of_resource.scope_spans {
            for span in of_scope.spans {
                let (id, span) = span.convert(&resource, &of_scope.scope);
                if touched.last() != Some(&id) {
                    touched.push(id);
                }
                into.span(id, span);
            }
        }
    }
    if !partial {
        return;
    }
    touched.sort_unstable();
    touched.dedup();
    for id in touched {
        if let Some(trace) = into.trace(id) {
            trace.partial = true;
            if !message.is_empty() {
                trace.warnings.push(message.to_owned());
            }
        }
    }
}

impl Span<'_> {
    fn convert(
        self,
        resource: &BTreeMap<String, Value>,
        scope: &Scope<'_>,
    ) -> (TraceId, trace::Span) {
        let mut warnings = Vec::new();
        let trace = trace_id(self.trace_id.as_str());
        let id = span_id(self.span_id.as_str());
        for (read, what, text) in [
            (trace.map(|i| i.hashed), "trace", &self.trace_id),
            (id.map(|i| i.hashed), "span", &self.span_id),
        ] {
            super::jaeger::warn_about_id(read, what, text.as_str(), &mut warnings);
        }
        let start = self.start_time_unix_nano.to_ns(1);
        let end = self.end_time_unix_nano.to_ns(1);
        if end < start && end > 0 {
            warnings.push("the span ends before it starts; its duration is taken as 0".to_owned());
        }
        let mut attributes = self.attributes.0;
        for (name, value) in [
            ("otel.scope.name", &scope.name),
            ("otel.scope.version", &scope.version),
            ("otel.status_description", &self.status.message),
        ] {
            if !value.as_str().is_empty() && !attributes.contains_key(name) {
                let value = Value::Text(value.as_str().to_owned());
                attributes.insert(name.to_owned(), value);
            }
        }
        let events = self.events.into_iter().map(|event| SpanEvent {
            time_ns: event.time_unix_nano.to_ns(1),
            name: event.name.into_owned(),
            attributes: event.attributes.0,
        });
        let mut events: Vec<SpanEvent> = events.collect();
        events.sort_by_key(|event| event.time_ns);
        let links = self.links.iter().filter_map(|link| {
            let trace = trace_id(link.trace_id.as_str())?.id;
            Some((trace, span_id(link.span_id.as_str())?.id))
        });
        let span = trace::Span {
            id: id.map(|i| i.id).unwrap_or_default(),
            parent: span_id(self.parent_span_id.as_str()).map(|i| i.id),
            service: resource
                .get("service.name")
                .map(Value::to_text)
                .unwrap_or_default(),
            operation: self.name.into_owned(),
            kind: kind(self.kind.as_str()),
            start_ns: start,
            duration_ns: end.saturating_sub(start),
            status: status(self.status.code.as_str()),
            attributes,
            resource: resource.clone(),
            events,
            links: links.collect(),
            warnings,
        };
        (trace.map(|i| i.id).unwrap_or_default(), span)
    }
}

/// `3`, `SPAN_KIND_CLIENT`, `client`.
pub(super) fn kind(text: &str) -> SpanKind {
    let name = text.strip_prefix("SPAN_KIND_").unwrap_or(text);
    match name.to_ascii_lowercase().as_str() {
        "1" | "internal" => SpanKind::Internal,
        "2" | "server" => SpanKind::Server,
        "3" | "client" => SpanKind::Client,
        "4" | "producer" => SpanKind::Producer,
        "5" | "consumer" => SpanKind::Consumer,
        _ => SpanKind::Unspecified,
    }
}

/// `2`, `STATUS_CODE_ERROR`, `ERROR`.
pub(super) fn status(text: &str) -> SpanStatus {
    let name = text.strip_prefix("STATUS_CODE_").unwrap_or(text);
    match name.to_ascii_lowercase().as_str() {
        "1" | "ok" => SpanStatus::Ok,
        "2" | "error" => SpanStatus::Error,
        _ => SpanStatus::Unset,
    }
}
