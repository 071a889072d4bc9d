//! Rules of an HTTPRoute: the CRD's schema and its CEL rules, and duplicates that the Gateway API forbids in words.

use serde_json::Value;

use super::super::route_api::RouteApi;
use super::common::{is_label, is_lower_domain, one_of};
use super::http_match::regular_expression;
use super::http_route_filter as filter;
use super::report::{At, Report};

/// What is judged here.
const API: RouteApi = RouteApi::HttpRoute;

pub(super) fn check(report: &mut Report, spec: &At<'_>, _metadata: &Value) {
    report.known(
        spec,
        &["hostnames", "parentRefs", "rules", "useDefaultGateways"],
    );
    count(report, spec, "hostnames", 16);
    for (at, name) in report.texts(spec, "hostnames") {
        let bare = name.strip_prefix("*.").unwrap_or(name);
        if !is_lower_domain(bare) {
            report.error(
                &at,
                "host-invalid",
                format!("{name:?} is no valid host name (lower case, no port)"),
            );
        }
    }
    check_parents(report, spec);
    count(report, spec, "rules", 16);
    let rules = report.objects(spec, "rules");
    if spec.has("rules") && rules.is_empty() {
        report.error(
            &spec.absent("rules"),
            "route-missing",
            "rules needs at least one rule",
        );
    }
    for rule in &rules {
        check_rule(report, rule);
    }
}

fn count(report: &mut Report, at: &At<'_>, key: &str, most: usize) {
    let found = at.get(key).and_then(|at| at.value.as_array().map(Vec::len));
    if found.is_some_and(|n| n > most) {
        report.error(
            &at.absent(key),
            "too-many",
            format!("{key} has more than {most} entries"),
        );
    }
}

fn check_parents(report: &mut Report, spec: &At<'_>) {
    count(report, spec, "parentRefs", 32);
    let mut seen: Vec<[String; 6]> = Vec::new();
    for parent in report.objects(spec, "parentRefs") {
        report.known(
            &parent,
            &["group", "kind", "name", "namespace", "port", "sectionName"],
        );
        reference(report, &parent);
        let field = |key: &str| {
            parent
                .get(key)
                .map(|at| at.value.to_string())
                .unwrap_or_default()
        };
        let key = ["group", "kind", "namespace", "name", "sectionName", "port"].map(field);
        if seen.contains(&key) {
            let message = "this parent is named twice; tell the two apart by sectionName or port";
            report.error(&parent, "parent-duplicate", message);
        }
        seen.push(key);
    }
}

/// Group, kind, name, namespace and port of a reference.
pub(super) fn reference(report: &mut Report, at: &At<'_>) {
    if let Some((found, group)) = report.text(at, "group")
        && !group.is_empty()
        && !is_lower_domain(group)
    {
        report.error(
            &found,
            "reference-invalid",
            format!("{group:?} is no API group"),
        );
    }
    if let Some((found, kind)) = report.text(at, "kind")
        && !(is_label(kind) && kind.starts_with(|c: char| c.is_ascii_alphabetic()))
    {
        report.error(&found, "reference-invalid", format!("{kind:?} is no kind"));
    }
    match report.text(at, "name") {
        Some((_, name)) if !name.is_empty() && name.len() <= 253 => {}
        Some((found, _)) => {
            report.error(&found, "reference-invalid", "the name is empty or too long");
        }
        None if at.has("name") => {}
        None => report.error(at, "reference-invalid", "the reference has no name"),
    }
    if let Some((found, namespace)) = report.text(at, "namespace")
        && !(is_label(namespace) && is_lower_domain(namespace))
    {
        report.error(
            &found,
            "namespace-invalid",
            format!("{namespace:?} is no namespace"),
        );
    }
    report.bounded(at, "port", 1, 65_535, "port-range");
}

/// A reference to something that takes requests; a Service needs a port.
pub(super) fn backend(report: &mut Report, at: &At<'_>) {
    reference(report, at);
    let field = |key: &str| at.get(key).and_then(|at| at.text());
    let is_service =
        field("group").is_none_or(str::is_empty) && field("kind").is_none_or(|k| k == "Service");
    if is_service && !at.has("port") {
        report.error(at, "port-missing", "a reference to a Service needs a port");
    }
}

fn check_rule(report: &mut Report, rule: &At<'_>) {
    report.known(
        rule,
        &[
            "backendRefs",
            "filters",
            "matches",
            "name",
            "retry",
            "sessionPersistence",
            "timeouts",
        ],
    );
    count(report, rule, "matches", 64);
    let matches = report.objects(rule, "matches");
    for found in &matches {
        check_match(report, found);
    }
    let redirects = filter::check_all(report, rule, &matches);
    count(report, rule, "backendRefs", 16);
    let backends = report.objects(rule, "backendRefs");
    for found in &backends {
        report.known(
            found,
            &[
                "filters",
                "group",
                "kind",
                "name",
                "namespace",
                "port",
                "weight",
            ],
        );
        backend(report, found);
        report.bounded(found, "weight", 0, API.max_weight(), "weight-range");
        filter::check_all(report, found, &matches);
    }
    if redirects && !backends.is_empty() {
        let message = "a rule that redirects must not have backendRefs";
        report.error(&rule.absent("backendRefs"), "action-conflict", message);
    }
    let ratios = API.effective_ratios(&API.weights(rule.value));
    if !backends.is_empty() && ratios.iter().all(Option::is_none) {
        let message = "all weights are zero: every request of this rule is answered with 500";
        report.warn(&rule.absent("backendRefs"), "weights-all-zero", message);
    }
    if backends.is_empty() && !redirects {
        let message = "without backendRefs every request of this rule is answered with 500";
        report.warn(rule, "route-missing", message);
    }
    check_timeouts(report, rule);
}

fn check_match(report: &mut Report, at: &At<'_>) {
    report.known(at, &["headers", "method", "path", "queryParams"]);
    one_of(
        report,
        at,
        "method",
        &[
            "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
        ],
    );
    if let Some(path) = report.object(at, "path") {
        check_path(report, &path);
    }
    for (key, most, longest) in [("headers", 16, 4096), ("queryParams", 16, 1024)] {
        count(report, at, key, most);
        let mut seen: Vec<String> = Vec::new();
        for found in report.objects(at, key) {
            report.known(&found, &["name", "type", "value"]);
            one_of(report, &found, "type", &["Exact", "RegularExpression"]);
            let name = header_name(report, &found);
            // Names of headers are the same in any case; those of parameters are not.
            let name = if key == "headers" {
                name.to_ascii_lowercase()
            } else {
                name
            };
            if !name.is_empty() && seen.contains(&name) {
                let message = format!("{name} is matched twice; only the first counts");
                report.error(&found, "match-duplicate", message);
            }
            seen.push(name);
            match report.text(&found, "value") {
                Some((_, value)) if (1..=longest).contains(&value.len()) => {
                    if found.get("type").and_then(|t| t.text()) == Some("RegularExpression") {
                        regular_expression(report, &found.absent("value"), value);
                    }
                }
                Some((at, _)) => report.error(&at, "match-empty", "the value is empty or too long"),
                None if found.has("value") => {}
                None => report.error(&found, "match-empty", "a value is needed"),
            }
        }
    }
}

/// The checked `name` of an element: a token of RFC 9110.
pub(super) fn header_name(report: &mut Report, at: &At<'_>) -> String {
    let Some((found, name)) = report.text(at, "name") else {
        if !at.has("name") {
            report.error(at, "header-name-empty", "a name is needed");
        }
        return String::new();
    };
    if !is_token(name) {
        report.error(
            &found,
            "header-name-invalid",
            format!("{name:?} is no header name"),
        );
    }
    name.to_owned()
}

pub(super) fn is_token(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    (1..=256).contains(&name.len()) && name.chars().all(allowed)
}

fn check_path(report: &mut Report, path: &At<'_>) {
    report.known(path, &["type", "value"]);
    one_of(
        report,
        path,
        "type",
        &["Exact", "PathPrefix", "RegularExpression"],
    );
    let Some((at, value)) = report.text(path, "value") else {
        return;
    };
    if value.len() > 1024 {
        report.error(
            &at,
            "path-invalid",
            "the path is longer than 1024 characters",
        );
    }
    if path.get("type").and_then(|t| t.text()) == Some("RegularExpression") {
        regular_expression(report, &at, value);
        return;
    }
    if !value.starts_with('/') {
        report.error(&at, "path-invalid", format!("{value:?} must start with /"));
    }
    let forbidden = ["//", "/./", "/../", "%2f", "%2F", "#"]
        .into_iter()
        .find(|f| value.contains(f));
    let ending = ["/..", "/."].into_iter().find(|e| value.ends_with(e));
    if let Some(part) = forbidden.or(ending) {
        report.error(
            &at,
            "path-invalid",
            format!("{value:?} must not contain {part}"),
        );
    } else if !is_path(value) {
        report.error(
            &at,
            "path-invalid",
            format!("{value:?} has characters that no path may have"),
        );
    }
}

/// Characters of RFC 3986 paths, and percent escapes.
fn is_path(value: &str) -> bool {
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        let escape = c == '%';
        let fine = if escape {
            let two = [rest.next(), rest.next()];
            two.iter().all(|c| c.is_some_and(|c| c.is_ascii_hexdigit()))
        } else {
            c.is_ascii_alphanumeric() || "-/._~!$&'()*+,;=:@".contains(c)
        };
        if !fine {
            return false;
        }
    }
    true
}

fn check_timeouts(report: &mut Report, rule: &At<'_>) {
    let Some(timeouts) = report.object(rule, "timeouts") else {
        return;
    };
    report.known(&timeouts, &["backendRequest", "request"]);
    let request = gateway_duration(report, &timeouts, "request");
    let backend = gateway_duration(report, &timeouts, "backendRequest");
    if let (Some(request), Some(backend)) = (request, backend)
        && request > 0.0
        && backend > request
    {
        let message = "backendRequest must not be longer than request";
        report.error(&timeouts.absent("backendRequest"), "timeout-order", message);
    }
}

/// Up to four whole numbers of at most five digits with h, m, s or ms (GEP-2257).
fn gateway_duration(report: &mut Report, at: &At<'_>, key: &str) -> Option<f64> {
    let (found, text) = report.text(at, key)?;
    let units = text.matches(['h', 's']).count() + text.replace("ms", "").matches('m').count();
    let digits_fine = text
        .split(|c: char| !c.is_ascii_digit())
        .all(|digits| digits.len() <= 5);
    let ms = super::super::view::duration_ms(text)
        .filter(|_| digits_fine && (1..=4).contains(&units) && !text.contains(['.', '-']));
    if ms.is_none() {
        report.error(
            &found,
            "duration-invalid",
            format!("{text:?} is no duration; write for example 2s or 250ms"),
        );
    }
    ms
}
