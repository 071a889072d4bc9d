//! The update stream: the newest state after each change, coalesced.

use std::sync::Arc;

use pilothouse_engine::Snapshot;
use tokio::sync::watch;

use crate::api::Api;
use crate::dto::Update;

/// One reader of updates. A slow reader misses some and never gets an older state after a newer one.
#[derive(Debug)]
pub struct Subscription {
    api: Api,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    known_layout: Option<u64>,
    begun: bool,
}

impl Subscription {
    /// Starts reading; the first update comes at once.
    #[must_use]
    pub fn new(api: &Api) -> Self {
        Self {
            api: api.clone(),
            snapshots: api.engine().subscribe(),
            known_layout: None,
            begun: false,
        }
    }

    /// The next update; `None` once the engine is gone.
    pub async fn next(&mut self) -> Option<Update> {
        if self.begun {
            self.snapshots.changed().await.ok()?;
        }
        self.begun = true;
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        let update = self.api.update(&snapshot, self.known_layout);
        self.known_layout = Some(snapshot.layout.version);
        Some(update)
    }
}
