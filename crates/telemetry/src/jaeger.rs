//! Jaeger, of any generation in the field, and what answers its API: services, searches, whole traces.
//!
//! Owns the paths and parameters of Jaeger's three APIs and which of them to use; reading the traces themselves is
//! [`crate::formats`]' work, judging them the core's.
//!
//! | | v3 with summaries (2.19 and later) | v3 (2.x) | v1 (1.x, and others that imitate it) |
//! |---|---|---|---|
//! | search | `/api/v3/traces`, and `/api/v3/trace-summaries` where whole traces are too large | `/api/v3/traces` | `/api/traces` |
//! | by attribute | `query.attributes` | not in v3: `/api/traces?tags=` as long as it is there | `tags` |
//! | without a service | one question; if that finds nothing, all services | the same | all services, up to a cap |
//! | nothing found | 404 with JSON | 404 with JSON | 200 and an empty list |
//!
//! An unknown path is 200 with an HTML page there, and v3 sends its JSON as text/plain: answers are told by their look.
//! "No such trace" is an answer only if Jaeger says so in JSON; a bare 404 is a wrong address.
//!
//! ```no_run
//! use pilothouse_core::model::Moment;
//! use pilothouse_core::ports::{TraceSearch, TraceSource};
//! use pilothouse_telemetry::{JaegerSource, Options};
//!
//! # async fn example() -> Result<(), pilothouse_core::model::SourceError> {
//! let source = JaegerSource::new("http://127.0.0.1:16686", Options::default())?;
//! let search = TraceSearch {
//!     service: Some("reviews.shop".to_owned()),
//!     only_errors: true,
//!     from: Moment(1_795_340_000_000),
//!     to: Moment(1_795_343_600_000),
//!     limit: 20,
//!     ..TraceSearch::default()
//! };
//! let found = source.find(&search).await?;
//! assert!(found.traces.len() <= 20);
//! # Ok(())
//! # }
//! ```
//!
//! Sources: Jaeger documentation, "APIs"; the behaviour of Jaeger 1.x, 2.13 and 2.20.

mod question;
mod search;
mod tier;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::ports::{Answer as PortAnswer, Probe, TraceSearch, TraceSource, TracesFound};
use pilothouse_core::trace::{Trace, TraceId};

use crate::gather::{self, IN_FLIGHT};
use crate::http::{Backend, Client, offload};
use crate::options::Options;
use crate::place::Place;
use tier::Tier;

const BACKEND: Backend = Backend {
    source: SourceKind::Traces,
    product: "Jaeger",
};

/// A Jaeger query server.
#[derive(Debug)]
pub struct JaegerSource {
    client: Client,
    /// What the server can do, once it was looked at; forgotten when an answer does not fit.
    tier: Mutex<Option<Tier>>,
}

impl JaegerSource {
    /// A source at this base address, e.g. `http://host:16686` or `https://host/jaeger`. Connects when it is asked
    /// something, not before.
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
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the constructor takes its options over"
    )]
    pub fn at(place: Place, options: Options) -> Result<Self, SourceError> {
        let client = Client::at(BACKEND, place, &options, IN_FLIGHT)?;
        Ok(Self {
            client,
            tier: Mutex::new(None),
        })
    }

    /// The address without credentials, or the way.
    #[must_use]
    pub fn address(&self) -> &str {
        self.client.address()
    }

    async fn tier(&self) -> Result<Tier, SourceError> {
        let known = *self.tier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tier) = known {
            return Ok(tier);
        }
        // Two first calls may both look; they see the same.
        let tier = tier::detect(&self.client).await?;
        self.remember(Some(tier));
        Ok(tier)
    }

    fn remember(&self, tier: Option<Tier>) {
        *self.tier.lock().unwrap_or_else(PoisonError::into_inner) = tier;
    }

    /// Passes an outcome on. If the server does not answer as it did when it was looked at (it was upgraded, or another
    /// one stands at the address), it is looked at again next time.
    fn noting<T>(&self, outcome: Result<T, SourceError>) -> Result<T, SourceError> {
        if let Err(error) = &outcome
            && matches!(
                error.kind,
                SourceErrorKind::BadAnswer | SourceErrorKind::NotFound
            )
        {
            self.remember(None);
        }
        outcome
    }

    async fn list_services(&self) -> Result<Vec<String>, SourceError> {
        let tier = self.tier().await?;
        self.noting(tier::services(&self.client, tier).await)
    }

    async fn list_operations(&self, service: &str) -> Result<Vec<String>, SourceError> {
        let tier = self.tier().await?;
        let operations = if tier.v3 {
            let query = [("service", service.to_owned())];
            let answer = self.client.get(&["api", "v3", "operations"], &query).await;
            answer.and_then(|answer| wire::read_operations_v3(&answer))
        } else {
            let path = ["api", "services", service, "operations"];
            let answer = self.client.get(&path, &[]).await;
            answer.and_then(|answer| wire::read_names_v1(&answer))
        };
        self.noting(operations)
    }

    async fn fetch(&self, id: TraceId) -> Result<Option<Trace>, SourceError> {
        let tier = self.tier().await?;
        let text = id.to_string();
        let outcome = async {
            // Raw: clocks and ids as they were recorded; the core corrects, and can show both.
            let answer = if tier.v3 {
                let query = [
                    ("rawTraces", "true".to_owned()),
                    ("raw_traces", "true".to_owned()),
                ];
                self.client
                    .get(&["api", "v3", "traces", &text], &query)
                    .await?
            } else {
                let query = [("raw", "true".to_owned())];
                self.client.get(&["api", "traces", &text], &query).await?
            };
            offload(answer, move |answer| {
                gather::the_one(answer, wire::read_traces(answer)?, |found| found == id)
            })
            .await
        };
        self.noting(outcome.await)
    }

    async fn look(&self) -> Result<Probe, SourceError> {
        self.remember(None);
        let tier = self.tier().await?;
        let services = tier::services(&self.client, tier).await?;
        let version = tier::version(&self.client).await;
        Ok(Probe {
            product: "Jaeger".to_owned(),
            version,
            api: Some(tier.name().to_owned()),
            address: self.address().to_owned(),
            facts: BTreeMap::from([("services".to_owned(), services.len().to_string())]),
            clock: None,
        })
    }
}

impl TraceSource for JaegerSource {
    fn probe(&self) -> PortAnswer<'_, Probe> {
        Box::pin(self.look())
    }

    fn services(&self) -> PortAnswer<'_, Vec<String>> {
        Box::pin(self.list_services())
    }

    fn operations<'a>(&'a self, service: &'a str) -> PortAnswer<'a, Vec<String>> {
        Box::pin(self.list_operations(service))
    }

    fn find<'a>(&'a self, search: &'a TraceSearch) -> PortAnswer<'a, TracesFound> {
        Box::pin(async move {
            let tier = self.tier().await?;
            self.noting(search::find(&self.client, tier, search).await)
        })
    }

    fn trace(&self, id: TraceId) -> PortAnswer<'_, Option<Trace>> {
        Box::pin(self.fetch(id))
    }
}

#[cfg(test)]
mod tests;
