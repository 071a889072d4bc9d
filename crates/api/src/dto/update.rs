//! The stream to a window.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{GraphView, LayoutView, ProgressView, SessionView, SplitsView};

/// One message of a subscription: the newest state, whole. Sent once per snapshot and after each change of session or
/// progress; a slow reader misses some, never sees an old one after a new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Update {
    /// The graph (type `app` for the Mesh screen).
    pub graph: GraphView,
    /// Positions; null if equal to the last ones sent in this subscription.
    pub layout: Option<LayoutView>,
    /// Splits.
    pub splits: SplitsView,
    /// Changes being watched, newest first.
    pub progress: Vec<ProgressView>,
    /// The session.
    pub session: SessionView,
}
