//! The query loop of watched changes: each is judged by a window of its own, whatever the graph asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_core::ports::{MetricRow, MetricsSource};
use pilothouse_core::traffic;
use tokio::task::JoinSet;
use tracing::warn;

use super::Changes;
use super::effect::find_split;
use crate::observation::{QueryRecord, ask_judged};

/// Requests by destination in one window, if they could be had, and how they were asked for.
type Judged = (Option<Vec<MetricRow>>, QueryRecord);

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
        let windows: Vec<TimeSpan> = self
            .watches
            .borrow()
            .iter()
            .filter(|watch| watch.open(now))
            .map(|watch| watch.convergence.window())
            .collect();
        if windows.is_empty() {
            return;
        }
        let judged = ask_windows(metrics, self.observation.now_there(), windows).await;
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
                    && let Some((rows, asked)) = judged.get(&watch.convergence.window())
                {
                    let split = find_split(&splits, &watch.split);
                    watch.step(now, split, rows.as_deref());
                    watch.asked = Some(asked.clone());
                }
            }
        });
    }
}

async fn ask_windows(
    metrics: &Arc<dyn MetricsSource>,
    at: Moment,
    windows: Vec<TimeSpan>,
) -> BTreeMap<TimeSpan, Judged> {
    let mut asking = JoinSet::new();
    let mut judged = BTreeMap::new();
    for window in windows {
        if judged.insert(window, None).is_none() {
            let metrics = Arc::clone(metrics);
            asking.spawn(async move { (window, ask_judged(&metrics, at, window).await) });
        }
    }
    while let Some(done) = asking.join_next().await {
        if let Ok((window, answer)) = done {
            judged.insert(window, Some(answer));
        }
    }
    judged
        .into_iter()
        .filter_map(|(window, answer)| Some((window, answer?)))
        .collect()
}
