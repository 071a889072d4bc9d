//! `graph`: the live graph once, as of any moment.

use std::collections::BTreeMap;

use pilothouse_api::dto::{FindingView, GraphView, NodeView, SourceView};
use pilothouse_api::{Api, GraphQuery};

use super::check::worst_source;
use crate::args::{GraphArgs, GraphKind, GraphOutput};
use crate::failure::{Exit, Failure};
use crate::{output, units};

/// Code of a source that the operator does not want: a wish, no fault.
const SWITCHED_OFF: &str = "switched_off";

/// Prints the graph. If the metrics failed it is printed all the same, with unknown numbers, and the exit code says so.
pub(crate) async fn run(api: &Api, args: &GraphArgs) -> Result<Exit, Failure> {
    let query = query(api, args)?;
    api.load_objects().await;
    let (view, graph) = api.graph(&query).await?;
    match args.output {
        GraphOutput::Json => output::json(&view)?,
        GraphOutput::Dot => output::text(&pilothouse_api::dot(&graph))?,
        GraphOutput::Table => print(&view, args)?,
    }
    complain(&view.sources);
    point_out(&view.findings);
    Ok(exit(&view.sources))
}

/// The exit code of a graph: its metrics must be there; without declared objects it is poorer, not wrong.
pub(crate) fn exit(sources: &[SourceView]) -> Exit {
    let asked: Vec<SourceView> = sources
        .iter()
        .filter(|s| s.name != "traces")
        .cloned()
        .collect();
    let no_metrics = asked
        .iter()
        .any(|s| s.name == "metrics" && s.state == "absent");
    let no_objects = asked
        .iter()
        .any(|s| s.name == "control-plane" && s.state == "absent");
    match worst_source(&asked) {
        Exit::OK if no_metrics => Exit::UNAVAILABLE,
        Exit::OK if no_objects && !wanted_absent(&asked) => Exit::UNAVAILABLE,
        other => other,
    }
}

/// `--no-kubernetes` is a wish, a missing kubeconfig is not.
fn wanted_absent(sources: &[SourceView]) -> bool {
    let control_plane = sources.iter().find(|s| s.name == "control-plane");
    control_plane
        .and_then(|s| s.error.as_ref())
        .is_none_or(|e| e.code == SWITCHED_OFF)
}

/// Names each failed source on stderr.
pub(crate) fn complain(sources: &[SourceView]) {
    use std::io::Write as _;
    for source in sources.iter().filter(|s| s.name != "traces") {
        let Some(error) = source.error.as_ref().filter(|e| e.code != SWITCHED_OFF) else {
            continue;
        };
        let hint = if error.hint.is_empty() {
            String::new()
        } else {
            format!("\nhint: {}", error.hint)
        };
        let text = format!("pilothousectl: {}: {}{hint}", source.name, error.message);
        let _best_effort = writeln!(std::io::stderr(), "{}", output::lines(&text));
    }
}

/// Tells on stderr what is wrong with the numbers; what is merely worth knowing stands in the JSON.
pub(crate) fn point_out(findings: &[FindingView]) {
    use std::io::Write as _;
    for finding in findings.iter().filter(|f| f.severity != "info") {
        let text = format!("{}: {}", finding.severity, finding.message);
        let _best_effort = writeln!(std::io::stderr(), "{}", output::lines(&text));
    }
}

/// A node's name in a table: what a service was asked for is not always what an application of that name served.
pub(crate) fn name(node: &NodeView) -> String {
    if node.kind == "service" && node.namespace != "unknown" {
        format!("{} (service)", node.label)
    } else {
        node.label.clone()
    }
}

/// What tables call the node of an id: `namespace/name`.
pub(crate) fn namer(view: &GraphView) -> impl Fn(&str) -> String {
    let named = |node: &'_ NodeView| format!("{}/{}", node.namespace, name(node));
    let names: BTreeMap<String, String> = view
        .nodes
        .iter()
        .map(|node| (node.id.clone(), named(node)))
        .collect();
    move |id| names.get(id).cloned().unwrap_or_else(|| id.to_owned())
}

fn query(api: &Api, args: &GraphArgs) -> Result<GraphQuery, Failure> {
    let kind = match args.kind {
        GraphKind::Workload => "workload",
        GraphKind::App => "app",
        GraphKind::VersionedApp => "versioned-app",
        GraphKind::Service => "service",
    };
    let mut query = GraphQuery::live(&api.engine())
        .graph_type(kind)?
        .window(args.window)
        .latency(&args.latency)?;
    if let Some(at) = &args.at {
        query = query.at_rfc3339(at)?;
    }
    query = query.traffic(&args.http, &args.grpc, &args.tcp, &args.ambient)?;
    Ok(query.shape(args.service_nodes, args.idle_edges, args.idle_nodes))
}

fn print(view: &GraphView, args: &GraphArgs) -> Result<(), Failure> {
    let statistics: Vec<&str> = args
        .latency
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "none")
        .collect();
    let called = namer(view);
    let rows: Vec<Vec<String>> = view
        .edges
        .iter()
        .map(|edge| {
            let rate = if edge.protocol == "tcp" {
                format!("{} B/s", units::rate(edge.rate))
            } else {
                units::rate(edge.rate)
            };
            let mut row = vec![
                called(&edge.source),
                called(&edge.target),
                edge.protocol.clone(),
                rate,
                units::percent(edge.error_ratio),
            ];
            row.extend(
                statistics
                    .iter()
                    .map(|name| units::latency(&edge.latency_ms, name)),
            );
            row.push(edge.health.clone());
            row.extend(args.mtls.then(|| units::percent(edge.mtls_ratio)));
            row
        })
        .collect();
    let heads: Vec<String> = statistics.iter().map(|name| name.to_uppercase()).collect();
    let mut columns = vec!["SOURCE", "TARGET", "PROTOCOL", "RATE", "ERRORS"];
    columns.extend(heads.iter().map(String::as_str));
    columns.push("HEALTH");
    columns.extend(args.mtls.then_some("MTLS"));
    output::table(&columns, &rows)
}
