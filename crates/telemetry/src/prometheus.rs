//! Prometheus, and every server that answers its HTTP API (`VictoriaMetrics`, Thanos, Mimir): instant queries and a probe.
//!
//! Owns the wire types of `/api/v1/query` and `/api/v1/status/buildinfo`. Does not write `PromQL`
//! (`pilothouse_core::promql` does), does not decide what to ask or how often, does not cache.
//!
//! * At most two requests are under way at a time; more wait, without their deadline running.
//! * Queries go as a form by POST: they exceed the length of a URL, and bodies stay out of access logs.
//! * The server is told to give up a little before we do, so that its own words arrive.
//! * A NaN row is dropped (a quotient of nothing is unknown), +Inf is kept (a quantile in the top bucket).
//! * `status: error` is a failure with the server's `errorType` and `error` verbatim, whatever the HTTP status.
//!
//! ```no_run
//! use pilothouse_core::ports::MetricsSource;
//! use pilothouse_telemetry::{Options, PrometheusSource};
//!
//! # async fn example() -> Result<(), pilothouse_core::model::SourceError> {
//! let source = PrometheusSource::new("http://127.0.0.1:9090/prometheus", Options::default())?;
//! let probe = source.probe().await?;
//! assert_eq!(probe.address, "http://127.0.0.1:9090/prometheus");
//! # Ok(())
//! # }
//! ```
//!
//! Source: Prometheus documentation, "HTTP API".

mod probe;
mod wire;

use std::time::Duration;

use pilothouse_core::model::{Moment, SourceError, SourceKind};
use pilothouse_core::ports::{
    Answer as PortAnswer, MetricRows, MetricsQuery, MetricsSource, Probe, Samples, SamplesQuery,
};
use pilothouse_core::promql;

use crate::http::{Answer, Backend, Client, offload};
use crate::options::Options;
use crate::place::Place;
pub(crate) use probe::FirstWords;

/// Requests under way at a time: the promise to a shared server.
const IN_FLIGHT: usize = 2;

const BACKEND: Backend = Backend {
    source: SourceKind::Metrics,
    product: "Prometheus",
};

/// A server that answers `PromQL`.
#[derive(Debug)]
pub struct PrometheusSource {
    client: Client,
}

impl PrometheusSource {
    /// A source at this base address, e.g. `http://host:9090` or `https://user:password@host/prometheus`. Connects when
    /// it is asked something, not before.
    ///
    /// # Errors
    /// `NotConfigured` if the address is empty, `BadConfiguration` if it or the credentials cannot be used.
    pub fn new(url: &str, options: Options) -> Result<Self, SourceError> {
        Self::at(Place::Address(url.to_owned()), options)
    }

    /// A source at this place. Connects when it is asked something, not before.
    ///
    /// # Errors
    /// Those of [`Self::new`]; `BadConfiguration` also if the base path cannot be used.
    // By value: whoever composes the sources has no further use for the options.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the constructor takes its options over"
    )]
    pub fn at(place: Place, options: Options) -> Result<Self, SourceError> {
        let client = Client::at(BACKEND, place, &options, IN_FLIGHT)?;
        Ok(Self { client })
    }

    /// The address without credentials, or the way.
    #[must_use]
    pub fn address(&self) -> &str {
        self.client.address()
    }

    /// Asks for the value of an expression, at a moment or now by the server's clock.
    async fn instant(&self, promql: &str, at: Option<Moment>) -> Result<Answer, SourceError> {
        let mut form = vec![
            ("query", promql.to_owned()),
            ("timeout", server_timeout(self.client.deadline())),
        ];
        if let Some(at) = at {
            form.push(("time", format!("{:.3}", at.as_seconds())));
        }
        self.client.post_form(&["api", "v1", "query"], &form).await
    }

    async fn vector(&self, promql: &str, at: Option<Moment>) -> Result<MetricRows, SourceError> {
        let answer = self.instant(promql, at).await?;
        offload(answer, wire::read_vector).await
    }
}

impl MetricsSource for PrometheusSource {
    fn probe(&self) -> PortAnswer<'_, Probe> {
        Box::pin(probe::probe(self))
    }

    fn query<'a>(&'a self, query: &'a MetricsQuery) -> PortAnswer<'a, MetricRows> {
        Box::pin(async move {
            let promql = promql::write(query);
            let rows = self.vector(&promql, Some(query.at)).await?;
            tracing::debug!(promql, rows = rows.rows.len(), "queried metrics");
            Ok(rows)
        })
    }

    fn samples<'a>(&'a self, query: &'a SamplesQuery) -> PortAnswer<'a, Samples> {
        Box::pin(async move {
            let promql = promql::write_samples(query);
            let answer = self.instant(&promql, Some(query.at)).await?;
            let samples = offload(answer, wire::read_matrix).await?;
            tracing::debug!(promql, series = samples.series.len(), "read samples");
            Ok(samples)
        })
    }
}

/// Nine tenths of our deadline, at least a millisecond.
fn server_timeout(deadline: Duration) -> String {
    let millis = (deadline.as_millis() * 9 / 10).max(1);
    format!("{millis}ms")
}

#[cfg(test)]
mod tests;
