//! How a call to the API server fails, and what that means in our words.
//!
//! Owns the classification of answers (`Status` objects and what proxies put in their place) and of broken connections.
//! Does not decide whether to try again. Reads answer by [`refused_read`]; a write has more ways to be refused, see
//! [`judge_write`].
//!
//! Source: Kubernetes API conventions, "Response Status Kind"; answers recorded from kube-apiserver 1.36.

mod broken;

pub(crate) use broken::{call_error, client_error, timed_out};

use pilothouse_core::model::{ObjectKind, ObjectRef, SourceError, SourceErrorKind, SourceKind};
use serde::Deserialize;

use crate::resource;

/// Longest server text that goes into a message when the server did not answer a `Status`.
const MAX_PLAIN_TEXT: usize = 200;

/// What is said of an answer that is a page for people.
const PAGE: &str = "the server answered a page of HTML, not Kubernetes' JSON";

/// What to do about such a page.
pub(crate) const PAGE_HINT: &str = "a proxy or a login page stands before the API server; log in there, or check the \
                                    server address and the proxy of this context";

/// A failure of the control plane.
pub(crate) fn failed(kind: SourceErrorKind, message: impl Into<String>) -> SourceError {
    SourceError::new(SourceKind::ControlPlane, kind, message)
}

/// Why a call gave no answer to work with.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The server answered with a status that is not a success.
    #[error("refused with status {}", .0.status)]
    Refused(Refusal),
    /// The request never left: no session, no connection.
    #[error(transparent)]
    Unsent(SourceError),
    /// The request left and no usable answer came: deadline, closed connection, garbage. A write may have happened.
    #[error(transparent)]
    Lost(SourceError),
}

impl CallError {
    /// The failure of a call that only reads.
    pub(crate) fn of_read(self, doing: &Doing<'_>) -> SourceError {
        match self {
            Self::Refused(refusal) => refused_read(&refusal, doing),
            Self::Unsent(error) | Self::Lost(error) => prefixed(error, doing),
        }
    }
}

/// The same failure, saying what was being done.
pub(crate) fn prefixed(mut error: SourceError, doing: &Doing<'_>) -> SourceError {
    error.message = format!("cannot {}: {}", doing.text(), error.message);
    error
}

/// What was asked, for messages and for the missing RBAC rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doing<'a> {
    /// Verb in the words of RBAC: `list`, `watch`, `get`, `patch`.
    pub(crate) verb: &'static str,
    /// Which kind; `None` for questions about the server itself.
    pub(crate) kind: Option<ObjectKind>,
    /// Namespace; empty for all of them.
    pub(crate) namespace: &'a str,
    /// Name; empty for a list.
    pub(crate) name: &'a str,
}

impl<'a> Doing<'a> {
    /// Something with one object.
    pub(crate) fn on(object: &'a ObjectRef, verb: &'static str) -> Self {
        Self {
            verb,
            kind: Some(object.kind),
            namespace: &object.namespace,
            name: &object.name,
        }
    }
}

impl Doing<'_> {
    /// `patch VirtualService shop/reviews`.
    pub(crate) fn text(&self) -> String {
        let Some(kind) = self.kind else {
            return self.verb.to_owned();
        };
        match (self.namespace, self.name) {
            ("", "") => format!("{} {kind} objects", self.verb),
            (namespace, "") => format!("{} {kind} objects in namespace {namespace}", self.verb),
            ("", name) => format!("{} {kind} {name}", self.verb),
            (namespace, name) => format!("{} {kind} {namespace}/{name}", self.verb),
        }
    }

    /// The rule that a role must have, as YAML in one line, and where.
    fn missing_rule(&self) -> String {
        let Some(kind) = self.kind else {
            return String::new();
        };
        let verbs = if self.verb == "patch" {
            r#""get", "patch""#
        } else {
            r#""get", "list", "watch""#
        };
        let rule = format!(
            r#"{{apiGroups: ["{}"], resources: ["{}"], verbs: [{verbs}]}}"#,
            resource::group(kind),
            resource::plural(kind),
        );
        if self.namespace.is_empty() {
            format!(
                "ask for a ClusterRole with the rule {rule}, or choose the namespaces that you may read"
            )
        } else {
            format!(
                "ask for a role in namespace {} with the rule {rule}",
                self.namespace
            )
        }
    }
}

/// The wire form of a `Status`; everything may be missing.
#[derive(Deserialize, Default)]
#[serde(default)]
struct WireStatus {
    message: Option<String>,
    reason: Option<String>,
    details: Option<WireDetails>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireDetails {
    name: Option<String>,
    causes: Option<Vec<serde_json::Value>>,
}

/// An answer that is not a success, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// The server's own words; for an answer that is no `Status`, its first line if it is text for people.
    pub(crate) message: String,
    /// Machine-readable reason, often empty.
    pub(crate) reason: String,
    /// Number of `details.causes`: schema and CEL validation name the fields, a failed `test` names none.
    causes: usize,
    /// Whether `details.name` names an object.
    names_object: bool,
}

impl Refusal {
    /// Reads the body of an answer with this HTTP status.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let wire = match serde_json::from_slice::<WireStatus>(body) {
            Ok(wire) => wire,
            Err(_) => WireStatus {
                message: plain_text(body),
                ..WireStatus::default()
            },
        };
        Self::from_wire(status, wire)
    }

    /// From the `Status` that a watch sends as an event.
    pub(crate) fn from_status(status: &kube::core::Status) -> Self {
        Self {
            status: status.code,
            message: status.message.clone(),
            reason: status.reason.clone(),
            causes: status.details.as_ref().map_or(0, |d| d.causes.len()),
            names_object: status.details.as_ref().is_some_and(|d| !d.name.is_empty()),
        }
    }

    fn from_wire(status: u16, wire: WireStatus) -> Self {
        let details = wire.details.unwrap_or_default();
        Self {
            status,
            message: wire.message.unwrap_or_default(),
            reason: wire.reason.unwrap_or_default(),
            causes: details.causes.map_or(0, |causes| causes.len()),
            names_object: details.name.is_some_and(|name| !name.is_empty()),
        }
    }

    /// Whether the resource path itself does not exist, in contrast to one object of it: the server answers plain text
    /// (or, behind an aggregation layer, a `Status` that names no object).
    pub(crate) const fn path_is_absent(&self) -> bool {
        self.status == 404 && !self.names_object
    }

    /// The server's words, or what the status says where it gave none.
    fn words(&self) -> String {
        if self.message.is_empty() {
            format!("the server answered HTTP {} without a reason", self.status)
        } else {
            self.message.clone()
        }
    }

    /// Whether an admission step (webhook or policy) speaks, and not RBAC or the API itself. Kubernetes marks these by
    /// text only.
    fn is_admission(&self) -> bool {
        let denied =
            self.message.contains("denied the request") || self.message.contains("denied request");
        let webhook =
            self.message.contains("admission webhook") && !self.message.contains("failed calling");
        denied || webhook
    }
}

/// The first line of a plain text answer; nothing of a page of HTML.
fn plain_text(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let line = text.lines().next()?.trim();
    if line.starts_with('<') {
        return Some(PAGE.to_owned());
    }
    Some(line.chars().take(MAX_PLAIN_TEXT).collect())
}

/// The failure that a refused read is.
pub(crate) fn refused_read(refusal: &Refusal, doing: &Doing<'_>) -> SourceError {
    let kind = match refusal.status {
        401 => SourceErrorKind::Unauthorized,
        403 => SourceErrorKind::Forbidden,
        404 => SourceErrorKind::NotFound,
        408 | 504 => SourceErrorKind::TimedOut,
        409 => SourceErrorKind::Conflict,
        413 => SourceErrorKind::TooLarge,
        429 | 500..=599 => SourceErrorKind::ServerError,
        _ => SourceErrorKind::BadAnswer,
    };
    let message = format!("cannot {}: {}", doing.text(), refusal.words());
    let hint = if refusal.message == PAGE {
        PAGE_HINT.to_owned()
    } else {
        hint(refusal.status, kind, doing)
    };
    failed(kind, message).with_hint(hint)
}

fn hint(status: u16, kind: SourceErrorKind, doing: &Doing<'_>) -> String {
    let text = match kind {
        SourceErrorKind::Unauthorized => {
            "the credentials of this context are missing or expired; log in again"
        }
        SourceErrorKind::Forbidden => return doing.missing_rule(),
        SourceErrorKind::BadAnswer => {
            "check that the server address of this context is a Kubernetes API server"
        }
        SourceErrorKind::ServerError if status == 429 => {
            "the API server is busy and asks for fewer requests"
        }
        SourceErrorKind::NotConfigured
        | SourceErrorKind::SwitchedOff
        | SourceErrorKind::BadConfiguration
        | SourceErrorKind::Unreachable
        | SourceErrorKind::TimedOut
        | SourceErrorKind::NotFound
        | SourceErrorKind::Conflict
        | SourceErrorKind::Rejected
        | SourceErrorKind::TooLarge
        | SourceErrorKind::ServerError => "",
    };
    text.to_owned()
}

/// What a refused patch means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This.
    Certain(SourceError),
    /// A failed `test`, or something else: the object as it is now decides, see `crate::patch`.
    Doubt,
}

/// What the server says when the patch itself cannot be applied; the only text that comes with a failed `test`
/// (apimachinery, `NewGenericServerResponse` for 422).
pub(crate) const GENERIC_UNPROCESSABLE: &str =
    "the server rejected our request due to an error in our request";

/// The meaning of a refused patch.
pub(crate) fn judge_write(refusal: &Refusal, doing: &Doing<'_>) -> Verdict {
    if matches!(refusal.status, 400..=499) && refusal.is_admission() {
        return Verdict::Certain(rejected(refusal));
    }
    match refusal.status {
        409 => Verdict::Certain(conflict(doing, &refusal.words())),
        400 => Verdict::Certain(rejected(refusal)),
        422 if refusal.causes > 0 => Verdict::Certain(rejected(refusal)),
        422 => Verdict::Doubt,
        // Servers before 1.13 answered a failed test with 500.
        500 if refusal
            .message
            .to_ascii_lowercase()
            .contains("testing value") =>
        {
            Verdict::Doubt
        }
        _ => Verdict::Certain(refused_write(refusal, doing)),
    }
}

/// Refused on its merits: the server's words and nothing else.
pub(crate) fn rejected(refusal: &Refusal) -> SourceError {
    failed(SourceErrorKind::Rejected, refusal.words())
}

/// Somebody else changed the object.
pub(crate) fn conflict(doing: &Doing<'_>, why: &str) -> SourceError {
    failed(
        SourceErrorKind::Conflict,
        format!("cannot {}: {why}", doing.text()),
    )
    .with_hint("nothing was written; look at the object as it is now and plan again")
}

fn refused_write(refusal: &Refusal, doing: &Doing<'_>) -> SourceError {
    let mut error = refused_read(refusal, doing);
    if refusal.message.contains("failed calling webhook") {
        "an admission webhook does not answer; check that istiod runs".clone_into(&mut error.hint);
    } else if matches!(refusal.status, 500..=599) {
        OUTCOME_UNKNOWN.clone_into(&mut error.hint);
    }
    error
}

/// Advice after a write that ended without an answer.
pub(crate) const OUTCOME_UNKNOWN: &str =
    "the server may have written it all the same; look at the object before you try again";

#[cfg(test)]
mod tests;
