//! The session: where we are and whether we may write.

use pilothouse_core::model::Moment;
use pilothouse_engine::{Class, Engine};

use crate::dto::{SessionView, WritesView};

/// Windows on offer, seconds.
const WINDOWS: [f64; 7] = [60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];

pub(crate) fn session_view(engine: &Engine, cluster: Option<&str>) -> SessionView {
    let snapshot = engine.snapshot();
    let identity = snapshot.identity.as_ref();
    let config = engine.config();
    let armed_until = engine.changes().armed_until();
    let remaining =
        |until: Moment| (until.0 != i64::MAX).then(|| until.since(engine.now()).as_seconds());
    SessionView {
        context: config.context.clone(),
        cluster: cluster.map(str::to_owned),
        server: identity.map(|i| i.server.clone()).unwrap_or_default(),
        user: identity.and_then(|i| i.user.clone()),
        server_version: identity.and_then(|i| i.version.clone()),
        class: config.class.as_str().to_owned(),
        class_label: config.class_label.clone(),
        colour: config.colour.clone(),
        warnings: engine
            .sources()
            .findings
            .iter()
            .map(|finding| finding.message.clone())
            .collect(),
        namespaces: config.namespaces.clone(),
        writes: WritesView {
            armed: armed_until.is_some(),
            remaining_s: armed_until.and_then(remaining),
            needs_name: config.class == Class::Production,
            forbidden: config.read_only,
        },
        window_s: engine.window().as_seconds(),
        windows: WINDOWS.to_vec(),
        refresh_s: config.tick.as_secs_f64(),
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
