//! A trace backend whose kind nobody said: found out when it is first asked.

use std::sync::Arc;

use pilothouse_core::model::SourceError;
use pilothouse_core::ports::{Answer, Probe, TraceSearch, TraceSource, TracesFound};
use pilothouse_core::trace::{Trace, TraceId};
use tokio::sync::OnceCell;

use crate::{Options, Place, open_traces, survey_traces};

/// The source behind it, once somebody answered.
pub(crate) struct UnknownTraces {
    place: Place,
    options: Options,
    found: OnceCell<Arc<dyn TraceSource>>,
}

impl UnknownTraces {
    pub(crate) const fn at(place: Place, options: Options) -> Self {
        Self {
            place,
            options,
            found: OnceCell::const_new(),
        }
    }

    /// A failure is not remembered: the next question looks again.
    async fn source(&self) -> Result<&Arc<dyn TraceSource>, SourceError> {
        let find_out = || async {
            let (place, options) = (self.place.clone(), self.options.clone());
            let survey = survey_traces(place.clone(), options.clone(), None).await?;
            let base = survey.base_path.as_deref();
            let place = base.and_then(|base| place.with_base(base)).unwrap_or(place);
            open_traces(Some(survey.kind), place, options)
        };
        self.found.get_or_try_init(find_out).await
    }
}

impl TraceSource for UnknownTraces {
    fn probe(&self) -> Answer<'_, Probe> {
        Box::pin(async { self.source().await?.probe().await })
    }

    fn services(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async { self.source().await?.services().await })
    }

    fn operations<'a>(&'a self, service: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move { self.source().await?.operations(service).await })
    }

    fn find<'a>(&'a self, search: &'a TraceSearch) -> Answer<'a, TracesFound> {
        Box::pin(async move { self.source().await?.find(search).await })
    }

    fn trace(&self, id: TraceId) -> Answer<'_, Option<Trace>> {
        Box::pin(async move { self.source().await?.trace(id).await })
    }
}
