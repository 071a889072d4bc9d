//! Zipkin, and what answers its v2 API: services, searches, whole traces.
//!
//! Owns the paths and parameters of `/api/v2`; reading the traces themselves is [`crate::formats`]' work, judging them the
//! core's (which also tells apart the two halves of a span whose id client and server share).
//!
//! What Zipkin cannot be asked, and how it is answered all the same:
//!
//! * names are lower case there, in answers too: those of a search are taken so;
//! * a duration is one span's, an error a tag that may say anything: narrower questions are put beside the plain one, and
//!   the answers are judged here;
//! * `annotationQuery` has no way to quote: an attribute that cannot be written in it, or that is made of an endpoint, is
//!   looked for here, among more traces;
//! * conditions hold for all spans of the service together: that one span must carry them all is judged here.
//!
//! "No such trace" is an answer only if Zipkin says so of this id; a bare 404 is a wrong address.
//!
//! Sources: `zipkin2-api.yaml`; `zipkin2.storage.QueryRequest`; the behaviour of Zipkin 3.5.1.

mod question;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use pilothouse_core::model::{SourceError, SourceKind};
use pilothouse_core::ports::{Answer as PortAnswer, Probe, TraceSearch, TraceSource, TracesFound};
use pilothouse_core::trace::{Trace, TraceId};

use crate::gather::{self, IN_FLIGHT, Reply, as_many_as_fit};
use crate::http::{Backend, Client, offload};
use crate::options::Options;
use crate::place::Place;
use question::Question;

const BACKEND: Backend = Backend {
    source: SourceKind::Traces,
    product: "Zipkin",
};

/// A Zipkin server.
#[derive(Debug)]
pub struct ZipkinSource {
    client: Client,
}

impl ZipkinSource {
    /// A source at this base address, e.g. `http://host:9411` or `https://host/zipkin`. Connects when it is asked
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
        Ok(Self { client })
    }

    async fn list_services(&self) -> Result<Vec<String>, SourceError> {
        wire::read_names(&self.client.get(&["api", "v2", "services"], &[]).await?)
    }

    async fn list_operations(&self, service: &str) -> Result<Vec<String>, SourceError> {
        let query = [("serviceName", service.to_owned())];
        wire::read_names(&self.client.get(&["api", "v2", "spans"], &query).await?)
    }

    async fn search(&self, search: &TraceSearch) -> Result<TracesFound, SourceError> {
        if search.limit == 0 || search.from > search.to {
            return Ok(TracesFound::default());
        }
        let search = Arc::new(question::in_lower_case(search));
        let asking = Question::all(&search)
            .into_iter()
            .map(|question| self.ask(Arc::clone(&search), question));
        gather::gather(&self.client, asking.collect(), search.limit, false).await
    }

    async fn ask(
        &self,
        search: Arc<TraceSearch>,
        question: Question,
    ) -> Result<Reply, SourceError> {
        as_many_as_fit(question.fetch, async |limit| {
            let search = Arc::clone(&search);
            let query = question.parameters(limit);
            let answer = self.client.get(&["api", "v2", "traces"], &query).await?;
            offload(answer, move |answer| {
                Ok(Reply::of(&search, &wire::read_traces(answer)?))
            })
            .await
        })
        .await
    }

    async fn fetch(&self, id: TraceId) -> Result<Option<Trace>, SourceError> {
        let text = wire::written(id);
        let answer = self.client.get(&["api", "v2", "trace", &text], &[]).await?;
        if wire::says_unknown(&answer, id) {
            return Ok(None);
        }
        offload(answer, move |answer| {
            gather::the_one(answer, wire::read_traces(answer)?, |found| {
                wire::is_same(found, id)
            })
        })
        .await
    }

    async fn look(&self) -> Result<Probe, SourceError> {
        let services = self.list_services().await?;
        let info = self.client.get(&["info"], &[]).await;
        Ok(Probe {
            product: "Zipkin".to_owned(),
            version: info.ok().and_then(|answer| wire::read_version(&answer)),
            api: Some("v2".to_owned()),
            address: self.client.address().to_owned(),
            facts: BTreeMap::from([("services".to_owned(), services.len().to_string())]),
            clock: None,
        })
    }
}

impl TraceSource for ZipkinSource {
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
