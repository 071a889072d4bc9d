//! Which program a credential plugin is.
//!
//! Source: `LookPath` of Go's `os/exec`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Folders that programs are looked for in, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SearchPath(pub(crate) Vec<PathBuf>);

impl SearchPath {
    /// The folders of these values of `PATH`, each once.
    pub(crate) fn of<'p>(paths: impl IntoIterator<Item = &'p OsStr>) -> Self {
        let mut folders: Vec<PathBuf> = Vec::new();
        for folder in paths.into_iter().flat_map(std::env::split_paths) {
            if folder.is_absolute() && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        Self(folders)
    }

    /// The program of this name; one with a path is looked up nowhere else.
    pub(crate) fn find(&self, command: &str) -> Option<PathBuf> {
        if command.is_empty() {
            return None;
        }
        if command.contains(std::path::MAIN_SEPARATOR) {
            return executable(Path::new(command));
        }
        let mut folders = self.0.iter();
        folders.find_map(|folder| executable(&folder.join(command)))
    }

    /// Where [`Self::find`] looks for it.
    pub(crate) fn looked_in(&self, command: &str) -> Vec<PathBuf> {
        if command.contains(std::path::MAIN_SEPARATOR) {
            let folder = Path::new(command).parent();
            folder.map(Path::to_owned).into_iter().collect()
        } else {
            self.0.clone()
        }
    }
}

#[cfg(unix)]
fn executable(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then(|| path.to_owned())
}

#[cfg(not(unix))]
fn executable(path: &Path) -> Option<PathBuf> {
    let mut candidates = vec![path.to_owned()];
    for extension in ["exe", "cmd", "bat", "com"] {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        candidates.push(PathBuf::from(name));
    }
    candidates.into_iter().find(|path| path.is_file())
}
