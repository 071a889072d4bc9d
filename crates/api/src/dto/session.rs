//! What we are connected to, and whether we may write.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// State of the write lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct WritesView {
    /// Whether changes are possible now.
    pub armed: bool,
    /// Seconds until writes are locked again; null if they never are (demo).
    pub remaining_s: Option<f64>,
    /// Arming asks for the context's name to be typed.
    pub needs_name: bool,
    /// The program was started with `--read-only`: writes stay locked.
    pub forbidden: bool,
}

/// The session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SessionView {
    /// Context name, or `demo`; empty while nothing is open.
    pub context: String,
    /// Istio's id of the cluster, where known.
    pub cluster: Option<String>,
    /// API server address; empty in the demo.
    pub server: String,
    /// The user as the server sees us.
    pub user: Option<String>,
    /// Server version.
    pub server_version: Option<String>,
    /// `demo`, `production`, `normal`: colours the frame, with the word.
    pub class: String,
    /// The class in words, for people: `production`, `staging`; empty if it is in none.
    pub class_label: String,
    /// Colour of the frame: `#rrggbb` or `amber`, `blue`, `green`, `grey`, `pink`, `red`, `teal`, `violet`; null is the plain one.
    pub colour: Option<String>,
    /// What must be seen in red as long as the context is open: a certificate that is not checked, impersonation.
    pub warnings: Vec<String>,
    /// Namespaces that it was opened with; empty = all that may be seen.
    pub namespaces: Vec<String>,
    /// Write lock.
    pub writes: WritesView,
    /// Rate window in force, seconds.
    pub window_s: f64,
    /// Windows on offer, seconds.
    pub windows: Vec<f64>,
    /// Seconds between ticks.
    pub refresh_s: f64,
    /// Product version.
    pub app_version: String,
}

/// Asks for another window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct WindowRequest {
    /// Seconds, 15..=86400.
    pub window_s: f64,
}

/// Asks to unlock writes for 15 minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ArmRequest {
    /// The context; null for the only one that is open.
    #[serde(default)]
    pub context: Option<String>,
    /// The context's name as typed, where [`WritesView::needs_name`].
    pub typed_name: Option<String>,
}

/// Asks to lock writes again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DisarmRequest {
    /// The context; null for every one that is open.
    #[serde(default)]
    pub context: Option<String>,
}

/// Whether the server lets us change an object: its answer to a `SelfSubjectAccessReview`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RightView {
    /// The verb, e.g. `patch`.
    pub verb: String,
    /// Kind of the object.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Yes or no; null if the server does not say.
    pub allowed: Option<bool>,
}
