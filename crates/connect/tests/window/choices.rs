//! Choose, open, and find things again after a restart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pilothouse_api::dto::{OpenRequest, RectView, Update};
use pilothouse_api::{Api, Subscription, Workspace};
use pilothouse_connect::{Composition, Contexts, Folders, SourceArgs};
use serde_json::Value;

/// A window that has just been opened without flags.
fn window(home: &Path) -> (Arc<Workspace>, Api) {
    let contexts = Arc::new(Contexts::new(SourceArgs::default(), Folders::under(home)));
    let composition = Composition::default();
    let (workspace, _) = composition.workspace(true, Some(contexts)).unwrap();
    (Arc::clone(&workspace), Api::new(workspace))
}

/// The first update that shows calls, and where the cards stand in it.
async fn demo_in(api: &Api) -> (Update, BTreeMap<String, RectView>) {
    let request = OpenRequest {
        context: "demo".to_owned(),
        beside: false,
    };
    api.open_context(&request).await.unwrap();
    let mut updates = Subscription::new(api);
    let mut cards = BTreeMap::new();
    loop {
        let update = updates.next().await.unwrap();
        if let Some(layout) = &update.layout {
            cards.clone_from(&layout.nodes);
        }
        if !update.graph.edges.is_empty() {
            return (update, cards);
        }
    }
}

/// Moves every card in the file of the state.
fn moved_aside(file: &Path) {
    let mut state: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let positions = &mut state["contexts"][0]["positions"];
    for group in ["nodes", "boxes"] {
        for rect in positions[group].as_object_mut().unwrap().values_mut() {
            rect["x"] = (rect["x"].as_f64().unwrap() + 1000.0).into();
        }
    }
    std::fs::write(file, state.to_string()).unwrap();
}

#[tokio::test]
async fn without_flags_nothing_is_open_and_the_demo_is_one_choice_away() {
    let home = tempfile::tempdir().unwrap();
    let (_workspace, api) = window(home.path());
    let first = Subscription::new(&api).next().await.unwrap();
    assert_eq!(
        (first.session.context.as_str(), first.sessions.len()),
        ("", 0)
    );
    let (update, _) = demo_in(&api).await;
    assert_eq!(update.session.class, "demo");
    let mut updates = Subscription::new(&api);
    while api.chooser().unwrap().last.as_deref() != Some("demo") {
        updates.next().await.unwrap();
    }
}

#[tokio::test]
async fn cards_stand_where_they_stood_before_the_restart() {
    let home = tempfile::tempdir().unwrap();
    let (workspace, api) = window(home.path());
    let (_, before) = demo_in(&api).await;
    workspace.keep_positions_now();
    drop((api, workspace));

    // The demo is arranged the same way each time: only a layout that was read from the file stands elsewhere.
    moved_aside(&home.path().join("state/state.json"));

    let (_workspace, api) = window(home.path());
    let (_, after) = demo_in(&api).await;
    assert_eq!(before.len(), after.len());
    for (id, rect) in &before {
        assert_eq!(
            (rect.x + 1000.0, rect.y),
            (after[id].x, after[id].y),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_layout_of_another_mesh_or_of_nonsense_is_not_followed() {
    let home = tempfile::tempdir().unwrap();
    let (workspace, api) = window(home.path());
    let (_, before) = demo_in(&api).await;
    workspace.keep_positions_now();
    drop((api, workspace));
    let file = home.path().join("state/state.json");
    let kept = std::fs::read_to_string(&file).unwrap();
    for spoilt in [
        kept.replace("app:", "app:other-"),
        kept.replace("\"width\":", "\"width\":-"),
        kept.replace("\"ghosts\":[", "\"ghosts\":[7,"),
    ] {
        assert_ne!(spoilt, kept);
        std::fs::write(&file, spoilt).unwrap();
        let (_workspace, api) = window(home.path());
        let (_, after) = demo_in(&api).await;
        for (id, rect) in &before {
            assert_eq!((rect.x, rect.y), (after[id].x, after[id].y), "{id}");
        }
    }
}

#[tokio::test]
async fn what_stands_elsewhere_is_kept_though_its_version_was_seen_before() {
    let home = tempfile::tempdir().unwrap();
    let (workspace, api) = window(home.path());
    let (_, before) = demo_in(&api).await;
    workspace.keep_positions_now();
    let file = home.path().join("state/state.json");
    let kept = std::fs::read_to_string(&file).unwrap();
    moved_aside(&file);
    workspace.close("demo");
    let (_, moved) = demo_in(&api).await;
    assert_ne!(before, moved);

    // Opened again it counts from the version in the file, which was written before.
    std::fs::write(&file, &kept).unwrap();
    workspace.keep_positions_now();
    assert_ne!(std::fs::read_to_string(&file).unwrap(), kept);
}
