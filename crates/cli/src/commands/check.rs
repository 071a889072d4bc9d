//! `check`: what the window's checklist says, and every source: how it was found, what answers there, how fast, and what we
//! may change.

use pilothouse_api::dto::{CheckView as LookView, FindingView, RightView, SourceView};
use pilothouse_api::report;
use pilothouse_connect::{SourceArgs, found_by};
use pilothouse_engine::SourceKind;
use serde::Serialize;

use super::{findings, graph};
use crate::args::TableOrJson;
use crate::failure::{Exit, Failure};
use crate::{compose, output, units};

#[derive(Serialize)]
struct CheckView {
    context: String,
    /// What was asked of each context, as in the window's checklist.
    checks: Vec<LookView>,
    /// The user as the API server sees us.
    user: Option<String>,
    sources: Vec<CheckedSource>,
    rights: Vec<RightView>,
    findings: Vec<FindingView>,
}

#[derive(Serialize)]
struct CheckedSource {
    #[serde(flatten)]
    source: SourceView,
    /// The flag, variable or file that named it; null if none did.
    found: Option<String>,
}

/// Asks every source once. Exit 69 or 77 if one fails, 79 on findings of severity error.
pub(crate) async fn run(args: &SourceArgs, format: TableOrJson) -> Result<Exit, Failure> {
    let (api, checks) = compose::api_and_looks(args).await?;
    api.load().await;
    let latest = api.latest();
    let of_splits = latest
        .splits
        .splits
        .iter()
        .flat_map(|split| split.findings.clone());
    let findings: Vec<FindingView> = latest.graph.findings.into_iter().chain(of_splits).collect();
    let sources = api.sources();
    let code = exit(&sources, &findings);
    let view = CheckView {
        context: latest.session.context,
        user: latest.session.user,
        sources: sources
            .into_iter()
            .map(|source| CheckedSource {
                found: found(args, &source).or_else(|| discovered(&checks, &source.name)),
                source,
            })
            .collect(),
        checks,
        rights: api.rights().await,
        findings,
    };
    match format {
        TableOrJson::Json => output::json(&view)?,
        TableOrJson::Table => print(&view)?,
    }
    Ok(code)
}

fn exit(sources: &[SourceView], findings: &[FindingView]) -> Exit {
    let source = worst_source(sources);
    match source {
        Exit::OK if graph::exit(sources) != Exit::OK => graph::exit(sources),
        Exit::OK if findings.iter().any(|f| f.severity == "error") => Exit::FINDINGS,
        other => other,
    }
}

fn found(args: &SourceArgs, source: &SourceView) -> Option<String> {
    let kind = match source.name.as_str() {
        "control-plane" => SourceKind::ControlPlane,
        "metrics" => SourceKind::Metrics,
        _ => SourceKind::Traces,
    };
    found_by(args, kind, |name| std::env::var_os(name))
}

/// Why the server that was taken was considered at all.
fn discovered(checks: &[LookView], source: &str) -> Option<String> {
    let lines = checks.iter().flat_map(|check| &check.lines);
    let mut candidates = lines
        .filter(|line| line.id == source)
        .flat_map(|line| &line.candidates);
    candidates
        .find(|candidate| candidate.chosen)
        .map(|candidate| candidate.found_by.clone())
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
    for check in &view.checks {
        output::text(&report(check))?;
        output::text("\n")?;
    }
    let rows: Vec<Vec<String>> = view
        .sources
        .iter()
        .map(|CheckedSource { source, found }| {
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
                found.clone().unwrap_or_else(units::dash),
                took,
                said.unwrap_or_default(),
            ]
        })
        .collect();
    output::table(
        &[
            "SOURCE", "STATE", "PRODUCT", "ADDRESS", "FOUND BY", "TOOK", "",
        ],
        &rows,
    )?;
    print_rights(view)?;
    findings::print(&view.findings)
}

fn print_rights(view: &CheckView) -> Result<(), Failure> {
    if view.rights.is_empty() {
        return Ok(());
    }
    let answer = |allowed: Option<bool>| match allowed {
        Some(true) => "yes".to_owned(),
        Some(false) => "no".to_owned(),
        None => units::dash(),
    };
    let rows: Vec<Vec<String>> = view
        .rights
        .iter()
        .map(|right| {
            vec![
                right.verb.clone(),
                format!("{}/{}.{}", right.kind, right.name, right.namespace),
                answer(right.allowed),
            ]
        })
        .collect();
    output::text("\n")?;
    output::table(&["MAY", "OBJECT", "ALLOWED"], &rows)
}
