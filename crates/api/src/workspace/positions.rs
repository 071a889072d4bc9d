//! Where the cards stand, kept over restarts: a person finds a service where it was yesterday.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use pilothouse_core::layout::Layout;
use tokio::time::Instant;

use super::Workspace;

/// At most so often, for it is a file; and once more at the end.
pub(super) const KEEP_EVERY: Duration = Duration::from_secs(10);

/// What was written down last.
#[derive(Default)]
pub(super) struct Kept {
    at: Option<Instant>,
    layouts: BTreeMap<Vec<String>, Arc<Layout>>,
}

impl Workspace {
    /// Where the cards of these contexts stood in an earlier run. Blocking.
    pub(super) fn earlier_positions(&self, contexts: &[String]) -> Option<Arc<Layout>> {
        let connector = self.connector.as_ref()?;
        connector.positions(contexts).map(Arc::new)
    }

    /// Keeps the positions of the cards before the program ends. Blocking.
    pub fn keep_positions_now(&self) {
        self.keep_positions(Duration::ZERO);
    }

    /// Keeps the positions that changed, unless that was done a moment ago. Blocking.
    pub(super) fn keep_positions(&self, every: Duration) {
        let Some(connector) = &self.connector else {
            return;
        };
        // Held until they are in the file: whoever finds them kept finds them there.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self.changed_positions(&mut kept, every);
        for (contexts, layout) in changed {
            connector.keep_positions(&contexts, &layout);
        }
    }

    fn changed_positions(
        &self,
        kept: &mut Kept,
        every: Duration,
    ) -> Vec<(Vec<String>, Arc<Layout>)> {
        if kept.at.is_some_and(|at| at.elapsed() < every) {
            return Vec::new();
        }
        let members = self.members();
        let mut layouts: Vec<(Vec<String>, Arc<Layout>)> = members
            .iter()
            .map(|member| (vec![member.context.clone()], member.engine.snapshot()))
            // Before the calls are known the cards stand anywhere.
            .filter(|(_, snapshot)| snapshot.calls_are_known())
            .map(|(contexts, snapshot)| (contexts, Arc::clone(&snapshot.layout)))
            .collect();
        if layouts.len() == members.len()
            && let Some(united) = self.composer().united_layout()
        {
            let contexts = members.iter().map(|member| member.context.clone());
            layouts.push((contexts.collect(), united));
        }
        let changed: Vec<_> = layouts
            .into_iter()
            .filter(|(contexts, layout)| {
                let before = kept.layouts.get(contexts);
                // Not by their versions: a context that is opened again counts anew.
                before != Some(layout)
            })
            .collect();
        if !changed.is_empty() {
            kept.at = Some(Instant::now());
        }
        for (contexts, layout) in &changed {
            kept.layouts.insert(contexts.clone(), Arc::clone(layout));
        }
        changed
    }
}
