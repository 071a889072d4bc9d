use serde_json::{Value, json};

use super::{Retries, RouteAction, RouteEntry, Selection, routes_for};
use crate::model::Object;
use crate::traffic::RequestFacts;
use crate::traffic::samples::{
    http_route, mesh, named_virtual_service, service, to_subset, virtual_service,
};

const HOST: &str = "reviews.shop.svc.cluster.local";

fn entries(objects: &[Object], client: &str) -> Vec<RouteEntry> {
    let route = routes_for(objects, client, HOST);
    route.map(|r| r.entries).unwrap_or_default()
}

fn with(http: Value) -> Vec<Object> {
    let mut objects = mesh();
    objects.pop();
    objects.push(virtual_service(http));
    objects
}

fn shares(entry: &RouteEntry) -> Vec<(Selection, f64)> {
    match &entry.action {
        RouteAction::Forward(targets) => targets
            .iter()
            .map(|t| (t.selection.clone(), t.ratio))
            .collect(),
        RouteAction::Respond(status) => panic!("answers {status}"),
    }
}

fn subset(name: &str) -> Selection {
    Selection::Subset {
        name: name.to_owned(),
        labels: [("version".to_owned(), name.to_owned())].into(),
    }
}

#[test]
fn nobody_decides_about_a_host_without_routes() {
    assert_eq!(
        routes_for(&[service("shop", "reviews")], "shop", HOST),
        None
    );
}

#[test]
fn weights_and_subsets_reach_the_targets() {
    let objects = with(json!([{"route": [to_subset("v1", 3), to_subset("v9", 1)]}]));
    let entry = &entries(&objects, "pay")[0];
    let missing = Selection::MissingSubset { name: "v9".into() };
    assert_eq!(shares(entry), [(subset("v1"), 0.75), (missing, 0.25)]);
    assert_eq!(entry.timeout_ms, None);
    assert_eq!(entry.retries, Retries::default());
    assert_eq!((&entry.delay, &entry.abort), (&None, &None));
    assert_eq!(entry.mirrors, []);
}

#[test]
fn policies_have_the_defaults_of_istio() {
    let entry = |extra: Value| {
        let mut entry = json!({"route": [to_subset("v1", 1)]});
        let extra = extra.as_object().cloned().unwrap_or_default();
        entry.as_object_mut().expect("a map").extend(extra);
        entries(&with(json!([entry])), "shop").remove(0)
    };
    // An omitted percentage of a fault is nothing, one of a mirror is everything.
    let fault =
        entry(json!({"fault": {"delay": {"fixedDelay": "2s"}, "abort": {"httpStatus": 503}}}));
    assert_eq!(
        fault.delay.map(|d| (d.percent, d.fixed_ms)),
        Some((0.0, 2000))
    );
    assert_eq!(
        fault.abort.map(|a| (a.percent, a.http_status)),
        Some((0.0, Some(503)))
    );
    let fault = entry(
        json!({"fault": {"abort": {"grpcStatus": "UNAVAILABLE", "percentage": {"value": 12.5}}}}),
    );
    assert_eq!(
        fault.abort.map(|a| (a.percent, a.grpc_status)),
        Some((12.5, Some("UNAVAILABLE".to_owned())))
    );
    let mirrored = |extra| -> Vec<f64> { entry(extra).mirrors.iter().map(|m| m.percent).collect() };
    assert_eq!(
        mirrored(json!({"mirror": {"host": "reviews", "subset": "v2"}})),
        [100.0]
    );
    assert_eq!(
        mirrored(
            json!({"mirrors": [{"destination": {"host": "reviews"}, "percentage": {"value": 5}}]})
        ),
        [5.0]
    );
    assert_eq!(
        mirrored(json!({"mirror": {"host": "reviews"}, "mirrorPercentage": {"value": 0}})),
        [0.0; 0]
    );
    assert_eq!(entry(json!({"timeout": "1.5s"})).timeout_ms, Some(1500));
    assert_eq!(
        entry(json!({"retries": {"attempts": 0}})).retries.attempts,
        0
    );
    let retries =
        entry(json!({"retries": {"attempts": 3, "perTryTimeout": "100ms", "retryOn": "5xx"}}))
            .retries;
    assert_eq!(
        (
            retries.attempts,
            retries.per_try_timeout_ms,
            retries.retry_on.as_str()
        ),
        (3, Some(100), "5xx")
    );
}

#[test]
fn the_first_entry_that_fits_decides() {
    let objects = with(json!([
        {"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": [to_subset("v2", 1)]},
        {"match": [{"gateways": ["edge"]}], "route": [to_subset("v3", 1)]},
        {"match": [{"sourceNamespace": "pay"}], "route": [to_subset("v2", 1)]},
        {"route": [to_subset("v1", 1)]},
    ]));
    let route = routes_for(&objects, "shop", HOST).expect("a route");
    let indexes: Vec<usize> = route.entries.iter().map(|e| e.index).collect();
    assert_eq!(indexes, [0, 3]);
    let mut facts = RequestFacts::default();
    assert_eq!(route.decide(&facts).map(|e| e.index), Some(3));
    facts.headers.insert("end-user".into(), "jason".into());
    assert_eq!(route.decide(&facts).map(|e| e.index), Some(0));
}

#[test]
fn redirects_and_direct_responses_answer_by_themselves() {
    let objects = with(json!([{"directResponse": {"status": 418}}, {"redirect": {"uri": "/x"}}]));
    let actions: Vec<_> = entries(&objects, "shop")
        .into_iter()
        .map(|e| e.action)
        .collect();
    assert_eq!(
        actions,
        [RouteAction::Respond(418), RouteAction::Respond(301)]
    );
}

#[test]
fn gateway_api_rules_are_ordered_by_how_specific_they_are() {
    let backend = |name: &str, weight: i64| json!({"name": name, "port": 9080, "weight": weight});
    let rules = json!([
        {"backendRefs": [backend("reviews", 1), backend("gone", 1)]},
        {"matches": [{"path": {"type": "PathPrefix", "value": "/a"}}, {"path": {"type": "Exact", "value": "/a/b"}}],
         "backendRefs": [backend("reviews", 1)], "timeouts": {"request": "3s"}},
        {"matches": [{"path": {"value": "/none"}}], "backendRefs": [backend("reviews", 0)]},
    ]);
    let mut objects = mesh();
    objects.push(http_route("shop", "gamma", rules));
    let entries = entries(&objects, "pay");
    let indexes: Vec<usize> = entries.iter().map(|e| e.index).collect();
    assert_eq!(indexes, [1, 2, 1, 0]);
    assert_eq!(entries[0].timeout_ms, Some(3000));
    assert_eq!(entries[1].action, RouteAction::Respond(500));
    assert_eq!(
        shares(&entries[3]),
        [(Selection::All, 0.5), (Selection::MissingHost, 0.5)]
    );
}

#[test]
fn a_consumer_route_serves_its_own_namespace() {
    let mut objects = mesh();
    let rules = json!([{"backendRefs": [{"name": "reviews", "namespace": "shop"}]}]);
    objects.push(http_route("pay", "theirs", rules));
    assert_eq!(entries(&objects, "pay")[0].object.name, "theirs");
    assert_eq!(entries(&objects, "shop")[0].object.name, "reviews");
}

#[test]
fn delegates_are_narrowed_by_their_root() {
    let root = json!({"hosts": ["reviews"], "http": [
        {"match": [{"uri": {"prefix": "/team"}}], "timeout": "4s", "delegate": {"name": "part", "namespace": "team"}},
        {"route": [to_subset("v1", 1)]},
    ]});
    let part = json!({"http": [
        {"match": [{"headers": {"a": {"exact": "1"}}}], "route": [{"destination": {"host": HOST}}]},
    ]});
    let mut objects = mesh();
    objects.pop();
    objects.push(named_virtual_service("shop", "root", "", root));
    objects.push(named_virtual_service("team", "part", "", part));
    let entries = entries(&objects, "shop");
    assert_eq!(entries[0].object.name, "part");
    assert_eq!(entries[0].timeout_ms, Some(4000));
    assert_eq!(
        entries[0].conditions[0].words(),
        "path starts with /team and header a = 1"
    );
    assert_eq!(entries[1].object.name, "root");
}
