//! What is really there: object events, answers of the metrics and looks at the sources, reduced to one snapshot per
//! generation. It knows nothing of plans and changes.

mod count;
mod fetch;
mod fold;
mod load;
mod objects;
mod probe;
mod snapshot;
mod state;

pub use load::GraphAnswers;
pub use snapshot::{ObservedSplit, QueryRecord, Snapshot};

pub(crate) use count::count_requests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilothouse_core::model::{Moment, Object, ObjectKind, SourceError, SourceKind, TimeSpan};
use pilothouse_core::ports::{ControlPlane, ControlPlaneIdentity, ObjectEvent};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::info;

use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::sources::{SourceStatus, Sources};

use state::State;

/// The observing half of an engine. Its lock is never held across an await, nor while documents are read or copied.
pub(crate) struct Observation {
    config: EngineConfig,
    sources: Sources,
    clock: Clock,
    state: Mutex<State>,
    published: watch::Sender<Arc<Snapshot>>,
    tick_wanted: Notify,
    fold_wanted: Notify,
    /// Watches of the control plane lead nowhere any more, maybe.
    clock_jumped: Notify,
    /// One fold at a time, or an older one could publish after a newer one.
    folding: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Observation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observation")
            .field("context", &self.config.context)
            .finish_non_exhaustive()
    }
}

impl Observation {
    pub(crate) fn new(config: EngineConfig, sources: Sources, clock: Clock) -> Self {
        let now = clock();
        let state = State::new(&config, &sources, now);
        let request = config.live_request(config.window, now);
        let empty = Snapshot::empty(request, now, state.statuses());
        Self {
            config,
            sources,
            clock,
            state: Mutex::new(state),
            published: watch::Sender::new(Arc::new(empty)),
            tick_wanted: Notify::new(),
            fold_wanted: Notify::new(),
            clock_jumped: Notify::new(),
            folding: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.borrow())
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.subscribe()
    }

    pub(crate) fn config(&self) -> &EngineConfig {
        &self.config
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(crate) fn control_plane(&self) -> Result<Arc<dyn ControlPlane>, SourceError> {
        self.sources.control_plane.clone()
    }

    pub(crate) fn now(&self) -> Moment {
        (self.clock)()
    }

    /// Now, by the clock of the metrics server.
    pub(crate) fn now_there(&self) -> Moment {
        self.now().plus(self.lock().clock_ahead)
    }

    pub(crate) fn window(&self) -> TimeSpan {
        self.lock().window
    }

    pub(crate) fn set_window(&self, window: TimeSpan) {
        self.lock().window = window;
        self.refresh();
    }

    pub(crate) fn refresh(&self) {
        self.tick_wanted.notify_one();
    }

    pub(crate) fn log_in_again(&self) {
        if let Ok(control_plane) = &self.sources.control_plane {
            control_plane.log_in_again();
        }
        self.refresh();
    }

    pub(crate) fn statuses(&self) -> Vec<SourceStatus> {
        self.lock().statuses()
    }

    pub(crate) fn identity(&self) -> Option<ControlPlaneIdentity> {
        self.lock().identity.clone()
    }

    /// The declared objects as last heard of.
    pub(crate) fn objects(&self) -> Vec<Object> {
        let known = self.lock().objects.all();
        known.iter().map(|object| Object::clone(object)).collect()
    }

    /// Kinds of objects that were never listed, or whose last call failed.
    pub(crate) fn unknown_kinds(&self) -> Vec<ObjectKind> {
        self.lock().objects.unknown()
    }

    pub(crate) fn note_traces(&self, outcome: Result<(), SourceError>) {
        let now = self.now();
        let mut state = self.lock();
        let status = state.status(SourceKind::Traces);
        match outcome {
            Ok(()) => status.succeeded(now),
            Err(error) => status.failed(error),
        }
    }

    /// Takes one event of a watch. The graph is folded again soon, once every kind was heard of.
    pub(crate) fn take_event(&self, event: ObjectEvent) {
        let now = self.now();
        let mut state = self.lock();
        let replaced = state.take_event(event, now);
        let ready = state.objects.complete();
        drop(state);
        // Thousands of documents take a while to drop, which nobody should wait for at the lock.
        drop(replaced);
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

    /// By how much the clock was set back so far, all times together: at most nothing.
    pub(crate) fn set_back(&self) -> TimeSpan {
        self.lock().set_back
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
