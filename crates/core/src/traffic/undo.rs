//! Takes a shift back: the inverse of a plan against the object as it is now.
//!
//! Nothing else is touched, so changes that others made elsewhere in the object survive. If the weights that we wrote are no
//! longer there, somebody else has decided since: that is a conflict for a person, not something to overwrite.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::owner;
use super::patch::apply_ops;
use super::plan::{PlanError, op};
use super::route_api::destination_of_weight;
use super::types::{OpKind, PatchOp, ShiftPlan, WeightChange};
use crate::model::{Finding, Object, Severity};

/// A weight about which three parties disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafConflict {
    /// Destination name in the original plan.
    pub destination: String,
    /// JSON pointer of the weight.
    pub path: String,
    /// Before our change; `None`: the field was absent.
    pub before: Option<i64>,
    /// What we wrote; `None`: we removed the field.
    pub ours: Option<i64>,
    /// What is there now; `None`: the field or the whole destination is gone.
    pub live: Option<i64>,
    /// Whether another destination stands at this place now.
    pub moved: bool,
}

/// Plans the way back from `original` on the object as it is `live`.
///
/// If every weight is already back at its old value, the plan has no changes and says so. The plan may itself be undone
/// (that is a redo).
///
/// # Errors
/// [`PlanError::Conflict`] with the three values of each weight if ours is no longer there, [`PlanError::OtherObject`] for a
/// wrong object.
pub fn plan_undo(live: &Object, original: &ShiftPlan) -> Result<ShiftPlan, PlanError> {
    if live.reference != original.split.object {
        return Err(PlanError::OtherObject {
            expected: original.split.object.to_string(),
            found: live.reference.to_string(),
        });
    }
    let same_entry = same_entry(&live.doc, original);
    let leaves: Vec<LeafConflict> = original
        .changes
        .iter()
        .map(|change| {
            let mut leaf = compare(&live.doc, change, &original.inverse);
            leaf.moved |= !same_entry;
            leaf
        })
        .collect();
    let ours_everywhere = leaves
        .iter()
        .all(|leaf| !leaf.moved && leaf.live == leaf.ours);
    let already_back = leaves
        .iter()
        .all(|leaf| !leaf.moved && leaf.live == leaf.before);
    if !ours_everywhere && !already_back {
        return Err(PlanError::Conflict {
            leaves: leaves
                .into_iter()
                .filter(|leaf| leaf.moved || leaf.live != leaf.ours)
                .collect(),
        });
    }
    let done = !ours_everywhere || original.changes.is_empty();
    let (ops, inverse, changes) = if done {
        (Vec::new(), Vec::new(), Vec::new())
    } else {
        let changes = original.changes.iter().map(|change| WeightChange {
            before: change.after,
            after: change.before,
            ..change.clone()
        });
        let ops = original.inverse.clone();
        (ops, redo(original), changes.collect())
    };
    let after = apply_ops(&live.doc, &ops).map_err(PlanError::Unpatchable)?;
    Ok(ShiftPlan {
        split: original.split.clone(),
        resource_version: live.resource_version.clone(),
        changes,
        ratios_after: ratios(&after, original),
        ops,
        inverse,
        before: live.doc.clone(),
        after,
        findings: judge(live, original, done),
    })
}

/// Whether the entry at the plan's index is still the one that was changed: somebody may have put another before it.
fn same_entry(live: &Value, original: &ShiftPlan) -> bool {
    let path = original.split.entry_path();
    let (now, then) = (live.pointer(&path), original.before.pointer(&path));
    let identity = original.split.api.entry_identity();
    identity
        .iter()
        .all(|field| now.and_then(|e| e.get(field)) == then.and_then(|e| e.get(field)))
}

fn compare(live: &Value, change: &WeightChange, inverse: &[PatchOp]) -> LeafConflict {
    let item = destination_of_weight(&change.path);
    let same_destination = inverse
        .iter()
        .filter(|op| op.op == OpKind::Test && op.path != change.path)
        .filter(|op| {
            op.path
                .rsplit_once('/')
                .is_some_and(|(parent, _)| parent == item)
        })
        .all(|op| live.pointer(&op.path) == op.value.as_ref());
    LeafConflict {
        destination: change.destination.clone(),
        path: change.path.clone(),
        before: change.before,
        ours: change.after,
        live: live.pointer(&change.path).and_then(Value::as_i64),
        moved: !same_destination,
    }
}

/// The inverse of the inverse: tests the weights that the undo leaves behind, then writes ours again.
fn redo(original: &ShiftPlan) -> Vec<PatchOp> {
    let version = "/metadata/resourceVersion";
    let weights = |op: &&PatchOp| original.changes.iter().any(|change| change.path == op.path);
    let tests = original.inverse.iter().filter(|op| op.op == OpKind::Test);
    let mut ops: Vec<PatchOp> = tests.filter(|op| !weights(op)).cloned().collect();
    // An absent field cannot be tested for; its identity tests have to do.
    let restored = original.inverse.iter().filter(weights);
    let restored = restored.filter(|op| matches!(op.op, OpKind::Replace | OpKind::Add));
    ops.extend(restored.map(|back| op(OpKind::Test, &back.path, back.value.clone())));
    let writes = original
        .ops
        .iter()
        .filter(|op| op.op != OpKind::Test && op.path != version);
    ops.extend(writes.cloned());
    ops
}

fn ratios(after: &Value, original: &ShiftPlan) -> Vec<(String, Option<f64>)> {
    let api = original.split.api;
    let entry = after.pointer(&original.split.entry_path());
    let weights = api.weights(entry.unwrap_or(&Value::Null));
    let names = original.ratios_after.iter().map(|(name, _)| name.clone());
    names.zip(api.effective_ratios(&weights)).collect()
}

fn judge(live: &Object, original: &ShiftPlan, done: bool) -> Vec<Finding> {
    let about = live.reference.to_string();
    let mut findings = Vec::new();
    let mut say = |severity, code: &str, message: String| {
        findings.push(Finding::new(severity, code, &about, message));
    };
    if done {
        let message = "the old weights are already back; there is nothing to do";
        say(Severity::Info, "nothing-to-change", message.to_owned());
    }
    let uid = original
        .before
        .pointer("/metadata/uid")
        .and_then(Value::as_str);
    if uid.is_some_and(|uid| uid != live.uid) {
        let message = "this is not the object that was changed: it was deleted and made anew, or it is another cluster's";
        say(Severity::Error, "other-object", message.to_owned());
    }
    let ownership = owner::detect(live, &[]);
    if let Some(advice) = owner::advice(&ownership.owner) {
        say(Severity::Warning, "owned-by-tool", advice);
    }
    findings
}

#[cfg(test)]
mod tests;
