//! What the tests look for in an answer.

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::Answer;
use serde_json::Value;

/// A source of a view by name.
pub(crate) fn source<'a>(view: &'a Value, name: &str) -> Result<&'a Value> {
    let sources = view["sources"]
        .as_array()
        .with_context(|| format!("no sources in {view}"))?;
    sources
        .iter()
        .find(|source| source["name"] == name)
        .with_context(|| format!("no source {name} in {view}"))
}

/// The source is in this state, with what went wrong and what to do; stderr says the same.
pub(crate) fn is_blamed(answer: &Answer, name: &str, states: &[&str]) -> Result<()> {
    let view = answer.json()?;
    let source = source(&view, name)?;
    let state = source["state"].as_str().unwrap_or_default();
    ensure!(
        states.contains(&state),
        "{name} is {state}, not one of {states:?}: {answer}"
    );
    for key in ["message", "hint", "code"] {
        let text = source["error"][key].as_str().unwrap_or_default();
        // To a server that failed by itself there may be nothing better to do than to ask again.
        let needless = key == "hint" && source["error"]["code"] == "server_error";
        ensure!(
            needless || !text.is_empty(),
            "{name} has no {key}: {answer}"
        );
    }
    ensure!(
        !answer.stderr.contains("ERROR"),
        "told once, not logged besides: {answer}"
    );
    ensure!(
        answer.stderr.contains(name),
        "stderr does not name {name}: {answer}"
    );
    for key in ["message", "hint"] {
        let line = source["error"][key]
            .as_str()
            .and_then(|text| text.lines().next())
            .unwrap_or_default();
        ensure!(
            answer.stderr.contains(line),
            "stderr does not have the {key}: {answer}"
        );
    }
    Ok(())
}

/// The source answered.
pub(crate) fn is_fine(answer: &Answer, name: &str) -> Result<()> {
    let view = answer.json()?;
    let source = source(&view, name)?;
    ensure!(
        source["state"] == "ok" && source["error"].is_null(),
        "{name} is not ok: {answer}"
    );
    Ok(())
}

/// The graph shows what the metrics of the tiny mesh say.
pub(crate) fn shows_traffic(answer: &Answer) -> Result<()> {
    let view = answer.json()?;
    let rates: f64 = view["edges"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|edge| edge["rate"].as_f64())
        .sum();
    ensure!(
        (rates - 10.0).abs() < 1e-6,
        "the mesh has 10 requests per second: {answer}"
    );
    Ok(())
}

/// The graph shows the declared objects, and no number at all.
pub(crate) fn shows_objects_without_numbers(answer: &Answer) -> Result<()> {
    let view = answer.json()?;
    let nodes = view["nodes"].as_array().context("no nodes")?;
    let names: Vec<&str> = nodes
        .iter()
        .filter_map(|node| node["app"].as_str().or(node["service"].as_str()))
        .collect();
    for expect in ["web", "reviews"] {
        ensure!(
            names.contains(&expect),
            "{expect} is declared, and not in {names:?}: {answer}"
        );
    }
    for node in nodes {
        for key in ["rate", "error_ratio"] {
            ensure!(node[key].is_null(), "{key} is unknown: {node}");
        }
        ensure!(
            node["health"] == "unknown" || node["type"] == "box",
            "health is unknown: {node}"
        );
        for side in ["in", "out"] {
            let numbers = node[side].as_object().into_iter().flatten();
            for (protocol, traffic) in numbers {
                ensure!(
                    traffic["rate"].is_null(),
                    "{side} {protocol} is unknown: {node}"
                );
            }
        }
    }
    for edge in view["edges"].as_array().into_iter().flatten() {
        ensure!(
            edge["rate"].is_null() && edge["error_ratio"].is_null(),
            "unknown: {edge}"
        );
    }
    for query in view["queries"].as_array().into_iter().flatten() {
        ensure!(
            query["rows"].is_null() && query["error"].is_string(),
            "a failed query: {query}"
        );
    }
    Ok(())
}
