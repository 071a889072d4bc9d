//! Makers of spans and traces for the tests of this module.

use std::collections::BTreeMap;

use super::types::{Span, SpanId, SpanKind, SpanStatus, Trace, TraceId, Value};

/// A span of service `svc`, operation `op<id>`.
pub(super) fn span(id: u64, parent: Option<u64>, start_ns: u64, duration_ns: u64) -> Span {
    Span {
        id: SpanId(id),
        parent: parent.map(SpanId),
        service: "svc".to_owned(),
        operation: format!("op{id}"),
        kind: SpanKind::Unspecified,
        start_ns,
        duration_ns,
        status: SpanStatus::Unset,
        attributes: BTreeMap::new(),
        resource: BTreeMap::new(),
        events: Vec::new(),
        links: Vec::new(),
        warnings: Vec::new(),
    }
}

/// The same span as this kind, in this service.
pub(super) fn of(mut span: Span, kind: SpanKind, service: &str) -> Span {
    span.kind = kind;
    service.clone_into(&mut span.service);
    span
}

/// The same span with these text attributes too.
pub(super) fn with(mut span: Span, attributes: &[(&str, &str)]) -> Span {
    for (key, value) in attributes {
        let value = Value::Text((*value).to_owned());
        span.attributes.insert((*key).to_owned(), value);
    }
    span
}

/// A trace of these spans.
pub(super) fn trace(spans: Vec<Span>) -> Trace {
    Trace {
        id: TraceId(1),
        spans,
        partial: false,
        warnings: Vec::new(),
    }
}
