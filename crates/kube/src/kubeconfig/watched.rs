//! Which files decide what [`Kubeconfigs`] holds, and whether they changed.

use std::path::PathBuf;
use std::time::SystemTime;

use super::{ConfigEnvironment, Kubeconfigs, candidates};

/// Sizes and times of some files, to see by comparison whether one of them changed, came or went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<Option<(u64, Option<SystemTime>)>>);

impl Kubeconfigs {
    /// The files whose change changes what [`Self::load`] with the same arguments gives, missing ones included.
    #[must_use]
    pub fn watched(explicit: &[PathBuf], environment: &ConfigEnvironment) -> Vec<PathBuf> {
        let mut paths = candidates(explicit, environment);
        paths.extend(environment.kuberc.path(environment.home.as_deref()));
        paths
    }

    /// How these files are now. Looks at no content: cheap enough to be asked every second.
    #[must_use]
    pub fn stamp(paths: &[PathBuf]) -> Stamp {
        let stamps = paths.iter().map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.len(), metadata.modified().ok()))
        });
        Stamp(stamps.collect())
    }
}
