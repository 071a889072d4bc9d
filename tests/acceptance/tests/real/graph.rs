//! The graph beside the calls that were counted outside of the mesh.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::now_ms;
use serde_json::Value;

use crate::stage::{SOON, Stage};

const WINDOW_S: u64 = 20;

pub(crate) fn every_source_is_found(stage: &Stage) -> Result<()> {
    let view = stage.run("check -o json")?.json()?;
    for (name, product) in [
        ("control-plane", ""),
        ("metrics", "Prometheus"),
        ("traces", "Jaeger"),
    ] {
        let sources = view["sources"].as_array().context("no sources")?;
        let source = sources
            .iter()
            .find(|source| source["name"] == name)
            .context("not listed")?;
        assert_eq!(source["state"], "ok", "{source}");
        ensure!(
            source["product"]
                .as_str()
                .is_some_and(|text| text.contains(product)),
            "{source}"
        );
    }
    assert_eq!(view["context"], "bed");
    Ok(())
}

/// Edges as a set are exactly the calls; rates are theirs within what a scrape interval can hide.
pub(crate) fn is_the_counted_calls(stage: &Stage) -> Result<()> {
    // A window of steady load that lies wholly in the past, with a scrape after its end.
    let begun = seconds();
    let (from, at) = (begun + 1, begun + 1 + WINDOW_S);
    stage.bed.wait_until("the end of the window", SOON, || {
        Ok((seconds() > at + 1).then_some(()))
    })?;
    let moment = jiff::Timestamp::from_second(i64::try_from(at)?)?;
    let calls = stage.bed.calls().between(from, at);
    ensure!(
        calls.edges().len() == 5,
        "the load takes every edge: {:?}",
        calls.edges()
    );

    for (kind, name) in [("workload", whole as fn(&str) -> &str), ("app", app)] {
        let line = format!("graph --type {kind} --window {WINDOW_S}s --at {moment} -o json");
        let view = stage.run(&line)?.exits(0)?.json()?;
        let mut counted: BTreeMap<(String, String), (f64, f64)> = BTreeMap::new();
        for (call, n) in calls.iter() {
            let destination = call
                .edge
                .destination
                .as_deref()
                .context("an Envoy answered by itself")?;
            let key = (
                name(&call.edge.source).to_owned(),
                name(destination).to_owned(),
            );
            let (all, failed) = counted.entry(key).or_default();
            *all += f64::from(u32::try_from(n)?);
            *failed += if call.status >= 500 {
                f64::from(u32::try_from(n)?)
            } else {
                0.0
            };
        }
        let shown = edges(&view, kind)?;
        let keys = |edges: &BTreeMap<(String, String), (f64, f64)>| {
            edges.keys().cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(keys(&shown), keys(&counted), "{kind}");
        for (edge, (all, failed)) in counted {
            let (rate, errors) = shown[&edge];
            let expect = all / f64::from(u32::try_from(WINDOW_S)?);
            ensure!(
                (rate - expect).abs() < 0.4 + 0.1 * expect,
                "{edge:?}: {expect} counted, {rate} shown"
            );
            ensure!(
                (errors - failed / all).abs() < 0.05,
                "{edge:?}: {failed} of {all} failed, {errors} shown"
            );
        }
    }
    Ok(())
}

/// Rate and error ratio by names of caller and callee.
fn edges(view: &Value, kind: &str) -> Result<BTreeMap<(String, String), (f64, f64)>> {
    let nodes = view["nodes"].as_array().context("no nodes")?;
    let name = |id: &Value| -> Result<String> {
        let node = nodes
            .iter()
            .find(|node| node["id"] == *id)
            .with_context(|| format!("no node {id}"))?;
        Ok(node[kind]
            .as_str()
            .with_context(|| format!("no {kind} in {node}"))?
            .to_owned())
    };
    let of = |edge: &Value| {
        let numbers = (
            edge["rate"].as_f64().context("no rate")?,
            edge["error_ratio"].as_f64().context("no ratio")?,
        );
        Ok(((name(&edge["source"])?, name(&edge["target"])?), numbers))
    };
    view["edges"]
        .as_array()
        .context("no edges")?
        .iter()
        .map(of)
        .collect()
}

fn whole(workload: &str) -> &str {
    workload
}

/// The bed's workloads are named after app and version.
fn app(workload: &str) -> &str {
    workload.rsplit_once("-v").map_or(workload, |(app, _)| app)
}

fn seconds() -> u64 {
    u64::try_from(now_ms() / 1_000).unwrap_or_default()
}

pub(crate) fn without_the_api_server(stage: &Stage) -> Result<()> {
    stage.bed.kill("kube-apiserver")?;
    let graph = stage.run("graph --type workload -o json")?.exits(69)?;
    let view = graph.json()?;
    ensure!(
        edges(&view, "workload")?.len() >= 4,
        "the metrics are still there: {graph}"
    );
    let sources = view["sources"].as_array().context("no sources")?;
    let control_plane = sources
        .iter()
        .find(|source| source["name"] == "control-plane")
        .context("no source")?;
    assert_eq!(control_plane["state"], "failed");
    ensure!(
        control_plane["error"]["hint"]
            .as_str()
            .is_some_and(|hint| !hint.is_empty()),
        "{control_plane}"
    );
    graph.complains("control-plane")?.complains("hint:")?;
    stage
        .run("split set VirtualService/reviews.bookinfo v1=50 v2=50 --yes")?
        .exits(69)?;
    stage.run("traces find --limit 1")?.exits(0)?;

    stage.bed.restart("kube-apiserver")?;
    stage.bed.wait_until("the API server again", SOON, || {
        let graph = stage.run("graph -o json")?;
        ensure!(graph.exit == 0, "{graph}");
        Ok(Some(()))
    })
}
