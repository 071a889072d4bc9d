//! JSON Patch on our side: the `test`, `add`, `replace` and `remove` of RFC 6902, so that a plan can show its outcome and
//! the demo mesh can answer like an API server.
//!
//! All or nothing: a failure leaves the document as it was. A failed `test` is told apart from a patch that does not fit,
//! because the first means that somebody else changed the object and the second that the plan is wrong.

use serde_json::Value;
use thiserror::Error;

use super::types::{OpKind, PatchOp};

/// Why a patch did not apply.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PatchFailure {
    /// A `test` found something else. An API server answers 422 to this.
    #[error("the value at {path} is no longer the expected one")]
    TestFailed {
        /// Where.
        path: String,
        /// What the patch expected.
        expected: Value,
        /// What is there; `None` if nothing is.
        found: Option<Value>,
    },
    /// A path leads nowhere.
    #[error("there is nothing at {path} to {op}")]
    BadPath {
        /// Which path.
        path: String,
        /// The operation in words.
        op: &'static str,
    },
    /// An operation that needs a value has none.
    #[error("the operation at {path} has no value")]
    NoValue {
        /// Which path.
        path: String,
    },
}

/// Applies the operations in order to a copy of `doc`.
///
/// # Errors
/// [`PatchFailure`] names the first operation that does not apply; `doc` is untouched.
pub fn apply_ops(doc: &Value, ops: &[PatchOp]) -> Result<Value, PatchFailure> {
    let mut patched = doc.clone();
    for op in ops {
        apply_op(&mut patched, op)?;
    }
    Ok(patched)
}

fn apply_op(doc: &mut Value, op: &PatchOp) -> Result<(), PatchFailure> {
    let path = op.path.as_str();
    let value = || {
        op.value.clone().ok_or_else(|| PatchFailure::NoValue {
            path: path.to_owned(),
        })
    };
    let nowhere = |op: &'static str| PatchFailure::BadPath {
        path: path.to_owned(),
        op,
    };
    match op.op {
        OpKind::Test => {
            let expected = value()?;
            let found = find(doc, path);
            if found.is_some_and(|found| same(found, &expected)) {
                return Ok(());
            }
            Err(PatchFailure::TestFailed {
                path: path.to_owned(),
                found: found.cloned(),
                expected,
            })
        }
        OpKind::Replace => {
            let new = value()?;
            *find_mut(doc, path).ok_or_else(|| nowhere("replace"))? = new;
            Ok(())
        }
        OpKind::Add => {
            let new = value()?;
            add(doc, path, new).ok_or_else(|| nowhere("add to"))
        }
        OpKind::Remove => remove(doc, path).ok_or_else(|| nowhere("remove")),
    }
}

/// Equality of RFC 6902 section 4.6: numbers by value (`1` is `1.0`), objects whatever their order.
fn same(left: &Value, right: &Value) -> bool {
    if let (Value::Number(left), Value::Number(right)) = (left, right) {
        return left == right || (left.as_f64() == right.as_f64() && left.as_f64().is_some());
    }
    if let (Some(left), Some(right)) = (left.as_array(), right.as_array()) {
        return left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r));
    }
    if let (Some(left), Some(right)) = (left.as_object(), right.as_object()) {
        return left.len() == right.len()
            && left
                .iter()
                .all(|(key, l)| right.get(key).is_some_and(|r| same(l, r)));
    }
    left == right
}

/// Splits a pointer into its parent and its unescaped last token; `None` for the whole document or a bad pointer.
fn split_last(path: &str) -> Option<(&str, String)> {
    let (parent, token) = path.rsplit_once('/')?;
    Some((parent, token.replace("~1", "/").replace("~0", "~")))
}

/// RFC 6901 allows no leading zeros and no sign; a plain `parse` would take both.
fn array_index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    canonical.then(|| token.parse().ok()).flatten()
}

fn find<'a>(doc: &'a Value, path: &str) -> Option<&'a Value> {
    doc.pointer(path)
}

fn find_mut<'a>(doc: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    doc.pointer_mut(path)
}

fn add(doc: &mut Value, path: &str, new: Value) -> Option<()> {
    if path.is_empty() {
        *doc = new;
        return Some(());
    }
    let (parent, token) = split_last(path)?;
    let parent = find_mut(doc, parent)?;
    if let Some(map) = parent.as_object_mut() {
        map.insert(token, new);
        return Some(());
    }
    let items = parent.as_array_mut()?;
    let at = if token == "-" {
        items.len()
    } else {
        array_index(&token).filter(|&at| at <= items.len())?
    };
    items.insert(at, new);
    Some(())
}

fn remove(doc: &mut Value, path: &str) -> Option<()> {
    let (parent, token) = split_last(path)?;
    let parent = find_mut(doc, parent)?;
    if let Some(map) = parent.as_object_mut() {
        return map.remove(&token).map(drop);
    }
    let items = parent.as_array_mut()?;
    let at = array_index(&token).filter(|&at| at < items.len())?;
    items.remove(at);
    Some(())
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]
mod tests;
