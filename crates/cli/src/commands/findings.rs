//! Findings as a table, below whatever they are about.

use pilothouse_api::dto::FindingView;

use crate::failure::Failure;
use crate::output;

/// Prints nothing if there are none.
pub(super) fn print<'a>(
    findings: impl IntoIterator<Item = &'a FindingView>,
) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = findings
        .into_iter()
        .map(|finding| {
            [
                &finding.severity,
                &finding.code,
                &finding.object,
                &finding.message,
            ]
            .map(String::clone)
            .to_vec()
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    output::text("\n")?;
    output::table(&["SEVERITY", "CODE", "OBJECT", "MESSAGE"], &rows)
}
