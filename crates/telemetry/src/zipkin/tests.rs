//! Against a server that answers as Zipkin 3.5.1 does: statuses, content types and texts are recorded from it.

use pilothouse_core::model::{Moment, SourceErrorKind};
use pilothouse_core::trace::{Clock, SpanKind, SpanStatus, analyze};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{self, Asked, Reply, Sim, are_failures, closed_port, impatient};

/// How a server answers.
type Script = fn(&Asked) -> Reply;

/// A recorded trace: client and server share an id, the server's child has no times.
const SHARED: &str = r#"[{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"a2fb4a1d1a96d312","kind":"SERVER",
  "name":"get /api","timestamp":1795860300000000,"duration":120000,
  "localEndpoint":{"serviceName":"frontend","ipv4":"10.0.0.1"},"tags":{"http.method":"GET","http.path":"/api"}},
 {"traceId":"463ac35c9f6413ad48485a3953bb6124","parentId":"a2fb4a1d1a96d312","id":"0020000000000001","kind":"CLIENT",
  "name":"get","timestamp":1795860300010000,"duration":80000,"localEndpoint":{"serviceName":"frontend","ipv4":"10.0.0.1"},
  "remoteEndpoint":{"serviceName":"backend","ipv4":"10.0.0.2","port":9000},
  "annotations":[{"timestamp":1795860300020000,"value":"retry"}],"tags":{"error":"503","http.status_code":"503"}},
 {"traceId":"463ac35c9f6413ad48485a3953bb6124","parentId":"a2fb4a1d1a96d312","id":"0020000000000001","kind":"SERVER",
  "name":"get","timestamp":1795860300020000,"duration":50000,"localEndpoint":{"serviceName":"backend","ipv4":"10.0.0.2"},
  "tags":{"http.status_code":"503"},"shared":true},
 {"traceId":"463ac35c9f6413ad48485a3953bb6124","parentId":"0020000000000001","id":"0020000000000002","name":"query",
  "localEndpoint":{"serviceName":"backend"},"debug":true}]"#;

const SHARED_ID: TraceId = TraceId(0x463a_c35c_9f64_13ad_4848_5a39_53bb_6124);

/// Before all of them, in seconds: times of a wall clock, so that a missing one is not taken for the year 1970.
const EPOCH_S: u64 = 1_795_860_000;

/// The traces of the server: the recorded one, and some of one span.
fn traces() -> Vec<Value> {
    let one = |id: u64, service: &str, start_s: u64, duration_us: u64, tags: Value| {
        json!([{"traceId": format!("{id:016x}"), "id": format!("{id:016x}"), "name": "poll", "kind": "CONSUMER",
            "timestamp": (EPOCH_S + start_s) * 1_000_000, "duration": duration_us,
            "localEndpoint": {"serviceName": service}, "tags": tags}])
    };
    vec![
        serde_json::from_str(SHARED).unwrap(),
        one(0x11, "worker", 100, 5, json!({"k": "this and that"})),
        one(0x12, "worker", 200, 2_000_000, json!({"k": "v"})),
        // Zipkin takes its tag for an error, whatever the text; it says that there was none.
        one(0x13, "worker", 250, 5, json!({"error": "false"})),
    ]
}

/// As `QueryRequest.test` does: each condition by any span of the service.
fn fits(trace: &Value, asked: &Asked) -> bool {
    let number = |name| {
        asked
            .parameter(name)
            .map(|text| text.parse::<i64>().unwrap())
    };
    let spans = trace.as_array().unwrap();
    let end = number("endTs").unwrap() * 1000;
    let start = end - number("lookback").unwrap() * 1000;
    let began = spans[0]["timestamp"].as_i64().unwrap();
    let service = asked.parameter("serviceName").map(str::to_lowercase);
    let own: Vec<&Value> = spans
        .iter()
        .filter(|span| {
            let name = span["localEndpoint"]["serviceName"].as_str();
            service.as_deref().is_none_or(|wanted| name == Some(wanted))
        })
        .collect();
    let any = |test: &dyn Fn(&Value) -> bool| own.iter().any(|span| test(span));
    let tags = asked.parameter("annotationQuery").unwrap_or_default();
    (start..=end).contains(&began)
        && !own.is_empty()
        && asked
            .parameter("spanName")
            .is_none_or(|name| any(&|span| span["name"].as_str() == Some(&name.to_lowercase())))
        && number("minDuration")
            .is_none_or(|least| any(&|span| span["duration"].as_i64().unwrap_or(0) >= least))
        && tags
            .split(" and ")
            .filter(|tag| !tag.is_empty())
            .all(|tag| {
                let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
                any(&|span| {
                    let found = span["tags"][key].as_str();
                    found.is_some_and(|found| value.is_empty() || found == value)
                })
            })
}

fn text(status: u16, body: &str) -> Reply {
    Reply::Plain(status, "text/*", body.to_owned())
}

fn zipkin(asked: &Asked) -> Reply {
    let Some(path) = asked.path.strip_prefix("/api/v2/") else {
        return match asked.path.as_str() {
            "/info" => Reply::json(r#"{"zipkin":{"version":"3.5.1","commit":"b7e2258"}}"#),
            _ => text(404, "404 Not Found"),
        };
    };
    match path {
        "services" => Reply::json(r#"["backend","frontend","worker"]"#),
        "spans" => match asked.parameter("serviceName") {
            Some("frontend") => Reply::json(r#"["get /api","get"]"#),
            Some(_) => Reply::json("[]"),
            None => text(
                400,
                "Mandatory parameter/header/attribute is missing: serviceName",
            ),
        },
        "traces" => {
            let limit: usize = asked.parameter("limit").unwrap_or("10").parse().unwrap();
            let mut found = traces();
            found.retain(|trace| fits(trace, asked));
            found.sort_by_key(|trace| std::cmp::Reverse(trace[0]["timestamp"].as_u64()));
            found.truncate(limit);
            Reply::json(Value::from(found).to_string())
        }
        path => {
            let id = path.strip_prefix("trace/").unwrap_or_default();
            let found = traces().into_iter().find(|trace| trace[0]["traceId"] == id);
            match found {
                Some(trace) => Reply::json(trace.to_string()),
                None if id.is_empty() => text(404, "404 Not Found"),
                None => text(404, &format!("{id} not found")),
            }
        }
    }
}

async fn source(script: Script) -> (Sim, ZipkinSource) {
    let sim = Sim::start(script).await;
    let source = ZipkinSource::new(&sim.url, &impatient()).unwrap();
    (sim, source)
}

fn search(service: Option<&str>) -> TraceSearch {
    TraceSearch {
        from: Moment(1_795_860_050_000),
        to: Moment(1_795_860_500_000),
        ..testing::search(service)
    }
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_probe_tells_version_and_services() {
    let (sim, source) = source(zipkin).await;
    let probe = source.probe().await.unwrap();
    assert_eq!(probe.product, "Zipkin");
    assert_eq!(probe.version.as_deref(), Some("3.5.1"));
    assert_eq!(probe.facts["services"], "3");
    assert_eq!(probe.address, sim.url);
    assert_eq!(
        source.operations("frontend").await.unwrap(),
        ["get", "get /api"]
    );
    assert!(source.operations("nope").await.unwrap().is_empty());
}

#[tokio::test]
async fn searches_find_what_is_meant() {
    const S: u128 = SHARED_ID.0;
    let (_sim, source) = source(zipkin).await;
    let cases: [(&str, TraceSearch, &[u128]); 10] = [
        ("any service", search(None), &[S, 0x13, 0x12, 0x11]),
        ("in any case", search(Some("WORKER")), &[0x13, 0x12, 0x11]),
        ("none such", search(Some("x")), &[]),
        (
            "errors, by tag and by status, but not by an honest false",
            TraceSearch {
                only_errors: true,
                ..search(None)
            },
            &[S],
        ),
        (
            "whole duration",
            TraceSearch {
                min_duration_ns: Some(120_000_000),
                ..search(None)
            },
            &[S, 0x12],
        ),
        (
            "at most",
            TraceSearch {
                max_duration_ns: Some(5_000),
                ..search(None)
            },
            &[0x13, 0x11],
        ),
        (
            "an attribute",
            TraceSearch {
                attributes: attributes(&[("k", "v")]),
                ..search(None)
            },
            &[0x12],
        ),
        (
            "an attribute that cannot be asked for",
            TraceSearch {
                attributes: attributes(&[("k", "this and that")]),
                ..search(None)
            },
            &[0x11],
        ),
        (
            "attributes of two spans, which Zipkin takes together",
            TraceSearch {
                attributes: attributes(&[("http.method", "GET"), ("error", "503")]),
                ..search(Some("frontend"))
            },
            &[],
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
        let ids: Vec<u128> = found.traces.iter().map(|summary| summary.id.0).collect();
        assert_eq!(ids, expected, "{what}");
        assert!(!found.partial, "{what}");
    }
    let few = TraceSearch {
        limit: 2,
        ..search(None)
    };
    let found = source.find(&few).await.unwrap();
    assert_eq!((found.traces.len(), found.partial), (2, true));
}

#[tokio::test]
async fn halves_of_a_shared_span_become_one_tree() {
    let (_sim, source) = source(zipkin).await;
    let trace = source.trace(SHARED_ID).await.unwrap().unwrap();
    let client = &trace.spans[1];
    assert_eq!(
        (client.kind, client.status, client.start_ns),
        (
            SpanKind::Client,
            SpanStatus::Error,
            1_795_860_300_010_000_000
        )
    );
    assert_eq!(client.events[0].name, "retry");
    let picture = analyze(&trace, Clock::Raw);
    let tree: Vec<(u32, &str)> = picture
        .nodes
        .iter()
        .map(|node| (node.depth, trace.spans[node.span].service.as_str()))
        .collect();
    let wanted = [
        (0, "frontend"),
        (1, "frontend"),
        (2, "backend"),
        (3, "backend"),
    ];
    assert_eq!(tree, wanted);
    assert_eq!(source.trace(TraceId(0x99)).await.unwrap(), None);
    let short = source.trace(TraceId(0x12)).await.unwrap().unwrap();
    assert_eq!(short.spans.len(), 1);
}

#[tokio::test]
async fn answers_that_are_too_large_are_asked_for_in_fewer() {
    let (sim, source) = source(|asked| match asked.parameter("limit") {
        Some("11" | "2") => Reply::Endless,
        _ => zipkin(asked),
    })
    .await;
    let found = source.find(&search(None)).await.unwrap();
    assert_eq!(sim.last("/api/v2/traces").parameter("limit"), Some("1"));
    assert_eq!((found.traces.len(), found.partial), (1, true));
}

#[tokio::test]
async fn faults_are_failures_and_never_look_like_nothing_found() {
    let cases: [(Script, SourceErrorKind, &str); 8] = [
        (|_| Reply::html(), SourceErrorKind::BadAnswer, "login page"),
        (
            |_| text(404, "404 Not Found"),
            SourceErrorKind::NotFound,
            "base path",
        ),
        // Another trace's absence is not this one's.
        (
            |_| text(404, "00000000000000aa not found"),
            SourceErrorKind::NotFound,
            "base path",
        ),
        (
            |_| Reply::json(r#"{"data":[]}"#),
            SourceErrorKind::BadAnswer,
            "another server",
        ),
        (|_| text(401, ""), SourceErrorKind::Unauthorized, "token"),
        (
            |_| text(503, "no storage"),
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
            source.operations("a").await.unwrap_err(),
            source.find(&search(None)).await.unwrap_err(),
            source.trace(TraceId(1)).await.unwrap_err(),
        ];
        are_failures(errors, kind, hint);
    }
    let nobody = ZipkinSource::new(&closed_port().await, &impatient()).unwrap();
    let error = nobody.find(&search(None)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
}

fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-f0-9]{0,34}".prop_map(Value::from),
        Just(json!([])),
        Just(json!([null, 1, "x"])),
        Just(json!({})),
        Just(json!({"serviceName": 5, "ipv4": null, "port": "x"})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A field of a span of the wrong kind is an answer that cannot be read, never a panic; what can be read has its id.
    #[test]
    fn odd_spans_never_break_the_reader(
        field in prop::sample::select(vec!["traceId", "id", "parentId", "kind", "name", "timestamp", "duration",
            "localEndpoint", "remoteEndpoint", "annotations", "tags", "shared", "debug", "unheard"]),
        value in odd(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut trace: Value = serde_json::from_str(SHARED).unwrap();
        trace[1][field] = value;
        let body = json!([trace]).to_string();
        runtime.block_on(async move {
            let sim = Sim::start(move |_| Reply::json(body.clone())).await;
            let source = ZipkinSource::new(&sim.url, &impatient()).unwrap();
            // An odd moment may be long ago.
            let ever = TraceSearch { from: Moment(0), ..search(None) };
            match source.find(&ever).await {
                Ok(found) => assert!(found.traces.iter().any(|summary| summary.id == SHARED_ID)),
                Err(error) => assert_eq!(error.kind, SourceErrorKind::BadAnswer, "{field}: {error}"),
            }
        });
    }
}
