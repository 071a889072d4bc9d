//! Traces: search, one trace, services and operations. Each asks the contexts that are meant, all if none is named, and
//! every answer says whose it is.

mod backends;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pilothouse_core::graph::Node;
use pilothouse_core::model::{Moment, SourceError};
use pilothouse_core::ports::TraceSearch;
use pilothouse_core::trace::{self, Trace, TraceId, TraceSummary};

use super::{Api, span_of_seconds};
use crate::convert::{bad_request, not_found, trace_row, trace_view};
use crate::dto::{
    ApiError, OperationsRequest, ServicesView, TraceIdRequest, TraceListView, TraceSearchRequest,
    TraceView, TracesOfRequest,
};
use backends::{Answers, Backend};

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
    /// If every trace source that is asked fails.
    pub async fn trace_services(
        &self,
        request: &TracesOfRequest,
    ) -> Result<ServicesView, ApiError> {
        let asked = self.ask_traces(named(request.context.as_ref()), |backend| async move {
            backend.noted(backend.source().services().await)
        });
        names_view(asked.await?)
    }

    /// Operations of a service.
    ///
    /// # Errors
    /// If every trace source that is asked fails.
    pub async fn trace_operations(
        &self,
        request: &OperationsRequest,
    ) -> Result<ServicesView, ApiError> {
        let asked = self.ask_traces(named(request.context.as_ref()), |backend| {
            let service = request.service.clone();
            async move { backend.noted(backend.source().operations(&service).await) }
        });
        names_view(asked.await?)
    }

    /// Traces that match, newest first.
    ///
    /// # Errors
    /// If every trace source that is asked fails, or the node or edge does not exist.
    pub async fn find_traces(
        &self,
        request: &TraceSearchRequest,
    ) -> Result<TraceListView, ApiError> {
        let ends = self.ends_of(request)?;
        let contexts = match &request.context {
            Some(context) => vec![context.clone()],
            None => ends.contexts.clone(),
        };
        let search = Arc::new(Search::new(request, ends)?);
        let asked = self.ask_traces(&contexts, |backend| {
            let search = Arc::clone(&search);
            async move { search.ask(&backend).await }
        });
        let (answers, failures) = asked.await?.or_failure()?;
        let answered: BTreeSet<&String> = answers.iter().map(|(context, _)| context).collect();
        let failed = failures.iter().map(|failure| &failure.context);
        let asked: BTreeSet<&String> = answered.into_iter().chain(failed).collect();
        let sources = self.sources().into_iter();
        let sources = sources
            .filter(|s| s.name == "traces" && asked.contains(&s.context))
            .collect();
        let more = answers.iter().any(|(_, found)| found.partial);
        let mut traces = merged(&answers);
        let cut = traces.len() > search.limit;
        traces.truncate(search.limit);
        let rows = traces.iter();
        Ok(TraceListView {
            traces: rows
                .map(|(context, summary)| trace_row(context, summary))
                .collect(),
            partial: more || cut,
            sources,
            failures,
        })
    }

    /// One trace, analysed.
    ///
    /// # Errors
    /// If the id is malformed, or no source that is asked has such a trace; if one of them failed, that it did.
    pub async fn trace(&self, request: &TraceIdRequest) -> Result<TraceView, ApiError> {
        let (context, trace) = self.read_trace(request).await?;
        let clock = if request.raw_clock {
            trace::Clock::Raw
        } else {
            trace::Clock::Corrected
        };
        let picture = self.workspace().picture();
        Ok(trace_view(
            &context,
            &trace,
            &trace::analyze(&trace, clock),
            &picture.graph,
        ))
    }

    /// One trace as OTLP JSON, raw.
    ///
    /// # Errors
    /// As [`Api::trace`].
    pub async fn trace_otlp(
        &self,
        request: &TraceIdRequest,
    ) -> Result<serde_json::Value, ApiError> {
        let (_, trace) = self.read_trace(request).await?;
        Ok(trace::to_otlp_json(&trace))
    }

    /// The trace, and the context whose source has it: the first one of several.
    async fn read_trace(&self, request: &TraceIdRequest) -> Result<(String, Trace), ApiError> {
        let text = &request.trace_id;
        let id = TraceId::parse(text).ok_or_else(|| {
            bad_request(format!(
                "`{text}` is no trace id: write up to 32 hexadecimal digits"
            ))
        })?;
        let asked = self.ask_traces(named(request.context.as_ref()), |backend| async move {
            backend.noted(backend.source().trace(id).await)
        });
        let asked = asked.await?;
        let failure = asked.first_failure();
        let mut answers = asked.answers.into_iter();
        let found = answers.find_map(|(context, trace)| Some((context, trace?)));
        found.ok_or_else(|| {
            // Who did not answer may have it.
            failure.unwrap_or_else(|| not_found(format!("the trace source has no trace {id}")))
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
            // A call between two clusters is told of by both.
            let ends = [callee, caller].into_iter();
            let contexts: BTreeSet<String> = ends.filter_map(|end| end.context.clone()).collect();
            return Ok(Ends {
                contexts: contexts.into_iter().collect(),
                caller: name_of(caller),
                callee: name_of(callee),
            });
        }
        let callee = request.node.as_deref().map(node_of).transpose()?;
        Ok(Ends {
            contexts: callee
                .and_then(|node| node.context.clone())
                .into_iter()
                .collect(),
            caller: None,
            callee: callee.and_then(name_of),
        })
    }
}

/// The contexts of a request that may name one.
fn named(context: Option<&String>) -> &[String] {
    context.map_or(&[], std::slice::from_ref)
}

fn names_view(asked: Answers<Vec<String>>) -> Result<ServicesView, ApiError> {
    let (answers, failures) = asked.or_failure()?;
    let names: BTreeSet<String> = answers.into_iter().flat_map(|(_, names)| names).collect();
    Ok(ServicesView {
        names: names.into_iter().collect(),
        failures,
    })
}

/// Newest first. Contexts that ask one server find the same: that counts once, as the first one's.
fn merged(answers: &[(String, Found)]) -> Vec<(&str, &TraceSummary)> {
    let all = answers.iter().flat_map(|(context, found)| {
        let traces = found.traces.iter();
        traces.map(move |summary| (context.as_str(), summary))
    });
    let mut traces: Vec<(&str, &TraceSummary)> = Vec::new();
    let mut places: BTreeMap<TraceId, usize> = BTreeMap::new();
    for (context, summary) in all {
        let known = places.get(&summary.id).and_then(|&i| traces.get(i));
        if known.is_none_or(|(_, known)| *known != summary) {
            places.entry(summary.id).or_insert(traces.len());
            traces.push((context, summary));
        }
    }
    traces.sort_by_key(|(_, summary)| std::cmp::Reverse(summary.start_ns));
    traces
}

/// What a search is about.
struct Ends {
    /// Whose traces are meant; empty for those of all.
    contexts: Vec<String>,
    caller: Option<String>,
    callee: Option<String>,
}

/// A search, before each source is asked in its own words.
struct Search {
    request: TraceSearchRequest,
    since_s: f64,
    /// How many are wanted in the end.
    limit: usize,
    /// A service that must take part besides the searched one.
    caller: Option<String>,
    /// Canonical name of the searched one, if the request does not say it as the source does.
    callee: Option<String>,
}

/// What one source found, newest first, at most as many as are wanted.
struct Found {
    traces: Vec<TraceSummary>,
    partial: bool,
}

impl Search {
    fn new(request: &TraceSearchRequest, ends: Ends) -> Result<Self, ApiError> {
        let since_s = request.since_s.unwrap_or(DEFAULT_SINCE_S);
        if !(since_s > 0.0 && since_s.is_finite()) {
            return Err(bad_request("a search looks back by more than 0 s"));
        }
        Ok(Self {
            request: request.clone(),
            since_s,
            limit: request.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize,
            caller: ends.caller,
            callee: ends.callee,
        })
    }

    async fn ask(&self, backend: &Backend) -> Result<Found, SourceError> {
        let service = match (&self.request.service, &self.callee) {
            (Some(service), _) => Some(service.clone()),
            (None, Some(callee)) => {
                let names = backend.noted(backend.source().services().await)?;
                Some(matching_service(&names, callee).unwrap_or_else(|| callee.clone()))
            }
            (None, None) => None,
        };
        let search = self.of_service(service, backend.engine.now());
        let found = backend.noted(backend.source().find(&search).await)?;
        let wanted = |summary: &TraceSummary| {
            let caller = self.caller.as_ref();
            caller.is_none_or(|caller| calls_service(summary, caller))
        };
        let mut traces = found.traces;
        traces.retain(wanted);
        let cut = traces.len() > self.limit;
        traces.truncate(self.limit);
        Ok(Found {
            traces,
            partial: found.partial || cut,
        })
    }

    fn of_service(&self, service: Option<String>, now: Moment) -> TraceSearch {
        let request = &self.request;
        let operation = request.operation.clone();
        TraceSearch {
            service,
            operation: operation.filter(|operation| !operation.is_empty()),
            only_errors: request.only_errors,
            min_duration_ns: request.min_duration_ms.map(nanoseconds),
            max_duration_ns: request.max_duration_ms.map(nanoseconds),
            attributes: request.attributes.clone(),
            from: now.minus(span_of_seconds(self.since_s)),
            to: now,
            // Of the callee's traces, some are not the caller's: ask for more than are wanted.
            limit: if self.caller.is_some() {
                (self.limit * SPARE).min(MAX_LIMIT as usize)
            } else {
                self.limit
            },
        }
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
