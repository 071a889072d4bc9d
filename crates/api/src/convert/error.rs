//! Every failure as a code, a sentence, the server's own words, and what to do.

use pilothouse_core::model::{SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::traffic::{LeafConflict, PlanError};
use pilothouse_engine::CommandError;

use crate::dto::{ApiError, Code};

/// The exit code of a command line for an error code (`sysexits.h` where it has one).
#[must_use]
pub const fn exit_code(code: Code) -> u8 {
    match code {
        Code::BadRequest => 64,
        Code::BadData => 65,
        Code::NotConfigured | Code::SwitchedOff | Code::Unavailable | Code::TimedOut => 69,
        Code::Conflict => 75,
        Code::Unauthorized | Code::Forbidden | Code::ReadOnly => 77,
        Code::NotFound | Code::Rejected | Code::Internal => 1,
    }
}

/// The code of a failed source.
#[must_use]
pub const fn code_of(kind: SourceErrorKind) -> Code {
    match kind {
        SourceErrorKind::NotConfigured | SourceErrorKind::BadConfiguration => Code::NotConfigured,
        SourceErrorKind::SwitchedOff => Code::SwitchedOff,
        SourceErrorKind::Unreachable
        | SourceErrorKind::BadAnswer
        | SourceErrorKind::TooLarge
        | SourceErrorKind::ServerError => Code::Unavailable,
        SourceErrorKind::TimedOut => Code::TimedOut,
        SourceErrorKind::Unauthorized => Code::Unauthorized,
        SourceErrorKind::Forbidden => Code::Forbidden,
        SourceErrorKind::NotFound => Code::NotFound,
        SourceErrorKind::Conflict => Code::Conflict,
        SourceErrorKind::Rejected => Code::Rejected,
    }
}

pub(crate) fn bad_request(message: impl Into<String>) -> ApiError {
    error(Code::BadRequest, message)
}

pub(crate) fn internal(message: impl Into<String>) -> ApiError {
    error(Code::Internal, message)
}

pub(crate) fn not_configured(message: impl Into<String>, hint: &str) -> ApiError {
    ApiError {
        hint: hint.to_owned(),
        ..error(Code::NotConfigured, message)
    }
}

pub(crate) fn not_found(message: impl Into<String>) -> ApiError {
    error(Code::NotFound, message)
}

pub(crate) fn from_source(failure: &SourceError) -> ApiError {
    let code = code_of(failure.kind);
    let source = match failure.source_kind {
        SourceKind::ControlPlane => "the control plane",
        SourceKind::Metrics => "the metrics source",
        SourceKind::Traces => "the trace source",
    };
    let message = match failure.kind {
        SourceErrorKind::Conflict => {
            "somebody else changed the object in between; nothing was written".to_owned()
        }
        SourceErrorKind::Rejected => {
            "the server refused the change; nothing was written".to_owned()
        }
        SourceErrorKind::Forbidden => format!("{source} does not allow it"),
        SourceErrorKind::Unauthorized => format!("{source} does not know us"),
        SourceErrorKind::NotConfigured => format!("{source} is not configured"),
        SourceErrorKind::SwitchedOff => format!("{source} is switched off"),
        SourceErrorKind::BadConfiguration => {
            format!("the configuration of {source} cannot be used")
        }
        SourceErrorKind::NotFound => format!("{source} has no such thing"),
        SourceErrorKind::Unreachable
        | SourceErrorKind::TimedOut
        | SourceErrorKind::BadAnswer
        | SourceErrorKind::TooLarge
        | SourceErrorKind::ServerError => format!("{source} does not answer as it should"),
    };
    let hint = match (failure.hint.is_empty(), failure.kind) {
        (false, _) => failure.hint.clone(),
        (true, SourceErrorKind::Conflict) => {
            "look at the object as it is now, then plan again".to_owned()
        }
        (true, _) => String::new(),
    };
    ApiError {
        code,
        message,
        detail: failure.message.clone(),
        hint,
    }
}

pub(crate) fn from_command(failure: CommandError) -> ApiError {
    let message = failure.to_string();
    match failure {
        CommandError::Source(source) => from_source(&source),
        CommandError::Plan(plan) => plan_error(&plan),
        CommandError::Refused(findings) => {
            let hint = "change the weights so that the findings go away";
            let detail = findings
                .iter()
                .map(|f| format!("{}: {}", f.code, f.message))
                .collect::<Vec<_>>()
                .join("\n");
            ApiError {
                detail,
                hint: hint.to_owned(),
                ..error(Code::Rejected, "the plan has errors and was not sent")
            }
        }
        CommandError::NothingToDo => error(Code::BadRequest, message),
        CommandError::Mutated(changes) => ApiError {
            detail: changes.join("\n"),
            hint: "an admission webhook or defaulting changes the object; look at its dry run"
                .to_owned(),
            ..error(
                Code::Rejected,
                "the server would change more than planned; nothing was written",
            )
        },
        CommandError::ReadOnly => ApiError {
            hint: "arm writes first (key w; on the command line --yes)".to_owned(),
            ..error(Code::ReadOnly, message)
        },
        CommandError::WrongName => ApiError {
            hint: "type the context's name exactly".to_owned(),
            ..error(Code::ReadOnly, message)
        },
        CommandError::UnknownPlan | CommandError::NothingToUndo => error(Code::NotFound, message),
        CommandError::NoSuchEntry(_) => ApiError {
            hint: "the journal lists what there is (on the command line `split history`)"
                .to_owned(),
            ..error(Code::NotFound, message)
        },
        CommandError::NoJournal => ApiError {
            hint: "set HOME or XDG_STATE_HOME to a folder that can be written".to_owned(),
            ..error(Code::ReadOnly, message)
        },
        CommandError::Journal(_) => ApiError {
            hint: "nothing was written to the cluster; make the state folder writable".to_owned(),
            ..error(Code::Internal, message)
        },
    }
}

fn plan_error(failure: &PlanError) -> ApiError {
    let text = failure.to_string();
    match failure {
        PlanError::NoSuchSplit { .. } => error(Code::NotFound, text),
        PlanError::Conflict { leaves } => ApiError {
            detail: leaves.iter().map(leaf_text).collect::<Vec<_>>().join("\n"),
            hint: "look at the object as it is now; what stands there was not written by us"
                .to_owned(),
            ..error(Code::Conflict, text)
        },
        PlanError::NoSuchDestination { .. }
        | PlanError::AmbiguousDestination { .. }
        | PlanError::NamedTwice { .. } => error(Code::BadRequest, text),
        PlanError::OtherObject { .. } | PlanError::Unpatchable(_) => error(Code::Internal, text),
    }
}

/// `v2: was 10, we wrote 50, now 30`.
fn leaf_text(leaf: &LeafConflict) -> String {
    let text = |weight: Option<i64>| weight.map_or_else(|| "unset".to_owned(), |w| w.to_string());
    let now = if leaf.moved {
        "another destination stands there now".to_owned()
    } else {
        format!("now {}", text(leaf.live))
    };
    format!(
        "{}: was {}, we wrote {}, {now}",
        leaf.destination,
        text(leaf.before),
        text(leaf.ours)
    )
}

fn error(code: Code, message: impl Into<String>) -> ApiError {
    ApiError {
        code,
        message: message.into(),
        detail: String::new(),
        hint: String::new(),
    }
}
