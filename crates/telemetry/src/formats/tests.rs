use pilothouse_core::trace::{
    Span, SpanId, SpanKind, SpanStatus, Trace, TraceId, Value, to_otlp_json,
};
use proptest::prelude::*;

use super::{FormatError, parse_traces};

fn read(json: &str) -> Vec<Trace> {
    parse_traces(json.as_bytes()).expect("readable")
}

fn only_span(json: &str) -> Span {
    let traces = read(json);
    assert_eq!(traces.len(), 1, "{json}");
    assert_eq!(traces[0].spans.len(), 1, "{json}");
    traces[0].spans[0].clone()
}

fn refuse(input: &str) -> String {
    parse_traces(input.as_bytes())
        .expect_err("refused")
        .to_string()
}

const JAEGER: &str = r#"{"data":[{"traceID":"0000000000000000000000000000000A","spans":[
  {"traceID":"a","spanID":"00000000000000b1","operationName":"GET /","references":null,
   "startTime":1700000000000001,"duration":1500,"processID":"p1","warnings":null,
   "tags":[{"key":"span.kind","type":"string","value":"server"},
           {"key":"http.status_code","type":"int64","value":503},
           {"key":"otel.status_code","type":"string","value":"ERROR"},
           {"key":"ratio","type":"float64","value":0.5},{"key":"ok","type":"bool","value":false},
           {"key":"size","type":"int64","value":"12"}],
   "logs":[{"timestamp":1700000000000009,"fields":[{"key":"event","type":"string","value":"late"}]},
           {"timestamp":1700000000000003,"fields":[{"key":"message","type":"string","value":"early"},
                                                    {"key":"n","type":"int64","value":1}]}]},
  {"traceID":"a","spanID":"b2","operationName":"work","startTime":1700000000000101,"duration":-5,"processID":"p2",
   "references":[{"refType":"FOLLOWS_FROM","traceID":"a","spanID":"b9"},
                 {"refType":"CHILD_OF","traceID":"a","spanID":"b1"},
                 {"refType":"CHILD_OF","traceID":"ff","spanID":"b8"}]}],
  "processes":{"p1":{"serviceName":"web","tags":[{"key":"ip","type":"string","value":"10.0.0.1"}]}},
  "warnings":["clock"]}],"total":0,"limit":0,"offset":0,"errors":null}"#;

#[test]
fn jaeger_v1_is_read_with_kind_status_logs_and_references() {
    let traces = read(JAEGER);
    let trace = &traces[0];
    assert_eq!(trace.id, TraceId(10));
    assert_eq!(trace.warnings, ["clock"]);
    let [web, work] = &trace.spans[..] else {
        panic!("two spans");
    };
    assert_eq!((web.id, web.parent), (SpanId(0xb1), None));
    assert_eq!(
        (web.kind, web.status),
        (SpanKind::Server, SpanStatus::Error)
    );
    assert_eq!(
        (web.start_ns, web.duration_ns),
        (1_700_000_000_000_001_000, 1_500_000)
    );
    assert_eq!(web.service, "web");
    assert_eq!(web.resource["ip"], Value::Text("10.0.0.1".to_owned()));
    assert_eq!(web.attributes["http.status_code"], Value::Int(503));
    assert_eq!(web.attributes["ratio"], Value::Float(0.5));
    assert_eq!(web.attributes["ok"], Value::Bool(false));
    assert_eq!(web.attributes["size"], Value::Int(12));
    assert!(!web.attributes.contains_key("span.kind"));
    let events: Vec<&str> = web.events.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(events, ["early", "late"]);

    assert_eq!(work.parent, Some(SpanId(0xb1)));
    assert_eq!(
        work.links,
        [(TraceId(10), SpanId(0xb9)), (TraceId(0xff), SpanId(0xb8))]
    );
    assert_eq!(work.duration_ns, 0);
    assert_eq!(work.warnings.len(), 1, "a negative duration is said");
    assert_eq!(work.service, "", "an unknown process is no failure");
}

#[test]
fn a_lone_follows_from_is_the_parent_and_stays_recognisable() {
    let span = only_span(
        r#"{"traceID":"1","processes":{},"spans":[{"spanID":"2",
            "references":[{"refType":"FOLLOWS_FROM","spanID":"3"}]}]}"#,
    );
    assert_eq!(span.parent, Some(SpanId(3)));
    assert_eq!(
        span.attribute(&["opentracing.ref_type"]).as_deref(),
        Some("follows_from")
    );
}

const TEMPO_SPAN: &str = r#"{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]},
  "scopeSpans":[{"scope":{"name":"envoy","version":"1"},"spans":[{"traceId":"lZIFNNVB2VDc0QLTBHkqMw==","spanId":"0NxfqF7b7rg=",
  "parentSpanId":"RzpjVOfcMes=","name":"get","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":"1700000000000000007",
  "endTimeUnixNano":"1700000000000000010","status":{"code":"STATUS_CODE_ERROR","message":"reset"}}]}]}"#;

#[test]
fn ids_kinds_and_times_of_every_notation_agree() {
    let hex = TEMPO_SPAN
        .replace(
            "lZIFNNVB2VDc0QLTBHkqMw==",
            "95920534D541D950DCD102D304792A33",
        )
        .replace("0NxfqF7b7rg=", "d0dc5fa85edbeeb8")
        .replace("RzpjVOfcMes=", "473a6354e7dc31eb")
        .replace("\"SPAN_KIND_CLIENT\"", "3")
        .replace("\"STATUS_CODE_ERROR\"", "2")
        .replace("\"1700000000000000007\"", "1700000000000000007");
    let unpadded = TEMPO_SPAN.replace("==\"", "\"").replace("=\"", "\"");
    let expected = only_span(&format!(r#"{{"resourceSpans":[{hex}]}}"#));
    assert_eq!(expected.id, SpanId(0xd0dc_5fa8_5edb_eeb8));
    assert_eq!(expected.start_ns, 1_700_000_000_000_000_007);
    assert_eq!(expected.duration_ns, 3);
    assert_eq!(expected.kind, SpanKind::Client);
    assert_eq!(expected.status, SpanStatus::Error);
    assert_eq!(
        expected.attribute(&["otel.status_description"]).as_deref(),
        Some("reset")
    );
    for wrapped in [
        format!(r#"{{"resourceSpans":[{TEMPO_SPAN}]}}"#),
        format!(r#"{{"result":{{"resourceSpans":[{TEMPO_SPAN}]}}}}"#),
        format!(r#"{{"trace":{{"resourceSpans":[{TEMPO_SPAN}]}},"metrics":{{}}}}"#),
        format!(r#"{{"batches":[{TEMPO_SPAN}]}}"#),
        format!(r#"{{"batches":[{unpadded}]}}"#),
    ] {
        let traces = read(&wrapped);
        assert_eq!(
            traces[0].id,
            TraceId(0x9592_0534_d541_d950_dcd1_02d3_0479_2a33)
        );
        assert!(!traces[0].partial);
        assert_eq!(
            traces[0].spans,
            std::slice::from_ref(&expected),
            "{wrapped}"
        );
    }
}

#[test]
fn tempo_says_partial_in_words_or_numbers() {
    for status in ["\"PARTIAL\"", "1"] {
        let traces = read(&format!(
            r#"{{"trace":{{"resourceSpans":[{TEMPO_SPAN}]}},"status":{status},"message":"too big"}}"#
        ));
        assert!(traces[0].partial);
        assert_eq!(traces[0].warnings, ["too big"]);
    }
    assert!(
        !read(&format!(
            r#"{{"trace":{{"batches":[{TEMPO_SPAN}]}},"status":"COMPLETE"}}"#
        ))[0]
            .partial
    );
}

#[test]
fn one_merged_list_falls_apart_into_traces() {
    let traces = read(
        r#"{"result":{"resourceSpans":[{"scopeSpans":[{"spans":[
            {"traceId":"01","spanId":"01"},{"traceId":"02","spanId":"02"},{"traceId":"01","spanId":"03"}]}]}]}}"#,
    );
    let shape: Vec<(TraceId, usize)> = traces.iter().map(|t| (t.id, t.spans.len())).collect();
    assert_eq!(shape, [(TraceId(1), 2), (TraceId(2), 1)]);
}

#[test]
fn otlp_values_of_all_types_are_read() {
    let span = only_span(
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"1","spanId":"1","attributes":[
          {"key":"s","value":{"stringValue":"x"}},{"key":"b","value":{"boolValue":true}},
          {"key":"i","value":{"intValue":"-3"}},{"key":"d","value":{"doubleValue":1.5}},
          {"key":"l","value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":"y"}]}}},
          {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}},
          {"key":"none"},{"key":"null","value":{}}]}]}]}]}"#,
    );
    assert_eq!(span.attributes["i"], Value::Int(-3));
    assert_eq!(span.attributes["d"], Value::Float(1.5));
    assert_eq!(
        span.attributes["l"],
        Value::Json(serde_json::json!([1, "y"]))
    );
    assert_eq!(
        span.attributes["m"],
        Value::Json(serde_json::json!({"k": false}))
    );
    assert_eq!(span.attributes["none"], span.attributes["null"]);
}

const ZIPKIN_SPAN: &str = r#"{"traceId":"978883983d506fa5","id":"0000000000000001","parentId":"2","kind":"CLIENT",
  "name":"get","timestamp":1570523661059232,"duration":127115,"tags":{"error":"boom"},
  "localEndpoint":{"serviceName":"web","ipv4":"10.0.0.1"},"remoteEndpoint":{"serviceName":"db","port":5432},
  "annotations":[{"timestamp":1570523661059240,"value":"ws"}],"shared":true}"#;

#[test]
fn zipkin_spans_alone_in_a_list_and_in_lists_agree() {
    let span = only_span(ZIPKIN_SPAN);
    assert_eq!(span.status, SpanStatus::Error);
    assert_eq!(span.start_ns, 1_570_523_661_059_232_000);
    assert_eq!(span.resource["host.ip"], Value::Text("10.0.0.1".to_owned()));
    assert_eq!(
        span.attributes["peer.service"],
        Value::Text("db".to_owned())
    );
    assert_eq!(span.attributes["network.peer.port"], Value::Int(5432));
    assert_eq!(span.events[0].name, "ws");
    assert_eq!(only_span(&format!("[{ZIPKIN_SPAN}]")), span);
    assert_eq!(only_span(&format!("[[{ZIPKIN_SPAN}],[]]")), span);
}

#[test]
fn documents_of_several_formats_may_follow_each_other() {
    let lines = format!(
        "{}\n{}\r\n\n[{}]\n",
        JAEGER.replace('\n', ""),
        format_args!(r#"{{"batches":[{}]}}"#, TEMPO_SPAN.replace('\n', "")),
        ZIPKIN_SPAN
    );
    assert_eq!(read(&lines).len(), 3);
    assert_eq!(read(&format!("\u{feff}{lines}")).len(), 3);
}

#[test]
fn nothing_found_is_an_empty_list() {
    for none in [
        "{}",
        "[]",
        "[[]]",
        r#"{"data":[],"errors":[]}"#,
        r#"{"data":null}"#,
        r#"{"batches":[]}"#,
    ] {
        assert_eq!(read(none), [], "{none}");
    }
}

#[test]
fn what_is_written_as_otlp_reads_the_same() {
    let tempo = format!(r#"{{"batches":[{TEMPO_SPAN}]}}"#);
    let zipkin = format!("[{ZIPKIN_SPAN}]");
    for json in [JAEGER, tempo.as_str(), zipkin.as_str()] {
        let mut trace = read(json).remove(0);
        let written = to_otlp_json(&trace).to_string();
        // OTLP has no place for these.
        trace.warnings.clear();
        trace
            .spans
            .iter_mut()
            .for_each(|span| span.warnings.clear());
        assert_eq!(read(&written), [trace]);
    }
}

#[test]
fn every_type_of_value_survives_otlp() {
    let mut span = only_span(ZIPKIN_SPAN);
    for (key, value) in [
        ("bool", Value::Bool(true)),
        ("int", Value::Int(i64::MIN)),
        ("float", Value::Float(0.1)),
        ("infinite", Value::Float(f64::NEG_INFINITY)),
        (
            "json",
            Value::Json(serde_json::json!([1, [2.5, null], {"k": "v"}, true])),
        ),
        ("nothing", Value::Json(serde_json::Value::Null)),
    ] {
        span.attributes.insert(key.to_owned(), value);
    }
    let mut trace = read(ZIPKIN_SPAN).remove(0);
    trace.spans = vec![span];
    assert_eq!(read(&to_otlp_json(&trace).to_string()), [trace]);
}

#[test]
fn a_service_without_a_resource_survives_otlp() {
    let mut trace = read(ZIPKIN_SPAN).remove(0);
    trace.spans[0].resource.clear();
    assert_eq!(
        read(&to_otlp_json(&trace).to_string())[0].spans[0].service,
        "web"
    );
}

#[test]
fn foreign_input_is_refused_with_what_and_where() {
    for (input, expected) in [
        ("", "the input is empty"),
        (" \n ", "the input is empty"),
        (
            "<!doctype html><title>Sign in</title>",
            "an HTML page (it begins `<!doctype html>",
        ),
        ("Bad gateway", "plain text (it begins `Bad gateway`)"),
        ("\u{1}\u{2}", "binary data"),
        (
            r#"{"data":[{"traceID":"1","spans":[{"spanID":"1","#,
            "as Jaeger JSON: the input ends in the middle of a value at line 1",
        ),
        (
            r#"{"result":{"resourceSpans":[{"#,
            "as Jaeger v3 JSON: the input ends",
        ),
        (r#"[{"traceId":"1""#, "as Zipkin JSON: the input ends"),
        (
            r#"[{"name":"x"}]"#,
            "as Zipkin JSON: missing field `traceId`",
        ),
        (
            r#"{"data":[{"parent":"a","child":"b"}]}"#,
            "as Jaeger JSON: missing field `spans`",
        ),
        (
            r#"{"resourceSpans":7}"#,
            "as OTLP JSON: invalid type: integer `7`",
        ),
        (r#"{"batches":[]} tail"#, "as JSON: expected"),
        (r#"{"traces":[]}"#, "a list of search results"),
        (r#"{"kind":"Status","x":1}"#, "its keys are kind, x"),
        (
            r#"{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}"#,
            "error of the backend: trace not found",
        ),
        (
            r#"{"error":{"httpCode":404,"message":"No traces found"}}"#,
            "error of the backend: No traces found",
        ),
    ] {
        let message = refuse(input);
        assert!(message.contains(expected), "{input}: {message}");
    }
}

#[test]
fn ids_that_are_none_are_hashed_and_say_so() {
    let json = r#"{"traceID":"my-trace","spans":[{"spanID":"span-A"},
        {"spanID":"span-B","references":[{"refType":"CHILD_OF","spanID":"span-A"}]}]}"#;
    let traces = read(json);
    assert_eq!(traces, read(json), "the same hash every time");
    assert_eq!(traces[0].spans[1].parent, Some(traces[0].spans[0].id));
    assert!(traces[0].spans[0].warnings[0].contains("`span-A`"));
    assert!(traces[0].warnings[0].contains("`my-trace`"));
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse_traces(deep.as_bytes()).is_err());
    let value = format!(
        "{}{}",
        r#"{"arrayValue":{"values":["#.repeat(50_000),
        "]}}".repeat(50_000)
    );
    let span = TEMPO_SPAN.replace(r#"{"stringValue":"cart"}"#, &value);
    assert!(parse_traces(format!(r#"{{"batches":[{span}]}}"#).as_bytes()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _result = parse_traces(&bytes);
    }

    #[test]
    fn every_cut_of_a_document_is_refused(cut in 1_usize..JAEGER.len() - 1) {
        let head = JAEGER.as_bytes().get(..cut).unwrap_or_default();
        let truncated = matches!(parse_traces(head), Err(FormatError::Truncated { .. }));
        prop_assert!(truncated);
    }
}
