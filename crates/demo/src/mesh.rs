//! The demo mesh as a whole: configuration, and the three ports.

use std::sync::Arc;

use pilothouse_core::model::Moment;
use pilothouse_core::ports::{Clock, ControlPlane, MetricsSource, TraceSource};

use crate::objects;
use crate::simulation::Simulation;
use crate::store::Store;
use crate::timeline::{Edit, Timeline};
use crate::{generate, metrics, shop, traces, world::World};

/// What a demo mesh is made from. Equal configurations, edits and moments give equal answers.
#[derive(Clone)]
pub struct DemoConfig {
    /// Decides about everything that looks random.
    pub seed: u64,
    /// Number of services of the mesh; the shop alone has 16, so fewer than that (or `None`) is the shop.
    pub services: Option<usize>,
    /// Tells the time, the mesh never asks the machine for it: of writes, watches, and the end of what traces can be found.
    pub clock: Clock,
    /// When counters were zero. Rates do not depend on it, and there is traffic before it.
    pub counters_from: Moment,
}

impl DemoConfig {
    /// The shop, with counters from the start of 2026.
    #[must_use]
    pub const fn new(seed: u64, clock: Clock) -> Self {
        Self {
            seed,
            services: None,
            clock,
            counters_from: Moment(1_767_225_600_000),
        }
    }

    /// The same with this many services.
    #[must_use]
    pub const fn with_services(mut self, services: usize) -> Self {
        self.services = Some(services);
        self
    }
}

/// A simulated mesh behind the three ports.
pub struct DemoMesh {
    timeline: Arc<Timeline>,
    simulation: Arc<Simulation>,
    clock: Clock,
    counters_from: Moment,
}

impl std::fmt::Debug for DemoMesh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoMesh").finish_non_exhaustive()
    }
}

impl DemoMesh {
    /// The mesh as it was set up.
    #[must_use]
    pub fn new(config: DemoConfig) -> Arc<Self> {
        Self::with_edits(config, Vec::new())
    }

    /// The mesh with changes that were applied to it earlier (see [`DemoMesh::export_edits`]). An edit whose document is
    /// not an object of a known kind is left out.
    #[must_use]
    pub fn with_edits(config: DemoConfig, edits: Vec<Edit>) -> Arc<Self> {
        let DemoConfig {
            seed,
            services,
            clock,
            counters_from,
        } = config;
        let mut world = World::default();
        shop::build(&mut world);
        if let Some(services) = services {
            generate::build(&mut world, seed, services);
        }
        let world = world.seal();
        let timeline = Arc::new(Timeline::new(objects::documents(&world, seed), edits));
        let simulation = Simulation::new(world, seed, Arc::clone(&timeline));
        Arc::new(Self {
            timeline,
            simulation: Arc::new(simulation),
            clock,
            counters_from,
        })
    }

    /// Every change that was applied, oldest first: with the same configuration they give the same mesh again.
    #[must_use]
    pub fn export_edits(&self) -> Vec<Edit> {
        self.timeline.edits()
    }

    #[cfg(test)]
    pub(crate) fn world(&self) -> &World {
        &self.simulation.world
    }

    /// Its declared objects.
    #[must_use]
    pub fn control_plane(&self) -> Arc<dyn ControlPlane> {
        Arc::new(Store::new(
            Arc::clone(&self.timeline),
            Arc::clone(&self.clock),
        ))
    }

    /// Its traffic.
    #[must_use]
    pub fn metrics(&self) -> Arc<dyn MetricsSource> {
        Arc::new(metrics::DemoMetrics::new(Arc::clone(&self.simulation)))
    }

    /// Its traces.
    #[must_use]
    pub fn traces(&self) -> Arc<dyn TraceSource> {
        Arc::new(traces::DemoTraces::new(
            Arc::clone(&self.simulation),
            Arc::clone(&self.clock),
        ))
    }

    /// All counters at a moment, in Prometheus' text format. What a server computes from scrapes of it is what
    /// [`DemoMesh::metrics`] answers.
    #[must_use]
    pub fn exposition(&self, at: Moment) -> String {
        crate::exposition::write(&self.simulation, self.counters_from, at)
    }
}
