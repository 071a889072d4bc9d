//! One engine a context, in two halves. **Observation** polls and watches the sources, reduces what they answer, and
//! publishes one immutable [`Snapshot`] per generation through a `tokio::sync::watch` channel; readers never meet a lock.
//! **Changes** are carried out in two phases: [`Changes::plan_shift`] makes a plan (pure), [`Changes::dry_run`] asks the
//! server, [`Changes::apply`] writes with preconditions and a journal entry on either side, and the effect is watched from
//! then on by queries of its own. Nothing is written without a plan. Changes know the observation; it knows nothing of them.
//!
//! The engine decides nothing about traffic or traces: that is `pilothouse-core`. It does no I/O of its own but the
//! journal's file.

mod changes;
mod clock;
mod config;
mod engine;
mod jump;
mod late;
mod observation;
mod sources;
mod tasks;

pub use changes::{
    Changes, CommandError, DryRun, Entry, EntryKind, Journal, JournalError, Outcome, ShiftWatch,
    StagedPlan,
};
pub use clock::{Clock, system_clock};
pub use config::{Class, EngineConfig};
pub use engine::Engine;
pub use late::{LateTraces, late_traces};
pub use observation::{GraphAnswers, ObservedSplit, QueryRecord, Snapshot};
pub use sources::{Slot, SourceState, SourceStatus, Sources};
pub use tasks::Running;

/// Words of core that a shell needs to fill in [`Sources`].
pub use pilothouse_core::layout::Layout;
pub use pilothouse_core::model::{Moment, SourceError, SourceErrorKind, SourceKind, TimeSpan};
pub use pilothouse_core::ports::{ControlPlane, MetricsSource, TraceKind, TraceSource};
