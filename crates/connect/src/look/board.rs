//! The state of a look at a context, and whoever hears of its steps.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pilothouse_api::dto::{
    ActionView, CheckFailureView, CheckLineView, CheckState, CheckView, LineState, WaitingView,
};
use tokio::time::{Duration, Instant};

/// Lines in the order in which they are shown: id and what is asked.
pub(crate) const CLUSTER_LINES: &[(&str, &str)] = &[
    ("api_server", "API server"),
    ("user", "User"),
    ("namespaces", "Namespaces"),
    ("istio", "Istio"),
    ("gateway_api", "Gateway API"),
    ("metrics", "Metrics"),
    ("traces", "Traces"),
    ("scrape_interval", "Scrape interval"),
    ("rights", "Rights"),
    ("owners", "Owners"),
];
/// Without an API server.
pub(crate) const ADDRESS_LINES: &[(&str, &str)] = &[
    ("metrics", "Metrics"),
    ("traces", "Traces"),
    ("scrape_interval", "Scrape interval"),
];

/// Collects what is asked and answered, and tells every step.
pub(crate) struct Board<'a> {
    view: Mutex<CheckView>,
    began: Instant,
    tell: &'a (dyn Fn(CheckView) + Send + Sync),
}

impl<'a> Board<'a> {
    pub(crate) fn new(
        context: &str,
        began: String,
        lines: &[(&str, &str)],
        tell: &'a (dyn Fn(CheckView) + Send + Sync),
    ) -> Self {
        let waiting = |(id, asked): &(&str, &str)| CheckLineView {
            id: (*id).to_owned(),
            asked: (*asked).to_owned(),
            state: LineState::Waiting,
            answer: String::new(),
            detail: String::new(),
            hint: String::new(),
            elapsed_ms: None,
            action: None,
            candidates: Vec::new(),
        };
        let view = CheckView {
            context: context.to_owned(),
            run: 0,
            state: CheckState::Running,
            began,
            elapsed_ms: 0.0,
            lines: lines.iter().map(waiting).collect(),
            waiting: None,
            plugins_started: Vec::new(),
            failure: None,
            namespaces: Vec::new(),
        };
        let board = Self {
            view: Mutex::new(view),
            began: Instant::now(),
            tell,
        };
        board.change(|_| {});
        board
    }

    /// Begins a line.
    pub(crate) fn asking(&self, id: &str) -> Instant {
        self.line(id, |line| line.state = LineState::Asking);
        Instant::now()
    }

    /// Ends a line.
    pub(crate) fn answer(&self, id: &str, since: Instant, answer: Line) {
        self.line(id, |line| {
            line.state = answer.state;
            line.answer = answer.answer;
            line.detail = answer.detail;
            line.hint = answer.hint;
            line.action = answer.action;
            line.elapsed_ms = Some(milliseconds(since));
        });
    }

    /// Changes a line and tells it.
    pub(crate) fn line(&self, id: &str, change: impl FnOnce(&mut CheckLineView)) {
        self.change(|view| {
            if let Some(line) = view.lines.iter_mut().find(|line| line.id == id) {
                change(line);
            }
        });
    }

    /// A program is waited for, or no longer.
    pub(crate) fn waiting(&self, waiting: Option<WaitingView>) {
        self.change(|view| {
            if let Some(waiting) = &waiting
                && !view.plugins_started.contains(&waiting.program)
            {
                view.plugins_started.push(waiting.program.clone());
            }
            view.waiting = waiting;
        });
    }

    /// It cannot be opened. Lines that were not answered stay open: nobody asked.
    pub(crate) fn failed(&self, failure: CheckFailureView) {
        self.change(|view| {
            view.failure = Some(failure);
            view.state = CheckState::Failed;
            for line in &mut view.lines {
                if line.state == LineState::Asking {
                    line.state = LineState::Waiting;
                }
            }
        });
    }

    /// What a line that was answered says, and what to do.
    pub(crate) fn said(&self, id: &str) -> Option<(String, String)> {
        let view = self.lock();
        let mut lines = view.lines.iter();
        let line = lines.find(|line| line.id == id && line.elapsed_ms.is_some())?;
        Some((line.answer.clone(), line.hint.clone()))
    }

    fn change(&self, change: impl FnOnce(&mut CheckView)) {
        let told = {
            let mut view = self.lock();
            change(&mut view);
            view.elapsed_ms = milliseconds(self.began);
            view.clone()
        };
        (self.tell)(told);
    }

    fn lock(&self) -> MutexGuard<'_, CheckView> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a line ends with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) state: LineState,
    pub(crate) answer: String,
    pub(crate) detail: String,
    pub(crate) hint: String,
    pub(crate) action: Option<ActionView>,
}

impl Line {
    pub(crate) fn new(state: LineState, answer: impl Into<String>) -> Self {
        Self {
            state,
            answer: answer.into(),
            detail: String::new(),
            hint: String::new(),
            action: None,
        }
    }

    pub(crate) fn ok(answer: impl Into<String>) -> Self {
        Self::new(LineState::Ok, answer)
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn action(mut self, id: &str, label: &str, text: Option<String>) -> Self {
        self.action = Some(ActionView {
            id: id.to_owned(),
            label: label.to_owned(),
            text,
        });
        self
    }
}

/// Milliseconds since then, to a tenth.
pub(crate) fn milliseconds(since: Instant) -> f64 {
    in_milliseconds(since.elapsed())
}

/// To a tenth.
pub(super) fn in_milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}
