//! The facade: one method per thing that a shell may ask.

use std::sync::Arc;

use pilothouse_core::graph::{GraphRequest, GraphType, LatencyStat, MeshGraph};
use pilothouse_core::model::{Moment, SourceError, TimeSpan};
use pilothouse_core::ports::{TraceSearch, TraceSource};
use pilothouse_core::trace::{self, TraceId, TraceSummary};
use pilothouse_core::traffic::ShiftRequest;
use pilothouse_engine::{Clock, Engine, ObservedSplit, Snapshot, StagedPlan};

use crate::convert::{
    bad_request, dry_run_view, entry_view, from_command, from_source, graph_view, layout_view,
    not_found, parse_split_id, plan_view, progress_view, session_view, source_views, split_views,
    splits_view, trace_row, trace_view,
};
use crate::dto::{
    ApiError, ApplyRequest, ArmRequest, DryRunView, GraphView, JournalEntryView, JournalView,
    OperationsRequest, PlanIdRequest, PlanRequest, PlanView, ServicesView, SessionView, SourceView,
    SplitsView, TraceIdRequest, TraceListView, TraceSearchRequest, TraceView, UndoRequest, Update,
    WindowRequest,
};

/// How many times the limit is asked for where some of the answers will be left out here.
const SPARE: usize = 10;
/// Traces that a search answers if the request names no limit.
const DEFAULT_LIMIT: u32 = 20;
/// Most traces that one search answers.
const MAX_LIMIT: u32 = 1_500;
/// How far a search looks back if the request does not say.
const DEFAULT_SINCE_S: f64 = 3_600.0;

/// What `graph` draws; everything that is not said is as on the Mesh screen.
#[derive(Clone, Debug)]
pub struct GraphQuery {
    /// The whole request.
    pub request: GraphRequest,
}

impl GraphQuery {
    /// The live graph's request as of now, to be changed where wanted.
    #[must_use]
    pub fn live(engine: &Engine) -> Self {
        Self {
            request: engine.config().live_request(engine.window(), engine.now()),
        }
    }

    /// Another identity of nodes: `workload`, `app`, `versioned-app`, `service`.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn graph_type(mut self, name: &str) -> Result<Self, ApiError> {
        self.request.graph_type = match name {
            "workload" => GraphType::Workload,
            "app" => GraphType::App,
            "versioned-app" => GraphType::VersionedApp,
            "service" => GraphType::Service,
            other => return Err(bad_request(format!("`{other}` is no graph type"))),
        };
        Ok(self)
    }

    /// Which latencies: a list of `avg`, `p50`, `p95`, `p99`, or `none` alone.
    ///
    /// # Errors
    /// If one is none of these.
    pub fn latency(mut self, names: &[String]) -> Result<Self, ApiError> {
        let parse = |name: &String| match name.as_str() {
            "avg" => Ok(LatencyStat::Avg),
            "p50" => Ok(LatencyStat::P50),
            "p95" => Ok(LatencyStat::P95),
            "p99" => Ok(LatencyStat::P99),
            other => Err(bad_request(format!(
                "`{other}` is no latency: write avg, p50, p95, p99 or none"
            ))),
        };
        let asked = if names == ["none"] { &[] } else { names };
        self.request.latency = asked.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Length of the rate window.
    #[must_use]
    pub fn window(mut self, milliseconds: i64) -> Self {
        self.request.window = TimeSpan(milliseconds);
        self
    }

    /// Moment of the numbers, RFC 3339.
    ///
    /// # Errors
    /// If the text is none.
    pub fn at_rfc3339(mut self, text: &str) -> Result<Self, ApiError> {
        self.request.at = parse_moment(text)?;
        Ok(self)
    }

    /// Which traffic is drawn, in the words of the command line.
    ///
    /// # Errors
    /// If a word is not one of its list.
    pub fn traffic(
        mut self,
        http: &str,
        grpc: &str,
        tcp: &str,
        ambient: &str,
    ) -> Result<Self, ApiError> {
        self.request.http = word("HTTP traffic", http)?;
        self.request.grpc = word("gRPC traffic", grpc)?;
        self.request.tcp = word("TCP traffic", tcp)?;
        self.request.ambient = word("ambient traffic", ambient)?;
        Ok(self)
    }

    /// Service nodes between callers and workloads; edges and nodes without traffic.
    #[must_use]
    pub fn shape(mut self, service_nodes: bool, idle_edges: bool, idle_nodes: bool) -> Self {
        self.request.service_nodes = service_nodes;
        self.request.idle_edges = idle_edges;
        self.request.idle_nodes = idle_nodes;
        self
    }
}

/// A clock that stands still at a moment (RFC 3339), for replays.
///
/// # Errors
/// If the text is no moment.
pub fn clock_at(text: &str) -> Result<Clock, ApiError> {
    let at = parse_moment(text)?;
    Ok(Arc::new(move || at))
}

fn parse_moment(text: &str) -> Result<Moment, ApiError> {
    let wrong = |_| bad_request(format!("`{text}` is no moment: write 2026-01-31T12:00:00Z"));
    let at: jiff::Timestamp = text.parse().map_err(wrong)?;
    Ok(Moment(at.as_millisecond()))
}

/// Reads one word of a closed list by its serialised name.
fn word<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, ApiError> {
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value)
        .map_err(|error| bad_request(format!("`{text}` is no {what}: {error}")))
}

/// The facade over one engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    engine: Arc<Engine>,
}

impl Api {
    /// A facade over this engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// The engine, for shells that start and stop it.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The newest state, whole, with positions.
    #[must_use]
    pub fn latest(&self) -> Update {
        self.update(&self.engine.snapshot(), None)
    }

    /// An update for a reader that has this version of the layout already.
    pub(crate) fn update(&self, snapshot: &Snapshot, known_layout: Option<u64>) -> Update {
        let now = self.engine.now();
        let sources = source_views(&snapshot.sources, now, self.engine.fresh_for());
        let splits = splits_view(&snapshot.splits, &snapshot.graph, &snapshot.watches);
        let graph = graph_view(
            snapshot.generation,
            &snapshot.graph,
            &snapshot.queries,
            sources,
            &splits.splits,
        );
        let layout_is_news = known_layout != Some(snapshot.layout.version);
        Update {
            graph,
            layout: layout_is_news.then(|| layout_view(&snapshot.layout)),
            splits,
            progress: snapshot
                .watches
                .iter()
                .map(|watch| progress_view(watch, now))
                .collect(),
            session: self.session(),
        }
    }

    /// Where we are and whether we may write.
    #[must_use]
    pub fn session(&self) -> SessionView {
        session_view(&self.engine)
    }

    /// Every source as of now.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceView> {
        source_views(
            &self.engine.statuses(),
            self.engine.now(),
            self.engine.fresh_for(),
        )
    }

    /// Splits of the newest snapshot.
    #[must_use]
    pub fn splits(&self) -> SplitsView {
        let snapshot = self.engine.snapshot();
        splits_view(&snapshot.splits, &snapshot.graph, &snapshot.watches)
    }

    /// Every route entry of the newest snapshot, those with a single destination too.
    #[must_use]
    pub fn all_splits(&self) -> SplitsView {
        let snapshot = self.engine.snapshot();
        let mut splits: Vec<_> =
            split_views(&snapshot.splits, &snapshot.graph, &snapshot.watches).collect();
        splits.sort_by(|a, b| a.id.cmp(&b.id));
        SplitsView { splits }
    }

    /// A graph by any request, over the objects loaded last.
    pub async fn graph(&self, query: &GraphQuery) -> (GraphView, MeshGraph) {
        let (graph, queries) = self.engine.graph(&query.request).await;
        let splits = self.splits();
        let view = graph_view(
            self.engine.snapshot().generation,
            &graph,
            &queries,
            self.sources(),
            &splits.splits,
        );
        (view, graph)
    }

    /// Asks for a tick now.
    pub fn refresh(&self) {
        self.engine.refresh();
    }

    /// Changes the window of every rate.
    ///
    /// # Errors
    /// If it is below 15 s or above a day.
    pub fn set_window(&self, request: &WindowRequest) -> Result<SessionView, ApiError> {
        if !(15.0..=86_400.0).contains(&request.window_s) {
            return Err(bad_request("a window lasts between 15 s and one day"));
        }
        self.engine.set_window(span_of_seconds(request.window_s));
        Ok(self.session())
    }

    /// Unlocks writes for a while.
    ///
    /// # Errors
    /// If the context's name is asked for and not given.
    pub fn arm(&self, request: &ArmRequest) -> Result<SessionView, ApiError> {
        self.engine
            .arm(request.typed_name.as_deref())
            .map_err(from_command)?;
        Ok(self.session())
    }

    /// Locks writes.
    #[must_use]
    pub fn disarm(&self) -> SessionView {
        self.engine.disarm();
        self.session()
    }

    /// Stages a shift.
    ///
    /// # Errors
    /// If the split or a destination does not exist, or the control plane cannot be read.
    pub async fn plan_shift(&self, request: &PlanRequest) -> Result<PlanView, ApiError> {
        let weights = request
            .weights
            .iter()
            .map(|w| (w.destination.clone(), w.weight))
            .collect();
        let shift = ShiftRequest {
            split: parse_split_id(&request.split_id)?,
            weights,
        };
        let staged = self.engine.plan_shift(&shift).await.map_err(from_command)?;
        Ok(self.staged_view(&staged))
    }

    /// Stages the inverse of a journal entry.
    ///
    /// # Errors
    /// If nothing can be undone, or the weights are no longer ours.
    pub async fn plan_undo(&self, request: &UndoRequest) -> Result<PlanView, ApiError> {
        let staged = self
            .engine
            .plan_undo(request.entry_id.as_deref())
            .await
            .map_err(from_command)?;
        Ok(self.staged_view(&staged))
    }

    /// Lets the server try a plan.
    ///
    /// # Errors
    /// What the server says, verbatim.
    pub async fn dry_run(&self, request: &PlanIdRequest) -> Result<DryRunView, ApiError> {
        self.engine
            .dry_run(&request.plan_id)
            .await
            .map(|answer| dry_run_view(&answer))
            .map_err(from_command)
    }

    /// Carries a plan out.
    ///
    /// # Errors
    /// Unless writes are armed and the server takes it.
    pub async fn apply(&self, request: &ApplyRequest) -> Result<JournalEntryView, ApiError> {
        let entry = self
            .engine
            .apply(&request.plan_id, &request.reason)
            .await
            .map_err(from_command)?;
        Ok(entry_view(&entry, true))
    }

    /// The journal of this context, newest first.
    #[must_use]
    pub fn journal(&self) -> JournalView {
        let entries = self.engine.journal();
        JournalView {
            entries: entries
                .iter()
                .map(|(entry, undoable)| entry_view(entry, *undoable))
                .collect(),
        }
    }

    /// Services that have traces.
    ///
    /// # Errors
    /// If the trace source fails.
    pub async fn trace_services(&self) -> Result<ServicesView, ApiError> {
        let source = self.trace_source()?;
        let names = self.noted(source.services().await)?;
        Ok(ServicesView { names })
    }

    /// Operations of a service.
    ///
    /// # Errors
    /// If the trace source fails.
    pub async fn trace_operations(
        &self,
        request: &OperationsRequest,
    ) -> Result<ServicesView, ApiError> {
        let source = self.trace_source()?;
        let names = self.noted(source.operations(&request.service).await)?;
        Ok(ServicesView { names })
    }

    /// Traces that match, newest first.
    ///
    /// # Errors
    /// If the trace source fails or the node or edge does not exist.
    pub async fn find_traces(
        &self,
        request: &TraceSearchRequest,
    ) -> Result<TraceListView, ApiError> {
        let source = self.trace_source()?;
        let search = self.search_of(request, &*source).await?;
        let found = self.noted(source.find(&search.search).await)?;
        let wanted = |summary: &&TraceSummary| {
            search
                .also
                .as_ref()
                .is_none_or(|name| calls_service(summary, name))
        };
        let mut traces: Vec<_> = found.traces.iter().filter(wanted).map(trace_row).collect();
        let cut = traces.len() > search.limit;
        traces.truncate(search.limit);
        Ok(TraceListView {
            traces,
            partial: found.partial || cut,
            sources: self
                .sources()
                .into_iter()
                .filter(|s| s.name == "traces")
                .collect(),
        })
    }

    /// One trace, analysed.
    ///
    /// # Errors
    /// If the id is malformed, the source fails, or it has no such trace.
    pub async fn trace(&self, request: &TraceIdRequest) -> Result<TraceView, ApiError> {
        let wrong = || {
            bad_request(format!(
                "`{}` is no trace id: write up to 32 hexadecimal digits",
                request.trace_id
            ))
        };
        let id = TraceId::parse(&request.trace_id).ok_or_else(wrong)?;
        let source = self.trace_source()?;
        let found = self.noted(source.trace(id).await)?;
        let trace =
            found.ok_or_else(|| not_found(format!("the trace source has no trace {id}")))?;
        let clock = if request.raw_clock {
            trace::Clock::Raw
        } else {
            trace::Clock::Corrected
        };
        let graph = Arc::clone(&self.engine.snapshot().graph);
        Ok(trace_view(&trace, &trace::analyze(&trace, clock), &graph))
    }

    /// One trace as OTLP JSON, raw.
    ///
    /// # Errors
    /// As [`Api::trace`].
    pub async fn trace_otlp(&self, trace_id: &str) -> Result<serde_json::Value, ApiError> {
        let wrong = || {
            bad_request(format!(
                "`{trace_id}` is no trace id: write up to 32 hexadecimal digits"
            ))
        };
        let id = TraceId::parse(trace_id).ok_or_else(wrong)?;
        let found = self.noted(self.trace_source()?.trace(id).await)?;
        let trace =
            found.ok_or_else(|| not_found(format!("the trace source has no trace {id}")))?;
        Ok(trace::to_otlp_json(&trace))
    }

    fn staged_view(&self, staged: &StagedPlan) -> PlanView {
        let snapshot = self.engine.snapshot();
        let split: Option<&ObservedSplit> = snapshot
            .splits
            .iter()
            .find(|s| s.split.id == staged.plan.split);
        plan_view(staged, split)
    }

    fn trace_source(&self) -> Result<Arc<dyn TraceSource>, ApiError> {
        self.engine
            .sources()
            .traces
            .clone()
            .map_err(|error| from_source(&error))
    }

    /// Passes an answer of the trace source on, and notes in its status how it went.
    fn noted<T>(&self, answer: Result<T, SourceError>) -> Result<T, ApiError> {
        self.engine
            .note_traces(answer.as_ref().map(|_| ()).map_err(Clone::clone));
        answer.map_err(|error| from_source(&error))
    }
}

struct Search {
    search: TraceSearch,
    /// How many are wanted in the end.
    limit: usize,
    /// A service that must take part besides the searched one.
    also: Option<String>,
}

impl Api {
    async fn search_of(
        &self,
        request: &TraceSearchRequest,
        source: &dyn TraceSource,
    ) -> Result<Search, ApiError> {
        let now = self.engine.now();
        let since = request.since_s.unwrap_or(DEFAULT_SINCE_S);
        if !(since > 0.0 && since.is_finite()) {
            return Err(bad_request("a search looks back by more than 0 s"));
        }
        let (caller, callee) = self.ends_of(request)?;
        let wanted = request.service.clone().or_else(|| callee.clone());
        let names = match (&wanted, request.service.is_some()) {
            (Some(_), false) => self.noted(source.services().await)?,
            _ => Vec::new(),
        };
        let known = |name: String| matching_service(&names, &name).unwrap_or(name);
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
        let search = TraceSearch {
            service: wanted.map(known),
            operation: request
                .operation
                .clone()
                .filter(|operation| !operation.is_empty()),
            only_errors: request.only_errors,
            min_duration_ns: request.min_duration_ms.map(nanoseconds),
            max_duration_ns: request.max_duration_ms.map(nanoseconds),
            attributes: request.attributes.clone(),
            from: now.minus(span_of_seconds(since)),
            to: now,
            // Of the callee's traces, some are not the caller's: ask for more than are wanted.
            limit: if caller.is_some() {
                (limit * SPARE).min(MAX_LIMIT as usize)
            } else {
                limit
            },
        };
        Ok(Search {
            search,
            also: caller,
            limit,
        })
    }

    /// Canonical services (`name.namespace`) of the wanted edge's caller and callee, or of the wanted node.
    fn ends_of(
        &self,
        request: &TraceSearchRequest,
    ) -> Result<(Option<String>, Option<String>), ApiError> {
        let graph = Arc::clone(&self.engine.snapshot().graph);
        let name_of = |id: &str| {
            let node = graph.nodes.iter().find(|node| node.id == id);
            let node = node.ok_or_else(|| not_found(format!("the graph has no node `{id}`")))?;
            let name = node
                .app
                .as_ref()
                .or(node.workload.as_ref())
                .or(node.service.as_ref());
            Ok::<_, ApiError>(name.map(|name| format!("{name}.{}", node.namespace)))
        };
        if let Some(id) = &request.edge {
            let edge = graph.edges.iter().find(|edge| &edge.id == id);
            let edge = edge.ok_or_else(|| not_found(format!("the graph has no edge `{id}`")))?;
            return Ok((name_of(&edge.source)?, name_of(&edge.target)?));
        }
        let callee = request.node.as_deref().map(name_of).transpose()?.flatten();
        Ok((None, callee))
    }
}

/// The backend's name of a canonical service: `reviews.shop`, else `reviews`.
fn matching_service(names: &[String], canonical: &str) -> Option<String> {
    let short = canonical.split('.').next().unwrap_or(canonical);
    let exact = names.iter().find(|name| *name == canonical);
    exact
        .or_else(|| names.iter().find(|name| *name == short))
        .cloned()
}

fn calls_service(summary: &TraceSummary, canonical: &str) -> bool {
    let short = canonical.split('.').next().unwrap_or(canonical);
    summary
        .services
        .iter()
        .any(|s| s.name == canonical || s.name == short)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is meant"
)]
fn nanoseconds(milliseconds: f64) -> u64 {
    (milliseconds * 1e6) as u64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, which is what is meant"
)]
fn span_of_seconds(seconds: f64) -> TimeSpan {
    TimeSpan((seconds * 1000.0) as i64)
}
