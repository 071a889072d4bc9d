use serde_json::{Value, json};

use crate::model::Object;
use crate::traffic::{Split, read_splits};

fn route(name: &str, created: &str, parents: Value, matches: Value) -> Object {
    Object::from_document(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": created},
        "spec": {"parentRefs": parents, "rules": [{
            "matches": matches,
            "backendRefs": [{"name": "a", "port": 80, "weight": 9}, {"name": "b", "port": 80, "weight": 1}],
        }]},
    }))
    .unwrap()
}

fn service() -> Value {
    json!([{"group": "", "kind": "Service", "name": "menu", "port": 80}])
}

fn path(value: &str) -> Value {
    json!([{"path": {"type": "PathPrefix", "value": value}}])
}

/// Names of the routes that are overruled, each with the one that decides.
fn overruled(objects: &[Object]) -> Vec<(String, String)> {
    let told = |split: Split| {
        let decider = split.overridden_by?;
        assert!(!split.in_force);
        assert!(split.findings.iter().any(|f| f.code == "route-overridden"));
        Some((split.id.object.name, decider.name))
    };
    read_splits(objects).into_iter().filter_map(told).collect()
}

const EARLY: &str = "2026-03-01T08:00:00Z";
const LATE: &str = "2026-03-02T08:00:00Z";

#[test]
fn of_equal_matches_the_older_object_decides_then_the_name() {
    let both = |first: &str, second: &str| {
        [
            route("ant", second, service(), path("/daily")),
            route("zebra", first, service(), path("/daily")),
        ]
    };
    let pair = |loser: &str, winner: &str| vec![(loser.to_owned(), winner.to_owned())];
    assert_eq!(overruled(&both(EARLY, LATE)), pair("ant", "zebra"));
    assert_eq!(overruled(&both(LATE, EARLY)), pair("zebra", "ant"));
    assert_eq!(overruled(&both(EARLY, EARLY)), pair("zebra", "ant"));
}

#[test]
fn other_matches_parents_or_hostnames_leave_both_in_force() {
    let gateway = json!([{"name": "edge"}]);
    let named = |name: &str, created: &str, host: &str| {
        let mut doc = route(name, created, gateway.clone(), path("/")).doc;
        doc["spec"]["hostnames"] = json!([host]);
        Object::from_document(doc).unwrap()
    };
    for pair in [
        [
            route("ant", LATE, service(), path("/daily")),
            route("zebra", EARLY, service(), path("/weekly")),
        ],
        [
            route("ant", LATE, service(), path("/daily")),
            route("zebra", EARLY, gateway.clone(), path("/daily")),
        ],
        [
            named("ant", LATE, "a.example"),
            named("zebra", EARLY, "z.example"),
        ],
    ] {
        assert_eq!(overruled(&pair), []);
    }
    let same_host = [
        named("ant", LATE, "a.example"),
        named("zebra", EARLY, "a.example"),
    ];
    assert_eq!(overruled(&same_host).len(), 1);
}

#[test]
fn an_entry_counts_where_one_of_its_matches_or_parents_is_its_own() {
    let two = json!([
        {"path": {"type": "PathPrefix", "value": "/daily"}},
        {"path": {"type": "PathPrefix", "value": "/weekly"}},
    ]);
    let zebra = route("zebra", EARLY, service(), path("/daily"));
    let ant = route("ant", LATE, service(), two);
    assert_eq!(overruled(&[ant, zebra.clone()]), []);
    let more = json!([
        {"group": "", "kind": "Service", "name": "menu", "port": 80},
        {"group": "", "kind": "Service", "name": "till", "port": 80},
    ]);
    let ant = route("ant", LATE, more, path("/daily"));
    assert_eq!(overruled(&[ant, zebra]), []);
}
