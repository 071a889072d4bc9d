//! One tick of the metrics: which queries, asked together, answered or not.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use pilothouse_core::graph::{self, FetchedRows, GraphRequest};
use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::ports::{
    Answer, MatchOp, Matcher, Measure, MetricRow, MetricRows, MetricsQuery, MetricsSource,
};
use pilothouse_core::promql;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};

use super::snapshot::QueryRecord;

/// No tick asks more than this, whatever the size of the mesh.
pub(crate) const QUERIES_PER_TICK: usize = 6;
/// A server that refuses within this time is awake.
const PATIENCE: Duration = Duration::from_secs(1);
/// Queries under way at a time.
const IN_FLIGHT: usize = 2;

/// What a tick brought.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// What was asked: the numbers belong to its window and its moment, whatever is wished by now.
    pub(crate) request: GraphRequest,
    /// For the graph.
    pub(crate) graph: Arc<FetchedRows>,
    /// p95 by destination workload, for splits.
    pub(crate) by_revision: Option<Vec<MetricRow>>,
    /// The queries in order.
    pub(crate) records: Vec<QueryRecord>,
    /// What the server says against its answers.
    pub(crate) warnings: BTreeSet<String>,
}

impl Fetched {
    /// The first failure, if any query failed.
    pub(crate) fn failure(&self) -> Option<&SourceError> {
        self.graph
            .answers
            .iter()
            .find_map(|(_, answer)| answer.as_ref().err())
    }

    /// Whether any query answered.
    pub(crate) fn any_answer(&self) -> bool {
        self.graph.answers.iter().any(|(_, answer)| answer.is_ok())
    }

    /// Rates of requests, if they are known.
    pub(crate) fn requests(&self) -> Option<&[MetricRow]> {
        let mut of_requests = self
            .graph
            .answers
            .iter()
            .filter(|(q, _)| q.measure == Measure::Requests);
        of_requests.find_map(|(_, answer)| answer.as_deref().ok())
    }
}

/// Asks everything that a tick needs: the graph's own queries, and p95 by destination workload. What does not fit into
/// the budget is left out, from the end.
pub(crate) async fn fetch(
    metrics: &Arc<dyn MetricsSource>,
    request: &GraphRequest,
    with_splits: bool,
) -> Fetched {
    let mut queries = graph::queries(request);
    let graph_queries = queries.len();
    let revision_at = (with_splits && queries.len() < QUERIES_PER_TICK).then(|| {
        queries.push(latency_by_workload(request));
        queries.len() - 1
    });
    let answers = ask_all(metrics, &queries).await;
    let mut rows = FetchedRows::default();
    let mut fetched = Fetched {
        request: request.clone(),
        graph: Arc::default(),
        by_revision: None,
        records: Vec::new(),
        warnings: BTreeSet::new(),
    };
    for (position, (query, answer)) in queries.into_iter().zip(answers).enumerate() {
        if let Ok(answer) = &answer {
            fetched.warnings.extend(answer.warnings.iter().cloned());
        }
        let answer = answer.map(|answer| answer.rows);
        fetched.records.push(record(&query, &answer));
        if position < graph_queries {
            rows.answers.push((query, answer));
        } else if Some(position) == revision_at {
            fetched.by_revision = answer.ok();
        }
    }
    fetched.graph = Arc::new(rows);
    fetched
}

/// Asks all, a few at a time. A server that has answered nothing and lets a question time out is not asked the others:
/// they share its failure, so that a tick lasts one deadline, and a server in trouble is left alone.
async fn ask_all(
    metrics: &Arc<dyn MetricsSource>,
    queries: &[MetricsQuery],
) -> Vec<Result<MetricRows, SourceError>> {
    let slots = Arc::new(Semaphore::new(IN_FLIGHT));
    let silence = Arc::new(OnceLock::new());
    let heard = Arc::new(AtomicBool::new(false));
    let mut running = JoinSet::new();
    for (position, query) in queries.iter().enumerate() {
        let (metrics, query) = (Arc::clone(metrics), query.clone());
        let (slots, silence) = (Arc::clone(&slots), Arc::clone(&silence));
        let heard = Arc::clone(&heard);
        running.spawn(async move {
            let _slot = slots.acquire().await;
            if let Some(error) = silence.get() {
                return (position, Err(SourceError::clone(error)));
            }
            let begun = Instant::now();
            let answer: Answer<'_, MetricRows> = metrics.query(&query);
            let answer = answer.await;
            let at_once = begun.elapsed() < PATIENCE;
            match &answer {
                Ok(_) => heard.store(true, Ordering::Relaxed),
                Err(error) if is_silence(error, at_once || heard.load(Ordering::Relaxed)) => {
                    silence.get_or_init(|| error.clone());
                }
                Err(_) => {}
            }
            (position, answer)
        });
    }
    let lost = || {
        SourceError::new(
            SourceKind::Metrics,
            SourceErrorKind::ServerError,
            "a metrics query was cut off",
        )
    };
    let mut answers: Vec<_> = queries.iter().map(|_| Err(lost())).collect();
    while let Some(done) = running.join_next().await {
        if let Ok((position, answer)) = done
            && let Some(slot) = answers.get_mut(position)
        {
            *slot = answer;
        }
    }
    answers
}

/// Nobody there, or nobody who answers in time: the next question would fare no better. Where other questions were
/// answered, or the server said at once that it gives this one up, only this one was too dear.
fn is_silence(error: &SourceError, heard: bool) -> bool {
    error.kind == SourceErrorKind::Unreachable
        || (error.kind == SourceErrorKind::TimedOut && !heard)
}

fn record(query: &MetricsQuery, answer: &Result<Vec<MetricRow>, SourceError>) -> QueryRecord {
    QueryRecord {
        name: name_of(query),
        promql: promql::write(query),
        outcome: answer
            .as_ref()
            .map(Vec::len)
            .map_err(|error| error.message.clone()),
    }
}

fn name_of(query: &MetricsQuery) -> String {
    let by_edge = query.by.iter().any(|label| label.starts_with("source_"));
    match query.measure {
        Measure::Requests => "requests".to_owned(),
        Measure::GrpcSentMessages => "grpc messages sent".to_owned(),
        Measure::GrpcReceivedMessages => "grpc messages received".to_owned(),
        Measure::TcpSentBytes => "tcp bytes sent".to_owned(),
        Measure::TcpReceivedBytes => "tcp bytes received".to_owned(),
        Measure::LatencySum => "latency sum".to_owned(),
        Measure::LatencyCount => "latency count".to_owned(),
        Measure::LatencyQuantile(q) => {
            format!(
                "latency p{} by {}",
                f64::from(q) / 10.0,
                if by_edge { "edge" } else { "callee" }
            )
        }
    }
}

const CALLEE: [&str; 4] = [
    "destination_workload_namespace",
    "destination_workload",
    "destination_canonical_service",
    "destination_canonical_revision",
];

fn latency_by_workload(request: &GraphRequest) -> MetricsQuery {
    let by = std::iter::once("reporter")
        .chain(CALLEE)
        .map(str::to_owned)
        .collect();
    let callee_side = Matcher {
        label: "reporter".to_owned(),
        op: MatchOp::In,
        values: vec!["destination".to_owned(), "waypoint".to_owned()],
    };
    MetricsQuery {
        measure: Measure::LatencyQuantile(950),
        by,
        matchers: vec![callee_side],
        window: request.window,
        at: request.at,
        idle: false,
    }
}
