//! The ways against an API server that a test plays, with its faults.

mod loopback;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use pilothouse_core::model::{SourceErrorKind, SourceKind};
use pilothouse_core::ports::{HttpCall, HttpReply, HttpWay};
use serde_json::{Value, json};

use self::loopback::{Loopback, Port};
use super::{Scheme, Target};
use crate::mock::{Canned, Seen, serve, status};

fn target() -> Target {
    Target::service("monitoring", "prometheus", "9090")
}

fn get(path: &str) -> HttpCall {
    HttpCall {
        path: path.to_owned(),
        max_body_bytes: 1000,
        ..HttpCall::default()
    }
}

fn form(path: &str, form: &str) -> HttpCall {
    let content_type = "application/x-www-form-urlencoded".to_owned();
    HttpCall {
        post: true,
        body: form.as_bytes().to_vec(),
        headers: vec![("content-type".to_owned(), content_type)],
        ..get(path)
    }
}

async fn asked(way: &dyn HttpWay, call: HttpCall) -> HttpReply {
    way.call(call).await.unwrap()
}

fn forbidden() -> Canned {
    Canned::status(403, "Forbidden", "services \"prometheus\" is forbidden")
}

#[tokio::test]
async fn the_proxy_keeps_base_path_scheme_query_and_form() {
    let (source, log) = serve(&[], |_| Canned::text(200, "{}"));
    let cases = [
        (target(), "services/prometheus:9090/proxy/api?a=b%20c"),
        (
            target().below("/select/0/prometheus/").over_tls(),
            "services/https:prometheus:9090/proxy/select/0/prometheus/api?a=b%20c",
        ),
        (
            Target::pod("monitoring", "p-0", 80),
            "pods/p-0:80/proxy/api?a=b%20c",
        ),
    ];
    for (target, path) in cases {
        let way = source.way_to(&target).unwrap();
        asked(&*way, form("/api?a=b%20c", "query=up")).await;
        let seen = log.seen().pop().unwrap();
        assert_eq!(
            seen.line,
            format!("POST /api/v1/namespaces/monitoring/{path}")
        );
        assert_eq!(seen.body, "query=up");
        assert_eq!(seen.content_type, "application/x-www-form-urlencoded");
    }
    assert_eq!(
        source.way_to(&target()).unwrap().shown(),
        "monitoring/prometheus:9090 through the API server's service proxy"
    );
}

#[tokio::test]
async fn a_forbidden_post_becomes_a_get_and_stays_one() {
    let (source, log) = serve(&[], |seen: &Seen| {
        if seen.line.starts_with("POST") {
            forbidden()
        } else {
            Canned::text(200, "ok")
        }
    });
    let way = source.way_to(&target()).unwrap();
    for _ in 0..2 {
        let reply = asked(&*way, form("/q?x=1", "query=up")).await;
        assert_eq!((reply.status, reply.from_the_way), (200, false));
    }
    let lines: Vec<_> = log.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[1].ends_with("/proxy/q?x=1&query=up"), "{lines:?}");
    assert_eq!(lines[1], lines[2]);
}

/// It is refused in the API server's own words, which name the missing verb; or it goes by a forwarded port.
#[tokio::test]
async fn a_form_that_is_too_long_for_a_url_stays_a_post() {
    let (source, log) = serve(&[], |seen: &Seen| {
        if seen.line.starts_with("POST") {
            forbidden()
        } else {
            Canned::text(200, "ok")
        }
    });
    let way = source.proxy_way(&target()).unwrap();
    for (length, status) in [(6000, 200), (7000, 403), (10, 200)] {
        let question = form("/q", &format!("query={}", "x".repeat(length)));
        assert_eq!(asked(&*way, question).await.status, status, "{length}");
    }
    let methods: Vec<_> = log
        .lines()
        .iter()
        .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
        .collect();
    assert_eq!(methods, ["POST", "GET", "POST", "GET"]);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_never_put_into_a_query() {
    let (source, log) = serve(&[], |_| forbidden());
    let mut call = form("/q", "{}");
    call.headers[0].1 = "application/json".to_owned();
    let way = source.proxy_way(&target()).unwrap();
    assert_eq!(asked(&*way, call).await.status, 403);
    assert_eq!(log.lines().len(), 1);
}

#[tokio::test]
async fn answers_of_the_api_server_and_of_the_target_are_told_apart() {
    let own_401 = json!({"status": "error", "errorType": "unauthorized"});
    let cases = [
        (Canned::json(401, &own_401), 401, false),
        (Canned::text(401, "no org id"), 401, false),
        (Canned::text(502, "<html>bad gateway</html>"), 502, false),
        (Canned::text(404, "404 page not found"), 404, false),
        (Canned::json(200, &status(503, "x", "y")), 200, false),
        (
            Canned::status(401, "Unauthorized", "Unauthorized"),
            401,
            true,
        ),
        (
            Canned::status(404, "NotFound", "services \"prometheus\" not found"),
            404,
            true,
        ),
        (
            Canned::status(503, "ServiceUnavailable", "no endpoints available"),
            503,
            true,
        ),
    ];
    for (canned, code, from_the_way) in cases {
        let canned = std::sync::Mutex::new(Some(canned));
        let (source, _) = serve(&[], move |_| {
            canned
                .lock()
                .unwrap()
                .take()
                .unwrap_or_else(Canned::no_path)
        });
        let way = source.proxy_way(&target()).unwrap();
        let reply = asked(&*way, get("/")).await;
        assert_eq!((reply.status, reply.from_the_way), (code, from_the_way));
        let refusal = reply.refusal(SourceKind::ControlPlane, way.shown());
        assert_eq!(refusal.is_some(), from_the_way);
        if let Some(refusal) = refusal {
            assert!(!refusal.hint.is_empty() && refusal.message.contains(way.shown()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn silence_a_broken_and_a_large_answer_are_failures_with_the_ways_name() {
    let cases = [
        (Canned::silence(), SourceErrorKind::TimedOut),
        (
            Canned::text(200, "ab").then_breaks(),
            SourceErrorKind::Unreachable,
        ),
        (
            Canned::text(200, &"x".repeat(1001)),
            SourceErrorKind::TooLarge,
        ),
    ];
    for (canned, kind) in cases {
        let canned = std::sync::Mutex::new(Some(canned));
        let (source, _) = serve(&[], move |_| canned.lock().unwrap().take().unwrap());
        let way = source.way_to(&target()).unwrap();
        let error = way.call(get("/")).await.unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(
            error.message.contains("monitoring/prometheus:9090"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_path_cannot_climb_out_of_the_proxy() {
    let (source, log) = serve(&[], |_| Canned::text(200, ""));
    let way = source.way_to(&target()).unwrap();
    for path in [
        "/../../x",
        "/a/%2e%2E/x",
        "x",
        "http://a/",
        "/a b",
        "/.\\..",
        "",
    ] {
        let error = way.call(get(path)).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadConfiguration, "{path}");
    }
    assert!(log.lines().is_empty());
    for name in ["a/b", "..", "a?b", ""] {
        assert!(source.way_to(&Target::service("ns", name, "80")).is_err());
    }
    assert!(source.way_to(&target().below("/../..")).is_err());
}

/// The Service and the slices of the target.
fn objects(line: &str) -> Option<Value> {
    if line.contains("/services/prometheus ") {
        return Some(
            json!({"spec": {"ports": [{"name": "grpc", "port": 1}, {"name": "web", "port": 9090}]}}),
        );
    }
    let endpoint = |name: &str, ready: bool| json!({"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": name}});
    line.contains("/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dprometheus ")
        .then(|| {
            json!({"items": [
                {"endpoints": null, "ports": null},
                {"endpoints": [endpoint("p-0", false), endpoint("p-2", true), endpoint("p-1", true)],
                 "ports": [{"name": "grpc", "port": 1}, {"name": "web", "port": 19090}]},
            ]})
        })
}

fn zipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn http(head: &str, body: &[u8]) -> Port {
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
    Port::Answers([head.as_bytes(), body].concat())
}

fn without_proxy(line: &str) -> (u16, Value) {
    match objects(line) {
        Some(object) => (200, object),
        None => (403, status(403, "Forbidden", "services/proxy is forbidden")),
    }
}

#[tokio::test]
async fn a_forbidden_proxy_gives_way_to_a_forwarded_port_for_good() {
    let port = http("200 OK\r\ncontent-encoding: gzip", &zipped("answer"));
    let server = Loopback::start(without_proxy, port).await;
    let way = server.source().way_to(&target()).unwrap();
    for _ in 0..2 {
        let reply = asked(&*way, form("/q?x=1", "query=up")).await;
        assert_eq!(reply.body, b"answer");
    }
    assert_eq!(
        way.shown(),
        "monitoring/prometheus:9090 through a forwarded port"
    );
    let lines = server.lines();
    let n_proxied = lines.iter().filter(|line| line.contains("/proxy/")).count();
    assert_eq!(n_proxied, 2, "POST, GET and never again: {lines:?}");
    let forwarded = "GET /api/v1/namespaces/monitoring/pods/p-1/portforward?&ports=19090 HTTP/1.1";
    assert_eq!(
        lines.iter().filter(|line| *line == forwarded).count(),
        2,
        "{lines:?}"
    );
    let sent = server.forwarded();
    assert!(sent[0].starts_with("POST /q?x=1 HTTP/1.1\r\n"), "{sent:?}");
    assert!(
        sent[0].contains("host: prometheus.monitoring.svc:9090\r\n"),
        "{sent:?}"
    );
    assert!(sent[0].ends_with("\r\n\r\nquery=up"), "{sent:?}");
}

#[tokio::test]
async fn pods_that_the_api_server_does_not_reach_are_reached_through_the_kubelet() {
    let unreached = |line: &str| match objects(line) {
        Some(object) => (200, object),
        None => {
            let why = "error trying to reach service: dial tcp 10.0.0.7:19090: i/o timeout";
            (503, status(503, "ServiceUnavailable", why))
        }
    };
    let server = Loopback::start(unreached, http("200 OK", b"answer")).await;
    let way = server.source().way_to(&target()).unwrap();
    assert_eq!(asked(&*way, get("/q")).await.body, b"answer");
    let reply = asked(&*server.source().proxy_way(&target()).unwrap(), get("/q")).await;
    let refusal = reply.refusal(SourceKind::ControlPlane, "x").unwrap();
    assert!(refusal.hint.contains("firewall"), "{}", refusal.hint);
}

#[tokio::test]
async fn a_token_for_the_target_never_goes_to_the_api_server() {
    let port = http("401 Unauthorized\r\ncontent-type: text/plain", b"no");
    let server = Loopback::start(without_proxy, port).await;
    let mut call = get("/q");
    call.headers = vec![("authorization".to_owned(), "Bearer canary".to_owned())];
    let way = server.source().way_to(&target()).unwrap();
    let reply = asked(&*way, call.clone()).await;
    assert_eq!((reply.status, reply.from_the_way), (401, false));
    assert!(server.forwarded()[0].contains("authorization: Bearer canary\r\n"));
    assert!(!server.heads().concat().contains("canary"));
    let proxy = server.source().proxy_way(&target()).unwrap();
    let error = proxy.call(call).await.unwrap_err();
    assert!(!format!("{error:?}").contains("canary"));
}

#[tokio::test]
async fn both_ways_forbidden_is_one_refusal_with_both_rules() {
    let server = Loopback::start(without_proxy, Port::Forbidden).await;
    let way = server.source().way_to(&target()).unwrap();
    let reply = asked(&*way, get("/")).await;
    let refusal = reply
        .refusal(SourceKind::ControlPlane, way.shown())
        .unwrap();
    assert_eq!(refusal.kind, SourceErrorKind::Forbidden);
    for rule in ["services/proxy", "pods/portforward"] {
        assert!(refusal.hint.contains(rule), "{}", refusal.hint);
    }
    let forward = server.source().forward_way(&target()).unwrap();
    let error = forward.call(get("/")).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Forbidden);
}

#[tokio::test]
async fn a_stream_that_fails_says_why() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf".to_vec();
    let cases = [
        (
            Port::Refuses("connection refused on 19090".to_owned()),
            SourceErrorKind::Unreachable,
            "connection refused on 19090",
        ),
        (
            Port::Answers(Vec::new()),
            SourceErrorKind::Unreachable,
            "no HTTP answer",
        ),
        (
            Port::Answers(b"SSH-2.0\r\n\r\n".to_vec()),
            SourceErrorKind::Unreachable,
            "no HTTP answer",
        ),
        (Port::Answers(cut), SourceErrorKind::BadAnswer, "cut off"),
        (
            http("200 OK", &[b'x'; 1001]),
            SourceErrorKind::TooLarge,
            "1000",
        ),
        (
            http(
                "200 OK\r\ncontent-encoding: gzip",
                &zipped(&"x".repeat(100_000)),
            ),
            SourceErrorKind::TooLarge,
            "1000",
        ),
        (
            http("200 OK\r\ncontent-encoding: gzip", b"x"),
            SourceErrorKind::BadAnswer,
            "gzip",
        ),
    ];
    for (port, kind, text) in cases {
        let server = Loopback::start(without_proxy, port).await;
        let way = server.source().forward_way(&target()).unwrap();
        let error = way.call(get("/")).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(text), "{error}");
    }
}

#[tokio::test]
async fn a_service_without_such_a_port_or_without_pods_is_told_from_one_that_is_absent() {
    let absent = |_: &str| {
        (
            404,
            status(404, "NotFound", "services \"prometheus\" not found"),
        )
    };
    let no_pods = move |line: &str| match objects(line) {
        Some(object) if object.get("items").is_some() => (200, json!({"items": []})),
        Some(object) => (200, object),
        None => absent(line),
    };
    let cases = [
        (
            Loopback::start(absent, Port::Forbidden).await,
            "9090",
            "not found",
        ),
        (
            Loopback::start(no_pods, Port::Forbidden).await,
            "9090",
            "no ready pod",
        ),
        (
            Loopback::start(without_proxy, Port::Forbidden).await,
            "80",
            "no such port",
        ),
    ];
    for (server, port, text) in cases {
        let target = Target {
            port: port.to_owned(),
            ..target()
        };
        let way = server.source().forward_way(&target).unwrap();
        let error = way.call(get("/")).await.unwrap_err();
        assert!(error.message.contains(text), "{error}");
    }
    let tls = Target {
        scheme: Scheme::Https,
        ..target()
    };
    let server = Loopback::start(absent, Port::Forbidden).await;
    let error = server
        .source()
        .forward_way(&tls)
        .unwrap()
        .call(get("/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::BadConfiguration);
}
