//! Lists and changes of every kind, for as long as somebody polls.
//!
//! One stream for each kind and place (a namespace, or the whole cluster): see `follow` for what a stream does and
//! `fold` for how the places of a kind become one story. Namespaces that were chosen by name are looked at now and then
//! instead: watching them takes a right that is given for the whole cluster only. Owns the repetition: versions to try, pauses between failures,
//! and the look now and then at a kind that is not installed. Every failure that is told is followed by a new full list
//! once the server answers again, so that a `Listed` always means "this is what there is".

mod document;
mod fold;
mod follow;
mod gate;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use kube::runtime::watcher::{DefaultBackoff, InitialListStrategy};
use pilothouse_core::model::{Object, ObjectKind, ObjectRef, SourceError};
use pilothouse_core::ports::ObjectSink;

use crate::failure::Doing;
use crate::resource;
use crate::source::{KubeSource, is_chosen_namespace, not_kubernetes};
use fold::Fold;
use follow::{End, follow};

/// How long until we look again whether a CRD has been installed.
const ABSENT_PAUSE: Duration = Duration::from_secs(60);

/// How long until we look again at a namespace that was chosen by name.
const NAMESPACE_PAUSE: Duration = Duration::from_secs(60);

/// The longest pause between two tries, should the backoff ever have none.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// What one stream tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// Everything in this place.
    Listed(Vec<Object>),
    /// Created or changed.
    Applied(Box<Object>),
    /// Gone.
    Deleted(ObjectRef),
    /// The kind is not installed.
    Absent,
    /// The stream failed and will be tried again.
    Failed(SourceError),
}

/// Watches every kind. Never resolves.
pub(crate) async fn watch(source: &KubeSource, sink: &dyn ObjectSink) {
    join_all(ObjectKind::ALL.map(|kind| watch_kind(source, kind, sink))).await;
}

async fn watch_kind(source: &KubeSource, kind: ObjectKind, sink: &dyn ObjectSink) {
    let places = source.places();
    let fold = Mutex::new(Fold::new(kind, places.len()));
    let streams = places.into_iter().enumerate().map(async |(place, name)| {
        let tell = |told| {
            let mut fold = fold.lock().unwrap_or_else(PoisonError::into_inner);
            for event in fold.take(place, told) {
                sink.send(event);
            }
        };
        if is_chosen_namespace(kind, name) {
            look_at_namespace(source, name, tell).await;
        } else {
            watch_place(source, kind, name, tell).await;
        }
    });
    join_all(streams).await;
}

/// One namespace that was chosen, again and again. Tells what changed.
async fn look_at_namespace(source: &KubeSource, name: &str, tell: impl Fn(Told) + Send + Sync) {
    let mut last = None;
    let mut failures = DefaultBackoff::default();
    loop {
        let pause = match source.namespace(name).await {
            Ok(found) => {
                let found: Vec<Object> = found.into_iter().collect();
                if last.as_ref() != Some(&found) {
                    tell(Told::Listed(found.clone()));
                    last = Some(found);
                }
                failures = DefaultBackoff::default();
                NAMESPACE_PAUSE
            }
            Err(error) => {
                tell(Told::Failed(error));
                last = None;
                failures.next().unwrap_or(MAX_PAUSE)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// One kind in one place, again and again.
async fn watch_place(
    source: &KubeSource,
    kind: ObjectKind,
    namespace: &str,
    tell: impl Fn(Told) + Send + Sync,
) {
    let doing = Doing {
        verb: "watch",
        kind: Some(kind),
        namespace,
        name: "",
    };
    let mut strategy = InitialListStrategy::StreamingList;
    let mut pauses = DefaultBackoff::default();
    loop {
        let mut pause = None;
        let mut versions = source.versions(kind).into_iter();
        while let Some(version) = versions.next() {
            let mut end = follow(source, &doing, kind, version, &strategy, &tell).await;
            if end == End::NoStreaming {
                strategy = InitialListStrategy::ListWatch;
                end = follow(source, &doing, kind, version, &strategy, &tell).await;
            }
            match end {
                End::NoStreaming | End::PathAbsent if versions.len() > 0 => {}
                End::NoStreaming | End::PathAbsent if resource::is_custom(kind) => {
                    tell(Told::Absent);
                    pause = Some(ABSENT_PAUSE);
                }
                End::NoStreaming | End::PathAbsent => tell(Told::Failed(not_kubernetes(&doing))),
                End::Failed(error) => {
                    tracing::debug!(%kind, namespace, error = %error, "watch failed");
                    tell(Told::Failed(error));
                    break;
                }
            }
        }
        let pause = pause.or_else(|| pauses.next()).unwrap_or(MAX_PAUSE);
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests;
