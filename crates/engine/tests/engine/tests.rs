use std::sync::Arc;
use std::time::Duration;

use pilothouse_core::layout::Layout;
use pilothouse_core::model::{Moment, SourceErrorKind, SourceKind, TimeSpan};
use pilothouse_core::traffic::Phase;
use pilothouse_engine::{
    Class, CommandError, Engine, EngineConfig, Outcome, Snapshot, SourceState, SourceStatus,
};

use crate::fake::{FakeMesh, shift, split_id};

fn open(mesh: &Arc<FakeMesh>, class: Class) -> Arc<Engine> {
    Engine::open(
        EngineConfig::new("shop-prod", class),
        mesh.sources(),
        mesh.clock(),
    )
    .unwrap()
}

fn state_of(engine: &Engine, kind: SourceKind) -> SourceState {
    let statuses = engine.statuses();
    let status = statuses.iter().find(|s| s.kind == kind).unwrap();
    status.state(engine.now(), engine.fresh_for())
}

#[tokio::test]
async fn a_snapshot_says_what_was_asked_and_how_fresh_it_is() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    let snapshot = engine.snapshot();
    assert!(snapshot.generation > 0);
    assert!(
        snapshot.queries.len() <= 6,
        "a tick asks at most six queries, not {}",
        snapshot.queries.len()
    );
    assert!(snapshot.queries.iter().all(|q| q.outcome.is_ok()));
    assert_eq!(state_of(&engine, SourceKind::Metrics), SourceState::Ok);
    mesh.pass(TimeSpan::seconds(60));
    assert_eq!(
        state_of(&engine, SourceKind::Metrics),
        SourceState::Stale,
        "an old answer is stale without a failure, too"
    );
}

#[tokio::test]
async fn failed_metrics_leave_the_old_numbers_and_say_so() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    let before = engine.snapshot();
    mesh.fail_metrics(Some(SourceErrorKind::TimedOut));
    mesh.pass(TimeSpan::seconds(10));
    engine.load().await;
    let after = engine.snapshot();
    assert_eq!(
        after.graph.edges, before.graph.edges,
        "numbers do not vanish because a query failed"
    );
    assert_eq!(after.taken_at, before.taken_at, "and keep their own moment");
    assert_eq!(state_of(&engine, SourceKind::Metrics), SourceState::Stale);
}

#[tokio::test]
async fn metrics_that_never_answered_are_unknown_and_never_zero() {
    let mesh = FakeMesh::new();
    mesh.fail_metrics(Some(SourceErrorKind::Unreachable));
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    let snapshot = engine.snapshot();
    assert_eq!(state_of(&engine, SourceKind::Metrics), SourceState::Failed);
    assert!(
        !snapshot.graph.nodes.is_empty(),
        "declared services are drawn all the same"
    );
    let numbers = snapshot
        .graph
        .nodes
        .iter()
        .flat_map(|n| n.incoming.values())
        .filter_map(|t| t.rate);
    assert_eq!(numbers.count(), 0, "no number is known");
    let observed = snapshot.splits.iter().flat_map(|s| &s.observed);
    assert!(
        observed
            .into_iter()
            .all(|o| o.requests.is_none() && o.ratio.is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_metrics_source_is_not_asked_everything_and_others_that_fail_are() {
    for (kind, after_s, leaves_it_alone) in [
        (SourceErrorKind::TimedOut, 5, true),
        (SourceErrorKind::TimedOut, 0, false),
        (SourceErrorKind::Unreachable, 0, true),
        (SourceErrorKind::BadAnswer, 5, false),
    ] {
        let mesh = FakeMesh::new();
        mesh.fail_metrics_after(Some(kind), after_s);
        let engine = open(&mesh, Class::Demo);
        engine.load().await;
        let snapshot = engine.snapshot();
        assert_eq!(mesh.n_queries() < snapshot.queries.len(), leaves_it_alone);
        assert!(snapshot.queries.iter().all(|q| q.outcome.is_err()));
    }
}

#[tokio::test]
async fn a_control_plane_that_never_answered_has_failed_and_is_not_stale() {
    let mesh = FakeMesh::new();
    mesh.unreachable();
    let engine = open(&mesh, Class::Demo);
    engine.load_objects().await;
    assert_eq!(
        state_of(&engine, SourceKind::ControlPlane),
        SourceState::Failed
    );
}

#[tokio::test]
async fn the_first_picture_already_knows_the_calls() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    let mut snapshots = engine.subscribe();
    let _running = engine.start();
    snapshots.changed().await.unwrap();
    let first = snapshots.borrow().clone();
    assert!(!first.graph.edges.is_empty(), "cards would stand anywhere");
    assert_eq!(first.layout.nodes, Layout::arrange(&first.graph).nodes);
}

#[tokio::test(start_paused = true)]
async fn the_first_numbers_wait_for_no_look_at_who_answers_and_a_look_not_long_for_numbers() {
    let says_what_it_is = |sources: &[SourceStatus]| {
        let mut metrics = sources.iter().filter(|s| s.kind == SourceKind::Metrics);
        metrics.any(|status| status.probe.is_some())
    };
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    let mut snapshots = engine.subscribe();
    let _running = engine.start();
    snapshots.changed().await.unwrap();
    assert!(!says_what_it_is(&snapshots.borrow_and_update().sources));
    while !says_what_it_is(&snapshots.borrow_and_update().sources) {
        snapshots.changed().await.unwrap();
    }

    let mesh = FakeMesh::new();
    mesh.fail_metrics_after(Some(SourceErrorKind::TimedOut), 60);
    let engine = open(&mesh, Class::Demo);
    let _running = engine.start();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(says_what_it_is(&engine.statuses()));
    assert_eq!(engine.snapshot().generation, 0);
}

#[tokio::test]
async fn a_picture_drawn_without_calls_is_arranged_once_they_are_known_and_then_stays() {
    let mesh = FakeMesh::new();
    mesh.fail_metrics(Some(SourceErrorKind::Unreachable));
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    assert!(!engine.snapshot().layout.nodes.is_empty());
    mesh.fail_metrics(None);
    engine.load().await;
    let known = engine.snapshot();
    assert_eq!(known.layout.nodes, Layout::arrange(&known.graph).nodes);
    mesh.fail_metrics(Some(SourceErrorKind::Unreachable));
    engine.load().await;
    mesh.fail_metrics(None);
    engine.load().await;
    assert_eq!(
        engine.snapshot().layout,
        known.layout,
        "an outage moves nothing"
    );
}

#[tokio::test]
async fn a_real_cluster_is_read_only_until_armed_and_production_wants_its_name() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Production);
    engine.load().await;
    let plan = engine.changes().plan_shift(&shift(50, 50)).await.unwrap();
    assert!(matches!(
        engine.changes().apply(&plan.id, "").await,
        Err(CommandError::ReadOnly)
    ));
    assert!(matches!(
        engine.changes().arm(None),
        Err(CommandError::WrongName)
    ));
    assert!(matches!(
        engine.changes().arm(Some("shop")),
        Err(CommandError::WrongName)
    ));
    engine.changes().arm(Some("shop-prod")).unwrap();
    mesh.pass(TimeSpan::seconds(15 * 60 + 1));
    assert!(
        matches!(
            engine.changes().apply(&plan.id, "").await,
            Err(CommandError::ReadOnly)
        ),
        "an arming ends by itself"
    );
    assert_eq!(mesh.weights(), [90, 10], "nothing was written");
}

#[tokio::test]
async fn a_shift_is_journalled_applied_watched_and_undone() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    let plan = engine.changes().plan_shift(&shift(50, 50)).await.unwrap();
    let tried = engine.changes().dry_run(&plan.id).await.unwrap();
    assert!(tried.mutations.is_empty());
    assert_eq!(mesh.weights(), [90, 10], "a dry run writes nothing");
    let entry = engine
        .changes()
        .apply(&plan.id, "half and half")
        .await
        .unwrap();
    assert_eq!(
        (entry.outcome, entry.reason.as_str()),
        (Outcome::Applied, "half and half")
    );
    let declared = engine.snapshot().splits[0].split.destinations[1].weight;
    assert_eq!(declared, Some(50), "at once, not with the next tick");
    assert_eq!(mesh.weights(), [50, 50]);
    assert!(
        matches!(
            engine.changes().apply(&plan.id, "").await,
            Err(CommandError::UnknownPlan)
        ),
        "a plan is used once"
    );

    // The first tick after a change may fall into its own millisecond.
    engine.load().await;
    for _ in 0..6 {
        mesh.pass(TimeSpan::seconds(20));
        engine.load().await;
    }
    let watches = engine.changes().watches();
    let watch = watches.iter().find(|w| w.entry == entry.id).unwrap();
    assert_eq!(watch.convergence.phase, Phase::Converged);
    let times: Vec<_> = watch.curve.iter().map(|(at, _)| *at).collect();
    assert!(times.len() > 1);
    assert!(
        times.is_sorted_by(|a, b| a < b),
        "a curve has one point at a time: {times:?}"
    );

    let back = engine.changes().plan_undo(None).await.unwrap();
    engine.changes().apply(&back.id, "").await.unwrap();
    assert_eq!(mesh.weights(), [90, 10]);
    assert!(matches!(
        engine.changes().plan_undo(None).await,
        Err(CommandError::NothingToUndo)
    ));
    let journal = engine.changes().journal();
    assert_eq!(journal.len(), 2);
    assert!(
        journal
            .iter()
            .all(|(_, undoable)| !undoable || journal[0].0.id != entry.id)
    );
}

#[tokio::test]
async fn a_watched_change_takes_nothing_away_from_the_graph() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    let before = engine.snapshot().queries.len();
    let plan = engine.changes().plan_shift(&shift(50, 50)).await.unwrap();
    engine.changes().apply(&plan.id, "").await.unwrap();
    mesh.pass(TimeSpan::seconds(20));
    engine.load().await;
    assert_eq!(engine.snapshot().queries.len(), before);
    let asked = engine.changes().watches()[0].asked.clone().unwrap();
    assert!(asked.outcome.is_ok(), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn slow_metrics_delay_no_change_of_the_cluster() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    mesh.fail_metrics_after(Some(SourceErrorKind::TimedOut), 60);
    let mut snapshots = engine.subscribe();
    let _running = engine.start();
    let began = tokio::time::Instant::now();
    mesh.edit_by_somebody(&[60, 40]);
    let weight = |snapshot: &Snapshot| {
        let split = &snapshot.splits.first()?.split;
        split.destinations.get(1)?.weight
    };
    while weight(&snapshots.borrow_and_update()) != Some(40) {
        snapshots.changed().await.unwrap();
    }
    assert!(began.elapsed().as_secs() < 1, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_concurrent_edit_is_a_conflict_and_nothing_is_overwritten() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    let plan = engine.changes().plan_shift(&shift(50, 50)).await.unwrap();
    mesh.edit_by_somebody(&[80, 20]);
    let error = engine.changes().apply(&plan.id, "").await.unwrap_err();
    let CommandError::Source(source) = error else {
        panic!("expected a conflict, got {error}")
    };
    assert_eq!(source.kind, SourceErrorKind::Conflict);
    assert_eq!(mesh.weights(), [80, 20]);
}

#[tokio::test]
async fn undo_refuses_when_somebody_else_changed_our_weights() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    let plan = engine.changes().plan_shift(&shift(50, 50)).await.unwrap();
    engine.changes().apply(&plan.id, "").await.unwrap();
    mesh.edit_by_somebody(&[30, 70]);
    assert!(matches!(
        engine.changes().plan_undo(None).await,
        Err(CommandError::Plan(_))
    ));
    assert_eq!(mesh.weights(), [30, 70]);
}

#[tokio::test]
async fn a_server_that_would_change_more_than_planned_is_not_written_to() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    engine.load().await;
    mesh.mutate_on_write(true);
    let plan = engine.changes().plan_shift(&shift(50, 50)).await.unwrap();
    assert!(matches!(
        engine.changes().apply(&plan.id, "").await,
        Err(CommandError::Mutated(_))
    ));
    assert_eq!(mesh.weights(), [90, 10]);
}

#[tokio::test]
async fn the_journal_survives_the_process_and_shows_what_was_only_begun() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = FakeMesh::new();
    let mut config = EngineConfig::new("lab", Class::Demo);
    config.journal = Some(folder.path().join("state/journal.jsonl"));
    let engine = Engine::open(config.clone(), mesh.sources(), mesh.clock()).unwrap();
    engine.load().await;
    let plan = engine.changes().plan_shift(&shift(60, 40)).await.unwrap();
    engine.changes().apply(&plan.id, "kept").await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("state/journal.jsonl")).unwrap();
    let outcomes: Vec<bool> = text
        .lines()
        .map(|line| line.contains("\"intended\""))
        .collect();
    assert_eq!(
        outcomes,
        [true, false],
        "one line before the write, one after"
    );

    let again = Engine::open(config, mesh.sources(), mesh.clock()).unwrap();
    again.load().await;
    let back = again.changes().plan_undo(None).await.unwrap();
    again.changes().apply(&back.id, "").await.unwrap();
    assert_eq!(mesh.weights(), [90, 10], "another process takes it back");
}

#[tokio::test(start_paused = true)]
async fn running_tasks_publish_and_end_with_their_handle() {
    let mesh = FakeMesh::new();
    let engine = open(&mesh, Class::Demo);
    let running = engine.start();
    let mut snapshots = engine.subscribe();
    while snapshots.borrow_and_update().splits.is_empty() {
        snapshots.changed().await.unwrap();
    }
    assert_eq!(snapshots.borrow().splits[0].split.id, split_id());
    drop(running);
    assert!(mesh.moment() >= Moment(0));
}

#[tokio::test(start_paused = true)]
async fn engines_of_one_window_tick_together_whenever_they_were_opened() {
    let (first, second) = (FakeMesh::new(), FakeMesh::new());
    let beat = tokio::time::Instant::now();
    let start = |mesh: &Arc<FakeMesh>| {
        let mut config = EngineConfig::new("shop-prod", Class::Demo);
        config.beat = Some(beat);
        let engine = Engine::open(config, mesh.sources(), mesh.clock()).unwrap();
        let running = engine.start();
        (engine, running)
    };
    let mut ticks = Vec::new();
    let one = start(&first);
    tokio::time::advance(Duration::from_millis(3_700)).await;
    let two = start(&second);
    for (engine, _) in [&one, &two] {
        let mut snapshots = engine.subscribe();
        snapshots.wait_for(|s| s.answers.is_some()).await.unwrap();
    }
    assert!(
        beat.elapsed() < Duration::from_secs(5),
        "the first tick of each comes at once"
    );
    let known = [&one, &two].map(|(engine, _)| engine.snapshot().answers.clone().unwrap());
    for ((engine, _), known) in [&one, &two].into_iter().zip(known) {
        let is_next = |s: &Arc<Snapshot>| !Arc::ptr_eq(s.answers.as_ref().unwrap(), &known);
        engine.subscribe().wait_for(is_next).await.unwrap();
        ticks.push(beat.elapsed().as_secs());
    }
    assert_eq!(ticks, [10, 10]);
}
