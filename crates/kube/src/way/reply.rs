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

/// What it means that the API server did not pass a request on, and what to do; `None` for an answer of the target.
/// `shown` is the way's own text.
#[must_use]
pub fn way_refusal(shown: &str, reply: &HttpReply) -> Option<SourceError> {
    if !reply.from_the_way {
        return None;
    }
    let refusal = Refusal::read(reply.status, &reply.body);
    let (kind, hint) = match reply.status {
        401 => (
            SourceErrorKind::Unauthorized,
            "the credentials of this context are missing or expired; log in again",
        ),
        403 => (
            SourceErrorKind::Forbidden,
            "ask for a role with get and create on services/proxy there, or get and create on pods/portforward with get on \
             services and list on endpointslices; or give the server's own address",
        ),
        404 => (
            SourceErrorKind::NotFound,
            "the service is not there, or it has no Endpoints object (the proxy does not read EndpointSlices); check its \
             name and port, or give the server's own address",
        ),
        // `transport.go` of apimachinery's proxy: the dial failed.
        503 if refusal.message.contains("error trying to reach service") => (
            SourceErrorKind::Unreachable,
            "the API server does not reach the pod; check that it listens on this port, network policies, the firewall \
             between API server and pods, and strict mTLS on the port",
        ),
        502 | 504 => (
            SourceErrorKind::Unreachable,
            "the API server does not reach the pod; check its port, network policies and strict mTLS on it",
        ),
        503 => (
            SourceErrorKind::Unreachable,
            "no pod behind the service is ready, its port does not fit, or its endpoints are no pods of this cluster; \
             check the pods, or give the server's own address",
        ),
        429 | 500..=599 => (SourceErrorKind::ServerError, ""),
        _ => (SourceErrorKind::BadAnswer, ""),
    };
    let words = if refusal.message.is_empty() {
        format!("HTTP {} from the API server", reply.status)
    } else {
        refusal.message
    };
    Some(failed(kind, format!("cannot reach {shown}: {words}")).with_hint(hint))
}
