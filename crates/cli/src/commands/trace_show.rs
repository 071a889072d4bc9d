//! `traces show`: one trace from the backend or from a file.

use std::collections::BTreeSet;
use std::io::Write as _;

use pilothouse_api::dto::{SpanView, TraceIdRequest, TraceSearchRequest, TraceView};

use super::traces::EVERYTHING;
use pilothouse_connect::{Need, SourceArgs};

use crate::args::{TraceOutput, TracesShowArgs};
use crate::failure::{Exit, Failure};
use crate::{compose, output, units};

/// Shows a trace: an argument that is a trace id is asked from the backend, anything else is a file.
pub(crate) async fn run(sources: &SourceArgs, args: &TracesShowArgs) -> Result<Exit, Failure> {
    let is_id = args.trace.len() <= 32 && args.trace.bytes().all(|b| b.is_ascii_hexdigit());
    let (api, id) = if is_id && !std::path::Path::new(&args.trace).exists() {
        (
            compose::api(sources, Need::Traces).await?,
            args.trace.clone(),
        )
    } else {
        let api = compose::api_of_file(&args.trace)?;
        let everything = TraceSearchRequest {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a look-back")]
            since_s: Some(EVERYTHING as f64 / 1000.0),
            limit: Some(1_500),
            ..TraceSearchRequest::default()
        };
        let found = api.find_traces(&everything).await?;
        let first = found
            .traces
            .first()
            .ok_or_else(|| Failure::bad_data(format!("{} holds no trace", args.trace)))?;
        let others = found.traces.len() - 1;
        if others > 0 {
            let text = format!(
                "pilothousectl: {0} holds {others} more; `pilothousectl traces find --traces file={0}` lists them",
                args.trace
            );
            let _best_effort = writeln!(std::io::stderr(), "{}", output::lines(&text));
        }
        (api, first.trace_id.clone())
    };
    let request = TraceIdRequest {
        context: None,
        trace_id: id,
        raw_clock: args.raw_clock,
    };
    if args.output == TraceOutput::Otlp {
        output::json(&api.trace_otlp(&request).await?)?;
        return Ok(Exit::OK);
    }
    let trace = api.trace(&request).await?;
    let several = api.workspace().contexts().len() > 1;
    match args.output {
        TraceOutput::Json => output::json(&trace)?,
        TraceOutput::Tree | TraceOutput::Otlp => {
            output::text(&tree(&trace, args.critical_path, several))?;
        }
    }
    Ok(Exit::OK)
}

fn tree(trace: &TraceView, mark_path: bool, name_context: bool) -> String {
    let on_path: BTreeSet<&str> = trace
        .critical_path
        .iter()
        .map(|section| section.span_id.as_str())
        .collect();
    let whose = if name_context {
        format!(", from {}", trace.context)
    } else {
        String::new()
    };
    let head = format!(
        "{}  {}  {} spans, {} errors, starts {}{whose}\n",
        trace.trace_id,
        units::nanoseconds(trace.duration_ns),
        trace.spans.len(),
        trace.errors,
        trace.start
    );
    let lines = trace
        .spans
        .iter()
        .map(|span| line(span, mark_path && on_path.contains(span.span_id.as_str())));
    let findings = trace
        .findings
        .iter()
        .map(|f| format!("{}: {}\n", f.severity, f.message));
    std::iter::once(head).chain(lines).chain(findings).collect()
}

fn line(span: &SpanView, on_path: bool) -> String {
    let indent = "  ".repeat(span.depth.min(200) as usize);
    let path = if on_path { "* " } else { "" };
    let error = if span.status == "error" {
        "  ERROR"
    } else {
        ""
    };
    let flags = span
        .flags
        .as_ref()
        .map(|flags| format!(" {flags}"))
        .unwrap_or_default();
    let skew = if span.skew_shift_ns == 0 {
        String::new()
    } else {
        format!("  clock moved by {} ns", span.skew_shift_ns)
    };
    format!(
        "{indent}{path}{} {} [{}] {}, self {}{error}{flags}{skew}\n",
        span.service,
        span.operation,
        span.kind,
        units::nanoseconds(span.duration_ns),
        units::nanoseconds(span.self_ns)
    )
}
