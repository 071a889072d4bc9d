//! One call to the API server: a session to send it with, a deadline, a size cap, and an answer as bytes.
//!
//! Owns the session: the client is built at the first call, and built anew when the credentials of a plugin expire or
//! the server no longer takes them. One plugin runs at a time, and one that failed is not run again for a while: a
//! polling caller must not open one login page after the other. Knows nothing about objects.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{ACCEPT, WARNING};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::{SignedDuration, Timestamp};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use pilothouse_core::model::{SourceError, SourceErrorKind};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::exec::{Credential, Plugin};
use crate::failure::{CallError, Refusal, call_error, failed, timed_out};

/// Largest answer that we read. A page of 500 objects is far below it.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Pause after a login that failed or was not accepted.
const LOGIN_PAUSE: Duration = Duration::from_secs(30);

/// Credentials are renewed this long before they expire.
const EXPIRY_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// How a client comes to be.
pub(crate) enum Connector {
    /// From a configuration; the plugin, if there is one, gives the credentials.
    Config {
        config: Box<Config>,
        plugin: Option<Box<Plugin>>,
    },
    /// A server that a test plays.
    #[cfg(test)]
    Fixed(Client),
}

impl Connector {
    const fn plugin(&self) -> Option<&Plugin> {
        match self {
            Self::Config {
                plugin: Some(plugin),
                ..
            } => Some(plugin),
            Self::Config { plugin: None, .. } => None,
            #[cfg(test)]
            Self::Fixed(_) => None,
        }
    }

    async fn open(&self) -> Result<(Client, Option<Timestamp>), SourceError> {
        match self {
            Self::Config { config, plugin } => {
                let mut config = config.clone();
                let mut expires = None;
                if let Some(plugin) = plugin {
                    let credential = plugin.run().await?;
                    expires = credential.expires;
                    set_credential(&mut config, credential);
                }
                Ok((build(*config).await?, expires))
            }
            #[cfg(test)]
            Self::Fixed(client) => Ok((client.clone(), None)),
        }
    }
}

/// A client and how long it is good.
struct Session {
    client: Client,
    expires: Option<Timestamp>,
    since: Instant,
}

impl Session {
    /// A new session counts as good whatever the plugin says: with a clock that is off, it would run for every call.
    fn is_expired(&self) -> bool {
        self.since.elapsed() >= LOGIN_PAUSE
            && self
                .expires
                .is_some_and(|expires| expires <= wall_clock() + EXPIRY_MARGIN)
    }
}

#[derive(Default)]
struct Login {
    session: Option<Session>,
    failure: Option<(Instant, SourceError)>,
}

/// An answer with a status of success.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Texts of the `Warning` headers.
    pub(crate) warnings: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<serde_json::Value, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the server's answer is no JSON: {error}");
            CallError::Lost(failed(SourceErrorKind::BadAnswer, message).with_hint(
                "check that the server address of this context is a Kubernetes API server",
            ))
        })
    }
}

/// Sends requests.
pub(crate) struct Transport {
    connector: Connector,
    deadline: Duration,
    login: Mutex<Login>,
}

impl Transport {
    pub(crate) fn new(connector: Connector, deadline: Duration) -> Self {
        Self {
            connector,
            deadline,
            login: Mutex::new(Login::default()),
        }
    }

    /// Deadline of one request.
    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn call(&self, request: Request<Vec<u8>>) -> Result<Reply, CallError> {
        let client = self.client().await.map_err(CallError::Unsent)?;
        let exchange = async {
            let response = send(&client, request.map(Body::from)).await?;
            let (parts, body) = response.into_parts();
            let body = read_capped(body).await?;
            if parts.status.is_success() {
                Ok(Reply {
                    warnings: warning_texts(&parts.headers),
                    body,
                })
            } else {
                Err(CallError::Refused(Refusal::read(
                    parts.status.as_u16(),
                    &body,
                )))
            }
        };
        let result = self.within_deadline(exchange).await;
        if let Err(CallError::Refused(Refusal { status: 401, .. })) = result {
            self.note_refused_login().await;
        }
        result
    }

    /// Sends a request whose answer is a stream: the deadline covers its start only.
    pub(crate) async fn open(&self, request: Request<Body>) -> Result<Response<Body>, CallError> {
        let client = self.client().await.map_err(CallError::Unsent)?;
        let exchange = async {
            let response = send(&client, request).await?;
            if response.status().is_success() {
                return Ok(response);
            }
            let status = response.status().as_u16();
            let body = read_capped(response.into_body()).await?;
            Err(CallError::Refused(Refusal::read(status, &body)))
        };
        let result = self.within_deadline(exchange).await;
        if let Err(CallError::Refused(Refusal { status: 401, .. })) = result {
            self.note_refused_login().await;
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

    /// The client of the session, after logging in if that is due.
    async fn client(&self) -> Result<Client, SourceError> {
        let mut login = self.login.lock().await;
        if let Some(session) = &login.session
            && !session.is_expired()
        {
            return Ok(session.client.clone());
        }
        if let Some((when, error)) = &login.failure
            && when.elapsed() < LOGIN_PAUSE
        {
            return Err(error.clone());
        }
        match self.connector.open().await {
            Ok((client, expires)) => {
                login.failure = None;
                login.session = Some(Session {
                    client: client.clone(),
                    expires,
                    since: Instant::now(),
                });
                Ok(client)
            }
            Err(error) => {
                login.session = None;
                login.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// A 401 ends a plugin's session before its time, unless it has only just begun.
    async fn note_refused_login(&self) {
        if self.connector.plugin().is_none() {
            return;
        }
        let mut login = self.login.lock().await;
        let old = |session: &Session| session.since.elapsed() >= LOGIN_PAUSE;
        if login.session.as_ref().is_some_and(old) {
            login.session = None;
        }
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
                failed(SourceErrorKind::TooLarge, message).with_hint("choose fewer namespaces"),
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

/// Building reads certificate files, and an auth provider of old may run a program: not on an async thread.
async fn build(config: Config) -> Result<Client, SourceError> {
    let bad = |why: String| {
        failed(
            SourceErrorKind::BadConfiguration,
            format!("cannot prepare the connection: {why}"),
        )
        .with_hint("check the certificates and the user entry of this context")
    };
    tokio::task::spawn_blocking(move || ClientBuilder::try_from(config).map(ClientBuilder::build))
        .await
        .map_err(|_| bad("it was interrupted".to_owned()))?
        .map_err(|error| bad(error.to_string()))
}

fn set_credential(config: &mut Config, credential: Credential) {
    let user = &mut config.auth_info;
    user.token = credential.token.map(Into::into);
    if let Some((certificate, key)) = credential.certificate {
        user.client_certificate_data = Some(BASE64.encode(certificate));
        user.client_key_data = Some(BASE64.encode(key).into());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "credentials expire by this machine's clock, whatever time the picture shows"
)]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warning_headers_are_unquoted() {
        let mut headers = HeaderMap::new();
        for value in [
            r#"299 - "unknown field \"spec.htp\"""#,
            "299 - plain",
            "odd",
        ] {
            headers.append(WARNING, HeaderValue::from_static(value));
        }
        assert_eq!(
            warning_texts(&headers),
            [r#"unknown field "spec.htp""#, "plain", "odd"]
        );
    }
}
