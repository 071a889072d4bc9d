//! What is wrong with a file of ours, said so that a person can go there and mend it.

use std::fmt;
use std::path::{Path, PathBuf};

/// What kind of thing is wrong. Closed: shells branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The environment names no folder for the file; nothing will be remembered.
    NoFolder,
    /// The file is there and cannot be read.
    Unreadable,
    /// It is larger than what we read.
    TooLarge,
    /// It is not UTF-8, or not TOML. Defaults hold, and the file is not written until it is mended.
    Broken,
    /// A value of another type than the key takes; the default holds for this key alone.
    WrongType,
    /// A value that the key does not take; the default holds for this key alone.
    NotAllowed,
    /// A key that nobody reads; it is kept.
    UnknownKey,
    /// A token or a password in a file. It is not used.
    SecretInFile,
    /// A state file that could not be read was put aside.
    PutAside,
    /// A state file of a newer version: it is not touched.
    Newer,
}

/// One problem. Its text never quotes what a file says at a place where a secret may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of.
    pub kind: ProblemKind,
    /// In which file; empty if there is none.
    pub file: PathBuf,
    /// Where in it, if it is about a place.
    pub place: Option<Place>,
    /// Key, dotted (`context."prod-eu".metrics.address`); empty if it is about the whole file.
    pub key: String,
    /// What is wrong, lower case, no final dot.
    pub message: String,
    /// What to do; empty if the message says it.
    pub hint: String,
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, file: &Path, message: impl Into<String>) -> Self {
        Self {
            kind,
            file: file.to_owned(),
            place: None,
            key: String::new(),
            message: message.into(),
            hint: String::new(),
        }
    }

    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    pub(crate) fn of_key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// `FILE:LINE:COLUMN: KEY: what is wrong; what to do`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.as_os_str().is_empty() {
            write!(f, "{}:", self.file.display())?;
            if let Some(place) = self.place {
                write!(f, "{}:{}:", place.line, place.column)?;
            }
            f.write_str(" ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

/// A place in a text, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Place {
    /// Place of the byte `offset`; the end of the text if it lies behind it.
    #[must_use]
    pub fn in_text(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).map_or(0, |s| s.chars().count()) + 1;
        Self { line, column }
    }
}
