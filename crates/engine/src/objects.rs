//! The declared objects as last heard of, with what is known of each kind's watch.

use std::collections::{BTreeMap, BTreeSet};

use pilothouse_core::model::{Object, ObjectKind, ObjectRef, SourceError};
use pilothouse_core::ports::ObjectEvent;

/// Objects by reference. Old objects stay when their watch fails: stale beats gone.
#[derive(Debug, Default)]
pub(crate) struct ObjectStore {
    objects: BTreeMap<ObjectRef, Object>,
    listed: BTreeSet<ObjectKind>,
    absent: BTreeSet<ObjectKind>,
    failures: BTreeMap<ObjectKind, SourceError>,
}

impl ObjectStore {
    /// Takes one event of a watch.
    pub(crate) fn take(&mut self, event: ObjectEvent) {
        match event {
            ObjectEvent::Listed { kind, objects } => {
                self.objects.retain(|reference, _| reference.kind != kind);
                self.objects
                    .extend(objects.into_iter().map(|o| (o.reference.clone(), o)));
                self.mend(kind);
                self.absent.remove(&kind);
            }
            // One namespace's change says nothing of another's failure: only a list of the whole kind mends it.
            ObjectEvent::Applied(object) => {
                self.objects.insert(object.reference.clone(), *object);
            }
            ObjectEvent::Deleted(reference) => {
                self.objects.remove(&reference);
            }
            ObjectEvent::Absent(kind) => {
                self.objects.retain(|reference, _| reference.kind != kind);
                self.mend(kind);
                self.absent.insert(kind);
            }
            ObjectEvent::Failed { kind, error } => {
                self.failures.insert(kind, error);
            }
        }
    }

    /// All objects, sorted by reference.
    pub(crate) fn all(&self) -> Vec<Object> {
        self.objects.values().cloned().collect()
    }

    /// Whether every kind has answered in some way (list, absence or failure).
    pub(crate) fn complete(&self) -> bool {
        ObjectKind::ALL
            .iter()
            .all(|kind| self.listed.contains(kind) || self.failures.contains_key(kind))
    }

    /// Kinds that were never listed, or whose last call failed: what they hold is not known.
    pub(crate) fn unknown(&self) -> Vec<ObjectKind> {
        let is_known = |kind| self.listed.contains(kind) && !self.failures.contains_key(kind);
        let kinds = ObjectKind::ALL.iter().filter(|kind| !is_known(kind));
        kinds.copied().collect()
    }

    /// Whether any kind has ever been listed.
    pub(crate) fn any_listed(&self) -> bool {
        !self.listed.is_empty()
    }

    /// The gravest present failure: the first in watching order.
    pub(crate) fn failure(&self) -> Option<&SourceError> {
        ObjectKind::ALL
            .iter()
            .find_map(|kind| self.failures.get(kind))
    }

    /// Whether some kinds answer while others fail. A kind that has not been heard of yet does not count as answering.
    pub(crate) fn partly_failed(&self) -> bool {
        let answers = |kind| !self.failures.contains_key(kind);
        !self.failures.is_empty() && self.listed.iter().any(answers)
    }

    fn mend(&mut self, kind: ObjectKind) {
        self.listed.insert(kind);
        self.failures.remove(&kind);
    }
}

#[cfg(test)]
mod tests {
    use pilothouse_core::model::{SourceErrorKind, SourceKind};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_in_one_namespace_does_not_mend_the_failure_of_another() {
        let kind = ObjectKind::Service;
        let doc = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "a"}});
        let object = Object::from_document(doc).unwrap();
        let error = SourceError::new(SourceKind::ControlPlane, SourceErrorKind::Forbidden, "b");
        let mut store = ObjectStore::default();
        let listed = |objects| ObjectEvent::Listed { kind, objects };
        store.take(listed(vec![object.clone()]));
        store.take(ObjectEvent::Failed { kind, error });
        store.take(ObjectEvent::Applied(Box::new(object)));
        assert!(store.failure().is_some());
        store.take(listed(Vec::new()));
        assert!(store.failure().is_none());
    }
}
