//! `services` and `edges`: request rate, error ratio and latency as tables.

use pilothouse_api::dto::{FindingView, GraphView, LatencyView, SourceView};
use pilothouse_api::{Api, GraphQuery};
use serde::Serialize;

use super::graph;
use crate::args::{RedArgs, TableOrJson};
use crate::failure::{Exit, Failure};
use crate::{output, units};

#[derive(Serialize)]
struct ServiceRow {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    namespace: String,
    name: String,
    rate: Option<f64>,
    error_ratio: Option<f64>,
    latency_ms: LatencyView,
    health: String,
}

#[derive(Serialize)]
struct EdgeRow {
    source_id: String,
    target_id: String,
    source: String,
    target: String,
    protocol: String,
    rate: Option<f64>,
    error_ratio: Option<f64>,
    latency_ms: LatencyView,
    mtls_ratio: Option<f64>,
    health: String,
}

#[derive(Serialize)]
struct Rows<T> {
    taken_at: String,
    window_s: f64,
    #[serde(flatten)]
    rows: T,
    sources: Vec<SourceView>,
    findings: Vec<FindingView>,
}

#[derive(Serialize)]
struct Services {
    services: Vec<ServiceRow>,
}

#[derive(Serialize)]
struct Edges {
    edges: Vec<EdgeRow>,
}

/// RED of every canonical service that serves.
pub(crate) async fn services(api: &Api, args: &RedArgs) -> Result<Exit, Failure> {
    let view = load(api, args).await?;
    let engine = api.engine();
    let namespaces = &engine.config().namespaces;
    let rows: Vec<ServiceRow> = view
        .nodes
        .iter()
        .filter(|node| node.kind != "box" && node.kind != "unknown")
        // Of services elsewhere, the metrics of the chosen namespaces tell a part only.
        .filter(|node| namespaces.is_empty() || namespaces.contains(&node.namespace))
        .map(|node| ServiceRow {
            id: node.id.clone(),
            kind: node.kind.clone(),
            namespace: node.namespace.clone(),
            name: graph::name(node),
            rate: node.rate,
            error_ratio: node.error_ratio,
            latency_ms: node.latency_ms.clone(),
            health: node.health.clone(),
        })
        .collect();
    match args.output {
        TableOrJson::Json => output::json(&envelope(&view, Services { services: rows }))?,
        TableOrJson::Table => {
            let cells = rows.iter().map(|r| {
                let numbers = [
                    units::rate(r.rate),
                    units::percent(r.error_ratio),
                    units::latency(&r.latency_ms, "p95"),
                ];
                [
                    vec![r.namespace.clone(), r.name.clone()],
                    numbers.to_vec(),
                    vec![r.health.clone()],
                ]
                .concat()
            });
            let heads = ["NAMESPACE", "SERVICE", "RATE", "ERRORS", "P95", "HEALTH"];
            output::table(&heads, &cells.collect::<Vec<_>>())?;
        }
    }
    graph::complain(&view.sources);
    graph::point_out(&view.findings);
    Ok(graph::exit(&view.sources))
}

/// RED of every call between two canonical services.
pub(crate) async fn edges(api: &Api, args: &RedArgs) -> Result<Exit, Failure> {
    let view = load(api, args).await?;
    let called = graph::namer(&view);
    let rows: Vec<EdgeRow> = view
        .edges
        .iter()
        .map(|edge| EdgeRow {
            source_id: edge.source.clone(),
            target_id: edge.target.clone(),
            source: called(&edge.source),
            target: called(&edge.target),
            protocol: edge.protocol.clone(),
            rate: edge.rate,
            error_ratio: edge.error_ratio,
            latency_ms: edge.latency_ms.clone(),
            mtls_ratio: edge.mtls_ratio,
            health: edge.health.clone(),
        })
        .collect();
    match args.output {
        TableOrJson::Json => output::json(&envelope(&view, Edges { edges: rows }))?,
        TableOrJson::Table => {
            let cells = rows.iter().map(|r| {
                let numbers = [
                    units::rate(r.rate),
                    units::percent(r.error_ratio),
                    units::latency(&r.latency_ms, "p95"),
                ];
                let mtls = units::percent(r.mtls_ratio);
                [
                    vec![r.source.clone(), r.target.clone(), r.protocol.clone()],
                    numbers.to_vec(),
                    vec![mtls, r.health.clone()],
                ]
                .concat()
            });
            let heads = [
                "SOURCE", "TARGET", "PROTOCOL", "RATE", "ERRORS", "P95", "MTLS", "HEALTH",
            ];
            output::table(&heads, &cells.collect::<Vec<_>>())?;
        }
    }
    graph::complain(&view.sources);
    graph::point_out(&view.findings);
    Ok(graph::exit(&view.sources))
}

fn envelope<T>(view: &GraphView, rows: T) -> Rows<T> {
    Rows {
        taken_at: view.taken_at.clone(),
        window_s: view.window_s,
        rows,
        sources: view.sources.clone(),
        findings: view.findings.clone(),
    }
}

async fn load(api: &Api, args: &RedArgs) -> Result<GraphView, Failure> {
    let mut query = GraphQuery::live(&api.engine()).window(args.window);
    if let Some(at) = &args.at {
        query = query.at_rfc3339(at)?;
    }
    api.load_objects().await;
    Ok(api.graph(&query).await?.0)
}
