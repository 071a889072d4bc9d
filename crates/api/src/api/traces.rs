//! Traces: search, one trace, services and operations.

use std::sync::Arc;

use pilothouse_core::graph::Node;
use pilothouse_core::model::SourceError;
use pilothouse_core::ports::{TraceSearch, TraceSource};
use pilothouse_core::trace::{self, Trace, TraceId, TraceSummary};
use pilothouse_engine::Engine;

use super::{Api, span_of_seconds};
use crate::convert::{bad_request, from_source, not_found, trace_row, trace_view};
use crate::dto::{
    ApiError, OperationsRequest, ServicesView, TraceIdRequest, TraceListView, TraceSearchRequest,
    TraceView, TracesOfRequest,
};

/// How many times the limit is asked for where some of the answers will be left out here.
const SPARE: usize = 10;
/// Traces that a search answers if the request names no limit.
const DEFAULT_LIMIT: u32 = 20;
/// Most traces that one search answers.
const MAX_LIMIT: u32 = 1_500;
/// How far a search looks back if the request does not say.
const DEFAULT_SINCE_S: f64 = 3_600.0;

impl Api {
    /// Services that have traces.
    ///
    /// # Errors
    /// If the trace source fails.
    pub async fn trace_services(
        &self,
        request: &TracesOfRequest,
    ) -> Result<ServicesView, ApiError> {
        let backend = self.backend(request.context.as_deref())?;
        let names = backend.noted(backend.source.services().await)?;
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
        let backend = self.backend(request.context.as_deref())?;
        let names = backend.noted(backend.source.operations(&request.service).await)?;
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
        let ends = self.ends_of(request)?;
        let context = request.context.clone().or_else(|| ends.context.clone());
        let backend = self.backend(context.as_deref())?;
        let search = search_of(request, ends, &backend).await?;
        let found = backend.noted(backend.source.find(&search.search).await)?;
        let wanted = |summary: &&TraceSummary| {
            search
                .also
                .as_ref()
                .is_none_or(|name| calls_service(summary, name))
        };
        let mut traces: Vec<_> = found.traces.iter().filter(wanted).map(trace_row).collect();
        let cut = traces.len() > search.limit;
        traces.truncate(search.limit);
        let asked = &backend.engine.config().context;
        Ok(TraceListView {
            traces,
            partial: found.partial || cut,
            sources: self
                .sources()
                .into_iter()
                .filter(|s| s.name == "traces" && s.context == *asked)
                .collect(),
        })
    }

    /// One trace, analysed.
    ///
    /// # Errors
    /// If the id is malformed, the source fails, or it has no such trace.
    pub async fn trace(&self, request: &TraceIdRequest) -> Result<TraceView, ApiError> {
        let backend = self.backend(request.context.as_deref())?;
        let trace = backend.trace(&request.trace_id).await?;
        let clock = if request.raw_clock {
            trace::Clock::Raw
        } else {
            trace::Clock::Corrected
        };
        let picture = self.workspace().picture();
        Ok(trace_view(
            &trace,
            &trace::analyze(&trace, clock),
            &picture.graph,
        ))
    }

    /// One trace of the first open context as OTLP JSON, raw.
    ///
    /// # Errors
    /// As [`Api::trace`].
    pub async fn trace_otlp(&self, trace_id: &str) -> Result<serde_json::Value, ApiError> {
        let trace = self.backend(None)?.trace(trace_id).await?;
        Ok(trace::to_otlp_json(&trace))
    }

    fn backend(&self, context: Option<&str>) -> Result<Backend, ApiError> {
        let engine = self.workspace().engine_of(context)?;
        let source = engine.sources().traces.clone();
        Ok(Backend {
            source: source.map_err(|error| from_source(&error))?,
            engine,
        })
    }

    /// Canonical services (`name.namespace`) of the wanted edge's caller and callee, or of the wanted node.
    fn ends_of(&self, request: &TraceSearchRequest) -> Result<Ends, ApiError> {
        let graph = Arc::clone(&self.workspace().picture().graph);
        let node_of = |id: &str| {
            let node = graph.nodes.iter().find(|node| node.id == id);
            node.ok_or_else(|| not_found(format!("the graph has no node `{id}`")))
        };
        let name_of = |node: &Node| {
            let name = node
                .app
                .as_ref()
                .or(node.workload.as_ref())
                .or(node.service.as_ref());
            name.map(|name| format!("{name}.{}", node.namespace))
        };
        if let Some(id) = &request.edge {
            let edge = graph.edges.iter().find(|edge| &edge.id == id);
            let edge = edge.ok_or_else(|| not_found(format!("the graph has no edge `{id}`")))?;
            let (caller, callee) = (node_of(&edge.source)?, node_of(&edge.target)?);
            return Ok(Ends {
                context: callee.context.clone().or_else(|| caller.context.clone()),
                caller: name_of(caller),
                callee: name_of(callee),
            });
        }
        let callee = request.node.as_deref().map(node_of).transpose()?;
        Ok(Ends {
            context: callee.and_then(|node| node.context.clone()),
            caller: None,
            callee: callee.and_then(name_of),
        })
    }
}

/// The trace source of a context.
struct Backend {
    engine: Arc<Engine>,
    source: Arc<dyn TraceSource>,
}

impl Backend {
    /// Passes an answer of the trace source on, and notes in its status how it went.
    fn noted<T>(&self, answer: Result<T, SourceError>) -> Result<T, ApiError> {
        self.engine
            .note_traces(answer.as_ref().map(|_| ()).map_err(Clone::clone));
        answer.map_err(|error| from_source(&error))
    }

    async fn trace(&self, id: &str) -> Result<Trace, ApiError> {
        let id = TraceId::parse(id).ok_or_else(|| {
            bad_request(format!(
                "`{id}` is no trace id: write up to 32 hexadecimal digits"
            ))
        })?;
        let found = self.noted(self.source.trace(id).await)?;
        found.ok_or_else(|| not_found(format!("the trace source has no trace {id}")))
    }
}

/// What a search is about.
struct Ends {
    context: Option<String>,
    caller: Option<String>,
    callee: Option<String>,
}

struct Search {
    search: TraceSearch,
    /// How many are wanted in the end.
    limit: usize,
    /// A service that must take part besides the searched one.
    also: Option<String>,
}

async fn search_of(
    request: &TraceSearchRequest,
    ends: Ends,
    backend: &Backend,
) -> Result<Search, ApiError> {
    let now = backend.engine.now();
    let since = request.since_s.unwrap_or(DEFAULT_SINCE_S);
    if !(since > 0.0 && since.is_finite()) {
        return Err(bad_request("a search looks back by more than 0 s"));
    }
    let Ends { caller, callee, .. } = ends;
    let wanted = request.service.clone().or_else(|| callee.clone());
    let names = match (&wanted, request.service.is_some()) {
        (Some(_), false) => backend.noted(backend.source.services().await)?,
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
