//! One call to the API server: a session to send it with, a deadline, a size cap, and an answer as bytes.
//!
//! `session` owns the login: when there is a new one, and when there is none. Knows nothing about objects.

mod login_state;
mod session;

use std::time::Duration;

use http::header::{ACCEPT, WARNING};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::Client;
use kube::client::Body;
use pilothouse_core::model::SourceErrorKind;
use pilothouse_core::ports::Clock;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::debug;

use crate::failure::{self, CallError, Refusal, call_error, failed, timed_out};
pub use login_state::LoginState;
pub(crate) use session::{Access, Connector, Proof};
use session::{Sessions, Way};

/// Largest answer that we read. A page of 500 objects is far below it.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// An answer with a status of success.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Texts of the `Warning` headers.
    pub(crate) warnings: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let (message, hint) = if self.body.trim_ascii_start().starts_with(b"<") {
                (
                    "the server's answer is no JSON but a page of HTML".to_owned(),
                    failure::PAGE_HINT,
                )
            } else {
                (
                    format!("the server's answer is no JSON: {error}"),
                    "check that the server address of this context is a Kubernetes API server",
                )
            };
            CallError::Lost(failed(SourceErrorKind::BadAnswer, message).with_hint(hint))
        })
    }
}

/// Sends requests.
pub(crate) struct Transport {
    deadline: Duration,
    sessions: Sessions,
}

impl Transport {
    pub(crate) fn new(connector: Connector, deadline: Duration, clock: Clock) -> Self {
        Self {
            deadline,
            sessions: Sessions::new(connector, clock),
        }
    }

    /// Asks for the configuration again when the server no longer takes the credentials.
    pub(crate) fn renewed_by(
        mut self,
        reread: impl Fn() -> Option<Connector> + Send + Sync + 'static,
    ) -> Self {
        self.sessions.renewed_by(reread);
        self
    }

    /// Whether a login is going on, and how the last one ended.
    pub(crate) fn login(&self) -> watch::Receiver<LoginState> {
        self.sessions.state()
    }

    /// Ends the credential plugin that runs, if one does.
    pub(crate) fn cancel_login(&self) {
        self.sessions.cancel();
    }

    /// Lets the next call log in again, whatever came of the logins before.
    pub(crate) fn log_in_again(&self) {
        self.sessions.ask_again();
    }

    /// Deadline of one request.
    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn call(&self, request: Request<Vec<u8>>) -> Result<Reply, CallError> {
        let (began, method, uri) = (
            Instant::now(),
            request.method().clone(),
            request.uri().clone(),
        );
        // A patch never goes out twice, not even one that was turned away at the door.
        let is_repeatable = method != Method::PATCH;
        let exchange = |client: Client| {
            let request = request.clone().map(Body::from);
            async move {
                let response = send(&client, request).await?;
                let (parts, body) = response.into_parts();
                let body = read_capped(body).await?;
                if parts.status.is_success() {
                    return Ok(Reply {
                        warnings: warning_texts(&parts.headers),
                        body,
                    });
                }
                let status = parts.status.as_u16();
                Err(CallError::Refused(Refusal::read(status, &body)))
            }
        };
        let result = self.logged_in(is_repeatable, exchange).await;
        let (path, took, ok) = (uri.path(), began.elapsed(), result.is_ok());
        debug!(%method, path, ?took, ok, "asked the API server");
        result
    }

    /// Sends a request without a body whose answer is a stream: the deadline covers its start only.
    pub(crate) async fn open(&self, request: Request<Body>) -> Result<Response<Body>, CallError> {
        let (head, _) = request.into_parts();
        let exchange = |client: Client| {
            let request = Request::from_parts(head.clone(), Body::empty());
            async move {
                let response = send(&client, request).await?;
                if response.status().is_success() {
                    return Ok(response);
                }
                let status = response.status().as_u16();
                let body = read_capped(response.into_body()).await?;
                Err(CallError::Refused(Refusal::read(status, &body)))
            }
        };
        self.logged_in(true, exchange).await
    }

    /// Any other exchange in the session: with its deadline, and once more after a 401 that it gives as `Refused`.
    pub(crate) async fn exchange<T, F>(
        &self,
        exchange: impl Fn(Client) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        self.logged_in(true, exchange).await
    }

    /// One exchange; and another if the server did not take our credentials and there are others by now.
    async fn logged_in<T, F>(
        &self,
        is_repeatable: bool,
        exchange: impl Fn(Client) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let way = self.sessions.way().await.map_err(CallError::Unsent)?;
        let result = self.sent(&way, exchange(way.client())).await;
        let is_refused =
            matches!(&result, Err(CallError::Refused(refusal)) if refusal.status == 401);
        if !is_refused || !self.sessions.renew(&way).await || !is_repeatable {
            return result;
        }
        let way = self.sessions.way().await.map_err(CallError::Unsent)?;
        self.sent(&way, exchange(way.client())).await
    }

    async fn sent<T>(
        &self,
        way: &Way,
        exchange: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let mut result = self.within_deadline(exchange).await;
        match &mut result {
            Ok(_) => way.note_accepted(),
            Err(CallError::Refused(refusal)) if refusal.status != 401 => way.note_accepted(),
            Err(CallError::Refused(_)) => {}
            Err(CallError::Unsent(error) | CallError::Lost(error)) => way.explain(error),
        }
        result
    }

    async fn within_deadline<T>(
        &self,
        exchange: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        timeout(self.deadline, exchange).await.unwrap_or_else(|_| {
            let what = format!(
                "the API server took longer than {} s",
                self.deadline.as_secs_f64()
            );
            Err(CallError::Lost(timed_out(&what)))
        })
    }
}

async fn send(client: &Client, mut request: Request<Body>) -> Result<Response<Body>, CallError> {
    let headers = request.headers_mut();
    headers
        .entry(ACCEPT)
        .or_insert(HeaderValue::from_static("application/json"));
    client
        .send(request)
        .await
        .map_err(|error| call_error(&error))
}

async fn read_capped(body: Body) -> Result<Vec<u8>, CallError> {
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = "the server's answer is larger than 64 MiB";
            Err(CallError::Lost(
                failed(SourceErrorKind::TooLarge, message)
                    .with_hint("name the namespaces that you need (-n)"),
            ))
        }
        Err(error) => Err(call_error(error.as_ref())),
    }
}

/// The texts of `Warning: 299 - "text"` headers (RFC 7234, section 5.5), quoting undone.
fn warning_texts(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(WARNING).iter();
    values
        .map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let text = value.splitn(3, ' ').nth(2).unwrap_or(&value).trim();
            let Some(quoted) = text.strip_prefix('"') else {
                return text.to_owned();
            };
            let mut plain = String::new();
            let mut chars = quoted.chars();
            while let Some(char) = chars.next() {
                match char {
                    '"' => break,
                    '\\' => plain.extend(chars.next()),
                    other => plain.push(other),
                }
            }
            plain
        })
        .collect()
}

#[cfg(test)]
mod tests;
