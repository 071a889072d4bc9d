//! What the server lets us change.

use std::collections::BTreeSet;
use std::sync::Arc;

use pilothouse_core::model::ObjectRef;
use tokio::task::JoinSet;

use crate::api::Api;
use crate::dto::RightView;

/// Objects that are asked about, at most: each is a request of its own.
const MOST: usize = 40;

impl Api {
    /// Whether each object whose weights could be shifted may be patched by us, sorted; empty without a control plane.
    pub async fn rights(&self) -> Vec<RightView> {
        let engine = self.engine();
        let Ok(control_plane) = engine.sources().control_plane.clone() else {
            return Vec::new();
        };
        let snapshot = engine.snapshot();
        let objects: BTreeSet<ObjectRef> = snapshot
            .splits
            .iter()
            .filter(|split| split.split.destinations.len() > 1)
            .map(|split| split.split.id.object.clone())
            .collect();
        let mut asking = JoinSet::new();
        for object in objects.into_iter().take(MOST) {
            let control_plane = Arc::clone(&control_plane);
            asking.spawn(async move {
                let allowed = control_plane.may_patch(&object).await.ok();
                (object, allowed)
            });
        }
        let mut answers = asking.join_all().await;
        answers.sort();
        answers
            .into_iter()
            .map(|(object, allowed)| RightView {
                verb: "patch".to_owned(),
                kind: object.kind.as_str().to_owned(),
                namespace: object.namespace,
                name: object.name,
                allowed,
            })
            .collect()
    }
}
