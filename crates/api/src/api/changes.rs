//! Changes: arming, plans, dry runs, writes, the journal. Ids name the context, so that no write meets another cluster.

use std::sync::Arc;

use pilothouse_core::traffic::ShiftRequest;
use pilothouse_engine::{Engine, ObservedSplit, StagedPlan};

use super::Api;
use crate::convert::{
    bad_request, dry_run_view, entry_view, from_command, of_context, parse_split_id, plan_view,
};
use crate::dto::{
    ApiError, ApplyRequest, ArmRequest, DisarmRequest, DryRunView, JournalEntryView, JournalView,
    PlanIdRequest, PlanRequest, PlanView, SessionView, UndoRequest,
};

impl Api {
    /// Unlocks writes to a context for a while.
    ///
    /// # Errors
    /// If the context's name is asked for and not given, or several contexts are open and none is named.
    pub fn arm(&self, request: &ArmRequest) -> Result<SessionView, ApiError> {
        if request.context.is_none() && self.workspace().contexts().len() > 1 {
            return Err(bad_request("several contexts are open: say which one"));
        }
        let engine = self.workspace().engine_of(request.context.as_deref())?;
        engine
            .changes()
            .arm(request.typed_name.as_deref())
            .map_err(from_command)?;
        self.workspace().tell();
        Ok(self.session_of(&engine.config().context))
    }

    /// Locks writes to a context; to every one if none is named.
    ///
    /// # Errors
    /// If it is not open.
    pub fn disarm(&self, request: &DisarmRequest) -> Result<SessionView, ApiError> {
        let Some(context) = &request.context else {
            for member in self.workspace().members() {
                member.engine.changes().disarm();
            }
            self.workspace().tell();
            return Ok(self.session());
        };
        let engine = self.workspace().engine_of(Some(context))?;
        engine.changes().disarm();
        self.workspace().tell();
        Ok(self.session_of(context))
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
        let staged = engine
            .changes()
            .plan_shift(&shift)
            .await
            .map_err(from_command)?;
        Ok(staged_view(&engine, &staged))
    }

    /// Stages the inverse of a journal entry.
    ///
    /// # Errors
    /// If nothing can be undone, or the weights are no longer ours.
    pub async fn plan_undo(&self, request: &UndoRequest) -> Result<PlanView, ApiError> {
        let engine = self.workspace().engine_of(request.context.as_deref())?;
        let staged = engine
            .changes()
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
        let answer = engine
            .changes()
            .dry_run(&plan)
            .await
            .map_err(from_command)?;
        Ok(dry_run_view(&answer))
    }

    /// Carries a plan out.
    ///
    /// # Errors
    /// Unless writes are armed and the server takes it.
    pub async fn apply(&self, request: &ApplyRequest) -> Result<JournalEntryView, ApiError> {
        let (engine, plan) = self.engine_of_plan(&request.plan_id)?;
        let applied = engine.changes().apply(&plan, &request.reason).await;
        Ok(entry_view(&applied.map_err(from_command)?, true))
    }

    /// The journals of the open contexts, newest first.
    #[must_use]
    pub fn journal(&self) -> JournalView {
        let mut entries: Vec<_> = self
            .workspace()
            .members()
            .iter()
            .flat_map(|member| member.engine.changes().journal())
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

#[cfg(test)]
mod tests {
    use pilothouse_engine::{Class, EngineConfig, Sources, system_clock};

    use super::*;
    use crate::connector::Opened;
    use crate::dto::Code;
    use crate::workspace::Workspace;

    /// Two production contexts, side by side.
    fn api() -> Api {
        let workspace = Workspace::empty(None).unwrap();
        for context in ["eu", "us"] {
            let opened = Opened {
                config: EngineConfig::new(context, Class::Production),
                sources: Sources::unconfigured(),
                clock: system_clock(),
                cluster: None,
                metrics_server: None,
            };
            workspace.add(opened, false).unwrap();
        }
        Api::new(workspace)
    }

    fn arm(api: &Api, context: Option<&str>, typed: &str) -> Result<SessionView, ApiError> {
        api.arm(&ArmRequest {
            context: context.map(str::to_owned),
            typed_name: Some(typed.to_owned()),
        })
    }

    fn disarm(api: &Api, context: Option<&str>) -> Result<SessionView, ApiError> {
        let context = context.map(str::to_owned);
        api.disarm(&DisarmRequest { context })
    }

    fn armed(api: &Api) -> Vec<bool> {
        let sessions = api.latest().sessions;
        sessions.iter().map(|s| s.writes.armed).collect()
    }

    #[test]
    fn writes_are_unlocked_and_locked_for_one_context_alone() {
        let api = api();
        assert_eq!(arm(&api, Some("us"), "us").unwrap().context, "us");
        assert_eq!(armed(&api), [false, true]);
        arm(&api, Some("eu"), "eu").unwrap();
        let locked = disarm(&api, Some("us")).unwrap();
        assert_eq!(
            (locked.context.as_str(), locked.writes.armed),
            ("us", false)
        );
        assert_eq!(armed(&api), [true, false]);
        arm(&api, Some("us"), "us").unwrap();
        disarm(&api, None).unwrap();
        assert_eq!(armed(&api), [false, false]);
        assert_eq!(disarm(&api, Some("gone")).unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn production_asks_for_its_own_name_and_which_one_is_never_guessed() {
        let api = api();
        assert!(arm(&api, Some("us"), "eu").is_err(), "the name of another");
        assert_eq!(arm(&api, None, "eu").unwrap_err().code, Code::BadRequest);
        assert_eq!(armed(&api), [false, false]);
    }
}
