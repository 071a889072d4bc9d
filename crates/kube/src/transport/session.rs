//! Sessions: a client with the credentials of a login, and when there is another one.
//!
//! The client is built at the first call, and built anew when the credentials of a plugin expire or the server no longer
//! takes them; then the configuration is read again too, since whoever logged in anew wrote it. Credentials expire by
//! their age, not by the time of day: a clock that is set back keeps none alive, and one that is wrong by hours makes no
//! plugin run again and again. One plugin runs at a time. One that failed, that was cancelled or whose credentials are refused twice is not run again before the
//! configuration changes or the person asks: a polling caller must not open one login page after the other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use http::HeaderValue;
use kube::{Client, Config};
use pilothouse_core::model::{Moment, SourceError, SourceErrorKind};
use pilothouse_core::ports::Clock;
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::Instant;

use super::login_state::LoginState;
use crate::age::Since;
use crate::client;
use crate::exec::{Credential, Plugin};
use crate::failure::failed;
use crate::kubeconfig::{Server, User, read};
use crate::login::{ClientCertificate, TokenFile, bearer};

/// Pause after a login that failed or was not accepted.
pub(super) const LOGIN_PAUSE: Duration = Duration::from_secs(30);

/// The configuration is not read again more often than this.
const REREAD_PAUSE: Duration = Duration::from_secs(10);

/// Credentials are renewed this long before they expire.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);

/// How a client comes to be.
pub(crate) enum Connector {
    /// From a configuration.
    Config {
        config: Box<Config>,
        certificate: Option<ClientCertificate>,
        access: Access,
        proof: Box<Proof>,
        /// What to say in addition if nothing answers.
        hint: Option<Arc<str>>,
    },
    /// A server that a test plays.
    #[cfg(test)]
    Fixed(Client),
}

/// Where the `Authorization` header comes from.
#[derive(Clone)]
pub(crate) enum Access {
    None,
    Header(HeaderValue),
    File(Arc<TokenFile>),
    Plugin(Box<Plugin>),
}

impl Access {
    /// The header; `None` if there is none.
    pub(crate) async fn header(&self) -> Option<HeaderValue> {
        match self {
            Self::None | Self::Plugin(_) => None,
            Self::Header(header) => Some(header.clone()),
            Self::File(file) => Some(file.header().await),
        }
    }
}

impl Connector {
    const fn plugin(&self) -> Option<&Plugin> {
        match self {
            Self::Config {
                access: Access::Plugin(plugin),
                ..
            } => Some(plugin),
            Self::Config { .. } => None,
            #[cfg(test)]
            Self::Fixed(_) => None,
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

    fn hint(&self) -> Option<Arc<str>> {
        match self {
            Self::Config { hint, .. } => hint.clone(),
            #[cfg(test)]
            Self::Fixed(_) => None,
        }
    }

    /// A client that shows what it is to show.
    fn open(&self, credential: Option<Credential>) -> Result<Client, SourceError> {
        match self {
            Self::Config {
                config,
                certificate,
                access,
                ..
            } => {
                let (certificate, access) = match credential {
                    None => (certificate.clone(), access.clone()),
                    Some(credential) => {
                        let access = match credential.token {
                            Some(token) => Access::Header(bearer(&token).map_err(|why| bad(&why))?),
                            None => Access::None,
                        };
                        (credential.certificate, access)
                    }
                };
                client::build(config, certificate.as_ref(), access).map_err(|why| bad(&why))
            }
            #[cfg(test)]
            Self::Fixed(client) => Ok(client.clone()),
        }
    }
}

/// The user entry of a configuration, what its server's address holds, and the content of the files that it names, to see
/// whether a later login changed them. Holds secrets: not `Debug`.
#[derive(PartialEq, Eq)]
pub(crate) struct Proof {
    entry: User,
    user_info: Option<String>,
    files: [Option<Vec<u8>>; 3],
}

impl Proof {
    /// Reads the files.
    pub(crate) fn of(user: &User, server: &Server) -> Self {
        let files = [&user.token_file, &user.client_certificate, &user.client_key];
        Self {
            entry: user.clone(),
            user_info: server.user_info.clone(),
            files: files.map(|path| read::bytes(path.as_ref()).ok()),
        }
    }
}

/// Reads the configuration again; nothing if there is none to go on with.
type Reread = dyn Fn() -> Option<Connector> + Send + Sync;

/// A client and how long it is good.
struct Session {
    way: Way,
    /// Its age at which it is renewed; `None` if only the server can say.
    good_for: Option<Duration>,
    since: Since,
    /// The server refused it, and that was counted.
    is_refused: bool,
}

impl Session {
    /// A new session counts as good whatever the plugin says, or it would run for every call.
    fn is_expired(&self) -> bool {
        let age = self.since.elapsed();
        age >= LOGIN_PAUSE && self.good_for.is_some_and(|good_for| age >= good_for)
    }
}

/// What a request is sent with.
#[derive(Clone)]
pub(super) struct Way {
    client: Client,
    /// How many sessions there were before.
    number: u64,
    /// The server took the credentials at least once.
    is_accepted: Arc<AtomicBool>,
    hint: Option<Arc<str>>,
}

impl Way {
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(super) fn note_accepted(&self) {
        self.is_accepted.store(true, Ordering::Relaxed);
    }

    /// Adds what the configuration knows about a server that does not answer.
    pub(super) fn explain(&self, error: &mut SourceError) {
        if let (SourceErrorKind::Unreachable, Some(hint)) = (error.kind, &self.hint) {
            error.hint = hint.to_string();
        }
    }
}

struct Login {
    connector: Connector,
    session: Option<Session>,
    n_sessions: u64,
    failure: Option<(Since, SourceError)>,
    /// Logins of a plugin that were refused since the last one that was accepted.
    n_refused: u32,
    /// The plugin that runs. It outlives the call that started it: who gives up waiting must not end it, or the next
    /// call would open another login page.
    running: Option<BoxFuture<'static, Result<Credential, SourceError>>>,
    /// When the configuration was last read again.
    reread: Option<Since>,
}

/// The login of one context.
pub(super) struct Sessions {
    clock: Clock,
    reread: Option<Arc<Reread>>,
    login: Mutex<Login>,
    state: watch::Sender<LoginState>,
    /// Ends the plugin that runs.
    cancel: StdMutex<Option<Arc<Notify>>>,
    is_asked: AtomicBool,
}

impl Sessions {
    pub(super) fn new(connector: Connector, clock: Clock) -> Self {
        Self {
            clock,
            reread: None,
            login: Mutex::new(Login {
                connector,
                session: None,
                n_sessions: 0,
                failure: None,
                n_refused: 0,
                running: None,
                reread: None,
            }),
            state: watch::Sender::new(LoginState::Idle),
            cancel: StdMutex::new(None),
            is_asked: AtomicBool::new(false),
        }
    }

    pub(super) fn renewed_by(
        &mut self,
        reread: impl Fn() -> Option<Connector> + Send + Sync + 'static,
    ) {
        self.reread = Some(Arc::new(reread));
    }

    pub(super) fn state(&self) -> watch::Receiver<LoginState> {
        self.state.subscribe()
    }

    pub(super) fn cancel(&self) {
        let cancel = self.cancel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cancel) = &*cancel {
            cancel.notify_one();
        }
    }

    pub(super) fn ask_again(&self) {
        if !matches!(*self.state.borrow(), LoginState::Waiting { .. }) {
            self.is_asked.store(true, Ordering::Relaxed);
        }
    }

    /// What to send a request with, after logging in if that is due.
    pub(super) async fn way(&self) -> Result<Way, SourceError> {
        let mut login = self.login.lock().await;
        if self.is_asked.swap(false, Ordering::Relaxed) {
            login.session = None;
            login.failure = None;
            login.n_refused = 0;
            login.reread = None;
            self.reread(&mut login).await;
        }
        if let Some(session) = &login.session
            && !session.is_expired()
        {
            return Ok(session.way.clone());
        }
        if let Some((when, error)) = login.failure.clone() {
            if when.elapsed() < LOGIN_PAUSE {
                return Err(error);
            }
            let is_changed = self.reread(&mut login).await;
            if login.connector.plugin().is_some() && !is_changed {
                return Err(error);
            }
        }
        match self.log_in(&mut login).await {
            Ok(session) => {
                let way = session.way.clone();
                login.failure = None;
                login.session = Some(session);
                self.state.send_replace(LoginState::Done);
                Ok(way)
            }
            Err(error) => {
                login.session = None;
                login.failure = Some((self.now(), error.clone()));
                self.state.send_replace(LoginState::Failed(error.clone()));
                Err(error)
            }
        }
    }

    async fn log_in(&self, login: &mut Login) -> Result<Session, SourceError> {
        let mut credential = None;
        if let Some(plugin) = login.connector.plugin() {
            let running = login.running.get_or_insert_with(|| self.start(plugin));
            let answer = running.await;
            login.running = None;
            *self.cancel.lock().unwrap_or_else(PoisonError::into_inner) = None;
            credential = Some(answer?);
        }
        let expires = credential.as_ref().and_then(|it| it.expires);
        let since = self.now();
        let client = login.connector.open(credential)?;
        let number = login.n_sessions;
        login.n_sessions += 1;
        Ok(Session {
            way: Way {
                client,
                number,
                is_accepted: Arc::new(AtomicBool::new(false)),
                hint: login.connector.hint(),
            },
            good_for: expires.and_then(|expires| good_for(expires, (self.clock)())),
            since,
            is_refused: false,
        })
    }

    fn now(&self) -> Since {
        Since::now(&self.clock)
    }

    /// The plugin at work until it answers, its deadline passes or somebody cancels it.
    fn start(&self, plugin: &Plugin) -> BoxFuture<'static, Result<Credential, SourceError>> {
        let cancel = Arc::new(Notify::new());
        *self.cancel.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&cancel));
        self.state.send_replace(LoginState::Waiting {
            program: plugin.config.command.clone(),
            since: Instant::now(),
            limit: plugin.timeout,
        });
        let plugin = plugin.clone();
        Box::pin(async move {
            tokio::select! {
                answer = plugin.run() => answer,
                () = cancel.notified() => Err(cancelled(&plugin.config.command)),
            }
        })
    }

    /// After a 401 on this way: whether another one may fare better.
    pub(super) async fn renew(&self, refused: &Way) -> bool {
        let mut login = self.login.lock().await;
        let Some(session) = login
            .session
            .as_mut()
            .filter(|now| now.way.number == refused.number)
        else {
            return true;
        };
        // A plugin whose session has only just begun would answer the same again.
        let is_old = session.since.elapsed() >= LOGIN_PAUSE;
        let is_first = !std::mem::replace(&mut session.is_refused, true);
        if is_first {
            let was_good = session.way.is_accepted.load(Ordering::Relaxed);
            login.n_refused = if was_good { 1 } else { login.n_refused + 1 };
        }
        let is_changed = self.reread(&mut login).await;
        if is_changed {
            login.n_refused = 0;
        }
        let may_run = is_old && login.n_refused <= 1 && login.connector.plugin().is_some();
        let is_over = is_changed || may_run;
        if is_over {
            login.session = None;
        } else if login.connector.plugin().is_some() {
            self.state.send_replace(LoginState::Failed(not_taken()));
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
            .as_ref()
            .is_some_and(|when| when.elapsed() < REREAD_PAUSE)
        {
            return false;
        }
        login.reread = Some(self.now());
        let reread = Arc::clone(reread);
        let Ok(Some(connector)) = tokio::task::spawn_blocking(move || reread()).await else {
            return false;
        };
        let is_same = connector.proof().is_some() && connector.proof() == login.connector.proof();
        if !is_same {
            tracing::info!("the credentials of the context were renewed");
            login.connector = connector;
            // What the old configuration asked for is of no use any more.
            login.running = None;
        }
        !is_same
    }
}

fn cancelled(program: &str) -> SourceError {
    let message = format!("the login with the credential plugin `{program}` was cancelled");
    failed(SourceErrorKind::Unauthorized, message).with_hint("log in again when you are ready")
}

fn not_taken() -> SourceError {
    let message = "the server does not take the credentials of the plugin";
    failed(SourceErrorKind::Unauthorized, message)
        .with_hint("the credentials of this context are missing or expired; log in again")
}

fn bad(why: &str) -> SourceError {
    failed(
        SourceErrorKind::BadConfiguration,
        format!("cannot prepare the connection: {why}"),
    )
    .with_hint("check the certificates and the user entry of this context")
}

/// How long credentials are used that were given out just now. `None` if they are over by this machine's clock already:
/// either it is wrong or the plugin handed out old ones, and running the plugin again and again would mend neither.
fn good_for(expires: Moment, now: Moment) -> Option<Duration> {
    let left = u64::try_from(expires.since(now).0).unwrap_or(0);
    let good_for = Duration::from_millis(left).checked_sub(EXPIRY_MARGIN);
    if good_for.is_none() {
        tracing::warn!(
            "the credentials of the plugin end now by this machine's clock; the server will say"
        );
    }
    good_for
}

#[cfg(test)]
mod tests;
