//! One call to the API server: a session to send it with, a deadline, a size cap, and an answer as bytes.
//!
//! Owns the session: the client is built at the first call, and built anew when the credentials of a plugin expire or
//! the server no longer takes them; then the configuration is read again too, since whoever logged in anew wrote it. One
//! plugin runs at a time, and one that failed is not run again for a while: a polling caller must not open one login page
//! after the other. Knows nothing about objects.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{ACCEPT, WARNING};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::{SignedDuration, Timestamp};
use kube::client::{Body, ClientBuilder};
use kube::config::AuthInfo;
use kube::{Client, Config};
use pilothouse_core::model::{SourceError, SourceErrorKind};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::exec::{Credential, Plugin};
use crate::failure::{CallError, Refusal, call_error, failed, timed_out};

/// Largest answer that we read. A page of 500 objects is far below it.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Pause after a login that failed or was not accepted.
const LOGIN_PAUSE: Duration = Duration::from_secs(30);

/// The configuration is not read again more often than this.
const REREAD_PAUSE: Duration = Duration::from_secs(10);

/// Credentials are renewed this long before they expire.
const EXPIRY_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// How a client comes to be.
pub(crate) enum Connector {
    /// From a configuration; the plugin, if there is one, gives the credentials.
    Config {
        config: Box<Config>,
        plugin: Option<Box<Plugin>>,
        proof: Box<Proof>,
    },
    /// A server that a test plays.
    #[cfg(test)]
    Fixed(Client),
}

impl Connector {
    const fn has_plugin(&self) -> bool {
        match self {
            Self::Config { plugin, .. } => plugin.is_some(),
            #[cfg(test)]
            Self::Fixed(_) => false,
        }
    }

    /// What the server is shown, as far as it is known before it is shown.
    const fn proof(&self) -> Option<&Proof> {
        match self {
            Self::Config { proof, .. } => Some(proof),
            #[cfg(test)]
            Self::Fixed(_) => None,
        }
    }

    async fn open(&self) -> Result<(Client, Option<Timestamp>), SourceError> {
        match self {
            Self::Config { config, plugin, .. } => {
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

/// The user entry of a configuration and the content of the files that it names, to see whether a later login changed
/// them. Holds secrets: not `Debug`.
#[derive(PartialEq)]
pub(crate) struct Proof {
    entry: Value,
    files: [Option<Vec<u8>>; 3],
}

impl Proof {
    /// Reads the files.
    pub(crate) fn of(user: &AuthInfo) -> Self {
        let files = [&user.token_file, &user.client_certificate, &user.client_key];
        Self {
            entry: serde_json::to_value(user).unwrap_or_default(),
            files: files.map(|path| std::fs::read(path.as_ref()?).ok()),
        }
    }
}

/// Reads the configuration again; nothing if there is none to go on with.
type Reread = dyn Fn() -> Option<Connector> + Send + Sync;

/// A client and how long it is good.
struct Session {
    client: Client,
    /// How many there were before.
    number: u64,
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

struct Login {
    connector: Connector,
    session: Option<Session>,
    n_sessions: u64,
    failure: Option<(Instant, SourceError)>,
    /// When the configuration was last read again.
    reread: Option<Instant>,
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
    pub(crate) fn json(&self) -> Result<Value, CallError> {
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
    deadline: Duration,
    reread: Option<Arc<Reread>>,
    login: Mutex<Login>,
}

impl Transport {
    pub(crate) fn new(connector: Connector, deadline: Duration) -> Self {
        Self {
            deadline,
            reread: None,
            login: Mutex::new(Login {
                connector,
                session: None,
                n_sessions: 0,
                failure: None,
                reread: None,
            }),
        }
    }

    /// Asks for the configuration again when the server no longer takes the credentials.
    pub(crate) fn renewed_by(
        mut self,
        reread: impl Fn() -> Option<Connector> + Send + Sync + 'static,
    ) -> Self {
        self.reread = Some(Arc::new(reread));
        self
    }

    /// Deadline of one request.
    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn call(&self, request: Request<Vec<u8>>) -> Result<Reply, CallError> {
        // A patch never goes out twice, not even one that was turned away at the door.
        let is_repeatable = request.method() != Method::PATCH;
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
        self.logged_in(is_repeatable, exchange).await
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

    /// One exchange; and another if the server did not take our credentials and there are others by now.
    async fn logged_in<T, F>(
        &self,
        is_repeatable: bool,
        exchange: impl Fn(Client) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let (client, session) = self.client().await.map_err(CallError::Unsent)?;
        let result = self.within_deadline(exchange(client)).await;
        let is_refused =
            matches!(&result, Err(CallError::Refused(refusal)) if refusal.status == 401);
        if !is_refused || !self.renew(session).await || !is_repeatable {
            return result;
        }
        let (client, _) = self.client().await.map_err(CallError::Unsent)?;
        self.within_deadline(exchange(client)).await
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

    /// The client of the session and its number, after logging in if that is due.
    async fn client(&self) -> Result<(Client, u64), SourceError> {
        let mut login = self.login.lock().await;
        if let Some(session) = &login.session
            && !session.is_expired()
        {
            return Ok((session.client.clone(), session.number));
        }
        if let Some((when, error)) = &login.failure {
            if when.elapsed() < LOGIN_PAUSE {
                return Err(error.clone());
            }
            self.reread(&mut login).await;
        }
        match login.connector.open().await {
            Ok((client, expires)) => {
                let number = login.n_sessions;
                login.n_sessions += 1;
                login.failure = None;
                login.session = Some(Session {
                    client: client.clone(),
                    number,
                    expires,
                    since: Instant::now(),
                });
                Ok((client, number))
            }
            Err(error) => {
                login.session = None;
                login.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// After a 401 in this session: whether another one may fare better.
    async fn renew(&self, refused: u64) -> bool {
        let mut login = self.login.lock().await;
        let Some(session) = login.session.as_ref().filter(|now| now.number == refused) else {
            return true;
        };
        // A plugin whose session has only just begun would answer the same again.
        let is_old = session.since.elapsed() >= LOGIN_PAUSE;
        let is_over = self.reread(&mut login).await || (is_old && login.connector.has_plugin());
        if is_over {
            login.session = None;
        }
        is_over
    }

    /// Reads the configuration again, unless that was just done, and says whether the credentials are others now.
    async fn reread(&self, login: &mut Login) -> bool {
        let Some(reread) = &self.reread else {
            return false;
        };
        if login
            .reread
            .is_some_and(|when| when.elapsed() < REREAD_PAUSE)
        {
            return false;
        }
        login.reread = Some(Instant::now());
        let reread = Arc::clone(reread);
        let Ok(Some(connector)) = tokio::task::spawn_blocking(move || reread()).await else {
            return false;
        };
        let is_same = connector.proof().is_some() && connector.proof() == login.connector.proof();
        if !is_same {
            tracing::info!("the credentials of the context were renewed");
            login.connector = connector;
        }
        !is_same
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
mod tests;
