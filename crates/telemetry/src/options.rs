//! What an operator may choose about a source reached over HTTP, and secrets that do not print.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::token_command::TokenCommand;

/// How to talk to a source. The address is not here: it is what [`crate::PrometheusSource::new`] and
/// [`crate::JaegerSource::new`] take first.
///
/// ```
/// use std::time::Duration;
/// use pilothouse_telemetry::{Credentials, Options, Secret};
///
/// let options = Options {
///     deadline: Duration::from_secs(10),
///     credentials: Credentials::Bearer(Secret::new("token-from-the-keyring")),
///     headers: vec![("X-Scope-OrgID".to_owned(), Secret::new("shop"))],
///     ..Options::default()
/// };
/// assert!(!format!("{options:?}").contains("token-from"));
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// Time for one request: connecting, asking and reading the whole answer. Waiting for one of the source's own slots
    /// does not count, so that a slow server is not blamed for our queue; nor does fetching a token.
    pub deadline: Duration,
    /// Largest answer that is read, after decompression.
    pub max_body_bytes: usize,
    /// Who asks. A user and a password may stand in the address instead, never both.
    pub credentials: Credentials,
    /// More headers of each request, by name: `X-Scope-OrgID` for a tenant, the key of a gateway.
    pub headers: Vec<(String, Secret)>,
    /// Certificates for `https` addresses. They cannot be used on a way, which has its own.
    pub tls: Tls,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            max_body_bytes: 64 << 20,
            credentials: Credentials::None,
            headers: Vec::new(),
            tls: Tls::default(),
        }
    }
}

/// What a source is told about who asks.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Nothing, or what the address holds.
    #[default]
    None,
    /// A bearer token.
    Bearer(Secret),
    /// A file that holds a bearer token. Read for each request, so that a renewed one counts at once.
    BearerFile(PathBuf),
    /// A command that prints a bearer token. Clones share the token: probing and opening sign in once.
    BearerCommand(TokenCommand),
    /// HTTP's basic authentication.
    Basic {
        /// User name; may not hold a colon.
        user: String,
        /// Password.
        password: Secret,
    },
}

/// PEM files for TLS, read when the source is opened.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// The certificates that are trusted, instead of the system's. `None`: the system's.
    pub ca: Option<PathBuf>,
    /// What is shown to a server that asks for a client certificate.
    pub client: Option<ClientCertificate>,
}

/// A certificate of ours and its key, both PEM.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// File with the certificate, and those that lead to its CA.
    pub certificate: PathBuf,
    /// File with the private key; may be the same file.
    pub key: PathBuf,
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
