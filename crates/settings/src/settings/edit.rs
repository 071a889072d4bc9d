//! Writing the settings without losing what others wrote: the file is read anew for every change, compared before it is
//! replaced, and never replaced by one that we would complain about. Other Pilothouses wait for a lock; an editor knows of
//! none, so what it saves in the instant between the comparison and the rename is still lost.

mod draft;

use std::path::PathBuf;

use thiserror::Error;
use toml_edit::DocumentMut;

pub use draft::Draft;

use super::{Settings, text_of};
use crate::disk::{DiskError, Lock};
use crate::folders::{Environment, Folders};
use crate::problem::{Place, Problem, ProblemKind};

/// How often a change is made again on what somebody else wrote meanwhile.
const TRIES: u32 = 5;

/// Why settings were not written. The file is as it was.
#[derive(Debug, Error)]
pub enum EditError {
    /// The file is broken, or the change would bring in something that is not allowed.
    #[error("the settings were not written: {0}")]
    Refused(Box<Problem>),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Somebody writes it all the time.
    #[error("the settings were not written: another program keeps changing {}", file.display())]
    Changing {
        /// The file.
        file: PathBuf,
    },
}

/// The settings file, for changes.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    file: PathBuf,
    environment: Environment,
}

impl SettingsFile {
    /// The one in these folders; `None` without a config folder.
    #[must_use]
    pub fn of(folders: &Folders) -> Option<Self> {
        Some(Self {
            file: folders.settings_file()?,
            environment: folders.environment().clone(),
        })
    }

    /// Makes a change and answers the settings as they are then. `change` runs again if another program wrote the file
    /// meanwhile, so it only calls setters. Blocks: for up to a second while another Pilothouse writes.
    ///
    /// # Errors
    /// If the file is broken or the disk refuses; if the result would hold a new problem, a secret for instance.
    pub fn edit(&self, change: impl Fn(&mut Draft)) -> Result<Settings, EditError> {
        let lock = Lock::take(&self.file)?;
        for _ in 0..TRIES {
            let before = self.text()?;
            let mut draft = Draft::new(self.document(&before)?, &self.file, &self.environment);
            change(&mut draft);
            let after = keep_line_ends(&before, draft.finish().map_err(EditError::Refused)?);
            let (settings, problems) = Settings::parse(&after, &self.file, &self.environment);
            if after == before {
                return Ok(settings);
            }
            let (_, known) = Settings::parse(&before, &self.file, &self.environment);
            if let Some(new) = problems.into_iter().find(|problem| is_new(problem, &known)) {
                // The place would be one in a text that nobody will see.
                return Err(EditError::Refused(Box::new(new.at(None))));
            }
            let staged = lock.stage(after.as_bytes())?;
            if self.text()? == before {
                staged.commit()?;
                return Ok(settings);
            }
        }
        Err(EditError::Changing {
            file: self.file.clone(),
        })
    }

    fn text(&self) -> Result<String, EditError> {
        text_of(&self.file).map_err(EditError::Refused)
    }

    fn document(&self, text: &str) -> Result<DocumentMut, EditError> {
        text.parse().map_err(|error: toml_edit::TomlError| {
            let place = error.span().map(|span| Place::in_text(text, span.start));
            let message = "it is not TOML, so it is left alone";
            let problem = Problem::new(ProblemKind::Broken, &self.file, message).at(place);
            EditError::Refused(Box::new(
                problem.with_hint("mend this line or move the file away"),
            ))
        })
    }
}

/// The document writes `\n`; a file of Windows keeps its `\r\n`.
fn keep_line_ends(before: &str, after: String) -> String {
    if before.contains("\r\n") {
        after.replace("\r\n", "\n").replace('\n', "\r\n")
    } else {
        after
    }
}

/// Whether the change brought it in. A problem that was there before does not stop the next change.
fn is_new(problem: &Problem, known: &[Problem]) -> bool {
    let same = |other: &Problem| {
        (other.kind, &other.key, &other.message) == (problem.kind, &problem.key, &problem.message)
    };
    !known.iter().any(same)
}
