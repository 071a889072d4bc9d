//! `traces find`.

use std::collections::BTreeMap;
use std::io::Write as _;

use pilothouse_api::Api;
use pilothouse_api::dto::{ContextFailureView, TraceListView, TraceRowView, TraceSearchRequest};

use crate::args::{TableOrJson, TracesFindArgs};
use crate::failure::{Exit, Failure};
use crate::{output, units};

const HOUR: i64 = 3_600_000;
/// Milliseconds of a look-back that no recorded trace is older than.
pub(crate) const EVERYTHING: i64 = 10_000_000_000_000;

/// Finds traces; none found is an answer. A file is searched whole: what was saved is seldom of the last hour.
pub(crate) async fn find(api: &Api, args: &TracesFindArgs, in_file: bool) -> Result<Exit, Failure> {
    let attributes = args
        .tags
        .iter()
        .map(|tag| parse_tag(tag))
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    if let (Some(least), Some(most)) = (args.min_duration, args.max_duration)
        && least > most
    {
        return Err(Failure::usage(
            "--min-duration is above --max-duration: no trace lasts so long and so short",
        ));
    }
    let since = args
        .since
        .unwrap_or(if in_file { EVERYTHING } else { HOUR });
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a look-back")]
    let milliseconds = |ms: i64| ms as f64;
    let request = TraceSearchRequest {
        context: None,
        service: args.service.clone(),
        operation: args.operation.clone(),
        only_errors: args.error,
        min_duration_ms: args.min_duration.map(milliseconds),
        max_duration_ms: args.max_duration.map(milliseconds),
        attributes,
        since_s: Some(milliseconds(since) / 1000.0),
        limit: Some(args.limit),
        node: None,
        edge: None,
    };
    let found = api.find_traces(&request).await?;
    match args.output {
        TableOrJson::Json => output::json(&found)?,
        TableOrJson::Table => print(&found)?,
    }
    complain(&found.failures);
    Ok(if found.failures.is_empty() {
        Exit::OK
    } else {
        Exit::UNAVAILABLE
    })
}

/// Names each context whose traces are missing on stderr.
fn complain(failures: &[ContextFailureView]) {
    for ContextFailureView { context, error } in failures {
        let parts = [&error.message, &error.detail, &error.hint];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let said = parts.map(String::as_str).collect::<Vec<_>>().join("; ");
        let text = output::lines(&format!("pilothousectl: {context}: {said}"));
        let _best_effort = writeln!(std::io::stderr(), "{text}");
    }
}

fn parse_tag(text: &str) -> Result<(String, String), Failure> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("`{text}` is no attribute: write KEY=VALUE")))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// With several contexts each line begins with its own.
fn print(found: &TraceListView) -> Result<(), Failure> {
    let several = found.sources.len() > 1;
    let with_context = |context: &str, mut cells: Vec<String>| {
        if several {
            cells.insert(0, context.to_owned());
        }
        cells
    };
    let rows = found.traces.iter();
    let rows: Vec<_> = rows
        .map(|trace| with_context(&trace.context, cells(trace)))
        .collect();
    let heads = HEADS.map(str::to_owned).to_vec();
    let heads = with_context("CONTEXT", heads);
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    output::table(&heads, &rows)?;
    if found.partial {
        output::text("there may be more: raise --limit or narrow the search")?;
    }
    Ok(())
}

const HEADS: [&str; 7] = [
    "TRACE",
    "START",
    "DURATION",
    "SPANS",
    "ERRORS",
    "ROOT",
    "OPERATION",
];

fn cells(trace: &TraceRowView) -> Vec<String> {
    vec![
        trace.trace_id.clone(),
        trace.start.clone(),
        units::nanoseconds(trace.duration_ns),
        trace.spans.to_string(),
        trace.errors.to_string(),
        trace.root_service.clone(),
        trace.root_operation.clone(),
    ]
}
