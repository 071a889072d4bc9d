//! The query loop of watched changes: each is judged by a window of its own, counted from the counters' own samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_core::ports::MetricsSource;
use pilothouse_core::traffic::{self, Counted};
use tokio::task::JoinSet;
use tracing::warn;

use super::Changes;
use super::effect::ShiftWatch;
use crate::observation::{QueryRecord, count_requests};

/// What was counted for a watch, if it could be, and how it was asked for.
type Looked = (Option<Counted>, QueryRecord);

/// One window to be counted.
struct Look {
    entry: String,
    hosts: Vec<String>,
    window: TimeSpan,
    scrape: TimeSpan,
}

impl Look {
    /// `None` before the window of this change has begun.
    fn at(watch: &ShiftWatch, now: Moment) -> Option<Self> {
        let window = watch.convergence.window(now);
        (watch.open(now) && window > TimeSpan(0)).then(|| Self {
            entry: watch.entry.clone(),
            hosts: watch.hosts.clone(),
            window,
            scrape: watch.convergence.scrape,
        })
    }
}

impl Changes {
    pub(crate) async fn wants_look(&self) {
        self.look_wanted.notified().await;
    }

    /// Looks once at the effect of every change that is still open, and publishes what was seen. Asks nothing if none is.
    pub(crate) async fn look_at_effects(&self) {
        let _one_at_a_time = self.looking.lock().await;
        let Ok(metrics) = &self.observation.sources().metrics else {
            return;
        };
        let now = self.observation.now();
        let watches = self.watches();
        let looks: Vec<Look> = watches.iter().filter_map(|w| Look::at(w, now)).collect();
        if looks.is_empty() {
            return;
        }
        let looked = look_at_all(metrics, self.observation.now_there(), looks).await;
        let objects = self.observation.objects();
        let reading = tokio::task::spawn_blocking(move || traffic::read_splits(&objects));
        let Ok(splits) = reading.await else {
            warn!(
                "reading the splits was cut off; the effect of changes is judged at the next look"
            );
            return;
        };
        self.watches.send_modify(|watches| {
            for watch in Arc::make_mut(watches) {
                // One that was begun meanwhile waits for its own window.
                if watch.open(now)
                    && let Some((counted, asked)) = looked.get(&watch.entry)
                {
                    watch.step(now, &splits, counted.as_ref());
                    watch.asked = Some(asked.clone());
                }
            }
        });
    }
}

async fn look_at_all(
    metrics: &Arc<dyn MetricsSource>,
    at: Moment,
    looks: Vec<Look>,
) -> BTreeMap<String, Looked> {
    let mut looking = JoinSet::new();
    for look in looks {
        let metrics = Arc::clone(metrics);
        looking.spawn(async move {
            let looked = count_requests(&*metrics, &look.hosts, at, look.window, look.scrape).await;
            (look.entry, looked)
        });
    }
    let mut looked = BTreeMap::new();
    while let Some(done) = looking.join_next().await {
        if let Ok((entry, answer)) = done {
            looked.insert(entry, answer);
        }
    }
    looked
}
