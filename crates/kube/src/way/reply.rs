//! Answers on the way: read with a cap, told apart by who gave them, and what a refusal of the way means.

use http::header::CONTENT_TYPE;
use http::response::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::ports::HttpReply;
use serde::Deserialize;
use serde_json::json;

use crate::failure::{CallError, Refusal, call_error, failed};

/// The whole body of an answer, or `TooLarge`.
pub(super) async fn read_body<B>(
    body: B,
    max_bytes: usize,
    broken: impl Fn(&(dyn std::error::Error + 'static)) -> CallError,
) -> Result<Vec<u8>, CallError>
where
    B: BodyExt,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, max_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(CallError::Lost(too_large(max_bytes))),
        Err(error) => Err(broken(error.as_ref())),
    }
}

/// The answer exceeds what the caller reads.
pub(super) fn too_large(max_bytes: usize) -> SourceError {
    failed(
        SourceErrorKind::TooLarge,
        format!("the answer is larger than {max_bytes} bytes"),
    )
    .with_hint("ask for less: fewer namespaces or a shorter time")
}

/// An answer that came through the API server's proxy. Its own 401 is `Refused`, so that the session is renewed.
pub(super) async fn through_proxy(
    parts: &Parts,
    body: kube::client::Body,
    max_bytes: usize,
) -> Result<HttpReply, CallError> {
    let body = read_body(body, max_bytes, call_error).await?;
    let status = parts.status.as_u16();
    let from_the_way = !parts.status.is_success() && is_status(&body);
    if from_the_way && status == 401 {
        return Err(CallError::Refused(Refusal::read(status, &body)));
    }
    Ok(HttpReply {
        status,
        content_type: content_type(parts),
        body,
        from_the_way,
    })
}

/// `Content-Type` as text; empty if there is none.
pub(super) fn content_type(parts: &Parts) -> String {
    let value = parts.headers.get(CONTENT_TYPE);
    value.map_or_else(String::new, |value| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    })
}

/// A refusal of the API server as the reply that it was.
pub(super) fn of_refusal(refusal: &Refusal) -> HttpReply {
    let status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": refusal.message,
        "reason": refusal.reason,
        "code": refusal.status,
    });
    HttpReply {
        status: refusal.status,
        content_type: "application/json".to_owned(),
        body: status.to_string().into_bytes(),
        from_the_way: true,
    }
}

/// Whether a body is a Kubernetes `Status`: the API server speaks, not the target.
fn is_status(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Wire {
        kind: String,
        #[serde(rename = "apiVersion")]
        api_version: String,
    }
    serde_json::from_slice::<Wire>(body)
        .is_ok_and(|wire| wire.kind == "Status" && wire.api_version == "v1")
}
