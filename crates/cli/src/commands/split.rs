//! `split get` and `split history`.

use pilothouse_api::Api;
use pilothouse_api::dto::{DestinationView, SplitView, SplitsView, WindowRequest};

use super::{findings, graph};
use crate::args::{SplitOutput, TableOrJson};
use crate::failure::{Exit, Failure};
use crate::{output, units};

/// Declared beside observed, for all splits or those that are named.
pub(crate) async fn get(
    api: &Api,
    which: Option<&str>,
    window: Option<i64>,
    format: SplitOutput,
) -> Result<Exit, Failure> {
    if let Some(window) = window {
        #[expect(clippy::cast_precision_loss, reason = "a window of at most a day")]
        api.set_window(&WindowRequest {
            window_s: window as f64 / 1000.0,
        })?;
    }
    api.load().await;
    let mut view = match which {
        // What is named is shown, even if all its traffic goes to one place.
        Some(_) => api.all_splits(),
        None => api.splits(),
    };
    if let Some(which) = which {
        view.splits.retain(|split| names(split, which));
        if view.splits.is_empty() {
            let sources = api.sources();
            graph::complain(&sources);
            if graph::exit(&sources) == Exit::OK {
                return Err(Failure::other(format!("there is no split `{which}`"))
                    .with_hint("`pilothousectl split get` lists all"));
            }
        }
    }
    match format {
        SplitOutput::Json => output::json(&view)?,
        SplitOutput::Yaml => output::text(&pilothouse_api::yaml(&view)?)?,
        SplitOutput::Table => print(&view)?,
    }
    let sources = api.sources();
    graph::complain(&sources);
    Ok(graph::exit(&sources))
}

/// Whether a split is meant: by host (full, or its first part), by KIND/NAME[.NAMESPACE], or by id.
pub(crate) fn names(split: &SplitView, which: &str) -> bool {
    if split.id == which {
        return true;
    }
    let Some((kind, name)) = which.split_once('/') else {
        return split.hosts.iter().any(|host| {
            host == which || host.split('.').next() == Some(which) || starts(host, which)
        });
    };
    // Names may hold dots, namespaces may not.
    let with_namespace = name
        .rsplit_once('.')
        .is_some_and(|(name, ns)| split.name == name && split.namespace == ns);
    same_kind(&split.kind, kind) && (split.name == name || with_namespace)
}

/// `reviews.shop` means `reviews.shop.svc.cluster.local`.
fn starts(host: &str, which: &str) -> bool {
    host.strip_prefix(which)
        .is_some_and(|rest| rest.starts_with('.'))
}

fn same_kind(kind: &str, written: &str) -> bool {
    let written = written.to_ascii_lowercase();
    let kind = kind.to_ascii_lowercase();
    kind == written
        || format!("{kind}s") == written
        || (kind == "virtualservice" && written == "vs")
}

fn print(view: &SplitsView) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for split in &view.splits {
        let title = format!("{}/{}.{}", split.kind, split.name, split.namespace);
        for (position, destination) in split.destinations.iter().enumerate() {
            let first = position == 0;
            rows.push(vec![
                if first { title.clone() } else { String::new() },
                if first {
                    split.route.to_string()
                } else {
                    String::new()
                },
                destination.name.clone(),
                destination
                    .weight
                    .map_or_else(units::dash, |w| w.to_string()),
                units::percent(destination.effective_ratio),
                observed(destination),
                units::rate(destination.rate),
                units::percent(destination.error_ratio),
                units::latency(&destination.latency_ms, "p95"),
                ready(destination),
                if first {
                    split.owner.tool.clone()
                } else {
                    String::new()
                },
                if first {
                    split.verdict.clone()
                } else {
                    String::new()
                },
            ]);
        }
    }
    let heads = [
        "OBJECT",
        "ROUTE",
        "DESTINATION",
        "WEIGHT",
        "EFFECTIVE",
        "OBSERVED",
        "RATE",
        "ERRORS",
        "P95",
        "READY",
        "OWNER",
        "VERDICT",
    ];
    output::table(&heads, &rows)?;
    let of_splits = view.splits.iter().flat_map(|split| &split.findings);
    findings::print(of_splits)
}

fn observed(destination: &DestinationView) -> String {
    match (destination.observed_ratio, destination.interval) {
        (Some(ratio), Some([low, high])) => {
            format!(
                "{:.1} % [{:.1}, {:.1}]",
                ratio * 100.0,
                low * 100.0,
                high * 100.0
            )
        }
        (ratio, _) => units::percent(ratio),
    }
}

fn ready(destination: &DestinationView) -> String {
    match (destination.ready_endpoints, destination.wanted_endpoints) {
        (Some(ready), Some(wanted)) => format!("{ready}/{wanted}"),
        _ => units::dash(),
    }
}

/// The journal, newest first.
pub(crate) fn history(api: &Api, format: TableOrJson) -> Result<Exit, Failure> {
    let journal = api.journal();
    if format == TableOrJson::Json {
        output::json(&journal)?;
        return Ok(Exit::OK);
    }
    let rows: Vec<Vec<String>> = journal
        .entries
        .iter()
        .map(|e| {
            let undoable = if e.undoable { "yes" } else { "" };
            [
                &e.entry_id,
                &e.at,
                &e.kind,
                &e.outcome,
                &e.split_id,
                &e.summary,
                &e.reason,
                undoable,
            ]
            .map(|cell: &str| cell.to_owned())
            .to_vec()
        })
        .collect();
    output::table(
        &[
            "ENTRY", "AT", "KIND", "OUTCOME", "SPLIT", "CHANGE", "REASON", "UNDOABLE",
        ],
        &rows,
    )?;
    Ok(Exit::OK)
}
