//! How a source fails: one closed list, so that every shell can say what to do.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The three sources of truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The Kubernetes API (or the demo mesh's store).
    ControlPlane,
    /// Prometheus or another PromQL server.
    Metrics,
    /// Jaeger, Tempo, Zipkin or a file.
    Traces,
}

/// Why a call to a source failed. Closed: exit codes and hints hang on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceErrorKind {
    /// Nothing is configured (no kubeconfig, no URL).
    NotConfigured,
    /// The operator does not want this source.
    SwitchedOff,
    /// The configuration cannot be read.
    BadConfiguration,
    /// No connection: refused, unknown host, TLS.
    Unreachable,
    /// The deadline passed.
    TimedOut,
    /// 401: the credentials are missing or no longer good.
    Unauthorized,
    /// 403: known, but not allowed.
    Forbidden,
    /// 404 where absence is a failure (a resource kind whose CRD is not installed; a trace that is gone).
    NotFound,
    /// A precondition failed: somebody else changed the object (409, or 422 on a JSON Patch `test`).
    Conflict,
    /// The server refused the change on its merits (admission webhook, schema): its text is in the message, verbatim.
    Rejected,
    /// An answer that is not what this API answers: HTML, truncated JSON, a matrix for a vector.
    BadAnswer,
    /// The answer exceeds the size that we read.
    TooLarge,
    /// The server says that it failed (5xx, `status: error`).
    ServerError,
}

/// A failed call. `message` says what was being done and what went wrong, with the server's own words verbatim where
/// there are any, and never a secret; `hint` says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct SourceError {
    /// Which source.
    pub source_kind: SourceKind,
    /// Why.
    pub kind: SourceErrorKind,
    /// What was being done and what went wrong, lower case, no final dot.
    pub message: String,
    /// What the operator can do about it; empty if nothing better than trying again.
    pub hint: String,
}

impl SourceError {
    /// A failure of this source.
    #[must_use]
    pub fn new(source_kind: SourceKind, kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self {
            source_kind,
            kind,
            message: message.into(),
            hint: String::new(),
        }
    }

    /// The same failure with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}
