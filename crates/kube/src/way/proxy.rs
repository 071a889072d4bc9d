//! Through `services/proxy` or `pods/proxy` of the API server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Method, Request};
use kube::client::Body;
use pilothouse_core::model::{SourceError, SourceErrorKind};
use pilothouse_core::ports::{Answer, HttpCall, HttpReply, HttpWay};

use super::reply;
use super::target::{Target, TargetKind};
use crate::failure::{CallError, call_error, failed};
use crate::transport::Transport;

/// The longest path with a query that is sent: what stands in front of API servers often takes 8 KiB of a request's head.
const MAX_QUERY: usize = 6 * 1024;

/// What a form is sent as.
const FORM: &str = "application/x-www-form-urlencoded";

/// The API server's proxy to one target.
pub(super) struct ProxyWay {
    transport: Arc<Transport>,
    target: Target,
    shown: String,
    /// POST needs the verb `create`; who has `get` only sends forms as queries, where they are short enough.
    is_get_only: AtomicBool,
}

impl ProxyWay {
    pub(super) fn new(transport: Arc<Transport>, target: Target) -> Self {
        let kind = match target.kind {
            TargetKind::Service => "service",
            TargetKind::Pod => "pod",
        };
        let shown = format!("{} through the API server's {kind} proxy", target.text());
        Self {
            transport,
            target,
            shown,
            is_get_only: AtomicBool::new(false),
        }
    }

    /// Whether the API server would keep a header of this call for itself, see [`super`].
    pub(super) fn swallows(call: &HttpCall) -> bool {
        call.headers.iter().any(|(name, _)| {
            let name = name.to_ascii_lowercase();
            name == "authorization"
                || name.starts_with("impersonate-")
                || name.starts_with("x-remote-")
        })
    }

    async fn send(&self, call: HttpCall) -> Result<HttpReply, SourceError> {
        if Self::swallows(&call) {
            let message = format!("a header of the request would not reach {}", self.shown);
            return Err(failed(SourceErrorKind::BadConfiguration, message).with_hint(
                "the API server keeps Authorization for itself; forward a port, or give the server's own address",
            ));
        }
        let as_query = call.post.then(|| as_get(&call)).flatten();
        let as_query = as_query.filter(|get| get.path.len() <= MAX_QUERY);
        if let Some(get) = &as_query
            && self.is_get_only.load(Ordering::Relaxed)
        {
            return self.once(get).await;
        }
        let reply = self.once(&call).await?;
        let is_forbidden = reply.from_the_way && reply.status == 403;
        let Some(get) = as_query.filter(|_| is_forbidden) else {
            return Ok(reply);
        };
        let second = self.once(&get).await?;
        if second.from_the_way && second.status == 403 {
            return Ok(reply);
        }
        self.is_get_only.store(true, Ordering::Relaxed);
        Ok(second)
    }

    async fn once(&self, call: &HttpCall) -> Result<HttpReply, SourceError> {
        let request = build(call, &self.target.path_through_proxy(&call.path)?)?;
        let max_bytes = call.max_body_bytes;
        let exchange = |client: kube::Client| {
            let request = request.clone().map(Body::from);
            async move {
                let sent = client.send(request).await;
                let (parts, body) = sent.map_err(|error| call_error(&error))?.into_parts();
                reply::through_proxy(&parts, body, max_bytes).await
            }
        };
        match self.transport.exchange(exchange).await {
            Err(CallError::Refused(refusal)) => Ok(reply::of_refusal(&refusal)),
            Err(CallError::Unsent(error) | CallError::Lost(error)) => Err(self.named(error)),
            Ok(reply) => Ok(reply),
        }
    }

    fn named(&self, mut error: SourceError) -> SourceError {
        error.message = format!("cannot ask {}: {}", self.shown, error.message);
        error
    }
}

impl HttpWay for ProxyWay {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn call(&self, call: HttpCall) -> Answer<'_, HttpReply> {
        Box::pin(self.send(call))
    }
}

/// The request of a call. Headers of the connection are ours; one that is no header is refused without its value.
pub(super) fn build(call: &HttpCall, path: &str) -> Result<Request<Vec<u8>>, SourceError> {
    let bad = |what: String| failed(SourceErrorKind::BadConfiguration, what);
    let method = if call.post { Method::POST } else { Method::GET };
    let body = if call.post {
        call.body.clone()
    } else {
        Vec::new()
    };
    let request = Request::builder().method(method).uri(path).body(body);
    let mut request = request.map_err(|error| bad(format!("cannot build the request: {error}")))?;
    for (name, value) in &call.headers {
        let header = HeaderName::from_bytes(name.as_bytes());
        let header = header.map_err(|_| bad(format!("{name:?} is no header name")))?;
        if [
            HOST,
            CONNECTION,
            http::header::CONTENT_LENGTH,
            http::header::TRANSFER_ENCODING,
            http::header::UPGRADE,
        ]
        .contains(&header)
        {
            continue;
        }
        let value = HeaderValue::from_str(value);
        let mut value =
            value.map_err(|_| bad(format!("the value of header {name} has odd characters")))?;
        value.set_sensitive(true);
        request.headers_mut().append(header, value);
    }
    Ok(request)
}

/// The same question as a GET with the form in its query; `None` if the body is no form.
fn as_get(call: &HttpCall) -> Option<HttpCall> {
    let is_content_type = |name: &str| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str());
    let mut types = call
        .headers
        .iter()
        .filter(|(name, _)| is_content_type(name));
    let is_form = types.all(|(_, value)| value.to_ascii_lowercase().starts_with(FORM));
    let form = std::str::from_utf8(&call.body).ok().filter(|_| is_form)?;
    let separator = match (form.is_empty(), call.path.contains('?')) {
        (true, _) => "",
        (false, true) => "&",
        (false, false) => "?",
    };
    let headers = call.headers.iter();
    Some(HttpCall {
        post: false,
        path: format!("{}{separator}{form}", call.path),
        headers: headers
            .filter(|(name, _)| !is_content_type(name))
            .cloned()
            .collect(),
        body: Vec::new(),
        max_body_bytes: call.max_body_bytes,
    })
}
