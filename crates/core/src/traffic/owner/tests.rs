use serde_json::{Value, json};

use super::detect;
use crate::traffic::samples::{destination_rule, object, virtual_service};

fn check(metadata: Value, tool: &str, name: Option<&str>, steered: bool) {
    let mut doc = virtual_service(json!([])).doc;
    let fields = metadata.as_object().cloned().unwrap_or_default();
    doc["metadata"]
        .as_object_mut()
        .expect("a map")
        .extend(fields);
    let found = detect(&object(doc), &[]);
    let seen = (
        found.owner.tool.as_str(),
        found.owner.name.as_deref(),
        found.steered,
    );
    assert_eq!(seen, (tool, name, steered), "{metadata}");
}

fn by_manager(manager: &str) -> Value {
    json!({"managedFields": [
        {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {"f:http": {}}}},
    ]})
}

#[test]
fn each_tool_is_known_by_its_marks() {
    check(json!({}), "hand", None, false);
    check(
        json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:networking.istio.io/VirtualService:shop/reviews"}}),
        "argo-cd",
        Some("shop"),
        false,
    );
    check(
        json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}),
        "flux",
        Some("apps"),
        false,
    );
    check(
        json!({"labels": {"kiali_wizard": "request_routing"}}),
        "kiali",
        None,
        false,
    );
    check(
        json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "shop"}}),
        "helm",
        Some("shop"),
        false,
    );
    check(
        json!({"ownerReferences": [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "reviews"}]}),
        "flagger",
        Some("reviews"),
        true,
    );
    check(
        json!({"labels": {"rollouts.argoproj.io/gatewayapi-canary": "in-progress"}}),
        "argo-rollouts",
        None,
        true,
    );
}

#[test]
fn managed_fields_are_evidence_but_no_proof() {
    check(
        by_manager("rollouts-controller"),
        "argo-rollouts",
        None,
        false,
    );
    check(by_manager("argocd-controller"), "argo-cd", None, false);
    check(by_manager("kubectl-edit"), "hand", None, false);
}

#[test]
fn a_controller_at_work_counts_more_than_git() {
    check(
        json!({
            "labels": {"kustomize.toolkit.fluxcd.io/name": "apps"},
            "ownerReferences": [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "reviews"}],
        }),
        "flagger",
        Some("reviews"),
        true,
    );
}

#[test]
fn canaries_are_known_by_hosts_and_by_the_destination_rule() {
    let http = json!([{"route": [
        {"destination": {"host": "reviews-primary"}, "weight": 100},
        {"destination": {"host": "reviews-canary"}, "weight": 0},
    ]}]);
    let found = detect(&virtual_service(http), &[]);
    assert_eq!(
        (found.owner.tool.as_str(), found.steered),
        ("flagger", true)
    );
    let mut rule = destination_rule("shop", "reviews", &["stable", "canary"]);
    let annotation = "argo-rollouts.argoproj.io/managed-by-rollouts";
    rule.annotations
        .insert(annotation.to_owned(), "reviews".to_owned());
    let found = detect(&virtual_service(json!([])), &[&rule]);
    assert_eq!(
        (found.owner.tool.as_str(), found.steered),
        ("argo-rollouts", true)
    );
}
