//! Everything once, without background tasks: what a command line needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use pilothouse_core::graph::{self, FetchedRows, GraphRequest};
use pilothouse_core::model::{
    Finding, Object, ObjectKind, SourceError, SourceErrorKind, SourceKind, TimeSpan,
};
use pilothouse_core::ports::ObjectEvent;

use super::Observation;
use super::fetch::fetch;
use super::snapshot::QueryRecord;

/// What a graph is folded from.
pub struct GraphAnswers {
    /// Rows of every query of the request, or why there are none.
    pub rows: Arc<FetchedRows>,
    /// The queries as they were asked.
    pub queries: Vec<QueryRecord>,
    /// What speaks against the numbers.
    pub doubts: Vec<Finding>,
    /// The objects that were loaded last.
    pub objects: Arc<Vec<Object>>,
}

/// A window in which there may be fewer than two scrapes.
const SHORT_WINDOW: TimeSpan = TimeSpan::seconds(30);

impl Observation {
    /// Lists every kind of object once, all at the same time.
    pub(crate) async fn load_objects(&self) {
        let Ok(control_plane) = self.sources.control_plane.clone() else {
            return;
        };
        let mut listing = tokio::task::JoinSet::new();
        for kind in ObjectKind::ALL {
            let control_plane = Arc::clone(&control_plane);
            listing.spawn(async move {
                match control_plane.list(kind).await {
                    Ok(objects) => ObjectEvent::Listed { kind, objects },
                    Err(error) => ObjectEvent::Failed { kind, error },
                }
            });
        }
        while let Some(done) = listing.join_next().await {
            if let Ok(event) = done {
                self.take_event(event);
            }
        }
    }

    /// Objects, metrics and versions once; then the snapshot is there to read.
    pub(crate) async fn load(&self) {
        // At the same time: a source that does not answer costs its own deadline, not the sum of all.
        tokio::join!(self.load_objects(), self.probe(), self.ask());
        self.fold().await;
    }

    /// Asks the metrics what a graph by this request needs. Failed queries leave unknown numbers and are noted in the
    /// metrics' status.
    pub(crate) async fn answers(&self, request: &GraphRequest) -> GraphAnswers {
        if request.window <= SHORT_WINDOW {
            // Whether it holds two scrapes is worth a look at how often they come.
            self.probe_metrics().await;
        }
        let begun = self.now();
        let (rows, queries, warnings) = match &self.sources.metrics {
            Ok(metrics) => {
                let fetched = fetch(metrics, request, false).await;
                let took = self.now().since(begun);
                self.lock().note_metrics(&fetched, begun, took);
                if fetched.requests().is_some_and(<[_]>::is_empty) {
                    // Nothing was sent, or it knows no mesh.
                    self.probe_metrics().await;
                }
                (fetched.graph, fetched.records, fetched.warnings)
            }
            Err(_) => (Arc::new(self.unasked(request)), Vec::new(), BTreeSet::new()),
        };
        GraphAnswers {
            rows,
            queries,
            doubts: self.doubts(request, &warnings),
            objects: Arc::new(self.objects()),
        }
    }

    /// Answers of a metrics source that was never asked: every number unknown, none zero.
    pub(super) fn unasked(&self, request: &GraphRequest) -> FetchedRows {
        let reason = self
            .sources
            .metrics
            .as_ref()
            .err()
            .cloned()
            .unwrap_or_else(|| {
                SourceError::new(
                    SourceKind::Metrics,
                    SourceErrorKind::NotConfigured,
                    "the metrics have not been asked yet",
                )
            });
        let answers = graph::queries(request)
            .into_iter()
            .map(|query| (query, Err(reason.clone())))
            .collect();
        FetchedRows { answers }
    }
}
