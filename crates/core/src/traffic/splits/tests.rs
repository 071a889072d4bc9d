use serde_json::{Value, json};

use super::read_splits;
use crate::model::{Object, Severity};
use crate::traffic::samples::{
    deployment, destination_rule, http_route, mesh, mesh_route, named_virtual_service, object,
    service, to_subset, virtual_service,
};
use crate::traffic::{ReadyEndpoints, Resolution, Split};

fn only(objects: &[Object]) -> Split {
    let mut splits = read_splits(objects);
    assert_eq!(splits.len(), 1, "{splits:#?}");
    splits.remove(0)
}

fn named<'a>(splits: &'a [Split], name: &str) -> &'a Split {
    let found = splits.iter().find(|s| s.id.object.name == name);
    found.unwrap_or_else(|| panic!("no split of {name}"))
}

fn codes(split: &Split) -> Vec<(&str, Severity)> {
    let findings = split.findings.iter();
    findings.map(|f| (f.code.as_str(), f.severity)).collect()
}

#[test]
fn a_split_knows_what_stands_behind_its_destinations() {
    let split = only(&mesh());
    assert_eq!(split.hosts, ["reviews.shop.svc.cluster.local"]);
    assert!(split.in_force);
    assert_eq!(split.owner.tool, "hand");
    assert_eq!(split.resource_version, "41");
    assert_eq!(codes(&split), []);
    assert_eq!(split.matches.text, "all requests");
    let canary = &split.destinations[1];
    assert_eq!(canary.name, "v2");
    assert_eq!(canary.fqdn, "reviews.shop.svc.cluster.local");
    assert_eq!(canary.revision.as_deref(), Some("v2"));
    assert_eq!(canary.workloads, ["shop/reviews-v2"]);
    assert_eq!(canary.effective_ratio, Some(0.1));
    assert_eq!(
        canary.ready,
        Some(ReadyEndpoints {
            ready: 2,
            wanted: 2
        })
    );
    assert_eq!(canary.resolution, Resolution::Found);
}

#[test]
fn ready_pods_are_unknown_where_nothing_tells_them() {
    let mut objects = mesh();
    objects.retain(|o| !o.reference.name.starts_with("reviews-"));
    assert_eq!(only(&objects).destinations[0].ready, None);
    // A manifest has no status.
    let mut manifest = deployment("shop", "reviews", "v1", 2).doc;
    manifest["status"] = Value::Null;
    objects.push(object(manifest));
    assert_eq!(only(&objects).destinations[0].ready, None);
}

#[test]
fn sharing_out_to_nobody_is_an_error() {
    let cases = [("v3", "no-ready-endpoints"), ("v9", "no-such-subset")];
    for (subset, code) in cases {
        let mut objects = mesh();
        objects.pop();
        objects.push(virtual_service(
            json!([{"route": [to_subset("v1", 90), to_subset(subset, 10)]}]),
        ));
        assert_eq!(
            codes(&only(&objects)),
            [(code, Severity::Error)],
            "{subset}"
        );
    }
    let elsewhere = json!([{"route": [{"destination": {"host": "gone"}}]}]);
    let split = only(&[service("shop", "reviews"), virtual_service(elsewhere)]);
    assert_eq!(codes(&split), [("no-such-service", Severity::Error)]);
    assert_eq!(split.findings[0].path, "/spec/http/0/route/0");
}

#[test]
fn a_host_that_is_not_watched_is_unknown_and_not_missing() {
    let route = json!([{"route": [{"destination": {"host": "api.example.com"}}]}]);
    let split = only(&[service("shop", "reviews"), virtual_service(route)]);
    assert_eq!(codes(&split), [("host-not-known", Severity::Info)]);
    assert_eq!(split.destinations[0].resolution, Resolution::Unknown);
}

#[test]
fn entries_after_a_catch_all_are_unreachable() {
    let http = json!([
        {"match": [{"headers": {"end-user": {"exact": "ann"}}}], "route": [to_subset("v2", 1)]},
        {"match": [{"uri": {"prefix": "/"}}], "route": [to_subset("v1", 1)]},
        {"route": [to_subset("v2", 1)]},
    ]);
    let mut objects = mesh();
    objects.pop();
    objects.push(virtual_service(http));
    let unreachable: Vec<bool> = read_splits(&objects)
        .iter()
        .map(|s| s.matches.unreachable)
        .collect();
    assert_eq!(unreachable, [false, false, true]);
}

#[test]
fn redirects_and_direct_responses_are_no_splits() {
    let http = json!([
        {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}},
        {"route": [to_subset("v1", 1)]},
    ]);
    let mut objects = mesh();
    objects.pop();
    objects.push(virtual_service(http));
    assert_eq!(only(&objects).id.route, 1);
}

#[test]
fn the_older_virtual_service_of_a_host_is_in_force() {
    let spec = json!({
        "hosts": ["reviews.shop.svc.cluster.local"],
        "http": [{"route": [to_subset("v1", 1)]}],
    });
    let mut objects = mesh();
    objects.push(named_virtual_service(
        "shop",
        "elder",
        "2026-01-01T00:00:00Z",
        spec,
    ));
    let splits = read_splits(&objects);
    assert!(named(&splits, "elder").in_force);
    let younger = named(&splits, "reviews");
    assert!(!younger.in_force);
    let winner = younger.overridden_by.as_ref().map(ToString::to_string);
    assert_eq!(winner.as_deref(), Some("VirtualService/shop/elder"));
    assert_eq!(codes(younger), [("route-overridden", Severity::Warning)]);
}

#[test]
fn a_mesh_http_route_overrides_the_virtual_service() {
    let mut objects = mesh();
    objects.push(http_route(
        "shop",
        "gamma",
        json!([{"backendRefs": [{"name": "reviews", "port": 9080}]}]),
    ));
    let splits = read_splits(&objects);
    assert!(named(&splits, "gamma").in_force);
    let shadowed = named(&splits, "reviews");
    assert!(!shadowed.in_force);
    let winner = shadowed.overridden_by.as_ref().map(ToString::to_string);
    assert_eq!(winner.as_deref(), Some("HTTPRoute/shop/gamma"));
}

#[test]
fn a_consumer_route_only_overrides_for_its_own_namespace() {
    let mut objects = mesh();
    objects.push(http_route(
        "pay",
        "theirs",
        json!([{"backendRefs": [{"name": "reviews", "namespace": "shop", "port": 9080}]}]),
    ));
    let splits = read_splits(&objects);
    assert!(named(&splits, "theirs").in_force);
    let ours = named(&splits, "reviews");
    assert!(ours.in_force);
    assert_eq!(codes(ours), [("route-not-for-all-clients", Severity::Info)]);
}

#[test]
fn a_gateway_route_is_not_in_force_for_sidecars() {
    let spec = json!({
        "hosts": ["shop.example.com"], "gateways": ["edge"],
        "http": [{"route": [to_subset("v1", 1)]}],
    });
    let mut objects = mesh();
    objects.push(named_virtual_service(
        "shop",
        "edge",
        "2026-01-01T00:00:00Z",
        spec.clone(),
    ));
    let splits = read_splits(&objects);
    let edge = named(&splits, "edge");
    assert!(!edge.in_force);
    assert_eq!(edge.overridden_by, None);
    assert!(named(&splits, "reviews").in_force);
    let mut both = spec;
    both["gateways"] = json!(["edge", "mesh"]);
    objects.push(named_virtual_service(
        "shop",
        "both",
        "2026-01-01T00:00:00Z",
        both,
    ));
    assert!(named(&read_splits(&objects), "both").in_force);
}

#[test]
fn private_routes_decide_for_their_namespace_only() {
    let spec = json!({
        "hosts": ["reviews.shop.svc.cluster.local"], "exportTo": ["."],
        "http": [{"route": [{"destination": {"host": "reviews.shop.svc.cluster.local"}}]}],
    });
    let mut objects = mesh();
    objects.push(named_virtual_service(
        "pay",
        "private",
        "2026-03-01T00:00:00Z",
        spec,
    ));
    let splits = read_splits(&objects);
    assert!(named(&splits, "private").in_force);
    let public = named(&splits, "reviews");
    assert!(public.in_force);
    assert_eq!(
        codes(public),
        [("route-not-for-all-clients", Severity::Info)]
    );
}

#[test]
fn delegates_count_through_their_root() {
    let root = json!({"hosts": ["reviews"], "http": [{"delegate": {"name": "part", "namespace": "team"}}]});
    let part =
        json!({"http": [{"route": [{"destination": {"host": "reviews.shop.svc.cluster.local"}}]}]});
    let mut objects = mesh();
    objects.pop();
    objects.push(named_virtual_service("team", "part", "", part));
    let alone = only(&objects);
    assert!(!alone.in_force);
    assert_eq!(
        codes(&alone),
        [("delegate-without-root", Severity::Warning)]
    );
    objects.push(named_virtual_service("shop", "root", "", root));
    let split = only(&objects);
    assert!(split.in_force);
    assert_eq!(split.hosts, ["reviews.shop.svc.cluster.local"]);
}

#[test]
fn an_entry_of_a_delegate_keeps_its_roots_condition() {
    let all = json!({"route": [to_subset("v1", 1)]});
    let some = json!({"match": [{"headers": {"end-user": {"exact": "ann"}}}], "route": [to_subset("v2", 1)]});
    let part = json!({ "http": [some, all] });
    let to_part = json!({"name": "part"});
    let narrow = json!({"match": [{"uri": {"prefix": "/x"}}], "delegate": to_part});
    let cases = [
        (json!([narrow, all]), "path starts with /x", false),
        (json!([{"delegate": to_part}, all]), "all requests", false),
        (json!([all, narrow]), "path starts with /x", true),
    ];
    for (http, text, unreachable) in cases {
        let mut objects = mesh();
        objects.pop();
        objects.push(named_virtual_service("shop", "part", "", part.clone()));
        let root = json!({"hosts": ["reviews"], "http": http});
        objects.push(named_virtual_service("shop", "root", "", root.clone()));
        let splits = read_splits(&objects);
        let of_part = |route: usize| {
            let mut splits = splits.iter();
            splits.find(|s| s.id.object.name == "part" && s.id.route == route)
        };
        let (first, last) = (of_part(0).unwrap(), of_part(1).unwrap());
        assert!(first.matches.text.ends_with("header end-user = ann"));
        assert_eq!(last.matches.text, text, "{root}");
        assert_eq!(last.matches.catch_all, text == "all requests", "{root}");
        assert_eq!(last.matches.unreachable, unreachable, "{root}");
        assert!(!named(&splits, "root").matches.unreachable, "{root}");
    }
}

#[test]
fn gateway_api_backends_take_their_revision_from_the_service() {
    let versioned = |version: &str| {
        let mut doc = service("shop", &format!("reviews-{version}")).doc;
        doc["spec"]["selector"] = json!({"app": "reviews", "version": version});
        object(doc)
    };
    let mut objects = mesh();
    objects.extend([versioned("v1"), versioned("v2")]);
    let rules = json!([{"backendRefs": [
        {"name": "reviews-v1", "port": 9080, "weight": 90},
        {"name": "reviews-v2", "port": 9080, "weight": 10},
    ]}]);
    objects.push(http_route("shop", "gamma", rules));
    let splits = read_splits(&objects);
    let canary = &named(&splits, "gamma").destinations[1];
    assert_eq!(canary.name, "reviews-v2");
    assert_eq!(canary.revision.as_deref(), Some("v2"));
    assert_eq!(canary.workloads, ["shop/reviews-v2"]);
    assert_eq!(canary.port, Some(9080));
    assert_eq!(canary.effective_ratio, Some(0.1));
}

#[test]
fn equal_names_are_told_apart_by_host() {
    let http = json!([{"route": [
        to_subset("v1", 50),
        {"destination": {"host": "ratings", "subset": "v1", "port": {"number": 80}}, "weight": 50},
    ]}]);
    let split = only(&[virtual_service(http)]);
    let names: Vec<&str> = split.destinations.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["reviews/v1", "ratings/v1:80"]);
}

#[test]
fn connections_and_consistent_hashing_are_sticky() {
    let mut objects = mesh();
    assert_eq!(only(&objects).sticky, None);
    let mut rule = destination_rule("shop", "reviews", &["v1", "v2"]).doc;
    rule["spec"]["trafficPolicy"] =
        json!({"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}});
    objects[3] = object(rule);
    assert!(only(&objects).sticky.is_some());
    let tcp = json!({"hosts": ["reviews"], "tcp": [{"route": [to_subset("v1", 1)]}]});
    objects[3] = destination_rule("shop", "reviews", &["v1"]);
    objects[4] = named_virtual_service("shop", "reviews", "", tcp);
    assert!(only(&objects).sticky.is_some());
}

#[test]
fn order_of_objects_does_not_matter() {
    let mut objects = mesh();
    objects.push(http_route(
        "pay",
        "theirs",
        json!([{"backendRefs": [{"name": "reviews", "namespace": "shop"}]}]),
    ));
    let splits = read_splits(&objects);
    objects.reverse();
    assert_eq!(read_splits(&objects), splits);
}

#[test]
fn odd_documents_are_read_as_far_as_they_go() {
    for spec in [
        json!(null),
        json!([]),
        json!({"hosts": "reviews", "http": {"route": []}}),
        json!({"hosts": [1], "http": [null, 3, {"route": [null, {"weight": "x"}], "match": [7]}]}),
    ] {
        let splits = read_splits(&[named_virtual_service("shop", "odd", "", spec.clone())]);
        assert!(splits.len() <= 1, "{spec}");
    }
}

#[test]
fn every_route_of_the_gateway_api_is_a_split() {
    let backends =
        json!([{"name": "reviews", "port": 9080, "weight": 3}, {"name": "reviews", "port": 9081}]);
    let table = [
        (
            "GRPCRoute",
            json!({"matches": [{"method": {"service": "shop.Reviews", "method": "Get"}}]}),
            "path = /shop.Reviews/Get",
            false,
        ),
        (
            "GRPCRoute",
            json!({"matches": [{"method": {"service": "shop.Reviews"}, "headers": [{"name": "End-User", "value": "jason"}]}]}),
            "path starts with /shop.Reviews and header end-user = jason",
            false,
        ),
        (
            "GRPCRoute",
            json!({"matches": [{"method": {"method": "Get"}}]}),
            "path ~ /[^/]+/Get",
            false,
        ),
        ("GRPCRoute", json!({}), "all requests", false),
        ("TCPRoute", json!({}), "all requests", true),
        ("TLSRoute", json!({}), "SNI reviews.example.com", true),
    ];
    for (kind, mut rule, matches, of_connections) in table {
        rule["backendRefs"] = backends.clone();
        let mut route = mesh_route(kind, "shop", "gamma", json!([rule])).doc;
        if kind == "TLSRoute" {
            route["spec"]["hostnames"] = json!(["reviews.example.com"]);
        }
        let split = only(&[service("shop", "reviews"), object(route)]);
        assert_eq!(split.id.to_string(), format!("{kind}/shop/gamma rules[0]"));
        assert!(split.in_force && split.for_all_clients, "{kind}");
        assert_eq!(split.matches.text, matches, "{kind}");
        let shares: Vec<_> = split
            .destinations
            .iter()
            .map(|d| d.effective_ratio)
            .collect();
        assert_eq!(shares, [Some(0.75), Some(0.25)], "{kind}");
        assert_eq!(split.sticky.is_some(), of_connections, "{kind}");
        assert_eq!(split.canary(), 1);
    }
}

#[test]
fn requests_and_connections_of_a_host_are_decided_apart() {
    let backends = json!([{"backendRefs": [{"name": "reviews", "port": 9080}]}]);
    let spec = json!({
        "hosts": ["reviews"],
        "http": [{"route": [to_subset("v1", 1)]}],
        "tcp": [{"route": [to_subset("v1", 1)]}],
    });
    let of = |kind: &str| {
        let mut objects = mesh();
        objects.pop();
        objects.push(named_virtual_service(
            "shop",
            "both",
            "2026-01-01T00:00:00Z",
            spec.clone(),
        ));
        objects.push(mesh_route(kind, "shop", "gamma", backends.clone()));
        let splits = read_splits(&objects);
        let state = |s: &Split| (s.id.to_string(), s.in_force);
        splits.iter().map(state).collect::<Vec<_>>()
    };
    let expected = |kind: &str, http: bool, tcp: bool| {
        vec![
            ("VirtualService/shop/both http[0]".to_owned(), http),
            ("VirtualService/shop/both tcp[0]".to_owned(), tcp),
            (format!("{kind}/shop/gamma rules[0]"), true),
        ]
    };
    for (kind, http, tcp) in [
        ("HTTPRoute", false, true),
        ("GRPCRoute", false, true),
        ("TCPRoute", true, false),
        ("TLSRoute", true, false),
    ] {
        assert_eq!(of(kind), expected(kind, http, tcp));
    }
}

#[test]
fn the_canary_is_the_smallest_share_that_is_served() {
    for (weights, canary) in [
        (vec![25, 65, 10], 2),
        (vec![10, 90], 0),
        (vec![100, 0], 0),
        (vec![50, 50], 1),
        (vec![0, 0], 1),
    ] {
        let route: Vec<Value> = weights.iter().map(|w| to_subset("v1", *w)).collect();
        let mut objects = mesh();
        objects.pop();
        objects.push(virtual_service(json!([{"route": route}])));
        assert_eq!(only(&objects).canary(), canary, "{weights:?}");
    }
}

#[test]
fn a_rollout_behind_services_or_subsets_owns_the_weights_and_its_pods_are_not_counted() {
    let mark = json!({"argo-rollouts.argoproj.io/managed-by-rollouts": "menu"});
    let service = |name: &str, hash: &str| {
        json!({"kind": "Service", "metadata": {"name": name, "namespace": "shop", "annotations": mark},
            "spec": {"selector": {"app": "menu", "rollouts-pod-template-hash": hash}}})
    };
    let subset = |hash: &str| json!({"name": hash, "labels": {"app": "menu", "rollouts-pod-template-hash": hash}});
    let of_services = [
        service("menu-stable", "6c9"),
        service("menu-canary", "7b5"),
        json!({"kind": "VirtualService", "metadata": {"name": "menu", "namespace": "shop"},
            "spec": {"hosts": ["menu-stable"], "http": [{"route": [
                {"destination": {"host": "menu-stable"}, "weight": 95},
                {"destination": {"host": "menu-canary"}, "weight": 5}]}]}}),
    ];
    // Its Deployment only lends the template, and is scaled to nothing.
    let of_subsets = [
        json!({"kind": "Service", "metadata": {"name": "menu", "namespace": "shop"}, "spec": {"selector": {"app": "menu"}}}),
        json!({"kind": "Deployment", "metadata": {"name": "menu", "namespace": "shop"},
            "spec": {"replicas": 0, "template": {"metadata": {"labels": {"app": "menu"}}}}, "status": {"observedGeneration": 3}}),
        json!({"kind": "DestinationRule", "metadata": {"name": "menu", "namespace": "shop", "annotations": mark},
            "spec": {"host": "menu", "subsets": [subset("6c9"), subset("7b5")]}}),
        json!({"kind": "VirtualService", "metadata": {"name": "menu", "namespace": "shop"},
            "spec": {"hosts": ["menu"], "http": [{"route": [
                {"destination": {"host": "menu", "subset": "6c9"}, "weight": 50},
                {"destination": {"host": "menu", "subset": "7b5"}, "weight": 50}]}]}}),
    ];
    for (docs, told_apart) in [(&of_services[..], true), (&of_subsets[..], false)] {
        let objects: Vec<Object> = docs
            .iter()
            .map(|doc| Object::from_document(doc.clone()).unwrap())
            .collect();
        let split = read_splits(&objects).remove(0);
        assert_eq!(split.owner.tool, "argo-rollouts");
        assert_eq!(split.owner.name.as_deref(), Some("menu"));
        assert!(split.steered);
        assert!(split.destinations.iter().all(|d| d.ready.is_none()));
        let says = |code: &str| split.findings.iter().any(|f| f.code == code);
        assert!(!says("no-ready-endpoints"));
        assert_eq!(says("shares-not-told-apart"), !told_apart);
    }
}
