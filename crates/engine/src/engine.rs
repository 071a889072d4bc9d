//! One engine a context: what is seen of it, and what is changed in it. The doors of observation are here; those of
//! changes are behind [`Engine::changes`].

use std::sync::Arc;

use pilothouse_core::graph::GraphRequest;
use pilothouse_core::model::{Moment, SourceError, TimeSpan};
use tokio::sync::watch;

use crate::changes::{Changes, JournalError};
use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::observation::{GraphAnswers, Observation, Snapshot};
use crate::sources::{SourceStatus, Sources};
use crate::tasks::Running;

/// Polls, watches, folds, writes. Shared as `Arc`; shells reach it through `pilothouse-api`.
#[derive(Debug)]
pub struct Engine {
    pub(crate) observation: Arc<Observation>,
    changes: Changes,
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
        let observation = Arc::new(Observation::new(config, sources, clock));
        let changes = Changes::open(Arc::clone(&observation))?;
        Ok(Arc::new(Self {
            observation,
            changes,
        }))
    }

    /// Plans, dry runs, writes, the journal, and what is watched of the effect.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Starts the background tasks; they end when the answer is dropped. Needs a tokio runtime.
    #[must_use]
    pub fn start(self: &Arc<Self>) -> Running {
        Running::start(self)
    }

    /// Objects, metrics, versions and the effect of changes once; then the snapshot is there to read.
    pub async fn load(&self) {
        self.observation.load().await;
        self.changes.look_at_effects().await;
    }

    /// Lists every kind of object once, all at the same time.
    pub async fn load_objects(&self) {
        self.observation.load_objects().await;
    }

    /// Asks the metrics what a graph by this request needs. Failed queries leave unknown numbers and are noted in the
    /// metrics' status.
    pub async fn answers(&self, request: &GraphRequest) -> GraphAnswers {
        self.observation.answers(request).await
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.observation.snapshot()
    }

    /// Snapshots as they come; a slow reader sees the newest only.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.observation.subscribe()
    }

    /// The status of every source, as of now.
    #[must_use]
    pub fn statuses(&self) -> Vec<SourceStatus> {
        self.observation.statuses()
    }

    /// Settings.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        self.observation.config()
    }

    /// The sources, for questions that need no state (traces).
    #[must_use]
    pub fn sources(&self) -> &Sources {
        self.observation.sources()
    }

    /// The present moment by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.observation.now()
    }

    /// How long an answer of the metrics counts as fresh: two ticks, and two seconds for the way.
    #[must_use]
    pub fn fresh_for(&self) -> TimeSpan {
        let tick = i64::try_from(self.config().tick.as_millis()).unwrap_or(i64::MAX);
        TimeSpan(tick.saturating_mul(2).saturating_add(2_000))
    }

    /// Time between scrapes, by the metrics source's own word or by assumption.
    #[must_use]
    pub fn scrape_interval(&self) -> TimeSpan {
        self.observation.scrape_interval()
    }

    /// Window of every rate.
    #[must_use]
    pub fn window(&self) -> TimeSpan {
        self.observation.window()
    }

    /// Changes the window of every rate; the next tick comes at once.
    pub fn set_window(&self, window: TimeSpan) {
        self.observation.set_window(window);
    }

    /// Asks for a tick now.
    pub fn refresh(&self) {
        self.observation.refresh();
    }

    /// Signs in to the cluster anew at the next call, and asks every source now.
    pub fn log_in_again(&self) {
        self.observation.log_in_again();
    }

    /// Notes how a call to the trace backend went, for its status.
    pub fn note_traces(&self, outcome: Result<(), SourceError>) {
        self.observation.note_traces(outcome);
    }
}
