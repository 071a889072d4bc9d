//! A look at a context: everything that is asked on the way to it, at the same time where one answer does not need
//! another, and the sources that come of it.

pub(crate) mod board;
pub(crate) mod lines;
mod servers;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use pilothouse_api::Connecting;
use pilothouse_api::dto::{CheckFailureView, LineState, WaitingView};
use pilothouse_engine::{
    ControlPlane, Slot, SourceError, SourceErrorKind, Sources, TraceSource, late_traces,
};
use pilothouse_kube::{Inventory, KubeSource, LoginState, Rights, Who};
use pilothouse_telemetry::{
    MetricsSurvey, Options, Place, PrometheusSource, TracesSurvey, open_traces,
};
use tokio::time::{Duration, Instant, interval};

use self::board::{Board, Line};
pub(crate) use self::servers::place_of;
use self::servers::{Asked, Taken};
use crate::compose::Need;
use crate::discovery::{Candidate, Where, metrics_candidates, trace_candidates};

/// How often a wait for a credential plugin is told.
const TELL_WAITING: Duration = Duration::from_millis(500);

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
    /// Those that are taken. Their traces answer as soon as they are found.
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

/// What the user is to the server, or why that is not known; an error if nothing can be asked at all.
type Greeted = Result<Result<Option<Who>, SourceError>, SourceError>;

impl Look<'_> {
    /// Asks everything at once that does not need another answer.
    ///
    /// # Errors
    /// If the API server cannot be reached or does not know us: then nothing can be opened.
    pub(crate) async fn at_cluster(&self) -> Result<Found, SourceError> {
        let greeting: Connecting<'_, Greeted> = Box::pin(greet(self.board, &self.kube));
        let greeted = greeting.shared();
        let who = greeted.clone();
        let (_who, (), found) = tokio::try_join!(
            greeted.clone(),
            self.ask_rights(who),
            self.look_around(greeted)
        )?;
        Ok(found)
    }

    async fn ask_rights(&self, greeted: impl Future<Output = Greeted>) -> Result<(), SourceError> {
        if self.need != Need::Everything {
            return Ok(());
        }
        let mut asked_in: Vec<String> = self.namespaces.to_vec();
        asked_in.extend(self.kube.facts().namespace.clone());
        let since = self.board.asking("rights");
        let asking: Connecting<'_, Rights> = Box::pin(self.kube.rights(&asked_in));
        let (rights, who) = tokio::join!(asking, greeted);
        self.board
            .answer("rights", since, lines::rights(&rights, &who?));
        Ok(())
    }

    async fn look_around(
        &self,
        greeted: impl Future<Output = Greeted>,
    ) -> Result<Found, SourceError> {
        let inventory = self.take_inventory().await;
        let own = names(&inventory);
        let cluster = inventory.cluster_name().map(str::to_owned);
        let (late, traces_of_early) = late_traces();
        let candidates = asked(
            self.choices.metrics(metrics_candidates(&inventory)),
            Some(&self.kube),
        );
        let likeliest = candidates.iter().find_map(|one| {
            let place = one.place.clone().ok()?;
            Some((place, one.options.clone(), one.candidate.place.clone()))
        });
        let traces_of_early: Arc<dyn TraceSource> = Arc::new(traces_of_early);
        let early_found =
            |metrics| self.found(metrics, cluster.clone(), Ok(Arc::clone(&traces_of_early)));
        let metrics = async {
            if !self.need.metrics() {
                return Ok(None);
            }
            let survey = servers::metrics(self.board, candidates, own.as_ref());
            let greeted = async {
                let _who = greeted.await?;
                if let Some(likeliest) = likeliest {
                    (self.early)(Early::Likely(early_found(Some(likeliest))));
                }
                Ok(())
            };
            let (taken, ()) = tokio::try_join!(async { Ok(survey.await) }, greeted)?;
            tell_scrape_interval(self.board, taken.as_ref());
            let taken = taken.map(|taken| (taken.place, taken.options, taken.found_at));
            (self.early)(Early::Taken(early_found(taken.clone())));
            Ok::<_, SourceError>(taken)
        };
        let traces = async {
            let found = self.look_for_traces(&inventory).await;
            late.send_replace(Some(found.clone()));
            Ok(found)
        };
        let (metrics, traces) = tokio::try_join!(metrics, traces)?;
        Ok(self.found(metrics, cluster.clone(), traces))
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
        metrics: Option<(Place, Options, Where)>,
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

/// Who the server is and who we are to it.
async fn greet(board: &Board<'_>, kube: &KubeSource) -> Greeted {
    let facts = kube.facts();
    let since = board.asking("api_server");
    let _asked_together = board.asking("user");
    let asking = async { tokio::join!(kube.version(), kube.whoami()) };
    let (version, who) = Box::pin(with_waiting(board, kube, asking)).await;
    // One that tells neither may not be there: every question is answered with 404 then.
    let silent = matches!((&version, &who), (Ok(None), Ok(None)));
    let absent = if silent {
        kube.has_an_api().await.err()
    } else {
        None
    };
    // A server may hide its version and still serve; one that does not know us serves nothing.
    let error = [version.as_ref().err(), who.as_ref().err()]
        .into_iter()
        .flatten()
        .find(|error| error.kind != SourceErrorKind::Forbidden)
        .or(absent.as_ref())
        .cloned();
    if let Some(error) = error {
        board.answer("api_server", since, lines::failed(&error));
        fail(board, &error, &format!("API server {}", facts.server));
        return Err(error);
    }
    let version = version.ok().flatten();
    let insecure = facts.insecure_skip_tls_verify;
    let line = lines::api_server(version.as_ref(), &facts.server, insecure);
    board.answer("api_server", since, line);
    board.answer("user", since, lines::user(&who));
    Ok(who)
}

/// Looks at servers by address.
pub(crate) async fn at_addresses(board: &Board<'_>, choices: &dyn Choices) -> Found {
    let (metrics, traces) = tokio::join!(
        servers::metrics(board, asked(choices.metrics(Vec::new()), None), None),
        servers::traces(board, asked(choices.traces(Vec::new()), None)),
    );
    let mut sources = Sources::unconfigured();
    sources.switch_off_control_plane("opened by addresses, without an API server");
    tell_scrape_interval(board, metrics.as_ref());
    let metrics = metrics.map(|taken| (taken.place, taken.options, taken.found_at));
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

/// Tells of a credential plugin as long as it runs.
async fn with_waiting<T>(
    board: &Board<'_>,
    kube: &KubeSource,
    asking: impl Future<Output = T>,
) -> T {
    tokio::select! {
        answer = asking => {
            board.waiting(None);
            answer
        }
        never = tell_waiting(board, kube) => match never {},
    }
}

async fn tell_waiting(board: &Board<'_>, kube: &KubeSource) -> Infallible {
    let login = kube.login();
    let mut tick = interval(TELL_WAITING);
    let mut told = false;
    loop {
        tick.tick().await;
        let waiting = match &*login.borrow() {
            LoginState::Waiting {
                program,
                since,
                limit,
            } => Some(WaitingView {
                program: program.clone(),
                since_s: since.elapsed().as_secs_f64(),
                deadline_s: limit.as_secs_f64(),
            }),
            LoginState::Idle | LoginState::Done | LoginState::Failed(_) => None,
        };
        if waiting.is_some() || told {
            told = waiting.is_some();
            board.waiting(waiting);
        }
    }
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
        Some(taken) => open_traces(Some(taken.probe.kind), taken.place, taken.options),
        None => Sources::unconfigured().traces,
    }
}

/// Puts the metrics into the sources; where their server is.
fn open_metrics(
    board: &Board<'_>,
    sources: &mut Sources,
    metrics: Option<(Place, Options, Where)>,
) -> Option<Where> {
    let Some((place, options, found_at)) = metrics else {
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
