//! The journal: append-only JSON lines, one before and one after every write. What was begun and never closed shows as
//! `intended`, so a crash between the two is visible. It never holds credentials.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use pilothouse_core::model::Moment;
use pilothouse_core::traffic::ShiftPlan;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Carried out a plan.
    Apply,
    /// Took another entry back.
    Undo,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Begun; the end was never written.
    Intended,
    /// The server took it.
    Applied,
    /// The server refused it: nothing changed.
    Refused,
    /// The call failed; whether it took effect must be looked up.
    Failed,
}

/// One change. The line written last for an id is the valid one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Unique: moment and a counter.
    pub id: String,
    /// When it began.
    pub at: Moment,
    /// What.
    pub kind: EntryKind,
    /// The entry that an undo takes back.
    pub undoes: Option<String>,
    /// Context.
    pub context: String,
    /// User, as the server saw us.
    pub user: Option<String>,
    /// The plan, with its patch and the inverse.
    pub plan: ShiftPlan,
    /// Why, in the operator's words.
    pub reason: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The server's words where it did not take it.
    pub message: String,
    /// resourceVersion after.
    pub resource_version_after: Option<String>,
}

/// The journal could not be read or written.
#[derive(Debug, Error)]
#[error("{doing} the journal {path}")]
pub struct JournalError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// All entries, in memory and (where it has a path) on disk.
#[derive(Debug, Default)]
pub struct Journal {
    path: Option<PathBuf>,
    entries: BTreeMap<String, Entry>,
    counter: u32,
    /// Lines of the file that could not be read; they are kept in the file.
    pub unreadable: usize,
}

impl Journal {
    /// Opens a journal; a missing file is an empty journal, an unreadable line is counted and left alone.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn open(path: Option<PathBuf>) -> Result<Self, JournalError> {
        let mut journal = Self {
            path: path.clone(),
            ..Self::default()
        };
        let Some(path) = path else { return Ok(journal) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(journal),
            Err(source) => {
                return Err(JournalError {
                    doing: "reading",
                    path,
                    source,
                });
            }
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str::<Entry>(line) {
                Ok(entry) => {
                    journal.entries.insert(entry.id.clone(), entry);
                }
                Err(_) => journal.unreadable += 1,
            }
        }
        Ok(journal)
    }

    /// A fresh id for a change begun at this moment; sorts by time.
    pub fn next_id(&mut self, at: Moment) -> String {
        self.counter = self.counter.wrapping_add(1);
        format!(
            "{:013}-{:04x}{:04x}",
            at.0,
            std::process::id() & 0xffff,
            self.counter & 0xffff
        )
    }

    /// Writes an entry (again): to disk first, so that nothing happens that is not written down.
    ///
    /// # Errors
    /// If the file cannot be written; the caller must then not go on.
    pub fn record(&mut self, entry: Entry) -> Result<(), JournalError> {
        if let Some(path) = &self.path {
            append(path, &entry).map_err(|source| JournalError {
                doing: "writing",
                path: path.clone(),
                source,
            })?;
        }
        self.entries.insert(entry.id.clone(), entry);
        Ok(())
    }

    /// Entries of one context, newest first.
    #[must_use]
    pub fn of_context(&self, context: &str) -> Vec<&Entry> {
        self.entries
            .values()
            .rev()
            .filter(|entry| entry.context == context)
            .collect()
    }

    /// The entry of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// Whether an entry was applied and not yet taken back.
    #[must_use]
    pub fn undoable(&self, entry: &Entry) -> bool {
        let taken_back = self.entries.values().any(|other| {
            other.undoes.as_deref() == Some(&entry.id) && other.outcome == Outcome::Applied
        });
        entry.outcome == Outcome::Applied && !taken_back
    }
}

fn append(path: &PathBuf, entry: &Entry) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    file.write_all(&line)?;
    file.sync_data()
}
