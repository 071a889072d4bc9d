//! `graph`, `services`, `edges` and `check`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::Ctl;
use serde_json::{Value, json};

/// Any moment will do: the demo mesh has a history and a future.
const AT: &str = "2026-03-04T10:00:00Z";
const TYPES: [&str; 4] = ["workload", "app", "versioned-app", "service"];

fn graph(ctl: &Ctl, more: &str) -> Result<Value> {
    ctl.line(&format!("--demo graph -o json --at {AT} {more}"))?
        .exits(0)?
        .json()
}

fn list<'a>(view: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    view[name]
        .as_array()
        .with_context(|| format!("no list {name} in {view}"))
}

#[test]
fn a_graph_of_each_type_has_the_shape_of_the_contract() -> Result<()> {
    let ctl = Ctl::new()?;
    for kind in TYPES {
        let view = graph(&ctl, &format!("--type {kind}"))?;
        assert_eq!(view["graph_type"], kind);
        let taken: jiff::Timestamp = view["taken_at"].as_str().context("no moment")?.parse()?;
        assert_eq!(taken, AT.parse()?);
        assert_eq!(view["window_s"], 60.0);
        let nodes = list(&view, "nodes")?;
        let ids: BTreeSet<&str> = nodes
            .iter()
            .filter_map(|node| node["id"].as_str())
            .collect();
        assert_eq!(ids.len(), nodes.len(), "ids of a {kind} graph are unique");
        for node in nodes {
            let known = ["workload", "app", "service", "unknown", "box"];
            ensure!(
                node["type"].as_str().is_some_and(|t| known.contains(&t)),
                "{node}"
            );
            for key in ["cluster", "namespace", "health"] {
                ensure!(node[key].is_string(), "{kind}: no {key} in {node}");
            }
            ensure!(node["in"].is_object() && node["out"].is_object(), "{node}");
            ensure!(node["badges"].is_array(), "{node}");
        }
        let edges = list(&view, "edges")?;
        ensure!(
            !edges.is_empty(),
            "the shop has traffic in its {kind} graph"
        );
        for edge in edges {
            for end in ["source", "target"] {
                ensure!(
                    edge[end].as_str().is_some_and(|id| ids.contains(id)),
                    "{kind}: {edge}"
                );
            }
            check_edge(edge)?;
        }
        for source in list(&view, "sources")? {
            ensure!(source["error"].is_null(), "{source}");
        }
    }
    Ok(())
}

fn check_edge(edge: &Value) -> Result<()> {
    let protocol = edge["protocol"].as_str().context("no protocol")?;
    ensure!(
        edge["rate"].as_f64().is_some_and(|rate| rate > 0.0),
        "{edge}"
    );
    if protocol == "tcp" {
        // Bytes do not fail and have no latency: unknown, never 0.
        for pointer in ["/error_ratio", "/latency_ms/avg", "/latency_ms/p95"] {
            ensure!(
                edge.pointer(pointer).is_some_and(Value::is_null),
                "{pointer} of {edge}"
            );
        }
    } else {
        let ratio = edge["error_ratio"]
            .as_f64()
            .with_context(|| edge.to_string())?;
        ensure!((0.0..=1.0).contains(&ratio), "{edge}");
        let shares: f64 = edge["codes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|code| code["ratio"].as_f64())
            .sum();
        ensure!(
            (shares - 1.0).abs() < 1e-6,
            "the codes' shares sum up to {shares}: {edge}"
        );
    }
    Ok(())
}

#[test]
fn types_differ_in_who_a_node_is() -> Result<()> {
    let ctl = Ctl::new()?;
    let labels = |kind: &str| -> Result<BTreeSet<String>> {
        let view = graph(&ctl, &format!("--type {kind} -n shop"))?;
        let of_reviews = |node: &&Value| {
            let name = ["app", "service", "workload"]
                .iter()
                .find_map(|key| node[key].as_str());
            node["namespace"] == "shop" && name.is_some_and(|name| name.starts_with("reviews"))
        };
        let nodes = list(&view, "nodes")?.iter().filter(of_reviews);
        Ok(nodes
            .map(|node| format!("{} {} {}", node["app"], node["version"], node["type"]))
            .collect())
    };
    assert_eq!(labels("app")?.len(), 1, "one canonical service");
    assert_eq!(labels("service")?.len(), 1, "one service");
    ensure!(
        labels("workload")?.len() >= 2,
        "each revision has its workload"
    );
    ensure!(
        labels("versioned-app")?.len() >= 2,
        "each revision is a node"
    );
    Ok(())
}

#[test]
fn the_same_moment_gives_the_same_bytes() -> Result<()> {
    let mut seen = BTreeSet::new();
    for mesh in ["", "--seed 7", "--services 100", "--services 100 --seed 7"] {
        for format in ["json", "table", "dot"] {
            let line = format!("--demo {mesh} graph --at {AT} -o {format}");
            // Another process, another home.
            let run = || -> Result<String> { Ok(Ctl::new()?.line(&line)?.exits(0)?.stdout) };
            let (first, second) = (run()?, run()?);
            ensure!(
                first == second,
                "{line} differs:\n{}",
                first_difference(&first, &second)
            );
            ensure!(
                seen.insert(first),
                "{line} answers what another mesh or format answered"
            );
        }
    }
    Ok(())
}

fn first_difference(a: &str, b: &str) -> String {
    let lines = a.lines().zip(b.lines()).find(|(a, b)| a != b);
    lines.map_or_else(
        || "one is longer".to_owned(),
        |(a, b)| format!("- {a}\n+ {b}"),
    )
}

#[test]
fn a_hundred_services_are_a_hundred_services() -> Result<()> {
    let ctl = Ctl::new()?;
    let view = graph(&ctl, "--services 100 --type service --idle-nodes")?;
    let services = list(&view, "nodes")?
        .iter()
        .filter(|node| node["type"] == "service")
        .count();
    ensure!((90..=130).contains(&services), "{services} service nodes");
    Ok(())
}

#[test]
fn flags_may_stand_before_or_after_the_command() -> Result<()> {
    let ctl = Ctl::new()?;
    let lines = [
        format!("--demo --seed 3 -n shop graph --at {AT} -o json"),
        format!("graph --demo --seed 3 -n shop --at {AT} -o json"),
        format!("--demo graph -o json --seed 3 --at {AT} --namespace shop"),
        format!("--demo -n=shop graph -o=json --seed=3 --at={AT}"),
    ];
    let answers: BTreeSet<String> = lines
        .iter()
        .map(|line| Ok(ctl.line(line)?.exits(0)?.stdout))
        .collect::<Result<_>>()?;
    assert_eq!(answers.len(), 1);
    Ok(())
}

#[test]
fn the_window_is_the_one_asked_for() -> Result<()> {
    let ctl = Ctl::new()?;
    for (written, seconds) in [
        ("300s", 300.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1m30s", 90.0),
    ] {
        assert_eq!(
            graph(&ctl, &format!("--window {written}"))?["window_s"],
            seconds,
            "{written}"
        );
    }
    Ok(())
}

#[test]
fn tables_and_dot_name_what_json_names() -> Result<()> {
    let ctl = Ctl::new()?;
    let view = graph(&ctl, "")?;
    let edges = list(&view, "edges")?.len();
    let table = ctl
        .line(&format!("--demo graph --at {AT}"))?
        .exits(0)?
        .says("SOURCE")?
        .stdout;
    assert_eq!(table.lines().count(), edges + 1, "{table}");
    let dot = ctl
        .line(&format!("--demo graph --at {AT} -o dot"))?
        .exits(0)?
        .says("digraph")?
        .stdout;
    assert_eq!(dot.matches("->").count(), edges, "{dot}");
    Ok(())
}

#[test]
fn a_table_has_a_column_for_each_latency_that_was_asked_for() -> Result<()> {
    let ctl = Ctl::new()?;
    for (asked, heads) in [
        ("p50,p99", &["P50", "P99"][..]),
        ("avg", &["AVG"]),
        ("none", &[]),
    ] {
        let table = ctl
            .line(&format!("--demo graph --at {AT} --latency {asked}"))?
            .exits(0)?
            .stdout;
        let mut lines = table.lines();
        let head: Vec<&str> = lines
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let expected = [
            &["SOURCE", "TARGET", "PROTOCOL", "RATE", "ERRORS"],
            heads,
            &["HEALTH"],
        ];
        assert_eq!(head, expected.concat());
        let known = lines.filter(|line| line.contains(" ms")).count();
        assert_eq!(known > 0, !heads.is_empty(), "{table}");
    }
    Ok(())
}

#[test]
fn chosen_namespaces_tell_of_their_own_services_only() -> Result<()> {
    let ctl = Ctl::new()?;
    let view = ctl
        .line(&format!("--demo -n shop services -o json --at {AT}"))?
        .exits(0)?
        .json()?;
    let rows = list(&view, "services")?;
    ensure!(
        rows.len() > 4 && rows.iter().all(|row| row["namespace"] == "shop"),
        "{view}"
    );
    Ok(())
}

#[test]
fn services_and_edges_say_the_numbers_of_the_graph() -> Result<()> {
    let ctl = Ctl::new()?;
    let view = graph(&ctl, "")?;
    let run = |command: &str| {
        ctl.line(&format!("--demo {command} --at {AT} -o json"))?
            .exits(0)?
            .json()
    };
    let (services, edges) = (run("services")?, run("edges")?);
    let key = |row: &Value| format!("{} {}", row["rate"], row["error_ratio"]);
    let mut of_graph: Vec<String> = list(&view, "edges")?.iter().map(key).collect();
    let mut of_edges: Vec<String> = list(&edges, "edges")?.iter().map(key).collect();
    of_graph.sort();
    of_edges.sort();
    assert_eq!(of_graph, of_edges);
    let served: BTreeMap<String, String> = list(&view, "nodes")?
        .iter()
        .map(|node| {
            (
                format!("{}/{}", node["namespace"], node["label"]),
                key(node),
            )
        })
        .collect();
    let rows = list(&services, "services")?;
    ensure!(
        rows.iter()
            .any(|row| row["name"] == "reviews" && row["rate"].as_f64() > Some(0.0)),
        "{services}"
    );
    for row in rows {
        let name = format!("{}/{}", row["namespace"], row["name"]);
        assert_eq!(served.get(&name), Some(&key(row)), "{name}");
    }
    for command in ["services", "edges"] {
        ctl.line(&format!("--demo {command} --at {AT}"))?
            .exits(0)?
            .says("RATE")?
            .says("reviews")?;
    }
    Ok(())
}

#[test]
fn check_names_three_sources_and_exits_by_its_findings() -> Result<()> {
    let ctl = Ctl::new()?;
    let answer = ctl.line("--demo check -o json")?;
    let view = answer.json()?;
    let states: BTreeMap<&str, &str> = list(&view, "sources")?
        .iter()
        .filter_map(|source| Some((source["name"].as_str()?, source["state"].as_str()?)))
        .collect();
    let all_ok = [("control-plane", "ok"), ("metrics", "ok"), ("traces", "ok")];
    assert_eq!(states, BTreeMap::from(all_ok), "{answer}");
    let errors = list(&view, "findings")?
        .iter()
        .any(|finding| finding["severity"] == "error");
    assert_eq!(answer.exit, if errors { 79 } else { 0 }, "{answer}");
    for source in list(&view, "sources")? {
        assert_eq!(source["found"], "--demo");
        ensure!(source["elapsed_ms"].is_number(), "how fast: {source}");
        ensure!(source["version"].is_string() || source["name"] != "control-plane");
    }
    let right = json!({"verb": "patch", "kind": "VirtualService", "namespace": "shop", "name": "reviews", "allowed": true});
    ensure!(list(&view, "rights")?.contains(&right), "{answer}");
    ctl.line("--demo check")?
        .exits(answer.exit)?
        .says("VirtualService/reviews.shop")?
        .says("control-plane")?
        .says("metrics")?
        .says("traces")?;
    Ok(())
}
