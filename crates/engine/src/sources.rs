//! The sources that an engine asks, and how fresh each is.

use std::sync::Arc;

use pilothouse_core::model::{Finding, Moment, SourceError, SourceErrorKind, SourceKind, TimeSpan};
use pilothouse_core::ports::{ControlPlane, MetricsSource, Probe, TraceSource};

/// A source, or why there is none. A missing source is a state on screen, never a reason not to start.
pub type Slot<T> = Result<Arc<T>, SourceError>;

/// The three sources of an engine.
#[derive(Clone)]
pub struct Sources {
    /// Declared objects.
    pub control_plane: Slot<dyn ControlPlane>,
    /// Metrics.
    pub metrics: Slot<dyn MetricsSource>,
    /// Traces.
    pub traces: Slot<dyn TraceSource>,
    /// What the operator must see of the way to them as long as it is used: a connection that anyone can read.
    pub findings: Vec<Finding>,
}

impl Sources {
    /// No source at all; each says how to name one. Shells start from here and put in what they have.
    #[must_use]
    pub fn unconfigured() -> Self {
        let none = |kind, message: &str, hint: &str| {
            SourceError::new(kind, SourceErrorKind::NotConfigured, message).with_hint(hint)
        };
        Self {
            control_plane: Err(none(
                SourceKind::ControlPlane,
                "no cluster is configured",
                "give --kubeconfig FILE or --context NAME, or look at the demo mesh with --demo",
            )),
            metrics: Err(none(
                SourceKind::Metrics,
                "no metrics source is configured",
                "give --prometheus URL",
            )),
            traces: Err(none(
                SourceKind::Traces,
                "no trace source is configured",
                "give --traces jaeger=URL, tempo=URL, zipkin=URL or file=PATH",
            )),
            findings: Vec::new(),
        }
    }
}

impl Sources {
    /// Puts in a control plane, or why it cannot be had.
    pub fn set_control_plane(&mut self, source: Result<impl ControlPlane + 'static, SourceError>) {
        self.control_plane = source.map(|source| -> Arc<dyn ControlPlane> { Arc::new(source) });
    }

    /// Goes without a control plane, because somebody wants it so.
    pub fn switch_off_control_plane(&mut self, message: &str) {
        let kind = SourceErrorKind::SwitchedOff;
        self.control_plane = Err(SourceError::new(SourceKind::ControlPlane, kind, message));
    }

    /// Puts in a metrics source, or why it cannot be had.
    pub fn set_metrics(&mut self, source: Result<impl MetricsSource + 'static, SourceError>) {
        self.metrics = source.map(|source| -> Arc<dyn MetricsSource> { Arc::new(source) });
    }

    /// Puts in a trace source, or why it cannot be had.
    pub fn set_traces(&mut self, source: Result<impl TraceSource + 'static, SourceError>) {
        self.traces = source.map(|source| -> Arc<dyn TraceSource> { Arc::new(source) });
    }
}

/// What can be said of a source right now. A failed call, an absence and a refusal never look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Asked, never answered yet.
    Loading,
    /// The last call succeeded.
    Ok,
    /// What we have is older than two ticks.
    Stale,
    /// The last call failed and there is nothing older to show.
    Failed,
    /// 401 or 403.
    Forbidden,
    /// Not configured, or switched off.
    Absent,
}

/// A source with its freshness.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceStatus {
    /// Which source.
    pub kind: SourceKind,
    /// What answers there, once it said so.
    pub probe: Option<Probe>,
    /// Moment of the last good answer.
    pub last_good: Option<Moment>,
    /// Calls of the last tick.
    pub queries: u32,
    /// How long they took together; for the control plane and the traces, how long the last look took.
    pub elapsed: Option<TimeSpan>,
    /// The present failure.
    pub error: Option<SourceError>,
    /// Failures in a row.
    pub failures: u32,
    /// Part of the source failed (one kind of objects, one query) while the rest answered.
    pub partial: bool,
}

impl SourceStatus {
    /// A source that has not answered yet, or the reason why there is none.
    #[must_use]
    pub fn new<T: ?Sized>(kind: SourceKind, slot: &Slot<T>) -> Self {
        let error = slot.as_ref().err().cloned();
        Self {
            kind,
            probe: None,
            last_good: None,
            queries: 0,
            elapsed: None,
            failures: u32::from(error.is_some()),
            error,
            partial: false,
        }
    }

    /// Notes a good answer.
    pub fn succeeded(&mut self, at: Moment) {
        self.last_good = Some(at);
        self.error = None;
        self.failures = 0;
        self.partial = false;
    }

    /// Notes a failure.
    pub fn failed(&mut self, error: SourceError) {
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error);
    }

    /// The state at `now`, given how long an answer stays fresh.
    #[must_use]
    pub fn state(&self, now: Moment, fresh_for: TimeSpan) -> SourceState {
        match (&self.error, self.last_good) {
            (Some(error), _)
                if matches!(
                    error.kind,
                    SourceErrorKind::NotConfigured | SourceErrorKind::SwitchedOff
                ) =>
            {
                SourceState::Absent
            }
            // What answers is there; the error tells what does not.
            (Some(_), Some(_)) if self.partial => SourceState::Ok,
            (Some(error), _)
                if matches!(
                    error.kind,
                    SourceErrorKind::Forbidden | SourceErrorKind::Unauthorized
                ) =>
            {
                SourceState::Forbidden
            }
            (Some(_), Some(_)) => SourceState::Stale,
            (Some(_), None) => SourceState::Failed,
            (None, Some(good)) if now.since(good) > fresh_for => SourceState::Stale,
            (None, Some(_)) => SourceState::Ok,
            (None, None) => SourceState::Loading,
        }
    }
}
