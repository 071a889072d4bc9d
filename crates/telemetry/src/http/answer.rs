//! An answer: its bytes, and what its status and its look mean before anybody parses it.

use pilothouse_core::model::{SourceError, SourceErrorKind};
use serde::de::DeserializeOwned;

use super::failure::Target;

/// Bodies above this are parsed off the async threads: JSON takes about 10 ms for each 2 MiB.
const OFFLOAD_ABOVE: usize = 256 << 10;

/// A complete answer with any status.
#[derive(Debug)]
pub(crate) struct Answer {
    target: Target,
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

impl Answer {
    pub(super) const fn new(
        target: Target,
        status: u16,
        content_type: String,
        body: Vec<u8>,
    ) -> Self {
        Self {
            target,
            status,
            content_type,
            body,
        }
    }

    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether asking for something else at this address is pointless: the credentials or the server itself are at fault.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self.status, 401 | 403 | 429 | 500..=599)
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the body begins like JSON. The content type is no help: Jaeger's v3 sends JSON as text/plain, and its
    /// page for unknown paths has status 200.
    pub(crate) fn looks_like_json(&self) -> bool {
        let text = self
            .body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.body);
        matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// The failure that the status tells, or `BadAnswer` if the body is not this JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, SourceError> {
        if !self.is_success() {
            return Err(self.failure());
        }
        if !self.looks_like_json() {
            return Err(self.not_json());
        }
        serde_json::from_slice(&self.body).map_err(|error| self.not_parsed(&error))
    }

    /// A failure of the call that brought this answer.
    pub(crate) fn fail(&self, kind: SourceErrorKind, what: &str) -> SourceError {
        self.target.fail(kind, what)
    }

    /// What a status outside 2xx means.
    pub(crate) fn failure(&self) -> SourceError {
        let said = self.excerpt();
        let what = if said.is_empty() || self.is_html() {
            format!("HTTP {}", self.status)
        } else {
            format!("HTTP {}: {said}", self.status)
        };
        let (kind, hint) = self.meaning();
        self.fail(kind, &what).with_hint(hint)
    }

    /// The words of the server with the meaning of the status; `words` go into the message verbatim.
    pub(crate) fn failure_saying(&self, words: &str) -> SourceError {
        let (kind, hint) = if self.is_success() {
            (SourceErrorKind::ServerError, "")
        } else {
            self.meaning()
        };
        self.fail(kind, words).with_hint(hint)
    }

    /// Status 2xx, but no JSON: most often a login page, or the page of another server.
    pub(crate) fn not_json(&self) -> SourceError {
        if self.is_html() {
            return self
                .fail(
                    SourceErrorKind::BadAnswer,
                    &format!("HTTP {} with an HTML page instead of JSON", self.status),
                )
                .with_hint(
                    "this looks like a login page or a wrong URL: check the address and its base path, or give a token",
                );
        }
        let what = if self.body.is_empty() {
            format!("HTTP {} with an empty answer instead of JSON", self.status)
        } else {
            let kind = if self.content_type.is_empty() {
                "no content type"
            } else {
                &self.content_type
            };
            format!(
                "HTTP {} with {kind} instead of JSON; it begins `{}`",
                self.status,
                self.excerpt()
            )
        };
        self.fail(SourceErrorKind::BadAnswer, &what)
            .with_hint("another server may answer here: check the address and its base path")
    }

    /// JSON that ends too early or is not what this API answers.
    pub(crate) fn not_parsed(&self, error: &serde_json::Error) -> SourceError {
        if error.is_eof() {
            return self
                .fail(
                    SourceErrorKind::BadAnswer,
                    &format!(
                        "the JSON ends in the middle, after {} bytes",
                        self.body.len()
                    ),
                )
                .with_hint("a proxy in between may cut long answers; look into its log");
        }
        self.fail(
            SourceErrorKind::BadAnswer,
            &format!("the JSON is not what this API answers: {error}"),
        )
        .with_hint("another server may answer here: check the address and its base path")
    }

    fn is_html(&self) -> bool {
        let head = self.body.trim_ascii_start();
        head.first() == Some(&b'<')
            || (self.content_type.starts_with("text/html") && !self.looks_like_json())
    }

    fn meaning(&self) -> (SourceErrorKind, &'static str) {
        // Cortex and what came of it (Mimir, Loki, Tempo).
        let names_no_tenant = self.body.trim_ascii() == b"no org id";
        match (self.status, self.target.has_credentials) {
            (401, _) if names_no_tenant => (
                SourceErrorKind::Unauthorized,
                "the request names no tenant: give the header X-Scope-OrgID",
            ),
            (401, true) => (
                SourceErrorKind::Unauthorized,
                "the credentials were not accepted: renew the token or correct the password",
            ),
            (401, false) => (
                SourceErrorKind::Unauthorized,
                "the server wants a sign-in: give a token, or a user and a password",
            ),
            (403, _) => (
                SourceErrorKind::Forbidden,
                "these credentials may not read here: ask for the right to query, or use others",
            ),
            (404, _) => (
                SourceErrorKind::NotFound,
                "the API is not at this address: check the base path (for example /prometheus or /jaeger)",
            ),
            (408 | 504, _) => (
                SourceErrorKind::TimedOut,
                "a proxy gave up waiting: ask for less, or look whether the server is overloaded",
            ),
            (400 | 422, _) => (SourceErrorKind::ServerError, ""),
            (429, _) => (
                SourceErrorKind::ServerError,
                "the server limits how often it is asked: wait, or raise its limit",
            ),
            (502 | 503, _) => (
                SourceErrorKind::ServerError,
                "the server, or the one behind a proxy, is not ready: look into its log",
            ),
            (500..=599, _) => (SourceErrorKind::ServerError, "look into the server's log"),
            _ => (
                SourceErrorKind::BadAnswer,
                "another server may answer here: check the address and its base path",
            ),
        }
    }

    /// The beginning of the body on one line.
    fn excerpt(&self) -> String {
        const LONGEST: usize = 300;
        let head = self
            .body
            .get(..self.body.len().min(4 * LONGEST))
            .unwrap_or_default();
        let line = String::from_utf8_lossy(head)
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let mut short: String = line.chars().take(LONGEST).collect();
        if short.len() < line.len() || head.len() < self.body.len() {
            short.push('…');
        }
        short
    }
}

/// Runs `parse` on the answer; a large one on a thread that may block.
///
/// # Errors
/// Those of `parse`.
pub(crate) async fn offload<T, F>(answer: Answer, parse: F) -> Result<T, SourceError>
where
    T: Send + 'static,
    F: FnOnce(&Answer) -> Result<T, SourceError> + Send + 'static,
{
    if answer.body.len() <= OFFLOAD_ABOVE {
        return parse(&answer);
    }
    let target = answer.target.clone();
    tokio::task::spawn_blocking(move || parse(&answer))
        .await
        .unwrap_or_else(|error| {
            let what = format!("reading the answer was given up: {error}");
            Err(target.fail(SourceErrorKind::BadAnswer, &what))
        })
}
