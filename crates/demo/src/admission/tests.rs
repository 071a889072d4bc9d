use pilothouse_core::model::ObjectKind;
use serde_json::{Value, json};

use super::refusal;

fn virtual_service(http: &Value) -> Value {
    json!({ "spec": { "hosts": ["reviews"], "http": http } })
}

fn weighted(weights: &[i64]) -> Value {
    let route: Vec<Value> = weights
        .iter()
        .map(|weight| json!({ "destination": { "host": "reviews" }, "weight": weight }))
        .collect();
    virtual_service(&json!([{ "route": route }]))
}

fn check(kind: ObjectKind, doc: &Value, expected: Option<&str>) {
    assert_eq!(refusal(kind, "reviews", doc).as_deref(), expected, "{doc}");
}

#[test]
fn istio_refuses_in_its_own_words() {
    let webhook =
        "admission webhook \"validation.istio.io\" denied the request: configuration is invalid: ";
    let told = |text: &str| format!("{webhook}{text}");
    let route = json!([{ "destination": { "host": "reviews" } }]);
    let cases = [
        (weighted(&[90, 10, 0]), None),
        (weighted(&[100, 30]), None),
        (weighted(&[0]), None),
        (weighted(&[105, -5]), Some(told("weight -5 < 0"))),
        (
            weighted(&[0, 0]),
            Some(told("total destination weight = 0")),
        ),
        (
            weighted(&[5, -5]),
            Some(told(
                "2 errors occurred:\n\t* weight -5 < 0\n\t* total destination weight = 0\n\n",
            )),
        ),
        // Added up in 32 bits.
        (
            weighted(&[i64::from(i32::MAX), i64::from(i32::MAX), 2]),
            Some(told("total destination weight = 0")),
        ),
        (
            virtual_service(&json!([{ "route": [] }])),
            Some(told("HTTP route, redirect or direct_response is required")),
        ),
        (
            virtual_service(&json!([])),
            Some(told("http, tcp or tls must be provided in virtual service")),
        ),
        (
            virtual_service(&json!([{
                "route": route,
                "fault": { "abort": { "httpStatus": 500, "percentage": { "value": 150.0 } } },
            }])),
            Some(told(
                "percentage 150 is neither 0.0, nor in range [0.0001, 100.0]",
            )),
        ),
    ];
    for (doc, expected) in cases {
        check(ObjectKind::VirtualService, &doc, expected.as_deref());
    }
}

#[test]
fn the_schema_refuses_before_the_webhook() {
    let route = json!([{ "destination": { "host": "reviews" } }]);
    check(
        ObjectKind::VirtualService,
        &virtual_service(&json!([{ "route": route, "timeout": "0.1ms" }])),
        Some(
            "VirtualService.networking.istio.io \"reviews\" is invalid: spec.http[0].timeout: Invalid value: \"0.1ms\": must be a valid duration greater than 1ms",
        ),
    );
    check(
        ObjectKind::VirtualService,
        &virtual_service(&json!([{ "route": [{ "destination": { "host": "x" }, "wieght": 5 }] }])),
        Some("strict decoding error: unknown field \"spec.http[0].route[0].wieght\""),
    );
    check(
        ObjectKind::VirtualService,
        &virtual_service(&json!([{ "route": [{ "weight": 5 }] }])),
        Some(
            "VirtualService.networking.istio.io \"reviews\" is invalid: spec.http[0].route[0].destination: Required value",
        ),
    );
}

#[test]
fn backend_weights_keep_to_the_limits_of_the_crd() {
    let route = |weight: i64| json!({ "spec": { "rules": [{ "backendRefs": [{ "name": "a", "weight": weight }] }] } });
    let told = |weight: i64, why: &str| {
        let field = "spec.rules[0].backendRefs[0].weight";
        format!(
            "HTTPRoute.gateway.networking.k8s.io \"reviews\" is invalid: {field}: Invalid value: {weight}: {field} in body should be {why}"
        )
    };
    check(ObjectKind::HttpRoute, &route(0), None);
    check(ObjectKind::HttpRoute, &route(1_000_000), None);
    let above = told(1_000_001, "less than or equal to 1000000");
    check(ObjectKind::HttpRoute, &route(1_000_001), Some(&above));
    let below = told(-1, "greater than or equal to 0");
    check(ObjectKind::HttpRoute, &route(-1), Some(&below));
}
