//! The one composition: from what an operator named (flags, environment, kubeconfig) to the [`Sources`] of an engine, with
//! the story of how each was found.
//!
//! Every shell (window, command line, browser shell) takes the same [`SourceArgs`] and gets the same sources. This crate
//! alone names adapters; it decides nothing about traffic and owns no state in time: that is the engine's.
//!
//! * [`args`]: the flags and variables, as clap knows them.
//! * [`compose`]: from the flags to an engine's configuration and sources.
//! * [`demo`]: the embedded mesh, and how its edits outlive a run.
//! * [`found`]: which flag, variable or file named a source.
//! * [`Contexts`]: what can be chosen instead, and how a choice is looked at and opened. `discovery` says which servers of
//!   a cluster may be its metrics and traces, `look` asks them all, `choice` takes one and says why.
//!
//! [`Sources`]: pilothouse_engine::Sources

pub mod args;
mod choice;
pub mod compose;
mod connector;
pub mod demo;
mod discovery;
mod failure;
pub mod found;
mod look;
mod sign_in;

pub use args::SourceArgs;
pub use compose::{Composition, DemoMemory, Need, trace_file};
pub use connector::Contexts;
pub use demo::SavedDemo;
pub use failure::ConnectError;
pub use found::found_by;
pub use pilothouse_settings::{self as settings, Folders};

/// The folders of this process: settings, state, journal.
#[must_use]
pub fn folders() -> Folders {
    Folders::of(pilothouse_settings::Environment::of_process())
}
