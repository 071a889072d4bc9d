//! `settings.toml`: what a person chooses. Window and command line read and write the same file through here; a person
//! edits it as well, so unknown keys, comments and order survive our writing, a wrong value costs only itself, and a file
//! that is no TOML is left alone.
//!
//! [`Settings::load`] reads, [`SettingsFile::edit`] writes, [`KEYS`] lists every key. Secrets are refused: a file names
//! where a secret is, never the secret.

mod class;
mod colour;
mod context;
mod edit;
mod keys;
mod read;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use pilothouse_core::model::Thresholds;

pub use class::{Confirm, ContextClass, ContextFacts};
pub use colour::Colour;
pub use context::{Auth, ContextSettings, Location, ServiceAddress, SourceSettings};
pub use edit::{Draft, EditError, SettingsFile};
pub use keys::{KEYS, Key, Takes};
pub use pilothouse_core::ports::TraceKind;

use crate::context_key::ContextKey;
use crate::disk;
use crate::folders::{Environment, Folders};
use crate::problem::{Place, Problem, ProblemKind};

/// Nobody writes a megabyte of settings; more is some other file.
const LARGEST: u64 = 1 << 20;

/// Everything that can be chosen, with what holds where nothing was.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Colours of the window.
    pub theme: Theme,
    /// Size of everything in the window; 1 is normal.
    pub zoom: f64,
    /// Seconds between two questions to the metrics.
    pub tick_s: u32,
    /// Seconds over which rates are taken.
    pub window_s: u32,
    /// From where on something is degraded or failing.
    pub thresholds: Thresholds,
    /// Kubeconfigs beside those that kubectl reads, in order.
    pub kubeconfig_files: Vec<PathBuf>,
    /// Classes in the order in which they are tried: the person's, then the built-in ones that are not redefined.
    pub classes: Vec<ContextClass>,
    /// What was chosen for single contexts.
    pub contexts: Vec<ContextSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            zoom: 1.0,
            tick_s: 10,
            window_s: 60,
            thresholds: Thresholds::default(),
            kubeconfig_files: Vec::new(),
            classes: class::built_in(),
            contexts: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads the file. Without one the defaults hold; a broken one counts as none and is named. Blocks.
    #[must_use]
    pub fn load(folders: &Folders) -> (Self, Vec<Problem>) {
        let Some(file) = folders.settings_file() else {
            let message = "there is no folder for settings, so the defaults hold";
            let problem = Problem::new(ProblemKind::NoFolder, Path::new(""), message);
            let problem = problem.with_hint("set HOME or PILOTHOUSE_HOME");
            return (Self::default(), vec![problem]);
        };
        match text_of(&file) {
            Ok(text) => Self::parse(&text, &file, folders.environment()),
            Err(problem) => (Self::default(), vec![*problem]),
        }
    }

    /// Reads this text as the content of `file`.
    #[must_use]
    pub fn parse(text: &str, file: &Path, environment: &Environment) -> (Self, Vec<Problem>) {
        read::read(text, file, environment)
    }

    /// What was chosen for this context; `None` if nothing.
    #[must_use]
    pub fn context(&self, key: &ContextKey) -> Option<&ContextSettings> {
        let fit =
            |context: &&ContextSettings| context::fit(&context.name, context.file.as_deref(), key);
        // Of several that fit equally well the first.
        let hits = self
            .contexts
            .iter()
            .filter(|context| fit(context).is_some());
        hits.rev().max_by_key(fit)
    }

    /// The class of a context: the one chosen for it, else the first that matches. `None` is a context like any other: a
    /// click allows writes.
    #[must_use]
    pub fn class_of(&self, facts: &ContextFacts<'_>) -> Option<&ContextClass> {
        let key = ContextKey::new(facts.name, facts.file.map(Path::to_owned));
        let chosen = self
            .context(&key)
            .and_then(|context| context.class.as_ref());
        match chosen {
            Some(name) => self.classes.iter().find(|class| class.name == *name),
            None => self.classes.iter().find(|class| class.matches(facts)),
        }
    }
}

/// Colours of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the desktop.
    System,
    /// Light text on dark ground.
    Dark,
    /// Dark text on light ground.
    Light,
}

impl Theme {
    /// The word in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    /// The theme of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::System, Self::Dark, Self::Light]
            .into_iter()
            .find(|theme| theme.as_str() == word)
    }
}

/// Text of the file; empty if there is none.
fn text_of(file: &Path) -> Result<String, Box<Problem>> {
    let bytes = disk::read(file, LARGEST).map_err(|error| {
        let kind = match error {
            disk::DiskError::TooLarge { .. } => ProblemKind::TooLarge,
            disk::DiskError::System { .. }
            | disk::DiskError::NotAFile { .. }
            | disk::DiskError::Busy { .. } => ProblemKind::Unreadable,
        };
        Box::new(Problem::new(
            kind,
            file,
            format!("the defaults hold: {error}"),
        ))
    })?;
    String::from_utf8(bytes.unwrap_or_default()).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let readable = String::from_utf8_lossy(error.as_bytes());
        // Up to the offset the lossy text is the text itself.
        let place = Place::in_text(&readable, offset);
        let message = "this byte is not UTF-8; the defaults hold and nothing is written";
        Box::new(Problem::new(ProblemKind::Broken, file, message).at(Some(place)))
    })
}
