//! Errors with a closed list of codes; views and exit codes branch on the code alone.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

/// Why a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request itself makes no sense (unknown destination, malformed id).
    BadRequest,
    /// The input file or document cannot be read.
    BadData,
    /// There is no such split, plan, entry or trace.
    NotFound,
    /// Nothing is configured for this source.
    NotConfigured,
    /// The operator switched this source off.
    SwitchedOff,
    /// The source does not answer, or answers nonsense.
    Unavailable,
    /// The source took longer than the deadline.
    TimedOut,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// Somebody else changed the object: look again.
    Conflict,
    /// The plan has errors, or the server refused it (its text is in `detail`, verbatim).
    Rejected,
    /// Writes are not armed.
    ReadOnly,
    /// Our own fault.
    Internal,
}

/// A failed command.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize, TS)]
#[error("{message}")]
pub struct ApiError {
    /// Why; branch on this.
    pub code: Code,
    /// One sentence for people.
    pub message: String,
    /// More, e.g. the server's own words, verbatim; may be empty.
    pub detail: String,
    /// What to do; may be empty.
    pub hint: String,
}
