//! Rules of a VirtualService as a whole: hosts, gateways, delegation, and its tcp and tls entries.

use serde_json::Value;

use super::super::hosts::{full_host, host_covers};
use super::super::view::text;
use super::common::{
    MAX_INT, export_to, host, is_domain, is_label, is_subnet, is_wildcard_domain, labels,
    port_selector,
};
use super::http_entry;
use super::report::{At, Report};

/// What the entries need to know of the whole.
pub(super) struct Whole<'a> {
    /// Without hosts: other VirtualServices delegate to it.
    pub(super) delegate: bool,
    /// Whether it names a gateway other than `mesh`.
    pub(super) on_gateways: bool,
    /// Its gateways, for messages.
    pub(super) gateways: Vec<&'a str>,
}

pub(super) fn check(report: &mut Report, spec: &At<'_>, metadata: &Value) {
    let namespace = text(metadata, "namespace").unwrap_or_default();
    report.known(
        spec,
        &["exportTo", "gateways", "hosts", "http", "tcp", "tls"],
    );
    let gateways = report.texts(spec, "gateways");
    let on_mesh = gateways.is_empty() || gateways.iter().any(|(_, name)| *name == "mesh");
    for (at, name) in &gateways {
        gateway_name(report, at, name);
    }
    let hosts = report.texts(spec, "hosts");
    let whole = Whole {
        delegate: hosts.is_empty(),
        on_gateways: gateways.iter().any(|(_, name)| *name != "mesh"),
        gateways: gateways.iter().map(|(_, name)| *name).collect(),
    };
    check_hosts(report, &hosts, namespace, on_mesh);
    export_to(report, spec, namespace);
    if whole.delegate {
        check_delegate(report, spec);
    }
    if spec.which(&["http", "tcp", "tls"]).is_empty() {
        report.error(spec, "route-missing", "one of http, tcp and tls is needed");
    }
    let entries = report.objects(spec, "http");
    http_entry::check_order(report, &entries);
    for entry in &entries {
        http_entry::check(report, entry, &whole);
    }
    for entry in report.objects(spec, "tcp") {
        check_tcp(report, &entry);
    }
    for entry in report.objects(spec, "tls") {
        check_tls(report, &entry);
    }
}

fn gateway_name(report: &mut Report, at: &At<'_>, name: &str) {
    let fine = name.split_once('/').map_or_else(
        || is_domain(name),
        |(namespace, name)| is_label(namespace) && is_domain(name),
    );
    if !fine {
        report.error(
            at,
            "gateway-invalid",
            format!("{name:?} is no gateway: write NAME or NAMESPACE/NAME"),
        );
    }
}

fn check_hosts(report: &mut Report, hosts: &[(At<'_>, &str)], namespace: &str, on_mesh: bool) {
    let full: Vec<String> = hosts
        .iter()
        .map(|(_, name)| full_host(name, namespace))
        .collect();
    for (index, (at, name)) in hosts.iter().enumerate() {
        host(report, at, name);
        if *name == "*" && on_mesh {
            report.error(
                at,
                "host-wildcard-on-mesh",
                "the host * is only allowed on gateways, not for sidecars",
            );
        }
        let Some(mine) = full.get(index) else {
            continue;
        };
        let earlier = full
            .iter()
            .take(index)
            .find(|other| *other == mine || host_covers(other, mine) || host_covers(mine, other));
        if let Some(other) = earlier {
            report.error(at, "host-duplicate", format!("{mine} and {other} overlap"));
        }
    }
}

fn check_delegate(report: &mut Report, spec: &At<'_>) {
    let about = "a VirtualService without hosts is a delegate";
    for section in spec.which(&["tcp", "tls", "gateways"]) {
        let message =
            format!("{about}, which must not have {section}; give it hosts or remove them");
        report.error(&spec.absent(section), "delegate-invalid", message);
    }
}

/// A destination: host, subset, port.
pub(super) fn destination(report: &mut Report, at: &At<'_>) {
    report.known(at, &["host", "port", "subset"]);
    match report.text(at, "host") {
        Some((found, "*")) => report.error(&found, "host-invalid", "a destination cannot be *"),
        Some((found, text)) => host(report, &found, text),
        None if at.has("host") => {}
        None => report.error(at, "host-empty", "the destination has no host"),
    }
    if let Some((found, subset)) = report.text(at, "subset") {
        subset_name(report, &found, subset);
    }
    port_selector(report, at);
}

pub(super) fn subset_name(report: &mut Report, at: &At<'_>, name: &str) {
    if name.is_empty() {
        report.error(at, "subset-name-invalid", "the name of the subset is empty");
    } else if !is_label(name) {
        let message = format!("{name:?} is no subset name: letters, digits and inner dashes");
        report.error(at, "subset-name-invalid", message);
    }
}

/// Destinations with weights. Several of them need a sum above zero; a single one gets everything.
pub(super) fn weighted(report: &mut Report, entry: &At<'_>, routes: &[At<'_>]) {
    let mut sum = 0_i64;
    for route in routes {
        match report.object(route, "destination") {
            Some(found) => destination(report, &found),
            None if route.has("destination") => {}
            None => report.error(route, "destination-missing", "a destination is needed"),
        }
        if let Some((at, weight)) = report.int(route, "weight") {
            if weight < 0 {
                report.error(
                    &at,
                    "weight-negative",
                    format!("the weight {weight} is negative"),
                );
            } else if weight > MAX_INT {
                report.error(
                    &at,
                    "weight-range",
                    format!("the weight {weight} does not fit in 32 bits"),
                );
            }
            sum = sum.saturating_add(weight.max(0));
        }
    }
    let list = entry.absent("route");
    if routes.len() > 1 && sum == 0 {
        let message = "all weights are zero or absent; an absent weight counts as 0";
        report.error(&list, "weights-all-zero", message);
    }
    if sum > MAX_INT && routes.len() > 1 {
        let message = format!("the weights add up to {sum}, which wraps around in 32 bits");
        report.error(&list, "weight-sum-too-large", message);
    } else if routes.len() > 1 && sum > 0 && sum != 100 {
        let message = format!("the weights add up to {sum}, not 100; they are relative");
        report.note(&list, "weight-sum-not-100", message);
    }
    if let [only] = routes
        && let Some(weight) = only.get("weight").and_then(|w| w.value.as_i64())
        && (0..100).contains(&weight)
    {
        let message =
            format!("a single destination gets every request, whatever its weight ({weight})");
        report.warn(&only.absent("weight"), "single-destination", message);
    }
}

/// What matches of tcp and tls entries share.
fn l4_match(report: &mut Report, at: &At<'_>) {
    for (found, subnet) in report.texts(at, "destinationSubnets") {
        if !is_subnet(subnet) {
            report.error(
                &found,
                "subnet-invalid",
                format!("{subnet:?} is no address and no CIDR block"),
            );
        }
    }
    report.bounded(at, "port", 0, 65_535, "port-range");
    labels(report, at, "sourceLabels");
    for (found, name) in report.texts(at, "gateways") {
        gateway_name(report, &found, name);
    }
}

fn check_tcp(report: &mut Report, entry: &At<'_>) {
    report.known(entry, &["match", "route"]);
    for found in report.objects(entry, "match") {
        report.known(
            &found,
            &[
                "destinationSubnets",
                "gateways",
                "port",
                "sourceLabels",
                "sourceNamespace",
                "sourceSubnet",
            ],
        );
        l4_match(report, &found);
    }
    l4_routes(report, entry, "TCP");
}

fn check_tls(report: &mut Report, entry: &At<'_>) {
    report.known(entry, &["match", "route"]);
    let matches = report.objects(entry, "match");
    if matches.is_empty() {
        report.error(
            entry,
            "match-missing",
            "a TLS route needs a match with sniHosts",
        );
    }
    for found in &matches {
        report.known(
            found,
            &[
                "destinationSubnets",
                "gateways",
                "port",
                "sniHosts",
                "sourceLabels",
                "sourceNamespace",
            ],
        );
        let names = report.texts(found, "sniHosts");
        if names.is_empty() {
            report.error(found, "match-missing", "sniHosts needs at least one name");
        }
        for (at, name) in &names {
            if !is_wildcard_domain(name) {
                report.error(
                    at,
                    "host-invalid",
                    format!("{name:?} is no valid server name"),
                );
            }
        }
        l4_match(report, found);
    }
    l4_routes(report, entry, "TLS");
}

fn l4_routes(report: &mut Report, entry: &At<'_>, protocol: &str) {
    let routes = report.objects(entry, "route");
    for route in &routes {
        report.known(route, &["destination", "weight"]);
    }
    if routes.is_empty() {
        report.error(
            entry,
            "route-missing",
            format!("a {protocol} route needs a destination"),
        );
    }
    weighted(report, entry, &routes);
}
