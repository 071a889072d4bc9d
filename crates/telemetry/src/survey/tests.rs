use pilothouse_core::model::SourceErrorKind;

use super::*;
use crate::testing::{Asked, Reply, Sim, impatient};

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
