use serde_json::{Value, json};

use super::{RequestFacts, RouteApi, read_conditions, takes_everything, words};
use crate::model::ObjectKind;

/// The list of entries of that name.
fn api(section: &str) -> RouteApi {
    let kinds = ObjectKind::ALL.into_iter();
    let mut found = kinds.filter_map(|kind| RouteApi::named(kind, section));
    found.next().expect("a list of entries")
}

fn check(section: &str, entry: Value, expected: &str, catch_all: bool) {
    let conditions = read_conditions(api(section), &entry);
    assert_eq!(words(&conditions), expected, "{entry}");
    assert_eq!(takes_everything(&conditions), catch_all, "{entry}");
}

#[test]
fn conditions_are_told_in_words() {
    check("http", json!({}), "all requests", true);
    check("http", json!({"match": [{}]}), "all requests", true);
    check(
        "http",
        json!({"match": [{"uri": {"prefix": "/"}}]}),
        "path starts with /",
        true,
    );
    check(
        "http",
        json!({"match": [{"uri": {"regex": ".*"}, "headers": {"x": {"exact": "1"}}}]}),
        "path ~ .* and header x = 1",
        false,
    );
    check(
        "http",
        json!({"match": [
            {"uri": {"prefix": "/api"}, "headers": {"End-User": {"exact": "jason"}}},
            {"sourceNamespace": "shop", "withoutHeaders": {"a": {}}, "port": 80},
        ]}),
        "path starts with /api and header end-user = jason \
         or no header a is present and client namespace = shop and port = 80",
        false,
    );
    check(
        "http",
        json!({"match": [{"gateways": ["mesh"]}]}),
        "through mesh",
        true,
    );
    check(
        "http",
        json!({"match": [{"gateways": ["edge/gw"]}]}),
        "through edge/gw",
        false,
    );
    check(
        "http",
        json!({"match": [{"moonPhase": 3}]}),
        "moonPhase …",
        false,
    );
    check(
        "tls",
        json!({"match": [{"sniHosts": ["a.com", "b.com"]}]}),
        "SNI a.com or b.com",
        false,
    );
    check(
        "rules",
        json!({"matches": [{"path": {"value": "/"}}]}),
        "path starts with /",
        true,
    );
    check(
        "rules",
        json!({"matches": [{"method": "GET", "queryParams": [{"name": "q", "value": "1"}]}]}),
        "method = GET and query q = 1",
        false,
    );
}

#[test]
fn requests_are_judged_part_by_part() {
    let facts = RequestFacts {
        path: "/api/v1".into(),
        method: "GET".into(),
        headers: [("end-user".to_owned(), "jason".to_owned())].into(),
        source_namespace: "shop".into(),
        ..RequestFacts::default()
    };
    for (section, condition, fits) in [
        ("http", json!({"uri": {"prefix": "/ap"}}), true),
        (
            "rules",
            json!({"path": {"type": "PathPrefix", "value": "/ap"}}),
            false,
        ),
        (
            "rules",
            json!({"path": {"type": "PathPrefix", "value": "/api/"}}),
            true,
        ),
        (
            "rules",
            json!({"path": {"type": "Exact", "value": "/api"}}),
            false,
        ),
        (
            "http",
            json!({"headers": {"END-user": {"exact": "jason"}}}),
            true,
        ),
        (
            "http",
            json!({"headers": {"end-user": {"exact": "ann"}}}),
            false,
        ),
        ("http", json!({"headers": {"other": {}}}), false),
        ("http", json!({"withoutHeaders": {"end-user": {}}}), false),
        (
            "http",
            json!({"withoutHeaders": {"end-user": {"exact": "ann"}}}),
            true,
        ),
        (
            "http",
            json!({"headers": {"end-user": {"regex": "j.*"}}}),
            false,
        ),
        ("http", json!({"sourceNamespace": "pay"}), false),
        (
            "http",
            json!({"sourceNamespace": "shop", "method": {"exact": "GET"}}),
            true,
        ),
        ("http", json!({"queryParams": {"q": {"exact": "1"}}}), false),
        ("http", json!({"moonPhase": 3}), false),
    ] {
        let api = api(section);
        let conditions = read_conditions(api, &json!({ api.conditions_field(): [condition] }));
        assert_eq!(conditions[0].fits(&facts), fits, "{condition}");
    }
}
