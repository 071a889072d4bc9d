//! Changes in two phases: plan, dry run, apply, undo.

use std::sync::Arc;

use pilothouse_core::model::{Moment, Object, Severity, SourceError, SourceErrorKind};
use pilothouse_core::ports::{ControlPlane, WriteMode};
use pilothouse_core::traffic::{self, Convergence, Phase, PlanError, ShiftPlan, ShiftRequest};
use serde_json::Value;

use super::{Engine, PLANS_KEPT};
use crate::config::Class;
use crate::journal::{Entry, EntryKind, Outcome};
use crate::shift::{CommandError, DryRun, StagedPlan};
use crate::watches::{ShiftWatch, find_split};

impl Engine {
    /// Unlocks writes for a while. A production context wants its name typed.
    ///
    /// # Errors
    /// [`CommandError::WrongName`].
    pub fn arm(&self, typed_name: Option<&str>) -> Result<Moment, CommandError> {
        if self.config.class == Class::Production
            && typed_name != Some(self.config.context.as_str())
        {
            return Err(CommandError::WrongName);
        }
        let until = self.now().plus(self.config.armed_for);
        self.lock().armed_until = Some(until);
        self.fold_wanted.notify_one();
        Ok(until)
    }

    /// Locks writes again.
    pub fn disarm(&self) {
        self.lock().armed_until = None;
        self.fold_wanted.notify_one();
    }

    /// Stages a shift against the object as it is on the server right now.
    ///
    /// # Errors
    /// If the object cannot be read, or the request names what is not there.
    pub async fn plan_shift(&self, request: &ShiftRequest) -> Result<StagedPlan, CommandError> {
        let objects = self.with_live_object(&request.split.object).await?;
        let plan = traffic::plan_shift(&objects, request)?;
        Ok(self.stage(EntryKind::Apply, None, plan))
    }

    /// Stages the inverse of a journal entry (the newest one that can be taken back, if none is named).
    ///
    /// # Errors
    /// If there is none, or the weights are no longer those that we wrote.
    pub async fn plan_undo(&self, entry: Option<&str>) -> Result<StagedPlan, CommandError> {
        let entry = {
            let state = self.lock();
            let entries = state.journal.of_context(&self.config.context);
            let mut wanted = entries.into_iter().filter(|e| {
                entry.map_or(e.kind == EntryKind::Apply, |id| e.id == id)
                    && state.journal.undoable(e)
            });
            wanted.next().cloned().ok_or(CommandError::NothingToUndo)?
        };
        let gone = || PlanError::NoSuchSplit {
            split: entry.plan.split.object.to_string(),
        };
        let live = self.control_plane()?.get(&entry.plan.split.object).await?;
        let plan = traffic::plan_undo(&live.ok_or_else(gone)?, &entry.plan)?;
        Ok(self.stage(EntryKind::Undo, Some(entry.id), plan))
    }

    /// A staged plan.
    ///
    /// # Errors
    /// If it is not there any more.
    pub fn staged(&self, plan_id: &str) -> Result<StagedPlan, CommandError> {
        self.lock()
            .plans
            .iter()
            .find(|p| p.id == plan_id)
            .cloned()
            .ok_or(CommandError::UnknownPlan)
    }

    /// Lets the server try the plan without changing anything, and compares its answer with what we staged.
    ///
    /// # Errors
    /// If the plan refuses itself, or the server refuses it.
    pub async fn dry_run(&self, plan_id: &str) -> Result<DryRun, CommandError> {
        let staged = self.staged(plan_id)?;
        refuse_errors(&staged.plan)?;
        let control_plane = self.control_plane()?;
        let begun = self.now();
        let object = &staged.plan.split.object;
        let answer = control_plane
            .patch(object, &staged.plan.ops, WriteMode::DryRun)
            .await?;
        Ok(DryRun {
            elapsed: self.now().since(begun),
            warnings: answer.warnings,
            mutations: differences(&staged.plan.after, &answer.object.doc),
        })
    }

    /// Carries a plan out: dry run, journal, patch with preconditions, journal; then its effect is watched.
    ///
    /// # Errors
    /// [`CommandError::ReadOnly`] unless armed; whatever the dry run or the server say. Nothing is written on any error
    /// before the patch; after a failed patch the journal says so.
    pub async fn apply(&self, plan_id: &str, reason: &str) -> Result<Entry, CommandError> {
        if self.armed_until().is_none() {
            return Err(CommandError::ReadOnly);
        }
        let staged = self.staged(plan_id)?;
        if staged.plan.changes.is_empty() {
            return Err(CommandError::NothingToDo);
        }
        let tried = self.dry_run(plan_id).await?;
        if !tried.mutations.is_empty() {
            return Err(CommandError::Mutated(tried.mutations));
        }
        let control_plane = self.control_plane()?;
        let mut entry = self.begin(&staged, reason)?;
        let object = &staged.plan.split.object;
        match control_plane
            .patch(object, &staged.plan.ops, WriteMode::Apply)
            .await
        {
            Ok(answer) => {
                entry.outcome = Outcome::Applied;
                entry.resource_version_after = Some(answer.object.resource_version.clone());
                let closed = self.close(&staged, &entry, Some(answer.object));
                // The reader who is told of success finds the new weights in the snapshot.
                self.fold().await;
                closed.map(|()| entry)
            }
            Err(error) => {
                let refused = matches!(
                    error.kind,
                    SourceErrorKind::Conflict
                        | SourceErrorKind::Rejected
                        | SourceErrorKind::Forbidden
                );
                entry.outcome = if refused {
                    Outcome::Refused
                } else {
                    Outcome::Failed
                };
                entry.message.clone_from(&error.message);
                self.close(&staged, &entry, None)?;
                Err(error.into())
            }
        }
    }

    fn begin(&self, staged: &StagedPlan, reason: &str) -> Result<Entry, CommandError> {
        let now = self.now();
        let mut state = self.lock();
        let entry = Entry {
            id: state.journal.next_id(now),
            at: now,
            kind: staged.kind,
            undoes: staged.undoes.clone(),
            context: self.config.context.clone(),
            user: state
                .identity
                .as_ref()
                .and_then(|identity| identity.user.clone()),
            plan: staged.plan.clone(),
            reason: reason.to_owned(),
            outcome: Outcome::Intended,
            message: String::new(),
            resource_version_after: None,
        };
        state.journal.record(entry.clone())?;
        Ok(entry)
    }

    fn close(
        &self,
        staged: &StagedPlan,
        entry: &Entry,
        live: Option<Object>,
    ) -> Result<(), CommandError> {
        let now = self.now();
        let scrape = self.scrape_interval();
        let before = self.snapshot();
        let mut state = self.lock();
        state.plans.retain(|plan| plan.id != staged.id);
        let written = state.journal.record(entry.clone());
        if let Some(object) = live {
            state
                .objects
                .take(pilothouse_core::ports::ObjectEvent::Applied(Box::new(
                    object,
                )));
            if let Some(undone) = &staged.undoes {
                for watch in state
                    .watches
                    .iter_mut()
                    .filter(|watch| &watch.entry == undone)
                {
                    watch.convergence.phase = Phase::Undone;
                }
            }
            let known = before
                .splits
                .iter()
                .find(|s| s.split.id == staged.plan.split);
            let splits = traffic::read_splits(&state.objects.all());
            let targets = staged
                .plan
                .ratios_after
                .iter()
                .map(|(_, ratio)| ratio.unwrap_or(0.0))
                .collect();
            let convergence = Convergence::new(targets, now, scrape);
            let split = known
                .map(|s| &s.split)
                .or_else(|| find_split(&splits, &staged.plan.split));
            let observed = known.map(|s| s.observed.clone()).unwrap_or_default();
            let watch = split.and_then(|split| {
                ShiftWatch::new(
                    entry.id.clone(),
                    &staged.plan,
                    &observed,
                    split,
                    convergence,
                )
            });
            for older in state
                .watches
                .iter_mut()
                .filter(|watch| watch.split == staged.plan.split && watch.open())
            {
                older.convergence.phase = Phase::Superseded;
            }
            state.watches.extend(watch);
        }
        drop(state);
        self.refresh();
        Ok(written?)
    }

    fn stage(&self, kind: EntryKind, undoes: Option<String>, plan: ShiftPlan) -> StagedPlan {
        let mut state = self.lock();
        state.plan_counter += 1;
        let staged = StagedPlan {
            id: format!("plan-{}", state.plan_counter),
            kind,
            undoes,
            plan,
        };
        state.plans.push(staged.clone());
        if state.plans.len() > PLANS_KEPT {
            state.plans.remove(0);
        }
        staged
    }

    /// The known objects, with this one replaced by what the server holds right now.
    async fn with_live_object(
        &self,
        reference: &pilothouse_core::model::ObjectRef,
    ) -> Result<Vec<Object>, CommandError> {
        let live = self.control_plane()?.get(reference).await?;
        let mut objects = self.lock().objects.all();
        objects.retain(|object| &object.reference != reference);
        objects.extend(live);
        objects.sort_by(|a, b| a.reference.cmp(&b.reference));
        Ok(objects)
    }

    fn control_plane(&self) -> Result<Arc<dyn ControlPlane>, SourceError> {
        self.sources.control_plane.clone()
    }
}

fn refuse_errors(plan: &ShiftPlan) -> Result<(), CommandError> {
    let errors: Vec<_> = plan
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .cloned()
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(CommandError::Refused(errors))
    }
}

/// Leaves in which the server's answer differs from the staged document, but for metadata that every write touches.
fn differences(staged: &Value, answered: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for key in ["spec", "apiVersion", "kind"] {
        compare(
            &format!("/{key}"),
            staged.get(key),
            answered.get(key),
            &mut found,
        );
    }
    for key in ["labels", "annotations"] {
        let pointer = format!("/metadata/{key}");
        compare(
            &pointer,
            staged.pointer(&pointer),
            answered.pointer(&pointer),
            &mut found,
        );
    }
    found
}

fn compare(path: &str, a: Option<&Value>, b: Option<&Value>, found: &mut Vec<String>) {
    match (a, b) {
        (Some(Value::Object(x)), Some(Value::Object(y))) => {
            let keys: std::collections::BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            for key in keys {
                compare(&format!("{path}/{key}"), x.get(key), y.get(key), found);
            }
        }
        (Some(Value::Array(x)), Some(Value::Array(y))) => {
            for i in 0..x.len().max(y.len()) {
                compare(&format!("{path}/{i}"), x.get(i), y.get(i), found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            let text = |v: Option<&Value>| v.map_or_else(|| "absent".to_owned(), Value::to_string);
            found.push(format!("{path}: {} -> {}", text(a), text(b)));
        }
    }
}
