//! Looks at contexts: one at a time for each, followed step by step, stopped when somebody says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_blocking};

use pilothouse_core::model::Moment;

use super::{Member, Workspace};
use crate::connector::{Offer, Opened};
use crate::convert::{internal, rfc3339};
use crate::dto::{ApiError, CheckState, CheckView, SessionView};

/// The newest look at each context.
#[derive(Default)]
pub(super) struct Checks {
    by_context: BTreeMap<String, Check>,
}

struct Check {
    view: CheckView,
    /// What it opened, until that is taken.
    opened: Option<Opened>,
    task: Option<AbortHandle>,
    /// Open it as soon as that is possible; beside others or instead of them.
    then_open: Option<bool>,
    /// Runs over the likeliest sources out of sight, until it is known whether they are the right ones.
    ahead: Option<Arc<Member>>,
    /// Opened before everything was answered.
    is_entered: bool,
}

impl Workspace {
    /// The newest look at each context.
    pub(crate) fn checks(&self) -> Vec<CheckView> {
        let state = self.lock();
        let checks = state.checks.by_context.values();
        checks.map(|check| check.view.clone()).collect()
    }

    /// The newest look at this context.
    pub(crate) fn check_of(&self, context: &str) -> Option<CheckView> {
        let state = self.lock();
        let check = state.checks.by_context.get(context)?;
        Some(check.view.clone())
    }

    /// Begins to look at a context, unless that is under way. Needs a tokio runtime.
    ///
    /// # Errors
    /// If nothing can be chosen here.
    pub(crate) fn begin_check(self: &Arc<Self>, context: &str) -> Result<CheckView, ApiError> {
        let connector = self.connector()?;
        let run = {
            let state = self.lock();
            match state.checks.by_context.get(context) {
                Some(check) if check.view.state == CheckState::Running => {
                    return Ok(check.view.clone());
                }
                Some(check) => check.view.run.saturating_add(1),
                None => 1,
            }
        };
        let view = CheckView::begun(context, run, self.nobody.now());
        self.lock().checks.by_context.insert(
            context.to_owned(),
            Check {
                view: view.clone(),
                opened: None,
                task: None,
                then_open: None,
                ahead: None,
                is_entered: false,
            },
        );
        let workspace = Arc::clone(self);
        let name = context.to_owned();
        let task = tokio::spawn(async move {
            let tell = |view: CheckView| workspace.note_step(CheckView { run, ..view });
            let (offers, mut offered) = mpsc::unbounded_channel();
            let connecting = async {
                let offer = move |offer: Offer| {
                    // Nobody listens to a look that was stopped.
                    let _stopped = offers.send(offer);
                };
                connector.connect(&name, &tell, &offer).await
            };
            // Beside the look: beginning an engine reads files, and the questions must not wait for those.
            let noting = async {
                while let Some(offer) = offered.recv().await {
                    workspace.note_offer(&name, run, offer).await;
                }
            };
            let (outcome, ()) = tokio::join!(connecting, noting);
            workspace.note_end(&name, run, outcome).await;
        });
        let mut state = self.lock();
        if let Some(check) = state.checks.by_context.get_mut(context) {
            check.task = Some(task.abort_handle());
        }
        drop(state);
        self.tell();
        Ok(view)
    }

    /// Looks at a context anew, because its settings changed: a look under way is begun again, an open context is opened
    /// anew as soon as that went well. Needs a tokio runtime.
    ///
    /// # Errors
    /// If nothing can be chosen here.
    pub(crate) fn look_again(self: &Arc<Self>, context: &str) -> Result<(), ApiError> {
        let is_open = self.engine_of(Some(context)).is_ok();
        let wanted = {
            let mut state = self.lock();
            let check = state.checks.by_context.get_mut(context);
            check.and_then(|check| check.then_open.take())
        };
        self.cancel_check(context);
        self.begin_check(context)?;
        if let Some(check) = self.lock().checks.by_context.get_mut(context) {
            check.then_open = wanted.or_else(|| is_open.then_some(true));
        }
        Ok(())
    }

    /// Stops a look that is under way; a credential plugin is ended.
    pub(crate) fn cancel_check(&self, context: &str) {
        let mut state = self.lock();
        let Some(check) = state.checks.by_context.get_mut(context) else {
            return;
        };
        if check.view.state != CheckState::Running {
            return;
        }
        if let Some(task) = check.task.take() {
            task.abort();
        }
        check.view.state = CheckState::Cancelled;
        check.ahead = None;
        check.view.waiting = None;
        check.then_open = None;
        drop(state);
        self.tell();
    }

    /// Opens a context that was looked at; one that was not is looked at first and opened when that is done.
    ///
    /// # Errors
    /// If nothing can be chosen here, or its journal cannot be read.
    pub(crate) async fn open(
        self: &Arc<Self>,
        context: &str,
        beside: bool,
    ) -> Result<(), ApiError> {
        let opened = {
            let mut state = self.lock();
            let check = state.checks.by_context.get_mut(context);
            check.and_then(|check| check.opened.take())
        };
        if let Some(opened) = opened {
            return self.enter(context, opened, beside).await;
        }
        self.look_then_open(context, beside)
    }

    /// Looks at a context and opens it beside others as soon as that went well. Needs a tokio runtime.
    ///
    /// # Errors
    /// If nothing can be chosen here.
    pub fn open_when_looked_at(self: &Arc<Self>, context: &str) -> Result<(), ApiError> {
        self.look_then_open(context, true)
    }

    fn look_then_open(self: &Arc<Self>, context: &str, beside: bool) -> Result<(), ApiError> {
        self.begin_check(context)?;
        let mut state = self.lock();
        if let Some(check) = state.checks.by_context.get_mut(context) {
            check.then_open = Some(beside);
        }
        Ok(())
    }

    /// Opens what is there early, if it is to be opened as soon as possible.
    async fn note_offer(self: &Arc<Self>, context: &str, run: u32, offer: Offer) {
        let (is_wanted, is_entered) = {
            let state = self.lock();
            let check = state.checks.by_context.get(context);
            check
                .filter(|check| check.view.run == run)
                .map_or((false, false), |check| {
                    (check.then_open.is_some(), check.is_entered)
                })
        };
        match offer {
            Offer::Taken(opened) if is_entered => self.note_cluster(context, opened.cluster),
            _ if !is_wanted => {}
            Offer::Likely(opened) => {
                let workspace = Arc::clone(self);
                let ahead = spawn_blocking(move || workspace.member(opened, true)).await;
                // If not even its journal can be read, that is told when it is taken.
                let ahead = ahead.ok().and_then(Result::ok);
                if let Some(check) = self.lock().checks.by_context.get_mut(context) {
                    check.ahead = ahead;
                }
            }
            Offer::Taken(opened) => {
                let beside = {
                    let mut state = self.lock();
                    let check = state.checks.by_context.get_mut(context);
                    check.and_then(|check| {
                        check.is_entered = true;
                        check.then_open.take()
                    })
                };
                let Some(beside) = beside else {
                    return;
                };
                if let Err(error) = self.enter(context, opened, beside).await {
                    self.note_opened(context, Some(error)).await;
                }
            }
        }
    }

    async fn enter(
        self: &Arc<Self>,
        context: &str,
        opened: Opened,
        beside: bool,
    ) -> Result<(), ApiError> {
        let ahead = {
            let mut state = self.lock();
            let check = state.checks.by_context.get_mut(context);
            check.and_then(|check| check.ahead.take())
        };
        let is_it = |ahead: &Arc<Member>| {
            ahead.metrics_server.is_some() && ahead.metrics_server == opened.metrics_server
        };
        // The journal is a file.
        let workspace = Arc::clone(self);
        let entering = match ahead.filter(is_it) {
            Some(ahead) => spawn_blocking(move || {
                ahead.note_cluster(opened.cluster);
                workspace.admit(ahead, true);
                Ok(())
            }),
            None => spawn_blocking(move || workspace.add(opened, true).map(drop)),
        };
        entering
            .await
            .map_err(|broken| internal(broken.to_string()))??;
        if !beside {
            self.close_others(context);
        }
        self.note_opened(context, None).await;
        Ok(())
    }

    /// Tells Istio's id of a cluster that was opened before it was known.
    fn note_cluster(&self, context: &str, cluster: Option<String>) {
        let members = self.members();
        if let Some(member) = members.iter().find(|member| member.context == context) {
            member.note_cluster(cluster);
            self.tell();
        }
    }

    fn note_step(&self, view: CheckView) {
        let mut state = self.lock();
        let Some(check) = state.checks.by_context.get_mut(&view.context) else {
            return;
        };
        // A failure may be told more precisely until the look has ended.
        let goes_on = match check.view.state {
            CheckState::Running => true,
            CheckState::Failed => check.task.is_some() && view.state == CheckState::Failed,
            CheckState::Done | CheckState::Cancelled => false,
        };
        if check.view.run == view.run && goes_on {
            check.view = view;
            drop(state);
            self.tell();
        }
    }

    async fn note_end(
        self: &Arc<Self>,
        context: &str,
        run: u32,
        outcome: Result<Opened, ApiError>,
    ) {
        let failure = outcome.as_ref().err().cloned();
        let (then_open, opened) = {
            let mut state = self.lock();
            let Some(check) = state.checks.by_context.get_mut(context) else {
                return;
            };
            if check.view.run != run || check.view.state == CheckState::Cancelled {
                return;
            }
            check.view.waiting = None;
            if failure.is_some() {
                check.ahead = None;
            }
            check.view.state = if failure.is_none() {
                CheckState::Done
            } else {
                CheckState::Failed
            };
            check.task = None;
            match (check.then_open.take(), outcome.ok()) {
                (Some(beside), Some(opened)) => (Some(beside), Some(opened)),
                (_, opened) => {
                    check.opened = opened.filter(|_| !check.is_entered);
                    (None, None)
                }
            }
        };
        if let Some(error) = failure {
            self.note_opened(context, Some(error)).await;
        } else if let (Some(beside), Some(opened)) = (then_open, opened)
            && let Err(error) = self.enter(context, opened, beside).await
        {
            self.note_opened(context, Some(error)).await;
        }
        self.tell();
    }

    /// Writes down how opening went: a file.
    async fn note_opened(&self, context: &str, failure: Option<ApiError>) {
        let Ok(connector) = self.connector() else {
            return;
        };
        let context = context.to_owned();
        let noted = spawn_blocking(move || {
            connector.note(&context, failure.as_ref().map_or(Ok(()), Err));
        });
        if noted.await.is_err() {
            tracing::warn!("how opening went could not be written down");
        }
    }
}

impl CheckView {
    /// A look that has just begun.
    fn begun(context: &str, run: u32, at: Moment) -> Self {
        Self {
            context: context.to_owned(),
            run,
            state: CheckState::Running,
            began: rfc3339(at),
            elapsed_ms: 0.0,
            lines: Vec::new(),
            waiting: None,
            plugins_started: Vec::new(),
            failure: None,
            namespaces: Vec::new(),
        }
    }
}

impl SessionView {
    /// Whether a context is open at all.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.context.is_empty()
    }
}
