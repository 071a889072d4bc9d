//! A trace backend whose kind nobody said: found out when it is first asked.

use std::sync::Arc;

use pilothouse_core::ports::{Answer, LateTraceSource, TraceSource};
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
}

impl LateTraceSource for UnknownTraces {
    /// A failure is not remembered: the next question looks again.
    fn source(&self) -> Answer<'_, Arc<dyn TraceSource>> {
        let find_out = || async {
            let (place, options) = (self.place.clone(), self.options.clone());
            let survey = survey_traces(place.clone(), options.clone(), None).await?;
            let base = survey.base_path.as_deref();
            let place = base.and_then(|base| place.with_base(base)).unwrap_or(place);
            open_traces(Some(survey.kind), place, options)
        };
        Box::pin(async move { self.found.get_or_try_init(find_out).await.cloned() })
    }
}
