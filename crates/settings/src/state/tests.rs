use std::fs;
use std::path::PathBuf;

use pilothouse_core::model::Moment;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Failure, MOST_CONTEXTS, MOST_POSITIONS, State, StateError, StateFile, WindowPlace};
use crate::{ContextKey, Folders, ProblemKind};

fn home() -> (tempfile::TempDir, StateFile, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::under(home.path());
    let file = folders.state_file().unwrap();
    (home, StateFile::of(&folders).unwrap(), file)
}

fn home_with(content: &[u8]) -> (tempfile::TempDir, StateFile, PathBuf) {
    let (home, state, file) = home();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, content).unwrap();
    (home, state, file)
}

fn key(name: &str) -> ContextKey {
    ContextKey::new(name, Some("/kc".into()))
}

#[test]
fn nothing_is_remembered_at_first_and_reading_makes_no_file() {
    let (home, state, _) = home();
    assert_eq!(state.load(), (State::default(), vec![]));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    let nowhere = Folders::of(crate::Environment::new(crate::Platform::Xdg, |_| None));
    assert!(StateFile::of(&nowhere).is_none());
}

#[test]
fn a_restart_finds_what_was_there() {
    let (_home, state, file) = home();
    let written = state
        .update(|state| {
            state.window = Some(WindowPlace {
                x: -10.0,
                y: 20.5,
                width: 1440.0,
                height: 900.0,
                maximised: true,
            });
            state.screen = Some("splits".to_owned());
            state.open = vec![key("b"), key("a")];
            let entry = state.context_mut(&key("a"));
            entry.last_used = Some(Moment(5));
            entry.filter = "error > 1%".to_owned();
            entry.hidden_namespaces.insert("kube-system".to_owned());
            entry.figures = Some(vec!["rate".to_owned()]);
            entry.positions = Some(json!({"shop/reviews": [1.5, 2]}));
            entry.drafts = Some(json!([{"v1": 90}]));
            state.context_mut(&key("b")).last_failure = Some(Failure {
                at: Moment(7),
                code: "unreachable".to_owned(),
                message: "connection refused".to_owned(),
            });
        })
        .unwrap();
    assert_eq!(state.load(), (written, vec![]));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert!(file.is_file());
}

#[test]
fn what_a_later_version_adds_is_kept() {
    let content = json!({
        "schema": 1, "mood": "good",
        "contexts": [{"context": {"name": "a", "file": "/kc"}, "stars": 5}],
    });
    let (_home, state, file) = home_with(content.to_string().as_bytes());
    state
        .update(|state| state.context_mut(&key("a")).filter = "x".to_owned())
        .unwrap();
    let after: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(after["mood"], "good");
    assert_eq!(after["contexts"][0]["stars"], 5);
    assert_eq!(after["contexts"][0]["filter"], "x");
}

#[test]
fn a_later_form_is_left_alone() {
    let content = br#"{"schema": 2, "contexts": "elsewhere"}"#;
    let (_home, state, file) = home_with(content);
    let (loaded, problems) = state.load();
    assert_eq!(loaded, State::default());
    assert_eq!(problems[0].kind, ProblemKind::Newer);
    let error = state.update(|state| state.screen = None).unwrap_err();
    assert!(matches!(error, StateError::Refused(_)));
    assert_eq!(fs::read(&file).unwrap(), content);
}

#[test]
fn a_broken_file_is_put_aside_and_we_start_afresh() {
    let broken: [&[u8]; 6] = [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        br#"{"schema": 1, "open": 5}"#,
        br#"{"schema": -1}"#,
    ];
    for content in broken {
        let (_home, state, file) = home_with(content);
        let (loaded, problems) = state.load();
        assert_eq!(loaded, State::default());
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].kind, ProblemKind::PutAside);
        let aside = file.with_file_name("state.json.broken-1");
        assert_eq!(fs::read(&aside).unwrap(), content);
        assert!(problems[0].message.contains("state.json.broken-1"));
        assert_eq!(state.load().1, [], "it is told once");
    }
}

#[test]
fn broken_files_do_not_pile_up() {
    let (_home, state, file) = home_with(b"");
    for turn in 1..=12 {
        fs::write(&file, format!("broken {turn}")).unwrap();
        // A write heals as well.
        state
            .update(|state| state.screen = Some("mesh".to_owned()))
            .unwrap();
        assert_eq!(state.load().0.screen.as_deref(), Some("mesh"));
    }
    let names = fs::read_dir(file.parent().unwrap()).unwrap();
    let aside = names.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".broken-")
    });
    assert_eq!(aside.count(), 9);
    let first = fs::read_to_string(file.with_file_name("state.json.broken-1")).unwrap();
    assert_eq!(first, "broken 1", "the first is the most telling");
}

#[test]
fn a_complaint_quotes_nothing() {
    let (_home, state, _) = home_with(br#"{"schema": 1, "open": "c4n4ry"}"#);
    let (_, problems) = state.load();
    assert!(!format!("{problems:?}").contains("c4n4ry"));
}

#[test]
fn a_folder_in_its_place_is_no_reason_to_move_it() {
    let (_home, state, file) = home();
    fs::create_dir_all(&file).unwrap();
    let (loaded, problems) = state.load();
    assert_eq!(loaded, State::default());
    assert_eq!(problems[0].kind, ProblemKind::Unreadable);
    assert!(state.update(|state| state.screen = None).is_err());
    assert!(file.is_dir());
}

#[test]
fn of_two_processes_each_keeps_its_context() {
    let (_home, state, _) = home();
    std::thread::scope(|scope| {
        for turn in 0..8 {
            let state = state.clone();
            scope.spawn(move || {
                let change = |state: &mut State| {
                    state.context_mut(&key(&format!("c{turn}"))).filter = turn.to_string();
                };
                state.update(change).unwrap();
            });
        }
    });
    let (loaded, _) = state.load();
    assert_eq!(loaded.contexts().len(), 8);
    assert_eq!(loaded.context(&key("c3")).unwrap().filter, "3");
}

#[test]
fn what_was_not_used_for_long_is_forgotten() {
    let (_home, state, _) = home();
    let most = i64::try_from(MOST_CONTEXTS).unwrap();
    state
        .update(|state| {
            for turn in 0..most + 10 {
                let entry = state.context_mut(&key(&turn.to_string()));
                entry.last_used = Some(Moment(turn));
                entry.positions = Some(json!([turn]));
            }
            state.context_mut(&key("never")).positions = Some(json!([]));
        })
        .unwrap();
    let (loaded, _) = state.load();
    let all = loaded.contexts();
    assert_eq!(all.len(), MOST_CONTEXTS);
    assert_eq!(all[0].last_used, Some(Moment(most + 9)));
    let with_positions = all.iter().filter(|entry| entry.positions.is_some());
    assert_eq!(with_positions.count(), MOST_POSITIONS);
    assert!(all[MOST_POSITIONS - 1].positions.is_some() && all[MOST_POSITIONS].positions.is_none());
    assert!(loaded.context(&key("never")).is_none());
}

#[test]
fn a_place_that_is_no_number_is_none() {
    let (_home, state, _) = home();
    let place = WindowPlace {
        x: 0.0,
        y: f64::NAN,
        width: 1.0,
        height: 1.0,
        maximised: false,
    };
    state.update(|state| state.window = Some(place)).unwrap();
    let (loaded, problems) = state.load();
    assert_eq!((loaded.window, problems), (None, vec![]));
}

#[test]
fn the_file_stays_below_what_we_read() {
    let (_home, state, file) = home();
    let large = Value::from("x".repeat(9 << 20));
    for (turn, name) in ["old", "new"].into_iter().enumerate() {
        state
            .update(|state| {
                let entry = state.context_mut(&key(name));
                entry.last_used = Some(Moment(i64::try_from(turn).unwrap()));
                entry.positions = Some(large.clone());
            })
            .unwrap();
    }
    let (loaded, problems) = state.load();
    assert_eq!(problems, []);
    assert!(loaded.context(&key("old")).unwrap().positions.is_none());
    assert!(loaded.context(&key("new")).unwrap().positions.is_some());
    let before = fs::read(&file).unwrap();
    let error = state
        .update(|state| state.screen = Some("x".repeat(17 << 20)))
        .unwrap_err();
    assert!(matches!(error, StateError::TooLarge { .. }));
    assert_eq!(fs::read(&file).unwrap(), before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        screen in prop::option::of(".{0,8}"),
        place in (-1e4..1e4_f64, -1e4..1e4_f64, 1.0..1e4_f64, 1.0..1e4_f64, any::<bool>()),
        entries in prop::collection::btree_map(".{0,6}", (any::<Option<i64>>(), ".{0,6}", any::<u32>()), 0..6),
    ) {
        let (_home, state, _) = home();
        let (x, y, width, height, maximised) = place;
        let written = state.update(|state| {
            state.screen = screen;
            state.window = Some(WindowPlace { x, y, width, height, maximised });
            for (name, (used, filter, at)) in entries {
                let entry = state.context_mut(&ContextKey::new(name, None));
                entry.last_used = used.map(Moment);
                entry.filter = filter;
                entry.positions = Some(json!({ "at": at }));
            }
        }).unwrap();
        let (loaded, problems) = state.load();
        prop_assert!(problems.is_empty());
        prop_assert_eq!(&loaded.contexts(), &written.contexts());
        prop_assert_eq!(&loaded.screen, &written.screen);
        let (read, sent) = (loaded.window.unwrap(), written.window.unwrap());
        prop_assert!((read.x - sent.x).abs() < 1e-9 && (read.height - sent.height).abs() < 1e-9);
    }
}
