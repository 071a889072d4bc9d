use super::*;
use crate::testing::{Asked, Reply, Sim, are_failures, closed_port, ids, impatient, search};

/// How a server answers one path.
type Answers = fn() -> Reply;

/// How a server answers.
type Script = fn(&Asked) -> Reply;

/// A trace of one service: id, service, start in s, duration in ms, and whether it erred (status, as OpenTelemetry says it).
#[derive(Clone, Copy)]
struct Seed(u128, &'static str, u64, u64, bool);

const SEEDS: [Seed; 5] = [
    Seed(0x11, "reviews", 100, 20, false),
    Seed(0x12, "reviews", 300, 2_000, false),
    Seed(0x13, "reviews", 200, 30, true),
    Seed(0x14, "ratings", 400, 5, false),
    // Long before the others, but seen by a search in their interval: the backend looks at spans.
    Seed(0x15, "reviews", 1, 10, false),
];

impl Seed {
    fn v3(self) -> String {
        let Self(id, service, start, duration, erred) = self;
        let (start, code) = (start * 1_000_000_000, if erred { 2 } else { 0 });
        format!(
            r#"{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},
                "scopeSpans":[{{"spans":[{{"traceId":"{id:032x}","spanId":"00000000000000a1","name":"GET /",
                "startTimeUnixNano":"{start}","endTimeUnixNano":"{}","status":{{"code":{code}}},
                "attributes":[{{"key":"k","value":{{"stringValue":"v{id:x}"}}}}]}}]}}]}}"#,
            start + duration * 1_000_000
        )
    }

    fn v1(self) -> String {
        let Self(id, service, start, duration, erred) = self;
        format!(
            r#"{{"traceID":"{id:x}","spans":[{{"traceID":"{id:x}","spanID":"a1","operationName":"GET /",
                "references":[],"startTime":{},"duration":{},"processID":"p1","tags":[
                {{"key":"k","type":"string","value":"v{id:x}"}},{{"key":"error","type":"bool","value":{erred}}}]}}],
                "processes":{{"p1":{{"serviceName":"{service}","tags":[]}}}}}}"#,
            start * 1_000_000,
            duration * 1000
        )
    }

    fn summary(self) -> String {
        let Self(id, service, start, duration, erred) = self;
        let start = start * 1_000_000_000;
        let errors = if erred { r#","errorSpanCount":1"# } else { "" };
        format!(
            r#"{{"traceId":"{id:x}","rootServiceName":"{service}","rootOperationName":"GET /","spanCount":1,
                "minStartTimeUnixNano":"{start}","maxEndTimeUnixNano":"{}"{errors},
                "services":[{{"name":"{service}","spanCount":1{errors}}}]}}"#,
            start + duration * 1_000_000
        )
    }
}

const NOT_FOUND_V3: &str = r#"{"error":{"httpCode":404,"message":"No traces found"}}"#;
const NOT_FOUND_V1: &str =
    r#"{"data":null,"total":0,"errors":[{"code":404,"msg":"trace not found"}]}"#;

fn plain(status: u16, body: impl Into<String>) -> Reply {
    Reply::Plain(status, "text/plain; charset=utf-8", body.into())
}

fn v3(asked: &Asked) -> Reply {
    let seeds: Vec<Seed> = match asked.path.strip_prefix("/api/v3/") {
        Some("services") => return plain(200, r#"{"services":["reviews","ratings",""]}"#),
        Some("operations") => {
            assert_eq!(asked.parameter("service"), Some("a/b"));
            let list =
                r#"{"name":"z","spanKind":"server"},{"name":"a"},{"name":"z","spanKind":"client"}"#;
            return plain(200, format!(r#"{{"operations":[{list}]}}"#));
        }
        Some("traces") => {
            let service = asked.parameter("query.service_name");
            let wanted = |seed: &&Seed| service.is_none_or(|name| name == seed.1);
            SEEDS.iter().filter(wanted).copied().collect()
        }
        Some(rest) => {
            let id = rest.strip_prefix("traces/").unwrap_or_default();
            SEEDS
                .iter()
                .filter(|seed| format!("{:032x}", seed.0) == id)
                .copied()
                .collect()
        }
        None => return Reply::html(),
    };
    if seeds.is_empty() {
        return plain(404, NOT_FOUND_V3);
    }
    let spans: Vec<String> = seeds.into_iter().map(Seed::v3).collect();
    plain(
        200,
        format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, spans.join(",")),
    )
}

fn v1(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/api/services" => Reply::json(r#"{"data":["reviews","ratings"],"total":2,"errors":null}"#),
        "/api/services/a%2Fb/operations" => Reply::json(r#"{"data":["z","a"],"errors":null}"#),
        "/api/traces" => {
            let Some(service) = asked.parameter("service") else {
                return plain(
                    400,
                    r#"{"data":null,"errors":[{"code":400,"msg":"parameter 'service' is required"}]}"#,
                );
            };
            let tags = asked.parameter("tags").unwrap_or("{}");
            let tags: BTreeMap<String, String> = serde_json::from_str(tags).unwrap();
            let wanted = |seed: &&Seed| {
                seed.1 == service
                    && tags
                        .get("k")
                        .is_none_or(|value| *value == format!("v{:x}", seed.0))
                    && tags.get("error").is_none_or(|_| seed.4)
            };
            let traces: Vec<String> = SEEDS.iter().filter(wanted).map(|seed| seed.v1()).collect();
            Reply::json(format!(
                r#"{{"data":[{}],"errors":null}}"#,
                traces.join(",")
            ))
        }
        path => {
            let id = path.strip_prefix("/api/traces/").unwrap_or_default();
            let found = SEEDS.iter().find(|seed| format!("{:032x}", seed.0) == id);
            match found {
                Some(seed) => Reply::json(format!(r#"{{"data":[{}],"errors":null}}"#, seed.v1())),
                None => plain(404, NOT_FOUND_V1),
            }
        }
    }
}

/// Jaeger 2.13: v3 without summaries and without attributes, and v1.
fn both(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/api/v3/trace-summaries" => Reply::html(),
        path if path.starts_with("/api/v3/") => v3(asked),
        path if path.starts_with("/api/") => v1(asked),
        _ => Reply::Plain(
            200,
            "text/html",
            r#"<html>JAEGER_VERSION = {"gitCommit":"","gitVersion":"v2.13.0","buildDate":""};"#
                .to_owned(),
        ),
    }
}

/// Jaeger of the 1.x line, whose page answers every other path.
fn old(asked: &Asked) -> Reply {
    if asked.path.starts_with("/api/v3/") || !asked.path.starts_with("/api/") {
        Reply::html()
    } else {
        v1(asked)
    }
}

/// A Jaeger whose v1 search is gone.
fn new(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/api/v3/trace-summaries" => plain(200, "{}"),
        path if path.starts_with("/api/v3/") => v3(asked),
        _ => Reply::html(),
    }
}

async fn source(script: Script) -> (Sim, JaegerSource) {
    let sim = Sim::start(script).await;
    let source = JaegerSource::new(&sim.url, impatient()).unwrap();
    (sim, source)
}

#[tokio::test]
async fn a_probe_tells_the_api_by_what_answers() {
    let cases: [(Script, &str, Option<&str>); 3] = [
        (both, "v3", Some("v2.13.0")),
        (old, "v1", None),
        (new, "v3 with summaries", None),
    ];
    for (script, api, version) in cases {
        let (sim, source) = source(script).await;
        let probe = source.probe().await.unwrap();
        assert_eq!(probe.api.as_deref(), Some(api));
        assert_eq!(probe.version.as_deref(), version, "{api}");
        assert_eq!(
            probe.facts.get("services").map(String::as_str),
            Some("2"),
            "{api}"
        );
        assert_eq!(probe.address, sim.url);
    }
}

#[tokio::test]
async fn every_generation_gives_the_same_answers() {
    let scripts: [Script; 3] = [both, old, new];
    for (k, script) in scripts.into_iter().enumerate() {
        let (_sim, source) = source(script).await;
        assert_eq!(
            source.services().await.unwrap(),
            ["ratings", "reviews"],
            "{k}"
        );
        assert_eq!(source.operations("a/b").await.unwrap(), ["a", "z"], "{k}");

        let cases: [(&str, TraceSearch, &[u128]); 8] = [
            ("one service", search(Some("reviews")), &[0x12, 0x13, 0x11]),
            ("any service", search(None), &[0x14, 0x12, 0x13, 0x11]),
            ("none such", search(Some("x")), &[]),
            (
                "errors",
                TraceSearch {
                    only_errors: true,
                    ..search(None)
                },
                &[0x13],
            ),
            (
                "whole duration",
                TraceSearch {
                    min_duration_ns: Some(30_000_000),
                    ..search(Some("reviews"))
                },
                &[0x12, 0x13],
            ),
            (
                "at most",
                TraceSearch {
                    max_duration_ns: Some(20_000_000),
                    ..search(None)
                },
                &[0x14, 0x11],
            ),
            (
                "attribute",
                TraceSearch {
                    attributes: BTreeMap::from([("k".to_owned(), "v13".to_owned())]),
                    ..search(None)
                },
                &[0x13],
            ),
            (
                "nothing at all",
                TraceSearch {
                    limit: 0,
                    ..search(None)
                },
                &[],
            ),
        ];
        for (what, search, expected) in cases {
            let found = source.find(&search).await.unwrap();
            assert_eq!(ids(&found), expected, "{what}, {k}");
            assert!(!found.partial, "{what}, {k}");
        }

        let trace = source.trace(TraceId(0x13)).await.unwrap().unwrap();
        assert_eq!(
            (trace.id, trace.spans[0].service.as_str()),
            (TraceId(0x13), "reviews"),
            "{k}"
        );
        assert_eq!(trace.spans[0].start_ns, 200_000_000_000, "{k}");
        assert_eq!(source.trace(TraceId(0x99)).await.unwrap(), None, "{k}");
    }
}

#[tokio::test]
async fn ids_are_padded_and_traces_come_raw() {
    for (script, path, raw) in [
        (
            both as Script,
            "/api/v3/traces/00000000000000000000000000000013",
            "rawTraces",
        ),
        (old, "/api/traces/00000000000000000000000000000013", "raw"),
    ] {
        let (sim, source) = source(script).await;
        source.trace(TraceId(0x13)).await.unwrap();
        assert_eq!(sim.last(path).parameter(raw), Some("true"));
    }
}

#[tokio::test]
async fn attributes_are_not_asked_of_a_v3_that_ignores_them() {
    let (sim, source) = source(both).await;
    let attributes = BTreeMap::from([("k".to_owned(), "v13".to_owned())]);
    let search = TraceSearch {
        attributes,
        ..search(Some("reviews"))
    };
    assert_eq!(ids(&source.find(&search).await.unwrap()), [0x13]);
    assert_eq!(
        sim.last("/api/traces").parameter("tags"),
        Some(r#"{"k":"v13"}"#)
    );
    assert!(
        sim.asked()
            .iter()
            .all(|asked| asked.path != "/api/v3/traces")
    );
}

#[tokio::test]
async fn more_than_the_limit_is_partial() {
    for script in [both as Script, old, new] {
        let (_sim, source) = source(script).await;
        let found = source
            .find(&TraceSearch {
                limit: 2,
                ..search(Some("reviews"))
            })
            .await
            .unwrap();
        assert_eq!((ids(&found), found.partial), (vec![0x12, 0x13], true));
    }
}

#[tokio::test]
async fn a_service_that_fails_leaves_the_answer_partial() {
    let (_sim, source) = source(|asked| match asked.parameter("service") {
        Some("ratings") => plain(
            500,
            r#"{"data":null,"errors":[{"code":500,"msg":"shard down"}]}"#,
        ),
        _ => old(asked),
    })
    .await;
    let found = source.find(&search(None)).await.unwrap();
    assert_eq!((ids(&found), found.partial), (vec![0x12, 0x13, 0x11], true));
    let error = source.find(&search(Some("ratings"))).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::ServerError);
    assert!(error.message.ends_with("shard down"), "{error}");
}

#[tokio::test]
async fn many_services_are_asked_up_to_a_cap() {
    let (sim, source) = source(|asked| match asked.path.as_str() {
        "/api/services" => {
            let names: Vec<String> = (0..60).map(|k| format!("\"s{k:02}\"")).collect();
            Reply::json(format!(r#"{{"data":[{}]}}"#, names.join(",")))
        }
        _ => old(asked),
    })
    .await;
    let found = source.find(&search(None)).await.unwrap();
    assert!(found.traces.is_empty() && found.partial);
    let n_searches = sim
        .asked()
        .iter()
        .filter(|asked| asked.path == "/api/traces")
        .count();
    assert_eq!(n_searches, 50);
}

#[tokio::test]
async fn a_storage_that_wants_a_service_is_asked_for_each() {
    let (sim, source) = source(|asked| {
        if asked.path == "/api/v3/traces" && asked.parameter("query.service_name").is_none() {
            let message = r#"{"error":{"httpCode":500,"message":"service name is required"}}"#;
            return plain(500, message);
        }
        new(asked)
    })
    .await;
    assert_eq!(
        ids(&source.find(&search(None)).await.unwrap()),
        [0x14, 0x12, 0x13, 0x11]
    );
    let n_searches = sim
        .asked()
        .iter()
        .filter(|asked| asked.path == "/api/v3/traces")
        .count();
    assert_eq!(n_searches, 3);
}

#[tokio::test]
async fn traces_that_are_too_large_come_as_summaries() {
    let (_sim, source) = source(|asked| match asked.path.as_str() {
        "/api/v3/traces" => Reply::Endless,
        "/api/v3/trace-summaries" => {
            let list: Vec<String> = SEEDS.iter().map(|seed| seed.summary()).collect();
            plain(200, format!(r#"{{"summaries":[{}]}}"#, list.join(",")))
        }
        _ => new(asked),
    })
    .await;
    let found = source.find(&search(Some("reviews"))).await.unwrap();
    assert_eq!(ids(&found), [0x14, 0x12, 0x13, 0x11]);
    let erring = &found.traces[2];
    assert_eq!(
        (erring.errors, erring.duration_ns, erring.spans),
        (1, 30_000_000, 1)
    );
    assert_eq!(
        (erring.root_service.as_str(), erring.services[0].errors),
        ("reviews", 1)
    );
}

#[tokio::test]
async fn traces_that_are_too_large_are_asked_for_in_fewer() {
    let (sim, source) = source(|asked| match asked.parameter("limit") {
        Some("11" | "2") => Reply::Endless,
        _ => old(asked),
    })
    .await;
    let found = source.find(&search(Some("reviews"))).await.unwrap();
    assert_eq!(sim.last("/api/traces").parameter("limit"), Some("1"));
    assert!(found.partial);
}

#[tokio::test]
async fn a_server_that_changed_is_looked_at_again() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let upgraded = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&upgraded);
    let sim = Sim::start(move |asked| {
        if now.load(Ordering::SeqCst) {
            new(asked)
        } else {
            old(asked)
        }
    })
    .await;
    let source = JaegerSource::new(&sim.url, impatient()).unwrap();
    assert_eq!(
        source
            .find(&search(Some("reviews")))
            .await
            .unwrap()
            .traces
            .len(),
        3
    );
    upgraded.store(true, Ordering::SeqCst);
    let error = source.find(&search(Some("reviews"))).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
    assert_eq!(
        source
            .find(&search(Some("reviews")))
            .await
            .unwrap()
            .traces
            .len(),
        3
    );
}

#[tokio::test]
async fn faults_are_failures_and_never_look_like_nothing_found() {
    let cases: [(Script, SourceErrorKind, &str); 8] = [
        (
            |_| Reply::html(),
            SourceErrorKind::BadAnswer,
            "login page or a wrong URL",
        ),
        (
            |_| plain(404, "404 page not found"),
            SourceErrorKind::NotFound,
            "base path",
        ),
        (
            |_| Reply::json(r#"{"status":"ok"}"#),
            SourceErrorKind::BadAnswer,
            "another server",
        ),
        (|_| plain(401, ""), SourceErrorKind::Unauthorized, "token"),
        (
            |_| plain(403, r#"{"error":{"message":"no"}}"#),
            SourceErrorKind::Forbidden,
            "right",
        ),
        (
            |_| plain(503, "starting"),
            SourceErrorKind::ServerError,
            "not ready",
        ),
        (|_| Reply::Silent, SourceErrorKind::TimedOut, "overloaded"),
        (|_| Reply::Endless, SourceErrorKind::TooLarge, "less"),
    ];
    for (script, kind, hint) in cases {
        let (_sim, source) = source(script).await;
        let errors = [
            source.probe().await.unwrap_err(),
            source.services().await.unwrap_err(),
            source.find(&search(None)).await.unwrap_err(),
            source.trace(TraceId(1)).await.unwrap_err(),
        ];
        are_failures(errors, kind, hint);
    }
    let source = JaegerSource::new(&closed_port().await, impatient()).unwrap();
    assert_eq!(
        source.trace(TraceId(1)).await.unwrap_err().kind,
        SourceErrorKind::Unreachable
    );
}

#[tokio::test]
async fn a_trace_that_cannot_be_read_is_not_an_absent_one() {
    let cases: [(Answers, SourceErrorKind, &str); 5] = [
        (
            || plain(404, "default backend - 404"),
            SourceErrorKind::NotFound,
            "default backend",
        ),
        (Reply::html, SourceErrorKind::BadAnswer, "HTML page"),
        (
            || Reply::json(r#"{"data":[{"traceID":"13","spans":["#),
            SourceErrorKind::BadAnswer,
            "cut off",
        ),
        (
            || Reply::json(format!(r#"{{"data":[{}]}}"#, SEEDS[0].v1())),
            SourceErrorKind::BadAnswer,
            "another trace",
        ),
        (
            || plain(500, r#"{"data":null,"errors":[{"code":500,"msg":"boom"}]}"#),
            SourceErrorKind::ServerError,
            "boom",
        ),
    ];
    for (reply, kind, words) in cases {
        let sim = Sim::start(move |asked| {
            if asked.path.starts_with("/api/traces/") {
                reply()
            } else {
                old(asked)
            }
        })
        .await;
        let source = JaegerSource::new(&sim.url, impatient()).unwrap();
        let error = source.trace(TraceId(0x13)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    let (_sim, source) = source(|asked| {
        if asked.path.starts_with("/api/traces/") {
            Reply::json(r#"{"data":[]}"#)
        } else {
            old(asked)
        }
    })
    .await;
    assert_eq!(source.trace(TraceId(0x13)).await.unwrap(), None);
}
