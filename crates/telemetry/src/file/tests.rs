use std::io::Write;

use pilothouse_core::model::Moment;

use super::*;

/// A trace in Jaeger's JSON: one span for each (service, operation, start in ms, duration in ms, HTTP status).
fn trace_json(id: u32, spans: &[(&str, &str, u64, u64, u16)]) -> String {
    let spans: Vec<String> = spans
        .iter()
        .enumerate()
        .map(|(k, (service, operation, start, duration, status))| {
            format!(
                r#"{{"traceID":"{id:x}","spanID":"{:x}","operationName":"{operation}","references":[],
                    "startTime":{},"duration":{},"process":{{"serviceName":"{service}"}},
                    "tags":[{{"key":"http.status_code","type":"int64","value":{status}}}]}}"#,
                k + 1,
                start * 1000,
                duration * 1000,
            )
        })
        .collect();
    format!(
        r#"{{"traceID":"{id:x}","spans":[{}],"processes":{{}}}}"#,
        spans.join(",")
    )
}

fn three() -> FileTraces {
    let traces = [
        trace_json(
            1,
            &[
                ("gateway", "GET /", 1_000, 100, 200),
                ("reviews", "list", 1_010, 20, 200),
            ],
        ),
        trace_json(
            2,
            &[
                ("gateway", "GET /", 3_000, 900, 503),
                ("ratings", "get", 3_010, 20, 503),
            ],
        ),
        trace_json(3, &[("gateway", "GET /", 2_000, 10, 200)]),
    ];
    let json = format!(r#"{{"data":[{}]}}"#, traces.join(","));
    FileTraces::from_bytes("three.json", json.as_bytes()).unwrap()
}

fn any() -> TraceSearch {
    TraceSearch {
        to: Moment(10_000),
        limit: 10,
        ..TraceSearch::default()
    }
}

#[tokio::test]
async fn a_search_means_whole_traces_and_answers_the_newest_first() {
    let source = three();
    let ms = 1_000_000;
    let attribute = BTreeMap::from([("http.status_code".to_owned(), "503".to_owned())]);
    let cases: [(&str, TraceSearch, &[u128]); 10] = [
        ("all", any(), &[2, 3, 1]),
        (
            "service",
            TraceSearch {
                service: Some("reviews".to_owned()),
                ..any()
            },
            &[1],
        ),
        (
            "unknown service",
            TraceSearch {
                service: Some("x".to_owned()),
                ..any()
            },
            &[],
        ),
        (
            "operation",
            TraceSearch {
                operation: Some("get".to_owned()),
                ..any()
            },
            &[2],
        ),
        (
            "errors",
            TraceSearch {
                only_errors: true,
                ..any()
            },
            &[2],
        ),
        (
            "at least",
            TraceSearch {
                min_duration_ns: Some(100 * ms),
                ..any()
            },
            &[2, 1],
        ),
        (
            "at most",
            TraceSearch {
                max_duration_ns: Some(100 * ms),
                ..any()
            },
            &[3, 1],
        ),
        (
            "attribute",
            TraceSearch {
                attributes: attribute,
                ..any()
            },
            &[2],
        ),
        (
            "from, to",
            TraceSearch {
                from: Moment(1_000),
                to: Moment(2_000),
                ..any()
            },
            &[3, 1],
        ),
        (
            "from > to",
            TraceSearch {
                from: Moment(2_000),
                to: Moment(1_000),
                ..any()
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
}

#[tokio::test]
async fn a_cut_list_says_so() {
    let found = three()
        .find(&TraceSearch { limit: 2, ..any() })
        .await
        .unwrap();
    let ids: Vec<u128> = found.traces.iter().map(|summary| summary.id.0).collect();
    assert_eq!((ids, found.partial), (vec![2, 3], true));
}

#[tokio::test]
async fn names_traces_and_facts_come_from_the_file() {
    let source = three();
    assert_eq!(
        source.services().await.unwrap(),
        ["gateway", "ratings", "reviews"]
    );
    assert_eq!(source.operations("gateway").await.unwrap(), ["GET /"]);
    assert_eq!(source.operations("x").await.unwrap(), Vec::<String>::new());
    let trace = source.trace(TraceId(2)).await.unwrap().unwrap();
    assert_eq!((trace.id, trace.spans.len()), (TraceId(2), 2));
    assert_eq!(source.trace(TraceId(9)).await.unwrap(), None);
    let probe = source.probe().await.unwrap();
    assert_eq!(probe.address, "three.json");
    let fact = |name: &str| probe.facts.get(name).map(String::as_str);
    assert_eq!((fact("traces"), fact("spans")), (Some("3"), Some("5")));
    assert_eq!(fact("first_start"), Some("1970-01-01T00:00:01Z"));
    assert_eq!(fact("last_start"), Some("1970-01-01T00:00:03Z"));
}

#[test]
fn a_file_is_opened_and_whatever_is_wrong_with_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        File::create(&path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        path
    };
    let good = write(
        "good.json",
        &format!(
            r#"{{"data":[{}]}}"#,
            trace_json(7, &[("a", "b", 1, 1, 200)])
        ),
    );
    assert_eq!(FileTraces::open(&good).unwrap().len(), 1);

    let cases = [
        (
            folder.path().join("none.json"),
            SourceErrorKind::BadConfiguration,
        ),
        (folder.path().to_owned(), SourceErrorKind::BadConfiguration),
        (write("empty.json", ""), SourceErrorKind::BadAnswer),
        (write("page.json", "<html>"), SourceErrorKind::BadAnswer),
        (
            write("cut.json", r#"{"data":[{"traceID""#),
            SourceErrorKind::BadAnswer,
        ),
    ];
    for (path, kind) in cases {
        let error = FileTraces::open(&path).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(
            error.message.contains(&path.display().to_string()),
            "{error}"
        );
        assert!(!error.hint.is_empty());
    }

    let length = good.metadata().unwrap().len();
    assert!(FileTraces::open_capped(&good, length).is_ok());
    let error = FileTraces::open_capped(&good, length - 1).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TooLarge);
}
