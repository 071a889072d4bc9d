//! Finds traces by walking the requests of the seconds asked for, newest first.

use std::collections::BTreeSet;
use std::sync::Arc;

use pilothouse_core::model::{Moment, SourceError, TimeSpan};
use pilothouse_core::ports::{Answer, Probe, TraceSearch, TraceSource, TracesFound};
use pilothouse_core::trace::{Trace, TraceId, summarize};

use crate::Clock;
use crate::numbering::{Birth, Numbering};
use crate::simulation::Simulation;
use crate::spans::{Scene, mark_operation, nanos, operation_name, service_name};
use crate::walk::{Mark, Walk, walk};
use crate::world::{Place, Protocol, World};

/// Requests walked for one search at most; beyond it the answer is partial.
const MAX_WALKS: u64 = 100_000;
/// How long traces are kept.
const RETENTION: TimeSpan = TimeSpan::seconds(7 * 24 * 3_600);

/// The traces of a demo mesh.
pub(crate) struct DemoTraces {
    simulation: Arc<Simulation>,
    clock: Clock,
}

impl DemoTraces {
    pub(crate) const fn new(simulation: Arc<Simulation>, clock: Clock) -> Self {
        Self { simulation, clock }
    }

    fn numbering(&self) -> Numbering {
        Numbering::new(self.simulation.seed)
    }

    /// First and last number of the traces that may lie in an interval, by now.
    fn numbers(&self, from: Moment, to: Moment) -> std::ops::RangeInclusive<u64> {
        let now = (self.clock)();
        let oldest = from.max(now.minus(RETENTION));
        let newest = to.min(now);
        if newest < oldest || newest < Moment(0) {
            // Nothing: an empty range.
            return std::ops::RangeInclusive::new(1, 0);
        }
        Numbering::number_at(oldest)..=Numbering::number_at(newest)
    }

    fn search(&self, search: &TraceSearch) -> TracesFound {
        let world = &self.simulation.world;
        let mut view = self.simulation.view();
        let mut found = TracesFound::default();
        let numbers = self.numbers(search.from, search.to);
        let cut = numbers.end().saturating_sub(MAX_WALKS);
        for number in numbers.rev() {
            if number < cut {
                found.partial = true;
                break;
            }
            let Some(birth) = self.numbering().birth(world, number) else {
                continue;
            };
            if birth.moment() < search.from || birth.moment() > search.to {
                continue;
            }
            let solved = view.at(birth.moment());
            let walk = self.walk(&birth, &solved);
            let scene = self.scene(&birth, &walk);
            if !self.is_over(&birth, &walk) || !matches(&scene, search) {
                continue;
            }
            if found.traces.len() >= search.limit {
                found.partial = true;
                break;
            }
            found.traces.push(summarize(&scene.trace()));
        }
        found
    }

    fn walk<'a>(&'a self, birth: &Birth, solved: &'a crate::solve::Solved) -> Walk<'a> {
        let regime = self.simulation.rhythm.regime_at(birth.moment());
        let world = &self.simulation.world;
        walk(world, solved, regime, birth.entry, birth.dice.clone())
    }

    fn scene<'a>(&'a self, birth: &'a Birth, walk: &'a Walk<'a>) -> Scene<'a> {
        Scene {
            world: &self.simulation.world,
            numbering: self.numbering(),
            seed: self.simulation.seed,
            birth,
            walk,
        }
    }

    /// Spans are sent when they end: a trace can be found once its last one has.
    fn is_over(&self, birth: &Birth, walk: &Walk<'_>) -> bool {
        let end = birth.start_ns.saturating_add(nanos(walk.duration_ms));
        let now = u64::try_from((self.clock)().0).unwrap_or(0);
        end / 1_000_000 <= now
    }

    fn fetch(&self, id: TraceId) -> Option<Trace> {
        let number = self.numbering().number(id)?;
        let birth = self.numbering().birth(&self.simulation.world, number)?;
        if birth.moment() < (self.clock)().minus(RETENTION) {
            return None;
        }
        let solved = self.simulation.view().at(birth.moment());
        let walk = self.walk(&birth, &solved);
        self.is_over(&birth, &walk)
            .then(|| self.scene(&birth, &walk).trace())
    }
}

/// Whether a trace meets all conditions but the interval; the cheap ones first.
fn matches(scene: &Scene<'_>, search: &TraceSearch) -> bool {
    let Scene { world, walk, .. } = scene;
    let duration = nanos(walk.duration_ms);
    let any = |fits: &dyn Fn(&Mark<'_>) -> bool| walk.marks.iter().any(fits);
    let carries = |mark: &Mark<'_>| {
        search
            .attributes
            .iter()
            .all(|(name, value)| scene.attribute(mark, name).as_ref() == Some(value))
    };
    // Service and operation are of one span, as in Jaeger's search.
    let named = |mark: &Mark<'_>| {
        search
            .service
            .as_ref()
            .is_none_or(|service| is_service(world, mark, service))
            && search
                .operation
                .as_ref()
                .is_none_or(|operation| mark_operation(world, mark) == *operation)
    };
    search.min_duration_ns.is_none_or(|min| duration >= min)
        && search.max_duration_ns.is_none_or(|max| duration <= max)
        && (!search.only_errors || walk.marks.iter().any(Mark::is_error))
        && any(&named)
        && (search.attributes.is_empty() || any(&carries))
}

/// As [`service_name`], without making the text.
fn is_service(world: &World, mark: &Mark<'_>, service: &str) -> bool {
    let app = &world.apps[world.workloads[mark.owner].app];
    service
        .strip_prefix(app.name.as_str())
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|namespace| namespace == app.namespace)
}

/// Names of the services that have spans with the names of their spans.
fn names(world: &World) -> BTreeSet<(String, String)> {
    let mut names = BTreeSet::new();
    for operation in &world.operations {
        let app = &world.apps[operation.app];
        let Some(owner) = app.workloads.first().copied() else {
            continue;
        };
        if app.place == Place::Outside || app.protocol == Protocol::Tcp {
            continue;
        }
        let service = service_name(world, owner);
        if app.place == Place::Mesh {
            let own = operation_name(world, owner, app.service, operation);
            names.insert((service.clone(), own));
        }
        for call in &operation.calls {
            let asked = &world.operations[call.to];
            let callee = &world.apps[asked.app];
            let services = world.services.iter().enumerate();
            let services = services.filter(|(_, s)| s.app == asked.app).map(|(i, _)| i);
            if callee.protocol != Protocol::Tcp {
                names.extend(
                    services.map(|called| {
                        (service.clone(), operation_name(world, owner, called, asked))
                    }),
                );
            }
        }
    }
    names
}

impl TraceSource for DemoTraces {
    fn probe(&self) -> Answer<'_, Probe> {
        Box::pin(async {
            let services = names(&self.simulation.world)
                .into_iter()
                .map(|(service, _)| service)
                .collect::<BTreeSet<_>>();
            let facts = [("services", services.len()), ("traces per second", 1)];
            Ok::<_, SourceError>(Probe {
                product: "demo mesh".to_owned(),
                version: None,
                api: None,
                address: "embedded".to_owned(),
                facts: facts
                    .map(|(name, value)| (name.to_owned(), value.to_string()))
                    .into(),
                clock: None,
            })
        })
    }

    fn services(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async {
            let names: BTreeSet<String> = names(&self.simulation.world)
                .into_iter()
                .map(|(service, _)| service)
                .collect();
            Ok(names.into_iter().collect())
        })
    }

    fn operations<'a>(&'a self, service: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            let names = names(&self.simulation.world).into_iter();
            let own = names.filter(|(name, _)| name == service);
            Ok(own.map(|(_, operation)| operation).collect())
        })
    }

    fn find<'a>(&'a self, search: &'a TraceSearch) -> Answer<'a, TracesFound> {
        Box::pin(async move { Ok(self.search(search)) })
    }

    fn trace(&self, id: TraceId) -> Answer<'_, Option<Trace>> {
        Box::pin(async move { Ok(self.fetch(id)) })
    }
}
