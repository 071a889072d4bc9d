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
            ObjectEvent::Applied(object) => {
                self.mend(object.reference.kind);
                self.objects.insert(object.reference.clone(), *object);
            }
            ObjectEvent::Deleted(reference) => {
                self.mend(reference.kind);
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
