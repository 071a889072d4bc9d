//! World, objects over time and rhythm put together: what every reader of traffic starts from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_core::model::Moment;

use crate::labels::Dictionary;
use crate::rhythm::{PerRegime, REGIMES, Rhythm};
use crate::solve::Solved;
use crate::timeline::Timeline;
use crate::world::World;

/// Solved states kept. Rates look at the last ones; only counters since the start need all of them.
const KEPT: usize = 16;
/// States before a window whose rows still exist, at rate 0.
const IDLE_STATES: usize = 8;

/// A mesh in motion.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(crate) world: World,
    pub(crate) dictionary: Dictionary,
    pub(crate) rhythm: Rhythm,
    pub(crate) seed: u64,
    timeline: Arc<Timeline>,
    /// By number of edits.
    solved: Mutex<BTreeMap<usize, Arc<Solved>>>,
}

/// Traffic of one state of the objects, and how much of each regime it lasted.
pub(crate) struct Stretch {
    pub(crate) solved: Arc<Solved>,
    /// Swing-weighted seconds.
    pub(crate) weights: PerRegime,
}

impl Simulation {
    pub(crate) fn new(world: World, seed: u64, timeline: Arc<Timeline>) -> Self {
        Self {
            dictionary: Dictionary::new(&world),
            rhythm: Rhythm::new(seed),
            world,
            seed,
            timeline,
            solved: Mutex::new(BTreeMap::new()),
        }
    }

    /// Traffic after the first `n_edits` edits.
    fn solved(&self, n_edits: usize) -> Arc<Solved> {
        let lock = || self.solved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&n_edits) {
            return Arc::clone(known);
        }
        let objects = self.timeline.objects_after(n_edits);
        let fresh = Arc::new(Solved::new(&self.world, &objects));
        let mut kept = lock();
        kept.insert(n_edits, Arc::clone(&fresh));
        while kept.len() > KEPT {
            // The setup is asked for again and again; the oldest edit after it goes first.
            let oldest = kept.keys().copied().find(|n| *n != 0 && *n != n_edits);
            let Some(oldest) = oldest else { break };
            kept.remove(&oldest);
        }
        fresh
    }

    /// For looking at many moments in a row.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            simulation: self,
            edits: self.timeline.moments(),
            latest: None,
        }
    }

    /// Traffic of every state of the objects that lasted within `from..to`, in time order.
    pub(crate) fn stretches(&self, from: Moment, to: Moment) -> Vec<Stretch> {
        let edits = self.timeline.moments();
        let first = edits.partition_point(|edit| *edit <= from);
        let last = edits.partition_point(|edit| *edit < to);
        let mut stretches = Vec::new();
        let mut start = from;
        for n_edits in first..=last.max(first) {
            let end = edits.get(n_edits).map_or(to, |next| to.min(*next));
            if end > start || n_edits == last {
                stretches.push(Stretch {
                    solved: self.solved(n_edits),
                    weights: self.rhythm.weights(start, end),
                });
            }
            start = end;
        }
        stretches
    }

    /// Traffic of the latest states of the objects before `from`: rows of it go on existing, at rate 0.
    pub(crate) fn faded(&self, from: Moment) -> Vec<Stretch> {
        let n_edits = self
            .timeline
            .moments()
            .partition_point(|edit| *edit <= from);
        (n_edits.saturating_sub(IDLE_STATES)..n_edits)
            .map(|n_edits| Stretch {
                solved: self.solved(n_edits),
                weights: [0.0; REGIMES],
            })
            .collect()
    }
}

/// Traffic in force at moments that mostly lie close to each other.
pub(crate) struct View<'a> {
    simulation: &'a Simulation,
    edits: Vec<Moment>,
    latest: Option<(usize, Arc<Solved>)>,
}

impl View<'_> {
    pub(crate) fn at(&mut self, at: Moment) -> Arc<Solved> {
        let n_edits = self.edits.partition_point(|edit| *edit <= at);
        match &self.latest {
            Some((known, solved)) if *known == n_edits => Arc::clone(solved),
            _ => {
                let solved = self.simulation.solved(n_edits);
                self.latest = Some((n_edits, Arc::clone(&solved)));
                solved
            }
        }
    }
}
