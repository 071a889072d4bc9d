//! Rules of the policies of one `http` entry: faults, retries, mirrors, rewrites, redirects, answers.

use super::common::{duration, fault_percentage};
use super::http_match::regular_expression;
use super::report::{At, Report};
use super::virtual_service::destination;

/// Highest status that the webhook takes, although its text says 599.
const MAX_STATUS: i64 = 600;

const GRPC_STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

pub(super) fn fault(report: &mut Report, entry: &At<'_>) {
    let Some(fault) = report.object(entry, "fault") else {
        return;
    };
    report.known(&fault, &["abort", "delay"]);
    if fault.which(&["abort", "delay"]).is_empty() {
        report.error(&fault, "fault-empty", "a fault needs an abort or a delay");
    }
    if let Some(abort) = report.object(&fault, "abort") {
        check_abort(report, &abort);
    }
    if let Some(delay) = report.object(&fault, "delay") {
        check_delay(report, &delay);
    }
}

fn check_abort(report: &mut Report, abort: &At<'_>) {
    report.known(
        abort,
        &["grpcStatus", "http2Error", "httpStatus", "percentage"],
    );
    fault_percentage(report, abort);
    report.bounded(abort, "httpStatus", 200, MAX_STATUS, "status-range");
    if let Some((found, status)) = report.text(abort, "grpcStatus")
        && !GRPC_STATUSES.contains(&status)
    {
        let message =
            format!("{status:?} is no gRPC status; write its name, for example UNAVAILABLE");
        report.error(&found, "grpc-status-invalid", message);
    }
    if abort.has("http2Error") {
        let message = "http2Error is not supported; use httpStatus or grpcStatus";
        report.error(&abort.absent("http2Error"), "fault-unsupported", message);
    }
    let statuses = abort.which(&["grpcStatus", "httpStatus"]);
    if statuses.len() > 1 {
        report.error(
            abort,
            "match-conflict",
            "only one of httpStatus and grpcStatus may be given",
        );
    } else if statuses.is_empty() {
        report.warn(
            abort,
            "fault-without-status",
            "without a status nothing is aborted",
        );
    }
    warn_percentage(report, abort, "aborted");
}

fn check_delay(report: &mut Report, delay: &At<'_>) {
    report.known(
        delay,
        &["exponentialDelay", "fixedDelay", "percent", "percentage"],
    );
    fault_percentage(report, delay);
    report.bounded(delay, "percent", 0, 100, "percent-range");
    duration(report, delay, "fixedDelay", false);
    if delay.has("exponentialDelay") {
        let message = "exponentialDelay is not supported; use fixedDelay";
        report.error(
            &delay.absent("exponentialDelay"),
            "fault-unsupported",
            message,
        );
    }
    if !delay.has("percent") {
        warn_percentage(report, delay, "delayed");
    }
}

/// The trap of faults: without a percentage they do nothing.
fn warn_percentage(report: &mut Report, at: &At<'_>, what: &str) {
    if !at.has("percentage") {
        let message = format!("without a percentage no request is {what}");
        report.warn(at, "fault-without-percentage", message);
    }
}

const RETRY_ON: [&str; 16] = [
    "5xx",
    "cancelled",
    "connect-failure",
    "deadline-exceeded",
    "envoy-ratelimited",
    "gateway-error",
    "http3-post-connect-failure",
    "internal",
    "refused-stream",
    "reset",
    "reset-before-request",
    "resource-exhausted",
    "retriable-4xx",
    "retriable-headers",
    "retriable-status-codes",
    "unavailable",
];

pub(super) fn retries(report: &mut Report, entry: &At<'_>) {
    let Some(retries) = report.object(entry, "retries") else {
        return;
    };
    let others = [
        "backoff",
        "perTryTimeout",
        "retryIgnorePreviousHosts",
        "retryOn",
        "retryRemoteLocalities",
    ];
    report.known(&retries, &[others.as_slice(), &["attempts"]].concat());
    let attempts = report.int(&retries, "attempts");
    if let Some((found, _)) = attempts.as_ref().filter(|(_, n)| *n < 0) {
        report.error(found, "attempts-negative", "attempts must not be negative");
    }
    let disabled = attempts.as_ref().is_none_or(|(_, n)| *n == 0);
    if let Some(other) = retries.which(&others[..]).first().filter(|_| disabled) {
        let message = format!("attempts is 0, which turns retries off, but {other} is given");
        report.error(
            &retries.absent(other),
            "retries-off-but-configured",
            message,
        );
    }
    duration(report, &retries, "perTryTimeout", false);
    duration(report, &retries, "backoff", false);
    if let Some((found, policies)) = report.text(&retries, "retryOn") {
        for policy in policies.split(',').filter(|_| !policies.is_empty()) {
            let status = policy
                .parse::<u16>()
                .is_ok_and(|code| (100..600).contains(&code));
            if !status && !RETRY_ON.contains(&policy) {
                let message = format!(
                    "{policy:?} is no retry condition; write known names or HTTP statuses, without spaces"
                );
                report.error(&found, "retry-on-invalid", message);
            }
        }
    }
}

pub(super) fn mirrors(report: &mut Report, entry: &At<'_>) {
    if entry.has("mirror") && entry.has("mirrors") {
        let message = "an entry cannot have both mirror and mirrors";
        report.error(&entry.absent("mirrors"), "action-conflict", message);
    }
    if let Some(mirror) = report.object(entry, "mirror") {
        destination(report, &mirror);
    }
    for mirror in report.objects(entry, "mirrors") {
        report.known(&mirror, &["destination", "percentage"]);
        match report.object(&mirror, "destination") {
            Some(found) => destination(report, &found),
            None => report.error(
                &mirror,
                "destination-missing",
                "a mirror needs a destination",
            ),
        }
        mirror_percentage(report, &mirror, "percentage");
    }
    mirror_percentage(report, entry, "mirrorPercentage");
    for key in ["mirrorPercent", "mirror_percent"] {
        report.bounded(entry, key, 0, 100, "percent-range");
        if entry.has(key) {
            let message = "this field is deprecated; use mirrorPercentage instead";
            report.warn(&entry.absent(key), "deprecated", message);
        }
    }
}

fn mirror_percentage(report: &mut Report, at: &At<'_>, key: &str) {
    let Some(percentage) = report.object(at, key) else {
        return;
    };
    report.known(&percentage, &["value"]);
    if let Some((found, value)) = report.number(&percentage, "value")
        && !(0.0..=100.0).contains(&value)
    {
        report.error(
            &found,
            "percent-range",
            format!("{value} % is not within 0..=100"),
        );
    }
}

pub(super) fn rewrite(report: &mut Report, entry: &At<'_>) {
    let Some(rewrite) = report.object(entry, "rewrite") else {
        return;
    };
    report.known(&rewrite, &["authority", "uri", "uriRegexRewrite"]);
    if rewrite.has("uri") && rewrite.has("uriRegexRewrite") {
        report.error(
            &rewrite,
            "match-conflict",
            "only one of uri and uriRegexRewrite may be given",
        );
    }
    let filled = |key: &str| rewrite.get(key).is_some_and(|v| v.text() != Some(""));
    if !["uri", "uriRegexRewrite", "authority"]
        .into_iter()
        .any(filled)
    {
        report.error(
            &rewrite,
            "rewrite-empty",
            "a rewrite needs a uri, a uriRegexRewrite or an authority",
        );
    }
    if let Some(by_regex) = report.object(&rewrite, "uriRegexRewrite") {
        report.known(&by_regex, &["match", "rewrite"]);
        if let Some((found, expression)) = report.text(&by_regex, "match") {
            regular_expression(report, &found, expression);
        }
    }
}

pub(super) fn redirect(report: &mut Report, entry: &At<'_>, matches: &[At<'_>]) {
    let Some(redirect) = report.object(entry, "redirect") else {
        return;
    };
    let targets = [
        "authority",
        "derivePort",
        "port",
        "prefixRewrite",
        "scheme",
        "uri",
    ];
    report.known(&redirect, &[targets.as_slice(), &["redirectCode"]].concat());
    let filled = |key: &&str| redirect.get(key).is_some_and(|v| v.text() != Some(""));
    if !targets.iter().any(filled) {
        let message = "a redirect needs a uri, a prefixRewrite, an authority, a scheme or a port";
        report.error(&redirect, "redirect-empty", message);
    }
    if filled(&"uri") && filled(&"prefixRewrite") {
        report.error(
            &redirect,
            "match-conflict",
            "only one of uri and prefixRewrite may be given",
        );
    }
    if let Some((found, code)) = report.int(&redirect, "redirectCode")
        && code != 0
        && !(300..400).contains(&code)
    {
        report.error(
            &found,
            "status-range",
            format!("{code} is no redirect status; it must be 3xx"),
        );
    }
    report.bounded(&redirect, "port", 0, 65_535, "port-range");
    let other_than_prefix = |found: &&At<'_>| {
        let uri = found.get("uri");
        uri.is_some_and(|uri| !uri.has("prefix"))
    };
    if filled(&"prefixRewrite")
        && let Some(found) = matches.iter().find(other_than_prefix)
    {
        let message = "prefixRewrite needs every match of the uri to be by prefix";
        report.error(
            &found.absent("uri"),
            "prefix-rewrite-without-prefix",
            message,
        );
    }
}

/// Answers of the proxy itself are sent to every proxy.
const LARGE_BODY: usize = 100 * 1024;
const HUGE_BODY: usize = 1024 * 1024;

pub(super) fn direct_response(report: &mut Report, entry: &At<'_>) {
    let Some(response) = report.object(entry, "directResponse") else {
        return;
    };
    report.known(&response, &["body", "status"]);
    if !response.has("status") {
        report.error(&response, "status-range", "a directResponse needs a status");
    }
    report.bounded(&response, "status", 200, MAX_STATUS, "status-range");
    let Some(body) = report.object(&response, "body") else {
        return;
    };
    report.known(&body, &["bytes", "string"]);
    let plain = report
        .text(&body, "string")
        .map_or(0, |(_, text)| text.len());
    // Base64 has four letters for three bytes.
    let encoded = report
        .text(&body, "bytes")
        .map_or(0, |(_, text)| text.len() / 4 * 3);
    let size = plain.max(encoded);
    if size > HUGE_BODY {
        report.error(&body, "body-too-large", "the body is larger than 1 MiB");
    } else if size > LARGE_BODY {
        report.warn(
            &body,
            "body-large",
            "the body is larger than 100 KiB and is sent to every proxy",
        );
    }
}
