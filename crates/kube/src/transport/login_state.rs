//! What is to be seen of a login.

use std::time::Duration;

use pilothouse_core::model::SourceError;
use tokio::time::Instant;

/// How the login of a context stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LoginState {
    /// Nobody has logged in yet.
    #[default]
    Idle,
    /// A credential plugin runs; it may be waiting for the person.
    Waiting {
        /// The program, as the kubeconfig names it.
        program: String,
        /// When it began.
        since: Instant,
        /// How long it may take.
        limit: Duration,
    },
    /// There are credentials.
    Done,
    /// There are none. No plugin runs again before the configuration changes or the person asks for it.
    Failed(SourceError),
}

impl LoginState {
    /// How much longer the plugin may take; `None` if none runs.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        match self {
            Self::Waiting { since, limit, .. } => Some(limit.saturating_sub(since.elapsed())),
            Self::Idle | Self::Done | Self::Failed(_) => None,
        }
    }
}
