//! Grafana Tempo from 2.0 on, and what answers its API: services, searches by `TraceQL`, whole traces.
//!
//! Owns the paths and parameters, and the `TraceQL` of a search; reading the traces themselves is [`crate::formats`]' work,
//! judging them the core's.
//!
//! What Tempo does differently, and how it is answered all the same:
//!
//! * times in questions are seconds; without them only recent data is searched;
//! * a search takes the first traces that it meets, not the newest: `most_recent` is asked for where it is known, and an
//!   answer that is full is called partial;
//! * what it says of a trace is sometimes not enough (no counts before 2.5, a root span that has not come, an error that it
//!   does not count as one): those traces are fetched whole;
//! * lists of services and operations are of recent data, whatever is stored;
//! * ids of a search lose their leading zeros, those of a trace are base64;
//! * no such trace is 200 and an empty trace in `/api/v2/traces`, 404 and an empty body (or `trace not found`) in
//!   `/api/traces`, which is asked where the former does not exist.
//!
//! An error is what the core calls one, as far as `TraceQL` can say it: the status, the `error` tag, HTTP from 500 on (from
//! 400 on for clients) and Envoy's response flags; not the codes of gRPC alone.
//!
//! Sources: Tempo documentation, "API" and "`TraceQL`"; answers recorded from Tempo 3.1.

mod search;
mod traceql;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use pilothouse_core::model::{SourceError, SourceKind};
use pilothouse_core::ports::{Answer as PortAnswer, Probe, TraceSearch, TraceSource, TracesFound};
use pilothouse_core::trace::{Trace, TraceId};

use crate::gather::{self, IN_FLIGHT};
use crate::http::{Answer, Backend, Client, offload};
use crate::options::Options;
use crate::place::Place;

const BACKEND: Backend = Backend {
    source: SourceKind::Traces,
    product: "Tempo",
};

/// A Tempo server.
#[derive(Debug)]
pub struct TempoSource {
    client: Client,
    /// It does not know `most_recent`.
    any_order: AtomicBool,
}

impl TempoSource {
    /// A source at this base address, e.g. `http://host:3200` or `https://host/tempo`. Connects when it is asked
    /// something, not before.
    ///
    /// # Errors
    /// `NotConfigured` if the address is empty, `BadConfiguration` if it or the credentials cannot be used.
    pub fn new(url: &str, options: &Options) -> Result<Self, SourceError> {
        Self::at(Place::Address(url.to_owned()), options)
    }

    /// A source at this place. Connects when it is asked something, not before.
    ///
    /// # Errors
    /// Those of [`Self::new`]; `BadConfiguration` also if the base path cannot be used.
    pub fn at(place: Place, options: &Options) -> Result<Self, SourceError> {
        let client = Client::at(BACKEND, place, options, IN_FLIGHT)?;
        Ok(Self {
            client,
            any_order: AtomicBool::new(false),
        })
    }

    async fn values(
        &self,
        tag: &str,
        query: &[(&str, String)],
    ) -> Result<Vec<String>, SourceError> {
        let path = ["api", "v2", "search", "tag", tag, "values"];
        wire::read_values(&self.client.get(&path, query).await?)
    }

    async fn list_services(&self) -> Result<Vec<String>, SourceError> {
        self.values("resource.service.name", &[]).await
    }

    async fn list_operations(&self, service: &str) -> Result<Vec<String>, SourceError> {
        let query = [("q", traceql::of_service(service))];
        self.values("name", &query).await
    }

    async fn search(&self, search: &TraceSearch) -> Result<TracesFound, SourceError> {
        if search.limit == 0 || search.from > search.to {
            return Ok(TracesFound::default());
        }
        let newest_first = !self.any_order.load(Ordering::Relaxed);
        let (answer, understood) = search::ask(&self.client, search, newest_first).await?;
        self.any_order.store(!understood, Ordering::Relaxed);
        let found = wire::read_found(&answer)?;
        let deadline = self.client.deadline();
        Ok(search::complete(search, found, deadline, |id| self.fetch(id)).await)
    }

    async fn fetch(&self, id: TraceId) -> Result<Option<Trace>, SourceError> {
        let text = id.to_string();
        let answer = self
            .client
            .get(&["api", "v2", "traces", &text], &[])
            .await?;
        // Only Tempo from 2.7 on knows this path.
        if answer.status() != 404 {
            return read(answer, id).await;
        }
        let answer = self.client.get(&["api", "traces", &text], &[]).await?;
        if wire::says_unknown(&answer) {
            return Ok(None);
        }
        read(answer, id).await
    }

    async fn look(&self) -> Result<Probe, SourceError> {
        let services = self.list_services().await?;
        if services.is_empty() {
            // An empty document may be anybody's.
            let echo = self.client.get(&["api", "echo"], &[]).await?;
            if !wire::says_echo(&echo) {
                return Err(wire::other_api(&echo));
            }
        }
        let build = self.client.get(&["api", "status", "buildinfo"], &[]).await;
        Ok(Probe {
            product: "Tempo".to_owned(),
            version: build.ok().and_then(|answer| wire::read_version(&answer)),
            api: Some("TraceQL".to_owned()),
            address: self.client.address().to_owned(),
            facts: BTreeMap::from([("services".to_owned(), services.len().to_string())]),
            clock: None,
        })
    }
}

async fn read(answer: Answer, id: TraceId) -> Result<Option<Trace>, SourceError> {
    offload(answer, move |answer| {
        gather::the_one(answer, wire::read_traces(answer)?, |found| found == id)
    })
    .await
}

impl TraceSource for TempoSource {
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
        Box::pin(self.search(search))
    }

    fn trace(&self, id: TraceId) -> PortAnswer<'_, Option<Trace>> {
        Box::pin(self.fetch(id))
    }
}

#[cfg(test)]
mod tests;
