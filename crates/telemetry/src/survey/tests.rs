use pilothouse_core::model::SourceErrorKind;

use super::*;
use crate::testing::{Asked, Reply, Sim, impatient};

/// How a server answers.
type Script = fn(&Asked) -> Reply;

fn vector(rows: &str) -> Reply {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[ROWS]}}"#;
    Reply::json(body.replace("ROWS", rows))
}

/// A server with this many series, of the namespaces shop and edge.
fn prometheus(series: &'static str) -> impl Fn(&Asked) -> Reply + Send + Sync + 'static {
    move |asked| {
        let query = asked.parameter("query").unwrap_or_default();
        if asked.path.ends_with("buildinfo") {
            return Reply::json(r#"{"status":"success","data":{"version":"3.1.0"}}"#);
        }
        if query.contains("by (destination_service_namespace)") {
            let row = |name| {
                format!(
                    r#"{{"metric":{{"destination_service_namespace":"{name}"}},"value":[1,"2"]}}"#
                )
            };
            return vector(&[row("shop"), row("unknown"), row("edge")].join(","));
        }
        if query.contains("timestamp") {
            return vector(r#"{"metric":{},"value":[1,"6.5"]}"#);
        }
        if query.starts_with("count(") {
            return vector(&format!(r#"{{"metric":{{}},"value":[1,"{series}"]}}"#));
        }
        vector("")
    }
}

#[tokio::test]
async fn a_server_tells_its_series_their_age_and_their_namespaces() {
    let sim = Sim::start(|asked| prometheus("1204")(asked)).await;
    let place = Place::Address(sim.url.clone());
    let survey = survey_metrics(place, Options::default()).await.unwrap();
    assert_eq!(survey.series, Some(1204));
    assert_eq!(survey.age_s, Some(6.5));
    let names = ["edge", "shop"].map(str::to_owned);
    assert_eq!(survey.namespaces, BTreeSet::from(names));
    assert_eq!(survey.version.as_deref(), Some("3.1.0"));
}

#[tokio::test]
async fn a_server_without_mesh_metrics_answers_all_the_same() {
    let sim = Sim::start(|asked| prometheus("0")(asked)).await;
    let place = Place::Address(sim.url.clone());
    let survey = survey_metrics(place, Options::default()).await.unwrap();
    assert_eq!((survey.series, survey.age_s), (Some(0), None));
    assert_eq!(survey.namespaces, BTreeSet::new());
}

#[tokio::test]
async fn a_tenant_that_is_missing_and_a_login_page_are_named() {
    let cases: [(fn() -> Reply, SourceErrorKind); 2] = [
        (
            || Reply::Plain(401, "text/plain", "no org id".to_owned()),
            SourceErrorKind::Unauthorized,
        ),
        (Reply::html, SourceErrorKind::BadAnswer),
    ];
    for (reply, kind) in cases {
        let sim = Sim::start(move |_| reply()).await;
        let place = Place::Address(sim.url.clone());
        let refused = survey_metrics(place, impatient()).await.unwrap_err();
        assert_eq!(refused.kind, kind, "{refused}");
        let said = format!("{} {}", refused.message, refused.hint);
        let is_about_the_tenant = said.contains("X-Scope-OrgID");
        assert_eq!(
            is_about_the_tenant,
            kind == SourceErrorKind::Unauthorized,
            "{refused}"
        );
    }
}

/// What a trace backend of a kind answers, its API below a base path.
fn backend(kind: TraceKind, base: &'static str) -> impl Fn(&Asked) -> Reply + Send + Sync {
    move |asked| {
        let missing = || Reply::Plain(404, "text/plain", "404 page not found\n".to_owned());
        let Some(path) = asked.path.strip_prefix(base) else {
            return missing();
        };
        match (kind, path) {
            (TraceKind::Jaeger, "/api/services") => {
                Reply::json(r#"{"data":["a","b"],"errors":null}"#)
            }
            // Its page answers every other path.
            (TraceKind::Jaeger, _) => Reply::html(),
            (TraceKind::Tempo, "/api/v2/search/tag/resource.service.name/values") => {
                Reply::json(r#"{"tagValues":[{"type":"string","value":"a"}],"metrics":{}}"#)
            }
            (TraceKind::Tempo, "/api/status/buildinfo") => Reply::json(r#"{"version":"2.9.0"}"#),
            (TraceKind::Zipkin, "/api/v2/services") => Reply::json(r#"["a","b","c"]"#),
            (TraceKind::Tempo | TraceKind::Zipkin, _) => missing(),
        }
    }
}

#[tokio::test]
async fn the_kind_of_a_trace_backend_and_its_base_path_are_found_out() {
    for (kind, base, services) in [
        (TraceKind::Jaeger, "", 2),
        (TraceKind::Tempo, "", 1),
        (TraceKind::Zipkin, "", 3),
        (TraceKind::Jaeger, "/jaeger", 2),
        (TraceKind::Jaeger, "/tracing", 2),
        (TraceKind::Jaeger, "/select/jaeger", 2),
        (TraceKind::Tempo, "/tempo", 1),
        (TraceKind::Zipkin, "/zipkin", 3),
    ] {
        let sim = Sim::start(backend(kind, base)).await;
        let place = Place::Address(sim.url.clone());
        let survey = survey_traces(place, impatient(), None).await.unwrap();
        assert_eq!((survey.kind, survey.services), (kind, services), "{base}");
        let found = survey.base_path.as_deref();
        assert_eq!(found, (!base.is_empty()).then_some(base), "{kind:?}");
    }
}

#[tokio::test]
async fn a_kind_and_a_path_that_somebody_said_are_kept() {
    let sim = Sim::start(backend(TraceKind::Zipkin, "/zipkin")).await;
    let at = |path: &str| Place::Address(format!("{}{path}", sim.url));
    let wrong = survey_traces(at(""), impatient(), Some(TraceKind::Tempo)).await;
    assert_eq!(wrong.unwrap_err().kind, SourceErrorKind::NotFound);
    let asked = sim.asked();
    assert!(asked.iter().all(|asked| !asked.path.contains("zipkin")));
    let elsewhere = survey_traces(at("/x"), impatient(), None).await;
    assert_eq!(elsewhere.unwrap_err().kind, SourceErrorKind::BadAnswer);
    let right = survey_traces(at("/zipkin"), impatient(), None)
        .await
        .unwrap();
    assert_eq!(right.base_path, None);
}

#[tokio::test]
async fn the_failure_that_says_most_stands_for_all_kinds() {
    let cases: [(Script, SourceErrorKind, &str); 4] = [
        (
            |_| Reply::html(),
            SourceErrorKind::BadAnswer,
            "nor as Zipkin",
        ),
        (
            |asked| match asked.path.contains("/api/v2/search/") {
                true => Reply::Plain(401, "text/plain", "no org id".to_owned()),
                false => Reply::Plain(404, "text/plain", String::new()),
            },
            SourceErrorKind::Unauthorized,
            "X-Scope-OrgID",
        ),
        (|_| Reply::Silent, SourceErrorKind::TimedOut, "overloaded"),
        // The port on which Jaeger takes Zipkin's spans.
        (
            |_| {
                let words = "unexpected end of JSON input";
                Reply::Plain(400, "text/plain", words.to_owned())
            },
            SourceErrorKind::ServerError,
            "collectors answer no questions",
        ),
    ];
    for (reply, kind, words) in cases {
        let sim = Sim::start(reply).await;
        let place = Place::Address(sim.url.clone());
        let error = survey_traces(place, impatient(), None).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        let said = format!("{} {}", error.message, error.hint);
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn metrics_are_found_below_the_usual_paths() {
    let sim = Sim::start(
        |asked| match asked.path.strip_prefix("/select/0/prometheus") {
            Some(_) => prometheus("7")(asked),
            None => Reply::Plain(400, "text/plain", "unsupported path requested".to_owned()),
        },
    )
    .await;
    let place = Place::Address(sim.url.clone());
    let survey = survey_metrics(place, Options::default()).await.unwrap();
    assert_eq!(survey.base_path.as_deref(), Some("/select/0/prometheus"));
    assert_eq!(survey.series, Some(7));
}

#[tokio::test]
async fn a_backend_of_unknown_kind_is_found_out_when_it_is_asked() {
    let sim = Sim::start(backend(TraceKind::Zipkin, "/zipkin")).await;
    let place = Place::Address(sim.url.clone());
    let source = open_traces(None, place, impatient()).unwrap();
    assert_eq!(sim.asked().len(), 0);
    assert_eq!(source.services().await.unwrap(), ["a", "b", "c"]);
    let n_asked = sim.asked().len();
    source.services().await.unwrap();
    assert_eq!(sim.asked().len(), n_asked + 1);

    let nobody = Place::Address(crate::testing::closed_port().await);
    let source = open_traces(None, nobody, impatient()).unwrap();
    let error = source.probe().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
}
