//! A search: the questions, put to each service where that is needed, and what comes back, gathered.

use std::sync::Arc;

use futures::stream::{self, StreamExt};
use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::ports::{TraceSearch, TracesFound};
use pilothouse_core::trace::{TraceSummary, summarize};

use super::question::{Dialect, Question};
use super::tier::{self, Tier};
use super::{IN_FLIGHT, wire};
use crate::filter::{Gathered, spans_fit, summary_fits};
use crate::http::{Client, offload};

/// Services that a search without one asks at most; the answer is partial beyond.
const MOST_SERVICES: usize = 50;

/// Deadlines of a single request that a whole search may take.
const PATIENCE: u32 = 3;

/// What one question found.
struct Reply {
    /// Those that fit the search.
    fitting: Vec<TraceSummary>,
    /// How many came, fitting or not.
    n_came: usize,
    /// There may be more than came.
    cut: bool,
}

/// Runs a search.
///
/// # Errors
/// If every question fails, as the first one did. If only some do, the answer is partial.
pub(super) async fn find(
    client: &Client,
    tier: Tier,
    search: &TraceSearch,
) -> Result<TracesFound, SourceError> {
    if search.limit == 0 || search.from > search.to {
        return Ok(TracesFound::default());
    }
    let search = Arc::new(search.clone());
    let questions = Question::all(tier, &search);
    if search.service.is_some() {
        return gather(client, tier, &search, questions, false).await;
    }
    if questions
        .iter()
        .all(|question| question.dialect == Dialect::V3)
    {
        // Some storages search without a service, some refuse, some find nothing: only a find counts.
        match gather(client, tier, &search, questions.clone(), false).await {
            Ok(found) if !found.traces.is_empty() => return Ok(found),
            Err(error) if hopeless(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    let mut services = tier::services(client, tier).await?;
    let too_many = services.len() > MOST_SERVICES;
    services.truncate(MOST_SERVICES);
    let each = services
        .iter()
        .flat_map(|service| {
            questions
                .iter()
                .filter(|question| !question.is_guess)
                .map(|question| question.for_service(service))
        })
        .collect();
    gather(client, tier, &search, each, too_many).await
}

async fn gather(
    client: &Client,
    tier: Tier,
    search: &Arc<TraceSearch>,
    questions: Vec<Question>,
    partial: bool,
) -> Result<TracesFound, SourceError> {
    let mut gathered = Gathered::new(partial);
    let mut first_error = None;
    let mut n_failed = 0_usize;
    let mut n_answered = 0_usize;
    let n_asked = questions.len();
    let mut replies = stream::iter(questions)
        .map(|question| ask(client, tier, Arc::clone(search), question))
        .buffer_unordered(IN_FLIGHT);
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
        _ => Ok(gathered.finish(search.limit)),
    }
}

/// Asking another service would fail the same way.
const fn hopeless(error: &SourceError) -> bool {
    matches!(
        error.kind,
        SourceErrorKind::Unreachable | SourceErrorKind::Unauthorized | SourceErrorKind::Forbidden
    )
}

/// Puts one question. Whole traces tell more than summaries do (revisions, errors by all of our rules), so summaries are
/// the way out where whole traces are too large, and asking for fewer is the way out where there are no summaries.
async fn ask(
    client: &Client,
    tier: Tier,
    search: Arc<TraceSearch>,
    mut question: Question,
) -> Result<Reply, SourceError> {
    let wanted = question.fetch;
    loop {
        let outcome = ask_whole(client, Arc::clone(&search), &question).await;
        match outcome {
            Err(error) if error.kind == SourceErrorKind::TooLarge => {
                if tier.summaries && question.dialect == Dialect::V3 {
                    question.fetch = wanted;
                    return ask_summaries(client, &search, &question).await;
                }
                if question.fetch == 1 {
                    return Err(error);
                }
                question.fetch = (question.fetch / 4).max(1);
            }
            Ok(mut reply) => {
                reply.cut = reply.n_came >= question.fetch;
                return Ok(reply);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn ask_whole(
    client: &Client,
    search: Arc<TraceSearch>,
    question: &Question,
) -> Result<Reply, SourceError> {
    let answer = client.get(question.path(), &question.parameters()).await?;
    offload(answer, move |answer| {
        let traces = wire::read_traces(answer)?;
        let fitting = traces
            .iter()
            .filter(|trace| spans_fit(&search, trace))
            .map(summarize)
            .filter(|summary| summary_fits(&search, summary))
            .collect();
        Ok(Reply {
            fitting,
            n_came: traces.len(),
            cut: false,
        })
    })
    .await
}

async fn ask_summaries(
    client: &Client,
    search: &TraceSearch,
    question: &Question,
) -> Result<Reply, SourceError> {
    let answer = client
        .get(&["api", "v3", "trace-summaries"], &question.parameters())
        .await?;
    let mut summaries = wire::read_summaries(&answer)?;
    let n_came = summaries.len();
    summaries.retain(|summary| summary_fits(search, summary));
    Ok(Reply {
        fitting: summaries,
        n_came,
        cut: n_came >= question.fetch,
    })
}
