//! How a VirtualService hands requests over to another one, its delegate.

use super::condition::{Condition, read_conditions, takes_everything};
use super::route_api::{IstioSection, RouteApi};
use super::view::text;
use crate::model::{Object, ObjectKind, ObjectRef};

/// Only these entries of a VirtualService can hand over.
pub(super) const DELEGATING: RouteApi = RouteApi::VirtualService(IstioSection::Http);

/// An http entry that hands over to a delegate.
pub(super) struct Delegating {
    /// At least one; without any part it takes every request.
    pub(super) conditions: Vec<Condition>,
    /// Whether it is behind a catch-all.
    pub(super) unreachable: bool,
}

/// The http entries of `root` that hand over to the VirtualService `target`.
pub(super) fn delegating_entries(root: &Object, target: &ObjectRef) -> Vec<Delegating> {
    let mut found = Vec::new();
    if root.reference.kind != ObjectKind::VirtualService {
        return found;
    }
    let mut shadowed = false;
    for entry in DELEGATING.entries(&root.doc) {
        let mut conditions = read_conditions(DELEGATING, entry);
        let Some(delegate) = entry.get("delegate") else {
            shadowed |= takes_everything(&conditions);
            continue;
        };
        let namespace = text(delegate, "namespace").unwrap_or(&root.reference.namespace);
        if text(delegate, "name") == Some(&target.name) && namespace == target.namespace {
            if conditions.is_empty() {
                conditions.push(Condition::default());
            }
            found.push(Delegating {
                conditions,
                unreachable: shadowed,
            });
        }
    }
    found
}
