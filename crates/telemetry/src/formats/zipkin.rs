//! Zipkin v2 JSON (openzipkin `zipkin2-api.yaml`).

use std::collections::BTreeMap;
use std::fmt;

use pilothouse_core::trace::{self, SpanEvent, SpanStatus, TraceId, Value};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Collector;
use super::jaeger::warn_about_id;
use super::otlp::kind;
use super::scalar::{Number, Plain, Text, or_default, span_id, trace_id};

/// What stands in a list: a span (`/trace/{id}`) or a trace's list of spans (`/traces`).
pub(super) enum Item<'a> {
    /// One span.
    Span(Box<Span<'a>>),
    /// Spans of one trace.
    Spans(Vec<Span<'a>>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Item<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Zipkin span or a list of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Span::deserialize(MapAccessDeserializer::new(map))
                    .map(|span| Item::Span(Box::new(span)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Item::Spans)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// One span. `traceId` and `id` are required: a list of something else is not Zipkin.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span<'a> {
    #[serde(borrow)]
    trace_id: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, default)]
    parent_id: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(default)]
    timestamp: Number,
    #[serde(default)]
    duration: Number,
    #[serde(borrow, default, deserialize_with = "or_default")]
    local_endpoint: Endpoint<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    remote_endpoint: Endpoint<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    annotations: Vec<Annotation<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    tags: BTreeMap<String, Plain>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    #[serde(borrow, default)]
    service_name: Text<'a>,
    #[serde(borrow, default)]
    ipv4: Text<'a>,
    #[serde(borrow, default)]
    ipv6: Text<'a>,
    #[serde(default)]
    port: Number,
}

#[derive(Deserialize)]
struct Annotation<'a> {
    #[serde(default)]
    timestamp: Number,
    #[serde(borrow, default)]
    value: Text<'a>,
}

impl Item<'_> {
    /// Adds its spans to their traces.
    pub(super) fn collect(self, into: &mut Collector) {
        match self {
            Self::Span(span) => {
                let (id, span) = span.convert();
                into.span(id, span);
            }
            Self::Spans(spans) => {
                for span in spans {
                    let (id, span) = span.convert();
                    into.span(id, span);
                }
            }
        }
    }
}

impl<'a> Endpoint<'a> {
    fn address(&self) -> &Text<'a> {
        if self.ipv4.as_str().is_empty() {
            &self.ipv6
        } else {
            &self.ipv4
        }
    }
}

impl Span<'_> {
    fn convert(self) -> (TraceId, trace::Span) {
        let mut warnings = Vec::new();
        let trace = trace_id(self.trace_id.as_str());
        let id = span_id(self.id.as_str());
        for (read, what, text) in [
            (trace.map(|i| i.hashed), "trace", &self.trace_id),
            (id.map(|i| i.hashed), "span", &self.id),
        ] {
            warn_about_id(read, what, text.as_str(), &mut warnings);
        }
        let mut attributes: BTreeMap<String, Value> =
            self.tags.into_iter().map(|(k, v)| (k, v.0)).collect();
        // A tag `error` with any text means failure, except for an honest "false".
        let failed = attributes
            .get("error")
            .is_some_and(|e| !e.to_text().eq_ignore_ascii_case("false"));
        let remote = &self.remote_endpoint;
        let port = remote.port.to_i64();
        let port = if port > 0 { Value::Int(port) } else { text("") };
        for (name, value) in [
            ("peer.service", text(remote.service_name.as_str())),
            ("network.peer.address", text(remote.address().as_str())),
            ("network.peer.port", port),
        ] {
            if value != text("") {
                attributes.entry(name.to_owned()).or_insert(value);
            }
        }
        let local = &self.local_endpoint;
        let mut resource = BTreeMap::new();
        for (name, value) in [
            ("service.name", &local.service_name),
            ("host.ip", local.address()),
        ] {
            if !value.as_str().is_empty() {
                resource.insert(name.to_owned(), text(value.as_str()));
            }
        }
        let events = self.annotations.into_iter().map(|annotation| SpanEvent {
            time_ns: annotation.timestamp.to_ns(1000),
            name: annotation.value.into_owned(),
            attributes: BTreeMap::new(),
        });
        let mut events: Vec<SpanEvent> = events.collect();
        events.sort_by_key(|event| event.time_ns);
        let span = trace::Span {
            id: id.map(|i| i.id).unwrap_or_default(),
            parent: span_id(self.parent_id.as_str()).map(|i| i.id),
            service: self.local_endpoint.service_name.into_owned(),
            operation: self.name.into_owned(),
            kind: kind(self.kind.as_str()),
            start_ns: self.timestamp.to_ns(1000),
            duration_ns: self.duration.to_ns(1000),
            status: if failed {
                SpanStatus::Error
            } else {
                SpanStatus::Unset
            },
            attributes,
            resource,
            events,
            links: Vec::new(),
            warnings,
        };
        (trace.map(|i| i.id).unwrap_or_default(), span)
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}
