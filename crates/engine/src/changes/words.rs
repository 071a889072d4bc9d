//! Words of the two-phase change: a staged plan, the server's dry run, and every way in which a command can fail.

use pilothouse_core::model::{Finding, SourceError, TimeSpan};
use pilothouse_core::traffic::{PlanError, ShiftPlan};
use thiserror::Error;

use super::journal::{EntryKind, JournalError};

/// A plan that waits for its dry run and its apply. It stays in the engine; shells hold the id alone.
#[derive(Clone, Debug, PartialEq)]
pub struct StagedPlan {
    /// One-time id.
    pub id: String,
    /// Shift or undo.
    pub kind: EntryKind,
    /// The entry that it takes back.
    pub undoes: Option<String>,
    /// The plan.
    pub plan: ShiftPlan,
}

/// What the server answered to a dry run.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// Round trip.
    pub elapsed: TimeSpan,
    /// `Warning` headers, verbatim.
    pub warnings: Vec<String>,
    /// What the server would change besides the plan; empty is good.
    pub mutations: Vec<String>,
}

/// Why a command was not carried out.
#[derive(Debug, Error)]
pub enum CommandError {
    /// A source failed or refused; its words are inside.
    #[error("{0}")]
    Source(SourceError),
    /// The request cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan's findings refuse it.
    #[error("the plan has errors: {}", .0.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Finding>),
    /// The weights are already so.
    #[error("nothing to do: the weights are already as asked")]
    NothingToDo,
    /// The server would change more than the plan says.
    #[error("the server would change more than planned: {}", .0.join("; "))]
    Mutated(Vec<String>),
    /// Writes are locked.
    #[error("writes are locked: this session is read-only")]
    ReadOnly,
    /// Arming asked for the context's name and got another.
    #[error("the name typed is not the context's name")]
    WrongName,
    /// No such plan, or it was used up.
    #[error("there is no such plan any more")]
    UnknownPlan,
    /// The journal has no such entry in this context.
    #[error("the journal has no entry `{0}`")]
    NoSuchEntry(String),
    /// There is no place for a journal, and no change goes without one.
    #[error("there is no place for the journal, so nothing was written")]
    NoJournal,
    /// Nothing that could be taken back.
    #[error("there is nothing to undo")]
    NothingToUndo,
    /// The journal cannot be written, so nothing was.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl From<SourceError> for CommandError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}
