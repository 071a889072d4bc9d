//! A look at a context: everything that is asked on the way to it, at the same time where one answer does not need
//! another, and the sources that come of it.

pub(crate) mod board;
pub(crate) mod lines;
mod servers;

use std::collections::BTreeSet;
use std::convert::Infallible;

use pilothouse_api::dto::{ApiError, CheckFailureView, LineState, WaitingView};
use pilothouse_api::{Connecting, code_of};
use pilothouse_engine::{SourceError, SourceErrorKind, Sources};
use pilothouse_kube::{Inventory, KubeSource, LoginState, Rights, Who};
use pilothouse_telemetry::{JaegerSource, MetricsSurvey, PrometheusSource, TracesSurvey};
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
    fn metrics(
        &self,
        found: Vec<Candidate>,
    ) -> Vec<(
        Candidate,
        Result<pilothouse_telemetry::Options, SourceError>,
    )>;
    /// The same of traces.
    fn traces(
        &self,
        found: Vec<Candidate>,
    ) -> Vec<(
        Candidate,
        Result<pilothouse_telemetry::Options, SourceError>,
    )>;
}

/// What a look at a cluster found.
pub(crate) struct Found {
    pub(crate) sources: Sources,
    /// Istio's id of the cluster.
    pub(crate) cluster: Option<String>,
    /// Tells the metrics server apart.
    pub(crate) metrics_server: Option<String>,
}

/// Looks at a cluster through its API server.
///
/// # Errors
/// If the API server cannot be reached or does not know us: then nothing can be opened.
pub(crate) async fn at_cluster(
    board: &Board<'_>,
    kube: KubeSource,
    namespaces: &[String],
    choices: &dyn Choices,
    need: Need,
) -> Result<Found, SourceError> {
    let who = Box::pin(greet(board, &kube)).await?;
    let mut asked_in: Vec<String> = namespaces.to_vec();
    asked_in.extend(kube.facts().namespace.clone());
    let rights = async {
        if need != Need::Everything {
            return;
        }
        let since = board.asking("rights");
        let asking: Connecting<'_, Rights> = Box::pin(kube.rights(&asked_in));
        let rights = asking.await;
        board.answer("rights", since, lines::rights(&rights, &who));
    };
    let around = look_around(board, &kube, namespaces, choices, need);
    let ((), around) = tokio::join!(rights, around);
    Ok(found(board, kube, around))
}

/// Who the server is and who we are to it.
async fn greet(
    board: &Board<'_>,
    kube: &KubeSource,
) -> Result<Result<Option<Who>, SourceError>, SourceError> {
    let facts = kube.facts();
    let since = board.asking("api_server");
    let _asked_together = board.asking("user");
    let asking = async { tokio::join!(kube.version(), kube.whoami()) };
    let (version, who) = Box::pin(with_waiting(board, kube, asking)).await;
    // A server may hide its version and still serve; one that does not know us serves nothing.
    let error = [version.as_ref().err(), who.as_ref().err()]
        .into_iter()
        .flatten()
        .find(|error| error.kind != SourceErrorKind::Forbidden)
        .cloned();
    if let Some(error) = error {
        board.answer("api_server", since, lines::failed(&error));
        let _told = fail(board, &error, &format!("API server {}", facts.server));
        return Err(error);
    }
    let version = version.ok().flatten();
    let insecure = facts.insecure_skip_tls_verify;
    let line = lines::api_server(version.as_ref(), &facts.server, insecure);
    board.answer("api_server", since, line);
    board.answer("user", since, lines::user(&who));
    Ok(who)
}

/// What a look around a cluster brought.
struct Around {
    cluster: Option<String>,
    metrics: Option<Taken<MetricsSurvey>>,
    traces: Option<Taken<TracesSurvey>>,
}

async fn look_around(
    board: &Board<'_>,
    kube: &KubeSource,
    namespaces: &[String],
    choices: &dyn Choices,
    need: Need,
) -> Around {
    let since = Instant::now();
    for line in ["namespaces", "istio", "gateway_api", "owners"] {
        let _asked_together = board.asking(line);
    }
    let asking: Connecting<'_, Inventory> = Box::pin(kube.inventory());
    let inventory = asking.await;
    board.answer(
        "namespaces",
        since,
        lines::namespaces(&inventory, namespaces),
    );
    board.answer("istio", since, lines::istio(&inventory));
    board.answer("gateway_api", since, lines::gateway_api(&inventory));
    board.answer("owners", since, lines::owners(&inventory));
    let own = names(&inventory);
    let metrics = async {
        if !need.metrics() {
            return None;
        }
        let candidates = choices.metrics(metrics_candidates(&inventory));
        servers::metrics(board, asked(candidates, Some(kube)), own.as_ref()).await
    };
    let traces = async {
        if !need.traces() {
            return None;
        }
        let candidates = choices.traces(trace_candidates(&inventory));
        servers::traces(board, asked(candidates, Some(kube))).await
    };
    let (metrics, traces) = tokio::join!(metrics, traces);
    Around {
        cluster: inventory.cluster_name().map(str::to_owned),
        metrics,
        traces,
    }
}

fn found(board: &Board<'_>, kube: KubeSource, around: Around) -> Found {
    let mut sources = Sources::unconfigured();
    sources.findings = kube.warnings();
    let api_server = kube.facts().server.clone();
    sources.set_control_plane(Ok(kube));
    let metrics_server = open(board, &mut sources, around.metrics, around.traces);
    let metrics_server = metrics_server.map(|place| place.server(&api_server));
    Found {
        sources,
        cluster: around.cluster,
        metrics_server,
    }
}

/// Looks at servers by address.
pub(crate) async fn at_addresses(board: &Board<'_>, choices: &dyn Choices) -> Found {
    let (metrics, traces) = tokio::join!(
        servers::metrics(board, asked(choices.metrics(Vec::new()), None), None),
        servers::traces(board, asked(choices.traces(Vec::new()), None)),
    );
    let mut sources = Sources::unconfigured();
    if let Err(error) = &mut sources.control_plane {
        error.kind = SourceErrorKind::SwitchedOff;
        "opened by addresses, without an API server".clone_into(&mut error.message);
        error.hint.clear();
    }
    let metrics_server = open(board, &mut sources, metrics, traces);
    Found {
        sources,
        cluster: None,
        metrics_server: metrics_server.map(|place| place.server("")),
    }
}

/// Ends the board with this failure.
pub(crate) fn fail(board: &Board<'_>, error: &SourceError, stopped_at: &str) -> ApiError {
    board.failed(CheckFailureView {
        asked: stopped_at.to_owned(),
        happened: error.message.clone(),
        helps: error.hint.clone(),
        command: String::new(),
        looked_in: Vec::new(),
        stopped_at: stopped_at.to_owned(),
    });
    ApiError {
        code: code_of(error.kind),
        message: error.message.clone(),
        detail: String::new(),
        hint: error.hint.clone(),
    }
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
    candidates: Vec<(
        Candidate,
        Result<pilothouse_telemetry::Options, SourceError>,
    )>,
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

/// Puts what was taken into the sources; where the metrics server is.
fn open(
    board: &Board<'_>,
    sources: &mut Sources,
    metrics: Option<Taken<MetricsSurvey>>,
    traces: Option<Taken<TracesSurvey>>,
) -> Option<Where> {
    let since = board.asking("scrape_interval");
    let interval = metrics
        .as_ref()
        .and_then(|taken| taken.probe.scrape_interval_s);
    let line = match (&metrics, interval) {
        (None, _) => Line::new(LineState::Missing, "no metrics, so there is none"),
        (Some(_), None) => Line::new(LineState::Note, "not known: 15 s are assumed"),
        (Some(_), Some(seconds)) => Line::ok(format!(
            "{seconds:.0} s, so the shortest honest window is {:.0} s",
            seconds * 4.0
        )),
    };
    board.answer("scrape_interval", since, line);
    if let Some(taken) = traces {
        sources.set_traces(JaegerSource::at(taken.place, taken.options));
    }
    let Some(taken) = metrics else {
        if let Err(error) = &mut sources.metrics
            && let Some((answer, hint)) = board.said("metrics")
        {
            error.message = answer;
            error.hint = hint;
        }
        return None;
    };
    sources.set_metrics(PrometheusSource::at(taken.place, taken.options));
    Some(taken.found_at)
}
