//! Rules of one `http` entry of a VirtualService: what it may combine, and whether it is ever reached.

use serde_json::Value;

use super::super::condition::{read_conditions, takes_everything};
use super::super::delegate::DELEGATING;
use super::super::view::list;
use super::common::{duration, is_label};
use super::http_headers as headers;
use super::http_match;
use super::http_policy as policy;
use super::report::{At, Report};
use super::virtual_service::{Whole, weighted};

const FIELDS: [&str; 17] = [
    "corsPolicy",
    "delegate",
    "directResponse",
    "fault",
    "headers",
    "match",
    "mirror",
    "mirrorPercent",
    "mirrorPercentage",
    "mirror_percent",
    "mirrors",
    "name",
    "redirect",
    "retries",
    "rewrite",
    "route",
    "timeout",
];

pub(super) fn check(report: &mut Report, entry: &At<'_>, whole: &Whole<'_>) {
    report.known(entry, &FIELDS);
    check_action(report, entry, whole);
    let matches = report.objects(entry, "match");
    for found in &matches {
        http_match::check(report, found, whole);
    }
    let routes = report.objects(entry, "route");
    for route in &routes {
        report.known(route, &["destination", "headers", "weight"]);
        headers::headers(report, route);
    }
    weighted(report, entry, &routes);
    headers::headers(report, entry);
    headers::authority(report, entry, &routes);
    policy::fault(report, entry);
    policy::retries(report, entry);
    policy::mirrors(report, entry);
    policy::rewrite(report, entry);
    policy::redirect(report, entry, &matches);
    policy::direct_response(report, entry);
    headers::cors(report, entry);
    if duration(report, entry, "timeout", false).is_some() && entry.has("fault") {
        let message =
            "a request with an injected fault is answered before timeout and retries apply";
        report.warn(&entry.absent("timeout"), "fault-before-timeout", message);
    }
}

/// Exactly one of route, redirect, direct response and delegate, and what must not stand beside it.
fn check_action(report: &mut Report, entry: &At<'_>, whole: &Whole<'_>) {
    if let Some(delegate) = report.object(entry, "delegate") {
        report.known(&delegate, &["name", "namespace"]);
        if whole.delegate {
            let message = "a delegate must not delegate further";
            report.error(&delegate, "delegate-invalid", message);
        }
        for other in entry.which(&["route", "redirect", "directResponse"]) {
            let message = format!("an entry that delegates must not have {other}");
            report.error(&entry.absent(other), "delegate-invalid", message);
        }
        match report.text(&delegate, "name") {
            Some((_, name)) if !name.is_empty() => {}
            _ => report.error(&delegate, "delegate-invalid", "the delegate has no name"),
        }
        if let Some((at, namespace)) = report.text(&delegate, "namespace")
            && !is_label(namespace)
        {
            report.error(
                &at,
                "delegate-invalid",
                format!("{namespace:?} is no namespace"),
            );
        }
        if !whole.delegate {
            return;
        }
    }
    let mut actions = entry.which(&["route", "redirect", "directResponse"]);
    let no_destinations = entry
        .get("route")
        .is_some_and(|r| r.value.as_array().is_some_and(Vec::is_empty));
    actions.retain(|action| *action != "route" || !no_destinations);
    match actions.as_slice() {
        [] => {
            let message = "an entry needs a route, a redirect or a directResponse";
            report.error(entry, "route-missing", message);
        }
        [_] => {}
        [first, second, ..] => {
            let message = format!("an entry cannot have both {first} and {second}");
            report.error(&entry.absent(second), "action-conflict", message);
        }
    }
    for (action, forbidden) in [
        ("redirect", ["fault", "rewrite"].as_slice()),
        ("directResponse", ["rewrite"].as_slice()),
    ] {
        if actions.contains(&action) {
            for other in entry.which(forbidden) {
                let message = format!("{other} has no meaning beside {action}");
                report.error(&entry.absent(other), "action-conflict", message);
            }
        }
    }
}

/// Entries behind a catch-all, or behind entries that match the same, are never used. The server accepts them with a
/// warning.
pub(super) fn check_order(report: &mut Report, entries: &[At<'_>]) {
    let mut catch_all: Option<usize> = None;
    let mut taken: Vec<(usize, Value)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Some(first) = catch_all {
            let message = format!("entry {first} takes every request, so this one is never used");
            report.warn(entry, "route-unreachable", message);
            continue;
        }
        let matches: Vec<Value> = list(entry.value, "match").iter().map(unnamed).collect();
        let earlier = |wanted: &Value| taken.iter().find(|(_, m)| m == wanted).map(|(at, _)| at);
        let takers: Option<Vec<&usize>> = matches.iter().map(earlier).collect();
        if let Some(first) = takers.and_then(|takers| takers.first().copied()) {
            let message = format!("entry {first} has the same match, so this one is never used");
            report.warn(entry, "match-duplicate", message);
        }
        if takes_everything(&read_conditions(DELEGATING, entry.value)) {
            catch_all = Some(index);
        }
        taken.extend(matches.into_iter().map(|found| (index, found)));
    }
}

/// A match without its name, which decides nothing.
fn unnamed(found: &Value) -> Value {
    let mut found = found.clone();
    if let Some(fields) = found.as_object_mut() {
        fields.remove("name");
    }
    found
}
