//! Rules of headers in one `http` entry: CORS, operations on headers, and the authority.

use super::common::duration;
use super::http_match::string_match;
use super::report::{At, Report};

const METHODS: [&str; 10] = [
    "*", "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

pub(super) fn cors(report: &mut Report, entry: &At<'_>) {
    let Some(cors) = report.object(entry, "corsPolicy") else {
        return;
    };
    report.known(
        &cors,
        &[
            "allowCredentials",
            "allowHeaders",
            "allowMethods",
            "allowOrigin",
            "allowOrigins",
            "exposeHeaders",
            "maxAge",
            "unmatchedPreflights",
        ],
    );
    for origin in report.objects(&cors, "allowOrigins") {
        string_match(report, &origin, true);
        let kinds = ["exact", "prefix", "regex"];
        if !kinds
            .iter()
            .any(|k| origin.get(k).is_some_and(|v| v.text() != Some("")))
        {
            report.error(
                &origin,
                "match-empty",
                "an origin needs a value for exact, prefix or regex",
            );
        }
    }
    for (found, method) in report.texts(&cors, "allowMethods") {
        if !METHODS.contains(&method) {
            report.error(
                &found,
                "method-invalid",
                format!("{method:?} is no HTTP method"),
            );
        }
    }
    for key in ["allowHeaders", "exposeHeaders"] {
        for (found, name) in report.texts(&cors, key) {
            header_name(report, &found, name);
        }
    }
    if let Some(ms) = duration(report, &cors, "maxAge", true)
        && ms % 1000.0 > 0.0
    {
        report.error(
            &cors.absent("maxAge"),
            "duration-too-fine",
            "maxAge must be whole seconds",
        );
    }
    if cors.has("allowOrigin") {
        let message = "allowOrigin is deprecated; use allowOrigins";
        report.warn(&cors.absent("allowOrigin"), "deprecated", message);
    }
}

fn header_name(report: &mut Report, at: &At<'_>, name: &str) {
    if name.is_empty() {
        report.error(at, "header-name-empty", "the name of the header is empty");
    }
}

/// Operations on headers of requests and responses.
pub(super) fn headers(report: &mut Report, at: &At<'_>) {
    let Some(headers) = report.object(at, "headers") else {
        return;
    };
    report.known(&headers, &["request", "response"]);
    for side in ["request", "response"] {
        let Some(operations) = report.object(&headers, side) else {
            continue;
        };
        report.known(&operations, &["add", "remove", "set"]);
        for key in ["add", "set"] {
            let Some(map) = report.object(&operations, key) else {
                continue;
            };
            for (name, found) in map.entries() {
                header_name(report, &found, name);
                match found.text() {
                    None => report.error(&found, "wrong-type", "a header value must be a text"),
                    Some(text) if unterminated_variable(text) => {
                        let message =
                            format!("{text:?} has an open %; write %% for a percent sign");
                        report.error(&found, "header-value-invalid", message);
                    }
                    Some(_) => {}
                }
            }
        }
        for (found, name) in report.texts(&operations, "remove") {
            header_name(report, &found, name);
        }
    }
}

/// Envoy reads `%NAME%` as a variable and `%%` as a percent sign.
fn unterminated_variable(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        rest = match after.strip_prefix('%') {
            Some(literal) => literal,
            None => match after.split_once('%') {
                Some((_, behind)) => behind,
                None => return true,
            },
        };
    }
    false
}

/// The authority can be set once: by the rewrite, or by a header operation of the entry.
pub(super) fn authority(report: &mut Report, entry: &At<'_>, routes: &[At<'_>]) {
    let rewritten = entry.get("rewrite").is_some_and(|r| r.has("authority"));
    for owner in [entry].into_iter().chain(routes) {
        let set = owner
            .value
            .pointer("/headers/request/set")
            .and_then(|s| s.as_object());
        let names = set.into_iter().flatten().map(|(name, _)| name.as_str());
        let setters = names
            .filter(|n| n.eq_ignore_ascii_case(":authority") || n.eq_ignore_ascii_case("host"));
        if setters.count() + usize::from(rewritten) > 1 {
            let message = "the authority is set more than once, by the rewrite or by headers";
            report.error(&owner.absent("headers"), "authority-set-twice", message);
        }
    }
}
