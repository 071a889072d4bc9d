//! A look at a context: everything that is asked on the way to it, at the same time where one answer does not need
//! another, and the sources that come of it.

pub(crate) mod board;
mod candidate;
mod greeting;
pub(crate) mod lines;
mod servers;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use pilothouse_api::Connecting;
use pilothouse_api::dto::{CheckFailureView, LineState};
use pilothouse_engine::{ControlPlane, Slot, SourceError, Sources, TraceSource, late_traces};
use pilothouse_kube::{Inventory, KubeSource, Rights};
use pilothouse_telemetry::{MetricsSurvey, Options, PrometheusSource, TracesSurvey, open_traces};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, timeout};

use self::board::{Board, Line};
pub(crate) use self::candidate::place_of;
use self::candidate::{Asked, Surveying, Way};
use self::greeting::{Greeting, greeting};
use self::servers::Taken;
use crate::compose::Need;
use crate::discovery::{Candidate, Where, metrics_candidates, trace_candidates};

/// How long questions that no number needs leave the others alone, at most.
const HEAD_START: Duration = Duration::from_secs(1);

/// Where else to look than in the cluster, and what goes with requests.
pub(crate) trait Choices: Sync {
    /// What the operator chose for metrics or traces; found candidates are appended to it.
    fn metrics(&self, found: Vec<Candidate>) -> Vec<(Candidate, Result<Options, SourceError>)>;
    /// The same of traces.
    fn traces(&self, found: Vec<Candidate>) -> Vec<(Candidate, Result<Options, SourceError>)>;
    /// The file that traces are read from, in place of any server.
    fn saved_traces(&self) -> Option<&Path>;
}

/// What a look at a cluster found.
pub(crate) struct Found {
    pub(crate) sources: Sources,
    /// Istio's id of the cluster.
    pub(crate) cluster: Option<String>,
    /// Tells the metrics server apart.
    pub(crate) metrics_server: Option<String>,
}

/// Sources before everything is answered: numbers need not wait for the last line of the checklist.
pub(crate) enum Early {
    /// The likeliest ones; the metrics server has not answered yet.
    Likely(Found),
    /// Those that are taken; once more if Istio's id of the cluster was not known yet. Their traces answer as soon as they
    /// are found.
    Taken(Found),
}

/// A look at a cluster through its API server.
pub(crate) struct Look<'a> {
    pub(crate) board: &'a Board<'a>,
    pub(crate) kube: Arc<KubeSource>,
    /// Those that were chosen; empty = all.
    pub(crate) namespaces: &'a [String],
    pub(crate) choices: &'a dyn Choices,
    pub(crate) need: Need,
    pub(crate) early: &'a (dyn Fn(Early) + Send + Sync),
}

impl Look<'_> {
    /// Asks everything at once that does not need another answer.
    ///
    /// # Errors
    /// If the API server cannot be reached or does not know us: then nothing can be opened.
    pub(crate) async fn at_cluster(&self) -> Result<Found, SourceError> {
        let greeting = greeting(self.board, &self.kube);
        let settled = Notify::new();
        let (_who, found, ()) = tokio::try_join!(
            greeting.clone(),
            self.look_around(&greeting, &settled),
            self.ask_rights(greeting.clone(), &settled),
        )?;
        Ok(found)
    }

    /// Numbers need no rights, and a server that answers forty reviews answers everything else later.
    async fn ask_rights(
        &self,
        greeting: Greeting<'_>,
        settled: &Notify,
    ) -> Result<(), SourceError> {
        if self.need != Need::Everything {
            return Ok(());
        }
        let _settled_or_slow = timeout(HEAD_START, settled.notified()).await;
        let mut asked_in: Vec<String> = self.namespaces.to_vec();
        asked_in.extend(self.kube.facts().namespace.clone());
        let since = self.board.asking("rights");
        let asking: Connecting<'_, Rights> = Box::pin(self.kube.rights(&asked_in));
        let (rights, who) = tokio::join!(asking, greeting);
        self.board
            .answer("rights", since, lines::rights(&rights, &who?));
        Ok(())
    }

    async fn look_around(
        &self,
        greeting: &Greeting<'_>,
        settled: &Notify,
    ) -> Result<Found, SourceError> {
        let (late, traces) = late_traces();
        let traces_of_early: Arc<dyn TraceSource> = Arc::new(traces);
        let chosen = self
            .need
            .metrics()
            .then(|| self.choices.metrics(Vec::new()));
        let chosen = asked(chosen.unwrap_or_default(), Some(&self.kube)).pop();
        let surveying = chosen.as_ref().and_then(Asked::survey);
        let at_once = self.open_chosen(
            chosen.zip(surveying.clone()),
            greeting.clone(),
            &traces_of_early,
        );
        let all = async {
            let inventory = self.take_inventory().await;
            let metrics = async {
                let taken = self
                    .look_for_metrics(&inventory, surveying, greeting.clone(), &traces_of_early)
                    .await;
                settled.notify_one();
                taken
            };
            let traces = async {
                let found = self.look_for_traces(&inventory).await;
                late.send_replace(Some(found.clone()));
                Ok(found)
            };
            let (metrics, traces) = tokio::try_join!(metrics, traces)?;
            let cluster = inventory.cluster_name().map(str::to_owned);
            Ok(self.found(metrics, cluster, traces))
        };
        let ((), found) = tokio::try_join!(at_once, all)?;
        Ok(found)
    }

    /// What the operator chose need not be looked for: it is opened as soon as it has answered. Istio's id of the cluster
    /// is told later.
    async fn open_chosen(
        &self,
        chosen: Option<(Asked, Surveying)>,
        greeting: Greeting<'_>,
        traces: &Arc<dyn TraceSource>,
    ) -> Result<(), SourceError> {
        let Some((chosen, surveying)) = chosen else {
            return Ok(());
        };
        if chosen.is_behind_the_api_server() {
            // Its deadline must not run while somebody logs in.
            let _who = greeting.clone().await?;
        }
        let traces = || Ok(Arc::clone(traces));
        (self.early)(Early::Likely(self.found(chosen.way(), None, traces())));
        let (answers, who) = tokio::join!(surveying.answers, greeting);
        let _who = who?;
        if let Some(way) = answers
            .ok()
            .and_then(|base| chosen.way_below(base.as_deref()))
        {
            (self.early)(Early::Taken(self.found(Some(way), None, traces())));
        }
        Ok(())
    }

    /// Asks all candidates; `surveying` asks the chosen one.
    async fn look_for_metrics(
        &self,
        inventory: &Inventory,
        surveying: Option<Surveying>,
        greeting: Greeting<'_>,
        traces: &Arc<dyn TraceSource>,
    ) -> Result<Option<Way>, SourceError> {
        if !self.need.metrics() {
            return Ok(None);
        }
        let found = self.choices.metrics(metrics_candidates(inventory));
        let candidates = asked(found, Some(&self.kube));
        let cluster = inventory.cluster_name().map(str::to_owned);
        let early_found = |way| self.found(way, cluster.clone(), Ok(Arc::clone(traces)));
        if surveying.is_none()
            && let Some(likeliest) = candidates.iter().find_map(Asked::way)
        {
            (self.early)(Early::Likely(early_found(Some(likeliest))));
        }
        let own = names(inventory);
        let taken = servers::metrics(self.board, candidates, own.as_ref(), surveying).await;
        let _who = greeting.await?;
        tell_scrape_interval(self.board, taken.as_ref());
        let way = taken.map(|taken| taken.way);
        (self.early)(Early::Taken(early_found(way.clone())));
        Ok(way)
    }

    async fn take_inventory(&self) -> Inventory {
        let (board, since) = (self.board, Instant::now());
        for line in ["namespaces", "istio", "gateway_api", "owners"] {
            let _asked_together = board.asking(line);
        }
        let asking: Connecting<'_, Inventory> = Box::pin(self.kube.inventory());
        let inventory = asking.await;
        let namespaces = lines::namespaces(&inventory, self.namespaces);
        board.answer("namespaces", since, namespaces);
        board.answer("istio", since, lines::istio(&inventory));
        board.answer("gateway_api", since, lines::gateway_api(&inventory));
        board.answer("owners", since, lines::owners(&inventory));
        inventory
    }

    async fn look_for_traces(&self, inventory: &Inventory) -> Slot<dyn TraceSource> {
        if let Some(file) = self.choices.saved_traces().filter(|_| self.need.traces()) {
            let since = self.board.asking("traces");
            let line = Line::ok(format!("read from {}", file.display()));
            self.board.answer("traces", since, line);
            return traces_of(None);
        }
        let taken = if self.need.traces() {
            let candidates = self.choices.traces(trace_candidates(inventory));
            servers::traces(self.board, asked(candidates, Some(&self.kube))).await
        } else {
            None
        };
        traces_of(taken)
    }

    /// The sources with these metrics and traces.
    fn found(
        &self,
        metrics: Option<Way>,
        cluster: Option<String>,
        traces: Slot<dyn TraceSource>,
    ) -> Found {
        let mut sources = Sources::unconfigured();
        sources.findings = self.kube.warnings();
        sources.control_plane = Ok(Arc::clone(&self.kube) as Arc<dyn ControlPlane>);
        sources.traces = traces;
        let metrics_server = open_metrics(self.board, &mut sources, metrics);
        let api_server = &self.kube.facts().server;
        Found {
            sources,
            cluster,
            metrics_server: metrics_server.map(|place| place.server(api_server)),
        }
    }
}

/// Looks at servers by address.
pub(crate) async fn at_addresses(board: &Board<'_>, choices: &dyn Choices) -> Found {
    let (metrics, traces) = tokio::join!(
        servers::metrics(board, asked(choices.metrics(Vec::new()), None), None, None),
        servers::traces(board, asked(choices.traces(Vec::new()), None)),
    );
    let mut sources = Sources::unconfigured();
    sources.switch_off_control_plane("opened by addresses, without an API server");
    tell_scrape_interval(board, metrics.as_ref());
    let metrics = metrics.map(|taken| taken.way);
    sources.traces = traces_of(traces);
    let metrics_server = open_metrics(board, &mut sources, metrics);
    Found {
        sources,
        cluster: None,
        metrics_server: metrics_server.map(|place| place.server("")),
    }
}

/// Ends the board with this failure.
pub(crate) fn fail(board: &Board<'_>, error: &SourceError, stopped_at: &str) {
    board.failed(CheckFailureView {
        asked: stopped_at.to_owned(),
        happened: error.message.clone(),
        helps: error.hint.clone(),
        command: String::new(),
        looked_in: Vec::new(),
        stopped_at: stopped_at.to_owned(),
    });
}

fn asked(
    candidates: Vec<(Candidate, Result<Options, SourceError>)>,
    kube: Option<&KubeSource>,
) -> Vec<Asked> {
    candidates
        .into_iter()
        .map(|(candidate, options)| {
            let place = match &options {
                Ok(_) => place_of(&candidate.place, kube),
                Err(error) => Err(error.clone()),
            };
            Asked {
                candidate,
                place,
                options: options.unwrap_or_default(),
            }
        })
        .collect()
}

fn names(inventory: &Inventory) -> Option<BTreeSet<String>> {
    let namespaces = inventory.namespaces.result.as_ref().ok()?;
    Some(namespaces.iter().map(|one| one.name.clone()).collect())
}

fn tell_scrape_interval(board: &Board<'_>, metrics: Option<&Taken<MetricsSurvey>>) {
    let since = board.asking("scrape_interval");
    let interval = metrics.and_then(|taken| taken.probe.scrape_interval_s);
    let line = match (metrics, interval) {
        (None, _) => Line::new(LineState::Missing, "no metrics, so there is none"),
        (Some(_), None) => Line::new(LineState::Note, "not known: 15 s are assumed"),
        (Some(_), Some(seconds)) => Line::ok(format!(
            "{seconds:.0} s, so the shortest honest window is {:.0} s",
            seconds * 4.0
        )),
    };
    board.answer("scrape_interval", since, line);
}

fn traces_of(taken: Option<Taken<TracesSurvey>>) -> Slot<dyn TraceSource> {
    match taken {
        Some(taken) => open_traces(Some(taken.probe.kind), taken.way.place, taken.way.options),
        None => Sources::unconfigured().traces,
    }
}

/// Puts the metrics into the sources; where their server is.
fn open_metrics(board: &Board<'_>, sources: &mut Sources, metrics: Option<Way>) -> Option<Where> {
    let Some(Way {
        place,
        options,
        found_at,
    }) = metrics
    else {
        if let Err(error) = &mut sources.metrics
            && let Some((answer, hint)) = board.said("metrics")
        {
            error.message = answer;
            error.hint = hint;
        }
        return None;
    };
    sources.set_metrics(PrometheusSource::at(place, options));
    Some(found_at)
}
