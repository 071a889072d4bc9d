//! Plans a weight shift: the patch, its inverse, the outcome, and every reason to hesitate or to refuse.
//!
//! The patch touches the named weights and nothing else. Because the route lists of both APIs are addressed by index, each
//! touched destination is first tested to be the one that was meant; `metadata.resourceVersion` is tested too, so that no
//! change of somebody else is overwritten. The inverse tests the weights that we wrote instead, so that unrelated later
//! changes survive an undo.

use serde_json::{Value, json};
use thiserror::Error;

use super::checks::judge_shift;
use super::patch::{PatchFailure, apply_ops};
use super::route_api::{RouteApi, weight_path, written_weight};
use super::splits::{Surroundings, splits_of};
use super::types::{OpKind, PatchOp, ShiftPlan, ShiftRequest, Split, WeightChange};
use super::undo::LeafConflict;
use crate::model::{Object, Severity};

/// Why no plan can be made: the request does not fit the objects. What is merely unwise is a finding of the plan.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlanError {
    /// The object is gone or its entry has no weighted destinations.
    #[error("{split} is not a route entry with weighted destinations")]
    NoSuchSplit {
        /// `VirtualService/shop/reviews http[0]`.
        split: String,
    },
    /// No destination of the split has this name.
    #[error("no destination is called {name}; there are {known}")]
    NoSuchDestination {
        /// As asked.
        name: String,
        /// Names of the destinations, comma separated.
        known: String,
    },
    /// More than one destination has this name.
    #[error("{name} names more than one destination; say which by position, from #1 to #{count}")]
    AmbiguousDestination {
        /// As asked.
        name: String,
        /// How many destinations the split has.
        count: usize,
    },
    /// Two weights for one destination.
    #[error("{name} is given more than one weight")]
    NamedTwice {
        /// As asked the second time.
        name: String,
    },
    /// The leaves that we wrote have been changed by somebody else since.
    #[error("the weights have been changed since, so the old ones cannot be put back blindly")]
    Conflict {
        /// Each leaf in question with the three values.
        leaves: Vec<LeafConflict>,
    },
    /// The object is not the one that the plan was made for.
    #[error("{found} is not {expected}, which the plan was made for")]
    OtherObject {
        /// Object of the plan.
        expected: String,
        /// Object that was given.
        found: String,
    },
    /// Our own patch does not apply to the document that it was made from.
    #[error("the patch does not apply to its own document")]
    Unpatchable(#[source] PatchFailure),
}

/// Plans the change that `request` asks for. Weights are relative: they need not keep their sum, but a changed sum is noted.
///
/// Findings with [`Severity::Error`] refuse the plan ([`ShiftPlan::refused`]); the patch is there all the same, to be shown.
///
/// # Errors
/// [`PlanError`] if the split or a destination does not exist.
pub fn plan_shift(objects: &[Object], request: &ShiftRequest) -> Result<ShiftPlan, PlanError> {
    let around = Surroundings::of(objects);
    let no_such_split = || PlanError::NoSuchSplit {
        split: request.split.to_string(),
    };
    let object = objects
        .iter()
        .find(|object| object.reference == request.split.object)
        .ok_or_else(no_such_split)?;
    let split = splits_of(object, &around)
        .into_iter()
        .find(|split| split.id == request.split)
        .ok_or_else(no_such_split)?;
    let wanted = resolve(&split, &request.weights)?;
    let weights: Vec<Option<i64>> = split
        .destinations
        .iter()
        .zip(&wanted)
        .map(|(destination, wanted)| wanted.or(destination.weight))
        .collect();

    let api = split.id.api;
    let mut leaves = Vec::new();
    for (index, (destination, wanted)) in split.destinations.iter().zip(&wanted).enumerate() {
        if let Some(after) = *wanted
            && api.counted(destination.weight) != after
        {
            let item = split.id.destination_path(index);
            leaves.push(Leaf::new(api, &object.doc, &item, &destination.name, after));
        }
    }
    let mut ops = Vec::new();
    if leaves.is_empty() {
        // Nothing to write, nothing to test.
    } else if object.resource_version.is_empty() {
        // A manifest has no version; the old weights stand in for it.
        ops.extend(leaves.iter().filter_map(Leaf::test_before));
    } else {
        let version = Value::String(object.resource_version.clone());
        ops.push(op(OpKind::Test, "/metadata/resourceVersion", Some(version)));
    }
    let entry = if leaves.is_empty() {
        Vec::new()
    } else {
        let path = split.id.entry_path();
        let found = object.doc.pointer(&path).unwrap_or(&Value::Null);
        tests_of(found, &path, &api.entry_identity())
    };
    let identity = || {
        let of_leaves = leaves.iter().flat_map(|leaf| leaf.identity.clone());
        entry.iter().cloned().chain(of_leaves)
    };
    ops.extend(identity());
    ops.extend(leaves.iter().map(Leaf::write));
    let mut inverse: Vec<PatchOp> = identity().collect();
    inverse.extend(leaves.iter().map(Leaf::test_after));
    inverse.extend(leaves.iter().map(Leaf::restore));

    let ratios = api.effective_ratios(&weights);
    let findings = judge_shift(&split, &weights, &ratios, leaves.is_empty());
    Ok(ShiftPlan {
        resource_version: object.resource_version.clone(),
        changes: leaves.iter().map(Leaf::change).collect(),
        ratios_after: names(&split).into_iter().zip(ratios).collect(),
        after: apply_ops(&object.doc, &ops).map_err(PlanError::Unpatchable)?,
        before: object.doc.clone(),
        split: split.id,
        ops,
        inverse,
        findings,
    })
}

impl ShiftPlan {
    /// What the weights of the destinations count for after it, in order.
    #[must_use]
    pub fn weights_after(&self) -> Vec<i64> {
        let api = self.split.api;
        let entry = self.after.pointer(&self.split.entry_path());
        let weights = api.weights(entry.unwrap_or(&Value::Null));
        weights
            .into_iter()
            .map(|weight| api.counted(weight))
            .collect()
    }

    /// Whether a finding forbids to write it.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }
}

fn names(split: &Split) -> Vec<String> {
    split.destinations.iter().map(|d| d.name.clone()).collect()
}

/// The wanted weight of each destination, in order; `None` keeps it.
fn resolve(split: &Split, weights: &[(String, i64)]) -> Result<Vec<Option<i64>>, PlanError> {
    let mut wanted = vec![None; split.destinations.len()];
    for (name, weight) in weights {
        let index = position(split, name)?;
        if let Some(slot) = wanted.get_mut(index)
            && slot.replace(*weight).is_some()
        {
            return Err(PlanError::NamedTwice { name: name.clone() });
        }
    }
    Ok(wanted)
}

/// Which destination a person means: `#1` by position (counted from 1), else by name, host, full host or revision, the
/// first of these that fits any.
fn position(split: &Split, name: &str) -> Result<usize, PlanError> {
    let destinations = &split.destinations;
    let unknown = || PlanError::NoSuchDestination {
        name: name.to_owned(),
        known: names(split).join(", "),
    };
    if let Some(number) = name.strip_prefix('#') {
        let number: usize = number.parse().map_err(|_| unknown())?;
        let index = number.checked_sub(1).ok_or_else(unknown)?;
        return (index < destinations.len())
            .then_some(index)
            .ok_or_else(unknown);
    }
    let keys: [fn(&super::Destination) -> Option<&str>; 4] = [
        |d| Some(&d.name),
        |d| Some(&d.host),
        |d| Some(&d.fqdn),
        |d| d.revision.as_deref(),
    ];
    for key in keys {
        let mut fitting = destinations
            .iter()
            .enumerate()
            .filter(|(_, d)| key(d) == Some(name));
        match (fitting.next(), fitting.next()) {
            (Some((index, _)), None) => return Ok(index),
            (Some(_), Some(_)) => {
                return Err(PlanError::AmbiguousDestination {
                    name: name.to_owned(),
                    count: destinations.len(),
                });
            }
            (None, _) => {}
        }
    }
    Err(unknown())
}

pub(super) fn op(kind: OpKind, path: impl Into<String>, value: Option<Value>) -> PatchOp {
    PatchOp {
        op: kind,
        path: path.into(),
        value,
    }
}

/// One weight to write.
struct Leaf {
    destination: String,
    path: String,
    /// Value of the field as it stands; `None` if it is absent.
    before: Option<Value>,
    after: i64,
    /// Tests that the element at this index is the destination that was meant.
    identity: Vec<PatchOp>,
}

impl Leaf {
    fn new(api: RouteApi, doc: &Value, item: &str, destination: &str, after: i64) -> Self {
        let found = doc.pointer(item).unwrap_or(&Value::Null);
        Self {
            destination: destination.to_owned(),
            path: weight_path(item),
            before: written_weight(found).cloned(),
            after,
            identity: tests_of(found, item, api.destination_identity()),
        }
    }

    fn change(&self) -> WeightChange {
        WeightChange {
            destination: self.destination.clone(),
            path: self.path.clone(),
            before: self.before.as_ref().and_then(Value::as_i64),
            after: Some(self.after),
        }
    }

    fn write(&self) -> PatchOp {
        let kind = if self.before.is_some() {
            OpKind::Replace
        } else {
            OpKind::Add
        };
        op(kind, &self.path, Some(json!(self.after)))
    }

    fn test_before(&self) -> Option<PatchOp> {
        let before = self.before.clone()?;
        Some(op(OpKind::Test, &self.path, Some(before)))
    }

    fn test_after(&self) -> PatchOp {
        op(OpKind::Test, &self.path, Some(json!(self.after)))
    }

    fn restore(&self) -> PatchOp {
        match &self.before {
            Some(before) => op(OpKind::Replace, &self.path, Some(before.clone())),
            None => op(OpKind::Remove, &self.path, None),
        }
    }
}

/// Tests of those fields that are there.
fn tests_of(item: &Value, path: &str, fields: &[&str]) -> Vec<PatchOp> {
    fields
        .iter()
        .filter_map(|field| {
            let value = item.get(field)?.clone();
            Some(op(OpKind::Test, format!("{path}/{field}"), Some(value)))
        })
        .collect()
}

#[cfg(test)]
mod tests;
