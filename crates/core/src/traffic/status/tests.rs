use serde_json::{Value, json};

use crate::model::{Object, Severity};
use crate::traffic::Resolution::{self, Found, Refused, Unknown};
use crate::traffic::{ShiftRequest, Split, plan_shift, read_splits};

/// A route to a Service here, one elsewhere and a pool, with what its controller says.
fn objects(conditions: Value) -> Vec<Object> {
    let docs = [
        json!({"kind": "Service", "metadata": {"name": "menu", "namespace": "shop"}, "spec": {"selector": {"app": "menu"}}}),
        json!({"kind": "Service", "metadata": {"name": "next", "namespace": "lab"}, "spec": {"selector": {"app": "next"}}}),
        json!({"kind": "Service", "metadata": {"name": "pool", "namespace": "shop"}, "spec": {"selector": {"app": "else"}}}),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "menu", "namespace": "shop", "generation": 2},
            "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [
                {"name": "menu", "port": 80, "weight": 80},
                {"name": "next", "namespace": "lab", "port": 80, "weight": 10},
                {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "pool", "weight": 10},
            ]}]},
            "status": {"parents": [{"controllerName": "example.io/c", "conditions": conditions}]},
        }),
    ];
    docs.into_iter()
        .map(|doc| Object::from_document(doc).unwrap())
        .collect()
}

fn condition(kind: &str, reason: &str, generation: u8) -> Value {
    let message = "backendRef next/lab not accessible";
    json!([{"type": kind, "status": "False", "reason": reason, "message": message, "observedGeneration": generation}])
}

fn split(conditions: Value) -> Split {
    read_splits(&objects(conditions)).remove(0)
}

fn resolutions(split: &Split) -> Vec<Resolution> {
    split.destinations.iter().map(|d| d.resolution).collect()
}

fn codes(split: &Split) -> Vec<&str> {
    split.findings.iter().map(|f| f.code.as_str()).collect()
}

#[test]
fn a_reference_that_is_not_permitted_gets_no_requests_and_no_more_weight() {
    let refused = condition("ResolvedRefs", "RefNotPermitted", 2);
    let split = split(refused.clone());
    assert_eq!(resolutions(&split), [Found, Refused, Unknown]);
    assert!(codes(&split).contains(&"backend-refused"));
    let request = ShiftRequest {
        split: split.id,
        weights: vec![("next.lab".to_owned(), 60)],
    };
    let plan = plan_shift(&objects(refused), &request).unwrap();
    let grave = plan
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error);
    let grave: Vec<&str> = grave.map(|f| f.code.as_str()).collect();
    assert_eq!(grave, ["backend-refused"]);
}

#[test]
fn what_was_said_of_an_older_generation_is_no_news() {
    let split = split(condition("ResolvedRefs", "RefNotPermitted", 1));
    assert!(!codes(&split).contains(&"backend-refused"));
}

#[test]
fn a_route_that_is_not_accepted_says_so_in_the_controllers_words() {
    let split = split(condition("Accepted", "NotAllowedByListeners", 2));
    let said = split
        .findings
        .iter()
        .find(|f| f.code == "route-not-accepted");
    let words = &said.unwrap().message;
    assert!(
        words.starts_with("example.io/c does not accept")
            && words.contains("NotAllowedByListeners")
    );
}

#[test]
fn a_backend_is_what_its_group_and_kind_say() {
    let split = split(json!([]));
    let pool = &split.destinations[2];
    assert_eq!(pool.kind.as_deref(), Some("InferencePool"));
    assert_eq!(pool.resolution, Unknown, "a Service has its name");
    let said = split
        .findings
        .iter()
        .find(|f| f.code == "host-not-known")
        .unwrap();
    assert!(
        said.message.contains("InferencePool, which is not watched"),
        "{}",
        said.message
    );
}
