//! The first half of a change: plans of shifts and undos, the server's dry run. Nothing here writes.

use pilothouse_core::model::{Finding, Object, ObjectKind, ObjectRef, Severity};
use pilothouse_core::ports::WriteMode;
use pilothouse_core::traffic::{self, PlanError, ShiftPlan, ShiftRequest};
use serde_json::Value;

use super::Changes;
use super::journal::{EntryKind, Outcome};
use super::words::{CommandError, DryRun, StagedPlan};

/// Plans that wait for their apply; the oldest is dropped beyond this.
const PLANS_KEPT: usize = 32;

impl Changes {
    /// Stages a shift against the object as it is on the server right now.
    ///
    /// # Errors
    /// If the object cannot be read, or the request names what is not there.
    pub async fn plan_shift(&self, request: &ShiftRequest) -> Result<StagedPlan, CommandError> {
        let objects = self.with_live_object(&request.split.object).await?;
        let mut plan = traffic::plan_shift(&objects, request)?;
        plan.findings.extend(self.unchecked(&plan));
        Ok(self.stage(EntryKind::Apply, None, plan))
    }

    /// Stages the inverse of a journal entry (the newest one that can be taken back, if none is named). Of a change whose
    /// end is not known, the object says whether it took effect.
    ///
    /// # Errors
    /// If there is none, or the weights are no longer those that we wrote.
    pub async fn plan_undo(&self, entry: Option<&str>) -> Result<StagedPlan, CommandError> {
        let journal = self.journal();
        if let Some(id) = entry
            && journal.iter().all(|(known, _)| known.id != id)
        {
            return Err(CommandError::NoSuchEntry(id.to_owned()));
        }
        for (candidate, undoable) in journal {
            let wanted = entry.map_or(candidate.kind == EntryKind::Apply, |id| candidate.id == id);
            let unsure = matches!(candidate.outcome, Outcome::Intended | Outcome::Failed);
            if !wanted || !(undoable || unsure) {
                continue;
            }
            let plan = self.plan_inverse(&candidate.plan).await;
            // What somebody has taken back by hand already is not what is meant, unless it is named.
            let is_back = plan.as_ref().is_ok_and(|plan| plan.changes.is_empty());
            let took_effect = plan.is_ok() && !is_back;
            if took_effect || (undoable && (entry.is_some() || !is_back)) {
                return Ok(self.stage(EntryKind::Undo, Some(candidate.id.clone()), plan?));
            }
        }
        Err(CommandError::NothingToUndo)
    }

    async fn plan_inverse(&self, plan: &ShiftPlan) -> Result<ShiftPlan, CommandError> {
        let object = &plan.split.object;
        let gone = || PlanError::NoSuchSplit {
            split: object.to_string(),
        };
        let live = self.observation.control_plane()?.get(object).await?;
        Ok(traffic::plan_undo(&live.ok_or_else(gone)?, plan)?)
    }

    /// What nobody could check, because objects of these kinds are not known.
    fn unchecked(&self, plan: &ShiftPlan) -> Option<Finding> {
        let unknown = self.observation.unknown_kinds();
        let kinds: Vec<String> = unknown
            .into_iter()
            .filter(|kind| *kind != ObjectKind::Namespace)
            .map(|kind| kind.to_string())
            .collect();
        (!kinds.is_empty()).then(|| {
            let about = plan.split.object.to_string();
            let message = format!(
                "not checked against these kinds, which could not be read: {}",
                kinds.join(", ")
            );
            Finding::new(Severity::Warning, "objects-unknown", &about, message)
        })
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
        let control_plane = self.observation.control_plane()?;
        let begun = self.observation.now();
        let object = &staged.plan.split.object;
        let answer = control_plane
            .patch(object, &staged.plan.ops, WriteMode::DryRun)
            .await?;
        Ok(DryRun {
            elapsed: self.observation.now().since(begun),
            warnings: answer.warnings,
            mutations: differences(&staged.plan.after, &answer.object.doc),
        })
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
    async fn with_live_object(&self, reference: &ObjectRef) -> Result<Vec<Object>, CommandError> {
        let live = self.observation.control_plane()?.get(reference).await?;
        let mut objects = self.observation.objects();
        objects.retain(|object| &object.reference != reference);
        objects.extend(live);
        objects.sort_by(|a, b| a.reference.cmp(&b.reference));
        Ok(objects)
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
