//! What an operator may choose about a source reached over HTTP, and secrets that do not print.

use std::fmt;
use std::time::Duration;

/// How to talk to a source. The address is not here: it is what [`crate::PrometheusSource::new`] and
/// [`crate::JaegerSource::new`] take first.
///
/// ```
/// use std::time::Duration;
/// use pilothouse_telemetry::{Options, Secret};
///
/// let options = Options {
///     deadline: Duration::from_secs(10),
///     bearer: Some(Secret::new("token-from-the-keyring")),
///     ..Options::default()
/// };
/// assert!(!format!("{options:?}").contains("token-from"));
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// Time for one request: connecting, asking and reading the whole answer. Waiting for one of the source's own slots
    /// does not count, so that a slow server is not blamed for our queue.
    pub deadline: Duration,
    /// Largest answer that is read, after decompression.
    pub max_body_bytes: usize,
    /// Bearer token. A user and a password may stand in the address instead, never both.
    pub bearer: Option<Secret>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            max_body_bytes: 64 << 20,
            bearer: None,
        }
    }
}

/// Text that never shows in `Debug` output; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text; white space around it (the line end of a token file) does not belong to a secret.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
