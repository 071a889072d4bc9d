use std::sync::Mutex;
use std::time::Duration;

use pilothouse_core::model::SourceKind;
use pilothouse_core::ports::{
    Answer as PortAnswer, HttpCall, HttpReply, MetricsSource, TraceSource,
};

use super::*;
use crate::place::Place;
use crate::testing::impatient;
use crate::{Credentials, JaegerSource, Options, PrometheusSource, Secret};

const SHOWN: &str = "monitoring/prometheus:9090 through the API server";
const CANARY: &str = "canary-7f3a";

/// Answers each call by a script, and keeps what it was asked. `None` never answers.
struct Scripted {
    script: fn(&HttpCall) -> Option<Result<HttpReply, SourceError>>,
    asked: Mutex<Vec<HttpCall>>,
}

impl Scripted {
    fn new(script: fn(&HttpCall) -> Option<Result<HttpReply, SourceError>>) -> Arc<Self> {
        let asked = Mutex::default();
        Arc::new(Self { script, asked })
    }
}

impl HttpWay for Scripted {
    fn shown(&self) -> &str {
        SHOWN
    }

    fn call(&self, call: HttpCall) -> PortAnswer<'_, HttpReply> {
        let reply = (self.script)(&call);
        self.asked.lock().unwrap().push(call);
        Box::pin(async move {
            match reply {
                Some(reply) => reply,
                None => std::future::pending().await,
            }
        })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a script returns")]
fn reply(status: u16, body: &str, from_the_way: bool) -> Option<Result<HttpReply, SourceError>> {
    Some(Ok(HttpReply {
        status,
        content_type: "application/json".to_owned(),
        body: body.as_bytes().to_vec(),
        from_the_way,
    }))
}

fn place(way: &Arc<Scripted>, base_path: &str) -> Place {
    Place::Way {
        way: Arc::<Scripted>::clone(way),
        base_path: base_path.to_owned(),
    }
}

fn options() -> Options {
    Options {
        credentials: Credentials::Bearer(Secret::new(CANARY)),
        max_body_bytes: 1000,
        deadline: Duration::from_secs(5),
        ..Options::default()
    }
}

async fn failure(way: &Arc<Scripted>) -> SourceError {
    let source = JaegerSource::at(place(way, "/jaeger"), options()).unwrap();
    let error = source.services().await.unwrap_err();
    let all = format!("{error:?} {error} {source:?} {:?}", place(way, "/jaeger"));
    assert!(!all.contains(CANARY), "{all}");
    error
}

#[tokio::test]
async fn a_source_asks_below_its_base_path_with_its_token_and_cap() {
    let way = Scripted::new(|_| {
        reply(
            200,
            r#"{"status":"success","data":{"version":"3.1.0"}}"#,
            false,
        )
    });
    let source = PrometheusSource::at(place(&way, "/select/0/prometheus/"), options()).unwrap();
    let probe = source.probe().await;
    assert_eq!(source.address(), format!("{SHOWN}, /select/0/prometheus"));
    drop(probe);
    let asked = way.asked.lock().unwrap();
    assert!(!asked.is_empty());
    for call in asked.iter() {
        assert!(
            call.path.starts_with("/select/0/prometheus/api/v1/"),
            "{}",
            call.path
        );
        assert_eq!(call.max_body_bytes, 1000);
        let token = call
            .headers
            .iter()
            .find(|(name, _)| name == "authorization");
        assert_eq!(token.unwrap().1, format!("Bearer {CANARY}"));
    }
}

#[test]
fn queries_stand_in_the_path_and_forms_in_the_body() {
    let way = Scripted::new(|_| None);
    let backend = Backend {
        source: SourceKind::Metrics,
        product: "Prometheus",
    };
    let lent = Lent::new(backend, way, "p", &Tls::default()).unwrap();
    let pairs = [("query", "a{b=\"c d\"} & é".to_owned())];
    let encoded = "query=a%7Bb%3D%22c+d%22%7D+%26+%C3%A9";
    let get = lent.question(&["x/y"], Parameters::Query(&pairs));
    assert_eq!((get.post, get.path), (false, format!("/p/x%2Fy?{encoded}")));
    assert!(get.body.is_empty());
    let post = lent.question(&["x"], Parameters::Form(&pairs));
    assert_eq!((post.post, post.path.as_str()), (true, "/p/x"));
    assert_eq!(post.body, encoded.as_bytes());
    assert_eq!(lent.question(&["x"], Parameters::Query(&[])).path, "/p/x");
}

#[tokio::test]
async fn a_refusal_of_the_way_is_not_taken_for_the_servers() {
    type Script = fn(&HttpCall) -> Option<Result<HttpReply, SourceError>>;
    let cases: [(Script, SourceErrorKind, &str); 7] = [
        (
            |_| reply(401, r#"{"message":"said"}"#, true),
            SourceErrorKind::Unauthorized,
            "credentials of this context: said",
        ),
        (
            |_| reply(403, r#"{"message":"said"}"#, true),
            SourceErrorKind::Forbidden,
            "forbids the way to it: said",
        ),
        (
            |_| reply(404, r#"{"message":"said"}"#, true),
            SourceErrorKind::NotFound,
            "no such service or port: said",
        ),
        (
            |_| reply(503, "no json", true),
            SourceErrorKind::Unreachable,
            "no ready endpoint: HTTP 503",
        ),
        (
            |_| {
                reply(
                    503,
                    r#"{"message":"error trying to reach service: dial tcp"}"#,
                    true,
                )
            },
            SourceErrorKind::Unreachable,
            "does not reach the pod: error trying",
        ),
        (
            |_| reply(502, "", true),
            SourceErrorKind::Unreachable,
            "does not reach the pod: HTTP 502",
        ),
        (
            |_| reply(429, "", true),
            SourceErrorKind::ServerError,
            "did not pass the question on: HTTP 429",
        ),
    ];
    for (script, kind, words) in cases {
        let error = failure(&Scripted::new(script)).await;
        assert_eq!((error.source_kind, error.kind), (SourceKind::Traces, kind));
        assert!(error.message.contains(words), "{}", error.message);
        assert!(error.message.contains(SHOWN), "{}", error.message);
        assert!(!error.hint.is_empty());
    }
}

#[tokio::test]
async fn a_failing_way_keeps_its_kind_and_hint_and_speaks_for_the_source() {
    let error = failure(&Scripted::new(|_| {
        let broken = SourceError::new(
            SourceKind::ControlPlane,
            SourceErrorKind::Unreachable,
            "broken",
        );
        Some(Err(broken.with_hint("mend it")))
    }))
    .await;
    assert_eq!(error.source_kind, SourceKind::Traces);
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(error.message.ends_with("broken"), "{}", error.message);
    assert_eq!(error.hint, "mend it");
}

#[tokio::test]
async fn redirects_and_answers_that_are_too_large_are_failures() {
    let error = failure(&Scripted::new(|_| reply(302, "", false))).await;
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert!(error.message.contains("HTTP 302"), "{}", error.message);
    let error = failure(&Scripted::new(|_| reply(200, &" ".repeat(1001), false))).await;
    assert_eq!(error.kind, SourceErrorKind::TooLarge);
}

#[tokio::test]
async fn a_silent_way_ends_at_the_deadline() {
    let source = JaegerSource::at(place(&Scripted::new(|_| None), ""), impatient()).unwrap();
    let error = source.services().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TimedOut);
    assert!(error.message.contains("0.15 s"), "{}", error.message);
}

#[test]
fn a_base_path_that_is_none_is_refused_and_addresses_hide_their_password() {
    for wrong in ["/a?b=c", "/a#b", "http://h/x", "user@host"] {
        let way = Scripted::new(|_| None);
        let error = PrometheusSource::at(place(&way, wrong), options()).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration, "{wrong}");
        assert!(error.message.contains(SHOWN), "{}", error.message);
    }
    let shown = format!(
        "{:?}",
        Place::Address(format!("http://anna:{CANARY}@h/p?t={CANARY}"))
    );
    assert_eq!(shown, r#"Address("h/p")"#);
}
