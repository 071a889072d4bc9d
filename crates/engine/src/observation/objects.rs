//! The declared objects as last heard of, with what is known of each kind's watch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pilothouse_core::model::{Object, ObjectKind, ObjectRef, SourceError};
use pilothouse_core::ports::ObjectEvent;

/// Objects by kind and reference. Old objects stay when their watch fails: stale beats gone.
#[derive(Debug, Default)]
pub(crate) struct ObjectStore {
    objects: BTreeMap<ObjectKind, BTreeMap<ObjectRef, Arc<Object>>>,
    listed: BTreeSet<ObjectKind>,
    absent: BTreeSet<ObjectKind>,
    failures: BTreeMap<ObjectKind, SourceError>,
}

impl ObjectStore {
    /// Takes one event of a watch; answers what it replaced.
    pub(crate) fn take(&mut self, event: ObjectEvent) -> Vec<Arc<Object>> {
        match event {
            ObjectEvent::Listed { kind, objects } => {
                let listed = objects.into_iter();
                let listed = listed.map(|o| (o.reference.clone(), Arc::new(o)));
                let replaced = self.objects.insert(kind, listed.collect());
                self.mend(kind);
                self.absent.remove(&kind);
                values(replaced)
            }
            // One namespace's change says nothing of another's failure: only a list of the whole kind mends it.
            ObjectEvent::Applied(object) => {
                let reference = object.reference.clone();
                let of_kind = self.objects.entry(reference.kind).or_default();
                let replaced = of_kind.insert(reference, Arc::from(object));
                replaced.into_iter().collect()
            }
            ObjectEvent::Deleted(reference) => {
                let of_kind = self.objects.get_mut(&reference.kind);
                let replaced = of_kind.and_then(|of_kind| of_kind.remove(&reference));
                replaced.into_iter().collect()
            }
            ObjectEvent::Absent(kind) => {
                let replaced = values(self.objects.remove(&kind));
                self.mend(kind);
                self.absent.insert(kind);
                replaced
            }
            ObjectEvent::Failed { kind, error } => {
                self.failures.insert(kind, error);
                Vec::new()
            }
        }
    }

    /// All objects, sorted by reference.
    pub(crate) fn all(&self) -> Vec<Arc<Object>> {
        let by_kind = self.objects.values();
        by_kind.flat_map(BTreeMap::values).cloned().collect()
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

fn values(objects: Option<BTreeMap<ObjectRef, Arc<Object>>>) -> Vec<Arc<Object>> {
    objects
        .into_iter()
        .flat_map(BTreeMap::into_values)
        .collect()
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
