//! Rules of the filters of an HTTPRoute's rule or backendRef.

use super::common::{is_lower_domain, one_of};
use super::http_route::{backend, header_name, is_token, reference};
use super::report::{At, Report};

/// Types and the field that each fills.
const TYPES: [(&str, &str); 7] = [
    ("CORS", "cors"),
    ("ExtensionRef", "extensionRef"),
    ("RequestHeaderModifier", "requestHeaderModifier"),
    ("RequestMirror", "requestMirror"),
    ("RequestRedirect", "requestRedirect"),
    ("ResponseHeaderModifier", "responseHeaderModifier"),
    ("URLRewrite", "urlRewrite"),
];

/// Types that may stand more than once.
const REPEATABLE: [&str; 2] = ["ExtensionRef", "RequestMirror"];

/// Checks the filters of `owner`; true if one of them redirects.
pub(super) fn check_all(report: &mut Report, owner: &At<'_>, matches: &[At<'_>]) -> bool {
    let filters = report.objects(owner, "filters");
    let mut seen: Vec<&str> = Vec::new();
    for filter in &filters {
        let types = TYPES.map(|(name, _)| name);
        let fields = TYPES.map(|(_, field)| field);
        report.known(filter, &[fields.as_slice(), &["type"]].concat());
        one_of(report, filter, "type", &types);
        let kind = filter
            .get("type")
            .and_then(|at| at.text())
            .unwrap_or_default();
        if kind.is_empty() {
            report.error(filter, "filter-invalid", "the filter has no type");
        }
        if seen.contains(&kind) && !REPEATABLE.contains(&kind) {
            report.error(
                filter,
                "filter-duplicate",
                format!("{kind} may stand only once"),
            );
        }
        seen.push(kind);
        for (name, field) in TYPES {
            if filter.has(field) && kind != name {
                let message = format!("{field} does not belong to a filter of type {kind}");
                report.error(&filter.absent(field), "filter-invalid", message);
            } else if !filter.has(field) && kind == name {
                report.error(
                    filter,
                    "filter-invalid",
                    format!("a filter of type {kind} needs {field}"),
                );
            }
        }
        check_fields(report, filter, matches);
    }
    let redirects = seen.contains(&"RequestRedirect");
    if redirects && seen.contains(&"URLRewrite") {
        let message = "only one of RequestRedirect and URLRewrite may be given";
        report.error(&owner.absent("filters"), "action-conflict", message);
    }
    redirects
}

fn check_fields(report: &mut Report, filter: &At<'_>, matches: &[At<'_>]) {
    for key in ["requestHeaderModifier", "responseHeaderModifier"] {
        if let Some(modifier) = report.object(filter, key) {
            check_modifier(report, &modifier);
        }
    }
    if let Some(mirror) = report.object(filter, "requestMirror") {
        check_mirror(report, &mirror);
    }
    if let Some(redirect) = report.object(filter, "requestRedirect") {
        report.known(
            &redirect,
            &["hostname", "path", "port", "scheme", "statusCode"],
        );
        one_of(report, &redirect, "scheme", &["http", "https"]);
        report.bounded(&redirect, "port", 1, 65_535, "port-range");
        if let Some((at, code)) = report.int(&redirect, "statusCode")
            && ![301, 302, 303, 307, 308].contains(&code)
        {
            report.error(
                &at,
                "status-range",
                format!("{code} is none of 301, 302, 303, 307 and 308"),
            );
        }
        check_target(report, &redirect, matches);
    }
    if let Some(rewrite) = report.object(filter, "urlRewrite") {
        report.known(&rewrite, &["hostname", "path"]);
        check_target(report, &rewrite, matches);
    }
    if let Some(extension) = report.object(filter, "extensionRef") {
        reference(report, &extension);
    }
}

fn check_modifier(report: &mut Report, modifier: &At<'_>) {
    report.known(modifier, &["add", "remove", "set"]);
    for key in ["add", "set"] {
        let mut seen: Vec<String> = Vec::new();
        for item in report.objects(modifier, key) {
            report.known(&item, &["name", "value"]);
            let name = header_name(report, &item).to_ascii_lowercase();
            repeated(report, &item, &mut seen, name);
            match report.text(&item, "value") {
                Some((_, value)) if (1..=4096).contains(&value.len()) => {}
                Some((at, _)) => report.error(
                    &at,
                    "header-value-invalid",
                    "the value is empty or too long",
                ),
                None => report.error(&item, "header-value-invalid", "a value is needed"),
            }
        }
    }
    let mut seen: Vec<String> = Vec::new();
    for (at, name) in report.texts(modifier, "remove") {
        if !is_token(name) {
            report.error(
                &at,
                "header-name-invalid",
                format!("{name:?} is no header name"),
            );
        }
        repeated(report, &at, &mut seen, name.to_ascii_lowercase());
    }
}

fn repeated(report: &mut Report, at: &At<'_>, seen: &mut Vec<String>, name: String) {
    if !name.is_empty() && seen.contains(&name) {
        report.error(
            at,
            "header-duplicate",
            format!("the header {name} stands twice"),
        );
    }
    seen.push(name);
}

fn check_mirror(report: &mut Report, mirror: &At<'_>) {
    report.known(mirror, &["backendRef", "fraction", "percent"]);
    match report.object(mirror, "backendRef") {
        Some(found) => backend(report, &found),
        None => report.error(mirror, "destination-missing", "a mirror needs a backendRef"),
    }
    report.bounded(mirror, "percent", 0, 100, "percent-range");
    if mirror.has("percent") && mirror.has("fraction") {
        report.error(
            mirror,
            "match-conflict",
            "only one of percent and fraction may be given",
        );
    }
    let Some(fraction) = report.object(mirror, "fraction") else {
        return;
    };
    report.known(&fraction, &["denominator", "numerator"]);
    let numerator = report.int(&fraction, "numerator").map(|(_, n)| n);
    let denominator = report.int(&fraction, "denominator").map_or(100, |(_, n)| n);
    if denominator < 1 || !numerator.is_some_and(|n| (0..=denominator).contains(&n)) {
        let message = "a fraction needs 0 <= numerator <= denominator and a denominator above 0";
        report.error(&fraction, "percent-range", message);
    }
}

/// Host name and path that a redirect or a rewrite leads to.
fn check_target(report: &mut Report, at: &At<'_>, matches: &[At<'_>]) {
    if let Some((found, name)) = report.text(at, "hostname")
        && !is_lower_domain(name)
    {
        report.error(
            &found,
            "host-invalid",
            format!("{name:?} is no exact host name"),
        );
    }
    let Some(path) = report.object(at, "path") else {
        return;
    };
    report.known(&path, &["replaceFullPath", "replacePrefixMatch", "type"]);
    one_of(
        report,
        &path,
        "type",
        &["ReplaceFullPath", "ReplacePrefixMatch"],
    );
    let kind = path
        .get("type")
        .and_then(|at| at.text())
        .unwrap_or_default();
    for (name, field) in [
        ("ReplaceFullPath", "replaceFullPath"),
        ("ReplacePrefixMatch", "replacePrefixMatch"),
    ] {
        if path.has(field) != (kind == name) {
            let message = format!("{field} and the type {name} belong together");
            report.error(&path, "filter-invalid", message);
        }
    }
    if kind == "ReplacePrefixMatch" {
        let by_prefix = |found: &At<'_>| {
            found.get("path").is_some_and(|path| {
                path.get("type")
                    .is_none_or(|kind| kind.text() == Some("PathPrefix"))
            })
        };
        if !matches!(matches, [only] if by_prefix(only)) {
            let message = "replacing the matched prefix needs exactly one match, by PathPrefix";
            report.error(&path, "prefix-rewrite-without-prefix", message);
        }
    }
}
