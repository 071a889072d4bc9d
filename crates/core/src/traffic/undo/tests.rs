use serde_json::json;

use super::{LeafConflict, plan_undo};
use crate::model::{Object, ObjectKind, ObjectRef, Severity};
use crate::traffic::samples::{mesh, object};
use crate::traffic::{
    IstioSection, PlanError, RouteApi, ShiftPlan, ShiftRequest, SplitId, apply_ops, plan_shift,
};

fn shifted() -> (ShiftPlan, Object) {
    let request = ShiftRequest {
        split: SplitId {
            object: ObjectRef::new(ObjectKind::VirtualService, "shop", "reviews"),
            api: RouteApi::VirtualService(IstioSection::Http),
            route: 0,
        },
        weights: vec![("v1".to_owned(), 80), ("v2".to_owned(), 20)],
    };
    let plan = plan_shift(&mesh(), &request).expect("a plan");
    let mut live = plan.after.clone();
    live["metadata"]["resourceVersion"] = json!("42");
    (plan, object(live))
}

#[test]
fn undo_keeps_what_others_changed_elsewhere() {
    let (plan, live) = shifted();
    let mut edited = live.doc;
    edited["spec"]["http"][0]["timeout"] = json!("3s");
    edited["metadata"]["resourceVersion"] = json!("57");
    let undo = plan_undo(&object(edited), &plan).expect("an undo");
    assert_eq!(undo.after["spec"]["http"][0]["timeout"], "3s");
    assert_eq!(
        undo.after["spec"]["http"][0]["route"],
        plan.before["spec"]["http"][0]["route"]
    );
    assert_eq!(undo.resource_version, "57");
    assert_eq!(undo.ops, plan.inverse);
    let ratios: Vec<Option<f64>> = undo.ratios_after.iter().map(|(_, r)| *r).collect();
    assert_eq!(ratios, [Some(0.9), Some(0.1)]);
    assert_eq!(undo.findings, []);
}

#[test]
fn an_undo_can_be_undone() {
    let (plan, live) = shifted();
    let undo = plan_undo(&live, &plan).expect("an undo");
    assert_eq!(
        apply_ops(&undo.after, &undo.inverse).as_ref(),
        Ok(&undo.before)
    );
    let back = object(undo.after.clone());
    let redo = plan_undo(&back, &undo).expect("a redo");
    assert_eq!(redo.after["spec"], plan.after["spec"]);
    assert_eq!(redo.changes[1].after, Some(20));
}

#[test]
fn a_later_change_of_our_weights_is_a_conflict_with_three_values() {
    let (plan, live) = shifted();
    let mut edited = live.doc;
    edited["spec"]["http"][0]["route"][1]["weight"] = json!(50);
    let conflict = plan_undo(&object(edited), &plan);
    let leaf = LeafConflict {
        destination: "v2".into(),
        path: "/spec/http/0/route/1/weight".into(),
        before: Some(10),
        ours: Some(20),
        live: Some(50),
        moved: false,
    };
    assert_eq!(conflict, Err(PlanError::Conflict { leaves: vec![leaf] }));
}

#[test]
fn a_moved_destination_is_a_conflict_even_with_equal_weights() {
    let (plan, live) = shifted();
    let mut edited = live.doc;
    edited["spec"]["http"][0]["route"][1]["destination"]["subset"] = json!("v3");
    match plan_undo(&object(edited), &plan) {
        Err(PlanError::Conflict { leaves }) => {
            assert_eq!(leaves.len(), 1);
            assert!(leaves[0].moved);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_already_back_needs_nothing() {
    let (plan, live) = shifted();
    let mut back = live.doc;
    back["spec"] = plan.before["spec"].clone();
    let undo = plan_undo(&object(back), &plan).expect("an undo");
    assert!(undo.changes.is_empty() && undo.ops.is_empty());
    assert_eq!(undo.findings[0].code, "nothing-to-change");
}

#[test]
fn another_object_is_not_undone() {
    let (plan, live) = shifted();
    let mut other = live;
    other.reference.name = "ratings".into();
    assert!(matches!(
        plan_undo(&other, &plan),
        Err(PlanError::OtherObject { .. })
    ));
}

#[test]
fn a_recreated_object_is_pointed_out() {
    let (mut plan, live) = shifted();
    plan.before["metadata"]["uid"] = json!("old");
    let mut doc = live.doc;
    doc["metadata"]["uid"] = json!("new");
    let undo = plan_undo(&object(doc), &plan).expect("an undo");
    let seen: Vec<_> = undo
        .findings
        .iter()
        .map(|f| (f.code.as_str(), f.severity))
        .collect();
    assert_eq!(seen, [("other-object", Severity::Error)]);
}

#[test]
fn an_entry_that_somebody_put_before_ours_is_not_taken_for_it() {
    let (plan, live) = shifted();
    let mut edited = live.doc;
    let mut copy = edited["spec"]["http"][0].clone();
    copy["match"] = json!([{"headers": {"end-user": {"exact": "jason"}}}]);
    let entries = edited["spec"]["http"].as_array_mut().expect("entries");
    entries.insert(0, copy);
    let Err(PlanError::Conflict { leaves }) = plan_undo(&object(edited), &plan) else {
        panic!("expected a conflict");
    };
    assert!(leaves.iter().all(|leaf| leaf.moved));
}
