//! What we noticed and the operator should know.

use serde::{Deserialize, Serialize};

/// How grave a finding is. Ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look before you act; a plan may go on.
    Warning,
    /// Wrong; a plan with it is refused.
    Error,
}

/// One observation about an object, a number or a trace. `code` is stable and in kebab-case; the message is for people
/// and may quote cluster text, which a view must show as text and never as markup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// How grave.
    pub severity: Severity,
    /// Stable name, e.g. `weights-all-zero`.
    pub code: String,
    /// What it is about: an object (`VirtualService/shop/reviews`), a node or an edge id, a span id. Empty: the whole.
    pub object: String,
    /// Where inside the object, as a JSON pointer (`/spec/http/0/route/1/weight`); empty if the whole object.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// One sentence: what is so, and what to do.
    pub message: String,
}

impl Finding {
    /// A finding about a whole object.
    #[must_use]
    pub fn new(
        severity: Severity,
        code: &str,
        object: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            code: code.to_owned(),
            object: object.into(),
            path: String::new(),
            message: message.into(),
        }
    }

    /// The same finding, pointing inside its object (JSON pointer).
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }
}
