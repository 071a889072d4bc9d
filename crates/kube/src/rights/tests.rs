use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::needs::needs;
use super::*;
use crate::mock::{Canned, Seen, serve};

/// What a review asks for: `get services/proxy shop`.
fn asked(seen: &Seen) -> String {
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    let at = |name: &str| {
        let value = body.pointer(&format!("/spec/resourceAttributes/{name}"));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let sub = match at("subresource") {
        sub if sub.is_empty() => sub,
        sub => format!("/{sub}"),
    };
    format!("{} {}{sub} {}", at("verb"), at("resource"), at("namespace"))
}

fn access(allowed: bool) -> Canned {
    Canned::json(201, &json!({"status": {"allowed": allowed}}))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn whoever_may_do_all_is_asked_for_the_cluster_only_and_misses_nothing() {
    let (source, log) = serve(&[], |_| access(true));
    let rights = source.rights(&names(&["shop"])).await;
    assert_eq!(log.lines().len(), needs().len());
    assert_eq!(rights.missing_rules(), []);
    assert_eq!(
        rights.verdict("patch", "networking.istio.io", "virtualservices", "shop"),
        Some(Verdict::Allowed)
    );
    assert_eq!(rights.namespaces("list", "", "services"), None);
    assert_eq!(rights.verdict("delete", "", "services", ""), None);
}

#[tokio::test]
async fn rights_in_one_namespace_are_found_by_its_rules() {
    let rules = json!({"status": {"incomplete": false, "resourceRules": [
        {"verbs": ["*"], "apiGroups": [""], "resources": ["services", "*/proxy"]},
        {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["istio"]},
        {"verbs": ["get", "list", "watch"], "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["x"]},
    ]}});
    let (source, log) = serve(&[], move |seen: &Seen| {
        if seen.line.ends_with("rulesreviews") {
            let is_shop = seen.body.contains("shop");
            let none = json!({"status": {"incomplete": false, "resourceRules": null}});
            Canned::json(201, if is_shop { &rules } else { &none })
        } else {
            access(false)
        }
    });
    let rights = source.rights(&names(&["shop", "bank", "shop", ""])).await;
    let n_rules = log
        .lines()
        .iter()
        .filter(|line| line.ends_with("rulesreviews"))
        .count();
    assert_eq!((n_rules, log.lines().len()), (2, needs().len() + 2));
    assert_eq!(
        rights.namespaces("watch", "", "services"),
        Some(names(&["shop"]))
    );
    assert_eq!(
        rights.namespaces("get", "", "services/proxy"),
        Some(names(&["shop"]))
    );
    let denied = [
        ("get", "", "pods/log"),
        ("get", "", "configmaps"),
        ("list", "apps", "deployments"),
        ("patch", "gateway.networking.k8s.io", "httproutes"),
    ];
    for (verb, group, resource) in denied {
        assert_eq!(
            rights.verdict(verb, group, resource, "shop"),
            Some(Verdict::Denied),
            "{resource}"
        );
    }
    let missing = rights.missing_rules();
    let kiali = missing.iter().find(|rule| {
        rule.scope == Scope::Namespace("shop".to_owned()) && !rule.rule.names.is_empty()
    });
    assert_eq!(kiali.unwrap().rule.names, ["kiali"]);
    let cluster: Vec<_> = missing
        .iter()
        .filter(|rule| rule.scope == Scope::Cluster)
        .collect();
    assert_eq!(cluster.len(), 1, "namespaces have no namespace");
    assert_eq!(cluster[0].rule.resources, ["namespaces"]);
}

#[tokio::test]
async fn incomplete_rules_are_settled_by_an_access_review() {
    let (source, log) = serve(&[], |seen: &Seen| {
        if seen.line.ends_with("rulesreviews") {
            let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["services"]}]);
            Canned::json(
                201,
                &json!({"status": {"incomplete": true, "resourceRules": rules}}),
            )
        } else {
            access(asked(seen) == "list services shop")
        }
    });
    let rights = source.rights(&names(&["shop"])).await;
    for verb in ["get", "list"] {
        assert_eq!(
            rights.verdict(verb, "", "services", "shop"),
            Some(Verdict::Allowed),
            "{verb}"
        );
    }
    assert_eq!(
        rights.verdict("watch", "", "services", "shop"),
        Some(Verdict::Denied)
    );
    let asked: Vec<_> = log.seen().iter().map(asked).collect();
    assert!(
        !asked.contains(&"get services shop".to_owned()),
        "the rules settle it"
    );
}

#[tokio::test]
async fn what_the_server_does_not_say_is_unknown_and_no_missing_rule() {
    let answers = [
        Canned::status(403, "Forbidden", "no reviews here"),
        Canned::text(200, "<html>"),
        Canned::json(201, &json!({"status": {}})),
        Canned::json(
            201,
            &json!({"status": {"allowed": false, "evaluationError": "webhook is down"}}),
        ),
    ];
    for answer in answers {
        let answer = std::sync::Mutex::new(Some(answer));
        let (source, _) = serve(&[], move |seen: &Seen| {
            let first = answer.lock().unwrap().take();
            first.unwrap_or_else(|| access(!seen.line.ends_with("rulesreviews")))
        });
        let rights = source.rights(&[]).await;
        let unknown = rights
            .rights
            .iter()
            .filter(|right| matches!(&right.verdict, Verdict::Unknown(why) if !why.is_empty()));
        assert_eq!(unknown.count(), 1);
        assert_eq!(rights.missing_rules(), []);
    }
}

#[test]
fn roles_are_yaml_whatever_the_names_are() {
    let rules = |scope| NamespacedRule {
        scope,
        rule: RbacRule {
            group: String::new(),
            resources: names(&["services/proxy"]),
            verbs: names(&["create", "get"]),
            names: Vec::new(),
        },
    };
    let odd = "a\": b\n- {\u{85}\u{e9}\u{7f}}\\";
    let rules = [
        rules(Scope::Cluster),
        rules(Scope::Namespace(odd.to_owned())),
    ];
    let subjects = [
        Subject::User(odd.to_owned()),
        Subject::Group("ops".to_owned()),
        Subject::User("system:serviceaccount:shop:viewer".to_owned()),
    ];
    let text = rbac_yaml(&rules, &subjects, "yes");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let kinds: Vec<_> = documents
        .iter()
        .map(|doc| doc["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
    );
    assert_eq!(documents[3]["metadata"]["namespace"], odd);
    assert_eq!(documents[3]["subjects"][0]["name"], odd);
    assert_eq!(
        documents[3]["subjects"][2],
        json!({"kind": "ServiceAccount", "name": "viewer", "namespace": "shop"})
    );
    assert_eq!(
        documents[0]["rules"][0],
        json!({"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["create", "get"]})
    );
    assert_eq!(documents[1]["roleRef"]["name"], "yes");
    assert_eq!(rbac_yaml(&[], &subjects, "x"), "");
}

/// The rules of a shipped role, one a verb.
fn shipped(text: &str) -> BTreeSet<(String, String, String, String)> {
    let role: Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(role["kind"], "ClusterRole");
    let list = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    };
    let mut rules = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        let mut objects = list(&rule["resourceNames"]);
        if objects.is_empty() {
            objects.push(String::new());
        }
        for group in list(&rule["apiGroups"]) {
            for resource in list(&rule["resources"]) {
                for verb in list(&rule["verbs"]) {
                    for name in &objects {
                        rules.insert((group.clone(), resource.clone(), verb.clone(), name.clone()));
                    }
                }
            }
        }
    }
    rules
}

#[test]
fn the_shipped_roles_are_exactly_what_is_asked() {
    let files = [
        (include_str!("../../../../docs/rbac/read-only.yaml"), false),
        (include_str!("../../../../docs/rbac/shift.yaml"), true),
    ];
    for (text, is_for_shifts) in files {
        let needed = needs()
            .into_iter()
            .filter(|rule| rule.is_for_shifts == is_for_shifts);
        let needed: BTreeSet<_> = needed
            .map(|rule| (rule.group, rule.resource, rule.verb, rule.name))
            .collect();
        assert_eq!(shipped(text), needed);
    }
}
