//! What we change: arming, plans, dry runs, writes, the journal, and the watch over each effect with queries of its own.

mod apply;
mod arming;
mod effect;
mod journal;
mod looking;
mod staging;
mod words;

pub use effect::ShiftWatch;
pub use journal::{Entry, EntryKind, Journal, JournalError, Outcome};
pub use words::{CommandError, DryRun, StagedPlan};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_core::traffic::SplitId;
use tokio::sync::{Notify, watch};
use tracing::warn;

use crate::observation::Observation;

/// The changing half of an engine.
pub struct Changes {
    observation: Arc<Observation>,
    state: Mutex<State>,
    /// Apart from the state: writing it down waits for the disk.
    journal: Mutex<Journal>,
    /// Changes whose effect is watched, newest first.
    watches: watch::Sender<Arc<Vec<ShiftWatch>>>,
    look_wanted: Notify,
    /// One look at a time, or an older one could judge after a newer one.
    looking: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes")
            .field("watches", &self.watches.borrow().len())
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    /// Plans that wait for their apply.
    plans: Vec<StagedPlan>,
    plan_counter: u64,
    armed_until: Option<Moment>,
    /// How far the moments kept here have followed a clock that was set back.
    followed: TimeSpan,
}

impl Changes {
    pub(crate) fn open(observation: Arc<Observation>) -> Result<Self, JournalError> {
        let journal = Journal::open(observation.config().journal.clone())?;
        Ok(Self {
            observation,
            state: Mutex::default(),
            journal: Mutex::new(journal),
            watches: watch::Sender::new(Arc::default()),
            look_wanted: Notify::new(),
            looking: tokio::sync::Mutex::new(()),
        })
    }

    /// Changes whose effect is watched or was, newest first.
    #[must_use]
    pub fn watches(&self) -> Arc<Vec<ShiftWatch>> {
        self.follow_clock(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        Arc::clone(&self.watches.borrow())
    }

    /// The watched changes whenever something of them moved.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Vec<ShiftWatch>>> {
        self.watches.subscribe()
    }

    /// Journal entries of this context, newest first, each with whether it can be taken back. Other processes' too.
    #[must_use]
    pub fn journal(&self) -> Vec<(Arc<Entry>, bool)> {
        let server = self.observation.identity().map(|identity| identity.server);
        let mut journal = self.lock_journal();
        if let Err(error) = journal.catch_up() {
            warn!(%error, "showing what of the journal is known");
        }
        journal.of_context(&self.observation.config().context, server.as_deref())
    }

    /// The newest change of each split that was changed since, by anybody who keeps this journal.
    #[must_use]
    pub fn changed_since(&self, from: Moment) -> BTreeMap<SplitId, Arc<Entry>> {
        let mut changed = BTreeMap::new();
        let newest = self.journal().into_iter().map(|(entry, _)| entry);
        for entry in newest.take_while(|entry| entry.at > from) {
            if entry.outcome == Outcome::Applied {
                changed.entry(entry.plan.split.clone()).or_insert(entry);
            }
        }
        changed
    }

    fn lock_journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After the clock was set back: everything stays as long ago, or as far ahead, as it was.
    fn follow_clock(&self, state: &mut State) {
        let set_back = self.observation.set_back();
        let jump = TimeSpan(set_back.0.saturating_sub(state.followed.0));
        if jump.0 == 0 {
            return;
        }
        state.followed = set_back;
        state.armed_until = state.armed_until.map(|until| until.plus(jump));
        self.watches.send_modify(|watches| {
            for watch in Arc::make_mut(watches) {
                watch.follow_clock(jump);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves whole values behind: every change is one assignment.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.follow_clock(&mut state);
        state
    }
}
