//! The engine's background tasks: watching the control plane, ticking the metrics, probing. Each is supervised: one that
//! ends or panics is started again, and dropping [`Running`] ends them all.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_core::ports::{ObjectEvent, ObjectSink};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info_span};

use crate::engine::Engine;
use crate::observation::Observation;

/// How long several changes of objects are gathered before the graph is folded again.
const SETTLE: Duration = Duration::from_millis(150);
/// No clock ticks faster, whatever is asked for: below it, ticks would only queue up.
const FASTEST_TICK: Duration = Duration::from_millis(100);
/// Time between two looks at identity, versions and the trace backend.
const PROBE_EVERY: Duration = Duration::from_secs(30);
/// How long the first look waits for the first numbers, at most.
const HEAD_START: Duration = Duration::from_secs(1);
/// Pause before a task that broke is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// The running tasks of an engine; they end when this is dropped.
#[derive(Debug)]
pub struct Running {
    cancel: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Running {
    pub(crate) fn start(engine: &Arc<Engine>) -> Self {
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let control_plane = Arc::clone(engine);
        supervise(&mut tasks, &cancel, "control-plane", move || {
            watch_objects(Arc::clone(&control_plane))
        });
        let metrics = Arc::clone(engine);
        supervise(&mut tasks, &cancel, "metrics", move || {
            tick_metrics(Arc::clone(&metrics))
        });
        let fold = Arc::clone(engine);
        supervise(&mut tasks, &cancel, "fold", move || {
            fold_changes(Arc::clone(&fold))
        });
        let effects = Arc::clone(engine);
        supervise(&mut tasks, &cancel, "effects", move || {
            watch_effects(Arc::clone(&effects))
        });
        let probe = Arc::clone(engine);
        supervise(&mut tasks, &cancel, "probe", move || {
            probe_sources(Arc::clone(&probe))
        });
        Self {
            cancel,
            _tasks: tasks,
        }
    }
}

/// Runs a task for ever: a panic or an early end is noted and followed by a new start.
fn supervise<F, T>(
    tasks: &mut JoinSet<()>,
    cancel: &CancellationToken,
    name: &'static str,
    start: F,
) where
    F: Fn() -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let cancel = cancel.clone();
    let span = info_span!("task", name);
    let keep_running = async move {
        loop {
            let mut once = JoinSet::new();
            once.spawn(start().in_current_span());
            if let Some(Err(broken)) = once.join_next().await {
                error!(error = %broken, "a task broke and is started again");
            }
            sleep(RESTART_AFTER).await;
        }
    };
    tasks.spawn(
        async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = keep_running => {}
            }
        }
        .instrument(span),
    );
}

struct IntoObservation(Arc<Observation>);

impl ObjectSink for IntoObservation {
    fn send(&self, event: ObjectEvent) {
        self.0.take_event(event);
    }
}

async fn watch_objects(engine: Arc<Engine>) {
    let Ok(control_plane) = engine.observation.control_plane() else {
        return std::future::pending().await;
    };
    let sink = IntoObservation(Arc::clone(&engine.observation));
    // A connection that did not live through a sleep is silent, and so is a mesh in which nothing changes.
    tokio::select! {
        () = control_plane.watch(&sink) => {}
        () = engine.observation.clock_jumped() => {}
    }
}

async fn tick_metrics(engine: Arc<Engine>) {
    let begun = Instant::now();
    engine.observation.tick().await;
    let mut tick = ticks(&engine, begun);
    loop {
        tokio::select! {
            _ = tick.tick() => engine.observation.tick().await,
            () = engine.observation.wants_tick() => engine.observation.tick().await,
        }
    }
}

/// Apart from the ticks: what changed in the cluster is seen however long the metrics take.
async fn fold_changes(engine: Arc<Engine>) {
    loop {
        engine.observation.wants_fold().await;
        sleep(SETTLE).await;
        engine.observation.fold().await;
    }
}

/// Counts what came after each watched change, as often as the metrics tick, and asks nothing while nothing is watched.
async fn watch_effects(engine: Arc<Engine>) {
    let mut tick = ticks(&engine, Instant::now());
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = engine.changes().wants_look() => {}
        }
        engine.changes().look_at_effects().await;
    }
}

/// Ticks after `begun`, in time with the other engines of a window.
fn ticks(engine: &Engine, begun: Instant) -> Interval {
    let every = engine.config().tick.max(FASTEST_TICK);
    let beat = engine.config().beat.unwrap_or(begun);
    let mut tick = interval_at(next_beat(beat, every, begun), every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    tick
}

/// The first moment after `now` that is whole periods after `beat`.
fn next_beat(beat: Instant, every: Duration, now: Instant) -> Instant {
    let since = now.saturating_duration_since(beat).as_nanos() % every.as_nanos();
    let since = Duration::from_nanos(u64::try_from(since).unwrap_or_default());
    now + every.saturating_sub(since)
}

async fn probe_sources(engine: Arc<Engine>) {
    // The first numbers wait for nothing: their server answers two questions at a time, and these are seven.
    let mut published = engine.subscribe();
    let first = async {
        published
            .wait_for(|snapshot| snapshot.generation > 0)
            .await
            .is_ok()
    };
    let _published_or_slow = timeout(HEAD_START, first).await;
    let mut tick = interval(PROBE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        engine.observation.probe().await;
    }
}
