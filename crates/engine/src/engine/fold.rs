//! Tick, fold, publish: from answers and objects to the next snapshot.

use std::sync::Arc;

use pilothouse_core::graph;
use pilothouse_core::model::{Moment, SourceKind, TimeSpan};
use pilothouse_core::ports::Probe;
use pilothouse_core::traffic::{self, Split, observe_split};
use tracing::{debug, warn};

use super::{ASSUMED_SCRAPE, Engine, State};
use crate::observe::{Fetched, fetch};
use crate::snapshot::{ObservedSplit, Snapshot};
use crate::watches::find_split;

impl Engine {
    /// Asks the metrics once and publishes what came of it. What failed leaves the old numbers, visibly stale.
    pub(crate) async fn tick(&self) {
        self.ask().await;
        self.fold().await;
    }

    /// Asks the metrics once and keeps the answers for the next fold.
    pub(crate) async fn ask(&self) {
        let now = self.now();
        let (request, judged) = {
            let state = self.lock();
            let open = state.watches.iter().find(|watch| watch.open());
            (
                self.config.live_request(state.window, now),
                open.map(|watch| watch.convergence.window()),
            )
        };
        let fetched = match &self.sources.metrics {
            Ok(metrics) => Some(Arc::new(fetch(metrics, &request, true, judged).await)),
            Err(_) => None,
        };
        let took = self.now().since(now);
        if let Some(fetched) = fetched {
            self.note_metrics(&fetched, now, took);
            let mut state = self.lock();
            if fetched.any_answer() || state.fetched.is_none() {
                state.fetched = Some(Arc::clone(&fetched));
            }
            let splits = traffic::read_splits(&state.objects.all());
            for watch in &mut state.watches {
                if watch.open() {
                    let split = find_split(&splits, &watch.split);
                    watch.step(now, split, fetched.judged.as_deref());
                }
            }
        }
    }

    /// Folds the last answers with the present objects and publishes the next generation. Nothing is published before the
    /// metrics were asked once: a picture without calls would have its cards anywhere.
    pub(crate) async fn fold(&self) {
        let _one_at_a_time = self.folding.lock().await;
        let (objects, fetched, window, layout, provisional) = {
            let state = self.lock();
            if state.fetched.is_none() && self.sources.metrics.is_ok() {
                return;
            }
            let objects = Arc::new(state.objects.all());
            (
                objects,
                state.fetched.clone(),
                state.window,
                Arc::clone(&state.layout),
                state.layout_is_provisional,
            )
        };
        let calls_are_known = fetched.as_ref().is_some_and(|f| f.requests().is_some());
        let request = match &fetched {
            Some(fetched) => fetched.request.clone(),
            None => self.config.live_request(window, self.now()),
        };
        let taken_at = request.at;
        let folding = {
            let objects = Arc::clone(&objects);
            let answers = fetched.clone();
            let unasked = self.unasked(&request);
            // A thousand services take longer than a task may hold its thread.
            tokio::task::spawn_blocking(move || {
                let rows = answers.as_ref().map_or(&unasked, |fetched| &fetched.graph);
                let graph = graph::fold(&request, rows, &objects);
                let layout = if provisional && calls_are_known {
                    layout.tidied(&graph)
                } else {
                    layout.follow(&graph)
                };
                let splits = observed_splits(&objects, answers.as_deref(), request.window);
                (graph, layout, splits)
            })
        };
        let Ok((graph, layout, splits)) = folding.await else {
            warn!("folding was cut off; the last snapshot stays");
            return;
        };
        let layout = Arc::new(layout);
        let mut state = self.lock();
        state.layout = Arc::clone(&layout);
        state.layout_is_provisional &= !calls_are_known;
        state.generation += 1;
        let snapshot = Snapshot {
            generation: state.generation,
            taken_at,
            graph: Arc::new(graph),
            layout,
            objects,
            splits: Arc::new(splits),
            sources: state.statuses.values().cloned().collect(),
            queries: Arc::new(
                fetched
                    .as_ref()
                    .map(|f| f.records.clone())
                    .unwrap_or_default(),
            ),
            watches: state.watches.iter().rev().cloned().collect(),
            identity: state.identity.clone(),
        };
        debug!(
            generation = snapshot.generation,
            nodes = snapshot.graph.nodes.len(),
            "published"
        );
        drop(state);
        self.published.send_replace(Arc::new(snapshot));
    }

    /// Looks at who is there: identity, versions, the trace backend.
    pub(crate) async fn probe(&self) {
        tokio::join!(
            self.probe_control_plane(),
            self.probe_metrics(),
            self.probe_traces()
        );
        self.fold_wanted.notify_one();
    }

    async fn probe_control_plane(&self) {
        let Ok(control_plane) = &self.sources.control_plane else {
            return;
        };
        let begun = self.now();
        let answer = control_plane.identity().await;
        let took = self.now().since(begun);
        let mut state = self.lock();
        if let Some(status) = state.statuses.get_mut(&SourceKind::ControlPlane) {
            status.elapsed = Some(took);
        }
        match answer {
            Ok(identity) => {
                note_probe(
                    &mut state,
                    SourceKind::ControlPlane,
                    control_plane_probe(&identity),
                );
                state.identity = Some(identity);
            }
            Err(error) if state.objects.any_listed() => debug!(%error, "identity is not known"),
            Err(error) => {
                if let Some(status) = state.statuses.get_mut(&SourceKind::ControlPlane) {
                    status.failed(error);
                }
            }
        }
    }

    async fn probe_metrics(&self) {
        let Ok(metrics) = &self.sources.metrics else {
            return;
        };
        match metrics.probe().await {
            Ok(probe) => note_probe(&mut self.lock(), SourceKind::Metrics, probe),
            Err(error) => debug!(%error, "the metrics source does not say what it is"),
        }
    }

    async fn probe_traces(&self) {
        let Ok(traces) = &self.sources.traces else {
            return;
        };
        let begun = self.now();
        let answer = traces.probe().await;
        let took = self.now().since(begun);
        if let Some(status) = self.lock().statuses.get_mut(&SourceKind::Traces) {
            status.elapsed = Some(took);
        }
        match answer {
            Ok(probe) => {
                note_probe(&mut self.lock(), SourceKind::Traces, probe);
                self.note_traces(Ok(()));
            }
            Err(error) => self.note_traces(Err(error)),
        }
    }

    /// Time between scrapes, by the metrics source's own word or by assumption.
    pub(crate) fn scrape_interval(&self) -> TimeSpan {
        let state = self.lock();
        let probe = state
            .statuses
            .get(&SourceKind::Metrics)
            .and_then(|status| status.probe.as_ref());
        let said = probe.and_then(|probe| probe.facts.get("scrape_interval_s"));
        let seconds = said
            .and_then(|text| text.parse::<f64>().ok())
            .filter(|s| *s > 0.0 && *s < 3600.0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below an hour, checked above"
        )]
        seconds.map_or(ASSUMED_SCRAPE, |seconds| {
            TimeSpan((seconds * 1000.0) as i64)
        })
    }

    pub(crate) fn note_metrics(&self, fetched: &Fetched, now: Moment, took: TimeSpan) {
        let mut state = self.lock();
        let Some(status) = state.statuses.get_mut(&SourceKind::Metrics) else {
            return;
        };
        status.queries = u32::try_from(fetched.records.len()).unwrap_or(u32::MAX);
        status.elapsed = Some(took);
        match fetched.failure() {
            None => status.succeeded(now),
            Some(error) => {
                status.failed(error.clone());
                status.partial = fetched.any_answer();
                if status.partial {
                    status.last_good = Some(now);
                }
            }
        }
    }
}

fn note_probe(state: &mut State, kind: SourceKind, probe: Probe) {
    if let Some(status) = state.statuses.get_mut(&kind) {
        status.probe = Some(probe);
    }
}

fn control_plane_probe(identity: &pilothouse_core::ports::ControlPlaneIdentity) -> Probe {
    Probe {
        product: "Kubernetes".to_owned(),
        version: identity.version.clone(),
        api: None,
        address: identity.server.clone(),
        facts: std::collections::BTreeMap::new(),
    }
}

/// Every declared split with what the metrics say of it.
pub(crate) fn observed_splits(
    objects: &[pilothouse_core::model::Object],
    fetched: Option<&Fetched>,
    window: TimeSpan,
) -> Vec<ObservedSplit> {
    let requests = fetched.and_then(Fetched::requests);
    let quantiles = fetched.and_then(|f| f.by_revision.as_deref());
    let splits: Vec<Split> = traffic::read_splits(objects);
    let observe = |split: Split| {
        let observed = observe_split(&split, requests, quantiles, window);
        ObservedSplit { split, observed }
    };
    splits.into_iter().map(observe).collect()
}
