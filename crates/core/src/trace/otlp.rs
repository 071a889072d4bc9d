//! A trace as OTLP JSON (opentelemetry-proto `TracesData`: hexadecimal ids, enums as numbers, 64-bit numbers as text),
//! which every collector and trace backend reads.
//!
//! The reverse of what the telemetry crate's formats do: attributes that stand for fields of OTLP (scope, status message)
//! become those fields again. Warnings and `partial` have no place in OTLP and are left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::types::{Span, SpanKind, SpanStatus, Trace, TraceId, Value};

const SCOPE_NAME: &str = "otel.scope.name";
const SCOPE_VERSION: &str = "otel.scope.version";
const STATUS_MESSAGE: &str = "otel.status_description";

/// Writes the trace as one OTLP JSON document, spans in order, those of one resource and scope together.
#[must_use]
pub fn to_otlp_json(trace: &Trace) -> Json {
    let mut resources: Vec<ResourceSpans<'_>> = Vec::new();
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    for span in &trace.spans {
        // Values cannot be ordered (they hold floats); their text can.
        let key = format!("{} {:?}", span.service, span.resource);
        let next = resources.len();
        let at = *index.entry(key).or_insert(next);
        if at == next {
            resources.push(ResourceSpans {
                service: &span.service,
                resource: &span.resource,
                scopes: BTreeMap::new(),
            });
        }
        if let Some(of_resource) = resources.get_mut(at) {
            let scope = (
                span.attribute(&[SCOPE_NAME]).unwrap_or_default(),
                span.attribute(&[SCOPE_VERSION]).unwrap_or_default(),
            );
            let spans = of_resource.scopes.entry(scope).or_default();
            spans.push(write_span(trace.id, span));
        }
    }
    let resource_spans: Vec<Json> = resources.into_iter().map(ResourceSpans::write).collect();
    json!({ "resourceSpans": resource_spans })
}

struct ResourceSpans<'a> {
    service: &'a str,
    resource: &'a BTreeMap<String, Value>,
    scopes: BTreeMap<(String, String), Vec<Json>>,
}

impl ResourceSpans<'_> {
    fn write(self) -> Json {
        let scopes = self.scopes.into_iter().map(|((name, version), spans)| {
            let mut scope = Map::new();
            for (key, text) in [("name", name), ("version", version)] {
                if !text.is_empty() {
                    scope.insert(key.to_owned(), Json::String(text));
                }
            }
            json!({ "scope": scope, "spans": spans })
        });
        let scopes: Vec<Json> = scopes.collect();
        let mut attributes = write_attributes(self.resource.iter());
        if !self.service.is_empty() && !self.resource.contains_key("service.name") {
            let name = json!({ "stringValue": self.service });
            attributes.push(json!({ "key": "service.name", "value": name }));
        }
        json!({ "resource": { "attributes": attributes }, "scopeSpans": scopes })
    }
}

fn write_span(trace: TraceId, span: &Span) -> Json {
    let own = span
        .attributes
        .iter()
        .filter(|(key, _)| ![SCOPE_NAME, SCOPE_VERSION, STATUS_MESSAGE].contains(&key.as_str()));
    let mut out = json!({
        "traceId": trace.to_string(),
        "spanId": span.id.to_string(),
        "name": span.operation,
        "kind": kind_number(span.kind),
        "startTimeUnixNano": span.start_ns.to_string(),
        "endTimeUnixNano": span.end_ns().to_string(),
        "attributes": write_attributes(own),
        "status": write_status(span),
    });
    if let Some(parent) = span.parent {
        out["parentSpanId"] = Json::String(parent.to_string());
    }
    if !span.events.is_empty() {
        let events = span.events.iter().map(|event| {
            json!({
                "timeUnixNano": event.time_ns.to_string(),
                "name": event.name,
                "attributes": write_attributes(event.attributes.iter()),
            })
        });
        out["events"] = events.collect();
    }
    if !span.links.is_empty() {
        let links = span.links.iter().map(
            |(trace, span)| json!({ "traceId": trace.to_string(), "spanId": span.to_string() }),
        );
        out["links"] = links.collect();
    }
    out
}

fn write_status(span: &Span) -> Json {
    let code = match span.status {
        SpanStatus::Unset => 0,
        SpanStatus::Ok => 1,
        SpanStatus::Error => 2,
    };
    let mut status = Map::new();
    if code > 0 {
        status.insert("code".to_owned(), code.into());
    }
    if let Some(message) = span.attribute(&[STATUS_MESSAGE]) {
        status.insert("message".to_owned(), message.into());
    }
    Json::Object(status)
}

const fn kind_number(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Unspecified => 0,
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn write_attributes<'a>(attributes: impl Iterator<Item = (&'a String, &'a Value)>) -> Vec<Json> {
    attributes
        .map(|(key, value)| json!({ "key": key, "value": write_value(value) }))
        .collect()
}

fn write_value(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!({ "boolValue": flag }),
        Value::Int(number) => json!({ "intValue": number.to_string() }),
        Value::Float(number) if number.is_finite() => json!({ "doubleValue": number }),
        Value::Float(number) if number.is_nan() => json!({ "doubleValue": "NaN" }),
        Value::Float(number) if *number > 0.0 => json!({ "doubleValue": "Infinity" }),
        Value::Float(_) => json!({ "doubleValue": "-Infinity" }),
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Json(json) => write_json(json),
    }
}

/// Depth is that of a value which a JSON parser has let through.
fn write_json(json: &Json) -> Json {
    match json {
        Json::Null => json!({}),
        Json::Bool(flag) => json!({ "boolValue": flag }),
        Json::Number(number) => number.as_i64().map_or_else(
            || json!({ "doubleValue": number }),
            |whole| json!({ "intValue": whole.to_string() }),
        ),
        Json::String(text) => json!({ "stringValue": text }),
        Json::Array(list) => {
            let values: Vec<Json> = list.iter().map(write_json).collect();
            json!({ "arrayValue": { "values": values } })
        }
        Json::Object(map) => {
            let entry = |(key, value)| json!({ "key": key, "value": write_json(value) });
            let values: Vec<Json> = map.iter().map(entry).collect();
            json!({ "kvlistValue": { "values": values } })
        }
    }
}
