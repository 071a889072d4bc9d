//! Rules of a traffic policy: connection pools, outlier detection, TLS, ports. Load balancers have their own file.

use super::common::{MAX_INT, duration, is_wildcard_domain, one_of, port_selector};
use super::load_balancer;
use super::report::{At, Report};

const PORT_FIELDS: [&str; 4] = ["connectionPool", "loadBalancer", "outlierDetection", "tls"];

/// The `trafficPolicy` of a rule or of a subset.
pub(super) fn check(report: &mut Report, owner: &At<'_>) {
    let Some(policy) = report.object(owner, "trafficPolicy") else {
        return;
    };
    let own = [
        "portLevelSettings",
        "proxyProtocol",
        "retryBudget",
        "tunnel",
    ];
    let fields = [PORT_FIELDS.as_slice(), own.as_slice()].concat();
    report.known(&policy, &fields);
    if policy.which(&fields).is_empty() {
        report.error(
            &policy,
            "policy-empty",
            "a trafficPolicy needs at least one field",
        );
    }
    check_parts(report, &policy);
    for port in report.objects(&policy, "portLevelSettings") {
        report.known(&port, &[PORT_FIELDS.as_slice(), &["port"]].concat());
        if !port.has("port") {
            report.error(&port, "port-range", "settings of a port need port.number");
        }
        port_selector(report, &port);
        check_parts(report, &port);
    }
    if let Some(tunnel) = report.object(&policy, "tunnel") {
        check_tunnel(report, &tunnel);
    }
    if let Some(budget) = report.object(&policy, "retryBudget") {
        report.known(
            &budget,
            &["budgetInterval", "minRetryConcurrency", "percent"],
        );
        percent(report, &budget, "percent");
        duration(report, &budget, "budgetInterval", false);
    }
}

fn check_parts(report: &mut Report, at: &At<'_>) {
    if let Some(pool) = report.object(at, "connectionPool") {
        check_pool(report, &pool);
    }
    if let Some(balancer) = report.object(at, "loadBalancer") {
        load_balancer::check(report, &balancer);
    }
    if let Some(outlier) = report.object(at, "outlierDetection") {
        check_outlier(report, &outlier);
    }
    if let Some(tls) = report.object(at, "tls") {
        check_tls(report, &tls);
    }
}

fn percent(report: &mut Report, at: &At<'_>, key: &str) {
    if let Some((found, value)) = report.number(at, key)
        && !(0.0..=100.0).contains(&value)
    {
        report.error(
            &found,
            "percent-range",
            format!("{key} is {value}; it must be in 0..=100"),
        );
    }
}

fn check_pool(report: &mut Report, pool: &At<'_>) {
    report.known(pool, &["http", "tcp"]);
    if pool.which(&["http", "tcp"]).is_empty() {
        report.error(
            pool,
            "policy-empty",
            "a connectionPool needs tcp or http settings",
        );
    }
    if let Some(tcp) = report.object(pool, "tcp") {
        report.known(
            &tcp,
            &[
                "connectTimeout",
                "idleTimeout",
                "maxConnectionDuration",
                "maxConnections",
                "tcpKeepalive",
            ],
        );
        report.bounded(&tcp, "maxConnections", 0, MAX_INT, "number-negative");
        duration(report, &tcp, "connectTimeout", false);
        // Zero turns the idle timeout off, here and nowhere else.
        duration(report, &tcp, "idleTimeout", true);
        duration(report, &tcp, "maxConnectionDuration", false);
        if let Some(keepalive) = report.object(&tcp, "tcpKeepalive") {
            report.known(&keepalive, &["interval", "probes", "time"]);
            duration(report, &keepalive, "time", false);
            duration(report, &keepalive, "interval", false);
        }
    }
    if let Some(http) = report.object(pool, "http") {
        check_http_pool(report, &http);
    }
}

fn check_http_pool(report: &mut Report, http: &At<'_>) {
    let counts = [
        "http1MaxPendingRequests",
        "http2MaxRequests",
        "maxConcurrentStreams",
        "maxRequestsPerConnection",
        "maxRetries",
    ];
    let others = [
        "h2UpgradePolicy",
        "http2KeepAlive",
        "idleTimeout",
        "useClientProtocol",
    ];
    report.known(http, &[counts.as_slice(), others.as_slice()].concat());
    for key in counts {
        report.bounded(http, key, 0, MAX_INT, "number-negative");
    }
    duration(report, http, "idleTimeout", false);
    one_of(
        report,
        http,
        "h2UpgradePolicy",
        &["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"],
    );
    let upgrade = http.get("h2UpgradePolicy").and_then(|at| at.text()) == Some("UPGRADE");
    if report.flag(http, "useClientProtocol") == Some(true) && upgrade {
        let message = "useClientProtocol contradicts h2UpgradePolicy UPGRADE";
        report.error(
            &http.absent("useClientProtocol"),
            "action-conflict",
            message,
        );
    }
    if let Some(keepalive) = report.object(http, "http2KeepAlive") {
        report.known(&keepalive, &["interval", "timeout"]);
        for key in ["interval", "timeout"] {
            if !keepalive.has(key) {
                report.error(
                    &keepalive,
                    "duration-missing",
                    format!("http2KeepAlive needs {key}"),
                );
            }
            duration(report, &keepalive, key, false);
        }
    }
}

fn check_outlier(report: &mut Report, outlier: &At<'_>) {
    let counts = [
        "consecutive5xxErrors",
        "consecutiveErrors",
        "consecutiveGatewayErrors",
        "consecutiveLocalOriginFailures",
    ];
    let others = [
        "baseEjectionTime",
        "interval",
        "maxEjectionPercent",
        "minHealthPercent",
        "outlierDetectionHttpErrorCodes",
        "splitExternalLocalOriginErrors",
    ];
    report.known(outlier, &[counts.as_slice(), others.as_slice()].concat());
    for key in counts {
        report.bounded(outlier, key, 0, i64::from(u32::MAX), "number-negative");
    }
    duration(report, outlier, "interval", false);
    duration(report, outlier, "baseEjectionTime", false);
    percent(report, outlier, "maxEjectionPercent");
    percent(report, outlier, "minHealthPercent");
    let local = outlier
        .get("consecutiveLocalOriginFailures")
        .and_then(|at| at.value.as_i64());
    let split = report.flag(outlier, "splitExternalLocalOriginErrors") == Some(true);
    if local.is_some_and(|n| n > 0) && !split {
        let message = "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true";
        report.error(
            &outlier.absent("consecutiveLocalOriginFailures"),
            "outlier-without-split",
            message,
        );
    }
    if outlier.has("consecutiveErrors") {
        let message = "consecutiveErrors is deprecated and has no effect; use consecutive5xxErrors";
        report.warn(&outlier.absent("consecutiveErrors"), "deprecated", message);
    }
}

fn check_tls(report: &mut Report, tls: &At<'_>) {
    let own = [
        "clientCertificate",
        "privateKey",
        "caCertificates",
        "caCrl",
        "credentialName",
        "sni",
        "subjectAltNames",
    ];
    report.known(
        tls,
        &[own.as_slice(), &["insecureSkipVerify", "mode"]].concat(),
    );
    one_of(
        report,
        tls,
        "mode",
        &["DISABLE", "ISTIO_MUTUAL", "MUTUAL", "SIMPLE"],
    );
    let mode = tls
        .get("mode")
        .and_then(|at| at.text())
        .unwrap_or("DISABLE");
    let filled = |key: &str| {
        let empty =
            |v: &At<'_>| v.text() == Some("") || v.value.as_array().is_some_and(Vec::is_empty);
        tls.get(key).is_some_and(|v| !empty(&v))
    };
    let mut need = |keys: &[&str]| {
        for key in keys.iter().filter(|key| !filled(key)) {
            let message = format!("TLS mode {mode} needs {key} (or credentialName)");
            report.error(&tls.absent(key), "tls-incomplete", message);
        }
    };
    if mode == "MUTUAL" && !filled("credentialName") {
        need(&["clientCertificate", "privateKey"]);
    }
    let forbid = |report: &mut Report, keys: &[&str], why: &str| {
        for key in keys.iter().filter(|key| filled(key)) {
            report.error(
                &tls.absent(key),
                "tls-conflict",
                format!("{key} cannot be given {why}"),
            );
        }
    };
    if mode == "ISTIO_MUTUAL" {
        let why = "with TLS mode ISTIO_MUTUAL, which brings its own";
        forbid(
            report,
            &["clientCertificate", "privateKey", "caCertificates"],
            why,
        );
    }
    if filled("credentialName") {
        let why = "together with credentialName";
        forbid(
            report,
            &["clientCertificate", "privateKey", "caCertificates"],
            why,
        );
    }
    if report.flag(tls, "insecureSkipVerify") == Some(true) {
        let why = "together with insecureSkipVerify";
        forbid(report, &["caCertificates", "subjectAltNames"], why);
        // For MUTUAL the credential also carries the client's own certificate.
        if mode == "SIMPLE" {
            forbid(report, &["credentialName"], why);
        }
    }
}

fn check_tunnel(report: &mut Report, tunnel: &At<'_>) {
    report.known(tunnel, &["protocol", "targetHost", "targetPort"]);
    one_of(report, tunnel, "protocol", &["", "CONNECT", "POST"]);
    match report.text(tunnel, "targetHost") {
        Some((at, host)) if host.starts_with('*') || !is_wildcard_domain(host) => {
            report.error(
                &at,
                "host-invalid",
                format!("{host:?} is no valid host name"),
            );
        }
        Some(_) => {}
        None => report.error(tunnel, "host-empty", "a tunnel needs a targetHost"),
    }
    if !tunnel.has("targetPort") {
        report.error(
            tunnel,
            "port-range",
            "a tunnel needs a targetPort in 1..=65535",
        );
    }
    report.bounded(tunnel, "targetPort", 1, 65_535, "port-range");
}
