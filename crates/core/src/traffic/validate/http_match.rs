//! Rules of one match of an `http` entry of a VirtualService.

use super::common::{is_label, labels};
use super::regex;
use super::report::{At, Report};
use super::virtual_service::Whole;

pub(super) fn check(report: &mut Report, at: &At<'_>, whole: &Whole<'_>) {
    report.known(
        at,
        &[
            "authority",
            "gateways",
            "headers",
            "ignoreUriCase",
            "method",
            "name",
            "port",
            "queryParams",
            "scheme",
            "sourceLabels",
            "sourceNamespace",
            "statPrefix",
            "uri",
            "withoutHeaders",
        ],
    );
    for key in ["uri", "authority", "method", "scheme"] {
        if let Some(found) = report.object(at, key) {
            // An empty prefix of a path is every path, and allowed.
            string_match(report, &found, key == "uri");
        }
    }
    for key in ["headers", "withoutHeaders", "queryParams"] {
        let Some(map) = report.object(at, key) else {
            continue;
        };
        for (name, found) in map.entries() {
            if name.is_empty() {
                report.error(
                    &found,
                    "header-name-empty",
                    format!("a name in {key} is empty"),
                );
            }
            jwt_claim(report, &found, name, whole);
            if found.value.is_object() {
                string_match(report, &found, false);
            } else if !found.value.is_null() {
                report.error(
                    &found,
                    "wrong-type",
                    format!("{name} must be a map with exact, prefix or regex"),
                );
            }
        }
    }
    labels(report, at, "sourceLabels");
    report.bounded(at, "port", 0, 65_535, "port-range");
    if let Some((found, namespace)) = report.text(at, "sourceNamespace")
        && !namespace.is_empty()
        && !is_label(namespace)
    {
        report.error(
            &found,
            "namespace-invalid",
            format!("{namespace:?} is no namespace"),
        );
    }
}

/// Claims of a token are only known to gateways.
fn jwt_claim(report: &mut Report, at: &At<'_>, name: &str, whole: &Whole<'_>) {
    if name.starts_with("@request.auth.claims") && !whole.on_gateways && !whole.delegate {
        let message = format!(
            "routing by claims of a token works on gateways only, and this object is on [{}]",
            whole.gateways.join(", ")
        );
        report.error(at, "claim-without-gateway", message);
    }
}

/// `exact`, `prefix` or `regex`, one of them at most.
pub(super) fn string_match(report: &mut Report, at: &At<'_>, empty_prefix: bool) {
    report.known(at, &["exact", "prefix", "regex"]);
    let kinds = at.which(&["exact", "prefix", "regex"]);
    if kinds.len() > 1 {
        report.error(
            at,
            "match-conflict",
            format!("only one of {} may be given", kinds.join(", ")),
        );
    }
    let _exact = report.text(at, "exact");
    if let Some((found, prefix)) = report.text(at, "prefix")
        && prefix.is_empty()
        && !empty_prefix
    {
        report.error(
            &found,
            "match-empty",
            "the prefix is empty; leave the field out to test presence",
        );
    }
    if let Some((found, expression)) = report.text(at, "regex") {
        regular_expression(report, &found, expression);
    }
}

pub(super) fn regular_expression(report: &mut Report, at: &At<'_>, expression: &str) {
    if expression.is_empty() {
        report.error(at, "match-empty", "the regular expression is empty");
    } else if expression.len() > regex::MAX_LENGTH {
        let message = format!(
            "the regular expression is longer than {} characters",
            regex::MAX_LENGTH
        );
        report.error(at, "regex-invalid", message);
    } else if expression == "*" {
        // Not RE2, but Istio takes it for "any value".
    } else if let Some(fault) = regex::fault(expression) {
        report.error(
            at,
            "regex-invalid",
            format!("the regular expression is invalid: {fault}"),
        );
    }
}
