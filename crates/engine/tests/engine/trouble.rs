//! What goes wrong around a change: lost answers, a journal that breaks, other processes, other clusters.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use pilothouse_core::model::{ObjectKind, SourceErrorKind, TimeSpan};
use pilothouse_core::traffic::Phase;
use pilothouse_engine::{Class, CommandError, Engine, EngineConfig, Outcome};

use crate::fake::{FakeMesh, Lost, shift};

struct Lab {
    mesh: Arc<FakeMesh>,
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self {
            mesh: FakeMesh::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("state/journal.jsonl")
    }

    /// Another process over the same mesh and the same journal.
    async fn engine(&self) -> Arc<Engine> {
        self.engine_on(&self.mesh).await
    }

    async fn engine_on(&self, mesh: &Arc<FakeMesh>) -> Arc<Engine> {
        let mut config = EngineConfig::new("lab", Class::Demo);
        config.journal = Some(self.journal());
        let engine = Engine::open(config, mesh.sources(), mesh.clock()).unwrap();
        engine.load().await;
        engine
    }
}

async fn apply(
    engine: &Engine,
    v1: i64,
    v2: i64,
) -> Result<pilothouse_engine::Entry, CommandError> {
    let plan = engine.changes().plan_shift(&shift(v1, v2)).await?;
    engine.changes().apply(&plan.id, "").await
}

async fn undo(engine: &Engine) -> Result<pilothouse_engine::Entry, CommandError> {
    let plan = engine.changes().plan_undo(None).await?;
    engine.changes().apply(&plan.id, "").await
}

#[tokio::test]
async fn a_lost_answer_of_a_change_that_took_effect_is_no_failure() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    lab.mesh.lose(Some(Lost::Answer));
    let entry = apply(&engine, 50, 50).await.unwrap();
    assert_eq!(entry.outcome, Outcome::Applied);
    assert!(
        entry.message.contains("the connection broke"),
        "{}",
        entry.message
    );
    assert_eq!(engine.changes().watches().len(), 1, "its effect is watched");
    lab.mesh.lose(None);
    undo(&engine).await.unwrap();
    assert_eq!(lab.mesh.weights(), [90, 10]);
}

#[tokio::test]
async fn a_lost_request_is_a_failure_that_nobody_can_take_back() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    lab.mesh.lose(Some(Lost::Request));
    assert!(matches!(
        apply(&engine, 50, 50).await,
        Err(CommandError::Source(_))
    ));
    lab.mesh.lose(None);
    assert_eq!(engine.changes().journal()[0].0.outcome, Outcome::Failed);
    assert!(matches!(
        undo(&engine).await,
        Err(CommandError::NothingToUndo)
    ));
    assert_eq!(lab.mesh.weights(), [90, 10]);
}

#[tokio::test]
async fn a_change_whose_end_was_never_written_can_be_taken_back_where_it_took_effect() {
    let lab = Lab::new();
    apply(&*lab.engine().await, 50, 50).await.unwrap();
    let text = fs::read_to_string(lab.journal()).unwrap();
    let begun = text.lines().next().unwrap();
    fs::write(lab.journal(), format!("{begun}\n")).unwrap();
    let engine = lab.engine().await;
    assert_eq!(engine.changes().journal()[0].0.outcome, Outcome::Intended);
    undo(&engine).await.unwrap();
    assert_eq!(lab.mesh.weights(), [90, 10]);
}

#[tokio::test]
async fn a_journal_that_breaks_after_the_write_does_not_deny_the_write() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    let journal = lab.journal();
    lab.mesh.on_write(move || {
        fs::remove_file(&journal).ok();
        fs::create_dir_all(&journal).unwrap();
    });
    let entry = apply(&engine, 50, 50).await.unwrap();
    assert_eq!(entry.outcome, Outcome::Applied);
    assert!(
        entry.message.contains("could not be written down"),
        "{}",
        entry.message
    );
    assert_eq!(lab.mesh.weights(), [50, 50]);
    fs::remove_dir(lab.journal()).unwrap();
    lab.mesh.on_write(|| {});
    undo(&engine).await.unwrap();
    assert_eq!(
        lab.mesh.weights(),
        [90, 10],
        "this process still knows of it"
    );
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_stops_the_write() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    fs::create_dir_all(lab.journal()).unwrap();
    assert!(matches!(
        apply(&engine, 50, 50).await,
        Err(CommandError::Journal(_))
    ));
    assert_eq!(lab.mesh.weights(), [90, 10]);
}

#[tokio::test]
async fn nothing_is_written_to_a_real_cluster_without_a_place_for_the_journal() {
    let mesh = FakeMesh::new();
    let config = EngineConfig::new("lab", Class::Normal);
    let engine = Engine::open(config, mesh.sources(), mesh.clock()).unwrap();
    engine.load().await;
    engine.changes().arm(None).unwrap();
    assert!(matches!(
        apply(&engine, 50, 50).await,
        Err(CommandError::NoJournal)
    ));
    assert_eq!(mesh.weights(), [90, 10]);
}

#[tokio::test]
async fn what_was_taken_back_by_hand_is_not_undone_again_and_unknown_entries_are_told() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    apply(&engine, 50, 50).await.unwrap();
    lab.mesh.edit_by_somebody(&[90, 10]);
    assert!(matches!(
        undo(&engine).await,
        Err(CommandError::NothingToUndo)
    ));
    assert!(matches!(
        engine.changes().plan_undo(Some("nonsense")).await,
        Err(CommandError::NoSuchEntry(_))
    ));
}

#[tokio::test]
async fn a_torn_last_line_costs_nothing_but_itself() {
    let lab = Lab::new();
    apply(&*lab.engine().await, 50, 50).await.unwrap();
    let mut bytes = fs::read(lab.journal()).unwrap();
    // Cut in the middle of a letter.
    bytes.extend_from_slice(b"{\"reason\":\"na\xc3");
    fs::write(lab.journal(), bytes).unwrap();
    let engine = lab.engine().await;
    assert_eq!(engine.changes().journal().len(), 1);
    undo(&engine).await.unwrap();
    let outcomes: Vec<_> = lab
        .engine()
        .await
        .changes()
        .journal()
        .iter()
        .map(|(e, _)| e.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Applied]);
}

#[tokio::test]
async fn two_processes_share_one_journal() {
    let lab = Lab::new();
    let (window, command_line) = (lab.engine().await, lab.engine().await);
    apply(&window, 50, 50).await.unwrap();
    undo(&command_line).await.unwrap();
    assert_eq!(lab.mesh.weights(), [90, 10]);
    let journal = window.changes().journal();
    assert_eq!(journal.len(), 2);
    assert!(!journal[1].1, "taken back already, by the other one");
    apply(&command_line, 80, 20).await.unwrap();
    undo(&window).await.unwrap();
    assert_eq!(lab.mesh.weights(), [90, 10]);
}

#[tokio::test]
async fn a_change_of_another_cluster_is_not_taken_back_here() {
    let lab = Lab::new();
    apply(&*lab.engine().await, 50, 50).await.unwrap();
    let elsewhere = FakeMesh::new();
    elsewhere.become_another_cluster();
    elsewhere.edit_by_somebody(&[50, 50]);
    let engine = lab.engine_on(&elsewhere).await;
    assert!(matches!(undo(&engine).await, Err(CommandError::Refused(_))));
    assert_eq!(elsewhere.weights(), [50, 50]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_journal_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    apply(&*lab.engine().await, 50, 50).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&lab.journal()), 0o600);
    assert_eq!(mode(lab.journal().parent().unwrap()), 0o700);
}

#[tokio::test]
async fn a_plan_says_what_could_not_be_checked() {
    let lab = Lab::new();
    lab.mesh.forbid(ObjectKind::HttpRoute);
    let engine = lab.engine().await;
    let plan = engine
        .changes()
        .plan_shift(&shift(50, 50))
        .await
        .unwrap()
        .plan;
    let finding = plan
        .findings
        .iter()
        .find(|f| f.code == "objects-unknown")
        .unwrap();
    assert!(
        finding.message.ends_with("HTTPRoute"),
        "{}",
        finding.message
    );
}

#[tokio::test]
async fn numbers_keep_the_window_that_they_were_asked_for() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    let before = engine.snapshot();
    lab.mesh.fail_metrics(Some(SourceErrorKind::TimedOut));
    engine.set_window(TimeSpan::seconds(3600));
    engine.load().await;
    let after = engine.snapshot();
    assert!(after.generation > before.generation);
    assert_eq!(after.graph.request.window, TimeSpan::seconds(60));
    assert_eq!(after.splits[0].observed, before.splits[0].observed);
    lab.mesh.fail_metrics(None);
    engine.load().await;
    assert_eq!(
        engine.snapshot().graph.request.window,
        TimeSpan::seconds(3600)
    );
}

#[tokio::test]
async fn a_split_that_is_gone_is_not_judged() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    apply(&engine, 50, 50).await.unwrap();
    lab.mesh.remove_route();
    for _ in 0..6 {
        lab.mesh.pass(TimeSpan::seconds(20));
        engine.load().await;
    }
    assert_eq!(
        engine.changes().watches()[0].convergence.phase,
        Phase::Superseded
    );
}

fn codes(engine: &Engine) -> Vec<String> {
    let graph = Arc::clone(&engine.snapshot().graph);
    graph.findings.iter().map(|f| f.code.clone()).collect()
}

#[tokio::test]
async fn a_server_that_doubts_its_answer_is_heard_and_no_share_is_judged_on_it() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    assert!(!codes(&engine).contains(&"metrics-partial".to_owned()));
    apply(&engine, 50, 50).await.unwrap();
    lab.mesh.warn("store eu-2 is down");
    for _ in 0..3 {
        lab.mesh.pass(TimeSpan::seconds(20));
        engine.load().await;
    }
    let graph = Arc::clone(&engine.snapshot().graph);
    let finding = graph
        .findings
        .iter()
        .find(|f| f.code == "metrics-partial")
        .unwrap();
    assert!(
        finding.message.ends_with("store eu-2 is down"),
        "{}",
        finding.message
    );
    assert_eq!(engine.changes().watches()[0].convergence.in_a_row, 0);
}

#[tokio::test]
async fn a_metrics_server_with_another_clock_is_asked_by_its_own() {
    let lab = Lab::new();
    lab.mesh.run_ahead(TimeSpan::seconds(-90));
    let engine = lab.engine().await;
    engine.load().await;
    assert_eq!(
        lab.mesh.asked_at(),
        Some(lab.mesh.moment().minus(TimeSpan::seconds(90)))
    );
    assert!(codes(&engine).contains(&"clock-skew".to_owned()));
    // It is looked at now and then, not with every tick.
    lab.mesh.run_ahead(TimeSpan(900));
    engine.load().await;
    assert!(codes(&engine).contains(&"clock-skew".to_owned()));
    lab.mesh.pass(TimeSpan::seconds(600));
    engine.load().await;
    engine.load().await;
    assert_eq!(lab.mesh.asked_at(), Some(lab.mesh.moment()));
    assert!(!codes(&engine).contains(&"clock-skew".to_owned()));
}

#[tokio::test]
async fn a_metrics_server_without_a_mesh_says_so_until_it_has_one() {
    let lab = Lab::new();
    lab.mesh.scrape_no_mesh(true);
    let engine = lab.engine().await;
    engine.load().await;
    assert!(codes(&engine).contains(&"no-mesh-metrics".to_owned()));
    lab.mesh.scrape_no_mesh(false);
    engine.load().await;
    engine.load().await;
    assert!(!codes(&engine).contains(&"no-mesh-metrics".to_owned()));
}

#[tokio::test]
async fn a_window_of_less_than_two_scrapes_is_pointed_out() {
    let lab = Lab::new();
    let engine = lab.engine().await;
    engine.set_window(TimeSpan::seconds(9));
    engine.load().await;
    assert!(codes(&engine).contains(&"window-too-short".to_owned()));
    engine.set_window(TimeSpan::seconds(10));
    engine.load().await;
    assert!(!codes(&engine).contains(&"window-too-short".to_owned()));
}
