use serde_json::{Value, json};

use super::{PatchFailure, apply_ops};
use crate::traffic::PatchOp;

fn ops(value: Value) -> Vec<PatchOp> {
    serde_json::from_value(value).expect("operations")
}

fn check(doc: &Value, patch: Value, expected: Result<Value, PatchFailure>) {
    assert_eq!(apply_ops(doc, &ops(patch.clone())), expected, "{patch}");
}

#[test]
fn operations_do_what_the_rfc_says() {
    let doc = json!({"a": [1, 2], "b": {"x/y": 1, "m~n": 2}, "c": null});
    for (patch, expected) in [
        (
            json!([{"op": "test", "path": "/b/x~1y", "value": 1}]),
            doc.clone(),
        ),
        (
            json!([{"op": "test", "path": "/b/m~0n", "value": 2.0}]),
            doc.clone(),
        ),
        (
            json!([{"op": "test", "path": "/c", "value": null}]),
            doc.clone(),
        ),
        (
            json!([{"op": "replace", "path": "/a/1", "value": 7}]),
            json!({"a": [1, 7], "b": {"x/y": 1, "m~n": 2}, "c": null}),
        ),
        (
            json!([{"op": "add", "path": "/a/1", "value": 7}]),
            json!({"a": [1, 7, 2], "b": {"x/y": 1, "m~n": 2}, "c": null}),
        ),
        (
            json!([{"op": "add", "path": "/a/-", "value": 7}]),
            json!({"a": [1, 2, 7], "b": {"x/y": 1, "m~n": 2}, "c": null}),
        ),
        (
            json!([{"op": "add", "path": "/b/x~1y", "value": 9}]),
            json!({"a": [1, 2], "b": {"x/y": 9, "m~n": 2}, "c": null}),
        ),
        (
            json!([{"op": "remove", "path": "/a/0"}, {"op": "remove", "path": "/c"}]),
            json!({"a": [2], "b": {"x/y": 1, "m~n": 2}}),
        ),
        (json!([{"op": "add", "path": "", "value": 3}]), json!(3)),
    ] {
        check(&doc, patch, Ok(expected));
    }
}

#[test]
fn a_failed_test_is_told_apart_from_a_path_to_nowhere() {
    let doc = json!({"a": [1, 2], "b": {}});
    let bad = |path: &str, op| PatchFailure::BadPath {
        path: path.to_owned(),
        op,
    };
    for (patch, failure) in [
        (
            json!([{"op": "test", "path": "/a/0", "value": 2}]),
            PatchFailure::TestFailed {
                path: "/a/0".into(),
                expected: json!(2),
                found: Some(json!(1)),
            },
        ),
        (
            json!([{"op": "test", "path": "/b/gone", "value": 2}]),
            PatchFailure::TestFailed {
                path: "/b/gone".into(),
                expected: json!(2),
                found: None,
            },
        ),
        (
            json!([{"op": "replace", "path": "/a/2", "value": 2}]),
            bad("/a/2", "replace"),
        ),
        (
            json!([{"op": "add", "path": "/a/3", "value": 2}]),
            bad("/a/3", "add to"),
        ),
        (
            json!([{"op": "add", "path": "/x/y", "value": 2}]),
            bad("/x/y", "add to"),
        ),
        (
            json!([{"op": "remove", "path": "/a/01"}]),
            bad("/a/01", "remove"),
        ),
        (
            json!([{"op": "remove", "path": "/a/-"}]),
            bad("/a/-", "remove"),
        ),
        (json!([{"op": "remove", "path": ""}]), bad("", "remove")),
        (
            json!([{"op": "replace", "path": "a", "value": 1}]),
            bad("a", "replace"),
        ),
        (
            json!([{"op": "add", "path": "/b/x"}]),
            PatchFailure::NoValue {
                path: "/b/x".into(),
            },
        ),
    ] {
        check(&doc, patch, Err(failure));
    }
}

#[test]
fn nothing_changes_when_a_later_operation_fails() {
    let doc = json!({"a": 1});
    let patch = ops(json!([
        {"op": "replace", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": 3},
    ]));
    assert!(apply_ops(&doc, &patch).is_err());
    assert_eq!(doc, json!({"a": 1}));
}
