//! What Pilothouse keeps on this machine, the same for every shell.
//!
//! [`Folders`] says where; [`Settings`] are what a person chooses (`settings.toml`), [`State`] is what the program
//! remembers (`state.json`), [`Secrets`] are in the system's keychain or in memory and nowhere else.
//!
//! Everything here blocks: it reads and writes files, takes file locks, and waits for the keychain. An async caller puts
//! it on a blocking thread. Nothing here knows what the values mean to the rest: no source is opened, no rule is judged.
//!
//! ```
//! use pilothouse_settings::{Folders, Settings, SettingsFile, Theme};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let home = tempfile::tempdir()?;
//! let folders = Folders::under(home.path());
//! if let Some(file) = SettingsFile::of(&folders) {
//!     file.edit(|draft| draft.set_theme(Theme::Light))?;
//! }
//! let (settings, problems) = Settings::load(&folders);
//! assert_eq!(settings.theme, Theme::Light);
//! assert!(problems.is_empty());
//! # Ok(())
//! # }
//! ```

mod context_key;
mod disk;
mod folders;
mod problem;
mod secret;
mod secrets;
mod settings;
mod state;

pub use context_key::ContextKey;
pub use disk::DiskError;
pub use folders::{Environment, Folders, Platform};
pub use problem::{Place, Problem, ProblemKind};
pub use secret::Secret;
pub use secrets::{
    Kind, MemoryStore, PATIENCE, Purpose, SecretError, SecretKey, SecretStore, Secrets,
};
pub use settings::{
    Auth, Colour, Confirm, ContextClass, ContextFacts, ContextSettings, Draft, EditError, KEYS,
    Key, Location, ServiceAddress, Settings, SettingsFile, SourceSettings, Takes, Theme, TraceKind,
};
pub use state::{
    ContextState, Failure, MOST_CONTEXTS, MOST_POSITIONS, SCHEMA, State, StateError, StateFile,
    WindowPlace,
};
