//! A laptop that sleeps for hours, and a clock that is set back: nothing is frozen, and nothing old looks new.

use std::sync::Arc;
use std::time::Duration;

use pilothouse_core::model::{SourceErrorKind, SourceKind, TimeSpan};
use pilothouse_core::traffic::Phase;
use pilothouse_engine::{Class, Engine, EngineConfig, SourceState, SourceStatus};
use tokio::time::{Instant, advance};

use crate::fake::{FakeMesh, shift};

const HOUR: TimeSpan = TimeSpan::seconds(3600);
const NIGHT: TimeSpan = TimeSpan::seconds(9 * 3600);
const HOUR_BACK: TimeSpan = TimeSpan(-HOUR.0);

async fn loaded(mesh: &Arc<FakeMesh>, class: Class) -> Arc<Engine> {
    let config = EngineConfig::new("lab", class);
    let engine = Engine::open(config, mesh.sources(), mesh.clock()).unwrap();
    engine.load().await;
    engine
}

fn metrics(engine: &Engine) -> (SourceStatus, SourceState) {
    let statuses = engine.statuses();
    let mut metrics = statuses.into_iter();
    let status = metrics.find(|s| s.kind == SourceKind::Metrics).unwrap();
    let state = status.state(engine.now(), engine.fresh_for());
    (status, state)
}

#[tokio::test(start_paused = true)]
async fn after_a_night_the_numbers_are_stale_until_they_are_those_of_the_morning() {
    let mesh = FakeMesh::ticking();
    let engine = loaded(&mesh, Class::Normal).await;
    engine.changes().arm(None).unwrap();
    mesh.pass(NIGHT);
    assert_eq!(metrics(&engine).1, SourceState::Stale);
    assert_eq!(
        engine.changes().armed_until(),
        None,
        "an arming is over in the morning"
    );
    // The network comes later than the light.
    mesh.fail_metrics(Some(SourceErrorKind::Unreachable));
    engine.load().await;
    assert_eq!(metrics(&engine).1, SourceState::Stale);
    mesh.fail_metrics(None);
    engine.load().await;
    assert_eq!(metrics(&engine).1, SourceState::Ok);
    let now = engine.now();
    assert_eq!(
        (mesh.asked_at(), engine.snapshot().taken_at),
        (Some(now), now)
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_night_the_objects_are_watched_from_the_beginning() {
    let mesh = FakeMesh::ticking();
    let config = EngineConfig::new("lab", Class::Demo);
    let engine = Engine::open(config, mesh.sources(), mesh.clock()).unwrap();
    let mut snapshots = engine.subscribe();
    let _running = engine.start();
    for _ in 0..5 {
        snapshots.changed().await.unwrap();
    }
    assert_eq!(mesh.n_watches(), 1);
    mesh.pass(NIGHT);
    let awake = Instant::now();
    while mesh.n_watches() < 2 {
        snapshots.changed().await.unwrap();
    }
    assert!(awake.elapsed() <= Duration::from_secs(15), "soon");
    for _ in 0..5 {
        snapshots.changed().await.unwrap();
    }
    assert_eq!(mesh.n_watches(), 2, "once");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_makes_nothing_younger() {
    let mesh = FakeMesh::ticking();
    let engine = loaded(&mesh, Class::Normal).await;
    mesh.fail_metrics(Some(SourceErrorKind::Unreachable));
    advance(Duration::from_secs(60)).await;
    engine.load().await;
    mesh.pass(HOUR_BACK);
    let (status, state) = metrics(&engine);
    let age = engine.now().since(status.last_good.unwrap());
    assert_eq!((age, state), (TimeSpan::seconds(60), SourceState::Stale));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_lengthen_an_arming() {
    let mesh = FakeMesh::ticking();
    let engine = loaded(&mesh, Class::Normal).await;
    engine.changes().arm(None).unwrap();
    mesh.pass(HOUR_BACK);
    let left = engine.changes().armed_until().unwrap().since(engine.now());
    assert_eq!(left, engine.config().armed_for);
    advance(Duration::from_secs(15 * 60 + 1)).await;
    assert_eq!(engine.changes().armed_until(), None);
}

#[tokio::test(start_paused = true)]
async fn after_a_jump_the_metrics_are_asked_by_their_own_clock_at_once() {
    for (jump, ahead) in [(HOUR_BACK, HOUR), (HOUR, HOUR_BACK)] {
        let mesh = FakeMesh::ticking();
        let engine = loaded(&mesh, Class::Normal).await;
        mesh.pass(jump);
        mesh.run_ahead(ahead);
        engine.load().await;
        assert_eq!(mesh.asked_at(), Some(engine.now().plus(ahead)));
        let snapshot = engine.snapshot();
        let findings = &snapshot.graph.findings;
        assert!(
            findings.iter().any(|f| f.code == "clock-skew"),
            "{findings:?}"
        );
        assert_eq!(metrics(&engine).1, SourceState::Ok);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_judged_to_its_end_over_a_night_and_a_clock_that_is_set_back() {
    for jump in [NIGHT, HOUR_BACK] {
        let mesh = FakeMesh::ticking();
        let engine = loaded(&mesh, Class::Demo).await;
        let plan = engine.changes().plan_shift(&shift(50, 50)).await.unwrap();
        engine.changes().apply(&plan.id, "").await.unwrap();
        advance(Duration::from_secs(1)).await;
        engine.load().await;
        mesh.pass(jump);
        for _ in 0..6 {
            advance(Duration::from_secs(20)).await;
            engine.load().await;
        }
        let watches = engine.changes().watches();
        let watch = &watches[0];
        assert_eq!(watch.convergence.phase, Phase::Converged, "{jump:?}");
        let times: Vec<_> = watch.curve.iter().map(|(at, _)| *at).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }
}
