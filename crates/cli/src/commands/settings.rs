//! `settings`: what was chosen, for the window and the command line alike.

use pilothouse_connect::settings::{EditError, KEYS, Settings, SettingsFile};
use pilothouse_connect::{Folders, folders};
use serde::Serialize;

use crate::args::{SettingsCommand, TableOrJson};
use crate::failure::{Exit, Failure};
use crate::output;

#[derive(Serialize)]
struct Shown {
    file: String,
    /// The file's own text; empty if there is none.
    text: String,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct KeyView {
    key: &'static str,
    takes: String,
    default: &'static str,
    meaning: &'static str,
}

/// Shows, changes, explains.
pub(crate) fn run(command: &SettingsCommand) -> Result<Exit, Failure> {
    let folders = folders();
    match command {
        SettingsCommand::Show(format) => show(&folders, format.output),
        SettingsCommand::Keys(format) => keys(format.output),
        SettingsCommand::Set { key, value } => change(&folders, key, Some(value)),
        SettingsCommand::Unset { key } => change(&folders, key, None),
    }
}

fn show(folders: &Folders, format: TableOrJson) -> Result<Exit, Failure> {
    let file = folders.settings_file().ok_or_else(no_folder)?;
    let (_, problems) = Settings::load(folders);
    let text = match std::fs::read(&file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    };
    let shown = Shown {
        file: file.display().to_string(),
        text,
        problems: problems.iter().map(ToString::to_string).collect(),
    };
    match format {
        TableOrJson::Json => output::json(&shown)?,
        TableOrJson::Table => {
            output::text(&format!("# {}\n{}", shown.file, shown.text))?;
            for problem in &shown.problems {
                output::text(&format!("# {problem}\n"))?;
            }
        }
    }
    Ok(if shown.problems.is_empty() {
        Exit::OK
    } else {
        Exit::FINDINGS
    })
}

fn keys(format: TableOrJson) -> Result<Exit, Failure> {
    let all: Vec<KeyView> = KEYS
        .iter()
        .map(|key| KeyView {
            key: key.path,
            takes: key.takes.to_string().replace('`', ""),
            default: key.default,
            meaning: key.meaning,
        })
        .collect();
    match format {
        TableOrJson::Json => output::json(&all)?,
        TableOrJson::Table => {
            let rows: Vec<Vec<String>> = all
                .into_iter()
                .map(|key| {
                    vec![
                        key.key.to_owned(),
                        key.takes,
                        key.default.to_owned(),
                        key.meaning.to_owned(),
                    ]
                })
                .collect();
            output::table(&["KEY", "TAKES", "DEFAULT", "MEANING"], &rows)?;
        }
    }
    Ok(Exit::OK)
}

fn change(folders: &Folders, key: &str, value: Option<&str>) -> Result<Exit, Failure> {
    let file = SettingsFile::of(folders).ok_or_else(no_folder)?;
    match file.edit(|draft| draft.set_key(key, value)) {
        Ok(_) => Ok(Exit::OK),
        Err(error @ EditError::Refused(_)) => Err(Failure::bad_data(error.to_string())
            .with_hint("`pilothousectl settings keys` lists every key and what it takes")),
        Err(error @ (EditError::Disk(_) | EditError::Changing { .. })) => {
            Err(Failure::other(error.to_string()))
        }
    }
}

fn no_folder() -> Failure {
    Failure::other("there is no folder for settings".to_owned())
        .with_hint("set HOME or PILOTHOUSE_HOME")
}
