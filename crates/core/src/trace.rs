//! Traces: one tolerant model for every backend, and what can be read from it.
//!
//! Adapters build a [`Trace`] of raw [`Span`]s, as the backend gave them. [`summarize`] makes a line of a list of it;
//! [`analyze`] makes the picture: a [`TraceAnalysis`] with the tree in pre-order, times on one [`Clock`], self times, the
//! critical path, the calls between workloads and what is odd or wrong. Nothing here fails: a trace with missing parents,
//! repeated ids, cycles or impossible times gives a whole analysis and findings that say so. Every algorithm is iterative
//! and O(n log n), so that chains of 200,000 spans and 50,000 siblings are ordinary input.
//!
//! Stages, one file each: `identity` (which records are spans, whose child is whose), `tree` (roots, order, times),
//! `skew` (clocks), `path` (self time, critical path), `calls` and `party` (proxy pairs, edges,
//! attempts; who is on each side), `repeats` (what a view may
//! fold), `findings`. Not here: reading wire formats (the telemetry crate), comparing sets of traces.

mod analysis;
mod calls;
mod findings;
mod flags;
mod identity;
mod otlp;
mod party;
mod path;
mod repeats;
mod skew;
mod summary;
mod tree;
mod types;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;

pub use analysis::{
    Attempt, Call, Clock, Party, PathSection, Repeat, SpanNode, TraceAnalysis, analyze,
};
pub use flags::{FlagMeaning, explain_flags};
pub use otlp::to_otlp_json;
pub use summary::summarize;
pub use types::{
    Span, SpanEvent, SpanId, SpanKind, SpanStatus, Trace, TraceId, TraceService, TraceSummary,
    Value,
};
