//! What the controllers of the Gateway API say of a route in its status: whether they accept it, and whether they could
//! resolve what it refers to.

use serde_json::Value;

use super::types::{Destination, Resolution};
use super::view::{list, text};
use crate::model::{Finding, Object, Severity};

/// One condition that speaks against the route.
struct Refusal<'a> {
    controller: &'a str,
    kind: &'a str,
    reason: &'a str,
    message: &'a str,
}

/// Conditions with the status `False` of the present generation; older ones speak of what was.
fn refusals(object: &Object) -> Vec<Refusal<'_>> {
    let generation = object.doc.pointer("/metadata/generation");
    let parents = object
        .doc
        .get("status")
        .map_or(&[][..], |status| list(status, "parents"));
    let of_parent = |parent| {
        let controller = text(parent, "controllerName").unwrap_or("its controller");
        let conditions = list(parent, "conditions").iter();
        conditions.filter_map(move |condition: &Value| {
            let seen = condition.get("observedGeneration");
            let is_old = seen.is_some() && generation.is_some() && seen != generation;
            let speaks = !is_old && text(condition, "status") == Some("False");
            speaks.then(|| Refusal {
                controller,
                kind: text(condition, "type").unwrap_or_default(),
                reason: text(condition, "reason").unwrap_or_default(),
                message: text(condition, "message").unwrap_or_default(),
            })
        })
    };
    parents.iter().flat_map(of_parent).collect()
}

/// Marks the destinations that a controller does not send requests to.
pub(super) fn mark_refused(object: &Object, destinations: &mut [Destination]) {
    for refusal in refusals(object) {
        if refusal.kind != "ResolvedRefs" {
            continue;
        }
        for destination in destinations.iter_mut() {
            let is_meant = match refusal.reason {
                // Only a reference into another namespace needs to be permitted.
                "RefNotPermitted" => destination.is_elsewhere,
                "InvalidKind" => destination.kind.is_some(),
                "BackendNotFound" => destination.resolution == Resolution::Unknown,
                _ => false,
            };
            // Where it names one, it means that one.
            let names = |name: &str| refusal.message.contains(name);
            if is_meant && (names(destination.short_name()) || !names_any(&refusal, object)) {
                destination.resolution = Resolution::Refused;
            }
        }
    }
}

/// Whether the message names any backend of the object at all.
fn names_any(refusal: &Refusal<'_>, object: &Object) -> bool {
    let rules = object.doc.pointer("/spec/rules").and_then(Value::as_array);
    let backends = rules
        .into_iter()
        .flatten()
        .flat_map(|rule| list(rule, "backendRefs"));
    let mut names = backends.filter_map(|backend| text(backend, "name"));
    names.any(|name| refusal.message.contains(name))
}

/// What the controllers say against the route, in their words.
pub(super) fn findings(object: &Object) -> Vec<Finding> {
    let about = object.reference.to_string();
    let say = |refusal: Refusal<'_>| {
        let Refusal {
            controller,
            kind,
            reason,
            message,
        } = refusal;
        let (code, what) = match kind {
            "Accepted" => (
                "route-not-accepted",
                "does not accept this route, so its weights decide nothing there",
            ),
            "ResolvedRefs" => (
                "refs-not-resolved",
                "could not resolve all that this route refers to; the share of what it could not is answered with 500",
            ),
            _ => return None,
        };
        let words = if message.is_empty() {
            reason.to_owned()
        } else {
            format!("{reason}: {message}")
        };
        let message = format!("{controller} {what} ({words})");
        Some(Finding::new(Severity::Warning, code, &about, message))
    };
    refusals(object).into_iter().filter_map(say).collect()
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "literals read better without borrows"
)]
mod tests;
