//! A search: the questions, put to each service where that is needed, and what comes back, gathered.

use std::sync::Arc;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::ports::{TraceSearch, TracesFound};

use super::question::{Dialect, Question};
use super::tier::{self, Tier};
use super::wire;
use crate::filter::summary_fits;
use crate::gather::{self, Reply, as_many_as_fit, hopeless};
use crate::http::{Client, offload};

/// Services that a search without one asks at most; the answer is partial beyond.
const MOST_SERVICES: usize = 50;

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
    let asking = questions
        .into_iter()
        .map(|question| ask(client, tier, Arc::clone(search), question));
    gather::gather(client, asking.collect(), search.limit, partial).await
}

/// Puts one question. Whole traces tell more than summaries do (revisions, errors by all of our rules), so summaries are
/// the way out where whole traces are too large, and asking for fewer is the way out where there are no summaries.
async fn ask(
    client: &Client,
    tier: Tier,
    search: Arc<TraceSearch>,
    question: Question,
) -> Result<Reply, SourceError> {
    let whole = |fetch| {
        let mut question = question.clone();
        question.fetch = fetch;
        ask_whole(client, Arc::clone(&search), question)
    };
    if !(tier.summaries && question.dialect == Dialect::V3) {
        return as_many_as_fit(question.fetch, whole).await;
    }
    match whole(question.fetch).await {
        Err(error) if error.kind == SourceErrorKind::TooLarge => {
            ask_summaries(client, &search, &question).await
        }
        Ok(mut reply) => {
            reply.cut = reply.n_came >= question.fetch;
            Ok(reply)
        }
        Err(error) => Err(error),
    }
}

async fn ask_whole(
    client: &Client,
    search: Arc<TraceSearch>,
    question: Question,
) -> Result<Reply, SourceError> {
    let answer = client.get(question.path(), &question.parameters()).await?;
    offload(answer, move |answer| {
        Ok(Reply::of(&search, &wire::read_traces(answer)?))
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
