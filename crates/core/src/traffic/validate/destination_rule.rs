//! Rules of a DestinationRule as a whole.

use serde_json::Value;

use super::super::view::text;
use super::common::{export_to, host, labels};
use super::report::{At, Report};
use super::traffic_policy;
use super::virtual_service::subset_name;

pub(super) fn check(report: &mut Report, spec: &At<'_>, metadata: &Value) {
    let namespace = text(metadata, "namespace").unwrap_or_default();
    report.known(
        spec,
        &[
            "exportTo",
            "host",
            "subsets",
            "trafficPolicy",
            "workloadSelector",
        ],
    );
    match report.text(spec, "host") {
        Some((at, text)) => host(report, &at, text),
        None if spec.has("host") => {}
        None => report.error(spec, "host-empty", "a DestinationRule needs a host"),
    }
    traffic_policy::check(report, spec);
    let mut names: Vec<&str> = Vec::new();
    for subset in report.objects(spec, "subsets") {
        report.known(&subset, &["labels", "name", "trafficPolicy"]);
        match report.text(&subset, "name") {
            Some((at, name)) => {
                subset_name(report, &at, name);
                if names.contains(&name) {
                    let message =
                        format!("the subset {name} is defined twice; only the first counts");
                    report.error(&at, "subset-duplicate", message);
                }
                names.push(name);
            }
            None if subset.has("name") => {}
            None => report.error(&subset, "subset-name-invalid", "the subset has no name"),
        }
        labels(report, &subset, "labels");
        traffic_policy::check(report, &subset);
    }
    export_to(report, spec, namespace);
    check_selector(report, spec, namespace);
    check_authorities(report, spec);
}

/// TLS without a certificate authority is encrypted but does not check who answers. A `credentialName` is only known to
/// sidecars that a `workloadSelector` picks.
fn check_authorities(report: &mut Report, spec: &At<'_>) {
    let Some(policy) = spec.get("trafficPolicy") else {
        return;
    };
    let mut owners = report.objects(&policy, "portLevelSettings");
    owners.push(policy);
    for tls in owners.iter().filter_map(|owner| owner.get("tls")) {
        let field = |key: &str| tls.get(key).and_then(|at| at.text()).unwrap_or_default();
        let by_credential = !field("credentialName").is_empty() && spec.has("workloadSelector");
        let skipped = tls
            .get("insecureSkipVerify")
            .is_some_and(|at| at.value == &Value::Bool(true));
        if matches!(field("mode"), "SIMPLE" | "MUTUAL")
            && field("caCertificates").is_empty()
            && !by_credential
            && !skipped
        {
            let message =
                "without caCertificates a sidecar does not verify the server's certificate";
            report.warn(&tls, "tls-without-ca", message);
        }
    }
}

/// A rule for some workloads only stays in its namespace.
fn check_selector(report: &mut Report, spec: &At<'_>, namespace: &str) {
    let Some(selector) = report.object(spec, "workloadSelector") else {
        return;
    };
    report.known(&selector, &["matchLabels"]);
    labels(report, &selector, "matchLabels");
    let exported = report.texts(spec, "exportTo");
    if exported.len() > 1 {
        let message = "a rule with a workloadSelector cannot name several namespaces";
        report.error(&spec.absent("exportTo"), "export-to-conflict", message);
    }
    for (at, name) in exported {
        if name != "." && (name != namespace || namespace.is_empty()) {
            let message = "a rule with a workloadSelector cannot be exported beyond its namespace";
            report.error(&at, "export-to-conflict", message);
        }
    }
}
