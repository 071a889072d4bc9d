//! One watch stream of one kind, from its first list until it fails for good.
//!
//! Owns the judgement of what ends a stream: a server that cannot stream lists, a resource path that does not exist, a
//! failure. A stream that merely breaks is resumed where it was, silently and once; a server that has forgotten where
//! that was (410) gets a new list.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use kube::Api;
use kube::runtime::watcher::{self, Event, InitialListStrategy, watcher};
use pilothouse_core::model::{Object, ObjectKind, SourceError, SourceErrorKind};
use tokio::time::timeout;

use super::document::Document;
use super::{Told, gate};
use crate::failure::{CallError, Doing, Refusal, client_error, failed, prefixed, timed_out};
use crate::resource;
use crate::source::KubeSource;

/// The server ends a watch after this long and we begin the next; a connection that died silently is noticed a little
/// later.
const WATCH_SECONDS: u32 = 55;

/// The first list may take this many deadlines of one request between two objects of it.
const LIST_DEADLINES: u32 = 2;

/// Why a stream ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    /// The server does not stream lists: list, then watch.
    NoStreaming,
    /// This version of this kind does not exist on the server.
    PathAbsent,
    /// It failed.
    Failed(SourceError),
}

/// What to do after an error of the watcher.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// The watcher goes on by itself.
    Resume,
    /// The stream is over.
    Stop(End),
}

/// Where a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Progress {
    /// Whether the list asked for was complete at least once and no new one is under way.
    listed: bool,
    /// Whether the list is asked for as a stream.
    streaming: bool,
    /// Whether the last thing that happened was a silent resumption.
    resumed: bool,
}

/// Follows one kind in one place until it fails.
pub(super) async fn follow(
    source: &KubeSource,
    doing: &Doing<'_>,
    kind: ObjectKind,
    version: &'static str,
    strategy: &InitialListStrategy,
    tell: &(impl Fn(Told) + Send + Sync),
) -> End {
    let resource = resource::api_resource(kind, version);
    let client = gate::client(&source.transport);
    let api: Api<Document> = if doing.namespace.is_empty() {
        Api::all_with(client, &resource)
    } else {
        Api::namespaced_with(client, doing.namespace, &resource)
    };
    let config = watcher::Config {
        initial_list_strategy: strategy.clone(),
        timeout: Some(WATCH_SECONDS),
        ..watcher::Config::default()
    };
    let object = |document: Document| resource::object(kind, version, document.doc);
    let mut stream = pin!(watcher(api, config));
    let mut list: Vec<Object> = Vec::new();
    let mut progress = Progress {
        listed: false,
        streaming: *strategy == InitialListStrategy::StreamingList,
        resumed: false,
    };
    loop {
        let patience = (!progress.listed).then(|| source.transport.deadline() * LIST_DEADLINES);
        let event = match within(patience, stream.next()).await {
            Ok(Some(event)) => event,
            Ok(None) => return End::Failed(stalled(doing, "the watch ended")),
            // Some proxies let a streamed list begin and never deliver its end.
            Err(_) if progress.streaming => return End::NoStreaming,
            Err(_) => return End::Failed(stalled(doing, "the list was not completed")),
        };
        let quiet = event.is_ok();
        match event {
            Ok(Event::Init) => {
                list.clear();
                progress.listed = false;
            }
            Ok(Event::InitApply(document)) => list.extend(object(document)),
            Ok(Event::InitDone) => {
                source.note_served(kind, version);
                progress.listed = true;
                tell(Told::Listed(std::mem::take(&mut list)));
            }
            Ok(Event::Apply(document)) => {
                if let Some(object) = object(document) {
                    tell(Told::Applied(Box::new(object)));
                }
            }
            Ok(Event::Delete(document)) => {
                if let Some(object) = object(document) {
                    tell(Told::Deleted(object.reference));
                }
            }
            Err(error) => match step(&error, progress, doing) {
                Step::Resume => progress.resumed = true,
                Step::Stop(end) => return end,
            },
        }
        if quiet {
            progress.resumed = false;
        }
    }
}

/// The next event, or nothing if patience runs out.
async fn within<T>(
    patience: Option<Duration>,
    event: impl Future<Output = T>,
) -> Result<T, tokio::time::error::Elapsed> {
    match patience {
        Some(patience) => timeout(patience, event).await,
        None => Ok(event.await),
    }
}

/// What an error of the watcher means.
fn step(error: &watcher::Error, progress: Progress, doing: &Doing<'_>) -> Step {
    let stop = |error: CallError| Step::Stop(End::Failed(error.of_read(doing)));
    match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
            match client_error(error) {
                CallError::Refused(refusal) => refused_start(&refusal, progress, doing),
                error @ (CallError::Unsent(_) | CallError::Lost(_)) => stop(error),
            }
        }
        watcher::Error::WatchError(status) => match Refusal::from_status(status) {
            // The watcher begins anew with a list.
            refusal if refusal.status == 410 && !progress.resumed => Step::Resume,
            _ if progress.streaming && !progress.listed => Step::Stop(End::NoStreaming),
            refusal => stop(CallError::Refused(refusal)),
        },
        watcher::Error::WatchFailed(error) => {
            let error = client_error(error);
            let is_broken = matches!(&error, CallError::Lost(error) if error.kind != SourceErrorKind::BadAnswer);
            if is_broken && progress.listed && !progress.resumed {
                Step::Resume
            } else {
                stop(error)
            }
        }
        watcher::Error::NoResourceVersion => {
            let message = "the answer has no resourceVersion";
            let error = failed(SourceErrorKind::BadAnswer, message);
            stop(CallError::Lost(error))
        }
    }
}

/// A list or watch that did not begin.
fn refused_start(refusal: &Refusal, progress: Progress, doing: &Doing<'_>) -> Step {
    if refusal.path_is_absent() {
        return Step::Stop(End::PathAbsent);
    }
    // Servers without streamed lists answer 422 to `sendInitialEvents`, older ones to `resourceVersionMatch`.
    let is_unknown_request = matches!(refusal.status, 400 | 405 | 406 | 415 | 422);
    if progress.streaming && !progress.listed && is_unknown_request {
        return Step::Stop(End::NoStreaming);
    }
    Step::Stop(End::Failed(
        CallError::Refused(refusal.clone()).of_read(doing),
    ))
}

fn stalled(doing: &Doing<'_>, what: &str) -> SourceError {
    prefixed(timed_out(what), doing)
}
