//! Against a server that answers as Tempo 3.1 does; texts and shapes are recorded from it.

use pilothouse_core::model::SourceErrorKind;
use pilothouse_core::trace::{SpanId, SpanKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Asked, Reply, Sim, are_failures, closed_port, ids, impatient, search};

/// How a server answers.
type Script = fn(&Asked) -> Reply;

/// A recorded result of a search, its id with the leading zero stripped.
const RESULT: &str = r#"{"traceID":"cd643787af90c44739cf7c05cfcb550","rootServiceName":"ingress.default",
  "rootTraceName":"productpage.default.svc.cluster.local:9080/*","startTimeUnixNano":"300000000000",
  "durationMs":57,"spanSet":{"spans":[{"spanID":"9856c9ad69340100","startTimeUnixNano":"300000000100",
  "durationNanos":"5397000","attributes":[{"key":"service.name","value":{"stringValue":"productpage.default"}}]}],
  "matched":3},"spanSets":[{"spans":[{"spanID":"9856c9ad69340100","startTimeUnixNano":"300000000100",
  "durationNanos":"5397000"}],"matched":3}],"serviceStats":{"details.default":{"spanCount":1},
  "ingress.default":{"spanCount":1},"productpage.default":{"spanCount":3},
  "reviews.default":{"spanCount":1,"errorCount":1}}}"#;

const RESULT_ID: TraceId = TraceId(0x0cd6_4378_7af9_0c44_739c_f7c0_5cfc_b550);

/// A recorded trace (`/api/v2/traces`), cut to two of its spans: base64 ids, names for kinds.
const TRACE: &str = r#"{"trace":{"resourceSpans":[{"resource":{"attributes":[{"key":"telemetry.sdk.name",
  "value":{"stringValue":"envoy"}},{"key":"service.name","value":{"stringValue":"productpage.default"}}]},
  "scopeSpans":[{"scope":{"name":"envoy"},"spans":[{"traceId":"lZIFNNVB2VDc0QLTBHkqMw==","spanId":"0NxfqF7b7rg=",
  "parentSpanId":"RzpjVOfcMes=","name":"details.default.svc.cluster.local:9080/*","kind":"SPAN_KIND_CLIENT",
  "startTimeUnixNano":"1795346546757798000","endTimeUnixNano":"1795346546769324000","attributes":[{"key":
  "istio.canonical_revision","value":{"stringValue":"v1"}},{"key":"http.status_code","value":{"stringValue":"200"}}],
  "status":{}},{"traceId":"lZIFNNVB2VDc0QLTBHkqMw==","spanId":"RzpjVOfcMes=","name":"productpage","kind":
  "SPAN_KIND_SERVER","startTimeUnixNano":"1795346546735831000","endTimeUnixNano":"1795346546844931000",
  "attributes":[],"status":{"code":"STATUS_CODE_ERROR","message":"upstream"}}]}]}]},
  "metrics":{"inspectedBytes":"65331"}EXTRA}"#;

const TRACE_ID: TraceId = TraceId(0x9592_0534_d541_d950_dcd1_02d3_0479_2a33);

/// A trace of one service: id, service, start in s, duration in ms, and whether its span erred.
#[derive(Clone, Copy)]
struct Seed(u128, &'static str, u64, u64, bool);

const SEEDS: [Seed; 5] = [
    Seed(0x11, "reviews", 100, 20, false),
    Seed(0x12, "reviews", 300, 2_000, false),
    Seed(0x13, "reviews", 200, 30, true),
    Seed(0x14, "ratings", 400, 5, false),
    // Begins before the interval of the searches below; Tempo finds it by a later span.
    Seed(0x15, "reviews", 1, 90_000, false),
];

impl Seed {
    fn result(self) -> Value {
        let Self(id, service, start, duration, erred) = self;
        let stats = if erred {
            json!({"spanCount": 1, "errorCount": 1})
        } else {
            json!({"spanCount": 1})
        };
        json!({"traceID": format!("{id:x}"), "rootServiceName": service, "rootTraceName": "GET /",
            "startTimeUnixNano": (start * 1_000_000_000).to_string(), "durationMs": duration,
            "serviceStats": {service: stats}})
    }

    fn spans(self) -> Value {
        let Self(id, service, start, duration, _) = self;
        let start = start * 1_000_000_000;
        json!([{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            "scopeSpans": [{"spans": [{"traceId": format!("{id:032x}"), "spanId": "00000000000000a1", "name": "GET /",
            "kind": "SPAN_KIND_SERVER", "startTimeUnixNano": start.to_string(),
            "endTimeUnixNano": (start + duration * 1_000_000).to_string(), "status": {},
            "attributes": [{"key": "response_flags", "value": {"stringValue": "UO"}}]}]}]}])
    }

    /// Whether a selector as ours takes it, or one of its conditions.
    fn fits(self, condition: &str) -> bool {
        let Self(id, service, _, duration, erred) = self;
        let ns = |text: &str| text.trim_end_matches("ns").parse::<u64>().unwrap();
        match condition.split_once(' ').unwrap_or((condition, "")) {
            ("", _) => true,
            ("resource.service.name", rest) => rest == format!("= {service:?}"),
            ("name", rest) => rest == r#"= "GET /""#,
            (".k", rest) => rest == format!("= \"v{id:x}\""),
            ("traceDuration", rest) => match rest.split_at(3) {
                (">= ", least) => duration * 1_000_000 >= ns(least),
                (_, most) => duration * 1_000_000 <= ns(most),
            },
            ("status", rest) => rest.starts_with("= error ||") && erred,
            _ => panic!("the fake knows no `{condition}`"),
        }
    }
}

fn text(status: u16, body: &str) -> Reply {
    Reply::Plain(status, "text/plain; charset=utf-8", body.to_owned())
}

fn found(query: &str, limit: usize) -> Value {
    let query = query.trim_end_matches(" with (most_recent=true)");
    let mut seeds = SEEDS.to_vec();
    // `{ status = error || … }` holds `&&` of its own.
    for set in query.split("} && {") {
        let set = set.trim_matches(|c| matches!(c, '{' | '}' | ' '));
        if set.starts_with("status") {
            seeds.retain(|seed| seed.fits(set));
        } else {
            seeds.retain(|seed| set.split(" && ").all(|condition| seed.fits(condition)));
        }
    }
    let results: Vec<Value> = seeds.into_iter().map(Seed::result).take(limit).collect();
    json!({"traces": results, "metrics": {"inspectedBytes": "22213", "completedJobs": 3, "totalJobs": 3}})
}

fn tempo(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/api/echo" => text(200, "echo"),
        "/api/status/buildinfo" => Reply::json(r#"{"version":"3.1.0","revision":"005fbdf"}"#),
        "/api/v2/search/tag/resource.service.name/values" => Reply::json(
            r#"{"tagValues":[{"type":"string","value":"reviews"},{"type":"string","value":"ratings"}],
                "metrics":{"inspectedBytes":"12895"}}"#,
        ),
        "/api/v2/search/tag/name/values" => {
            assert_eq!(
                asked.parameter("q"),
                Some(r#"{ resource.service.name = "a\"b" }"#)
            );
            Reply::json(
                r#"{"tagValues":[{"type":"string","value":"z"},{"type":"string","value":"a"}]}"#,
            )
        }
        "/api/search" => {
            let number = |name| asked.parameter(name).unwrap().parse::<i64>().unwrap();
            assert!(number("start") < number("end"));
            let limit = usize::try_from(number("limit")).unwrap();
            Reply::json(found(asked.parameter("q").unwrap(), limit).to_string())
        }
        path => {
            let id = path.strip_prefix("/api/v2/traces/").unwrap_or_default();
            match SEEDS.iter().find(|seed| format!("{:032x}", seed.0) == id) {
                Some(seed) => Reply::json(
                    json!({"trace": {"resourceSpans": seed.spans()}, "metrics": {}}).to_string(),
                ),
                None if id == TRACE_ID.to_string() => Reply::json(TRACE.replace("EXTRA", "")),
                None if id.is_empty() => text(404, "404 page not found\n"),
                None => Reply::json(r#"{"trace":{},"metrics":{"inspectedBytes":"0"}}"#),
            }
        }
    }
}

/// Before 2.5: no counts; before 2.7: no second path of traces; a hint that it does not know is a broken query.
fn old(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/api/search" => {
            let query = asked.parameter("q").unwrap();
            if query.contains("most_recent") {
                return text(400, "invalid TraceQL query: parse error at line 1, col 4");
            }
            let mut answer = found(query, 100);
            for result in answer["traces"].as_array_mut().unwrap() {
                result.as_object_mut().unwrap().remove("serviceStats");
            }
            Reply::json(answer.to_string())
        }
        path => match path.strip_prefix("/api/traces/") {
            Some(id) => match SEEDS.iter().find(|seed| format!("{:032x}", seed.0) == id) {
                Some(seed) => Reply::json(json!({"batches": seed.spans()}).to_string()),
                None => text(404, ""),
            },
            None if path.starts_with("/api/v2/traces/") => text(404, "404 page not found\n"),
            None => tempo(asked),
        },
    }
}

async fn source(script: Script) -> (Sim, TempoSource) {
    let sim = Sim::start(script).await;
    let source = TempoSource::new(&sim.url, &impatient()).unwrap();
    (sim, source)
}

#[tokio::test]
async fn a_probe_tells_version_and_services() {
    let (sim, source) = source(tempo).await;
    let probe = source.probe().await.unwrap();
    assert_eq!(probe.product, "Tempo");
    assert_eq!(probe.version.as_deref(), Some("3.1.0"));
    assert_eq!(probe.facts["services"], "2");
    assert_eq!(probe.address, sim.url);
    assert_eq!(source.services().await.unwrap(), ["ratings", "reviews"]);
    assert_eq!(source.operations("a\"b").await.unwrap(), ["a", "z"]);
}

#[tokio::test]
async fn an_empty_document_is_tempos_only_if_tempo_says_that_it_is_there() {
    let empty = |asked: &Asked| match asked.path.as_str() {
        "/api/echo" | "/api/status/buildinfo" => tempo(asked),
        _ => Reply::json("{}"),
    };
    let (_sim, fresh) = source(empty).await;
    assert_eq!(fresh.probe().await.unwrap().facts["services"], "0");
    let (_sim, other) = source(|_| Reply::json("{}")).await;
    let error = other.probe().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::BadAnswer);
}

#[tokio::test]
async fn old_and_new_find_the_same() {
    for script in [tempo as Script, old] {
        let (_sim, source) = source(script).await;
        let cases: [(&str, TraceSearch, &[u128]); 8] = [
            ("one service", search(Some("reviews")), &[0x12, 0x13, 0x11]),
            ("any service", search(None), &[0x14, 0x12, 0x13, 0x11]),
            ("none such", search(Some("x")), &[]),
            (
                "errors",
                TraceSearch {
                    only_errors: true,
                    operation: Some("GET /".to_owned()),
                    ..search(Some("reviews"))
                },
                &[0x13],
            ),
            (
                "at least",
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
            assert_eq!(ids(&found), expected, "{what}");
            assert!(!found.partial, "{what}");
            let counted = found.traces.iter().all(|summary| summary.spans == 1);
            assert!(counted, "{what}: {found:?}");
        }
        let trace = source.trace(TraceId(0x13)).await.unwrap().unwrap();
        assert_eq!(trace.spans[0].start_ns, 200_000_000_000);
        assert_eq!(source.trace(TraceId(0x99)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_tempo_that_knows_no_order_is_asked_without_it_from_then_on() {
    let (sim, source) = source(old).await;
    for _ in 0..2 {
        source.find(&search(Some("x"))).await.unwrap();
    }
    let asked: Vec<bool> = sim
        .asked()
        .iter()
        .map(|asked| asked.parameter("q").unwrap().contains("most_recent"))
        .collect();
    assert_eq!(asked, [true, false, false]);
}

#[tokio::test]
async fn a_recorded_result_and_a_recorded_trace_are_read() {
    let (_sim, source) = source(|asked| match asked.path.as_str() {
        "/api/search" => Reply::json(format!(r#"{{"traces":[{RESULT}]}}"#)),
        path if path.ends_with(&TRACE_ID.to_string()) => {
            let partial = r#","status":"PARTIAL","message":"Trace exceeds maximum size""#;
            Reply::json(TRACE.replace("EXTRA", partial))
        }
        _ => tempo(asked),
    })
    .await;
    let found = source.find(&search(None)).await.unwrap();
    let summary = &found.traces[0];
    assert_eq!(summary.id, RESULT_ID);
    assert_eq!(
        (summary.spans, summary.errors, summary.duration_ns),
        (6, 1, 57_000_000)
    );
    assert_eq!(summary.services[0].name, "productpage.default");
    assert_eq!(summary.root_service, "ingress.default");

    let trace = source.trace(TRACE_ID).await.unwrap().unwrap();
    assert!(trace.partial);
    assert_eq!(trace.warnings, ["Trace exceeds maximum size"]);
    let span = &trace.spans[0];
    assert_eq!(span.id, SpanId(0xd0dc_5fa8_5edb_eeb8));
    assert_eq!(span.parent, Some(trace.spans[1].id));
    assert_eq!(span.kind, SpanKind::Client);
    assert!(trace.spans[1].is_error());
}

#[tokio::test]
async fn what_a_result_does_not_tell_is_fetched() {
    // The root has not come, and the error is one by our rules alone.
    let (sim, source) = source(|asked| match asked.path.as_str() {
        "/api/search" => {
            let mut results: Vec<Value> = SEEDS[..2].iter().map(|seed| seed.result()).collect();
            results[0]["rootServiceName"] = json!("<root span not yet received>");
            Reply::json(json!({"traces": results}).to_string())
        }
        _ => tempo(asked),
    })
    .await;
    let found = source.find(&search(None)).await.unwrap();
    assert_eq!(found.traces[1].root_service, "reviews");
    assert_eq!(sim.asked().len(), 2);
    let erring = TraceSearch {
        only_errors: true,
        ..search(None)
    };
    let found = source.find(&erring).await.unwrap();
    let errors: Vec<usize> = found.traces.iter().map(|summary| summary.errors).collect();
    assert_eq!((errors, found.partial), (vec![1, 1], false));
}

#[tokio::test]
async fn what_is_not_all_is_called_partial() {
    let (_sim, slow) =
        source(|_| Reply::json(r#"{"traces":[],"metrics":{"completedJobs":2,"totalJobs":3}}"#))
            .await;
    assert!(slow.find(&search(None)).await.unwrap().partial);

    let (_sim, many) = source(tempo).await;
    let few = TraceSearch {
        limit: 2,
        ..search(Some("reviews"))
    };
    let found = many.find(&few).await.unwrap();
    assert_eq!((found.traces.len(), found.partial), (2, true));

    // A trace that cannot be fetched stays as it was said.
    let (_sim, broken) = source(|asked| match asked.path.as_str() {
        path if path.contains("/traces/") => text(500, "boom"),
        _ => old(asked),
    })
    .await;
    let found = broken.find(&search(Some("reviews"))).await.unwrap();
    assert_eq!((ids(&found), found.partial), (vec![0x12, 0x13, 0x11], true));
}

#[tokio::test]
async fn faults_are_failures_and_never_look_like_nothing_found() {
    let cases: [(Script, SourceErrorKind, &str); 8] = [
        (|_| Reply::html(), SourceErrorKind::BadAnswer, "login page"),
        (
            |_| text(404, "404 page not found\n"),
            SourceErrorKind::NotFound,
            "base path",
        ),
        (
            |_| Reply::json(r#"{"data":[]}"#),
            SourceErrorKind::BadAnswer,
            "another server",
        ),
        (
            |_| text(401, "no org id"),
            SourceErrorKind::Unauthorized,
            "X-Scope-OrgID",
        ),
        (|_| text(403, ""), SourceErrorKind::Forbidden, "right"),
        (
            |_| text(503, "starting"),
            SourceErrorKind::ServerError,
            "not ready",
        ),
        (|_| Reply::Silent, SourceErrorKind::TimedOut, "overloaded"),
        (|_| Reply::Endless, SourceErrorKind::TooLarge, "less"),
    ];
    for (script, kind, hint) in cases {
        let (_sim, source) = source(script).await;
        let mut errors = vec![
            source.probe().await.unwrap_err(),
            source.services().await.unwrap_err(),
            source.find(&search(None)).await.unwrap_err(),
        ];
        // An empty `data` is no trace in other formats.
        match source.trace(TraceId(1)).await {
            Err(error) => errors.push(error),
            Ok(trace) => assert!(trace.is_none() && kind == SourceErrorKind::BadAnswer),
        }
        are_failures(errors, kind, hint);
    }
    let (_sim, source) = source(|_| {
        let words =
            "range specified by start and end exceeds 168h0m0s. received start=1 end=9999999";
        text(400, words)
    })
    .await;
    let error = source.find(&search(None)).await.unwrap_err();
    assert!(error.hint.contains("shorter time"), "{error}");
    let nobody = TempoSource::new(&closed_port().await, &impatient()).unwrap();
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
        Just(json!([null, 1, "x"])),
        Just(json!({"x": null})),
        Just(json!({"x": {"spanCount": "2", "errorCount": []}})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// An odd part of one result never takes the other results away, and never fails the search.
    #[test]
    fn odd_results_are_read_as_far_as_they_go(
        field in prop::sample::select(vec!["traceID", "rootServiceName", "rootTraceName", "startTimeUnixNano",
            "durationMs", "serviceStats", "spanSet", "spanSets", "unheard"]),
        value in odd(),
        whole in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut results: Vec<Value> = SEEDS[..2].iter().map(|seed| seed.result()).collect();
        if whole {
            results[1] = value;
        } else {
            results[1][field] = value;
        }
        let body = json!({"traces": results, "metrics": results[1]}).to_string();
        runtime.block_on(async move {
            let sim = Sim::start(move |asked| match asked.path.as_str() {
                "/api/search" => Reply::json(body.clone()),
                _ => tempo(asked),
            })
            .await;
            let source = TempoSource::new(&sim.url, &impatient()).unwrap();
            let found = source.find(&search(None)).await.unwrap();
            assert!(ids(&found).contains(&0x11), "{field}");
        });
    }
}
