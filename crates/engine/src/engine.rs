//! The engine itself: its state behind one lock that is never held across an await, and the doors to it.

mod apply;
mod command;
mod fold;
mod load;

pub use load::GraphAnswers;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilothouse_core::graph::MeshGraph;
use pilothouse_core::layout::Layout;
use pilothouse_core::model::{Moment, SourceError, SourceKind, TimeSpan};
use pilothouse_core::ports::{ControlPlaneIdentity, ObjectEvent};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::config::{Class, EngineConfig};
use crate::journal::{Entry, Journal, JournalError};
use crate::jump::BothClocks;
use crate::objects::ObjectStore;
use crate::observe::Fetched;
use crate::shift::StagedPlan;
use crate::snapshot::Snapshot;
use crate::sources::{SourceStatus, Sources};
use crate::tasks::Running;
use crate::watches::ShiftWatch;

/// Plans that wait for their apply; the oldest is dropped beyond this.
const PLANS_KEPT: usize = 32;
/// Scrape interval that is assumed until the metrics source says one.
const ASSUMED_SCRAPE: TimeSpan = TimeSpan::seconds(15);

/// Polls, watches, folds, writes. Shared as `Arc`; shells reach it through `pilothouse-api`.
pub struct Engine {
    config: EngineConfig,
    sources: Sources,
    clock: Clock,
    state: Mutex<State>,
    /// Apart from the state: writing it down waits for the disk.
    journal: Mutex<Journal>,
    published: watch::Sender<Arc<Snapshot>>,
    tick_wanted: Notify,
    fold_wanted: Notify,
    /// Watches of the control plane lead nowhere any more, maybe.
    clock_jumped: Notify,
    /// One fold at a time, or an older one could publish after a newer one.
    folding: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("context", &self.config.context)
            .finish_non_exhaustive()
    }
}

struct State {
    clocks: BothClocks,
    objects: ObjectStore,
    /// The last tick that brought at least one answer, with its request.
    fetched: Option<Arc<Fetched>>,
    layout: Arc<Layout>,
    /// The layout was made before any call was known: the first answer of the metrics arranges it anew.
    layout_is_provisional: bool,
    generation: u64,
    statuses: BTreeMap<SourceKind, SourceStatus>,
    identity: Option<ControlPlaneIdentity>,
    window: TimeSpan,
    /// How far the metrics server's clock is ahead of ours, where it is worth a word.
    clock_ahead: TimeSpan,
    metrics_looked_at: Option<Moment>,
    /// Our clock jumped since that look.
    clock_ahead_is_unsure: bool,
    plans: Vec<StagedPlan>,
    plan_counter: u64,
    watches: Vec<ShiftWatch>,
    armed_until: Option<Moment>,
}

impl Engine {
    /// An engine over these sources. Nothing runs yet: see [`Engine::start`] and [`Engine::load`].
    ///
    /// # Errors
    /// If the journal exists and cannot be read.
    pub fn open(
        config: EngineConfig,
        sources: Sources,
        clock: Clock,
    ) -> Result<Arc<Self>, JournalError> {
        let journal = Journal::open(config.journal.clone())?;
        let statuses = BTreeMap::from([
            (
                SourceKind::ControlPlane,
                SourceStatus::new(SourceKind::ControlPlane, &sources.control_plane),
            ),
            (
                SourceKind::Metrics,
                SourceStatus::new(SourceKind::Metrics, &sources.metrics),
            ),
            (
                SourceKind::Traces,
                SourceStatus::new(SourceKind::Traces, &sources.traces),
            ),
        ]);
        let now = clock();
        let request = config.live_request(config.window, now);
        let empty = Snapshot {
            generation: 0,
            taken_at: now,
            graph: Arc::new(MeshGraph {
                request,
                nodes: Vec::new(),
                edges: Vec::new(),
                findings: Vec::new(),
            }),
            layout: Arc::new(Layout::default()),
            objects: Arc::new(Vec::new()),
            splits: Arc::new(Vec::new()),
            sources: statuses.values().cloned().collect(),
            answers: None,
            queries: Arc::new(Vec::new()),
            watches: Vec::new(),
            identity: None,
        };
        let state = State {
            clocks: BothClocks::new(now, Instant::now()),
            objects: ObjectStore::default(),
            fetched: None,
            layout: config.layout.clone().unwrap_or_default(),
            layout_is_provisional: true,
            generation: 0,
            statuses,
            identity: None,
            window: config.window,
            clock_ahead: TimeSpan::default(),
            metrics_looked_at: None,
            clock_ahead_is_unsure: false,
            plans: Vec::new(),
            plan_counter: 0,
            watches: Vec::new(),
            armed_until: None,
        };
        Ok(Arc::new(Self {
            config,
            sources,
            clock,
            state: Mutex::new(state),
            journal: Mutex::new(journal),
            published: watch::Sender::new(Arc::new(empty)),
            tick_wanted: Notify::new(),
            fold_wanted: Notify::new(),
            clock_jumped: Notify::new(),
            folding: tokio::sync::Mutex::new(()),
        }))
    }

    /// Starts the background tasks; they end when the answer is dropped. Needs a tokio runtime.
    #[must_use]
    pub fn start(self: &Arc<Self>) -> Running {
        Running::start(self)
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.borrow())
    }

    /// Snapshots as they come; a slow reader sees the newest only.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.subscribe()
    }

    /// Settings.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The sources, for questions that need no state (traces).
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The present moment by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.clock)()
    }

    /// How long an answer of the metrics counts as fresh: two ticks, and two seconds for the way.
    #[must_use]
    pub fn fresh_for(&self) -> TimeSpan {
        let tick = i64::try_from(self.config.tick.as_millis()).unwrap_or(i64::MAX);
        TimeSpan(tick.saturating_mul(2).saturating_add(2_000))
    }

    /// Window of every rate.
    #[must_use]
    pub fn window(&self) -> TimeSpan {
        self.lock().window
    }

    /// Changes the window of every rate; the next tick comes at once.
    pub fn set_window(&self, window: TimeSpan) {
        self.lock().window = window;
        self.refresh();
    }

    /// Asks for a tick now.
    pub fn refresh(&self) {
        self.tick_wanted.notify_one();
    }

    /// Signs in to the cluster anew at the next call, and asks every source now.
    pub fn log_in_again(&self) {
        if let Ok(control_plane) = &self.sources.control_plane {
            control_plane.log_in_again();
        }
        self.refresh();
    }

    /// Journal entries of this context, newest first, each with whether it can be taken back. Other processes' too.
    #[must_use]
    pub fn journal(&self) -> Vec<(Arc<Entry>, bool)> {
        let server = self.server();
        let mut journal = self.lock_journal();
        if let Err(error) = journal.catch_up() {
            warn!(%error, "showing what of the journal is known");
        }
        journal.of_context(&self.config.context, server.as_deref())
    }

    /// Address of the API server, once it has answered.
    fn server(&self) -> Option<String> {
        let state = self.lock();
        state
            .identity
            .as_ref()
            .map(|identity| identity.server.clone())
    }

    fn lock_journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a call to the trace backend went, for its status.
    pub fn note_traces(&self, outcome: Result<(), SourceError>) {
        let now = self.now();
        let mut state = self.lock();
        if let Some(status) = state.statuses.get_mut(&SourceKind::Traces) {
            match outcome {
                Ok(()) => status.succeeded(now),
                Err(error) => status.failed(error),
            }
        }
    }

    /// Until when writes are possible at this moment: `None` = locked. A demo is never locked.
    #[must_use]
    pub fn armed_until(&self) -> Option<Moment> {
        let now = self.now();
        if self.config.read_only {
            return None;
        }
        match self.config.class {
            Class::Demo => Some(Moment(i64::MAX)),
            Class::Production | Class::Normal => {
                self.lock().armed_until.filter(|until| *until > now)
            }
        }
    }

    pub(crate) fn take_event(&self, event: ObjectEvent) {
        let now = self.now();
        let mut state = self.lock();
        state.objects.take(event);
        let failure = state.objects.failure().cloned();
        let partial = state.objects.partly_failed();
        let ready = state.objects.complete();
        if let Some(status) = state.statuses.get_mut(&SourceKind::ControlPlane) {
            match failure {
                None => status.succeeded(now),
                Some(error) => {
                    if status.error.as_ref() != Some(&error) {
                        status.failed(error);
                    }
                    if partial {
                        status.last_good = Some(now);
                    }
                    status.partial = partial;
                }
            }
        }
        drop(state);
        if ready {
            self.fold_wanted.notify_one();
        }
    }

    pub(crate) async fn wants_tick(&self) {
        self.tick_wanted.notified().await;
    }

    pub(crate) async fn wants_fold(&self) {
        self.fold_wanted.notified().await;
    }

    pub(crate) async fn clock_jumped(&self) {
        self.clock_jumped.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves whole values behind: every change is one assignment.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jump) = state.clocks.jump((self.clock)(), Instant::now()) {
            info!(seconds = jump.as_seconds(), "the clock jumped");
            state.follow_clock(jump);
            self.clock_jumped.notify_one();
        }
        state
    }
}

impl State {
    /// After a jump of the clock: moments of the past stay as long ago as they were when it is set back, and the metrics
    /// server's clock is compared with ours anew.
    fn follow_clock(&mut self, jump: TimeSpan) {
        self.metrics_looked_at = None;
        self.clock_ahead_is_unsure = true;
        // After a sleep, what was long ago is long ago.
        if jump.0 >= 0 {
            return;
        }
        self.clock_ahead = worth_a_word(TimeSpan(self.clock_ahead.0.saturating_sub(jump.0)));
        for status in self.statuses.values_mut() {
            status.last_good = status.last_good.map(|good| good.plus(jump));
        }
        for watch in &mut self.watches {
            watch.follow_clock(jump);
        }
        self.armed_until = self.armed_until.map(|until| until.plus(jump));
    }
}

/// Clocks this close together are taken for one.
const CLOCK_TOLERANCE: TimeSpan = TimeSpan::seconds(2);

/// How far a clock is ahead, if that is not next to nothing.
fn worth_a_word(ahead: TimeSpan) -> TimeSpan {
    if ahead.0.abs() >= CLOCK_TOLERANCE.0 {
        ahead
    } else {
        TimeSpan::default()
    }
}
