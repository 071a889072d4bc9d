//! The file of the state: read leniently, replaced whole, put aside when it cannot be read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::{SCHEMA, State};
use crate::disk::{self, DiskError, Lock};
use crate::folders::Folders;
use crate::problem::{Place, Problem, ProblemKind};

/// What we read and write at most: 50 contexts of 1,000 cards are 4 MB.
const LARGEST: u64 = 16 << 20;
/// Broken files kept beside; the last place is used again and again.
const MOST_BROKEN: u32 = 9;

/// Why nothing was remembered.
#[derive(Debug, Error)]
pub enum StateError {
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file is of a newer version, which this one would spoil.
    #[error("nothing is remembered: {0}")]
    Refused(Box<Problem>),
    /// Even without positions it exceeds what we read.
    #[error("nothing is remembered: the state would have {bytes} bytes, of at most {most}")]
    TooLarge {
        /// What it would have.
        bytes: u64,
        /// What we read at most.
        most: u64,
    },
    /// A value that JSON cannot say.
    #[error("nothing is remembered: {0}")]
    NoJson(#[from] serde_json::Error),
}

/// The state file.
#[derive(Clone, Debug)]
pub struct StateFile {
    file: PathBuf,
}

/// What a file's content is.
enum Content {
    Good(Box<State>),
    Broken { why: String, place: Option<Place> },
    Newer(u64),
}

impl StateFile {
    /// The one in these folders; `None` without a state folder.
    #[must_use]
    pub fn of(folders: &Folders) -> Option<Self> {
        let file = folders.state_file()?;
        Some(Self { file })
    }

    /// What is remembered. A file that cannot be understood is put aside as `state.json.broken-N` and counts as none.
    /// Blocks, for up to a second while another process writes and this one has to put a file aside.
    #[must_use]
    pub fn load(&self) -> (State, Vec<Problem>) {
        // Without the lock: files are replaced whole, so a reader sees the old one or the new.
        match self.read() {
            Ok(Content::Good(state)) => (*state, Vec::new()),
            Ok(Content::Newer(schema)) => (State::default(), vec![self.newer(schema)]),
            Ok(Content::Broken { .. }) => match self.under_lock() {
                Ok((_, state, problems)) => (state, problems),
                Err(error) => (State::default(), vec![self.unreadable(&error)]),
            },
            Err(error) => (State::default(), vec![self.unreadable(&error.into())]),
        }
    }

    /// Changes what is remembered, as it is in the file now, and answers it. Blocks, for up to a second while another
    /// process writes.
    ///
    /// # Errors
    /// If the disk refuses, another process holds the file, or a newer version wrote it.
    pub fn update(&self, change: impl FnOnce(&mut State)) -> Result<State, StateError> {
        let (lock, mut state, _) = self.under_lock()?;
        change(&mut state);
        state.prune();
        let mut bytes = serde_json::to_vec(&state)?;
        while size(&bytes) > LARGEST && state.forget_oldest_positions() {
            bytes = serde_json::to_vec(&state)?;
        }
        if size(&bytes) > LARGEST {
            return Err(StateError::TooLarge {
                bytes: size(&bytes),
                most: LARGEST,
            });
        }
        lock.stage(&bytes)?.commit()?;
        Ok(state)
    }

    /// The right to write and what is there now, with a broken file put aside.
    fn under_lock(&self) -> Result<(Lock, State, Vec<Problem>), StateError> {
        let lock = Lock::take(&self.file)?;
        match self.read()? {
            Content::Good(state) => Ok((lock, *state, Vec::new())),
            Content::Newer(schema) => Err(StateError::Refused(Box::new(self.newer(schema)))),
            Content::Broken { why, place } => {
                let aside = put_aside(&self.file)?;
                let message = format!(
                    "{why}; it was put aside as {} and we start afresh",
                    aside.display()
                );
                let problem = Problem::new(ProblemKind::PutAside, &self.file, message).at(place);
                Ok((lock, State::default(), vec![problem]))
            }
        }
    }

    fn read(&self) -> Result<Content, DiskError> {
        let bytes = match disk::read(&self.file, LARGEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Content::Good(Box::default())),
            // We never write so much: it is no file of ours.
            Err(error @ DiskError::TooLarge { .. }) => {
                let why = error.to_string();
                return Ok(Content::Broken { why, place: None });
            }
            Err(error) => return Err(error),
        };
        Ok(understand(&bytes))
    }

    fn newer(&self, schema: u64) -> Problem {
        let message =
            format!("written by a newer Pilothouse (form {schema}, this one knows {SCHEMA})");
        let problem = Problem::new(ProblemKind::Newer, &self.file, message);
        problem
            .with_hint("it is left alone, and nothing is remembered until that version runs again")
    }

    fn unreadable(&self, error: &StateError) -> Problem {
        match error {
            StateError::Refused(problem) => (**problem).clone(),
            StateError::Disk(_) | StateError::TooLarge { .. } | StateError::NoJson(_) => {
                Problem::new(ProblemKind::Unreadable, &self.file, error.to_string())
            }
        }
    }
}

fn understand(bytes: &[u8]) -> Content {
    /// The one field whose meaning never changes.
    #[derive(Deserialize)]
    struct Form {
        schema: u64,
    }
    let form = serde_json::from_slice::<Form>(bytes).map(|form| form.schema);
    if let Ok(schema) = form
        && schema > u64::from(SCHEMA)
    {
        return Content::Newer(schema);
    }
    match serde_json::from_slice(bytes) {
        Ok(state) => Content::Good(Box::new(state)),
        Err(error) => Content::Broken {
            // Not the error's own text: it quotes values.
            why: match error.classify() {
                serde_json::error::Category::Data => {
                    "a value has another type than the state's".to_owned()
                }
                serde_json::error::Category::Eof => "it ends in the middle".to_owned(),
                serde_json::error::Category::Io | serde_json::error::Category::Syntax => {
                    "it is not JSON".to_owned()
                }
            },
            place: Some(Place {
                line: error.line().max(1),
                column: error.column().max(1),
            }),
        },
    }
}

/// Gives the file a name that nobody reads, and answers it.
fn put_aside(file: &Path) -> Result<PathBuf, DiskError> {
    let named = |number: u32| {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".broken-{number}"));
        PathBuf::from(name)
    };
    let is_free = |path: &PathBuf| {
        let found = fs::symlink_metadata(path);
        found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let free = (1..MOST_BROKEN).map(named).find(is_free);
    let aside = free.unwrap_or_else(|| named(MOST_BROKEN));
    fs::rename(file, &aside).map_err(|source| DiskError::System {
        doing: "putting aside",
        path: file.to_owned(),
        source,
    })?;
    Ok(aside)
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
