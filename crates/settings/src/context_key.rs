//! Which context something is remembered for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A context, told apart from its namesakes by its file. This stays the same when another kubeconfig comes before it,
/// which changes how a chooser has to call it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContextKey {
    /// Its name inside the kubeconfig.
    pub name: String,
    /// The kubeconfig that defines it; `None` for what has none: the demo, the inside of a cluster, bare addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

impl ContextKey {
    /// The context of this name in this file.
    #[must_use]
    pub fn new(name: impl Into<String>, file: Option<PathBuf>) -> Self {
        Self {
            name: name.into(),
            file,
        }
    }

    /// How a chooser calls it when the name alone means another: `FILE/NAME`.
    #[must_use]
    pub fn with_file(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(format!("{}/{}", file.display(), self.name))
    }
}
