//! Changes: arming, plans, dry runs, writes, the journal. Ids name the context, so that no write meets another cluster.

use std::sync::Arc;

use pilothouse_core::traffic::ShiftRequest;
use pilothouse_engine::{Engine, ObservedSplit, StagedPlan};

use super::Api;
use crate::convert::{
    dry_run_view, entry_view, from_command, of_context, parse_split_id, plan_view,
};
use crate::dto::{
    ApiError, ApplyRequest, ArmRequest, DryRunView, JournalEntryView, JournalView, PlanIdRequest,
    PlanRequest, PlanView, SessionView, UndoRequest,
};

impl Api {
    /// Unlocks writes to a context for a while.
    ///
    /// # Errors
    /// If the context's name is asked for and not given.
    pub fn arm(&self, request: &ArmRequest) -> Result<SessionView, ApiError> {
        let engine = self.workspace().engine_of(request.context.as_deref())?;
        engine
            .arm(request.typed_name.as_deref())
            .map_err(from_command)?;
        self.workspace().tell();
        Ok(self.session_of(&engine.config().context))
    }

    /// Locks writes to every context.
    #[must_use]
    pub fn disarm(&self) -> SessionView {
        for member in self.workspace().members() {
            member.engine.disarm();
        }
        self.workspace().tell();
        self.session()
    }

    /// Stages a shift.
    ///
    /// # Errors
    /// If the split or a destination does not exist, or the control plane cannot be read.
    pub async fn plan_shift(&self, request: &PlanRequest) -> Result<PlanView, ApiError> {
        let (context, split) = parse_split_id(&request.split_id)?;
        let engine = self.workspace().engine_of(context.as_deref())?;
        let weights = request
            .weights
            .iter()
            .map(|w| (w.destination.clone(), w.weight))
            .collect();
        let shift = ShiftRequest { split, weights };
        let staged = engine.plan_shift(&shift).await.map_err(from_command)?;
        Ok(staged_view(&engine, &staged))
    }

    /// Stages the inverse of a journal entry.
    ///
    /// # Errors
    /// If nothing can be undone, or the weights are no longer ours.
    pub async fn plan_undo(&self, request: &UndoRequest) -> Result<PlanView, ApiError> {
        let engine = self.workspace().engine_of(request.context.as_deref())?;
        let staged = engine
            .plan_undo(request.entry_id.as_deref())
            .await
            .map_err(from_command)?;
        Ok(staged_view(&engine, &staged))
    }

    /// Lets the server try a plan.
    ///
    /// # Errors
    /// What the server says, verbatim.
    pub async fn dry_run(&self, request: &PlanIdRequest) -> Result<DryRunView, ApiError> {
        let (engine, plan) = self.engine_of_plan(&request.plan_id)?;
        let answer = engine.dry_run(&plan).await.map_err(from_command)?;
        Ok(dry_run_view(&answer))
    }

    /// Carries a plan out.
    ///
    /// # Errors
    /// Unless writes are armed and the server takes it.
    pub async fn apply(&self, request: &ApplyRequest) -> Result<JournalEntryView, ApiError> {
        let (engine, plan) = self.engine_of_plan(&request.plan_id)?;
        let applied = engine.apply(&plan, &request.reason).await;
        Ok(entry_view(&applied.map_err(from_command)?, true))
    }

    /// The journals of the open contexts, newest first.
    #[must_use]
    pub fn journal(&self) -> JournalView {
        let mut entries: Vec<_> = self
            .workspace()
            .members()
            .iter()
            .flat_map(|member| member.engine.journal())
            .collect();
        entries.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.at));
        let views = entries.iter();
        JournalView {
            entries: views
                .map(|(entry, undoable)| entry_view(entry, *undoable))
                .collect(),
        }
    }

    fn engine_of_plan(&self, plan_id: &str) -> Result<(Arc<Engine>, String), ApiError> {
        let (context, plan) = of_context(plan_id, 0);
        let engine = self.workspace().engine_of(context.as_deref())?;
        Ok((engine, plan.to_owned()))
    }
}

fn staged_view(engine: &Engine, staged: &StagedPlan) -> PlanView {
    let snapshot = engine.snapshot();
    let split: Option<&ObservedSplit> = snapshot
        .splits
        .iter()
        .find(|s| s.split.id == staged.plan.split);
    plan_view(&engine.config().context, staged, split)
}
