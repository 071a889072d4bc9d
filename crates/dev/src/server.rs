//! The HTTP side: files of the frontend, commands as POST, updates as lines of JSON.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::stream;
use pilothouse_api::dto::{ApiError, Code};
use pilothouse_api::{Api, Subscription, dispatch};
use tokio::net::TcpListener;

use crate::guard::Guard;

/// As in the desktop shell, without its IPC scheme.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

struct Shared {
    api: Api,
    guard: Guard,
    frontend: PathBuf,
}

/// A server that is bound and not yet serving.
pub(crate) struct Bound {
    listener: TcpListener,
    router: Router,
    address: String,
}

/// Binds 127.0.0.1.
pub(crate) async fn bind(api: Api, port: u16, frontend: &Path) -> anyhow::Result<Bound> {
    let built = frontend.join("index.html").is_file();
    anyhow::ensure!(
        built,
        "no built frontend in {}: run `make frontend` first",
        frontend.display()
    );
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await
        .with_context(|| format!("listening on 127.0.0.1:{port}"))?;
    let authority = listener
        .local_addr()
        .context("asking for our own port")?
        .to_string();
    let token = token()?;
    let guard = Guard::new(authority.clone(), token.clone());
    let shared = Arc::new(Shared {
        api,
        guard,
        frontend: frontend.to_owned(),
    });
    let router = Router::new()
        .route("/ipc/subscribe", post(subscribe))
        .route("/ipc/{command}", post(command))
        .fallback(get(file))
        .with_state(shared);
    Ok(Bound {
        listener,
        router,
        address: format!("http://{authority}/#t={token}"),
    })
}

impl Bound {
    /// The address to open, with its token in the fragment, which browsers never send.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Serves until the process ends.
    pub(crate) async fn serve(self) -> anyhow::Result<()> {
        axum::serve(self.listener, self.router)
            .await
            .context("serving")
    }
}

/// 128 random bits as hex, from the system.
fn token() -> anyhow::Result<String> {
    let bytes = uuid_bytes().context("reading /dev/urandom for the token")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn uuid_bytes() -> std::io::Result<[u8; 16]> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

async fn command(
    State(shared): State<Arc<Shared>>,
    UrlPath(command): UrlPath<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(status) = shared.guard.command(&headers) {
        return status.into_response();
    }
    let request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refusal(&bad_body(&error)),
    };
    match dispatch(&shared.api, &command, request).await {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(error) => refusal(&error),
    }
}

async fn subscribe(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Err(status) = shared.guard.command(&headers) {
        return status.into_response();
    }
    let lines = stream::unfold(
        Subscription::new(&shared.api),
        |mut subscription| async move {
            let update = subscription.next().await?;
            let mut line = serde_json::to_vec(&update).ok()?;
            line.push(b'\n');
            Some((Ok::<_, Infallible>(line), subscription))
        },
    );
    (
        [(header::CONTENT_TYPE, "application/x-ndjson")],
        Body::from_stream(lines),
    )
        .into_response()
}

async fn file(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response {
    if let Err(status) = shared.guard.file(&headers) {
        return status.into_response();
    }
    let wanted = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let inside = Path::new(wanted)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let read = if inside {
        tokio::fs::read(shared.frontend.join(wanted)).await.ok()
    } else {
        None
    };
    let Some(bytes) = read else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, content_type(wanted)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, bytes).into_response()
}

fn content_type(path: &str) -> &'static str {
    match Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str())
    {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn refusal(error: &ApiError) -> Response {
    let status = match error.code {
        Code::BadRequest | Code::BadData => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Unauthorized | Code::Forbidden | Code::ReadOnly => StatusCode::FORBIDDEN,
        Code::Conflict => StatusCode::CONFLICT,
        Code::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
        Code::NotConfigured | Code::SwitchedOff | Code::Unavailable | Code::TimedOut => {
            StatusCode::BAD_GATEWAY
        }
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    json(status, error)
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn bad_body(error: &serde_json::Error) -> ApiError {
    ApiError {
        code: Code::BadRequest,
        message: format!("the body is not JSON: {error}"),
        detail: String::new(),
        hint: String::new(),
    }
}
