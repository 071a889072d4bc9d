//! Rules of an AuthorizationPolicy.

use serde_json::Value;

use super::super::view::{list, text};
use super::common::{is_subnet, one_of};
use super::report::{At, Report};

const ACTIONS: [&str; 4] = ["ALLOW", "AUDIT", "CUSTOM", "DENY"];

/// Parts of a source that need mutual TLS or a token, which an external authorizer is not told.
const NOT_FOR_CUSTOM: [&str; 9] = [
    "namespaces",
    "notNamespaces",
    "notPrincipals",
    "notRequestPrincipals",
    "notServiceAccounts",
    "principals",
    "requestPrincipals",
    "serviceAccounts",
    "notTrustDomains",
];

/// Parts of a source that only HTTP requests have.
const HTTP_SOURCE: [&str; 2] = ["notRequestPrincipals", "requestPrincipals"];

/// Parts of an operation that only HTTP requests have.
const HTTP_OPERATION: [&str; 6] = [
    "hosts",
    "methods",
    "notHosts",
    "notMethods",
    "notPaths",
    "paths",
];

pub(super) fn check(report: &mut Report, spec: &At<'_>, metadata: &Value) {
    report.known(
        spec,
        &[
            "action",
            "provider",
            "rules",
            "selector",
            "targetRef",
            "targetRefs",
        ],
    );
    one_of(report, spec, "action", &ACTIONS);
    let action = spec
        .get("action")
        .and_then(|at| at.text())
        .unwrap_or("ALLOW");
    check_provider(report, spec, action);
    check_dry_run(report, spec, metadata, action);
    check_targets(report, spec);
    let rules = report.objects(spec, "rules");
    let nothing = !spec.has("rules");
    match action {
        "DENY" | "CUSTOM" if nothing => {
            let message = format!(
                "{action} without rules never acts; write an empty rule {{}} for every request"
            );
            report.error(spec, "rules-missing", message);
        }
        "ALLOW" if nothing => {
            let message = "ALLOW without rules allows nothing: it denies every request";
            report.warn(spec, "denies-everything", message);
        }
        _ => {}
    }
    for rule in &rules {
        check_rule(report, rule, action);
    }
}

fn check_provider(report: &mut Report, spec: &At<'_>, action: &str) {
    let name = spec.get("provider").and_then(|p| p.get("name"));
    let named = name.is_some_and(|name| name.text().is_some_and(|n| !n.is_empty()));
    if action == "CUSTOM" && !named {
        report.error(
            &spec.absent("provider"),
            "provider-missing",
            "CUSTOM needs provider.name",
        );
    } else if action != "CUSTOM" && spec.has("provider") {
        let message = format!("a provider is only for CUSTOM, not for {action}");
        report.error(&spec.absent("provider"), "provider-conflict", message);
    }
}

fn check_dry_run(report: &mut Report, spec: &At<'_>, metadata: &Value, action: &str) {
    let annotation = metadata
        .get("annotations")
        .and_then(|a| a.get("istio.io/dry-run"));
    let Some(value) = annotation.and_then(Value::as_str) else {
        return;
    };
    // What Go's strconv.ParseBool takes.
    let truth = [
        "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False",
    ];
    if !truth.contains(&value) {
        let message =
            format!("the annotation istio.io/dry-run is {value:?}; it must be true or false");
        report.error(spec, "dry-run-invalid", message);
    }
    if !matches!(action, "ALLOW" | "DENY") {
        let message = format!("the annotation istio.io/dry-run does not work with {action}");
        report.error(spec, "dry-run-invalid", message);
    }
}

/// Who it holds for: labels or references, not both.
fn check_targets(report: &mut Report, spec: &At<'_>) {
    let mut targets = report.objects(spec, "targetRefs");
    targets.extend(report.object(spec, "targetRef"));
    if let Some(selector) = report.object(spec, "selector") {
        report.known(&selector, &["matchLabels"]);
        if !targets.is_empty() {
            report.error(
                &selector,
                "match-conflict",
                "only one of selector and targetRefs may be given",
            );
        }
        let labels = report.object(&selector, "matchLabels");
        for (key, value) in labels.iter().flat_map(At::entries) {
            if key.is_empty() {
                report.error(&value, "label-invalid", "the name of the label is empty");
            }
            if key.contains('*') || value.text().is_some_and(|v| v.contains('*')) {
                report.error(
                    &value,
                    "label-invalid",
                    "wildcards do not work in selectors",
                );
            }
        }
    }
    for target in &targets {
        check_target(report, target);
    }
}

fn check_target(report: &mut Report, target: &At<'_>) {
    let field = |key: &str| target.get(key).and_then(|at| at.text()).unwrap_or_default();
    let allowed = [
        ("", "Service"),
        ("core", "Service"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
        ("networking.istio.io", "ServiceEntry"),
    ];
    if !allowed.contains(&(field("group"), field("kind"))) {
        let message = format!(
            "a policy cannot target {}/{}",
            field("group"),
            field("kind")
        );
        report.error(target, "target-invalid", message);
    }
    if field("name").is_empty() {
        report.error(target, "target-invalid", "the target has no name");
    }
    if !field("namespace").is_empty() {
        report.error(
            target,
            "target-invalid",
            "the target must be of the policy's own namespace",
        );
    }
}

fn check_rule(report: &mut Report, rule: &At<'_>, action: &str) {
    report.known(rule, &["from", "to", "when"]);
    for from in report.objects(rule, "from") {
        report.known(&from, &["source"]);
        if let Some(source) = filled(report, &from, "source") {
            check_source(report, &source, action);
        }
    }
    for to in report.objects(rule, "to") {
        report.known(&to, &["operation"]);
        if let Some(operation) = filled(report, &to, "operation") {
            check_operation(report, &operation);
        }
    }
    for when in report.objects(rule, "when") {
        check_condition(report, &when, action);
    }
    if action == "DENY" && denies_tcp(rule.value) {
        let message = "on TCP ports, which have none of the HTTP attributes that this rule asks for, it denies every \
                       connection; state the HTTP ports in to.operation.ports";
        report.warn(rule, "denies-tcp", message);
    }
}

/// Whether a DENY rule reaches beyond HTTP. A proxy leaves what only HTTP has out of a rule for other connections, so that
/// what remains denies more than was meant, unless a stated port keeps the rule to HTTP.
fn denies_tcp(rule: &Value) -> bool {
    let has = |at: &Value, keys: &[&str]| keys.iter().any(|key| !list(at, key).is_empty());
    let keys: Vec<&str> = list(rule, "when")
        .iter()
        .filter_map(|when| text(when, "key"))
        .collect();
    let sources = list(rule, "from").iter().filter_map(|f| f.get("source"));
    let on_http = keys.iter().any(|key| key.starts_with("request."))
        || sources.into_iter().any(|source| has(source, &HTTP_SOURCE));
    let operations: Vec<&Value> = list(rule, "to")
        .iter()
        .filter_map(|to| to.get("operation"))
        .collect();
    let reaches_beyond = |operation: &&Value| {
        !has(operation, &["ports"]) && (on_http || has(operation, &HTTP_OPERATION))
    };
    let on_any_port = !keys.contains(&"destination.port");
    let without_operation = operations.is_empty() && on_http;
    on_any_port && (without_operation || operations.iter().any(reaches_beyond))
}

/// A map that must be there and hold something.
fn filled<'a>(report: &mut Report, at: &At<'a>, key: &str) -> Option<At<'a>> {
    let found = report.object(at, key);
    let empty = |v: &Value| v.as_array().is_some_and(Vec::is_empty);
    let holds = found
        .as_ref()
        .is_some_and(|f| f.entries().iter().any(|(_, v)| !empty(v.value)));
    if !holds {
        report.error(at, "rule-empty", format!("{key} is missing or empty"));
    }
    found.filter(|_| holds)
}

fn check_source(report: &mut Report, source: &At<'_>, action: &str) {
    let plain = [
        "namespaces",
        "notNamespaces",
        "notPrincipals",
        "notRequestPrincipals",
        "notServiceAccounts",
        "notTrustDomains",
        "principals",
        "requestPrincipals",
        "serviceAccounts",
        "trustDomains",
    ];
    let addresses = [
        "ipBlocks",
        "notIpBlocks",
        "notRemoteIpBlocks",
        "remoteIpBlocks",
    ];
    report.known(source, &[plain.as_slice(), addresses.as_slice()].concat());
    for key in plain {
        not_empty(report, source, key);
    }
    for key in addresses {
        not_empty(report, source, key);
        for (at, text) in report.texts(source, key) {
            address(report, &at, text);
        }
    }
    let accounts = source.which(&["serviceAccounts", "notServiceAccounts"]);
    let others = ["namespaces", "notNamespaces", "principals", "notPrincipals"];
    if !accounts.is_empty() && !source.which(&others).is_empty() {
        let message = "serviceAccounts cannot stand beside namespaces or principals";
        report.error(source, "match-conflict", message);
    }
    if action == "CUSTOM" {
        for key in source.which(&NOT_FOR_CUSTOM) {
            let message = format!("{key} does not work with CUSTOM");
            report.error(&source.absent(key), "not-for-custom", message);
        }
    }
}

fn check_operation(report: &mut Report, operation: &At<'_>) {
    let ports = ["notPorts", "ports"];
    report.known(
        operation,
        &[HTTP_OPERATION.as_slice(), ports.as_slice()].concat(),
    );
    for key in HTTP_OPERATION {
        not_empty(report, operation, key);
    }
    for key in ports {
        not_empty(report, operation, key);
        for (at, text) in report.texts(operation, key) {
            port(report, &at, text);
        }
    }
    for key in ["paths", "notPaths"] {
        for (at, text) in report.texts(operation, key) {
            if broken_template(text) {
                let message = format!(
                    "{text:?} is no path template: {{*}} is one segment, {{**}} any number, each alone in its segment"
                );
                report.error(&at, "path-template-invalid", message);
            }
        }
    }
}

/// Braces mean a template, in which each variable fills a whole segment and `{**}` stands once.
fn broken_template(path: &str) -> bool {
    let template = path.contains("{*}") || path.contains("{**}");
    let wrong =
        |segment: &str| !matches!(segment, "{*}" | "{**}") && segment.contains(['{', '}', '*']);
    template && (path.split('/').any(wrong) || path.matches("{**}").count() > 1)
}

fn not_empty(report: &mut Report, at: &At<'_>, key: &str) {
    for (found, text) in report.texts(at, key) {
        if text.is_empty() {
            report.error(&found, "value-empty", format!("a value in {key} is empty"));
        }
    }
}

fn address(report: &mut Report, at: &At<'_>, text: &str) {
    if !is_subnet(text) {
        report.error(
            at,
            "subnet-invalid",
            format!("{text:?} is no address and no CIDR block"),
        );
    }
}

fn port(report: &mut Report, at: &At<'_>, text: &str) {
    if !text.parse::<u16>().is_ok_and(|port| port > 0) {
        report.error(
            at,
            "port-range",
            format!("{text:?} is no port in 1..=65535"),
        );
    }
}

/// What an attribute's values are.
enum Attribute {
    Text,
    Address,
    Port,
}

fn attribute(key: &str) -> Option<Attribute> {
    let bracketed = |prefix: &str| {
        key.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('[') && rest.ends_with(']'))
    };
    match key {
        "source.ip" | "remote.ip" | "destination.ip" => Some(Attribute::Address),
        "destination.port" => Some(Attribute::Port),
        "source.namespace"
        | "source.principal"
        | "source.serviceAccount"
        | "source.trustDomain"
        | "request.auth.principal"
        | "request.auth.audiences"
        | "request.auth.presenter"
        | "connection.sni" => Some(Attribute::Text),
        _ if bracketed("request.headers") || bracketed("request.auth.claims") => {
            Some(Attribute::Text)
        }
        _ if key.starts_with("experimental.envoy.filters.") => Some(Attribute::Text),
        _ => None,
    }
}

fn check_condition(report: &mut Report, when: &At<'_>, action: &str) {
    report.known(when, &["key", "notValues", "values"]);
    let key = report.text(when, "key").map_or("", |(_, key)| key);
    if key.is_empty() {
        report.error(when, "condition-key", "the key is missing or empty");
        return;
    }
    let values: Vec<_> = ["values", "notValues"]
        .into_iter()
        .flat_map(|list| report.texts(when, list))
        .collect();
    if values.is_empty() {
        report.error(
            when,
            "value-empty",
            format!("{key} needs values or notValues"),
        );
    }
    let kind = attribute(key);
    if kind.is_none() {
        report.error(
            when,
            "condition-key",
            format!("{key:?} is no known attribute"),
        );
    }
    for (at, text) in values {
        match kind {
            _ if text.is_empty() => report.error(&at, "value-empty", "the value is empty"),
            Some(Attribute::Address) => address(report, &at, text),
            Some(Attribute::Port) => port(report, &at, text),
            Some(Attribute::Text) | None => {}
        }
    }
    let needs_identity = key.starts_with("request.auth.")
        || matches!(
            key,
            "source.namespace" | "source.principal" | "source.serviceAccount"
        );
    if action == "CUSTOM" && needs_identity {
        report.error(
            when,
            "not-for-custom",
            format!("{key} does not work with CUSTOM"),
        );
    }
}
