//! Links into the window.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A link that is to be followed: once, as soon as its context is open; then it is ended by its serial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LinkView {
    /// Counts links: each is followed once.
    pub serial: u32,
    /// Why it cannot be followed, as a sentence; null if it can. Nothing else of it is known then.
    pub refused: Option<String>,
    /// The context that it leads into, by its id. Nobody but a person opens it.
    pub context: String,
    /// Whether that context is open.
    pub is_open: bool,
    /// The kind of place.
    pub place: LinkPlace,
    /// Id of the node, edge, split or trace, as updates and commands name it; empty for the Mesh screen.
    pub id: String,
    /// The moment that is meant, RFC 3339; null is now.
    pub at: Option<String>,
    /// Window of rates that is meant, seconds; null leaves it.
    pub window_s: Option<f64>,
    /// The command line that shows the graph as of that moment; null without a moment, or where none would.
    pub command: Option<String>,
}

/// Kinds of places that a link can lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LinkPlace {
    /// The Mesh screen.
    Mesh,
    /// A node on it.
    Node,
    /// An edge on it.
    Edge,
    /// A split.
    Split,
    /// A trace.
    Trace,
}

/// A link as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkTextRequest {
    /// `pilothouse://…`
    pub text: String,
}

/// Asks for the link to a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LinkRequest {
    /// The context; null for that of the id, or else the first that is open.
    #[serde(default)]
    pub context: Option<String>,
    /// The kind of place.
    pub place: LinkPlace,
    /// Id of the node, edge, split or trace, as updates name it; empty for the Mesh screen.
    #[serde(default)]
    pub id: String,
    /// As of this moment, RFC 3339; null is whenever it is followed.
    #[serde(default)]
    pub at: Option<String>,
    /// Window of rates, seconds; null leaves that of whoever follows it.
    #[serde(default)]
    pub window_s: Option<f64>,
}

/// Ends a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkEndRequest {
    /// From [`LinkView::serial`].
    pub serial: u32,
}
