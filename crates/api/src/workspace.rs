//! The open contexts: an engine for each, and one picture of them all.
//!
//! Engines know nothing of each other: a context that is broken or slow goes stale by its own name and delays none of the
//! others. What they publish is put together here, in `picture`. Looks at contexts that are not open yet live here, too.

mod checks;
mod links;
mod picture;
mod positions;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use pilothouse_engine::{Class, Engine, EngineConfig, Running, Sources, system_clock};
use tokio::sync::watch;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::connector::{Connector, Opened};
use crate::convert::{internal, not_configured, not_found};
use crate::dto::ApiError;

pub(crate) use picture::{Picture, Pictured, cluster_parts};

pub(crate) use links::Followed;

use checks::Checks;
use links::Links;
use picture::Composer;
use positions::{KEEP_EVERY, Kept};

/// How often the files behind the chooser are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(2);

/// The open contexts. Shared as `Arc`.
pub struct Workspace {
    /// Opens contexts by name; a command line opens all of its own.
    connector: Option<Arc<dyn Connector>>,
    state: Mutex<State>,
    /// Apart from the state: composing takes its time.
    composer: Mutex<Composer>,
    kept: Mutex<Kept>,
    /// Counts changes of anything that an update tells.
    news: watch::Sender<u64>,
    /// Size of everything in the window, for the shell that carries it out.
    zoom: watch::Sender<f64>,
    /// What the ticks of all contexts keep time with: one picture for all of them, not one for each.
    beat: Instant,
    /// Stands in while nothing is open: every source of it is absent.
    nobody: Arc<Engine>,
}

struct State {
    members: Vec<Arc<Member>>,
    checks: Checks,
    links: Links,
    chooser_revision: u32,
}

/// An open context.
pub(crate) struct Member {
    pub(crate) context: String,
    /// Numbers do not wait for it: it may become known later.
    cluster: OnceLock<String>,
    pub(crate) metrics_server: Option<String>,
    pub(crate) engine: Arc<Engine>,
    /// Ends the engine's tasks and the passing on of its snapshots.
    _tasks: Option<Tasks>,
}

impl Member {
    /// Istio's id of the cluster, if it is known by now.
    pub(crate) fn cluster(&self) -> Option<&str> {
        self.cluster.get().map(String::as_str)
    }

    /// It is known now. What was known before stays.
    fn note_cluster(&self, cluster: Option<String>) {
        if let Some(cluster) = cluster {
            let _known_before = self.cluster.set(cluster);
        }
    }
}

struct Tasks {
    _running: Running,
    passing_on: AbortHandle,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.passing_on.abort();
    }
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let contexts = self.contexts();
        f.debug_struct("Workspace")
            .field("contexts", &contexts)
            .finish_non_exhaustive()
    }
}

impl Workspace {
    /// A workspace in which nothing is open.
    ///
    /// # Errors
    /// Never in practice: an engine without a journal file has nothing to read.
    pub fn empty(connector: Option<Arc<dyn Connector>>) -> Result<Arc<Self>, ApiError> {
        let config = EngineConfig::new("", Class::Normal);
        let nobody = Engine::open(config, Sources::unconfigured(), system_clock())
            .map_err(|error| internal(error.to_string()))?;
        Ok(Arc::new(Self {
            connector,
            state: Mutex::new(State {
                members: Vec::new(),
                checks: Checks::default(),
                links: Links::default(),
                chooser_revision: 0,
            }),
            composer: Mutex::default(),
            kept: Mutex::default(),
            news: watch::Sender::new(0),
            zoom: watch::Sender::new(1.0),
            beat: Instant::now(),
            nobody,
        }))
    }

    /// Opens a context over sources that are at hand, beside those that are open. With `start` its tasks run from now on,
    /// which needs a tokio runtime; without, its caller loads it by hand. A context that is open already is replaced in its
    /// place.
    ///
    /// # Errors
    /// If its journal cannot be read.
    pub fn add(self: &Arc<Self>, opened: Opened, start: bool) -> Result<Arc<Engine>, ApiError> {
        let member = self.member(opened, start)?;
        let engine = Arc::clone(&member.engine);
        self.admit(member, start);
        Ok(engine)
    }

    /// An engine over these sources that nobody sees yet.
    fn member(self: &Arc<Self>, mut opened: Opened, start: bool) -> Result<Arc<Member>, ApiError> {
        let context = opened.config.context.clone();
        if start {
            opened.config.layout = self.earlier_positions(std::slice::from_ref(&context));
            opened.config.beat = Some(self.beat);
        }
        let engine = Engine::open(opened.config, opened.sources, opened.clock)
            .map_err(|error| internal(error.to_string()))?;
        let tasks = start.then(|| Tasks {
            _running: engine.start(),
            passing_on: self.pass_on(&engine),
        });
        Ok(Arc::new(Member {
            context,
            cluster: opened.cluster.map(OnceLock::from).unwrap_or_default(),
            metrics_server: opened.metrics_server,
            engine,
            _tasks: tasks,
        }))
    }

    /// From now on it is one of the open contexts, in the place of the one of its name if there is one.
    fn admit(&self, member: Arc<Member>, with_positions: bool) {
        let mut state = self.lock();
        let mut open = state.members.iter_mut();
        match open.find(|other| other.context == member.context) {
            Some(reopened) => *reopened = member,
            None => state.members.push(member),
        }
        drop(state);
        self.members_changed(with_positions);
    }

    /// Closes a context: its tasks end. Reads a file, as [`Self::add`] does.
    pub fn close(&self, context: &str) {
        let closed: Vec<_> = {
            let mut state = self.lock();
            let (closed, kept) = std::mem::take(&mut state.members)
                .into_iter()
                .partition(|member| member.context == context);
            state.members = kept;
            closed
        };
        if !closed.is_empty() {
            self.members_changed(true);
        }
    }

    fn members_changed(&self, with_positions: bool) {
        let contexts = self.contexts();
        let earlier = (with_positions && contexts.len() > 1)
            .then(|| self.earlier_positions(&contexts))
            .flatten();
        self.composer()
            .members_changed(earlier.map(Arc::unwrap_or_clone));
        self.tell();
    }

    /// Closes all contexts but this one.
    pub(crate) fn close_others(&self, context: &str) {
        for other in self.contexts() {
            if other != context {
                self.close(&other);
            }
        }
    }

    /// Names of the open contexts, in the order of opening.
    #[must_use]
    pub fn contexts(&self) -> Vec<String> {
        let state = self.lock();
        state.members.iter().map(|m| m.context.clone()).collect()
    }

    pub(crate) fn members(&self) -> Vec<Arc<Member>> {
        self.lock().members.clone()
    }

    /// The engine of the first open context; of nothing while none is open.
    #[must_use]
    pub fn first(&self) -> Arc<Engine> {
        let state = self.lock();
        let first = state.members.first();
        first.map_or_else(|| Arc::clone(&self.nobody), |m| Arc::clone(&m.engine))
    }

    /// The engine of a context, or of the first one if none is named.
    pub(crate) fn engine_of(&self, context: Option<&str>) -> Result<Arc<Engine>, ApiError> {
        let members = self.members();
        let wanted = |member: &&Arc<Member>| context.is_none_or(|name| member.context == name);
        match (members.iter().find(wanted), context) {
            (Some(member), _) => Ok(Arc::clone(&member.engine)),
            (None, None) => Err(not_configured("no context is open", "open one first")),
            (None, Some(name)) => Err(not_found(format!("the context `{name}` is not open"))),
        }
    }

    pub(crate) fn connector(&self) -> Result<Arc<dyn Connector>, ApiError> {
        self.connector.clone().ok_or_else(|| {
            let hint = "start it without flags that name a cluster or a server";
            not_configured("this program opens only what its flags name", hint)
        })
    }

    /// Everything as of now, composed if it has to be.
    pub(crate) fn picture(&self) -> Arc<Picture> {
        let members = self.members();
        self.composer().compose(&members, &self.nobody)
    }

    pub(crate) fn chooser_revision(&self) -> u32 {
        self.lock().chooser_revision
    }

    /// Hears of every change.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    pub(crate) fn zoom(&self) -> watch::Receiver<f64> {
        self.zoom.subscribe()
    }

    pub(crate) fn set_zoom(&self, zoom: f64) {
        self.zoom.send_replace(zoom);
    }

    /// Says that something changed.
    pub(crate) fn tell(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    /// Looks at the files behind the chooser as long as the workspace is there, and keeps the positions of the cards. Needs
    /// a tokio runtime.
    pub fn watch_files(self: &Arc<Self>) {
        let Some(connector) = self.connector.clone() else {
            return;
        };
        // Weak, or the task would keep what it ends with.
        let workspace = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut tick = interval(LOOK_AT_FILES);
            tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                tick.tick().await;
                let connector = Arc::clone(&connector);
                let revision = spawn_blocking(move || connector.revision()).await;
                let Some(workspace) = workspace.upgrade() else {
                    return;
                };
                if let Ok(revision) = revision {
                    workspace.note_revision(revision);
                }
                let keeping = spawn_blocking(move || workspace.keep_positions(KEEP_EVERY));
                if keeping.await.is_err() {
                    tracing::warn!("positions could not be kept");
                }
            }
        });
    }

    fn note_revision(&self, revision: u32) {
        let before = std::mem::replace(&mut self.lock().chooser_revision, revision);
        if before != revision {
            self.tell();
        }
    }

    /// Every snapshot of an engine is news, and every look at the effect of a change.
    fn pass_on(self: &Arc<Self>, engine: &Arc<Engine>) -> AbortHandle {
        let mut snapshots = engine.subscribe();
        let mut watches = engine.changes().subscribe();
        // Weak, or a workspace whose engine still runs would never be dropped.
        let workspace = Arc::downgrade(self);
        let passing_on = tokio::spawn(async move {
            loop {
                let heard = tokio::select! {
                    heard = snapshots.changed() => heard,
                    heard = watches.changed() => heard,
                };
                match workspace.upgrade() {
                    Some(workspace) if heard.is_ok() => workspace.tell(),
                    _ => return,
                }
            }
        });
        passing_on.abort_handle()
    }

    fn composer(&self) -> MutexGuard<'_, Composer> {
        self.composer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under this lock is one assignment: a panic leaves whole values behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
