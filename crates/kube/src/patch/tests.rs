use pilothouse_core::model::ObjectKind;
use serde_json::json;

use super::*;
use crate::mock::{Canned, Log, serve_in_turn, status, virtual_service};

const WEIGHT: &str = "/spec/http/0/route/0/weight";

fn reference() -> ObjectRef {
    ObjectRef::new(ObjectKind::VirtualService, "shop", "reviews")
}

fn op(op: OpKind, path: &str, value: Option<Value>) -> PatchOp {
    PatchOp {
        op,
        path: path.to_owned(),
        value,
    }
}

/// Planned against resourceVersion 7 and a weight of 90.
fn ops() -> Vec<PatchOp> {
    vec![
        op(OpKind::Test, "/metadata/resourceVersion", Some(json!("7"))),
        op(OpKind::Test, WEIGHT, Some(json!(90))),
        op(OpKind::Replace, WEIGHT, Some(json!(80))),
    ]
}

async fn patched(answers: Vec<Canned>, mode: WriteMode) -> (Result<Patched, SourceError>, Log) {
    let (source, log) = serve_in_turn(answers);
    let result = source.patch(&reference(), &ops(), mode).await;
    (result, log)
}

fn failed_test() -> Canned {
    Canned::status(422, "Invalid", GENERIC_UNPROCESSABLE)
}

#[tokio::test]
async fn the_request_is_a_strict_json_patch_in_our_name() {
    let path = "PATCH /apis/networking.istio.io/v1/namespaces/shop/virtualservices/reviews\
                ?fieldManager=pilothouse&fieldValidation=Strict";
    let cases = [
        (WriteMode::DryRun, format!("{path}&dryRun=All")),
        (WriteMode::Apply, path.to_owned()),
    ];
    for (mode, line) in cases {
        let answer = Canned::ok(&virtual_service("shop", "reviews", "8"))
            .with_header("warning", r#"299 - "weights do not add up""#);
        let (result, log) = patched(vec![answer], mode).await;
        let patched = result.unwrap();
        assert_eq!(patched.object.resource_version, "8");
        assert_eq!(patched.warnings, ["weights do not add up"]);
        let seen = log.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].line, line);
        assert_eq!(seen[0].content_type, "application/json-patch+json");
        let body: Value = serde_json::from_str(&seen[0].body).unwrap();
        assert_eq!(
            body,
            json!([
                {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "test", "path": WEIGHT, "value": 90},
                {"op": "replace", "path": WEIGHT, "value": 80},
            ])
        );
    }
}

#[tokio::test]
async fn refusals_that_speak_for_themselves_need_no_second_look() {
    use SourceErrorKind as K;
    let webhook =
        r#"admission webhook "rev.validation.istio.io" denied the request: weight -5 < 0"#;
    let cases = [
        (Canned::status(400, "", webhook), K::Rejected),
        (Canned::status(403, "Forbidden", webhook), K::Rejected),
        (
            Canned::status(403, "Forbidden", "cannot patch resource"),
            K::Forbidden,
        ),
        (
            Canned::status(401, "Unauthorized", "Unauthorized"),
            K::Unauthorized,
        ),
        (
            Canned::status(409, "Conflict", "has been modified"),
            K::Conflict,
        ),
        (
            Canned::status(500, "InternalError", "broken"),
            K::ServerError,
        ),
        (
            Canned::status(503, "ServiceUnavailable", "later"),
            K::ServerError,
        ),
    ];
    for (answer, kind) in cases {
        let (result, log) = patched(vec![answer], WriteMode::Apply).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        if kind == K::Rejected {
            assert_eq!(error.message, webhook);
        }
        assert_eq!(log.lines().len(), 1, "a write is sent once: {error}");
    }
}

#[tokio::test]
async fn an_unspecific_422_is_decided_by_the_object_as_it_is_now() {
    use SourceErrorKind as K;
    let with = |change: fn(&mut Value)| {
        let mut doc = virtual_service("shop", "reviews", "7");
        change(&mut doc);
        Canned::ok(&doc)
    };
    let gone = json!({"reason": "NotFound", "details": {"name": "reviews"}, "code": 404});
    let other = || Canned::status(422, "Invalid", "the object is too odd");
    let cases = [
        (
            failed_test(),
            with(|doc| doc["metadata"]["resourceVersion"] = json!("8")),
            K::Conflict,
            "somebody changed the object",
        ),
        (
            failed_test(),
            with(|doc| doc["spec"]["http"][0]["route"][0]["weight"] = json!(50)),
            K::Conflict,
            "/spec/http/0/route/0/weight was expected to be 90 and is now 50",
        ),
        (
            failed_test(),
            with(|doc| doc["spec"] = json!({})),
            K::Conflict,
            "is now absent",
        ),
        (failed_test(), with(|_| ()), K::Conflict, "on its way"),
        (
            failed_test(),
            Canned::json(404, &gone),
            K::Conflict,
            "was deleted",
        ),
        (
            failed_test(),
            Canned::status(503, "", "later"),
            K::Conflict,
            "no longer holds",
        ),
        (other(), with(|_| ()), K::Rejected, "the object is too odd"),
        (
            other(),
            with(|doc| doc["metadata"]["resourceVersion"] = json!("8")),
            K::Conflict,
            "somebody changed the object",
        ),
        (
            Canned::status(500, "", "Testing value /metadata/resourceVersion failed"),
            with(|doc| doc["metadata"]["resourceVersion"] = json!("8")),
            K::Conflict,
            "somebody changed the object",
        ),
    ];
    for (refusal, object, kind, words) in cases {
        let (result, log) = patched(vec![refusal, object], WriteMode::Apply).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(words), "{error}");
        let lines = log.lines();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("GET "));
    }
}

#[tokio::test]
async fn a_schema_error_is_rejected_verbatim() {
    let mut body = status(422, "Invalid", "HTTPRoute is invalid: weight: 1000001");
    body["details"] =
        json!({"name": "reviews", "causes": [{"field": "spec.rules[0].backendRefs[0].weight"}]});
    let (result, log) = patched(vec![Canned::json(422, &body)], WriteMode::DryRun).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Rejected);
    assert_eq!(error.message, "HTTPRoute is invalid: weight: 1000001");
    assert_eq!(log.lines().len(), 1);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_patched() {
    let gone = json!({"reason": "NotFound", "details": {"name": "reviews"}, "code": 404});
    let (result, log) = patched(vec![Canned::json(404, &gone)], WriteMode::Apply).await;
    assert_eq!(result.unwrap_err().kind, SourceErrorKind::NotFound);
    assert_eq!(log.lines().len(), 1);
    let absent = vec![Canned::no_path(), Canned::no_path()];
    let (result, log) = patched(absent, WriteMode::Apply).await;
    assert_eq!(result.unwrap_err().kind, SourceErrorKind::NotFound);
    assert!(log.lines()[1].contains("/v1beta1/"));
}

#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_may_have_happened() {
    let (result, log) = patched(vec![Canned::silence()], WriteMode::Apply).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TimedOut);
    assert_eq!(error.hint, OUTCOME_UNKNOWN);
    assert_eq!(log.lines().len(), 1);
    let (result, _log) = patched(vec![Canned::silence()], WriteMode::DryRun).await;
    assert_ne!(result.unwrap_err().hint, OUTCOME_UNKNOWN);
    let garbage = Canned::text(200, "{").then_breaks();
    let (result, _log) = patched(vec![garbage], WriteMode::Apply).await;
    assert_eq!(result.unwrap_err().hint, OUTCOME_UNKNOWN);
}

#[test]
fn the_first_operation_that_does_not_fit_is_named() {
    let doc = virtual_service("shop", "reviews", "7");
    let mirror = "/spec/http/0/mirror";
    let cases = [
        (ops(), None),
        (vec![op(OpKind::Test, mirror, None)], None),
        (
            vec![op(OpKind::Remove, mirror, None)],
            Some("no longer there"),
        ),
        (vec![op(OpKind::Add, mirror, Some(json!({})))], None),
        (
            vec![op(OpKind::Add, "/spec/tcp/0/mirror", Some(json!({})))],
            Some("the place of"),
        ),
        // After the first change the document is no longer the one that we hold.
        (
            vec![
                op(OpKind::Remove, "/spec/http/0/route/0", None),
                op(OpKind::Test, WEIGHT, Some(json!(10))),
            ],
            None,
        ),
    ];
    for (ops, expect) in cases {
        let found = first_misfit(&ops, &doc);
        match expect {
            None => assert_eq!(found, None, "{ops:?}"),
            Some(words) => assert!(found.is_some_and(|f| f.contains(words)), "{ops:?}"),
        }
    }
    let long = json!("x".repeat(500));
    assert!(quoted(Some(&long)).chars().count() < 70);
}
