//! Counting requests to some hosts in a window, by the counters' own samples.

use pilothouse_core::model::{Moment, SourceError, TimeSpan};
use pilothouse_core::ports::{MatchOp, Matcher, MetricsSource, Sampled, Samples, SamplesQuery};
use pilothouse_core::promql;
use pilothouse_core::traffic::{self, Counted};

use super::snapshot::QueryRecord;

/// Scrapes before a window that tell which targets there are.
const SEEN_BEFORE: i64 = 4;

/// What was counted, and the query as it was asked. `None` where it could not be had, or is doubted by the server: a part
/// of the traffic is no ground to judge a share on.
pub(crate) async fn count_requests(
    metrics: &dyn MetricsSource,
    hosts: &[String],
    at: Moment,
    window: TimeSpan,
    scrape: TimeSpan,
) -> (Option<Counted>, QueryRecord) {
    // A little more than the window: a target that missed all its scrapes in it is not gone.
    let reach = TimeSpan(
        window
            .0
            .saturating_add(SEEN_BEFORE.saturating_mul(scrape.0)),
    );
    let query = samples_of(Sampled::Requests, "destination_service", hosts, reach, at);
    let answer = metrics.samples(&query).await;
    let asked = QueryRecord {
        name: "requests after a change".to_owned(),
        promql: promql::write_samples(&query),
        outcome: answer
            .as_ref()
            .map(|samples| samples.series.len())
            .map_err(|error| error.message.clone()),
    };
    let Some(samples) = undoubted(answer) else {
        return (None, asked);
    };
    let from = at.minus(window);
    let late = traffic::late_targets(&samples.series, from, scrape);
    let alive = if late.is_empty() {
        Samples::default()
    } else {
        // What was there all the time and had nothing to count is not new. Without an answer nobody is known to have been.
        let query = samples_of(Sampled::Up, "instance", &late, window, at);
        metrics.samples(&query).await.unwrap_or_default()
    };
    let counted = traffic::count_requests(&samples.series, &alive.series, scrape, from, at);
    (counted, asked)
}

fn samples_of(
    of: Sampled,
    label: &str,
    values: &[String],
    window: TimeSpan,
    at: Moment,
) -> SamplesQuery {
    SamplesQuery {
        of,
        matchers: vec![Matcher {
            label: label.to_owned(),
            op: MatchOp::In,
            values: values.to_vec(),
        }],
        window,
        at,
    }
}

fn undoubted(answer: Result<Samples, SourceError>) -> Option<Samples> {
    answer.ok().filter(|samples| samples.warnings.is_empty())
}
