//! Traces that are still looked for while the graph is drawn: whoever asks them waits until they are found.

use std::sync::Arc;

use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::ports::{Answer, LateTraceSource, TraceSource};
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

impl LateTraceSource for LateTraces {
    fn source(&self) -> Answer<'_, Arc<dyn TraceSource>> {
        let mut found = self.found.clone();
        Box::pin(async move {
            let waited = found.wait_for(Option::is_some).await;
            let stopped = || {
                let message = "the search for the traces was stopped";
                let kind = SourceErrorKind::NotConfigured;
                Err(SourceError::new(SourceKind::Traces, kind, message)
                    .with_hint("check the context again"))
            };
            let found = waited.ok().and_then(|found| (*found).clone());
            found.unwrap_or_else(stopped)
        })
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
