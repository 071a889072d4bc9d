//! Roles to paste.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{AccessRule, Scope};

/// A rule of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RbacRule {
    /// API group; empty for the core group.
    pub group: String,
    /// Plurals with subresources, sorted.
    pub resources: Vec<String>,
    /// Verbs, sorted.
    pub verbs: Vec<String>,
    /// Names of the only objects; empty for all.
    pub names: Vec<String>,
}

/// A rule and where it is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespacedRule {
    /// Where.
    pub scope: Scope,
    /// What.
    pub rule: RbacRule,
}

/// Who gets the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user by the name that the server knows; `system:serviceaccount:NS:NAME` is written as a service account.
    User(String),
    /// A group.
    Group(String),
}

/// Rules with the same verbs in one, resources with the same place together.
pub(super) fn merged<'a>(
    rules: impl Iterator<Item = (&'a Scope, &'a AccessRule)>,
) -> Vec<NamespacedRule> {
    let mut verbs: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (scope, rule) in rules {
        let key = (scope, &rule.group, &rule.resource, &rule.name);
        verbs.entry(key).or_default().push(rule.verb.clone());
    }
    let mut names: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((scope, group, resource, name), mut verbs) in verbs {
        verbs.sort();
        let names = names.entry((scope, group, resource, verbs, name.is_empty()));
        let names = names.or_default();
        names.extend((!name.is_empty()).then(|| name.clone()));
    }
    let mut resources: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((scope, group, resource, verbs, _), names) in names {
        let resources = resources.entry((scope, group, verbs, names)).or_default();
        resources.push(resource.clone());
    }
    let rules = resources.into_iter();
    rules
        .map(|((scope, group, verbs, names), resources)| NamespacedRule {
            scope: scope.clone(),
            rule: RbacRule {
                group: group.clone(),
                resources,
                verbs,
                names,
            },
        })
        .collect()
}

/// These rules as roles and their bindings, one pair a scope: ready for `kubectl apply -f -`. Empty without rules. Without
/// subjects the roles come alone. `name` is that of each role.
#[must_use]
pub fn rbac_yaml(rules: &[NamespacedRule], subjects: &[Subject], name: &str) -> String {
    let mut scopes: BTreeMap<&Scope, Vec<&RbacRule>> = BTreeMap::new();
    for rule in rules {
        scopes.entry(&rule.scope).or_default().push(&rule.rule);
    }
    let mut documents = Vec::new();
    for (scope, rules) in scopes {
        let (kind, namespace) = match scope {
            Scope::Cluster => ("ClusterRole", String::new()),
            Scope::Namespace(namespace) => ("Role", format!(", namespace: {}", quoted(namespace))),
        };
        let metadata = format!("metadata: {{name: {}{namespace}}}\n", quoted(name));
        let head = |kind: &str| {
            format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n{metadata}")
        };
        let mut role = format!("{}rules:\n", head(kind));
        for rule in rules {
            role.push_str(&rule_line(rule));
        }
        documents.push(role);
        if !subjects.is_empty() {
            let mut binding = head(&format!("{kind}Binding"));
            let _ = writeln!(
                binding,
                "roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {}}}\nsubjects:",
                quoted(name)
            );
            for subject in subjects {
                let _ = writeln!(binding, "  - {}", subject_text(subject));
            }
            documents.push(binding);
        }
    }
    documents.join("---\n")
}

fn rule_line(rule: &RbacRule) -> String {
    let names = if rule.names.is_empty() {
        String::new()
    } else {
        format!(", resourceNames: {}", list(&rule.names))
    };
    format!(
        "  - {{apiGroups: [{}], resources: {}, verbs: {}{names}}}\n",
        quoted(&rule.group),
        list(&rule.resources),
        list(&rule.verbs)
    )
}

fn subject_text(subject: &Subject) -> String {
    let (kind, name) = match subject {
        Subject::User(name) => ("User", name),
        Subject::Group(name) => ("Group", name),
    };
    let account = name
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    match (subject, account) {
        (Subject::User(_), Some((namespace, name))) => format!(
            "{{kind: ServiceAccount, name: {}, namespace: {}}}",
            quoted(name),
            quoted(namespace)
        ),
        _ => format!(
            "{{kind: {kind}, apiGroup: rbac.authorization.k8s.io, name: {}}}",
            quoted(name)
        ),
    }
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// A double-quoted YAML scalar, in ASCII.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(char);
            }
            ' '..='~' => quoted.push(char),
            other => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(other));
            }
        }
    }
    quoted.push('"');
    quoted
}
