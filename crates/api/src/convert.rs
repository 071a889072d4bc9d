//! Domain values to DTOs. One file per screen; numbers are passed on as they are, rounding is the view's.

mod error;
mod graph;
mod ids;
mod plan;
mod progress;
mod session;
mod splits;
mod traces;

pub(crate) use error::{
    bad_request, from_command, from_source, internal, not_configured, not_found,
};
pub use error::{code_of, exit_code};
pub use graph::dot;
pub(crate) use graph::{
    finding_view, graph_view, latency_view, layout_view, query_view, source_views,
};
pub(crate) use ids::{in_context, of_context};
pub(crate) use plan::{dry_run_view, entry_view, plan_view};
pub(crate) use progress::progress_view;
pub(crate) use session::session_view;
pub(crate) use splits::{parse_split_id, split_id_text, split_views, splits_view};
pub(crate) use traces::{trace_row, trace_view};

use pilothouse_core::model::Moment;

/// RFC 3339 in UTC with milliseconds; a moment outside the calendar is given in milliseconds.
#[must_use]
pub fn rfc3339(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| format!("{} ms", at.0), |t| format!("{t:.3}"))
}

/// A count as the DTOs carry it.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
