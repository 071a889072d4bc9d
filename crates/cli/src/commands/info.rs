//! `info` and `version`.

use pilothouse_connect::folders;
use serde::Serialize;

use crate::args::TableOrJson;
use crate::failure::{Exit, Failure};
use crate::output;

#[derive(Serialize)]
struct Info {
    version: &'static str,
    state_folder: Option<String>,
    journal: Option<String>,
    settings: Option<String>,
    /// Program of the desktop app; null if it is not installed.
    desktop_app: Option<String>,
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

/// Paths and versions.
pub(crate) fn info(format: TableOrJson) -> Result<Exit, Failure> {
    let text = |path: std::path::PathBuf| path.display().to_string();
    let folders = folders();
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        journal: folders.journal_file().map(text),
        settings: folders.settings_file().map(text),
        desktop_app: super::ui::desktop_app().map(text),
        state_folder: folders.state.map(text),
    };
    match format {
        TableOrJson::Json => output::json(&info)?,
        TableOrJson::Table => {
            let unknown =
                || "unknown: none of PILOTHOUSE_HOME, XDG_STATE_HOME and HOME is set".to_owned();
            let unknown_config =
                || "unknown: none of PILOTHOUSE_HOME, XDG_CONFIG_HOME and HOME is set".to_owned();
            let rows = vec![
                vec!["version".to_owned(), info.version.to_owned()],
                vec![
                    "state folder".to_owned(),
                    info.state_folder.unwrap_or_else(unknown),
                ],
                vec!["journal".to_owned(), info.journal.unwrap_or_else(unknown)],
                vec![
                    "settings".to_owned(),
                    info.settings.unwrap_or_else(unknown_config),
                ],
                vec![
                    "desktop app".to_owned(),
                    info.desktop_app
                        .unwrap_or_else(|| "not installed".to_owned()),
                ],
            ];
            output::table(&["WHAT", "VALUE"], &rows)?;
        }
    }
    Ok(Exit::OK)
}

/// The version.
pub(crate) fn version(format: TableOrJson) -> Result<Exit, Failure> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
    };
    match format {
        TableOrJson::Json => output::json(&version)?,
        TableOrJson::Table => output::text(version.version)?,
    }
    Ok(Exit::OK)
}
