use serde_json::{Value, json};

use super::{Incomparable, comparable};
use crate::model::Object;
use crate::traffic::samples::{
    destination_rule, http_route, mesh, named_virtual_service, object, to_subset,
};
use crate::traffic::{Split, read_splits};

fn with(spec: Value) -> Vec<Object> {
    let mut objects = mesh();
    objects.pop();
    objects.push(named_virtual_service("shop", "reviews", "", spec));
    objects
}

/// The reason for the last split of this name.
fn reason(objects: &[Object], name: &str) -> Option<Incomparable> {
    let splits = read_splits(objects);
    let mut named = splits.iter().rev().filter(|s| s.id.object.name == name);
    let split: &Split = named.next().expect("a split");
    comparable(split, &splits).err()
}

fn weighted() -> Value {
    json!({"route": [to_subset("v1", 90), to_subset("v2", 10)]})
}

#[test]
fn an_entry_that_decides_alone_for_everybody_is_comparable() {
    assert_eq!(reason(&mesh(), "reviews"), None);
    // Answers without a destination and other hosts take nothing from its count.
    let elsewhere = json!({"destination": {"host": "ratings"}});
    let path = |path: &str| json!([{"uri": {"prefix": path}}]);
    let http = json!([
        {"match": path("/old"), "redirect": {"uri": "/new"}},
        {"match": path("/ratings"), "route": [elsewhere]},
        weighted(),
    ]);
    let objects = with(json!({"hosts": ["reviews"], "http": http}));
    assert_eq!(reason(&objects, "reviews"), None);
}

#[test]
fn a_header_route_in_front_mingles_with_what_comes_after_it() {
    let ann = json!([{"headers": {"end-user": {"exact": "ann"}}}]);
    let header = json!({"match": ann, "route": [to_subset("v2", 1)]});
    let objects = with(json!({"hosts": ["reviews"], "http": [header, weighted()]}));
    let splits = read_splits(&objects);
    for (at, other) in [(0, 1), (1, 0)] {
        let expected = Incomparable::OtherEntry(splits[other].id.clone());
        assert_eq!(comparable(&splits[at], &splits), Err(expected));
    }
    let first = reason(&objects, "reviews").expect("a reason").to_string();
    assert!(
        first.starts_with("VirtualService/shop/reviews http[0] sends requests"),
        "{first}"
    );
    // One that never matches takes nothing.
    let objects = with(json!({"hosts": ["reviews"], "http": [weighted(), header]}));
    let splits = read_splits(&objects);
    assert_eq!(comparable(&splits[0], &splits), Ok(()));
    assert_eq!(
        comparable(&splits[1], &splits),
        Err(Incomparable::Unreachable)
    );
}

#[test]
fn a_gateways_route_to_the_same_host_mingles() {
    let mut objects = mesh();
    let spec = json!({"hosts": ["shop.example.com"], "gateways": ["edge"], "http": [weighted()]});
    objects.push(named_virtual_service("shop", "edge", "", spec));
    assert_eq!(reason(&objects, "edge"), Some(Incomparable::NotInForce));
    assert!(matches!(
        reason(&objects, "reviews"),
        Some(Incomparable::OtherEntry(_))
    ));
}

#[test]
fn what_is_overridden_neither_compares_nor_mingles() {
    let mut objects = mesh();
    let rules = json!([{"backendRefs": [{"name": "reviews", "port": 9080}]}]);
    objects.push(http_route("shop", "gamma", rules));
    assert_eq!(reason(&objects, "reviews"), Some(Incomparable::NotInForce));
    assert_eq!(reason(&objects, "gamma"), None);
}

#[test]
fn a_route_for_some_clients_is_counted_with_all() {
    let private = json!({"hosts": ["reviews"], "exportTo": ["."], "http": [weighted()]});
    assert_eq!(
        reason(&with(private), "reviews"),
        Some(Incomparable::SomeClients)
    );
    let mut objects = mesh();
    let rules = json!([{"backendRefs": [{"name": "ratings", "port": 9080}]}]);
    objects.push(http_route("pay", "theirs", rules));
    assert_eq!(reason(&objects, "reviews"), Some(Incomparable::SomeClients));
    assert_eq!(reason(&objects, "theirs"), Some(Incomparable::SomeClients));
    // What a private root delegates to is private.
    let part = json!({"http": [weighted()]});
    let to_part = json!([{"delegate": {"name": "part"}}]);
    let mut objects = with(json!({"hosts": ["reviews"], "exportTo": ["."], "http": to_part}));
    objects.push(named_virtual_service("shop", "part", "", part));
    assert_eq!(reason(&objects, "part"), Some(Incomparable::SomeClients));
}

#[test]
fn connections_and_hashed_requests_do_not_spread_by_weight() {
    let tcp = with(json!({"hosts": ["reviews"], "tcp": [weighted()]}));
    assert_eq!(reason(&tcp, "reviews"), Some(Incomparable::Connections));
    let mut objects = mesh();
    let mut rule = destination_rule("shop", "reviews", &["v1", "v2"]).doc;
    rule["spec"]["trafficPolicy"] =
        json!({"loadBalancer": {"consistentHash": {"useSourceIp": true}}});
    objects[3] = object(rule);
    let why = reason(&objects, "reviews").expect("a reason").to_string();
    assert!(why.contains("hashes requests consistently"), "{why}");
}
