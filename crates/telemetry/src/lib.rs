//! Adapters for metrics and traces: they own every wire type and answer the ports of `pilothouse-core`.
//!
//! * [`PrometheusSource`] answers metric queries from anything that speaks Prometheus's HTTP API.
//! * [`JaegerSource`] finds and fetches traces on any generation of Jaeger, [`TempoSource`] and [`ZipkinSource`] on those;
//!   [`FileTraces`] does in a saved file. [`TraceKind`] names the three servers, [`survey_traces`] finds out which one it is.
//! * [`Place`] says where a server is: at an address, or at the end of a way through the API server.
//! * [`TraceAddress`] names either, as flags do. [`formats`] reads every JSON format of traces in the field.
//!
//! Nothing here decides, schedules, retries or remembers answers: the engine asks, the core judges. Every failure is a
//! `pilothouse_core::model::SourceError` with a kind, a message that names the address without credentials, and a hint;
//! "there is none" is an answer, never a failure. reqwest is used in this crate only.

mod address;
mod file;
mod filter;
mod first;
pub mod formats;
mod gather;
mod http;
mod jaeger;
mod options;
mod place;
mod prometheus;
mod survey;
mod tempo;
mod token_command;
mod unknown;
mod zipkin;

pub use pilothouse_core::ports::TraceKind;

pub use address::{TraceAddress, UnknownTraceAddress, open_traces};
pub use file::FileTraces;
pub use first::first_traces;
pub use jaeger::JaegerSource;
pub use options::{ClientCertificate, Credentials, Options, Secret, Tls};
pub use place::Place;
pub use prometheus::PrometheusSource;
pub use survey::{
    AnsweringMetrics, MetricsSurvey, TracesSurvey, answering_metrics, survey_metrics, survey_traces,
};
pub use tempo::TempoSource;
pub use token_command::TokenCommand;
pub use zipkin::ZipkinSource;

#[cfg(test)]
mod testing;
