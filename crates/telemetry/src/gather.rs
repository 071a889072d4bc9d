//! Several questions that together answer one search, and what comes back, gathered.
//!
//! Owns what is the same for every backend whose search differs from a [`TraceSearch`]: how many traces to ask for so
//! that enough are left, asking for fewer where the answer is too large, and what a search is worth where only some of
//! its questions were answered.

use std::future::Future;

use futures::stream::{self, StreamExt};
use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::ports::{TraceSearch, TracesFound};
use pilothouse_core::trace::{Trace, TraceId, TraceSummary, summarize};

use crate::filter::{Gathered, spans_fit, summary_fits};
use crate::http::{Answer, Client};

/// Requests under way at a time: a search may ask for many.
pub(crate) const IN_FLIGHT: usize = 4;

/// Deadlines of a single request that a whole search may take.
pub(crate) const PATIENCE: u32 = 3;

/// How many times the limit is asked for where some of the answers will be filtered out here.
const SPARE: usize = 5;

/// More than this is not asked for at once, whatever the limit.
const MOST: usize = 1500;

/// More than this is not asked for to have spare ones.
const MOST_SPARE: usize = 500;

/// What one question found.
pub(crate) struct Reply {
    /// Those that fit the search.
    pub(crate) fitting: Vec<TraceSummary>,
    /// How many came, fitting or not.
    pub(crate) n_came: usize,
    /// There may be more than came.
    pub(crate) cut: bool,
}

impl Reply {
    /// Of whole traces.
    pub(crate) fn of(search: &TraceSearch, traces: &[Trace]) -> Self {
        let fitting = traces
            .iter()
            .filter(|trace| spans_fit(search, trace))
            .map(summarize)
            .filter(|summary| summary_fits(search, summary))
            .collect();
        Self {
            fitting,
            n_came: traces.len(),
            cut: false,
        }
    }
}

/// How many traces to ask for; one more than the limit tells whether there are more. `filtered_here` says that the
/// backend is not asked for all that the search wants.
pub(crate) fn fetch_size(search: &TraceSearch, filtered_here: bool) -> usize {
    let spare = if filtered_here {
        search.limit.saturating_mul(SPARE).min(MOST_SPARE)
    } else {
        0
    };
    search.limit.max(spare).min(MOST - 1) + 1
}

/// Asks for this many traces, and for fewer as long as the answer is too large.
///
/// # Errors
/// Those of `ask`; `TooLarge` if a single trace is.
pub(crate) async fn as_many_as_fit<F>(
    mut wanted: usize,
    ask: impl Fn(usize) -> F,
) -> Result<Reply, SourceError>
where
    F: Future<Output = Result<Reply, SourceError>>,
{
    loop {
        match ask(wanted).await {
            Err(error) if error.kind == SourceErrorKind::TooLarge && wanted > 1 => {
                wanted = (wanted / 4).max(1);
            }
            Ok(mut reply) => {
                reply.cut = reply.n_came >= wanted;
                return Ok(reply);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Puts all questions of a search; `partial` says that they are not all there could be.
///
/// # Errors
/// If every question fails, as the first one did. If only some do, the answer is partial.
pub(crate) async fn gather<F>(
    client: &Client,
    questions: Vec<F>,
    limit: usize,
    partial: bool,
) -> Result<TracesFound, SourceError>
where
    F: Future<Output = Result<Reply, SourceError>>,
{
    let mut gathered = Gathered::new(partial);
    let mut first_error = None;
    let mut n_failed = 0_usize;
    let mut n_answered = 0_usize;
    let n_asked = questions.len();
    let mut replies = stream::iter(questions).buffer_unordered(IN_FLIGHT);
    let all = async {
        while let Some(reply) = replies.next().await {
            match reply {
                Ok(reply) => {
                    n_answered += 1;
                    gathered.partial |= reply.cut;
                    gathered.extend(reply.fitting);
                }
                Err(error) => {
                    n_failed += 1;
                    let stop = hopeless(&error);
                    first_error.get_or_insert(error);
                    if stop {
                        break;
                    }
                }
            }
        }
    };
    let in_time = tokio::time::timeout(client.deadline() * PATIENCE, all)
        .await
        .is_ok();
    if n_answered < n_asked {
        tracing::warn!(
            n_asked,
            n_answered,
            n_failed,
            in_time,
            "a search for traces is partial"
        );
        gathered.partial = true;
    }
    match first_error {
        Some(error) if n_answered == 0 => Err(error),
        _ => Ok(gathered.finish(limit)),
    }
}

/// The trace that was asked for, among those that came.
///
/// # Errors
/// If another one came in its place.
pub(crate) fn the_one(
    answer: &Answer,
    traces: Vec<Trace>,
    is_it: impl Fn(TraceId) -> bool,
) -> Result<Option<Trace>, SourceError> {
    let n_others = traces.len();
    match traces.into_iter().find(|trace| is_it(trace.id)) {
        None if n_others > 0 => Err(answer.fail(
            SourceErrorKind::BadAnswer,
            "another trace came than the one asked for",
        )),
        found => Ok(found),
    }
}

/// Asking again, or for something else, would fail the same way.
pub(crate) const fn hopeless(error: &SourceError) -> bool {
    matches!(
        error.kind,
        SourceErrorKind::Unreachable | SourceErrorKind::Unauthorized | SourceErrorKind::Forbidden
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_limits_are_asked_within_bounds() {
        for (limit, fetch, spare) in [(0, 1, 1), (1, 2, 6), (usize::MAX, 1500, 1500)] {
            let search = TraceSearch {
                limit,
                ..TraceSearch::default()
            };
            assert_eq!(fetch_size(&search, false), fetch);
            assert_eq!(fetch_size(&search, true), spare);
        }
    }
}
