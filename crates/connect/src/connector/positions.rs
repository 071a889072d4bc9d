//! Where the cards stood, over restarts.

use pilothouse_engine::Layout;
use pilothouse_settings::{ContextKey, StateFile};

use super::Shared;

/// The picture of several contexts is one of its own, in no order of opening.
fn key(shared: &Shared, contexts: &[String]) -> Option<ContextKey> {
    match contexts {
        [] => None,
        [only] => Some(shared.key_of_id(only)),
        several => {
            let mut names = several.to_vec();
            names.sort();
            Some(ContextKey::new(names.join(" + "), None))
        }
    }
}

pub(super) fn load(shared: &Shared, contexts: &[String]) -> Option<Layout> {
    let (state, _) = shared.state();
    let known = state.context(&key(shared, contexts)?)?;
    let layout: Layout = serde_json::from_value(known.positions.clone()?).ok()?;
    layout.is_sound().then_some(layout)
}

pub(super) fn keep(shared: &Shared, contexts: &[String], layout: &Layout) {
    let (Some(file), Some(key)) = (StateFile::of(&shared.folders), key(shared, contexts)) else {
        return;
    };
    let Ok(positions) = serde_json::to_value(layout) else {
        return;
    };
    let now = (shared.clock)();
    let written = file.update(|state| {
        let known = state.context_mut(&key);
        // What was never opened by this name is forgotten first.
        known.last_used.get_or_insert(now);
        known.positions = Some(positions);
    });
    if let Err(error) = written {
        tracing::warn!(%error, "the positions of the cards could not be written down");
    }
}
