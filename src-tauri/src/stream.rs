//! Updates to the window: one channel at a time. A reloaded page subscribes anew, which ends the orphaned stream.
#![expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands arguments over by value"
)]

use std::sync::{Mutex, PoisonError};

use pilothouse_api::dto::Update;
use pilothouse_api::{Api, Subscription};
use tauri::async_runtime::{JoinHandle, spawn};
use tauri::ipc::Channel;
use tauri::{State, command};

/// The stream of the page that is loaded now.
#[derive(Default)]
pub(crate) struct Current(Mutex<Option<JoinHandle<()>>>);

#[command]
pub(crate) fn subscribe(
    api: State<'_, Api>,
    current: State<'_, Current>,
    channel: Channel<Update>,
) {
    let mut subscription = Subscription::new(&api);
    let stream = spawn(async move {
        while let Some(update) = subscription.next().await {
            if channel.send(update).is_err() {
                return;
            }
        }
    });
    let before = current
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .replace(stream);
    if let Some(orphaned) = before {
        orphaned.abort();
    }
}
