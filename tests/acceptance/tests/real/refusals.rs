//! What the server refuses, in its own words.

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::Ctl;
use pilothouse_bed::User;
use serde_json::{Value, json};

use crate::stage::{REVIEWS, SOON, Stage, pair, wrote_nothing};

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

/// Our own plan refuses a negative weight, so a meddler has to write it into our patch.
pub(crate) fn of_the_webhook(stage: &Stage) -> Result<()> {
    let ctl = Ctl::new()?;
    let (_server, kubeconfig) = stage.meddler(&ctl, |_, request| {
        if request.method == "PATCH" {
            let mut patch: Value = serde_json::from_slice(&request.body)?;
            let operations = patch.as_array_mut().context("no JSON Patch")?;
            let ours = operations
                .iter_mut()
                .find(|operation| operation["value"] == 48);
            ours.context("no weight of ours")?["value"] = json!(-5);
            request.body = serde_json::to_vec(&patch)?;
        }
        Ok(())
    })?;
    let before = stage.live()?;
    let answer = stage.run_with(
        &ctl,
        &kubeconfig,
        &format!("split set {REVIEWS} v1=52 v2=48 --yes"),
    )?;
    let verbatim = "admission webhook \"rev.validation.istio.io\" denied the request: configuration is invalid: weight -5 < 0";
    answer.exits(1)?.complains(verbatim)?;
    assert_eq!(stage.live()?, before);
    wrote_nothing(stage, &ctl, &kubeconfig)
}

/// A rule of the cluster that no plan of ours can know.
pub(crate) fn of_a_policy(stage: &Stage) -> Result<()> {
    let reason = "no canary above 60 % on a Friday; ask <release@example.com> & wait";
    let kube = stage.bed.kube();
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "small-canaries"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["networking.istio.io"], "apiVersions": ["*"], "operations": ["UPDATE"],
                "resources": ["virtualservices"],
            }]},
            "validations": [{
                "expression": "object.spec.http.all(h, h.route.all(r, r.destination.subset != 'v2' || r.weight <= 60))",
                "message": reason,
            }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "small-canaries"},
        "spec": {"policyName": "small-canaries", "validationActions": ["Deny"]},
    });
    for (path, object) in [(POLICIES, policy), (BINDINGS, binding)] {
        kube.call(
            "POST",
            path,
            "application/json",
            &serde_json::to_vec(&object)?,
        )?
        .ok()?;
    }
    let ctl = Ctl::new()?;
    let kubeconfig = stage.bed.kubeconfig(User::Admin).display().to_string();
    let set = |weights: &str| {
        stage.run_with(
            &ctl,
            &kubeconfig,
            &format!("split set {REVIEWS} {weights} --dry-run"),
        )
    };
    stage.bed.wait_until("the policy", SOON, || {
        let answer = set("v1=30 v2=70")?;
        ensure!(
            answer.exit == 1 && answer.stderr.contains(reason),
            "{answer}"
        );
        Ok(Some(()))
    })?;
    let before = stage.live()?;
    let answer = stage.run_with(
        &ctl,
        &kubeconfig,
        &format!("split set {REVIEWS} v1=10 v2=90 --yes"),
    )?;
    answer.exits(1)?.complains(reason)?;
    assert_eq!(stage.live()?, before);
    wrote_nothing(stage, &ctl, &kubeconfig)?;
    for path in [BINDINGS, POLICIES] {
        kube.delete(&format!("{path}/small-canaries"))?;
    }
    stage.bed.wait_until("the policy's end", SOON, || {
        Ok((set("v1=30 v2=70")?.exit == 0).then_some(()))
    })
}

pub(crate) fn of_users(stage: &Stage) -> Result<()> {
    let before = stage.live()?;
    let set = format!("split set {REVIEWS} v1=50 v2=50 --yes");
    let ctl = Ctl::new()?;
    stage.run_as(&ctl, User::Viewer, "graph")?.exits(0)?;
    for (user, allowed) in [(User::Admin, true), (User::Viewer, false)] {
        let view = stage.run_as(&ctl, user, "check -o json")?.json()?;
        let right = json!({"verb": "patch", "kind": "VirtualService", "namespace": "bookinfo", "name": "reviews", "allowed": allowed});
        ensure!(
            view["rights"]
                .as_array()
                .is_some_and(|rights| rights.contains(&right)),
            "{view}"
        );
    }
    stage
        .run_as(&ctl, User::Viewer, &format!("split get {REVIEWS}"))?
        .exits(0)?
        .says("90")?;
    stage
        .run_as(&ctl, User::Viewer, &set)?
        .exits(77)?
        .complains("User \"viewer\" cannot patch")?;
    assert_eq!(stage.live()?, before);

    let graph = stage
        .run_as(&ctl, User::Stranger, "graph -o json")?
        .exits(77)?;
    let edges = graph.json()?["edges"].as_array().map_or(0, Vec::len);
    ensure!(edges >= 4, "the metrics are still there: {graph}");
    stage
        .run_as(&ctl, User::Stranger, &set)?
        .exits(77)?
        .complains("hint:")?;
    assert_eq!(stage.live()?, before);
    assert_eq!(stage.weights()?, pair(90, 10));
    Ok(())
}
