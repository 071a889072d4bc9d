use super::*;
use crate::mock::status;
use serde_json::{Value, json};

const SHOP: Doing<'_> = Doing {
    verb: "patch",
    kind: Some(ObjectKind::VirtualService),
    namespace: "shop",
    name: "reviews",
};

fn refusal(code: u16, body: &Value) -> Refusal {
    Refusal::read(code, body.to_string().as_bytes())
}

#[test]
fn reads_are_classified_by_status_and_say_what_was_done() {
    use SourceErrorKind as K;
    let cases = [
        (400, K::BadAnswer),
        (401, K::Unauthorized),
        (403, K::Forbidden),
        (404, K::NotFound),
        (409, K::Conflict),
        (413, K::TooLarge),
        (429, K::ServerError),
        (500, K::ServerError),
        (503, K::ServerError),
        (504, K::TimedOut),
        (302, K::BadAnswer),
    ];
    for (code, kind) in cases {
        let error = refused_read(&refusal(code, &status(code, "", "because")), &SHOP);
        assert_eq!(error.kind, kind, "{code}");
        assert_eq!(error.source_kind, SourceKind::ControlPlane);
        assert_eq!(
            error.message,
            "cannot patch VirtualService shop/reviews: because"
        );
    }
}

#[test]
fn a_forbidden_call_names_the_missing_rule() {
    let error = refused_read(&refusal(403, &status(403, "Forbidden", "no")), &SHOP);
    assert_eq!(
        error.hint,
        r#"ask for a role in namespace shop with the rule {apiGroups: ["networking.istio.io"], resources: ["virtualservices"], verbs: ["get", "patch"]}"#
    );
    let everywhere = Doing {
        verb: "watch",
        kind: Some(ObjectKind::Service),
        namespace: "",
        name: "",
    };
    let error = refused_read(&refusal(403, &status(403, "Forbidden", "no")), &everywhere);
    assert_eq!(
        error.hint,
        r#"ask for a ClusterRole with the rule {apiGroups: [""], resources: ["services"], verbs: ["get", "list", "watch"]}, or choose the namespaces that you may read"#
    );
}

#[test]
fn a_refused_patch_is_told_apart() {
    use SourceErrorKind as K;
    let webhook =
        r#"admission webhook "rev.validation.istio.io" denied the request: weight -5 < 0"#;
    let with_cause = json!({
        "kind": "Status", "message": "HTTPRoute \"reviews\" is invalid: weight", "reason": "Invalid", "code": 422,
        "details": {"name": "reviews", "causes": [{"reason": "FieldValueInvalid", "field": "spec.rules[0]"}]},
    });
    let policy =
        "x is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no";
    let rbac = r#"User "viewer" cannot patch resource "virtualservices""#;
    let dead_webhook = "Internal error occurred: failed calling webhook \"v.istio.io\": refused";
    let certain = [
        (
            409,
            status(409, "Conflict", "has been modified"),
            K::Conflict,
        ),
        (400, status(400, "", webhook), K::Rejected),
        (403, status(403, "Forbidden", webhook), K::Rejected),
        (422, status(422, "Invalid", webhook), K::Rejected),
        (422, status(422, "Invalid", policy), K::Rejected),
        (422, with_cause, K::Rejected),
        (403, status(403, "Forbidden", rbac), K::Forbidden),
        (
            401,
            status(401, "Unauthorized", "Unauthorized"),
            K::Unauthorized,
        ),
        (
            500,
            status(500, "InternalError", dead_webhook),
            K::ServerError,
        ),
        (503, status(503, "", "later"), K::ServerError),
    ];
    for (code, body, kind) in certain {
        match judge_write(&refusal(code, &body), &SHOP) {
            Verdict::Certain(error) => {
                assert_eq!(error.kind, kind, "{body}");
                if kind == K::Rejected {
                    assert_eq!(error.message, body["message"], "verbatim");
                }
            }
            Verdict::Doubt => panic!("in doubt about {body}"),
        }
    }
    let doubtful = [
        (422, status(422, "Invalid", GENERIC_UNPROCESSABLE)),
        (422, status(422, "Invalid", "something else")),
        (
            500,
            status(500, "", "Testing value /metadata/resourceVersion failed"),
        ),
    ];
    for (code, body) in doubtful {
        assert_eq!(
            judge_write(&refusal(code, &body), &SHOP),
            Verdict::Doubt,
            "{body}"
        );
    }
}

#[test]
fn a_failed_write_says_whether_it_may_have_happened() {
    let hint = |message: &str| match judge_write(&refusal(500, &status(500, "", message)), &SHOP) {
        Verdict::Certain(error) => error.hint,
        Verdict::Doubt => String::new(),
    };
    assert_eq!(hint("etcdserver: request timed out"), OUTCOME_UNKNOWN);
    assert!(hint("failed calling webhook \"v.istio.io\"").contains("istiod"));
}

#[test]
fn an_absent_path_is_no_absent_object() {
    let absent_object = json!({
        "kind": "Status", "message": "virtualservices \"x\" not found", "reason": "NotFound", "code": 404,
        "details": {"name": "x", "kind": "virtualservices"},
    });
    assert!(!refusal(404, &absent_object).path_is_absent());
    assert!(Refusal::read(404, b"404 page not found\n").path_is_absent());
    let resource = status(
        404,
        "NotFound",
        "the server could not find the requested resource",
    );
    assert!(refusal(404, &resource).path_is_absent());
}

#[test]
fn a_page_of_html_is_not_quoted() {
    let refusal = Refusal::read(502, b"<html><body>Bad Gateway</body></html>");
    assert!(!refusal.message.contains("Gateway"), "{}", refusal.message);
    assert!(refusal.message.contains("HTML"));
    // Whatever its status, it is not the API server that speaks.
    for status in [404, 502, 503] {
        let page = Refusal::read(status, b"<html>");
        let hint = refused_read(&page, &SHOP).hint;
        assert!(hint.contains("log in there"), "{status}: {hint}");
    }
    let error = refused_read(&Refusal::read(500, b""), &SHOP);
    assert!(error.message.ends_with("HTTP 500 without a reason"));
}

proptest::proptest! {
    #[test]
    fn any_answer_is_read_without_a_panic(status: u16, body: Vec<u8>) {
        let refusal = Refusal::read(status, &body);
        assert!(!refused_read(&refusal, &SHOP).message.is_empty());
        let _verdict = judge_write(&refusal, &SHOP);
    }
}
