//! Traces that are still looked for while the graph is drawn: whoever asks them waits until they are found.

use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::ports::{Answer, Probe, TraceSearch, TraceSource, TracesFound};
use pilothouse_core::trace::{Trace, TraceId};
use tokio::sync::watch;

use crate::sources::Slot;

/// Traces, and the place to put them in when they are found, or the reason why there are none.
#[must_use]
pub fn late_traces() -> (watch::Sender<Option<Slot<dyn TraceSource>>>, LateTraces) {
    let (sender, found) = watch::channel(None);
    (sender, LateTraces { found })
}

/// See [`late_traces`].
pub struct LateTraces {
    found: watch::Receiver<Option<Slot<dyn TraceSource>>>,
}

impl std::fmt::Debug for LateTraces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LateTraces")
            .field("found", &self.found.borrow().is_some())
            .finish()
    }
}

impl LateTraces {
    async fn source(&self) -> Slot<dyn TraceSource> {
        let mut found = self.found.clone();
        let waited = found.wait_for(Option::is_some).await;
        waited
            .ok()
            .and_then(|found| (*found).clone())
            .unwrap_or_else(|| {
                let message = "the search for the traces was stopped";
                let kind = SourceErrorKind::NotConfigured;
                Err(SourceError::new(SourceKind::Traces, kind, message)
                    .with_hint("check the context again"))
            })
    }
}

impl TraceSource for LateTraces {
    fn probe(&self) -> Answer<'_, Probe> {
        Box::pin(async { self.source().await?.probe().await })
    }

    fn services(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async { self.source().await?.services().await })
    }

    fn operations<'a>(&'a self, service: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async { self.source().await?.operations(service).await })
    }

    fn find<'a>(&'a self, search: &'a TraceSearch) -> Answer<'a, TracesFound> {
        Box::pin(async { self.source().await?.find(search).await })
    }

    fn trace(&self, id: TraceId) -> Answer<'_, Option<Trace>> {
        Box::pin(async move { self.source().await?.trace(id).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_asks_early_gets_the_answer_of_what_is_found() {
        let (late, traces) = late_traces();
        let none = SourceError::new(
            SourceKind::Traces,
            SourceErrorKind::NotConfigured,
            "none there",
        );
        let (asked, ()) = tokio::join!(traces.services(), async {
            late.send_replace(Some(Err(none)));
        });
        assert_eq!(asked.unwrap_err().message, "none there");
        drop(late);
        assert_eq!(traces.services().await.unwrap_err().message, "none there");
    }

    #[tokio::test]
    async fn a_search_that_was_stopped_is_no_endless_wait() {
        let (late, traces) = late_traces();
        drop(late);
        let error = traces.services().await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::NotConfigured);
    }
}
