//! Staged plans, dry runs and journal entries.

use pilothouse_core::model::{Object, Severity};
use pilothouse_core::traffic::{OpKind, PatchOp, ShiftPlan, WeightChange};
use pilothouse_engine::{DryRun, Entry, EntryKind, ObservedSplit, Outcome, StagedPlan};
use similar::{ChangeTag, TextDiff};

use super::{finding_view, in_context, rfc3339, split_id_text};
use crate::dto::{
    ChangeView, DiffLine, DryRunView, JournalEntryView, OpView, PlanView, PredictionView,
};

/// Unchanged lines shown around a change.
const CONTEXT_LINES: usize = 3;

pub(crate) fn plan_view(
    context: &str,
    staged: &StagedPlan,
    split: Option<&ObservedSplit>,
) -> PlanView {
    let plan = &staged.plan;
    let refused = plan.findings.iter().any(|f| f.severity == Severity::Error);
    PlanView {
        plan_id: in_context(context, &staged.id),
        context: context.to_owned(),
        split_id: split_id_text(context, &plan.split),
        kind: kind(staged.kind).to_owned(),
        summary: summary(plan),
        resource_version: plan.resource_version.clone(),
        changes: plan.changes.iter().map(change_view).collect(),
        weights_after: plan.weights_after(),
        diff: diff(plan),
        ops: plan.ops.iter().map(op_view).collect(),
        predictions: split
            .map(|split| predictions(plan, split))
            .unwrap_or_default(),
        findings: plan.findings.iter().map(finding_view).collect(),
        applicable: !refused && !plan.changes.is_empty(),
        cli: command_line(plan),
    }
}

pub(crate) fn dry_run_view(answer: &DryRun) -> DryRunView {
    DryRunView {
        ok: answer.mutations.is_empty(),
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of one call")]
        elapsed_ms: answer.elapsed.0 as f64,
        warnings: answer.warnings.clone(),
        mutations: answer.mutations.clone(),
    }
}

pub(crate) fn entry_view(entry: &Entry, undoable: bool) -> JournalEntryView {
    let outcome = match entry.outcome {
        Outcome::Intended => "intended",
        Outcome::Applied => "applied",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
    };
    JournalEntryView {
        entry_id: entry.id.clone(),
        at: rfc3339(entry.at),
        kind: if entry.kind == EntryKind::Undo {
            "undo"
        } else {
            "apply"
        }
        .to_owned(),
        context: entry.context.clone(),
        user: entry.user.clone(),
        split_id: split_id_text(&entry.context, &entry.plan.split),
        summary: summary(&entry.plan),
        reason: entry.reason.clone(),
        outcome: outcome.to_owned(),
        message: entry.message.clone(),
        changes: entry.plan.changes.iter().map(change_view).collect(),
        resource_version_before: entry.plan.resource_version.clone(),
        resource_version_after: entry.resource_version_after.clone(),
        undoable,
    }
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Apply => "shift",
        EntryKind::Undo => "undo",
    }
}

/// `v1 90 -> 50, v2 10 -> 50`.
fn summary(plan: &ShiftPlan) -> String {
    let text = |weight: Option<i64>| weight.map_or_else(|| "unset".to_owned(), |w| w.to_string());
    let changes = plan
        .changes
        .iter()
        .map(|c| format!("{} {} -> {}", c.destination, text(c.before), text(c.after)));
    let all: Vec<String> = changes.collect();
    if all.is_empty() {
        "no change".to_owned()
    } else {
        all.join(", ")
    }
}

fn change_view(change: &WeightChange) -> ChangeView {
    ChangeView {
        destination: change.destination.clone(),
        path: change.path.clone(),
        before: change.before,
        after: change.after,
    }
}

fn op_view(op: &PatchOp) -> OpView {
    let name = match op.op {
        OpKind::Test => "test",
        OpKind::Replace => "replace",
        OpKind::Add => "add",
        OpKind::Remove => "remove",
    };
    let value = op
        .value
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    OpView {
        op: name.to_owned(),
        path: op.path.clone(),
        value,
    }
}

/// Changed lines of the YAML with a little context, without status and metadata that the server writes.
fn diff(plan: &ShiftPlan) -> Vec<DiffLine> {
    let (before, after) = (yaml(&plan.before), yaml(&plan.after));
    let text = TextDiff::from_lines(&before, &after);
    let mut lines = Vec::new();
    for group in text.grouped_ops(CONTEXT_LINES) {
        for change in group.iter().flat_map(|op| text.iter_changes(op)) {
            let kind = match change.tag() {
                ChangeTag::Equal => "context",
                ChangeTag::Delete => "removed",
                ChangeTag::Insert => "added",
            };
            lines.push(DiffLine {
                kind: kind.to_owned(),
                text: change.value().trim_end_matches('\n').to_owned(),
            });
        }
    }
    lines
}

fn yaml(document: &serde_json::Value) -> String {
    let mut shown = document.clone();
    if let Some(object) = shown.as_object_mut() {
        object.remove("status");
    }
    serde_saphyr::to_string(&shown).unwrap_or_else(|_| shown.to_string())
}

fn predictions(plan: &ShiftPlan, split: &ObservedSplit) -> Vec<PredictionView> {
    let total: Option<f64> = split.observed.iter().map(|o| o.rate).sum();
    let rows = split
        .split
        .destinations
        .iter()
        .zip(&split.observed)
        .zip(&plan.ratios_after);
    rows.map(|((destination, seen), (_, ratio_after))| {
        let rate_after = total.zip(*ratio_after).map(|(total, ratio)| total * ratio);
        let ready = destination
            .ready
            .map(|r| f64::from(r.ready))
            .filter(|ready| *ready > 0.0);
        let per_endpoint_after = rate_after.zip(ready).map(|(rate, ready)| rate / ready);
        let load_factor = rate_after
            .zip(seen.rate)
            .filter(|(_, now)| *now > 0.0)
            .map(|(after, now)| after / now);
        PredictionView {
            destination: destination.name.clone(),
            ratio_before: destination.effective_ratio,
            ratio_after: *ratio_after,
            rate_before: seen.rate,
            rate_after,
            per_endpoint_after,
            load_factor,
        }
    })
    .collect()
}

fn command_line(plan: &ShiftPlan) -> String {
    let object = Object::from_document(plan.before.clone())
        .map_or_else(|| plan.split.object.clone(), |object| object.reference);
    let weights = plan
        .changes
        .iter()
        .filter_map(|c| Some(format!(" {}={}", c.destination, c.after?)));
    let route = if plan.split.route == 0 {
        String::new()
    } else {
        format!(" --route {}", plan.split.route)
    };
    format!(
        "pilothousectl split set {}/{}.{}{route}{}",
        object.kind,
        object.name,
        object.namespace,
        weights.collect::<String>()
    )
}
