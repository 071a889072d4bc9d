//! Several trace backends for one mesh: the first that answers is taken when somebody first asks.

use std::sync::Arc;

use pilothouse_core::model::SourceError;
use pilothouse_core::ports::{Answer, LateTraceSource, TraceSource};
use tokio::sync::OnceCell;

type Slot = Result<Arc<dyn TraceSource>, SourceError>;

/// The first of these that answers, in their order; `None` if there are none. One that cannot be opened answers nothing.
///
/// # Errors
/// The error of the first, if none can be opened.
#[must_use]
pub fn first_traces(sources: impl Iterator<Item = Slot>) -> Option<Slot> {
    let mut failed = None;
    let mut opened: Vec<Arc<dyn TraceSource>> = Vec::new();
    for source in sources {
        match source {
            Ok(source) => opened.push(source),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let last = opened.pop();
    match (last, failed) {
        (None, failed) => failed.map(Err),
        (Some(only), _) if opened.is_empty() => Some(Ok(only)),
        (Some(last), _) => Some(Ok(Arc::new(FirstTraces {
            before: opened,
            last,
            taken: OnceCell::new(),
        }))),
    }
}

struct FirstTraces {
    before: Vec<Arc<dyn TraceSource>>,
    last: Arc<dyn TraceSource>,
    taken: OnceCell<Arc<dyn TraceSource>>,
}

impl LateTraceSource for FirstTraces {
    /// A failure of all is not remembered: the next question tries them again.
    fn source(&self) -> Answer<'_, Arc<dyn TraceSource>> {
        let find_out = || async {
            let mut failed = None;
            for source in self.before.iter().chain([&self.last]) {
                match source.probe().await {
                    Ok(_) => return Ok(Arc::clone(source)),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            // There is a last one, so somebody failed first.
            failed.map_or_else(|| Ok(Arc::clone(&self.last)), Err)
        };
        Box::pin(async move { self.taken.get_or_try_init(find_out).await.cloned() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use pilothouse_core::model::{SourceErrorKind, SourceKind};
    use pilothouse_core::ports::{Probe, TraceSearch, TracesFound};
    use pilothouse_core::trace::{Trace, TraceId};

    use super::*;

    /// Knows one service, its own name, as long as it is up.
    struct Named(&'static str, AtomicBool);

    fn down(name: &str) -> SourceError {
        SourceError::new(SourceKind::Traces, SourceErrorKind::Unreachable, name)
    }

    impl TraceSource for Named {
        fn probe(&self) -> Answer<'_, Probe> {
            let up = self.1.load(Ordering::SeqCst);
            Box::pin(async move { up.then(Probe::default).ok_or_else(|| down(self.0)) })
        }

        fn services(&self) -> Answer<'_, Vec<String>> {
            Box::pin(async { Ok(vec![self.0.to_owned()]) })
        }

        fn operations<'a>(&'a self, _: &'a str) -> Answer<'a, Vec<String>> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn find<'a>(&'a self, _: &'a TraceSearch) -> Answer<'a, TracesFound> {
            Box::pin(async { Ok(TracesFound::default()) })
        }

        fn trace(&self, _: TraceId) -> Answer<'_, Option<Trace>> {
            Box::pin(async { Ok(None) })
        }
    }

    fn named(name: &'static str, up: bool) -> Arc<Named> {
        Arc::new(Named(name, AtomicBool::new(up)))
    }

    #[tokio::test]
    async fn the_first_that_answers_is_taken_and_kept() {
        let (first, second) = (named("first", false), named("second", true));
        let slots: [Slot; 3] = [
            Err(down("bad")),
            Ok(Arc::<Named>::clone(&first)),
            Ok(second),
        ];
        let traces = first_traces(slots.into_iter()).unwrap().unwrap();
        assert_eq!(traces.services().await.unwrap(), ["second"]);
        first.1.store(true, Ordering::SeqCst);
        assert_eq!(traces.services().await.unwrap(), ["second"]);
    }

    #[tokio::test]
    async fn while_none_answers_the_first_says_why_and_all_are_tried_again() {
        let (first, second) = (named("first", false), named("second", false));
        let slots: [Slot; 2] = [Ok(first), Ok(Arc::<Named>::clone(&second))];
        let traces = first_traces(slots.into_iter()).unwrap().unwrap();
        assert_eq!(traces.services().await.unwrap_err().message, "first");
        second.1.store(true, Ordering::SeqCst);
        assert_eq!(traces.services().await.unwrap(), ["second"]);
    }

    #[test]
    fn none_is_named_or_none_can_be_opened() {
        assert!(first_traces(std::iter::empty()).is_none());
        let slots: [Slot; 1] = [Err(down("bad"))];
        let failed = first_traces(slots.into_iter()).unwrap();
        assert_eq!(failed.err().unwrap().message, "bad");
    }
}
