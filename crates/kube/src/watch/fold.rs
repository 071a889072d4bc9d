//! Makes one story of a kind out of the streams of its places.
//!
//! A list replaces everything that is known of a kind, so with several namespaces it must hold the objects of all of
//! them. With one place nothing is kept here.

use std::collections::BTreeMap;

use pilothouse_core::model::{Object, ObjectKind, ObjectRef, SourceError};
use pilothouse_core::ports::ObjectEvent;

use super::Told;

/// What one place last said.
#[derive(Clone, Debug, Default)]
enum Place {
    /// Nothing yet.
    #[default]
    Silent,
    /// Its objects, and what went wrong since.
    Known {
        objects: BTreeMap<ObjectRef, Object>,
        failure: Option<SourceError>,
    },
    /// The kind is not installed.
    Absent,
    /// It failed before it ever listed.
    Failed(SourceError),
}

/// The places of one kind.
pub(super) struct Fold {
    kind: ObjectKind,
    places: Vec<Place>,
}

impl Fold {
    pub(super) fn new(kind: ObjectKind, n_places: usize) -> Self {
        Self {
            kind,
            places: vec![Place::Silent; n_places],
        }
    }

    /// What the kind as a whole says after one of its places spoke.
    pub(super) fn take(&mut self, place: usize, told: Told) -> Vec<ObjectEvent> {
        if self.places.len() == 1 {
            return vec![self.alone(told)];
        }
        let was_complete = self.is_complete();
        let Some(slot) = self.places.get_mut(place) else {
            return Vec::new();
        };
        match told {
            Told::Listed(objects) => {
                let objects = objects.into_iter().map(|o| (o.reference.clone(), o));
                *slot = Place::Known {
                    objects: objects.collect(),
                    failure: None,
                };
                self.everything()
            }
            Told::Absent => {
                *slot = Place::Absent;
                self.everything()
            }
            Told::Failed(error) => {
                match slot {
                    Place::Known { failure, .. } => *failure = Some(error.clone()),
                    Place::Silent | Place::Absent | Place::Failed(_) => {
                        *slot = Place::Failed(error.clone());
                    }
                }
                if was_complete {
                    vec![self.failed(error)]
                } else {
                    self.everything()
                }
            }
            Told::Applied(object) => {
                if let Place::Known { objects, .. } = slot {
                    objects.insert(object.reference.clone(), (*object).clone());
                }
                if was_complete {
                    vec![ObjectEvent::Applied(object)]
                } else {
                    Vec::new()
                }
            }
            Told::Deleted(reference) => {
                if let Place::Known { objects, .. } = slot {
                    objects.remove(&reference);
                }
                if was_complete {
                    vec![ObjectEvent::Deleted(reference)]
                } else {
                    Vec::new()
                }
            }
        }
    }

    fn alone(&self, told: Told) -> ObjectEvent {
        match told {
            Told::Listed(objects) => ObjectEvent::Listed {
                kind: self.kind,
                objects,
            },
            Told::Applied(object) => ObjectEvent::Applied(object),
            Told::Deleted(reference) => ObjectEvent::Deleted(reference),
            Told::Absent => ObjectEvent::Absent(self.kind),
            Told::Failed(error) => self.failed(error),
        }
    }

    /// Whether every place has said something; before that there is no list to give.
    fn is_complete(&self) -> bool {
        !self
            .places
            .iter()
            .any(|place| matches!(place, Place::Silent))
    }

    /// The list of all places, then the failures that still stand: the last word on a kind must be the true one.
    fn everything(&self) -> Vec<ObjectEvent> {
        if !self.is_complete() {
            return Vec::new();
        }
        let mut events = Vec::new();
        let mut listed = Vec::new();
        let mut any_known = false;
        let mut any_absent = false;
        let mut failures = Vec::new();
        for place in &self.places {
            match place {
                Place::Silent => {}
                Place::Known { objects, failure } => {
                    any_known = true;
                    listed.extend(objects.values().cloned());
                    failures.extend(failure.clone());
                }
                Place::Absent => any_absent = true,
                Place::Failed(error) => failures.push(error.clone()),
            }
        }
        if any_known {
            events.push(ObjectEvent::Listed {
                kind: self.kind,
                objects: listed,
            });
        } else if any_absent {
            events.push(ObjectEvent::Absent(self.kind));
        }
        events.extend(failures.into_iter().map(|error| self.failed(error)));
        events
    }

    fn failed(&self, error: SourceError) -> ObjectEvent {
        ObjectEvent::Failed {
            kind: self.kind,
            error,
        }
    }
}

#[cfg(test)]
mod tests;
