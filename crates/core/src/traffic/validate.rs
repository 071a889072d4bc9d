//! Validation without a cluster: what an API server with Istio's webhook would refuse, and what it accepts but should not be.
//!
//! Errors are what admission refuses (schema or webhook) or what certainly fails requests; warnings are what passes and
//! surprises later. A kind without rules here says so (`not-implemented`): silence always means "checked". Sources: Istio's
//! `pkg/config/validation` and the Gateway API CRD with its CEL rules, both read, neither copied.
//!
//! One file per kind; [`report`] collects findings and types, [`common`] holds what kinds share.

use serde_json::Value;

use crate::model::{Finding, Severity};

mod authorization;
mod common;
mod cross;
mod destination_rule;
mod http_entry;
mod http_headers;
mod http_match;
mod http_policy;
mod http_route;
mod http_route_filter;
mod load_balancer;
mod peer_authentication;
mod regex;
mod report;
mod traffic_policy;
mod virtual_service;

use report::{At, Report};

/// Findings about a set of documents, in their order; empty if all is well. Objects are checked one by one, and against
/// each other where the set contains the kinds that they refer to.
///
/// ```
/// use pilothouse_core::traffic::validate_documents;
/// let rule = serde_json::json!({
///     "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
///     "metadata": {"name": "reviews"}, "spec": {"host": "reviews", "subsets": [{"name": "v1"}, {"name": "v1"}]},
/// });
/// let findings = validate_documents(&[rule]);
/// assert_eq!(findings[0].code, "subset-duplicate");
/// assert_eq!(findings[0].path, "/spec/subsets/1/name");
/// ```
#[must_use]
pub fn validate_documents(docs: &[Value]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = docs.iter().flat_map(validate_one).collect();
    findings.extend(cross::check(docs));
    findings
}

fn validate_one(doc: &Value) -> Vec<Finding> {
    let kind = doc.get("kind").and_then(Value::as_str).unwrap_or_default();
    let metadata = |key: &str| {
        let value = doc.get("metadata").and_then(|m| m.get(key));
        value.and_then(Value::as_str).unwrap_or_default()
    };
    let mut report = Report::about(kind, metadata("namespace"), metadata("name"));
    let root = At::root(doc);
    if kind.is_empty() || !doc.is_object() {
        report.error(
            &root,
            "not-an-object",
            "this is not a Kubernetes object: it has no kind",
        );
        return report.into_findings();
    }
    if metadata("name").is_empty() && metadata("generateName").is_empty() {
        report.error(&root, "name-missing", "metadata.name is missing");
    }
    let api_version = doc.get("apiVersion").and_then(Value::as_str);
    let group = api_version.unwrap_or_default().split('/').next();
    let Some(check) = rules_of(group.unwrap_or_default(), kind) else {
        let message = format!(
            "there are no local rules for {} {kind}; only the API server can check it",
            api_version.unwrap_or("(no apiVersion)")
        );
        let finding = Finding::new(Severity::Info, "not-implemented", report.subject(), message);
        return report
            .into_findings()
            .into_iter()
            .chain([finding])
            .collect();
    };
    if !api_version.is_some_and(|version| version.contains('/')) {
        report.error(
            &root,
            "api-version-missing",
            "apiVersion is missing or has no version",
        );
    }
    // The security kinds are valid without a spec; the others fail on what it lacks.
    let spec = report
        .object(&root, "spec")
        .unwrap_or_else(|| root.absent("spec"));
    let metadata = doc.get("metadata").unwrap_or(&Value::Null);
    check(&mut report, &spec, metadata);
    report.into_findings()
}

/// Looks at `spec`; the metadata tells the namespace and annotations.
type Check = fn(&mut Report, &At<'_>, &Value);

/// The rules of a kind. A manifest without an apiVersion is judged by its kind, besides being told so.
fn rules_of(group: &str, kind: &str) -> Option<Check> {
    match (group, kind) {
        ("networking.istio.io" | "", "VirtualService") => Some(virtual_service::check),
        ("networking.istio.io" | "", "DestinationRule") => Some(destination_rule::check),
        ("gateway.networking.k8s.io" | "", "HTTPRoute") => Some(http_route::check),
        ("security.istio.io" | "", "AuthorizationPolicy") => Some(authorization::check),
        ("security.istio.io" | "", "PeerAuthentication") => Some(peer_authentication::check),
        _ => None,
    }
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]
mod tests;
