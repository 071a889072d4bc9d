//! Traces: one tolerant model for every backend, and what can be read from it.
//!
//! Adapters build a [`Trace`] of raw [`Span`]s; analysis (tree, self time, critical path, findings) happens here.

mod types;

pub use types::{
    Span, SpanEvent, SpanId, SpanKind, SpanStatus, Trace, TraceId, TraceService, TraceSummary,
    Value,
};
