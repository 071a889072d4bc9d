//! How a command ends.

use std::fmt;

use pilothouse_api::dto::{ApiError, Code};
use pilothouse_api::exit_code;

/// The exit code of a command that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    pub(crate) const OK: Self = Self(0);
    /// A source failed; what the others said has been printed.
    pub(crate) const UNAVAILABLE: Self = Self(69);
    /// Forbidden.
    pub(crate) const FORBIDDEN: Self = Self(77);
    /// Findings.
    pub(crate) const FINDINGS: Self = Self(79);
}

/// Why a command did not, for people.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) exit: u8,
    message: String,
    detail: String,
    hint: String,
}

impl Failure {
    /// A failure with exit code 1.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self {
            exit: 1,
            message: message.into(),
            detail: String::new(),
            hint: String::new(),
        }
    }

    /// A failure with this exit code.
    pub(crate) fn with_exit(exit: u8, message: impl Into<String>) -> Self {
        Self {
            exit,
            ..Self::other(message)
        }
    }

    /// The call itself is wrong (64).
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: 64,
            ..Self::other(message)
        }
    }

    /// The input is unreadable (65).
    pub(crate) fn bad_data(message: impl Into<String>) -> Self {
        Self {
            exit: 65,
            ..Self::other(message)
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit = if error.code == Code::BadData {
            65
        } else {
            exit_code(error.code)
        };
        Self {
            exit,
            message: error.message,
            detail: error.detail,
            hint: error.hint,
        }
    }
}

impl From<std::io::Error> for Failure {
    /// A reader that closed the pipe has what it wanted; everything else is told.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self {
                exit: 0,
                ..Self::other(String::new())
            };
        }
        Self::other(format!("writing the output: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            return Ok(());
        }
        writeln!(f, "pilothousectl: {}", self.message)?;
        if !self.detail.is_empty() && self.detail != self.message {
            writeln!(f, "{}", self.detail)?;
        }
        if !self.hint.is_empty() {
            writeln!(f, "hint: {}", self.hint)?;
        }
        Ok(())
    }
}
