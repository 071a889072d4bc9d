use serde_json::{Value, json};

use super::validate_documents;
use crate::model::Severity;

fn virtual_service(spec: Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "case", "namespace": "shop"}, "spec": spec,
    })
}

fn http(entry: Value) -> Value {
    let mut whole = json!({"route": [{"destination": {"host": "reviews"}}]});
    let fields = entry.as_object().cloned().unwrap_or_default();
    whole.as_object_mut().expect("a map").extend(fields);
    virtual_service(json!({"hosts": ["reviews"], "http": [whole]}))
}

fn rule(spec: Value) -> Value {
    let mut whole = json!({"host": "reviews"});
    let fields = spec.as_object().cloned().unwrap_or_default();
    whole.as_object_mut().expect("a map").extend(fields);
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": "case", "namespace": "shop"}, "spec": whole,
    })
}

fn route(rule: Value) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "case", "namespace": "shop"}, "spec": {"rules": [rule]},
    })
}

/// Codes with paths of the findings of this severity.
fn found(docs: &[Value], severity: Severity) -> Vec<String> {
    validate_documents(docs)
        .into_iter()
        .filter(|finding| finding.severity == severity)
        .map(|finding| format!("{} {}", finding.code, finding.path))
        .collect()
}

fn check(doc: Value, errors: &[&str]) {
    assert_eq!(
        found(std::slice::from_ref(&doc), Severity::Error),
        errors,
        "{doc}"
    );
}

#[test]
fn what_admission_accepts_passes() {
    check(http(json!({})), &[]);
    check(
        http(json!({
            "match": [{"uri": {"prefix": "/api"}, "headers": {"end-user": {"exact": "jason"}}}],
            "fault": {"delay": {"fixedDelay": "2s", "percentage": {"value": 0.1}}},
            "timeout": "1.5s",
            "retries": {"attempts": 3, "perTryTimeout": "500ms", "retryOn": "5xx,503"},
            "mirror": {"host": "reviews", "subset": "v2"},
            "mirrorPercentage": {"value": 5},
        })),
        &[],
    );
    check(
        rule(json!({
            "trafficPolicy": {
                "connectionPool": {"tcp": {"maxConnections": 10, "idleTimeout": "0s"}},
                "outlierDetection": {"consecutive5xxErrors": 5, "baseEjectionTime": "30s"},
            },
            "subsets": [{"name": "v1", "labels": {"version": "v1"}}],
        })),
        &[],
    );
    check(
        route(
            json!({"backendRefs": [{"name": "reviews", "port": 80, "weight": 0}, {"name": "b", "port": 80}]}),
        ),
        &[],
    );
}

#[test]
fn weights_are_judged_by_their_api() {
    let weighted = |weights: &[i64]| {
        let items: Vec<Value> = weights
            .iter()
            .map(|w| json!({"destination": {"host": "reviews"}, "weight": w}))
            .collect();
        http(json!({ "route": items }))
    };
    check(weighted(&[0]), &[]);
    check(weighted(&[0, 0]), &["weights-all-zero /spec/http/0/route"]);
    check(
        weighted(&[5, -1]),
        &["weight-negative /spec/http/0/route/1/weight"],
    );
    check(
        weighted(&[2_147_483_647, 2_147_483_647]),
        &["weight-sum-too-large /spec/http/0/route"],
    );
    check(
        http(json!({"route": [{"destination": {"host": "reviews"}, "weight": 0.5}]})),
        &["wrong-type /spec/http/0/route/0/weight"],
    );
    let zero = route(json!({"backendRefs": [{"name": "a", "port": 80, "weight": 0}]}));
    check(zero.clone(), &[]);
    assert_eq!(
        found(&[zero], Severity::Warning),
        ["weights-all-zero /spec/rules/0/backendRefs"]
    );
    check(
        route(json!({"backendRefs": [{"name": "a", "port": 80, "weight": 1_000_001}]})),
        &["weight-range /spec/rules/0/backendRefs/0/weight"],
    );
}

#[test]
fn policies_out_of_range_are_refused_where_they_stand() {
    let at = "/spec/http/0";
    for (entry, code) in [
        (json!({"timeout": "0s"}), "duration-too-small /timeout"),
        (json!({"timeout": "soon"}), "duration-invalid /timeout"),
        (json!({"timeout": 3}), "wrong-type /timeout"),
        (
            json!({"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 150}}}}),
            "percent-range /fault/abort/percentage/value",
        ),
        (
            json!({"fault": {"abort": {"httpStatus": 199, "percentage": {"value": 1}}}}),
            "status-range /fault/abort/httpStatus",
        ),
        (json!({"fault": {}}), "fault-empty /fault"),
        (
            json!({"retries": {"attempts": 1, "retryOn": "5xx, reset"}}),
            "retry-on-invalid /retries/retryOn",
        ),
        (
            json!({"retries": {"attempts": 0, "perTryTimeout": "1s"}}),
            "retries-off-but-configured /retries/perTryTimeout",
        ),
        (
            json!({"mirror": {"host": "a"}, "mirrors": [{"destination": {"host": "b"}}]}),
            "action-conflict /mirrors",
        ),
        (
            json!({"redirect": {"uri": "/x"}}),
            "action-conflict /redirect",
        ),
        (
            json!({"match": [{"uri": {"regex": "(a"}}]}),
            "regex-invalid /match/0/uri/regex",
        ),
        (
            json!({"match": [{"headers": {"a/b": {"prefix": ""}}}]}),
            "match-empty /match/0/headers/a~1b/prefix",
        ),
    ] {
        let (code, path) = code.split_once(' ').expect("code and path");
        check(http(entry), &[&format!("{code} {at}{path}")]);
    }
}

#[test]
fn destination_rules_are_judged() {
    for (spec, error) in [
        (
            json!({"trafficPolicy": {}}),
            "policy-empty /spec/trafficPolicy",
        ),
        (
            json!({"subsets": [{"name": "a_b"}]}),
            "subset-name-invalid /spec/subsets/0/name",
        ),
        (
            json!({"trafficPolicy": {"outlierDetection": {"maxEjectionPercent": 105}}}),
            "percent-range /spec/trafficPolicy/outlierDetection/maxEjectionPercent",
        ),
        (
            json!({"trafficPolicy": {"loadBalancer": {"localityLbSetting": {"distribute": [{"from": "a", "to": {"a": 80}}]}}}}),
            "locality-weight /spec/trafficPolicy/loadBalancer/localityLbSetting/distribute/0/to",
        ),
        (
            json!({"trafficPolicy": {"tls": {"mode": "MUTUAL", "clientCertificate": "c"}}}),
            "tls-incomplete /spec/trafficPolicy/tls/privateKey",
        ),
        (
            json!({"exportTo": ["*", "shop"]}),
            "export-to-conflict /spec/exportTo",
        ),
    ] {
        check(rule(spec), &[error]);
    }
}

#[test]
fn gateway_api_rules_are_judged() {
    let at = "/spec/rules/0";
    for (rule, error) in [
        (
            json!({"backendRefs": [{"name": "a"}]}),
            "port-missing /backendRefs/0",
        ),
        (
            json!({"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}], "backendRefs": [{"name": "a", "port": 1}]}),
            "action-conflict /backendRefs",
        ),
        (
            json!({"matches": [{"path": {"value": "/a//b"}}]}),
            "path-invalid /matches/0/path/value",
        ),
        (
            json!({"timeouts": {"request": "1s", "backendRequest": "2s"}}),
            "timeout-order /timeouts/backendRequest",
        ),
        (
            json!({"timeouts": {"request": "1.5s"}}),
            "duration-invalid /timeouts/request",
        ),
        (
            json!({"matches": [{"method": "NOPE"}]}),
            "not-one-of /matches/0/method",
        ),
    ] {
        let (code, path) = error.split_once(' ').expect("code and path");
        check(route(rule), &[&format!("{code} {at}{path}")]);
    }
}

#[test]
fn traps_that_admission_accepts_are_warned_of() {
    let warnings = |doc: Value| found(&[doc], Severity::Warning);
    assert_eq!(
        warnings(http(json!({"fault": {"abort": {"httpStatus": 503}}}))),
        ["fault-without-percentage /spec/http/0/fault/abort"]
    );
    assert_eq!(
        warnings(http(json!({"weigth": 3}))),
        ["unknown-field /spec/http/0/weigth"]
    );
    let entry = json!({"route": [{"destination": {"host": "reviews"}}]});
    let shadowed = virtual_service(json!({"hosts": ["reviews"], "http": [entry, entry]}));
    assert_eq!(warnings(shadowed), ["route-unreachable /spec/http/1"]);
}

#[test]
fn entries_with_an_earlier_entrys_match_are_never_used() {
    let entry =
        |matches: Value| json!({"match": matches, "route": [{"destination": {"host": "reviews"}}]});
    let a = json!({"uri": {"prefix": "/a"}});
    let named = json!({"uri": {"prefix": "/a"}, "name": "a"});
    let b = json!({"uri": {"prefix": "/b"}});
    for (second, duplicate) in [
        (json!([a]), true),
        (json!([named]), true),
        (json!([a, b]), false),
        (json!([b]), false),
    ] {
        let http = json!([entry(json!([a])), entry(second.clone())]);
        let doc = virtual_service(json!({"hosts": ["reviews"], "http": http}));
        let warned: &[&str] = if duplicate {
            &["match-duplicate /spec/http/1"]
        } else {
            &[]
        };
        assert_eq!(found(&[doc], Severity::Warning), warned, "{second}");
    }
}

#[test]
fn a_deny_rule_with_http_attributes_denies_tcp_unless_it_states_a_port() {
    let source = |source: Value| json!({"from": [{ "source": source }]});
    let operation = |operation: Value| json!({"to": [{ "operation": operation }]});
    let when = |key: &str| json!({"key": key, "values": ["x"]});
    let on_port = json!({"key": "destination.port", "values": ["80"]});
    for (rule, denies) in [
        (source(json!({"requestPrincipals": ["*"]})), true),
        (source(json!({"principals": ["temp"]})), false),
        (operation(json!({"methods": ["GET"]})), true),
        (
            operation(json!({"notPaths": ["/x"], "notPorts": ["80"]})),
            true,
        ),
        (
            operation(json!({"methods": ["GET"], "ports": ["80"]})),
            false,
        ),
        (operation(json!({"ports": ["80"]})), false),
        (json!({"when": [when("request.headers[x]")]}), true),
        (
            json!({"when": [when("request.headers[x]"), on_port]}),
            false,
        ),
        (json!({"when": [when("source.namespace")]}), false),
        (json!({}), false),
    ] {
        for action in ["DENY", "ALLOW"] {
            let doc = json!({
                "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
                "metadata": {"name": "case"}, "spec": {"action": action, "rules": [rule]},
            });
            let warned: &[&str] = if denies && action == "DENY" {
                &["denies-tcp /spec/rules/0"]
            } else {
                &[]
            };
            assert_eq!(found(&[doc], Severity::Warning), warned, "{rule}");
        }
    }
}

#[test]
fn an_unknown_kind_is_never_silently_accepted() {
    let docs = [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}),
        json!({"apiVersion": "example.com/v1", "kind": "VirtualService", "metadata": {"name": "x"}}),
    ];
    for doc in docs {
        assert_eq!(found(&[doc], Severity::Info), ["not-implemented "]);
    }
    for odd in [json!(null), json!([]), json!(3), json!({"kind": 3})] {
        assert_eq!(found(&[odd], Severity::Error)[0], "not-an-object ");
    }
    check(
        json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "x"}}),
        &["route-missing /spec"],
    );
}

#[test]
fn documents_are_checked_against_each_other() {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "reviews", "namespace": "shop"},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "reviews"}},
    });
    let destination = |host: &str, subset: Value, port: Value| {
        let destination = json!({"host": host, "subset": subset, "port": port});
        http(json!({"route": [{"destination": destination}]}))
    };
    let subsets = rule(json!({"subsets": [{"name": "v1", "labels": {"version": "v1"}}]}));
    let set = [service, subsets];
    let warnings = |doc: Value| {
        let docs: Vec<Value> = set.iter().cloned().chain([doc]).collect();
        found(&docs, Severity::Warning)
    };
    let null = Value::Null;
    let path = "/spec/http/0/route/0/destination";
    assert_eq!(
        warnings(destination("reviews", json!("v1"), null.clone())),
        [""; 0]
    );
    assert_eq!(
        warnings(destination("reviews", json!("v2"), null.clone())),
        [format!("no-such-subset {path}")]
    );
    assert_eq!(
        warnings(destination("gone", null.clone(), null.clone())),
        [format!("no-such-service {path}")]
    );
    assert_eq!(
        warnings(destination("reviews", null, json!({"number": 81}))),
        [format!("no-such-port {path}")]
    );
}

#[test]
fn two_objects_of_one_host_conflict_for_sidecars() {
    let mut second = http(json!({}));
    second["metadata"]["name"] = json!("second");
    let warnings = found(&[http(json!({})), second.clone()], Severity::Warning);
    assert_eq!(
        warnings,
        ["host-conflict /spec/hosts", "host-conflict /spec/hosts"]
    );
    second["metadata"]["namespace"] = json!("pay");
    second["spec"]["exportTo"] = json!(["."]);
    assert_eq!(
        found(&[http(json!({})), second], Severity::Warning),
        [""; 0]
    );
}
