//! What we may do: asked of the server before it refuses, and what is missing as RBAC to paste.
//!
//! Owns the one table of what the product asks of a cluster (`needs`), which docs/rbac ships as roles. A right is asked
//! for all namespaces first (`SelfSubjectAccessReview`); where that is denied, namespace by namespace
//! (`SelfSubjectRulesReview`, and an access review for what incomplete rules do not settle). Rights in some namespaces only
//! are normal. Decides nothing: who is denied a right and what works without it is for others to say.
//!
//! Source: Kubernetes API reference, authorization.k8s.io/v1; RBAC's rule matching
//! (`k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go`).

mod needs;
mod rules;
mod yaml;

use futures::stream::{self, StreamExt};
use pilothouse_core::model::SourceError;
use serde_json::{Value, json};

pub use needs::AccessRule;
pub use yaml::{NamespacedRule, RbacRule, Subject, rbac_yaml};

use crate::source::KubeSource;
use crate::who::question;
use needs::needs;
use rules::WireRules;

/// Reviews in flight at once.
const AT_ONCE: usize = 8;

/// Where a right holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All namespaces, or a resource that has none.
    Cluster,
    /// One namespace.
    Namespace(String),
}

/// What the server says of a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is there.
    Allowed,
    /// It is not.
    Denied,
    /// The server did not say, and why. Not the same as denied.
    Unknown(String),
}

/// A right and its verdict in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// What.
    pub rule: AccessRule,
    /// Where.
    pub scope: Scope,
    /// Whether.
    pub verdict: Verdict,
}

/// All that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rights {
    /// By rule, the whole cluster before the namespaces. A rule that is allowed in the whole cluster has no others.
    pub rights: Vec<Right>,
}

impl KubeSource {
    /// Asks for every right that the product uses, in the whole cluster and, where it is not allowed there, in these
    /// namespaces (the kubeconfig's default, those chosen, those that can be listed). Never fails: what could not be asked
    /// is unknown, with the reason.
    pub async fn rights(&self, namespaces: &[String]) -> Rights {
        let rules = needs();
        // Collected first: a stream of closures over borrowed rules could not be sent to another thread.
        let reviews: Vec<_> = rules
            .iter()
            .map(|rule| self.access(rule, Scope::Cluster))
            .collect();
        let cluster = stream::iter(reviews)
            .buffered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        let open: Vec<&AccessRule> = cluster
            .iter()
            .filter(|right| right.verdict != Verdict::Allowed && right.rule.is_namespaced)
            .map(|right| &right.rule)
            .collect();
        let mut names: Vec<&String> = namespaces.iter().filter(|name| !name.is_empty()).collect();
        names.sort();
        names.dedup();
        let in_namespaces = if open.is_empty() {
            Vec::new()
        } else {
            let reviews: Vec<_> = names
                .into_iter()
                .map(|namespace| self.rights_in(namespace, &open))
                .collect();
            stream::iter(reviews)
                .buffered(AT_ONCE)
                .collect::<Vec<_>>()
                .await
        };
        let mut rights = cluster;
        rights.extend(in_namespaces.into_iter().flatten());
        rights.sort_by(|a, b| (&a.rule, &a.scope).cmp(&(&b.rule, &b.scope)));
        Rights { rights }
    }

    async fn rights_in(&self, namespace: &str, open: &[&AccessRule]) -> Vec<Right> {
        let rules = self.rules(namespace).await;
        let mut rights = Vec::new();
        for &rule in open {
            let scope = Scope::Namespace(namespace.to_owned());
            let settled = rules.as_ref().ok().and_then(|rules| rules.verdict(rule));
            rights.push(match settled {
                Some(verdict) => Right {
                    rule: rule.clone(),
                    scope,
                    verdict,
                },
                None => self.access(rule, scope).await,
            });
        }
        rights
    }

    async fn rules(&self, namespace: &str) -> Result<WireRules, SourceError> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let doing = question("ask for the rules in a namespace");
        let answer = self.review(path, &review).await;
        let mut answer = answer.map_err(|error| error.of_read(&doing))?;
        let status = answer.get_mut("status").map(Value::take);
        serde_json::from_value(status.unwrap_or_default())
            .map_err(|error| crate::who::unreadable(&error, &doing))
    }

    async fn access(&self, rule: &AccessRule, scope: Scope) -> Right {
        let namespace = match &scope {
            Scope::Cluster => "",
            Scope::Namespace(namespace) => namespace,
        };
        let (resource, subresource) = rule
            .resource
            .split_once('/')
            .unwrap_or((&rule.resource, ""));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": rule.verb, "group": rule.group, "resource": resource, "subresource": subresource,
                "namespace": namespace, "name": rule.name,
            }},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let verdict = match self.review(path, &review).await {
            Err(error) => Verdict::Unknown(error.of_read(&question("ask for a right")).message),
            Ok(answer) => access_verdict(&answer),
        };
        Right {
            rule: rule.clone(),
            scope,
            verdict,
        }
    }
}

/// An authorizer that failed says `allowed: false` with an `evaluationError`: that is no denial.
fn access_verdict(answer: &Value) -> Verdict {
    let text = |pointer: &str| {
        answer
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let flag = |pointer: &str| answer.pointer(pointer).and_then(Value::as_bool);
    match flag("/status/allowed") {
        Some(true) => Verdict::Allowed,
        Some(false)
            if flag("/status/denied") != Some(true)
                && !text("/status/evaluationError").is_empty() =>
        {
            Verdict::Unknown(text("/status/evaluationError").to_owned())
        }
        Some(false) => Verdict::Denied,
        None => Verdict::Unknown("the review has no verdict".to_owned()),
    }
}

impl Rights {
    /// The verdict on a verb on a resource (`services/proxy`) in a namespace, or in all for an empty one. `None` if it was
    /// not asked. A resource of which only some names are read is allowed if all of them are.
    #[must_use]
    pub fn verdict(
        &self,
        verb: &str,
        group: &str,
        resource: &str,
        namespace: &str,
    ) -> Option<Verdict> {
        let asked = self.rights.iter().filter(|right| {
            right.rule.verb == verb && right.rule.group == group && right.rule.resource == resource
        });
        let here = |scope: &Scope| {
            *scope == Scope::Cluster || matches!(scope, Scope::Namespace(name) if name == namespace)
        };
        let mut rules: Vec<&Right> = asked.filter(|right| here(&right.scope)).collect();
        rules.sort_by(|a, b| (&a.rule, &b.scope).cmp(&(&b.rule, &a.scope)));
        rules.dedup_by(|a, b| a.rule == b.rule);
        let first_gap = rules.iter().find(|right| right.verdict != Verdict::Allowed);
        let any = rules.first()?;
        Some(first_gap.unwrap_or(any).verdict.clone())
    }

    /// The namespaces among those asked where a verb on a resource is allowed; `None` if it is allowed in all of the
    /// cluster.
    #[must_use]
    pub fn namespaces(&self, verb: &str, group: &str, resource: &str) -> Option<Vec<String>> {
        if self.verdict(verb, group, resource, "") == Some(Verdict::Allowed) {
            return None;
        }
        let mut names: Vec<String> = self
            .rights
            .iter()
            .filter_map(|right| match &right.scope {
                Scope::Namespace(name) => Some(name.clone()),
                Scope::Cluster => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names.retain(|name| self.verdict(verb, group, resource, name) == Some(Verdict::Allowed));
        Some(names)
    }

    /// The rules that are denied: in the namespaces that were asked, or in the cluster where none was or the resource has
    /// none. Unknown ones are not among them.
    #[must_use]
    pub fn missing_rules(&self) -> Vec<NamespacedRule> {
        let asked_in_namespaces = |rule: &AccessRule| {
            self.rights
                .iter()
                .any(|right| right.rule == *rule && right.scope != Scope::Cluster)
        };
        let missing = self.rights.iter().filter(|right| {
            right.verdict == Verdict::Denied
                && (right.scope != Scope::Cluster || !asked_in_namespaces(&right.rule))
        });
        yaml::merged(missing.map(|right| (&right.scope, &right.rule)))
    }
}

#[cfg(test)]
mod tests;
