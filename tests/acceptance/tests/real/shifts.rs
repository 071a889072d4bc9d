//! Weights: written, pushed, observed, traced, taken back, and left alone when somebody else was faster.

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::Ctl;
use serde_json::{Value, json};

use crate::stage::{
    PATH, REVIEWS, SOON, Stage, pair, patches, weights_of, write_weights, wrote_nothing,
};

pub(crate) fn reaches_envoy_and_prometheus(stage: &Stage) -> Result<()> {
    let before = stage.live()?;
    assert_eq!(weights_of(&before)?, pair(90, 10));
    let set = format!("split set {REVIEWS} v1=50 v2=50");
    for harmless in [
        "--diff",
        "--dry-run",
        "--yes --read-only",
        "--yes --resource-version 1",
        "",
    ] {
        stage.run(&format!("{set} {harmless}"))?;
        assert_eq!(stage.live()?, before, "{harmless:?} wrote something");
    }
    let done = stage
        .run(&format!("{set} --yes -o json"))?
        .exits(0)?
        .json()?;
    assert_eq!(done["entry"]["outcome"], "applied");
    assert_eq!(done["entry"]["user"], "admin");
    let after = stage.live()?;
    one_careful_write(&before, &after)?;
    assert_eq!(
        done["entry"]["resource_version_before"],
        before["metadata"]["resourceVersion"]
    );
    assert_eq!(
        done["entry"]["resource_version_after"],
        after["metadata"]["resourceVersion"]
    );

    stage
        .bed
        .await_weights("productpage-v1", "reviews", &[("v1", 50), ("v2", 50)], SOON)?;
    // The window must have passed; what it holds then is a draw of n requests.
    stage.bed.wait_until("the observed share", SOON, || {
        let view = stage
            .run(&format!("split get {REVIEWS} --window 20s -o json"))?
            .exits(0)?
            .json()?;
        let destinations = view["splits"][0]["destinations"]
            .as_array()
            .context("no destinations")?;
        let mut n_total = 0.0;
        for destination in destinations {
            n_total += destination["requests"]
                .as_f64()
                .with_context(|| destination.to_string())?;
        }
        let band = 4.0 * (0.25 / n_total).sqrt();
        for destination in destinations {
            let observed = destination["observed_ratio"]
                .as_f64()
                .context("nothing observed")?;
            ensure!(
                (observed - 0.5).abs() < band,
                "{observed} of {n_total} requests"
            );
        }
        ensure!(
            n_total > 300.0,
            "30 requests a second for 20 s, and only {n_total} counted"
        );
        Ok(Some(()))
    })
}

/// The object moved once, and nothing but the weights moved.
fn one_careful_write(before: &Value, after: &Value) -> Result<()> {
    let metadata = |object: &Value, key: &str| object["metadata"][key].clone();
    assert_ne!(
        metadata(before, "resourceVersion"),
        metadata(after, "resourceVersion")
    );
    let generation = |object: &Value| {
        metadata(object, "generation")
            .as_i64()
            .context("no generation")
    };
    assert_eq!(generation(after)?, generation(before)? + 1, "written once");
    let mut expect = before["spec"].clone();
    for position in 0..2 {
        expect["http"][0]["route"][position]["weight"] = json!(50);
    }
    assert_eq!(after["spec"], expect);
    for key in ["labels", "annotations", "uid", "ownerReferences"] {
        assert_eq!(metadata(before, key), metadata(after, key), "{key}");
    }
    let managers = metadata(after, "managedFields");
    let managers = managers.as_array().context("no managers")?;
    let ours = |entry: &Value| {
        entry["manager"] == "pilothouse" && entry["fieldsV1"].to_string().contains("f:http")
    };
    ensure!(
        managers.iter().any(ours),
        "the field manager is pilothouse: {managers:?}"
    );
    Ok(())
}

pub(crate) fn is_seen_in_traces(stage: &Stage) -> Result<()> {
    let find = "traces find --service reviews.bookinfo --tag istio.canonical_revision=v2 --since 5m --limit 10 -o json";
    let through_v2 = |trace: &Value| {
        let spans = trace["spans"].as_array().into_iter().flatten();
        let mut of_reviews = spans.filter(|span| span["service"] == "reviews.bookinfo");
        of_reviews.any(|span| span["revision"] == "v2")
    };
    stage
        .bed
        .wait_until("a trace through reviews v2", SOON, || {
            let found = stage.run(find)?.exits(0)?.json()?;
            let rows = found["traces"].as_array().context("no traces")?;
            ensure!(!rows.is_empty(), "none found");
            for row in rows {
                let id = row["trace_id"].as_str().context("no id")?;
                let trace = stage
                    .run(&format!("traces show {id} -o json"))?
                    .exits(0)?
                    .json()?;
                if through_v2(&trace) {
                    let services = trace["spans"].as_array().context("no spans")?;
                    let named = |name: &str| services.iter().any(|span| span["service"] == name);
                    // The youngest traces lack the spans that some Envoy has not sent yet.
                    if named("ratings.bookinfo") && named("istio-ingressgateway.istio-system") {
                        stage
                            .run(&format!("traces show {id} --critical-path"))?
                            .exits(0)?
                            .says("reviews.bookinfo")?;
                        return Ok(Some(()));
                    }
                }
            }
            anyhow::bail!("{} traces, none whole through v2", rows.len())
        })?;
    stage
        .run("traces show 0123456789abcdef0123456789abcdef")?
        .exits(1)?;
    Ok(())
}

pub(crate) fn is_undone(stage: &Stage) -> Result<()> {
    stage.run("split undo")?.exits(64)?;
    stage.run("split undo --dry-run")?.exits(0)?;
    assert_eq!(stage.weights()?, pair(50, 50));
    stage.run("split undo --yes --reason enough")?.exits(0)?;
    assert_eq!(stage.weights()?, pair(90, 10));
    stage
        .bed
        .await_weights("productpage-v1", "reviews", &[("v1", 90), ("v2", 10)], SOON)?;
    stage
        .run("split undo --yes")?
        .exits(1)?
        .complains("nothing to undo")?;
    assert_eq!(stage.weights()?, pair(90, 10));
    stage.run("split history")?.exits(0)?.says("enough")?;
    Ok(())
}

pub(crate) fn undo_keeps_what_others_wrote(stage: &Stage) -> Result<()> {
    stage
        .run(&format!("split set {REVIEWS} v1=70 v2=30 --yes"))?
        .exits(0)?;
    stage.somebody_writes(60, 40)?;
    let theirs = stage.live()?;
    stage
        .run("split undo --yes")?
        .exits(75)?
        .complains("hint:")?
        .complains("40")?;
    assert_eq!(stage.live()?, theirs, "nothing of theirs was touched");

    // An edit elsewhere in the object is no conflict, and stays.
    stage.somebody_writes(70, 30)?;
    let patch = json!({"metadata": {"annotations": {"note": "kept"}}, "spec": {"http": [
        {"timeout": "7s", "route": stage.live()?["spec"]["http"][0]["route"]},
    ]}});
    stage.bed.kube().patch(PATH, &patch)?.ok()?;
    stage.run("split undo --yes")?.exits(0)?;
    let live = stage.live()?;
    assert_eq!(weights_of(&live)?, pair(90, 10));
    assert_eq!(live["metadata"]["annotations"]["note"], "kept");
    assert_eq!(live["spec"]["http"][0]["timeout"], "7s");
    Ok(())
}

/// Somebody writes between our dry run and our patch.
pub(crate) fn a_race_is_lost_without_harm(stage: &Stage) -> Result<()> {
    let ctl = Ctl::new()?;
    let (server, kubeconfig) = stage.meddler(&ctl, |kube, request| {
        if patches(request) {
            write_weights(kube, 60, 40)
        } else {
            Ok(())
        }
    })?;
    let before = stage.live()?;
    let answer = stage.run_with(
        &ctl,
        &kubeconfig,
        &format!("split set {REVIEWS} v1=50 v2=50 --yes"),
    )?;
    answer.exits(75)?.complains("nothing was written")?;
    let tried = server.writes();
    assert_eq!(tried.len(), 1, "one patch, and no second try: {tried:?}");
    let live = stage.live()?;
    assert_eq!(weights_of(&live)?, pair(60, 40), "theirs");
    let generation = |object: &Value| object["metadata"]["generation"].as_i64();
    assert_eq!(
        generation(&live),
        generation(&before).map(|n| n + 1),
        "they wrote, we did not"
    );
    wrote_nothing(stage, &ctl, &kubeconfig)?;
    stage
        .run_with(&ctl, &kubeconfig, "split undo --yes")?
        .exits(1)?;
    stage.somebody_writes(90, 10)
}

pub(crate) fn a_route_that_overrides_is_known(stage: &Stage) -> Result<()> {
    stage.bed.apply_yaml(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: reviews}
spec:
  parentRefs: [{group: '', kind: Service, name: reviews, port: 9080}]
  rules:
  - backendRefs:
    - {name: reviews-v1, port: 9080, weight: 20}
    - {name: reviews-v2, port: 9080, weight: 80}
",
    )?;
    let weights = |v1, v2| {
        let expect = [("reviews-v1", v1), ("reviews-v2", v2)];
        stage
            .bed
            .await_weights("productpage-v1", "reviews", &expect, SOON)
    };
    weights(20, 80)?;
    let view = stage
        .run(&format!("split get {REVIEWS} -o json"))?
        .exits(0)?
        .json()?;
    let split = &view["splits"][0];
    assert_eq!(split["in_force"], false);
    assert_eq!(split["overridden_by"], "HTTPRoute/bookinfo/reviews");
    assert_eq!(split["verdict"], "overridden");
    stage
        .run("split set HTTPRoute/reviews.bookinfo reviews-v1=40 reviews-v2=60 --yes")?
        .exits(0)?;
    weights(40, 60)?;
    stage.run("split undo --yes")?.exits(0)?;
    weights(20, 80)?;
    stage
        .bed
        .kube()
        .delete("/apis/gateway.networking.k8s.io/v1/namespaces/bookinfo/httproutes/reviews")?;
    stage
        .bed
        .await_weights("productpage-v1", "reviews", &[("v1", 90), ("v2", 10)], SOON)
}
