//! The first question to an API server: who it is and who we are to it.

use std::convert::Infallible;

use futures::FutureExt as _;
use futures::future::Shared;
use pilothouse_api::Connecting;
use pilothouse_api::dto::WaitingView;
use pilothouse_engine::{SourceError, SourceErrorKind};
use pilothouse_kube::{KubeSource, LoginState, Who};
use tokio::time::{Duration, interval};

use super::board::Board;
use super::{fail, lines};

/// How often a wait for a credential plugin is told.
const TELL_WAITING: Duration = Duration::from_millis(500);

/// What the user is to the server, or why that is not known; an error if nothing can be asked at all.
pub(super) type Greeted = Result<Result<Option<Who>, SourceError>, SourceError>;

/// Whoever needs to know waits for the same answer.
pub(super) type Greeting<'a> = Shared<Connecting<'a, Greeted>>;

/// Who the server is and who we are to it; asked when somebody first waits for it.
pub(super) fn greeting<'a>(board: &'a Board<'_>, kube: &'a KubeSource) -> Greeting<'a> {
    let greeting: Connecting<'_, Greeted> = Box::pin(greet(board, kube));
    greeting.shared()
}

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
