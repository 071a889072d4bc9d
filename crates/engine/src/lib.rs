//! The engine owns all mutable state: it polls and watches the sources, folds what they answer, and publishes one
//! immutable [`Snapshot`] per generation through a `tokio::sync::watch` channel. Readers never meet a lock.
//!
//! It also carries out changes, in two phases: [`Engine::plan_shift`] makes a plan (pure), [`Engine::dry_run`] asks the
//! server, [`Engine::apply`] writes with preconditions and a journal entry on either side, and the convergence of the
//! observed share is watched from then on. Nothing is written without a plan.
//!
//! The engine decides nothing about traffic or traces: that is `pilothouse-core`. It does no I/O of its own but the
//! journal's file.

mod clock;
mod config;
mod engine;
mod journal;
mod jump;
mod late;
mod objects;
mod observe;
mod shift;
mod snapshot;
mod sources;
mod tasks;
mod watches;

pub use clock::{Clock, system_clock};
pub use config::{Class, EngineConfig};
pub use engine::{Engine, GraphAnswers};
pub use journal::{Entry, EntryKind, Journal, JournalError, Outcome};
pub use late::{LateTraces, late_traces};
pub use shift::{CommandError, DryRun, StagedPlan};
pub use snapshot::{ObservedSplit, QueryRecord, Snapshot};
pub use sources::{Slot, SourceState, SourceStatus, Sources};
pub use tasks::Running;
pub use watches::ShiftWatch;

/// Words of core that a shell needs to fill in [`Sources`].
pub use pilothouse_core::layout::Layout;
pub use pilothouse_core::model::{Moment, SourceError, SourceErrorKind, SourceKind, TimeSpan};
pub use pilothouse_core::ports::{ControlPlane, MetricsSource, TraceKind, TraceSource};
