//! The stream to a window.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CheckView, GraphView, LayoutView, LinkView, ProgressView, SessionView, SplitsView};

/// One message of a subscription: the newest state, whole. Sent once per snapshot of any open context and per step of a
/// check; a slow reader misses some, never sees an old one after a new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Update {
    /// The graph (type `app` for the Mesh screen): of all open contexts together.
    pub graph: GraphView,
    /// Positions; null if equal to the last ones sent in this subscription.
    pub layout: Option<LayoutView>,
    /// Splits of all open contexts.
    pub splits: SplitsView,
    /// Changes being watched, newest first.
    pub progress: Vec<ProgressView>,
    /// The session of the first open context; without one, that of nothing (its context is empty).
    pub session: SessionView,
    /// The sessions of all open contexts, in the order of opening.
    pub sessions: Vec<SessionView>,
    /// Looks at contexts since the start, one each, the newest run.
    pub checks: Vec<CheckView>,
    /// Counts changes of what can be chosen (a kubeconfig that was edited): ask for `chooser` again when it grows.
    pub chooser_revision: u32,
    /// The link that is to be followed; null if there is none, or none any more.
    pub link: Option<LinkView>,
}
