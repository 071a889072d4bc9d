//! A server on loopback that answers as a test says, and a log of what it was asked.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode, header};
use futures::future::BoxFuture;
use futures::stream;
use pilothouse_core::model::{Moment, SourceError, SourceErrorKind, SourceKind};
use pilothouse_core::ports::{TraceSearch, TracesFound};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::options::Options;

/// What the server answers to one request.
pub(crate) enum Reply {
    /// Status, content type, body.
    Plain(u16, &'static str, String),
    /// JSON, gzip-compressed.
    Gzip(Vec<u8>),
    /// The headers and then nothing, for ever.
    Stalled,
    /// No answer at all.
    Silent,
    /// What comes out of this future, once it does.
    Later(BoxFuture<'static, Self>),
    /// A body that does not end.
    Endless,
    /// Status and `Location`.
    Redirect(u16, String),
}

impl Reply {
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::Plain(200, "application/json", body.into())
    }

    /// The page with which Jaeger (and many a login proxy) answers any path.
    pub(crate) fn html() -> Self {
        let page = "<!DOCTYPE html>\n<html><title>Sign in</title></html>";
        Self::Plain(200, "text/html; charset=utf-8", page.to_owned())
    }

    pub(crate) fn gzip(text: &[u8]) -> Self {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        writer.write_all(text).unwrap();
        Self::Gzip(writer.finish().unwrap())
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Decoded pairs of the query string, or of the form if it was a POST.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

impl Asked {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// The server. Ends when dropped.
pub(crate) struct Sim {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sim {
    /// Answers each request by `script`.
    pub(crate) async fn start<F>(script: F) -> Self
    where
        F: Fn(&Asked) -> Reply + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let script = Arc::new(script);
        let app = Router::new().fallback(move |request: Request| {
            let (log, script) = (Arc::clone(&log), Arc::clone(&script));
            async move {
                let one = note(request).await;
                log.lock().unwrap().push(one.clone());
                respond(script(&one)).await
            }
        });
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, asked, task }
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The last request to this path.
    pub(crate) fn last(&self, path: &str) -> Asked {
        let asked = self.asked();
        let found = asked.iter().rev().find(|one| one.path == path);
        found
            .unwrap_or_else(|| panic!("{path} was not asked: {asked:?}"))
            .clone()
    }
}

async fn note(request: Request) -> Asked {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let text = if body.is_empty() {
        parts.uri.query().unwrap_or_default().to_owned()
    } else {
        String::from_utf8(body.to_vec()).unwrap()
    };
    let url = reqwest::Url::parse(&format!("http://sim/?{text}")).unwrap();
    Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        parameters: url.query_pairs().into_owned().collect(),
        headers: parts.headers,
    }
}

async fn respond(mut reply: Reply) -> Response<Body> {
    while let Reply::Later(later) = reply {
        reply = later.await;
    }
    let response =
        |content_type: &str| Response::builder().header(header::CONTENT_TYPE, content_type);
    match reply {
        Reply::Plain(status, content_type, body) => response(content_type)
            .status(StatusCode::from_u16(status).unwrap())
            .body(Body::from(body))
            .unwrap(),
        Reply::Gzip(body) => response("application/json")
            .header(header::CONTENT_ENCODING, "gzip")
            .body(Body::from(body))
            .unwrap(),
        Reply::Silent | Reply::Later(_) => std::future::pending().await,
        Reply::Stalled => {
            let chunks = stream::pending::<Result<Bytes, Infallible>>();
            response("application/json")
                .body(Body::from_stream(chunks))
                .unwrap()
        }
        Reply::Endless => {
            let chunk = || Ok::<_, Infallible>(Bytes::from(vec![b' '; 64 << 10]));
            let chunks = stream::iter(std::iter::repeat_with(chunk));
            response("application/json")
                .body(Body::from_stream(chunks))
                .unwrap()
        }
        Reply::Redirect(status, to) => Response::builder()
            .status(StatusCode::from_u16(status).unwrap())
            .header(header::LOCATION, to)
            .body(Body::empty())
            .unwrap(),
    }
}

/// An address on loopback where nothing listens.
pub(crate) async fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Options with a deadline short enough to wait for, and a small cap.
pub(crate) fn impatient() -> Options {
    Options {
        deadline: Duration::from_millis(150),
        max_body_bytes: 1 << 20,
        ..Options::default()
    }
}

/// A search of the newest ten between two moments that the traces of a simulated backend lie between.
pub(crate) fn search(service: Option<&str>) -> TraceSearch {
    TraceSearch {
        service: service.map(str::to_owned),
        from: Moment(50_000),
        to: Moment(500_000),
        limit: 10,
        ..TraceSearch::default()
    }
}

pub(crate) fn ids(found: &TracesFound) -> Vec<u128> {
    found.traces.iter().map(|summary| summary.id.0).collect()
}

/// Every one is a failure of the traces, of this kind, with this in its hint.
pub(crate) fn are_failures(
    errors: impl IntoIterator<Item = SourceError>,
    kind: SourceErrorKind,
    hint: &str,
) {
    for error in errors {
        assert_eq!(
            (error.kind, error.source_kind),
            (kind, SourceKind::Traces),
            "{error}"
        );
        assert!(error.hint.contains(hint), "{kind:?}: {}", error.hint);
    }
}
