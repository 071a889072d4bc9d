//! `state.json`: what the program remembers by itself, so that a restart shows what was there. Nobody edits it. A person's
//! choices are in [`crate::Settings`]; nothing here is worth more than the trouble of setting it up again.
//!
//! Every change reads the file anew under a lock and changes it there, so of two processes the last one to write a
//! context's entry wins for this entry and for no other.

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use pilothouse_core::model::Moment;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use file::{StateError, StateFile};

use crate::context_key::ContextKey;

/// Version of the form that we write. A reader of this version keeps what it does not know, so the number only rises when
/// something known changes its meaning.
pub const SCHEMA: u32 = 1;
/// Contexts whose positions of cards are remembered: those used last.
pub const MOST_POSITIONS: usize = 50;
/// Contexts that are remembered at all.
pub const MOST_CONTEXTS: usize = 500;

/// Everything remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of the form.
    pub schema: u32,
    /// Place of the window; `None` before it was ever moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowPlace>,
    /// Screen that was open, in the window's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
    /// The window's own state, in its own words; `None` before it kept any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Contexts that were open, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<ContextKey>,
    /// What is remembered for each context, in no order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contexts: Vec<ContextState>,
    /// What a later version wrote and this one does not know.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            window: None,
            screen: None,
            page: None,
            open: Vec::new(),
            contexts: Vec::new(),
            unknown: Map::new(),
        }
    }
}

/// Place of the window, in logical pixels of its screen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// Left edge; may be negative with several screens.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width of the content.
    pub width: f64,
    /// Height of the content.
    pub height: f64,
    /// Whether it fills the screen; the rest is then its place before.
    #[serde(default)]
    pub maximised: bool,
}

/// What is remembered for one context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextState {
    /// Which one.
    pub context: ContextKey,
    /// When it was last connected; `None` if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Moment>,
    /// Why it last failed to connect; `None` if it did not, or has connected since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<Failure>,
    /// Text of the filter; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Namespaces that were switched off.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden_namespaces: BTreeSet<String>,
    /// Figures shown on calls, in the window's own words; `None` if they were never chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Vec<String>>,
    /// Positions of the cards, as the layout writes them; forgotten for contexts not used for long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<Value>,
    /// Weights that were chosen and not sent, as the window writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drafts: Option<Value>,
    /// What a later version wrote and this one does not know.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl ContextState {
    /// Nothing yet.
    #[must_use]
    pub fn new(context: ContextKey) -> Self {
        Self {
            context,
            last_used: None,
            last_failure: None,
            filter: String::new(),
            hidden_namespaces: BTreeSet::new(),
            figures: None,
            positions: None,
            drafts: None,
            unknown: Map::new(),
        }
    }
}

/// Why a context could not be connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When.
    pub at: Moment,
    /// Stable name of the kind of failure.
    pub code: String,
    /// For people; never holds a secret, since the callers' messages do not.
    pub message: String,
}

impl State {
    /// What is remembered for this context; `None` if nothing.
    #[must_use]
    pub fn context(&self, key: &ContextKey) -> Option<&ContextState> {
        self.contexts.iter().find(|entry| entry.context == *key)
    }

    /// The entry of this context, made if it is missing.
    pub fn context_mut(&mut self, key: &ContextKey) -> &mut ContextState {
        let at = self.contexts.iter().position(|entry| entry.context == *key);
        let at = at.unwrap_or_else(|| {
            self.contexts.push(ContextState::new(key.clone()));
            self.contexts.len() - 1
        });
        &mut self.contexts[at]
    }

    /// Every context that something is remembered for, the one used last first.
    #[must_use]
    pub fn contexts(&self) -> Vec<&ContextState> {
        let mut all: Vec<&ContextState> = self.contexts.iter().collect();
        all.sort_by(|a, b| {
            b.last_used
                .cmp(&a.last_used)
                .then(a.context.cmp(&b.context))
        });
        all
    }

    /// Forgets what JSON cannot say (a place that is no number), and what was not used for long: positions behind the first [`MOST_POSITIONS`] contexts, everything behind the
    /// first [`MOST_CONTEXTS`]. Drafts stay as long as their context is known.
    pub(crate) fn prune(&mut self) {
        let is_number = |place: &WindowPlace| {
            let all = [place.x, place.y, place.width, place.height];
            all.into_iter().all(f64::is_finite)
        };
        self.window = self.window.filter(is_number);
        self.contexts.sort_by(|a, b| {
            b.last_used
                .cmp(&a.last_used)
                .then(a.context.cmp(&b.context))
        });
        self.contexts.truncate(MOST_CONTEXTS);
        for entry in self.contexts.iter_mut().skip(MOST_POSITIONS) {
            entry.positions = None;
        }
    }

    /// Forgets the positions that were not used for longest; `false` if there are none left.
    pub(crate) fn forget_oldest_positions(&mut self) -> bool {
        let oldest = self
            .contexts
            .iter_mut()
            .rev()
            .find(|entry| entry.positions.is_some());
        oldest.is_some_and(|entry| entry.positions.take().is_some())
    }
}
