//! `check`: every source, what answers there and how it does.

use pilothouse_api::Api;
use pilothouse_api::dto::{FindingView, SourceView};
use serde::Serialize;

use super::graph;
use crate::args::TableOrJson;
use crate::failure::{Exit, Failure};
use crate::{output, units};

#[derive(Serialize)]
struct CheckView {
    context: String,
    sources: Vec<SourceView>,
    findings: Vec<FindingView>,
}

/// Asks every source once. Exit 69 or 77 if one fails, 79 on findings of severity error.
pub(crate) async fn run(api: &Api, format: TableOrJson) -> Result<Exit, Failure> {
    api.engine().load().await;
    let latest = api.latest();
    let of_splits = latest
        .splits
        .splits
        .iter()
        .flat_map(|split| split.findings.clone());
    let findings: Vec<FindingView> = latest.graph.findings.into_iter().chain(of_splits).collect();
    let view = CheckView {
        context: latest.session.context,
        sources: api.sources(),
        findings,
    };
    match format {
        TableOrJson::Json => output::json(&view)?,
        TableOrJson::Table => print(&view)?,
    }
    Ok(exit(&view))
}

fn exit(view: &CheckView) -> Exit {
    let source = worst_source(&view.sources);
    match source {
        Exit::OK if graph::exit(&view.sources) != Exit::OK => graph::exit(&view.sources),
        Exit::OK if view.findings.iter().any(|f| f.severity == "error") => Exit::FINDINGS,
        other => other,
    }
}

/// What a failing source means for the exit code. One that was never configured is no failure.
pub(crate) fn worst_source(sources: &[SourceView]) -> Exit {
    let in_state = |states: &[&str]| sources.iter().any(|s| states.contains(&s.state.as_str()));
    if in_state(&["failed", "stale", "loading"]) {
        Exit::UNAVAILABLE
    } else if in_state(&["forbidden"]) {
        Exit::FORBIDDEN
    } else {
        Exit::OK
    }
}

fn print(view: &CheckView) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = view
        .sources
        .iter()
        .map(|source| {
            let took = source
                .elapsed_ms
                .map_or_else(units::dash, |ms| format!("{ms:.0} ms"));
            let said = source.error.as_ref().map(|e| match e.hint.as_str() {
                "" => e.message.clone(),
                hint => format!("{} - {hint}", e.message),
            });
            vec![
                source.name.clone(),
                source.state.clone(),
                source.product.clone(),
                source.address.clone(),
                took,
                said.unwrap_or_default(),
            ]
        })
        .collect();
    output::table(
        &["SOURCE", "STATE", "PRODUCT", "ADDRESS", "TOOK", ""],
        &rows,
    )?;
    let findings: Vec<Vec<String>> = view
        .findings
        .iter()
        .map(|f| {
            vec![
                f.severity.clone(),
                f.code.clone(),
                f.object.clone(),
                f.message.clone(),
            ]
        })
        .collect();
    if !findings.is_empty() {
        output::text("\n")?;
        output::table(&["SEVERITY", "CODE", "OBJECT", "MESSAGE"], &findings)?;
    }
    Ok(())
}
