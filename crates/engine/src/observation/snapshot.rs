//! What readers get: one immutable picture per generation.

use std::sync::Arc;

use pilothouse_core::graph::{FetchedRows, GraphRequest, MeshGraph};
use pilothouse_core::layout::Layout;
use pilothouse_core::model::{Moment, Object};
use pilothouse_core::ports::{ControlPlaneIdentity, Measure};
use pilothouse_core::traffic::{ObservedDestination, Split};

use crate::sources::SourceStatus;

/// A split with what the metrics say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedSplit {
    /// As declared.
    pub split: Split,
    /// Observed, one per destination and in their order.
    pub observed: Vec<ObservedDestination>,
}

/// A query as it was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryRecord {
    /// What it measures.
    pub name: String,
    /// Its text.
    pub promql: String,
    /// Rows answered, or why there are none.
    pub outcome: Result<usize, String>,
}

/// The world at one generation.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts from 1; 0 is the empty picture before the first answer.
    pub generation: u64,
    /// When it was folded.
    pub taken_at: Moment,
    /// The graph; its request says window and moment of the numbers.
    pub graph: Arc<MeshGraph>,
    /// Positions.
    pub layout: Arc<Layout>,
    /// Declared objects.
    pub objects: Arc<Vec<Object>>,
    /// Splits, sorted by id.
    pub splits: Arc<Vec<ObservedSplit>>,
    /// Control plane, metrics, traces.
    pub sources: Vec<SourceStatus>,
    /// What the metrics answered for the graph; `None` before the first answer, and without metrics.
    pub answers: Option<Arc<FetchedRows>>,
    /// The queries behind the numbers.
    pub queries: Arc<Vec<QueryRecord>>,
    /// Who and where we are, once the control plane said so.
    pub identity: Option<ControlPlaneIdentity>,
}

impl Snapshot {
    /// Before anything was heard of.
    pub(super) fn empty(request: GraphRequest, now: Moment, sources: Vec<SourceStatus>) -> Self {
        Self {
            generation: 0,
            taken_at: now,
            graph: Arc::new(MeshGraph {
                request,
                nodes: Vec::new(),
                edges: Vec::new(),
                findings: Vec::new(),
            }),
            layout: Arc::new(Layout::default()),
            objects: Arc::new(Vec::new()),
            splits: Arc::new(Vec::new()),
            sources,
            answers: None,
            queries: Arc::new(Vec::new()),
            identity: None,
        }
    }

    /// Whether the metrics have said who calls whom.
    #[must_use]
    pub fn calls_are_known(&self) -> bool {
        let answers = self.answers.iter().flat_map(|rows| &rows.answers);
        let mut of_requests = answers.filter(|(query, _)| query.measure == Measure::Requests);
        of_requests.any(|(_, answer)| answer.is_ok())
    }
}
