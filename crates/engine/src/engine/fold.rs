//! Tick, fold, publish: from answers and objects to the next snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;

use pilothouse_core::graph::{self, GraphRequest};
use pilothouse_core::model::{Finding, Moment, Severity, SourceKind, TimeSpan};
use pilothouse_core::ports::Probe;
use pilothouse_core::traffic::{self, Split, observe_split};
use tracing::{debug, warn};

use super::{ASSUMED_SCRAPE, Engine, State, worth_a_word};
use crate::observe::{Fetched, fetch};
use crate::snapshot::{ObservedSplit, Snapshot};
use crate::watches::find_split;

/// Time between two looks at what the metrics server is.
const METRICS_LOOK: TimeSpan = TimeSpan::seconds(600);

impl Engine {
    /// Asks the metrics once and publishes what came of it. What failed leaves the old numbers, visibly stale.
    pub(crate) async fn tick(&self) {
        self.ask().await;
        self.fold().await;
    }

    /// Asks the metrics once and keeps the answers for the next fold.
    pub(crate) async fn ask(&self) {
        // Numbers of a wrong moment are worse than a late tick.
        if std::mem::take(&mut self.lock().clock_ahead_is_unsure) {
            self.probe_metrics().await;
        }
        let now = self.now();
        let (request, judged) = {
            let state = self.lock();
            let open = state.watches.iter().find(|watch| watch.open(now));
            (
                self.config
                    .live_request(state.window, now.plus(state.clock_ahead)),
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
                if watch.open(now) {
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
            let of_an_earlier_run = self.config.layout.is_some();
            // A thousand services take longer than a task may hold its thread.
            tokio::task::spawn_blocking(move || {
                let rows = answers.as_ref().map_or(&unasked, |fetched| &*fetched.graph);
                let graph = graph::fold(&request, rows, &objects);
                let layout = match (calls_are_known, provisional) {
                    (false, _) => layout.follow(&graph),
                    (true, true) if !(of_an_earlier_run && layout.knows_most_of(&graph)) => {
                        layout.tidied(&graph)
                    }
                    (true, _) => layout.follow_at(&graph, taken_at),
                };
                let splits = observed_splits(&objects, answers.as_deref(), request.window);
                (graph, layout, splits)
            })
        };
        let Ok((mut graph, layout, splits)) = folding.await else {
            warn!("folding was cut off; the last snapshot stays");
            return;
        };
        let warnings = fetched.iter().flat_map(|fetched| &fetched.warnings);
        graph.findings.extend(self.doubts(&graph.request, warnings));
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
            answers: fetched.as_ref().map(|f| Arc::clone(&f.graph)),
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
        let metrics = async {
            if self.metrics_look_is_due() {
                self.probe_metrics().await;
            }
        };
        tokio::join!(self.probe_control_plane(), metrics, self.probe_traces());
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

    /// What a metrics server is changes seldom, and each look is five more questions to it.
    fn metrics_look_is_due(&self) -> bool {
        let now = self.now();
        let last = self.lock().metrics_looked_at;
        last.is_none_or(|last| now.since(last) >= METRICS_LOOK)
    }

    pub(crate) async fn probe_metrics(&self) {
        let Ok(metrics) = &self.sources.metrics else {
            return;
        };
        let begun = self.now();
        match metrics.probe().await {
            Ok(probe) => {
                let took = self.now().since(begun);
                let ours = begun.plus(TimeSpan(took.0 / 2));
                let mut state = self.lock();
                let ahead = probe.clock.map(|theirs| theirs.since(ours));
                state.clock_ahead = worth_a_word(ahead.unwrap_or_default());
                state.metrics_looked_at = Some(begun);
                note_probe(&mut state, SourceKind::Metrics, probe);
            }
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

    /// What makes the numbers of a request less than they seem, and the connection less safe.
    pub(crate) fn doubts<'a>(
        &self,
        request: &GraphRequest,
        warnings: impl IntoIterator<Item = &'a String>,
    ) -> Vec<Finding> {
        let say = |code, message| Finding::new(Severity::Warning, code, "metrics", message);
        let mut doubts = self.sources.findings.clone();
        doubts.extend(warnings.into_iter().map(|warning| {
            say(
                "metrics-partial",
                format!("the metrics server doubts its own answer: {warning}"),
            )
        }));
        let ahead = self.lock().clock_ahead;
        if ahead != TimeSpan::default() {
            let (span, side) = (
                ahead.0.abs() / 1000,
                if ahead.0 > 0 { "ahead of" } else { "behind" },
            );
            doubts.push(say(
                "clock-skew",
                format!(
                    "the metrics server's clock is {span} s {side} ours; it is asked by its own"
                ),
            ));
        }
        if let Some(scrape) = self.said_scrape_interval()
            && request.window.0 < 2 * scrape.0
        {
            let (window, every) = (request.window.as_seconds(), scrape.as_seconds());
            doubts.push(say(
                "window-too-short",
                format!("a window of {window} s holds fewer than two scrapes ({every} s apart): rates are not known"),
            ));
        }
        doubts
    }

    /// Time between scrapes, by the metrics source's own word or by assumption.
    pub(crate) fn scrape_interval(&self) -> TimeSpan {
        self.said_scrape_interval().unwrap_or(ASSUMED_SCRAPE)
    }

    fn said_scrape_interval(&self) -> Option<TimeSpan> {
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
        seconds.map(|seconds| TimeSpan((seconds * 1000.0) as i64))
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
        clock: None,
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
