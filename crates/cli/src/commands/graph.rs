//! `graph`: the live graph once, as of any moment.

use pilothouse_api::dto::{GraphView, SourceView};
use pilothouse_api::{Api, GraphQuery};

use super::check::worst_source;
use crate::args::{GraphArgs, GraphKind, GraphOutput};
use crate::failure::{Exit, Failure};
use crate::{output, units};

/// Prints the graph. If the metrics failed it is printed all the same, with unknown numbers, and the exit code says so.
pub(crate) async fn run(api: &Api, args: &GraphArgs) -> Result<Exit, Failure> {
    let query = query(api, args)?;
    api.engine().load_objects().await;
    let (view, graph) = api.graph(&query).await;
    match args.output {
        GraphOutput::Json => output::json(&view)?,
        GraphOutput::Dot => output::text(&pilothouse_api::dot(&graph))?,
        GraphOutput::Table => print(&view, args.mtls)?,
    }
    complain(&view.sources);
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
        .is_none_or(|e| e.message == crate::compose::SWITCHED_OFF)
}

/// Names each failed source on stderr.
pub(crate) fn complain(sources: &[SourceView]) {
    use std::io::Write as _;
    for source in sources.iter().filter(|s| s.name != "traces") {
        let Some(error) = source
            .error
            .as_ref()
            .filter(|e| e.message != crate::compose::SWITCHED_OFF)
        else {
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

fn query(api: &Api, args: &GraphArgs) -> Result<GraphQuery, Failure> {
    let kind = match args.kind {
        GraphKind::Workload => "workload",
        GraphKind::App => "app",
        GraphKind::VersionedApp => "versioned-app",
        GraphKind::Service => "service",
    };
    let mut query = GraphQuery::live(api.engine())
        .graph_type(kind)?
        .window(args.window)
        .latency(&args.latency)?;
    if let Some(at) = &args.at {
        query = query.at_rfc3339(at)?;
    }
    query = query.traffic(&args.http, &args.grpc, &args.tcp, &args.ambient)?;
    Ok(query.shape(args.service_nodes, args.idle_edges, args.idle_nodes))
}

fn print(view: &GraphView, mtls: bool) -> Result<(), Failure> {
    let name = |id: &str| {
        let node = view.nodes.iter().find(|node| node.id == id);
        node.map_or_else(
            || id.to_owned(),
            |node| format!("{}/{}", node.namespace, node.label),
        )
    };
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
                name(&edge.source),
                name(&edge.target),
                edge.protocol.clone(),
                rate,
                units::percent(edge.error_ratio),
                units::latency(&edge.latency_ms),
                edge.health.clone(),
            ];
            row.extend(mtls.then(|| units::percent(edge.mtls_ratio)));
            row
        })
        .collect();
    let mut columns = vec![
        "SOURCE", "TARGET", "PROTOCOL", "RATE", "ERRORS", "LATENCY", "HEALTH",
    ];
    columns.extend(mtls.then_some("MTLS"));
    output::table(&columns, &rows)
}
