use proptest::prelude::*;
use serde_json::{Value, json};

use super::{PlanError, plan_shift};
use crate::model::{Object, ObjectKind, ObjectRef, Severity};
use crate::traffic::samples::{
    deployment, destination_rule, http_route, mesh, mesh_route, named_virtual_service, object,
    service, to_subset, virtual_service,
};
use crate::traffic::{ShiftPlan, ShiftRequest, SplitId, apply_ops};

fn request(kind: ObjectKind, name: &str, section: &str, weights: &[(&str, i64)]) -> ShiftRequest {
    ShiftRequest {
        split: SplitId::new(ObjectRef::new(kind, "shop", name), section, 0).expect("a list"),
        weights: weights.iter().map(|(n, w)| ((*n).to_owned(), *w)).collect(),
    }
}

fn shift(objects: &[Object], weights: &[(&str, i64)]) -> ShiftPlan {
    plan_shift(
        objects,
        &request(ObjectKind::VirtualService, "reviews", "http", weights),
    )
    .expect("a plan")
}

fn with(http: Value) -> Vec<Object> {
    let mut objects = mesh();
    objects.pop();
    objects.push(virtual_service(http));
    objects
}

fn codes(plan: &ShiftPlan) -> Vec<(&str, Severity)> {
    let findings = plan.findings.iter();
    findings.map(|f| (f.code.as_str(), f.severity)).collect()
}

#[test]
fn a_plan_touches_the_named_weights_and_nothing_else() {
    let plan = shift(&mesh(), &[("v1", 80), ("v2", 20)]);
    assert_eq!(codes(&plan), []);
    assert_eq!(
        serde_json::to_value(&plan.ops).expect("json"),
        json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": "41"},
            {"op": "test", "path": "/spec/http/0/route/0/destination", "value": {"host": "reviews", "subset": "v1"}},
            {"op": "test", "path": "/spec/http/0/route/1/destination", "value": {"host": "reviews", "subset": "v2"}},
            {"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 80},
            {"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 20},
        ])
    );
    assert_eq!(
        serde_json::to_value(&plan.inverse).expect("json"),
        json!([
            {"op": "test", "path": "/spec/http/0/route/0/destination", "value": {"host": "reviews", "subset": "v1"}},
            {"op": "test", "path": "/spec/http/0/route/1/destination", "value": {"host": "reviews", "subset": "v2"}},
            {"op": "test", "path": "/spec/http/0/route/0/weight", "value": 80},
            {"op": "test", "path": "/spec/http/0/route/1/weight", "value": 20},
            {"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 90},
            {"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 10},
        ])
    );
    let ratios: Vec<Option<f64>> = plan.ratios_after.iter().map(|(_, ratio)| *ratio).collect();
    assert_eq!(ratios, [Some(0.8), Some(0.2)]);
    assert_eq!(plan.after["spec"]["http"][0]["route"][1]["weight"], 20);
}

#[test]
fn a_destination_that_keeps_its_weight_is_not_touched() {
    let plan = shift(&mesh(), &[("v1", 90), ("v2", 20)]);
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(codes(&plan), [("weight-sum-changed", Severity::Info)]);
    assert_eq!(plan.ratios_after[1].1, Some(20.0 / 110.0));
    let plan = shift(&mesh(), &[("v1", 90), ("v2", 10)]);
    assert_eq!((plan.changes.len(), plan.ops.len()), (0, 0));
    assert_eq!(codes(&plan), [("nothing-to-change", Severity::Info)]);
}

#[test]
fn an_absent_weight_is_added_and_removed_again() {
    let rules = json!([{"backendRefs": [
        {"name": "reviews", "port": 9080}, {"name": "reviews-v2", "port": 9080, "weight": 3},
    ]}]);
    let mut objects = mesh();
    objects.extend([
        service("shop", "reviews-v2"),
        http_route("shop", "gamma", rules),
    ]);
    let request = request(ObjectKind::HttpRoute, "gamma", "rules", &[("reviews", 5)]);
    let plan = plan_shift(&objects, &request).expect("a plan");
    assert_eq!(
        serde_json::to_value(&plan.ops).expect("json"),
        json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
            {"op": "test", "path": "/spec/rules/0/backendRefs/0/name", "value": "reviews"},
            {"op": "test", "path": "/spec/rules/0/backendRefs/0/port", "value": 9080},
            {"op": "add", "path": "/spec/rules/0/backendRefs/0/weight", "value": 5},
        ])
    );
    assert_eq!(
        apply_ops(&plan.after, &plan.inverse).as_ref(),
        Ok(&plan.before)
    );
    assert_eq!(plan.changes[0].before, None);
}

#[test]
fn every_route_of_the_gateway_api_is_planned_alike() {
    let rules = json!([{"backendRefs": [{"name": "reviews", "port": 9080}, {"name": "reviews-v2", "port": 9080, "weight": 3}]}]);
    for (name, kind, sticks) in [
        ("GRPCRoute", ObjectKind::GrpcRoute, false),
        ("TCPRoute", ObjectKind::TcpRoute, true),
        ("TLSRoute", ObjectKind::TlsRoute, true),
    ] {
        let objects = [mesh_route(name, "shop", "gamma", rules.clone())];
        let request = request(kind, "gamma", "rules", &[("reviews-v2", 9)]);
        let plan = plan_shift(&objects, &request).expect("a plan");
        assert_eq!(plan.weights_after(), [1, 9]);
        assert_eq!(plan.ratios_after[1].1, Some(0.9));
        assert_eq!(
            serde_json::to_value(&plan.ops).expect("json"),
            json!([
                {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "test", "path": "/spec/rules/0/backendRefs/1/name", "value": "reviews-v2"},
                {"op": "test", "path": "/spec/rules/0/backendRefs/1/port", "value": 9080},
                {"op": "replace", "path": "/spec/rules/0/backendRefs/1/weight", "value": 9},
            ])
        );
        assert_eq!(
            apply_ops(&plan.after, &plan.inverse).as_ref(),
            Ok(&plan.before)
        );
        let told = codes(&plan).iter().any(|(code, _)| *code == "sticky");
        assert_eq!(told, sticks, "{name}");
        let too_much = plan_shift(
            &objects,
            &ShiftRequest {
                weights: vec![("#1".into(), 0), ("#2".into(), 0)],
                ..request
            },
        );
        assert!(too_much.expect("a plan").refused(), "{name}");
    }
}

#[test]
fn an_id_is_read_back_and_knows_which_lists_there_are() {
    let written = |kind: &str, section: &str| {
        let object = json!({"kind": kind, "namespace": "shop", "name": "reviews"});
        json!({"object": object, "section": section, "route": 1})
    };
    for (kind, section) in [
        ("VirtualService", "tls"),
        ("HTTPRoute", "rules"),
        ("TCPRoute", "rules"),
    ] {
        let id: SplitId = serde_json::from_value(written(kind, section)).expect("an id");
        assert_eq!(
            serde_json::to_value(&id).expect("json"),
            written(kind, section)
        );
    }
    let wrong = serde_json::from_value::<SplitId>(written("TCPRoute", "tcp"));
    let told = wrong.expect_err("no such list").to_string();
    assert!(
        told.contains("a TCPRoute has no list of routes called"),
        "{told}"
    );
}

#[test]
fn destinations_are_found_by_name_host_revision_and_position() {
    let plan = |name: &str| {
        let request = request(ObjectKind::VirtualService, "reviews", "http", &[(name, 5)]);
        plan_shift(&mesh(), &request).map(|plan| plan.changes[0].destination.clone())
    };
    assert_eq!(plan("v2").as_deref(), Ok("v2"));
    assert_eq!(plan("#1").as_deref(), Ok("v1"));
    assert_eq!(
        plan("reviews"),
        Err(PlanError::AmbiguousDestination {
            name: "reviews".into(),
            count: 2
        })
    );
    for name in ["v7", "#0", "#3", "#x", "", "#"] {
        assert_eq!(
            plan(name),
            Err(PlanError::NoSuchDestination {
                name: name.into(),
                known: "v1, v2".into()
            }),
        );
    }
}

#[test]
fn a_request_that_does_not_fit_makes_no_plan() {
    let twice = request(
        ObjectKind::VirtualService,
        "reviews",
        "http",
        &[("v1", 1), ("#1", 2)],
    );
    assert_eq!(
        plan_shift(&mesh(), &twice),
        Err(PlanError::NamedTwice { name: "#1".into() })
    );
    for (name, section) in [("gone", "http"), ("reviews", "tcp")] {
        let gone = request(ObjectKind::VirtualService, name, section, &[]);
        let split = format!("VirtualService/shop/{name} {section}[0]");
        assert_eq!(
            plan_shift(&mesh(), &gone),
            Err(PlanError::NoSuchSplit { split })
        );
    }
}

#[test]
fn dangerous_weights_are_refused() {
    let huge = 600_000;
    for (weights, code) in [
        ([("v1", 0), ("v2", 0)], "weights-all-zero"),
        ([("v1", -1), ("v2", 20)], "weight-negative"),
        ([("v1", huge), ("v2", huge)], "weight-sum-too-large"),
        ([("v1", i64::MAX), ("v2", i64::MAX)], "weight-sum-too-large"),
    ] {
        let plan = shift(&mesh(), &weights);
        assert!(plan.refused(), "{weights:?}");
        assert_eq!(codes(&plan)[0], (code, Severity::Error));
    }
}

#[test]
fn raising_the_share_of_something_broken_is_refused() {
    let broken = |subset: &str| {
        let mut objects = with(json!([{"route": [to_subset("v1", 90), to_subset(subset, 10)]}]));
        objects[2] = deployment("shop", "reviews", "v2", 0);
        objects
    };
    for (subset, code) in [
        ("v2", "no-ready-endpoints"),
        ("v3", "no-ready-endpoints"),
        ("v9", "no-such-subset"),
    ] {
        let up = shift(&broken(subset), &[("v1", 80), (subset, 20)]);
        assert_eq!(codes(&up), [(code, Severity::Error)]);
        // Less for something broken is a relief, nothing for it the cure.
        let down = shift(&broken(subset), &[("v1", 95), (subset, 5)]);
        assert_eq!(codes(&down), [(code, Severity::Warning)]);
        let off = shift(&broken(subset), &[("v1", 100), (subset, 0)]);
        assert_eq!(codes(&off), []);
    }
}

#[test]
fn unknown_readiness_does_not_refuse() {
    let mut objects = mesh();
    objects.retain(|o| o.reference.kind != ObjectKind::Deployment);
    assert_eq!(codes(&shift(&objects, &[("v1", 80), ("v2", 20)])), []);
}

#[test]
fn owners_warn_and_canaries_refuse() {
    let owned = |labels: Value| {
        let mut objects = mesh();
        let mut doc = objects.remove(4).doc;
        doc["metadata"]["labels"] = labels;
        objects.push(object(doc));
        shift(&objects, &[("v1", 80), ("v2", 20)])
    };
    let flux = owned(json!({"kustomize.toolkit.fluxcd.io/name": "apps"}));
    assert_eq!(codes(&flux), [("owned-by-tool", Severity::Warning)]);
    let rollout = owned(json!({"rollouts.argoproj.io/gatewayapi-canary": "in-progress"}));
    assert_eq!(codes(&rollout), [("steered-by-canary", Severity::Error)]);
}

#[test]
fn circumstances_are_told() {
    let big = shift(&mesh(), &[("v1", 60), ("v2", 40)]);
    assert_eq!(codes(&big), [("large-step", Severity::Warning)]);

    let mut objects = mesh();
    let spec = json!({"hosts": ["reviews"], "http": [{"route": [to_subset("v1", 1)]}]});
    objects.push(named_virtual_service(
        "shop",
        "elder",
        "2026-01-01T00:00:00Z",
        spec,
    ));
    let shadowed = shift(&objects, &[("v1", 80), ("v2", 20)]);
    assert_eq!(codes(&shadowed), [("route-overridden", Severity::Warning)]);

    let mut rule = destination_rule("shop", "reviews", &["v1", "v2"]).doc;
    rule["spec"]["trafficPolicy"] =
        json!({"loadBalancer": {"consistentHash": {"useSourceIp": true}}});
    let mut objects = mesh();
    objects[3] = object(rule);
    let sticky = shift(&objects, &[("v1", 80), ("v2", 20)]);
    assert_eq!(codes(&sticky), [("sticky", Severity::Warning)]);

    let relative = with(json!([{"route": [to_subset("v1", 9), to_subset("v2", 1)]}]));
    let plan = shift(&relative, &[("v1", 8), ("v2", 2)]);
    assert_eq!(codes(&plan), [("weight-sum-not-100", Severity::Info)]);

    let dead = with(json!([
        {"route": [to_subset("v1", 100)]},
        {"route": [to_subset("v1", 90), to_subset("v2", 10)]},
    ]));
    let mut second = request(
        ObjectKind::VirtualService,
        "reviews",
        "http",
        &[("v1", 80), ("v2", 20)],
    );
    second.split.route = 1;
    let plan = plan_shift(&dead, &second).expect("a plan");
    assert_eq!(codes(&plan), [("route-unreachable", Severity::Warning)]);
}

proptest! {
    /// Whatever the weights were and shall be: the patch applies to its own document, writes what was asked, and the
    /// inverse brings back exactly the document from before. Shares add up to one or do not exist.
    #[test]
    fn the_inverse_of_a_plan_is_its_identity(
        before in prop::collection::vec(prop::option::of(0_i64..1000), 1..5),
        after in prop::collection::vec(prop::option::of(0_i64..1000), 1..5),
        gateway_api in any::<bool>(),
    ) {
        let items: Vec<Value> = before.iter().enumerate().map(|(index, weight)| {
            let name = format!("v{index}");
            let mut item = if gateway_api {
                json!({"name": name})
            } else {
                json!({"destination": {"host": "reviews", "subset": name}})
            };
            if let Some(weight) = weight {
                item["weight"] = json!(weight);
            }
            item
        }).collect();
        let (object, kind, section) = if gateway_api {
            (http_route("shop", "reviews", json!([{"backendRefs": items}])), ObjectKind::HttpRoute, "rules")
        } else {
            (virtual_service(json!([{"route": items}])), ObjectKind::VirtualService, "http")
        };
        let wanted: Vec<(String, i64)> = after.iter().take(before.len()).enumerate()
            .filter_map(|(index, weight)| Some((format!("#{}", index + 1), (*weight)?)))
            .collect();
        let mut request = request(kind, "reviews", section, &[]);
        request.weights = wanted;
        let plan = plan_shift(&[object], &request).expect("a plan");
        prop_assert_eq!(apply_ops(&plan.before, &plan.ops), Ok(plan.after.clone()));
        prop_assert_eq!(apply_ops(&plan.after, &plan.inverse), Ok(plan.before.clone()));
        let shares: Vec<f64> = plan.ratios_after.iter().filter_map(|(_, ratio)| *ratio).collect();
        let sum: f64 = shares.iter().sum();
        prop_assert!(shares.is_empty() || (sum - 1.0).abs() < 1e-9, "{:?}", plan.ratios_after);
    }
}
