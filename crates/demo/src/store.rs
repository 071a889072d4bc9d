//! The demo's API server: lists, watches and patches as the real one does, with its words and its refusals.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use pilothouse_core::model::{
    Moment, Object, ObjectKind, ObjectRef, SourceError, SourceErrorKind, SourceKind,
};
use pilothouse_core::ports::{
    Answer, ControlPlane, ControlPlaneIdentity, ObjectEvent, ObjectSink, Patched, WriteMode,
};
use pilothouse_core::traffic::{PatchFailure, PatchOp, apply_ops};
use serde_json::{Value, json};

use crate::Clock;
use crate::admission::refusal;
use crate::objects::{managed_fields, observe, reference_of};
use crate::timeline::Timeline;

/// Our field manager.
const MANAGER: &str = "pilothouse";

/// The control plane of a demo mesh.
pub(crate) struct Store {
    timeline: Arc<Timeline>,
    clock: Clock,
}

impl Store {
    pub(crate) const fn new(timeline: Arc<Timeline>, clock: Clock) -> Self {
        Self { timeline, clock }
    }

    fn list_now(&self, kind: ObjectKind) -> Vec<Object> {
        let docs = self.timeline.documents(|reference| reference.kind == kind);
        docs.into_iter().filter_map(Object::from_document).collect()
    }

    fn patch_now(
        &self,
        reference: &ObjectRef,
        ops: &[PatchOp],
        mode: WriteMode,
    ) -> Result<Patched, SourceError> {
        let fail = |kind, text: String| {
            SourceError::new(
                SourceKind::ControlPlane,
                kind,
                format!("cannot patch {reference}: {text}"),
            )
        };
        let before = self.timeline.document(reference).ok_or_else(|| {
            let text = format!(
                "{} \"{}\" not found",
                plural(reference.kind),
                reference.name
            );
            fail(SourceErrorKind::NotFound, text)
        })?;
        let patched = apply_ops(&before, ops).map_err(|failure| patch_failure(&fail, &failure))?;
        check_identity(reference, &before, &patched).map_err(|(kind, text)| fail(kind, text))?;
        if let Some(text) = refusal(reference.kind, &reference.name, &patched) {
            return Err(fail(SourceErrorKind::Rejected, text));
        }
        let now = (self.clock)();
        let after = settle(&before, patched, now);
        let written = if mode == WriteMode::DryRun || after == before {
            after
        } else {
            let seen = text_at(&before, "/metadata/resourceVersion").unwrap_or_default();
            let finish = |version: u64| {
                let mut doc = after;
                if let Some(slot) = doc.pointer_mut("/metadata/resourceVersion") {
                    *slot = json!(version.to_string());
                }
                doc
            };
            self.timeline
                .write(now, reference, seen, finish)
                .ok_or_else(|| fail(SourceErrorKind::Conflict, modified(reference)))?
        };
        let object = Object::from_document(written).ok_or_else(|| {
            fail(
                SourceErrorKind::ServerError,
                "the stored document is not an object".to_owned(),
            )
        })?;
        Ok(Patched {
            object,
            warnings: Vec::new(),
        })
    }
}

/// The server's words for a lost race.
fn modified(reference: &ObjectRef) -> String {
    format!(
        "Operation cannot be fulfilled on {} \"{}\": the object has been modified; please apply your changes to the latest version and try again",
        plural(reference.kind),
        reference.name
    )
}

fn plural(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Namespace => "namespaces",
        ObjectKind::Service => "services",
        ObjectKind::Deployment => "deployments.apps",
        ObjectKind::VirtualService => "virtualservices.networking.istio.io",
        ObjectKind::DestinationRule => "destinationrules.networking.istio.io",
        ObjectKind::HttpRoute => "httproutes.gateway.networking.k8s.io",
        ObjectKind::GrpcRoute => "grpcroutes.gateway.networking.k8s.io",
        ObjectKind::TcpRoute => "tcproutes.gateway.networking.k8s.io",
        ObjectKind::TlsRoute => "tlsroutes.gateway.networking.k8s.io",
    }
}

/// A server answers 422 with these words whatever in a patch did not fit; which operation it was is ours to add.
fn patch_failure(
    fail: &impl Fn(SourceErrorKind, String) -> SourceError,
    failure: &PatchFailure,
) -> SourceError {
    let words = "the server rejected our request due to an error in our request";
    fail(SourceErrorKind::Conflict, format!("{words} ({failure})"))
        .with_hint("somebody else changed the object: review the change against its current state")
}

fn text_at<'a>(doc: &'a Value, pointer: &str) -> Option<&'a str> {
    doc.pointer(pointer).and_then(Value::as_str)
}

/// What no patch may change.
fn check_identity(
    reference: &ObjectRef,
    before: &Value,
    after: &Value,
) -> Result<(), (SourceErrorKind, String)> {
    if reference_of(after).as_ref() != Some(reference) {
        let text = "metadata.name: Invalid value: field is immutable".to_owned();
        return Err((SourceErrorKind::Rejected, text));
    }
    let version = "/metadata/resourceVersion";
    if after.pointer(version) != before.pointer(version) {
        return Err((SourceErrorKind::Conflict, modified(reference)));
    }
    Ok(())
}

/// The document as the server stores it: its own metadata restored, generation and ownership moved on if the spec changed.
fn settle(before: &Value, mut after: Value, now: Moment) -> Value {
    let kept = ["uid", "creationTimestamp", "generation", "managedFields"];
    for key in kept {
        let old = before.pointer(&format!("/metadata/{key}")).cloned();
        if let (Some(old), Some(metadata)) = (old, after.pointer_mut("/metadata")) {
            metadata[key] = old;
        }
    }
    // The status is a subresource: a patch of the object does not reach it.
    if let (Some(status), Some(doc)) = (before.get("status"), after.as_object_mut()) {
        doc.insert("status".to_owned(), status.clone());
    }
    if after.get("spec") == before.get("spec") {
        return after;
    }
    take_over(before, &mut after, now);
    if let Some(generation) = after.pointer_mut("/metadata/generation") {
        *generation = json!(generation.as_i64().unwrap_or(0) + 1);
        observe(&mut after);
    }
    after
}

/// Moves the ownership of the changed fields of the spec to us. Lists are atomic in these kinds, so a changed weight takes
/// the whole of `spec.http`.
fn take_over(before: &Value, after: &mut Value, now: Moment) {
    let Some(spec) = after.get("spec").and_then(Value::as_object) else {
        return;
    };
    let changed: Vec<String> = spec
        .iter()
        .filter(|(key, value)| before.pointer(&format!("/spec/{key}")) != Some(value))
        .map(|(key, _)| format!("f:{key}"))
        .collect();
    let mut ours = managed_fields(after, MANAGER, now);
    if let Some(fields) = ours
        .pointer_mut("/fieldsV1/f:spec")
        .and_then(Value::as_object_mut)
    {
        fields.retain(|field, _| changed.contains(field));
    }
    let managers = after
        .pointer_mut("/metadata/managedFields")
        .and_then(Value::as_array_mut);
    let Some(managers) = managers else {
        return;
    };
    for manager in managers.iter_mut() {
        if let Some(fields) = manager
            .pointer_mut("/fieldsV1/f:spec")
            .and_then(Value::as_object_mut)
        {
            fields.retain(|field, _| !changed.contains(field));
        }
    }
    match managers
        .iter_mut()
        .find(|m| text_at(m, "/manager") == Some(MANAGER))
    {
        Some(present) => {
            let kept = present
                .pointer("/fieldsV1/f:spec")
                .and_then(Value::as_object)
                .cloned();
            if let Some(fields) = ours
                .pointer_mut("/fieldsV1/f:spec")
                .and_then(Value::as_object_mut)
            {
                fields.extend(kept.into_iter().flatten());
            }
            *present = ours;
        }
        None => managers.push(ours),
    }
}

impl ControlPlane for Store {
    fn identity(&self) -> Answer<'_, ControlPlaneIdentity> {
        Box::pin(async {
            Ok(ControlPlaneIdentity {
                context: "demo".to_owned(),
                server: "embedded demo mesh".to_owned(),
                version: Some("v1.34.0-demo".to_owned()),
                user: Some("demo-operator".to_owned()),
            })
        })
    }

    fn list(&self, kind: ObjectKind) -> Answer<'_, Vec<Object>> {
        Box::pin(async move { Ok(self.list_now(kind)) })
    }

    fn watch<'a>(
        &'a self,
        sink: &'a dyn ObjectSink,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        // Edits seen so far; `None` until the lists are sent. An edit between counting and listing is then sent twice, which
        // a reader must bear anyway.
        let mut seen: Option<usize> = None;
        Box::pin(std::future::poll_fn(move |context| {
            let mut from = seen.unwrap_or_else(|| {
                let n_edits = self.timeline.len();
                for kind in ObjectKind::ALL {
                    let objects = self.list_now(kind);
                    sink.send(ObjectEvent::Listed { kind, objects });
                }
                n_edits
            });
            loop {
                let news = self.timeline.edits_since(from, context.waker());
                seen = Some(from);
                if news.is_empty() {
                    return Poll::Pending;
                }
                from += news.len();
                for object in news.into_iter().filter_map(Object::from_document) {
                    sink.send(ObjectEvent::Applied(Box::new(object)));
                }
            }
        }))
    }

    fn get<'a>(&'a self, object: &'a ObjectRef) -> Answer<'a, Option<Object>> {
        Box::pin(async move {
            Ok(self
                .timeline
                .document(object)
                .and_then(Object::from_document))
        })
    }

    fn patch<'a>(
        &'a self,
        object: &'a ObjectRef,
        ops: &'a [PatchOp],
        mode: WriteMode,
    ) -> Answer<'a, Patched> {
        Box::pin(async move { self.patch_now(object, ops, mode) })
    }

    fn may_patch<'a>(&'a self, _object: &'a ObjectRef) -> Answer<'a, bool> {
        Box::pin(async { Ok(true) })
    }
}

#[cfg(test)]
mod tests;
