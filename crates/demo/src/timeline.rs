//! The declared objects over time: what the mesh starts with and every applied change with its moment.
//!
//! The only mutable state of the demo mesh. Readers ask for the objects after so many edits; the traffic of a stretch of
//! time follows from the objects in force then, so that history never changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use pilothouse_core::model::{Moment, Object, ObjectRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::objects::reference_of;

/// One applied change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// When it was applied.
    pub at: Moment,
    /// Which object.
    pub reference: ObjectRef,
    /// The whole document after it, with server metadata.
    pub doc: Value,
}

#[derive(Debug)]
struct State {
    current: BTreeMap<ObjectRef, Value>,
    edits: Vec<Edit>,
    /// resourceVersion of the latest write.
    version: u64,
    /// Watches that wait for the next edit.
    wakers: Vec<Waker>,
}

/// The objects over time.
#[derive(Debug)]
pub(crate) struct Timeline {
    base: BTreeMap<ObjectRef, Value>,
    state: Mutex<State>,
}

impl Timeline {
    /// Edits in any order; those whose document is not an object of a known kind are left out.
    pub(crate) fn new(base: BTreeMap<ObjectRef, Value>, mut edits: Vec<Edit>) -> Self {
        edits.retain(|edit| reference_of(&edit.doc).as_ref() == Some(&edit.reference));
        edits.sort_by_key(|edit| edit.at);
        let mut current = base.clone();
        current.extend(edits.iter().map(|e| (e.reference.clone(), e.doc.clone())));
        let version = base
            .values()
            .chain(edits.iter().map(|edit| &edit.doc))
            .filter_map(version_of)
            .max()
            .unwrap_or(0);
        Self {
            base,
            state: Mutex::new(State {
                current,
                edits,
                version,
                wakers: Vec::new(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is a single assignment or push: a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current documents that `wanted` takes, in order of their references.
    pub(crate) fn documents(&self, wanted: impl Fn(&ObjectRef) -> bool) -> Vec<Value> {
        let state = self.state();
        let chosen = state.current.iter().filter(|(r, _)| wanted(r));
        chosen.map(|(_, doc)| doc.clone()).collect()
    }

    pub(crate) fn document(&self, reference: &ObjectRef) -> Option<Value> {
        self.state().current.get(reference).cloned()
    }

    /// Writes a document if the object is still at the resourceVersion that the caller saw; `finish` gets the next
    /// resourceVersion. `None` if somebody was faster.
    pub(crate) fn write(
        &self,
        now: Moment,
        reference: &ObjectRef,
        seen: &str,
        finish: impl FnOnce(u64) -> Value,
    ) -> Option<Value> {
        let mut state = self.state();
        let live = state.current.get(reference)?;
        if live
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str)
            != Some(seen)
        {
            return None;
        }
        let doc = finish(state.version + 1);
        // The clock may stand still or step back; edits stay in order.
        let at = state.edits.last().map_or(now, |last| now.max(last.at));
        state.version += 1;
        state.current.insert(reference.clone(), doc.clone());
        state.edits.push(Edit {
            at,
            reference: reference.clone(),
            doc: doc.clone(),
        });
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        for waker in wakers {
            waker.wake();
        }
        Some(doc)
    }

    pub(crate) fn edits(&self) -> Vec<Edit> {
        self.state().edits.clone()
    }

    /// Number of edits so far.
    pub(crate) fn len(&self) -> usize {
        self.state().edits.len()
    }

    /// Documents written since the first `from` edits. If there are none, `waker` is called at the next one.
    pub(crate) fn edits_since(&self, from: usize, waker: &Waker) -> Vec<Value> {
        let mut state = self.state();
        let news: Vec<Value> = state
            .edits
            .iter()
            .skip(from)
            .map(|e| e.doc.clone())
            .collect();
        if news.is_empty() && !state.wakers.iter().any(|w| w.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        news
    }

    /// Moments of all edits, in order.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        self.state().edits.iter().map(|edit| edit.at).collect()
    }

    /// All objects as they were after the first `n_edits` edits.
    pub(crate) fn objects_after(&self, n_edits: usize) -> Vec<Object> {
        let changed: BTreeMap<ObjectRef, Value> = {
            let state = self.state();
            let early = state.edits.iter().take(n_edits);
            early
                .map(|e| (e.reference.clone(), e.doc.clone()))
                .collect()
        };
        let untouched = self.base.iter().filter(|(r, _)| !changed.contains_key(r));
        untouched
            .map(|(_, doc)| doc)
            .chain(changed.values())
            .filter_map(|doc| Object::from_document(doc.clone()))
            .collect()
    }
}

fn version_of(doc: &Value) -> Option<u64> {
    let text = doc.pointer("/metadata/resourceVersion")?.as_str()?;
    text.parse().ok()
}
