use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pilothouse_core::model::{SourceErrorKind, TimeSpan};
use pilothouse_core::ports::{Measure, MetricRow, SampleSeries, Sampled};
use tokio::sync::Barrier;

use super::*;
use crate::testing::{Asked, Reply, Sim, closed_port, impatient};

/// What a server answers to anything.
type Answers = fn() -> Reply;

const QUERY: &str = "/api/v1/query";

fn question() -> MetricsQuery {
    MetricsQuery {
        measure: Measure::Requests,
        by: vec!["source_workload".to_owned()],
        matchers: Vec::new(),
        window: TimeSpan::seconds(60),
        at: Moment(1_795_343_420_125),
        idle: false,
    }
}

fn vector(rows: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{rows}]}}}}"#)
}

async fn asking(reply: fn() -> Reply) -> Result<Vec<MetricRow>, SourceError> {
    asking_all(reply).await.map(|answer| answer.rows)
}

async fn asking_all(reply: fn() -> Reply) -> Result<MetricRows, SourceError> {
    let sim = Sim::start(move |_| reply()).await;
    let source = PrometheusSource::new(&sim.url, impatient()).unwrap();
    source.query(&question()).await
}

#[tokio::test]
async fn a_query_is_posted_as_a_form_with_its_moment_and_a_timeout() {
    let sim = Sim::start(|_| Reply::json(vector(""))).await;
    let source =
        PrometheusSource::new(&format!("{}/prometheus/", sim.url), Options::default()).unwrap();
    assert_eq!(source.query(&question()).await.unwrap().rows, []);
    let asked = sim.last("/prometheus/api/v1/query");
    assert_eq!(asked.method, "POST");
    assert_eq!(
        asked.parameter("query"),
        Some("sum(rate(istio_requests_total[60s])) by (source_workload) > 0")
    );
    assert_eq!(asked.parameter("time"), Some("1795343420.125"));
    assert_eq!(asked.parameter("timeout"), Some("4500ms"));
}

#[tokio::test]
async fn samples_are_read_as_the_server_holds_them() {
    let sim = Sim::start(|_| {
        Reply::json(
            r#"{"status":"success","data":{"resultType":"matrix","result":[
                {"metric":{"instance":"a","pod":""},"values":[[1.25,"7"],[6.25,"NaN"],[11.25,"9"]]}]}}"#,
        )
    })
    .await;
    let source = PrometheusSource::new(&sim.url, Options::default()).unwrap();
    let query = SamplesQuery {
        of: Sampled::Requests,
        matchers: Vec::new(),
        window: TimeSpan::seconds(30),
        at: Moment(20_000),
    };
    let samples = source.samples(&query).await.unwrap();
    let asked = sim.last(QUERY);
    assert_eq!(asked.parameter("query"), Some("istio_requests_total[30s]"));
    assert_eq!(asked.parameter("time"), Some("20.000"));
    let series = SampleSeries {
        labels: [("instance".to_owned(), "a".to_owned())].into(),
        samples: vec![(Moment(1_250), 7.0), (Moment(11_250), 9.0)],
    };
    assert_eq!(samples.series, [series]);
}

#[tokio::test]
async fn doubts_of_the_server_are_passed_on_and_its_advice_is_not() {
    let answer = asking_all(|| {
        Reply::json(
            r#"{"status":"success","warnings":["store eu-2 is down","PromQL info: metric might not be a counter"],
                "data":{"resultType":"vector","result":[]}}"#,
        )
    });
    assert_eq!(answer.await.unwrap().warnings, ["store eu-2 is down"]);
}

#[tokio::test]
async fn rows_are_read_nan_is_dropped_and_infinity_is_kept() {
    let rows = asking(|| {
        Reply::gzip(
            vector(
                r#"{"metric":{"source_workload":"a"},"value":[1795343420.125,"1.5"]},
                   {"metric":{"source_workload":"b"},"value":[1795343420,"NaN"]},
                   {"metric":{"source_workload":"c"},"value":[1795343420,"+Inf"]},
                   {"metric":{"source_workload":""},"value":[1795343420,"0"]},
                   {"metric":{},"value":[1795343420,"2e3"]},
                   {"metric":{"source_workload":"d"},"histogram":[1795343420,{"count":"1"}]}"#,
            )
            .as_bytes(),
        )
    })
    .await
    .unwrap();
    let read: Vec<(Option<&str>, f64)> = rows
        .iter()
        .map(|row| {
            (
                row.labels.get("source_workload").map(String::as_str),
                row.value,
            )
        })
        .collect();
    let expected = [
        (Some("a"), 1.5),
        (Some("c"), f64::INFINITY),
        (None, 0.0),
        (None, 2000.0),
    ];
    assert_eq!(read, expected);
    // An absent label is absent, whether the server leaves it out or sends it empty.
    assert!(rows.iter().skip(2).all(|row| row.labels.is_empty()));
}

#[tokio::test]
async fn the_servers_error_is_verbatim_whatever_its_status() {
    let body = r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples"}"#;
    for status in [200, 400, 422, 500, 503] {
        let sim =
            Sim::start(move |_| Reply::Plain(status, "application/json", body.to_owned())).await;
        let source = PrometheusSource::new(&sim.url, Options::default()).unwrap();
        let error = source.query(&question()).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::ServerError, "{status}");
        let said = "execution: query processing would load too many samples";
        assert!(error.message.ends_with(said), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_query_that_the_server_gave_up_timed_out() {
    let error = asking(|| {
        let body = r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#;
        Reply::Plain(503, "application/json", body.to_owned())
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TimedOut);
    assert!(
        error
            .message
            .contains("query timed out in expression evaluation")
    );
}

#[tokio::test]
async fn other_values_than_a_vector_are_bad_answers() {
    let cases: [(Answers, &str); 6] = [
        (
            || Reply::json(r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#),
            "a matrix came where a vector was asked for",
        ),
        (
            || {
                Reply::json(
                    r#"{"status":"success","data":{"result":[1,"2"],"resultType":"scalar"}}"#,
                )
            },
            "a scalar came",
        ),
        (|| Reply::json(r#"{"status":"success"}"#), "nothing came"),
        (
            || Reply::json(r#"{"hello":"world"}"#),
            "missing field `status`",
        ),
        (
            || Reply::json(vector(r#"{"metric":{},"value":[1,"many"]}"#)),
            "`many` is not a sample's value",
        ),
        (
            || {
                Reply::json(
                    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{}"#,
                )
            },
            "ends in the middle",
        ),
    ];
    for (reply, what) in cases {
        let error = asking(reply).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::BadAnswer, "{what}");
        assert!(error.message.contains(what), "{what}: {error}");
        assert!(!error.hint.is_empty(), "{what}");
    }
}

#[tokio::test]
async fn faults_of_the_way_keep_their_kinds() {
    let cases: [(Answers, SourceErrorKind); 6] = [
        (Reply::html, SourceErrorKind::BadAnswer),
        (
            || Reply::Plain(401, "application/json", "{}".to_owned()),
            SourceErrorKind::Unauthorized,
        ),
        (
            || Reply::Plain(403, "text/html", "<p>no</p>".to_owned()),
            SourceErrorKind::Forbidden,
        ),
        (
            || Reply::Plain(404, "text/plain", "404 page not found".to_owned()),
            SourceErrorKind::NotFound,
        ),
        (|| Reply::Silent, SourceErrorKind::TimedOut),
        (|| Reply::Endless, SourceErrorKind::TooLarge),
    ];
    for (reply, kind) in cases {
        assert_eq!(asking(reply).await.unwrap_err().kind, kind);
    }
    let source = PrometheusSource::new(&closed_port().await, impatient()).unwrap();
    let error = source.query(&question()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.source_kind),
        (SourceErrorKind::Unreachable, SourceKind::Metrics)
    );
}

#[tokio::test]
async fn two_requests_are_under_way_and_never_three() {
    let active = Arc::new(AtomicUsize::new(0));
    let peak = Arc::new(AtomicUsize::new(0));
    let pair = Arc::new(Barrier::new(2));
    let highest = Arc::clone(&peak);
    let sim = Sim::start(move |_| {
        peak.fetch_max(active.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let (active, pair) = (Arc::clone(&active), Arc::clone(&pair));
        // Nobody is answered before a second one came: fewer than two at a time would never end.
        Reply::Later(Box::pin(async move {
            pair.wait().await;
            active.fetch_sub(1, Ordering::SeqCst);
            Reply::json(vector(""))
        }))
    })
    .await;
    let source = PrometheusSource::new(&sim.url, Options::default()).unwrap();
    let question = question();
    let all = futures::future::join_all((0..6).map(|_| source.query(&question))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(highest.load(Ordering::SeqCst), 2);
}

fn healthy(asked: &Asked) -> Reply {
    match (asked.path.as_str(), asked.parameter("query")) {
        ("/api/v1/status/buildinfo", _) => {
            Reply::json(r#"{"status":"success","data":{"version":"2.42.0","goVersion":"go1"}}"#)
        }
        (QUERY, Some("count(istio_requests_total)")) => {
            Reply::json(vector(r#"{"metric":{},"value":[1,"123020"]}"#))
        }
        (QUERY, Some("vector(time())")) => {
            Reply::json(vector(r#"{"metric":{},"value":[1,"1795343420.125"]}"#))
        }
        (QUERY, Some("topk(1, istio_requests_total)")) => Reply::json(vector(
            r#"{"metric":{"__name__":"istio_requests_total","pod":"a\"b"},"value":[1,"9"]}"#,
        )),
        (QUERY, Some(r#"{__name__="istio_requests_total",pod="a\"b"}[5m]"#)) => Reply::json(
            r#"{"status":"success","data":{"resultType":"matrix","result":[
                {"metric":{},"values":[[0,"1"],[15.003,"2"],[30,"3"],[45,"4"]]}]}}"#,
        ),
        _ => Reply::Plain(404, "text/plain", "404 page not found".to_owned()),
    }
}

#[tokio::test]
async fn a_probe_tells_version_series_and_scrape_interval() {
    let sim = Sim::start(healthy).await;
    let source = PrometheusSource::new(&sim.url, Options::default()).unwrap();
    let probe = source.probe().await.unwrap();
    assert_eq!(probe.product, "Prometheus");
    assert_eq!(probe.version.as_deref(), Some("2.42.0"));
    assert_eq!(probe.address, sim.url);
    assert_eq!(probe.clock, Some(Moment(1_795_343_420_125)));
    let facts: Vec<(&str, &str)> = probe
        .facts
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        facts,
        [("mesh_series", "123020"), ("scrape_interval_s", "15")]
    );
}

/// Thanos and `VictoriaMetrics` tell a version, or an empty one, and not whose it is.
#[tokio::test]
async fn a_probe_knows_who_speaks_promql() {
    let thanos = |asked: &Asked| match asked.path.as_str() {
        "/api/v1/stores" => Reply::json(r#"{"status":"success","data":{"sidecar":[]}}"#),
        _ => healthy(asked),
    };
    let victoria = |asked: &Asked| match asked.parameter("query") {
        Some("now()") => Reply::json(vector(r#"{"metric":{},"value":[1,"1795343420"]}"#)),
        _ => healthy(asked),
    };
    let mimir = |asked: &Asked| match asked.path.as_str() {
        "/api/v1/status/buildinfo" => Reply::json(
            r#"{"status":"success","data":{"application":"Grafana Mimir","version":"2.17.0"}}"#,
        ),
        _ => healthy(asked),
    };
    let told = async |sim: Sim| {
        let source = PrometheusSource::new(&sim.url, Options::default()).unwrap();
        let probe = source.probe().await.unwrap();
        (probe.product, probe.version)
    };
    let version = |text: &str| Some(text.to_owned());
    let expected = ("Thanos".to_owned(), version("2.42.0"));
    assert_eq!(told(Sim::start(thanos).await).await, expected);
    // It says the version of the Prometheus that it stands in for.
    let expected = ("VictoriaMetrics".to_owned(), None);
    assert_eq!(told(Sim::start(victoria).await).await, expected);
    let expected = ("Grafana Mimir".to_owned(), version("2.17.0"));
    assert_eq!(told(Sim::start(mimir).await).await, expected);
}

#[tokio::test]
async fn a_probe_does_without_what_some_servers_lack() {
    let sim = Sim::start(|asked| match asked.parameter("query") {
        Some("count(istio_requests_total)") => Reply::json(vector("")),
        _ => Reply::html(),
    })
    .await;
    let source = PrometheusSource::new(&sim.url, Options::default()).unwrap();
    let probe = source.probe().await.unwrap();
    assert_eq!(probe.version, None);
    assert_eq!(
        probe.facts.get("mesh_series").map(String::as_str),
        Some("0")
    );
    assert_eq!(probe.facts.get("scrape_interval_s"), None);
}

#[tokio::test]
async fn a_probe_fails_where_the_queries_would() {
    let cases: [(Answers, SourceErrorKind); 3] = [
        (Reply::html, SourceErrorKind::BadAnswer),
        (
            || Reply::Plain(401, "text/plain", String::new()),
            SourceErrorKind::Unauthorized,
        ),
        (
            || Reply::Plain(503, "text/plain", "starting".to_owned()),
            SourceErrorKind::ServerError,
        ),
    ];
    for (reply, kind) in cases {
        let sim = Sim::start(move |_| reply()).await;
        let source = PrometheusSource::new(&sim.url, impatient()).unwrap();
        assert_eq!(source.probe().await.unwrap_err().kind, kind);
    }
}
