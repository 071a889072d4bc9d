//! The update stream: the newest state after each change, coalesced.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::api::Api;
use crate::dto::Update;

/// Several contexts tick together and answer a little apart: so long their news are gathered into one update. Each update
/// is a graph folded, sent and painted.
const GATHER: Duration = Duration::from_millis(150);

/// One reader of updates. A slow reader misses some and never gets an older state after a newer one.
#[derive(Debug)]
pub struct Subscription {
    api: Api,
    news: watch::Receiver<u64>,
    known_layout: Option<(u64, u64)>,
    begun: bool,
}

impl Subscription {
    /// Starts reading; the first update comes at once.
    #[must_use]
    pub fn new(api: &Api) -> Self {
        Self {
            api: api.clone(),
            news: api.workspace().news(),
            known_layout: None,
            begun: false,
        }
    }

    /// The next update; `None` once the workspace is gone.
    pub async fn next(&mut self) -> Option<Update> {
        if self.begun {
            self.news.changed().await.ok()?;
            if self.api.workspace().members().len() > 1 {
                sleep(GATHER).await;
            }
        }
        self.begun = true;
        self.news.mark_unchanged();
        let api = self.api.clone();
        let known = self.known_layout;
        // A thousand services take longer than a task may hold its thread.
        let (update, layout) = tokio::task::spawn_blocking(move || api.update(known))
            .await
            .ok()?;
        self.known_layout = Some(layout);
        Some(update)
    }
}
