//! The one write: a JSON Patch, tried (`dryRun=All`) or applied.
//!
//! Never sent twice. Owns the question what a refusal means: the server answers a failed `test` with 422 and a sentence
//! that says nothing, and 422 is also what schema validation answers. When the answer leaves it open, the object as it
//! is now decides.
//!
//! Source: RFC 6902; Kubernetes API concepts, "dry run" and "field validation".

use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use pilothouse_core::model::{ObjectRef, SourceError, SourceErrorKind};
use pilothouse_core::ports::{ControlPlane, Patched, WriteMode};
use pilothouse_core::traffic::{OpKind, PatchOp};
use serde_json::Value;

use crate::failure::{
    CallError, Doing, GENERIC_UNPROCESSABLE, OUTCOME_UNKNOWN, Refusal, Verdict, conflict, failed,
    judge_write, prefixed, refused_read, rejected,
};
use crate::resource;
use crate::source::{KubeSource, is_addressable, request};

/// Longest value that a message quotes.
const MAX_QUOTED: usize = 60;

/// Sends the patch and reads the verdict.
pub(crate) async fn patch(
    source: &KubeSource,
    object: &ObjectRef,
    ops: &[PatchOp],
    mode: WriteMode,
) -> Result<Patched, SourceError> {
    let doing = Doing::on(object, "patch");
    let absent = || {
        let error = failed(SourceErrorKind::NotFound, "there is no such object");
        Err(prefixed(error, &doing).with_hint("it was deleted, or its kind is not installed"))
    };
    if !is_addressable(object) {
        return absent();
    }
    for version in source.versions(object.kind) {
        match send(source, object, version, ops, mode).await {
            Ok(patched) => {
                source.note_served(object.kind, version);
                return Ok(patched);
            }
            // Nothing was written: the path itself is unknown.
            Err(CallError::Refused(refusal)) if refusal.path_is_absent() => {}
            Err(CallError::Refused(refusal)) if refusal.status == 404 => return absent(),
            Err(CallError::Refused(refusal)) => {
                return Err(meaning(source, object, ops, &refusal, &doing).await);
            }
            Err(CallError::Unsent(error)) => return Err(prefixed(error, &doing)),
            Err(CallError::Lost(error)) => {
                let error = prefixed(error, &doing);
                return Err(match mode {
                    WriteMode::DryRun => error,
                    WriteMode::Apply => error.with_hint(OUTCOME_UNKNOWN),
                });
            }
        }
    }
    absent()
}

async fn send(
    source: &KubeSource,
    object: &ObjectRef,
    version: &'static str,
    ops: &[PatchOp],
    mode: WriteMode,
) -> Result<Patched, CallError> {
    let ObjectRef {
        kind,
        namespace,
        name,
    } = object;
    let path = resource::object_path(*kind, version, namespace, name);
    let dry_run = match mode {
        WriteMode::DryRun => "&dryRun=All",
        WriteMode::Apply => "",
    };
    let path = format!("{path}?fieldManager=pilothouse&fieldValidation=Strict{dry_run}");
    let body = serde_json::to_vec(ops).map_err(|error| {
        let message = format!("the patch cannot be written as JSON: {error}");
        CallError::Unsent(failed(SourceErrorKind::BadConfiguration, message))
    })?;
    let mut request = request(Method::PATCH, &path, body)?;
    let json_patch = HeaderValue::from_static("application/json-patch+json");
    request.headers_mut().insert(CONTENT_TYPE, json_patch);
    let reply = source.transport.call(request).await?;
    let object = resource::object(*kind, version, reply.json()?).ok_or_else(|| {
        CallError::Lost(failed(
            SourceErrorKind::BadAnswer,
            "the answer is no object",
        ))
    })?;
    Ok(Patched {
        object,
        warnings: reply.warnings,
    })
}

/// What a refusal means, after another look at the object if need be.
async fn meaning(
    source: &KubeSource,
    object: &ObjectRef,
    ops: &[PatchOp],
    refusal: &Refusal,
    doing: &Doing<'_>,
) -> SourceError {
    if let Verdict::Certain(error) = judge_write(refusal, doing) {
        return error;
    }
    match source.get(object).await {
        Ok(Some(now)) => match first_misfit(ops, &now.doc) {
            Some(why) => conflict(doing, &why),
            // Everything fits again, so the object changed twice, or the refusal was about something else.
            None if refusal.message == GENERIC_UNPROCESSABLE => {
                conflict(doing, "the object changed while the patch was on its way")
            }
            None if refusal.status == 422 => rejected(refusal),
            None => refused_read(refusal, doing),
        },
        Ok(None) => conflict(doing, "the object was deleted"),
        Err(_) if refusal.message == GENERIC_UNPROCESSABLE => {
            conflict(doing, "a precondition of the patch no longer holds")
        }
        Err(_) if refusal.status == 422 => rejected(refusal),
        Err(_) => refused_read(refusal, doing),
    }
}

/// The first operation that does not fit the document, in words. `test`s are compared up to the first change only:
/// later ones would see a document that we do not have.
fn first_misfit(ops: &[PatchOp], doc: &Value) -> Option<String> {
    let mut untouched = true;
    for op in ops {
        let found = doc.pointer(&op.path);
        let misfit = match op.op {
            OpKind::Test if untouched => misfit_of_test(op, found),
            OpKind::Test => None,
            OpKind::Replace | OpKind::Remove => {
                let gone = untouched && found.is_none();
                untouched = false;
                gone.then(|| format!("{} is no longer there", op.path))
            }
            OpKind::Add => {
                let parent = op.path.rsplit_once('/').and_then(|(p, _)| doc.pointer(p));
                let gone = untouched && parent.is_none();
                untouched = false;
                gone.then(|| format!("the place of {} is no longer there", op.path))
            }
        };
        if misfit.is_some() {
            return misfit;
        }
    }
    None
}

fn misfit_of_test(op: &PatchOp, found: Option<&Value>) -> Option<String> {
    let wanted = op.value.as_ref().unwrap_or(&Value::Null);
    let is = found.unwrap_or(&Value::Null);
    if is == wanted {
        return None;
    }
    if op.path == "/metadata/resourceVersion" {
        return Some("somebody changed the object since it was read".to_owned());
    }
    Some(format!(
        "{} was expected to be {} and is now {}",
        op.path,
        quoted(Some(wanted)),
        quoted(found)
    ))
}

fn quoted(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "absent".to_owned();
    };
    let text = value.to_string();
    if text.chars().count() <= MAX_QUOTED {
        return text;
    }
    let start: String = text.chars().take(MAX_QUOTED).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests;
