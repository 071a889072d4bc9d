//! The journal: append-only JSON lines, one before and one after every write. What was begun and never closed shows as
//! `intended`, so a crash between the two is visible. It never holds credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// Address of the API server, where it was known: contexts of different clusters may share a name.
    #[serde(default)]
    pub server: Option<String>,
    /// User, as the server saw us.
    pub user: Option<String>,
    /// The plan, with its patch and the inverse.
    pub plan: ShiftPlan,
    /// Why, in the operator's words.
    pub reason: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The server's words where it did not take it; else what is worth knowing of how it ended.
    pub message: String,
    /// resourceVersion after.
    pub resource_version_after: Option<String>,
}

/// The journal could not be read or written.
#[derive(Debug, Error)]
#[error("{doing} the journal {path}: {cause}")]
pub struct JournalError {
    doing: &'static str,
    path: PathBuf,
    cause: std::io::Error,
}

/// All entries, in memory and (where it has a path) on disk. Several processes may share one file.
#[derive(Debug, Default)]
pub struct Journal {
    path: Option<PathBuf>,
    entries: BTreeMap<String, Arc<Entry>>,
    /// Bytes of the file that were taken in; others may have written after them.
    read: u64,
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
            path,
            ..Self::default()
        };
        journal.catch_up()?;
        Ok(journal)
    }

    /// Takes in what other processes wrote since the last look. A line without its end may still be under way: it waits.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn catch_up(&mut self) -> Result<(), JournalError> {
        let Some(path) = self.path.clone() else {
            return Ok(());
        };
        let (bytes, from) = read_after(&path, self.read).map_err(|cause| JournalError {
            doing: "reading",
            path,
            cause,
        })?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        for line in bytes[..whole].split(|b| *b == b'\n') {
            match serde_json::from_slice::<Entry>(line) {
                Ok(entry) => self.remember(entry),
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(_) => self.unreadable += 1,
            }
        }
        self.read = from + whole as u64;
        Ok(())
    }

    /// A fresh id for a change begun at this moment. Ids sort by time, and after all that are known, even if the clock was
    /// set back since.
    pub fn next_id(&mut self, at: Moment) -> String {
        let newest = self.entries.values().map(|entry| entry.at).max();
        let at = newest.map_or(at, |newest| newest.max(at));
        loop {
            self.counter = self.counter.wrapping_add(1);
            let id = format!(
                "{:013}-{:04x}{:04x}",
                at.0,
                std::process::id() & 0xffff,
                self.counter & 0xffff
            );
            if !self.entries.contains_key(&id) {
                return id;
            }
        }
    }

    /// Writes an entry (again): to disk first, so that nothing happens that is not written down.
    ///
    /// # Errors
    /// If the file cannot be written; the caller must then not go on.
    pub fn record(&mut self, entry: Entry) -> Result<(), JournalError> {
        if let Some(path) = &self.path {
            append(path, &entry).map_err(|cause| JournalError {
                doing: "writing",
                path: path.clone(),
                cause,
            })?;
        }
        self.remember(entry);
        Ok(())
    }

    /// Keeps an entry for this process only: what happened must be known even where it cannot be written down.
    pub fn remember(&mut self, entry: Entry) {
        self.entries.insert(entry.id.clone(), Arc::new(entry));
    }

    /// Entries of one context (and of one server, where both sides know it), newest first, each with whether it can be
    /// taken back: it was applied and not undone since.
    #[must_use]
    pub fn of_context(&self, context: &str, server: Option<&str>) -> Vec<(Arc<Entry>, bool)> {
        let elsewhere = |entry: &Entry| {
            let known = entry.server.as_deref().zip(server);
            known.is_some_and(|(theirs, ours)| theirs != ours)
        };
        let undone: BTreeSet<&str> = self
            .entries
            .values()
            .filter(|entry| entry.outcome == Outcome::Applied)
            .filter_map(|entry| entry.undoes.as_deref())
            .collect();
        self.entries
            .values()
            .rev()
            .filter(|entry| entry.context == context && !elsewhere(entry))
            .map(|entry| {
                let applied = entry.outcome == Outcome::Applied;
                (
                    Arc::clone(entry),
                    applied && !undone.contains(entry.id.as_str()),
                )
            })
            .collect()
    }
}

/// The bytes of a file after an offset, and that offset: the beginning if the file was replaced by a shorter one.
fn read_after(path: &Path, offset: u64) -> std::io::Result<(Vec<u8>, u64)> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error),
    };
    let from = if file.metadata()?.len() < offset {
        0
    } else {
        offset
    };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok((bytes, from))
}

/// Adds a line. Objects hold what may be nobody else's business, so file and folder are the user's alone.
fn append(path: &Path, entry: &Entry) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        private_folder().recursive(true).create(folder)?;
    }
    let mut file = private_file()
        .create(true)
        .read(true)
        .append(true)
        .open(path)?;
    // Other processes append to the same file; where the file system knows no locks, lines are still written whole.
    file.lock().ok();
    let mut line = Vec::new();
    if ends_torn(&mut file)? {
        line.push(b'\n');
    }
    serde_json::to_writer(&mut line, entry)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

/// Whether the last line lacks its end, after a crash in the middle of it.
fn ends_torn(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
