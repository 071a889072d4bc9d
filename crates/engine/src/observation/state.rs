//! The reducer: what is known, and how each answer changes it. No I/O, no clock, no await.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilothouse_core::layout::Layout;
use pilothouse_core::model::{Moment, Object, SourceError, SourceKind, TimeSpan};
use pilothouse_core::ports::{ControlPlaneIdentity, ObjectEvent, Probe};
use tokio::time::Instant;

use super::fetch::Fetched;
use super::objects::ObjectStore;
use crate::config::EngineConfig;
use crate::jump::BothClocks;
use crate::sources::{SourceStatus, Sources};

/// Clocks this close together are taken for one.
const CLOCK_TOLERANCE: TimeSpan = TimeSpan::seconds(2);

pub(super) struct State {
    pub(super) clocks: BothClocks,
    /// By how much the clock was set back so far.
    pub(super) set_back: TimeSpan,
    pub(super) objects: ObjectStore,
    /// The last tick that brought at least one answer, with its request.
    pub(super) fetched: Option<Arc<Fetched>>,
    pub(super) layout: Arc<Layout>,
    /// The layout was made before any call was known: the first answer of the metrics arranges it anew.
    pub(super) layout_is_provisional: bool,
    pub(super) generation: u64,
    pub(super) identity: Option<ControlPlaneIdentity>,
    pub(super) window: TimeSpan,
    /// How far the metrics server's clock is ahead of ours, where it is worth a word.
    pub(super) clock_ahead: TimeSpan,
    pub(super) metrics_looked_at: Option<Moment>,
    /// Our clock jumped since that look.
    pub(super) clock_ahead_is_unsure: bool,
    control_plane: SourceStatus,
    metrics: SourceStatus,
    traces: SourceStatus,
}

impl State {
    pub(super) fn new(config: &EngineConfig, sources: &Sources, now: Moment) -> Self {
        Self {
            clocks: BothClocks::new(now, Instant::now()),
            set_back: TimeSpan::default(),
            objects: ObjectStore::default(),
            fetched: None,
            layout: config.layout.clone().unwrap_or_default(),
            layout_is_provisional: true,
            generation: 0,
            identity: None,
            window: config.window,
            clock_ahead: TimeSpan::default(),
            metrics_looked_at: None,
            clock_ahead_is_unsure: false,
            control_plane: SourceStatus::new(SourceKind::ControlPlane, &sources.control_plane),
            metrics: SourceStatus::new(SourceKind::Metrics, &sources.metrics),
            traces: SourceStatus::new(SourceKind::Traces, &sources.traces),
        }
    }

    /// After a jump of the clock: moments of the past stay as long ago as they were when it is set back, and the metrics
    /// server's clock is compared with ours anew.
    pub(super) fn follow_clock(&mut self, jump: TimeSpan) {
        self.metrics_looked_at = None;
        self.clock_ahead_is_unsure = true;
        // After a sleep, what was long ago is long ago.
        if jump.0 >= 0 {
            return;
        }
        self.set_back = TimeSpan(self.set_back.0.saturating_add(jump.0));
        self.clock_ahead = worth_a_word(TimeSpan(self.clock_ahead.0.saturating_sub(jump.0)));
        for status in [&mut self.control_plane, &mut self.metrics, &mut self.traces] {
            status.last_good = status.last_good.map(|good| good.plus(jump));
        }
    }

    /// Control plane, metrics, traces.
    pub(super) fn statuses(&self) -> Vec<SourceStatus> {
        [&self.control_plane, &self.metrics, &self.traces]
            .into_iter()
            .cloned()
            .collect()
    }

    pub(super) fn status(&mut self, kind: SourceKind) -> &mut SourceStatus {
        match kind {
            SourceKind::ControlPlane => &mut self.control_plane,
            SourceKind::Metrics => &mut self.metrics,
            SourceKind::Traces => &mut self.traces,
        }
    }

    /// What a source said of itself.
    pub(super) fn probed(&self, kind: SourceKind) -> Option<&Probe> {
        let status = match kind {
            SourceKind::ControlPlane => &self.control_plane,
            SourceKind::Metrics => &self.metrics,
            SourceKind::Traces => &self.traces,
        };
        status.probe.as_ref()
    }

    /// Takes one event of a watch; answers the objects that it replaced.
    pub(super) fn take_event(&mut self, event: ObjectEvent, now: Moment) -> Vec<Arc<Object>> {
        let replaced = self.objects.take(event);
        let status = &mut self.control_plane;
        match self.objects.failure() {
            None => status.succeeded(now),
            Some(error) => {
                if status.error.as_ref() != Some(error) {
                    status.failed(error.clone());
                }
                status.partial = self.objects.partly_failed();
                if status.partial {
                    status.last_good = Some(now);
                }
            }
        }
        replaced
    }

    /// Takes what a tick brought. What failed leaves the old numbers, visibly stale.
    pub(super) fn take_answers(&mut self, fetched: &Arc<Fetched>, begun: Moment, took: TimeSpan) {
        self.note_metrics(fetched, begun, took);
        if fetched.any_answer() || self.fetched.is_none() {
            self.fetched = Some(Arc::clone(fetched));
        }
    }

    pub(super) fn note_metrics(&mut self, fetched: &Fetched, begun: Moment, took: TimeSpan) {
        let status = &mut self.metrics;
        status.queries = u32::try_from(fetched.records.len()).unwrap_or(u32::MAX);
        status.elapsed = Some(took);
        match fetched.failure() {
            None => status.succeeded(begun),
            Some(error) => {
                status.failed(error.clone());
                status.partial = fetched.any_answer();
                if status.partial {
                    status.last_good = Some(begun);
                }
            }
        }
    }

    /// Who and where we are. Where objects are heard of, a failure of this question alone is no failure.
    pub(super) fn take_identity(
        &mut self,
        answer: Result<ControlPlaneIdentity, SourceError>,
        took: TimeSpan,
    ) {
        self.control_plane.elapsed = Some(took);
        match answer {
            Ok(identity) => {
                self.control_plane.probe = Some(control_plane_probe(&identity));
                self.identity = Some(identity);
            }
            Err(error) if self.objects.any_listed() => {
                tracing::debug!(%error, "identity is not known");
            }
            Err(error) => self.control_plane.failed(error),
        }
    }

    /// What the metrics server is, and how far its clock is from ours.
    pub(super) fn take_metrics_probe(&mut self, probe: Probe, begun: Moment, took: TimeSpan) {
        let ours = begun.plus(TimeSpan(took.0 / 2));
        let ahead = probe.clock.map(|theirs| theirs.since(ours));
        self.clock_ahead = worth_a_word(ahead.unwrap_or_default());
        self.metrics_looked_at = Some(begun);
        self.metrics.probe = Some(probe);
    }

    pub(super) fn take_traces_probe(
        &mut self,
        answer: Result<Probe, SourceError>,
        now: Moment,
        took: TimeSpan,
    ) {
        self.traces.elapsed = Some(took);
        match answer {
            Ok(probe) => {
                self.traces.probe = Some(probe);
                self.traces.succeeded(now);
            }
            Err(error) => self.traces.failed(error),
        }
    }
}

/// How far a clock is ahead, if that is not next to nothing.
fn worth_a_word(ahead: TimeSpan) -> TimeSpan {
    if ahead.0.abs() >= CLOCK_TOLERANCE.0 {
        ahead
    } else {
        TimeSpan::default()
    }
}

fn control_plane_probe(identity: &ControlPlaneIdentity) -> Probe {
    Probe {
        product: "Kubernetes".to_owned(),
        version: identity.version.clone(),
        api: None,
        address: identity.server.clone(),
        facts: BTreeMap::new(),
        clock: None,
    }
}
