//! Tick, fold, publish: from answers and objects to the next snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;

use pilothouse_core::graph::{self, FetchedRows, GraphRequest, MeshGraph};
use pilothouse_core::layout::Layout;
use pilothouse_core::model::{Finding, Object, Severity, TimeSpan};
use pilothouse_core::traffic::{self, Split, observe_split};
use tracing::{debug, warn};

use super::Observation;
use super::fetch::{Fetched, fetch};
use super::snapshot::{ObservedSplit, Snapshot};

/// What one fold works on: taken at once, so that nothing that comes meanwhile is mixed in.
struct Material {
    objects: Vec<Arc<Object>>,
    fetched: Option<Arc<Fetched>>,
    request: GraphRequest,
    /// Stands for the answers while there are none.
    unasked: FetchedRows,
    layout: Arc<Layout>,
    layout_is_provisional: bool,
    layout_is_of_an_earlier_run: bool,
}

/// What came of it.
struct Folded {
    objects: Vec<Object>,
    graph: MeshGraph,
    layout: Layout,
    splits: Vec<ObservedSplit>,
}

impl Material {
    fn calls_are_known(&self) -> bool {
        let fetched = self.fetched.as_ref();
        fetched.is_some_and(|fetched| fetched.requests().is_some())
    }

    fn fold(&self) -> Folded {
        let objects: Vec<Object> = self.objects.iter().map(|o| Object::clone(o)).collect();
        let fetched = self.fetched.as_deref();
        let rows = fetched.map_or(&self.unasked, |fetched| &*fetched.graph);
        let graph = graph::fold(&self.request, rows, &objects);
        let stands = self.layout_is_of_an_earlier_run && self.layout.knows_most_of(&graph);
        let layout = match (self.calls_are_known(), self.layout_is_provisional) {
            (false, _) => self.layout.follow(&graph),
            (true, true) if !stands => self.layout.tidied(&graph),
            (true, _) => self.layout.follow_at(&graph, self.request.at),
        };
        let splits = observed_splits(&objects, fetched, self.request.window);
        Folded {
            objects,
            graph,
            layout,
            splits,
        }
    }
}

impl Observation {
    /// Asks the metrics once and publishes what came of it. What failed leaves the old numbers, visibly stale.
    pub(crate) async fn tick(&self) {
        self.ask().await;
        self.fold().await;
    }

    /// Asks the metrics once and keeps the answers for the next fold.
    pub(super) async fn ask(&self) {
        let Ok(metrics) = &self.sources.metrics else {
            return;
        };
        // Numbers of a wrong moment are worse than a late tick.
        if std::mem::take(&mut self.lock().clock_ahead_is_unsure) {
            self.probe_metrics().await;
        }
        let now = self.now();
        let request = self.config.live_request(self.window(), self.now_there());
        let fetched = Arc::new(fetch(metrics, &request, true).await);
        let took = self.now().since(now);
        self.lock().take_answers(&fetched, now, took);
    }

    /// Folds the last answers with the present objects and publishes the next generation. Nothing is published before the
    /// metrics were asked once: a picture without calls would have its cards anywhere.
    pub(crate) async fn fold(&self) {
        let _one_at_a_time = self.folding.lock().await;
        let Some(material) = self.material() else {
            return;
        };
        let calls_are_known = material.calls_are_known();
        let (fetched, taken_at) = (material.fetched.clone(), material.request.at);
        // A thousand services take longer than a task may hold its thread.
        let folding = tokio::task::spawn_blocking(move || material.fold());
        let Ok(mut folded) = folding.await else {
            warn!("folding was cut off; the last snapshot stays");
            return;
        };
        let warnings = fetched.iter().flat_map(|fetched| &fetched.warnings);
        let doubts = self.doubts(&folded.graph.request, warnings);
        folded.graph.findings.extend(doubts);
        let layout = Arc::new(folded.layout);
        let snapshot = {
            let mut state = self.lock();
            state.layout = Arc::clone(&layout);
            state.layout_is_provisional &= !calls_are_known;
            state.generation += 1;
            Snapshot {
                generation: state.generation,
                taken_at,
                graph: Arc::new(folded.graph),
                layout,
                objects: Arc::new(folded.objects),
                splits: Arc::new(folded.splits),
                sources: state.statuses(),
                answers: fetched.as_ref().map(|f| Arc::clone(&f.graph)),
                queries: Arc::new(fetched.map(|f| f.records.clone()).unwrap_or_default()),
                identity: state.identity.clone(),
            }
        };
        debug!(
            generation = snapshot.generation,
            nodes = snapshot.graph.nodes.len(),
            "published"
        );
        self.published.send_replace(Arc::new(snapshot));
    }

    fn material(&self) -> Option<Material> {
        let now = self.now();
        let state = self.lock();
        if state.fetched.is_none() && self.sources.metrics.is_ok() {
            return None;
        }
        let objects = state.objects.all();
        let (fetched, window) = (state.fetched.clone(), state.window);
        let (layout, layout_is_provisional) =
            (Arc::clone(&state.layout), state.layout_is_provisional);
        drop(state);
        let request = match &fetched {
            Some(fetched) => fetched.request.clone(),
            None => self.config.live_request(window, now),
        };
        Some(Material {
            objects,
            fetched,
            unasked: self.unasked(&request),
            request,
            layout,
            layout_is_provisional,
            layout_is_of_an_earlier_run: self.config.layout.is_some(),
        })
    }
}

/// Every declared split with what the metrics say of it.
fn observed_splits(
    objects: &[Object],
    fetched: Option<&Fetched>,
    window: TimeSpan,
) -> Vec<ObservedSplit> {
    let requests = fetched.and_then(Fetched::requests);
    let quantiles = fetched.and_then(|f| f.by_revision.as_deref());
    let splits: Vec<Split> = traffic::read_splits(objects);
    let unserved = traffic::unserved(requests.unwrap_or_default());
    let observe = |mut split: Split| {
        let hosts: BTreeSet<&str> = split.destinations.iter().map(|d| d.fqdn.as_str()).collect();
        let lost: f64 = hosts.iter().filter_map(|host| unserved.get(host)).sum();
        if lost > 0.0 {
            let message = format!(
                "{lost:.2} requests per second to this host reach no workload: look at the ready pods and ports of its \
                 destinations"
            );
            let about = split.id.object.to_string();
            let finding = Finding::new(Severity::Error, "requests-reach-nobody", &about, message);
            split.findings.push(finding);
        }
        let observed = observe_split(&split, requests, quantiles, window);
        ObservedSplit { split, observed }
    };
    splits.into_iter().map(observe).collect()
}
