use pilothouse_core::model::{SourceErrorKind, SourceKind};
use pilothouse_core::ports::{Answer, Probe, TraceSource, TracesFound};
use pilothouse_engine::{Class, EngineConfig, Sources, system_clock};

use super::*;
use crate::connector::Opened;
use crate::dto::Code;
use crate::workspace::Workspace;

/// A trace source that has these traces, or fails.
struct Fake(Result<Vec<TraceSummary>, SourceErrorKind>);

impl Fake {
    fn traces(&self) -> Result<Vec<TraceSummary>, SourceError> {
        let failure = |kind| SourceError::new(SourceKind::Traces, kind, "no route to host");
        self.0.clone().map_err(failure)
    }
}

impl TraceSource for Fake {
    fn probe(&self) -> Answer<'_, Probe> {
        Box::pin(async { Ok(Probe::default()) })
    }

    fn services(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async {
            let traces = self.traces()?;
            Ok(traces.into_iter().map(|t| t.root_service).collect())
        })
    }

    fn operations<'a>(&'a self, _: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async {
            let traces = self.traces()?;
            Ok(traces.into_iter().map(|t| t.root_operation).collect())
        })
    }

    fn find<'a>(&'a self, search: &'a TraceSearch) -> Answer<'a, TracesFound> {
        Box::pin(async {
            let mut traces = self.traces()?;
            let partial = traces.len() > search.limit;
            traces.truncate(search.limit);
            Ok(TracesFound { traces, partial })
        })
    }

    fn trace(&self, id: TraceId) -> Answer<'_, Option<Trace>> {
        Box::pin(async move {
            let has = self.traces()?.iter().any(|summary| summary.id == id);
            Ok(has.then_some(Trace {
                id,
                spans: Vec::new(),
                partial: false,
                warnings: Vec::new(),
            }))
        })
    }
}

fn summary(id: u128, start_s: u64) -> TraceSummary {
    TraceSummary {
        id: TraceId(id),
        root_service: format!("web-{id}"),
        root_operation: "GET /".to_owned(),
        start_ns: start_s * 1_000_000_000,
        duration_ns: 5,
        spans: 1,
        errors: 0,
        orphans: 0,
        services: Vec::new(),
        revisions: Vec::new(),
    }
}

fn has(traces: &[TraceSummary]) -> Fake {
    Fake(Ok(traces.to_vec()))
}

fn down() -> Fake {
    Fake(Err(SourceErrorKind::Unreachable))
}

/// An api over contexts, each with its traces; `None` has no trace source.
fn api(contexts: impl IntoIterator<Item = (&'static str, Option<Fake>)>) -> Api {
    let workspace = Workspace::empty(None).unwrap();
    for (context, source) in contexts {
        let mut sources = Sources::unconfigured();
        if let Some(source) = source {
            sources.set_traces(Ok(source));
        }
        let opened = Opened {
            config: EngineConfig::new(context, Class::Normal),
            sources,
            clock: system_clock(),
            cluster: None,
            metrics_server: None,
        };
        workspace.add(opened, false).unwrap();
    }
    Api::new(workspace)
}

fn search(context: Option<&str>, limit: u32) -> TraceSearchRequest {
    TraceSearchRequest {
        context: context.map(str::to_owned),
        limit: Some(limit),
        ..TraceSearchRequest::default()
    }
}

fn by_id(id: u128) -> TraceIdRequest {
    TraceIdRequest {
        context: None,
        trace_id: TraceId(id).to_string(),
        raw_clock: false,
    }
}

fn found(list: &TraceListView) -> Vec<(&str, &str)> {
    let rows = list.traces.iter();
    rows.map(|row| (row.context.as_str(), row.root_service.as_str()))
        .collect()
}

#[tokio::test]
async fn a_search_asks_every_open_context_and_names_whose_each_trace_is() {
    let api = api([
        ("eu", Some(has(&[summary(1, 30), summary(2, 10)]))),
        ("us", Some(has(&[summary(3, 20)]))),
        ("bare", None),
    ]);
    let all = api.find_traces(&search(None, 20)).await.unwrap();
    assert_eq!(
        found(&all),
        [("eu", "web-1"), ("us", "web-3"), ("eu", "web-2")]
    );
    assert_eq!((all.partial, all.failures.len()), (false, 0));
    let asked: Vec<&str> = all.sources.iter().map(|s| s.context.as_str()).collect();
    assert_eq!(asked, ["eu", "us"]);
    let cut = api.find_traces(&search(None, 2)).await.unwrap();
    assert_eq!(found(&cut), [("eu", "web-1"), ("us", "web-3")]);
    assert!(cut.partial);
    let one = api.find_traces(&search(Some("us"), 20)).await.unwrap();
    assert_eq!(found(&one), [("us", "web-3")]);
    let closed = api.find_traces(&search(Some("gone"), 20)).await;
    assert_eq!(closed.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_context_that_fails_is_named_and_hides_nothing_of_the_others() {
    let api = api([
        ("eu", Some(down())),
        ("us", Some(has(&[summary(3, 20)]))),
        ("bare", None),
    ]);
    let all = api.find_traces(&search(None, 20)).await.unwrap();
    assert_eq!(found(&all), [("us", "web-3")]);
    let failed: Vec<_> = all
        .failures
        .iter()
        .map(|f| (f.context.as_str(), f.error.code))
        .collect();
    assert_eq!(failed, [("eu", Code::Unavailable)]);
    let services = api.trace_services(&TracesOfRequest::default()).await;
    let services = services.unwrap();
    assert_eq!(services.names, ["web-3"]);
    assert_eq!(services.failures.len(), 1);
}

#[tokio::test]
async fn where_nobody_answers_the_failure_is_that_of_a_source_that_there_is() {
    let api = api([("bare", None), ("eu", Some(down()))]);
    let error = api.find_traces(&search(None, 20)).await.unwrap_err();
    assert_eq!(error.code, Code::Unavailable);
    assert!(error.message.starts_with("eu: "), "{}", error.message);
}

#[tokio::test]
async fn one_server_behind_two_contexts_shows_its_traces_once() {
    let shared = || Some(has(&[summary(1, 30)]));
    let api = api([("eu", shared()), ("us", shared())]);
    let all = api.find_traces(&search(None, 20)).await.unwrap();
    assert_eq!(found(&all), [("eu", "web-1")]);
}

#[tokio::test]
async fn halves_of_a_trace_in_two_clusters_are_two_finds() {
    let half = TraceSummary {
        spans: 7,
        ..summary(1, 31)
    };
    let api = api([
        ("eu", Some(has(&[summary(1, 30)]))),
        ("us", Some(has(&[half]))),
    ]);
    let all = api.find_traces(&search(None, 20)).await.unwrap();
    assert_eq!(found(&all), [("us", "web-1"), ("eu", "web-1")]);
}

#[tokio::test]
async fn a_trace_is_read_from_the_context_that_has_it() {
    let two = api([("eu", Some(has(&[]))), ("us", Some(has(&[summary(3, 20)])))]);
    assert_eq!(two.trace(&by_id(3)).await.unwrap().context, "us");
    assert_eq!(two.trace(&by_id(4)).await.unwrap_err().code, Code::NotFound);
    assert!(two.trace_otlp(&by_id(3)).await.is_ok());
    let elsewhere = TraceIdRequest {
        context: Some("eu".to_owned()),
        ..by_id(3)
    };
    assert_eq!(
        two.trace(&elsewhere).await.unwrap_err().code,
        Code::NotFound
    );
}

#[tokio::test]
async fn a_trace_that_a_silent_context_may_have_is_not_said_to_be_nowhere() {
    let api = api([("eu", Some(down())), ("us", Some(has(&[summary(3, 20)])))]);
    assert_eq!(api.trace(&by_id(3)).await.unwrap().context, "us");
    let error = api.trace(&by_id(4)).await.unwrap_err();
    assert_eq!(error.code, Code::Unavailable);
    assert!(error.message.starts_with("eu: "), "{}", error.message);
}
