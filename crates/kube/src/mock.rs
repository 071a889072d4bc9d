//! An API server that a test plays: canned answers, and a log of what was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use crate::age::tests::still;
use crate::connect::ConnectionFacts;
use crate::kubeconfig::AuthKind;
use crate::source::KubeSource;
use crate::transport::{Connector, Transport};

/// A request as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `GET /api/v1/services?limit=500`.
    pub(crate) line: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn is_list(&self) -> bool {
        !self.line.contains("watch=true")
    }

    pub(crate) fn is_streamed_list(&self) -> bool {
        self.line.contains("sendInitialEvents=true")
    }

    pub(crate) fn is_watch(&self) -> bool {
        self.line.contains("watch=true") && !self.is_streamed_list()
    }
}

/// What happens after the last chunk of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Closes,
    StaysOpen,
    Breaks,
}

/// An answer.
pub(crate) struct Canned {
    status: u16,
    headers: Vec<(&'static str, String)>,
    chunks: Vec<String>,
    tail: Tail,
    hangs: bool,
}

impl Canned {
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            chunks: vec![text.to_owned()],
            tail: Tail::Closes,
            hangs: false,
        }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::text(status, &value.to_string())
    }

    pub(crate) fn ok(value: &Value) -> Self {
        Self::json(200, value)
    }

    /// What the server answers for a path that it does not have.
    pub(crate) fn no_path() -> Self {
        Self::text(404, "404 page not found\n")
    }

    /// A `Status` without details.
    pub(crate) fn status(code: u16, reason: &str, message: &str) -> Self {
        Self::json(code, &status(code, reason, message))
    }

    /// Never answers.
    pub(crate) fn silence() -> Self {
        Self {
            hangs: true,
            ..Self::text(200, "")
        }
    }

    /// Watch events, one a line; then the connection stays open.
    pub(crate) fn events(events: &[Value]) -> Self {
        Self {
            chunks: events.iter().map(|event| format!("{event}\n")).collect(),
            tail: Tail::StaysOpen,
            ..Self::text(200, "")
        }
    }

    pub(crate) fn then_closes(mut self) -> Self {
        self.tail = Tail::Closes;
        self
    }

    pub(crate) fn then_breaks(mut self) -> Self {
        self.tail = Tail::Breaks;
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    async fn respond(self) -> Response<http_body_util::combinators::UnsyncBoxBody<Bytes, String>> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let frames = self
            .chunks
            .into_iter()
            .map(|chunk| Ok(Frame::data(Bytes::from(chunk))));
        let frames = stream::iter(frames);
        let frames = match self.tail {
            Tail::Closes => frames.boxed(),
            Tail::StaysOpen => frames.chain(stream::pending()).boxed(),
            Tail::Breaks => frames
                .chain(stream::iter([Err("connection reset by peer".to_owned())]))
                .boxed(),
        };
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response
            .body(StreamBody::new(frames).boxed_unsync())
            .unwrap()
    }
}

pub(crate) fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code})
}

/// What was asked so far.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

/// A client of a server that answers like this.
pub(crate) fn client(answer: impl Fn(&Seen) -> Canned + Send + Sync + 'static) -> (Client, Log) {
    let log = Log::default();
    let answer = Arc::new(answer);
    let service = {
        let log = log.clone();
        service_fn(move |request: Request<Body>| {
            let log = log.clone();
            let answer = Arc::clone(&answer);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let content_type = parts.headers.get("content-type");
                let seen = Seen {
                    line: format!("{} {}", parts.method, parts.uri),
                    content_type: content_type.map_or("", |v| v.to_str().unwrap()).to_owned(),
                    body: String::from_utf8(body.to_vec()).unwrap(),
                };
                log.0.lock().unwrap().push(seen.clone());
                Ok::<_, Infallible>(answer(&seen).respond().await)
            }
        })
    };
    (Client::new(service, "default"), log)
}

/// A source on a server that answers like this.
pub(crate) fn serve(
    namespaces: &[&str],
    answer: impl Fn(&Seen) -> Canned + Send + Sync + 'static,
) -> (KubeSource, Log) {
    let (client, log) = client(answer);
    let transport = Transport::new(Connector::Fixed(client), Duration::from_secs(5), still());
    let namespaces = namespaces.iter().map(|&ns| ns.to_owned()).collect();
    (KubeSource::new(transport, facts(), namespaces), log)
}

/// A source whose server gives these answers, one after the other, and is silent when they are used up.
pub(crate) fn serve_in_turn(answers: Vec<Canned>) -> (KubeSource, Log) {
    let answers = Mutex::new(VecDeque::from(answers));
    serve(&[], move |_| {
        let next = answers.lock().unwrap().pop_front();
        next.unwrap_or_else(Canned::silence)
    })
}

pub(crate) fn facts() -> ConnectionFacts {
    ConnectionFacts {
        context: "test".to_owned(),
        file: None,
        server: "https://cluster.example:6443".to_owned(),
        namespace: None,
        auth: AuthKind::Token,
        insecure_skip_tls_verify: false,
        impersonates: None,
        proxy: None,
        notes: Vec::new(),
    }
}

/// A `VirtualService` with one weight, of this resourceVersion.
pub(crate) fn virtual_service(namespace: &str, name: &str, version: &str) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"namespace": namespace, "name": name, "resourceVersion": version, "uid": "u", "odd": 1},
        "spec": {"hosts": [name], "http": [{"route": [
            {"destination": {"host": name, "subset": "v1"}, "weight": 90},
            {"destination": {"host": name, "subset": "v2"}, "weight": 10},
        ]}]},
    })
}

/// A list of these.
pub(crate) fn list(version: &str, items: &[Value]) -> Value {
    json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": version}, "items": items})
}
