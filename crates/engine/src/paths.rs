//! Where files live when nobody says otherwise: the folders of the XDG base directory specification, the same for every
//! shell, so that all show one journal.

use std::env;
use std::path::PathBuf;

const NAME: &str = "pilothouse";

/// Folder of what must survive and is nobody's configuration: journal, demo edits. `None` without a home directory.
#[must_use]
pub fn state_folder() -> Option<PathBuf> {
    let given = env::var_os("XDG_STATE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from);
    let home = || {
        env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(|home| PathBuf::from(home).join(".local/state"))
    };
    given.or_else(home).map(|folder| folder.join(NAME))
}

/// File of the journal, which every shell shows. `None` without a home directory.
#[must_use]
pub fn journal_file() -> Option<PathBuf> {
    state_folder().map(|folder| folder.join("journal.jsonl"))
}
