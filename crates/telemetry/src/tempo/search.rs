//! A search: the question, and traces fetched whole where the answer says too little of them.

use std::time::Duration;

use futures::stream::{self, StreamExt};
use pilothouse_core::model::{Moment, SourceError};
use pilothouse_core::ports::{TraceSearch, TracesFound};
use pilothouse_core::trace::{Trace, TraceId, TraceSummary, summarize};

use super::traceql;
use super::wire::Found;
use crate::filter::{Gathered, summary_fits};
use crate::gather::{self, IN_FLIGHT, PATIENCE};
use crate::http::{Answer, Client};

/// Latest moment that is asked for: Tempo reads seconds as 32 bits without a sign.
const LATEST_S: i64 = u32::MAX as i64;

/// Asks. Also says whether `most_recent` was understood: a Tempo that does not know it refuses the query.
pub(super) async fn ask(
    client: &Client,
    search: &TraceSearch,
    newest_first: bool,
) -> Result<(Answer, bool), SourceError> {
    let path = ["api", "search"];
    if newest_first {
        let answer = client.get(&path, &parameters(search, true)).await?;
        if answer.status() != 400 {
            return Ok((answer, true));
        }
    }
    let plain = client.get(&path, &parameters(search, false)).await?;
    // Refused all the same: the hint was not what it minded.
    let understood = newest_first && plain.status() == 400;
    Ok((plain, understood))
}

fn parameters(search: &TraceSearch, newest_first: bool) -> Vec<(&'static str, String)> {
    let (start, end) = interval(search.from, search.to);
    vec![
        ("q", traceql::of_search(search, newest_first)),
        ("start", start.to_string()),
        ("end", end.to_string()),
        ("limit", gather::fetch_size(search, false).to_string()),
        ("spss", "1".to_owned()),
    ]
}

/// Seconds around the interval; never empty.
fn interval(from: Moment, to: Moment) -> (i64, i64) {
    let start = from.0.div_euclid(1000).clamp(0, LATEST_S - 1);
    let end = to.0.div_euclid(1000).saturating_add(1);
    (start, end.clamp(start + 1, LATEST_S))
}

/// The traces that fit, those that the answer says too little of fetched whole. What cannot be fetched in time stays as
/// it was said, and the answer is partial.
pub(super) async fn complete<F>(
    search: &TraceSearch,
    found: Found,
    deadline: Duration,
    fetch: impl Fn(TraceId) -> F,
) -> TracesFound
where
    F: Future<Output = Result<Option<Trace>, SourceError>>,
{
    let cut = found.traces.len() >= gather::fetch_size(search, false);
    let mut gathered = Gathered::new(found.partial || cut);
    // Duration is in whole milliseconds here; Tempo has judged it, and errors too.
    let within = TraceSearch {
        from: search.from,
        to: search.to,
        ..TraceSearch::default()
    };
    let mut vague: Vec<TraceSummary> = Vec::new();
    for (summary, is_told) in found.traces {
        if !summary_fits(&within, &summary) {
            continue;
        }
        if is_told && !(search.only_errors && summary.errors == 0) {
            gathered.extend([summary]);
        } else {
            vague.push(summary);
        }
    }
    let ids: Vec<TraceId> = vague.iter().map(|summary| summary.id).collect();
    let fetched = whole(&ids, deadline, fetch).await;
    gathered.partial |= fetched.iter().any(Option::is_none);
    let best = vague.into_iter().zip(fetched);
    gathered.extend(best.map(|(said, whole)| whole.unwrap_or(said)));
    gathered.finish(search.limit)
}

/// These traces summed up, each if it could be fetched in time.
async fn whole<F>(
    ids: &[TraceId],
    deadline: Duration,
    fetch: impl Fn(TraceId) -> F,
) -> Vec<Option<TraceSummary>>
where
    F: Future<Output = Result<Option<Trace>, SourceError>>,
{
    let mut fetched: Vec<Option<TraceSummary>> = Vec::new();
    fetched.resize_with(ids.len(), || None);
    let mut replies = stream::iter(ids.iter().copied().enumerate())
        .map(|(i, id)| {
            let reply = fetch(id);
            async move { (i, reply.await) }
        })
        .buffer_unordered(IN_FLIGHT);
    let all = async {
        while let Some((i, reply)) = replies.next().await {
            match reply {
                Ok(trace) => {
                    if let Some(slot) = fetched.get_mut(i) {
                        *slot = trace.as_ref().map(summarize);
                    }
                }
                Err(error) if gather::hopeless(&error) => break,
                Err(_) => {}
            }
        }
    };
    let in_time = tokio::time::timeout(deadline * PATIENCE, all).await.is_ok();
    let n_missing = fetched.iter().filter(|whole| whole.is_none()).count();
    if n_missing > 0 {
        tracing::warn!(
            n_missing,
            in_time,
            "not all traces of a search could be fetched"
        );
    }
    fetched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_asked_in_seconds_around_it() {
        for (from, to, start, end) in [
            (
                1_795_340_000_125,
                1_795_343_600_000,
                1_795_340_000,
                1_795_343_601,
            ),
            (0, 0, 0, 1),
            (-5_000, -1_000, 0, 1),
            (i64::MAX, i64::MAX, LATEST_S - 1, LATEST_S),
            (i64::MIN, i64::MAX, 0, LATEST_S),
        ] {
            assert_eq!(interval(Moment(from), Moment(to)), (start, end));
        }
    }
}
