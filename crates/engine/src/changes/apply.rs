//! The second half of a change: journal, patch, journal, and the watch over its effect.

use std::sync::Arc;

use pilothouse_core::model::{Object, SourceError, SourceErrorKind};
use pilothouse_core::ports::{ControlPlane, ObjectEvent, WriteMode};
use pilothouse_core::traffic::{self, Convergence, Phase, WeightChange};
use tracing::{error, warn};

use super::Changes;
use super::effect::{ShiftWatch, find_split};
use super::journal::{Entry, Outcome};
use super::words::{CommandError, StagedPlan};
use crate::config::Class;

/// Watches that are kept, the open ones among them.
const WATCHES_KEPT: usize = 20;

impl Changes {
    /// Carries a plan out: dry run, journal, patch with preconditions, journal; then its effect is watched.
    ///
    /// An answer may be lost on its way: then the object itself is asked whether the change took effect.
    ///
    /// # Errors
    /// [`CommandError::ReadOnly`] unless armed; [`CommandError::NoJournal`] on a real cluster without one; whatever the dry
    /// run or the server say. Nothing is written on any error before the patch; after a failed patch the journal says so.
    pub async fn apply(&self, plan_id: &str, reason: &str) -> Result<Entry, CommandError> {
        if self.armed_until().is_none() {
            return Err(CommandError::ReadOnly);
        }
        if self.observation.config().class != Class::Demo
            && self.observation.config().journal.is_none()
        {
            return Err(CommandError::NoJournal);
        }
        let staged = self.staged(plan_id)?;
        if staged.plan.changes.is_empty() {
            return Err(CommandError::NothingToDo);
        }
        let tried = self.dry_run(plan_id).await?;
        if !tried.mutations.is_empty() {
            return Err(CommandError::Mutated(tried.mutations));
        }
        let control_plane = self.observation.control_plane()?;
        let mut entry = self.begin(&staged, reason)?;
        let object = &staged.plan.split.object;
        let patched = control_plane
            .patch(object, &staged.plan.ops, WriteMode::Apply)
            .await;
        let live = match patched {
            Ok(answer) => Ok(answer.object),
            Err(failure) => look_after(&*control_plane, &staged, failure, &mut entry).await,
        };
        match live {
            Ok(live) => {
                entry.outcome = Outcome::Applied;
                entry.resource_version_after = Some(live.resource_version.clone());
                self.close(&staged, &mut entry, Some(live));
                // The reader who is told of success finds the new weights in the snapshot.
                self.observation.fold().await;
                Ok(entry)
            }
            Err(failure) => {
                self.close(&staged, &mut entry, None);
                Err(failure.into())
            }
        }
    }

    fn begin(&self, staged: &StagedPlan, reason: &str) -> Result<Entry, CommandError> {
        let now = self.observation.now();
        let identity = self.observation.identity();
        let mut journal = self.lock_journal();
        journal.catch_up()?;
        let entry = Entry {
            id: journal.next_id(now),
            at: now,
            kind: staged.kind,
            undoes: staged.undoes.clone(),
            context: self.observation.config().context.clone(),
            server: identity.as_ref().map(|identity| identity.server.clone()),
            user: identity.and_then(|identity| identity.user),
            plan: staged.plan.clone(),
            reason: reason.to_owned(),
            outcome: Outcome::Intended,
            message: String::new(),
            resource_version_after: None,
        };
        journal.record(entry.clone())?;
        Ok(entry)
    }

    /// Writes the end of a change down and, where it took effect, begins to watch it. The cluster has decided already: a
    /// journal that cannot be written is told, and changes nothing of the outcome.
    fn close(&self, staged: &StagedPlan, entry: &mut Entry, live: Option<Object>) {
        let mut journal = self.lock_journal();
        if let Err(unwritten) = journal.record(entry.clone()) {
            error!(error = %unwritten, entry = entry.id, "the end of a change is not in the journal");
            let told = format!("its end could not be written down: {unwritten}");
            entry.message = match entry.message.as_str() {
                "" => told,
                message => format!("{message}; {told}"),
            };
            journal.remember(entry.clone());
        }
        drop(journal);
        if let Some(live) = live {
            self.watch_effect(staged, &entry.id, live);
        }
        self.lock().plans.retain(|plan| plan.id != staged.id);
        self.look_wanted.notify_one();
        self.observation.refresh();
    }

    fn watch_effect(&self, staged: &StagedPlan, entry: &str, live: Object) {
        let id = &staged.plan.split;
        let targets = staged
            .plan
            .ratios_after
            .iter()
            .map(|(_, ratio)| ratio.unwrap_or(0.0))
            .collect();
        let convergence = Convergence::new(
            targets,
            self.observation.now(),
            self.observation.scrape_interval(),
        );
        let written = traffic::read_splits(std::slice::from_ref(&live));
        let snapshot = self.observation.snapshot();
        let before = snapshot.splits.iter().find(|s| &s.split.id == id);
        let watch = find_split(&written, id).and_then(|split| {
            ShiftWatch::new(entry.to_owned(), &staged.plan, split, before, convergence)
        });
        // Before the watch begins, or it would take our own write for somebody else's.
        let live = Box::new(live);
        self.observation.take_event(ObjectEvent::Applied(live));
        let now = self.observation.now();
        self.watches.send_modify(|watches| {
            let watches = Arc::make_mut(watches);
            for older in watches.iter_mut() {
                if staged.undoes.as_ref() == Some(&older.entry) {
                    older.convergence.end(Phase::Undone, now);
                } else if &older.split == id && older.open(now) {
                    older.convergence.end(Phase::Superseded, now);
                }
            }
            watches.splice(..0, watch);
            watches.truncate(WATCHES_KEPT);
        });
    }
}

/// After a failed patch: the object as it is if the change took effect all the same, else the failure. Notes the outcome.
async fn look_after(
    control_plane: &dyn ControlPlane,
    staged: &StagedPlan,
    failure: SourceError,
    entry: &mut Entry,
) -> Result<Object, SourceError> {
    entry.message.clone_from(&failure.message);
    if is_refusal(failure.kind) {
        entry.outcome = Outcome::Refused;
        return Err(failure);
    }
    entry.outcome = Outcome::Failed;
    let holds = |live: &Object| {
        live.resource_version != staged.plan.resource_version
            && staged
                .plan
                .changes
                .iter()
                .all(|c| weight(live, c) == c.after)
    };
    match control_plane.get(&staged.plan.split.object).await {
        Ok(Some(live)) if holds(&live) => {
            entry.message = format!(
                "the answer was lost ({}); the object holds the planned weights",
                failure.message
            );
            Ok(live)
        }
        Ok(_) => Err(failure),
        Err(lost) => {
            warn!(error = %lost, "whether the change took effect is not known");
            Err(failure.with_hint(
                "whether the change took effect is not known: look at the object before trying again",
            ))
        }
    }
}

/// The server has said no: nothing was written.
fn is_refusal(kind: SourceErrorKind) -> bool {
    use SourceErrorKind::{Conflict, Forbidden, NotFound, Rejected, Unauthorized};
    matches!(
        kind,
        Conflict | Rejected | Forbidden | Unauthorized | NotFound
    )
}

/// The weight at the place of a change.
fn weight(live: &Object, change: &WeightChange) -> Option<i64> {
    live.doc
        .pointer(&change.path)
        .and_then(serde_json::Value::as_i64)
}
