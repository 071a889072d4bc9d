//! Why there is nothing to open an engine with.

use pilothouse_telemetry::UnknownTraceAddress;
use thiserror::Error;

/// A composition that cannot be had. A source that cannot be reached is none: it is a state of that source.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// `--traces` names no trace backend.
    #[error(transparent)]
    Traces(#[from] UnknownTraceAddress),
    /// A file that was asked for cannot be used.
    #[error("{message}")]
    BadData {
        /// What was read and what is wrong with it.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Reading or writing the state folder failed.
    #[error("{what}: {error}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
}

impl ConnectError {
    /// What to do; empty if nothing better than trying again.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::BadData { hint, .. } => hint,
            Self::Traces(_) | Self::Io { .. } => "",
        }
    }
}
