//! What was asked on the way to a context, as text: for a bug report and for the terminal. Everything in it has been
//! redacted where it was made: addresses have no credentials, and nothing else of a check can hold one.

use std::fmt::Write as _;

use crate::dto::{CheckState, CheckView, LineState};

/// The report.
#[must_use]
pub fn report(check: &CheckView) -> String {
    let mut text = format!(
        "Pilothouse {} · {} · {} · {}\n",
        env!("CARGO_PKG_VERSION"),
        check.context,
        match check.state {
            CheckState::Running => "under way",
            CheckState::Done => "done",
            CheckState::Failed => "failed",
            CheckState::Cancelled => "cancelled",
        },
        check.began,
    );
    let plugins = match check.plugins_started.as_slice() {
        [] => "none".to_owned(),
        some => some.join(", "),
    };
    // Writing to a string does not fail.
    let _infallible = writeln!(
        text,
        "took {:.2} s · plugins started: {plugins}\n",
        check.elapsed_ms / 1000.0
    );
    for line in &check.lines {
        let was_asked = line.state != LineState::Waiting || check.state == CheckState::Running;
        let state = if was_asked {
            state_word(line.state)
        } else {
            "no answer"
        };
        let _infallible = writeln!(
            text,
            "{state:<9} {:<16} {:>8}  {}",
            line.asked,
            milliseconds(line.elapsed_ms),
            line.answer
        );
        for more in [&line.detail, &line.hint] {
            if !more.is_empty() {
                let _infallible = writeln!(text, "{:<37}{more}", "");
            }
        }
        for candidate in &line.candidates {
            let mark = if candidate.chosen { "*" } else { " " };
            let _infallible = writeln!(
                text,
                "{:<24}{mark} {:>8}  {} - {}",
                "",
                milliseconds(candidate.elapsed_ms),
                candidate.shown,
                candidate.why
            );
        }
    }
    if let Some(failure) = &check.failure {
        let _infallible = writeln!(
            text,
            "\nasked:    {}\nhappened: {}\nhelps:    {}",
            failure.asked, failure.happened, failure.helps
        );
    }
    text
}

/// How a question went, in a word.
#[must_use]
pub const fn state_word(state: LineState) -> &'static str {
    match state {
        LineState::Waiting => "waiting",
        LineState::Asking => "asking",
        LineState::Ok => "ok",
        LineState::Note => "note",
        LineState::Missing => "missing",
        LineState::Forbidden => "forbidden",
        LineState::Failed => "failed",
    }
}

fn milliseconds(ms: Option<f64>) -> String {
    ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0} ms"))
}
