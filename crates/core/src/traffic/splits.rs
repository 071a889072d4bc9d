//! Reads every declared split of a set of objects.

use serde_json::Value;

use super::backing::Backends;
use super::checks::judge_declared;
use super::condition::{
    Condition, conditions_of_object, narrowed, read_conditions, takes_everything, words,
};
use super::delegate::delegating_entries;
use super::in_force::{Claims, Standing, applies_to_mesh, claimed_hosts};
use super::owner;
use super::rivals::Rivals;
use super::route_api::{Precedence, RouteApi, RouteFamily, SplitUnit};
use super::status;
use super::target::Target;
use super::types::{Destination, Resolution, RouteMatch, Split, SplitId};
use super::view::spec;
use crate::model::{Finding, Object, ObjectRef, Severity};

/// Everything that reading one object's splits needs to know about the others.
pub(super) struct Surroundings<'a> {
    objects: &'a [Object],
    claims: Claims<'a>,
    rivals: Rivals<'a>,
    pub(super) backends: Backends<'a>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(objects: &'a [Object]) -> Self {
        Self {
            objects,
            claims: Claims::read(objects),
            rivals: Rivals::read(objects),
            backends: Backends::read(objects),
        }
    }
}

/// Every route entry with weighted destinations among `objects`: VirtualServices (`http`, `tcp`, `tls`) and routes of the Gateway API
/// (`rules`), sorted by [`SplitId`]. An entry with a single destination is a split too; one without any (redirect, direct
/// response, delegate) is none.
///
/// ```
/// use pilothouse_core::{model::Object, traffic::read_splits};
/// let route = serde_json::json!({
///     "kind": "VirtualService",
///     "metadata": {"name": "reviews", "namespace": "shop"},
///     "spec": {"hosts": ["reviews"], "http": [{"route": [
///         {"destination": {"host": "reviews", "subset": "v1"}, "weight": 3},
///         {"destination": {"host": "reviews", "subset": "v2"}, "weight": 1},
///     ]}]},
/// });
/// let objects: Vec<Object> = Object::from_document(route).into_iter().collect();
/// let splits = read_splits(&objects);
/// assert_eq!(splits[0].destinations[1].effective_ratio, Some(0.25));
/// ```
#[must_use]
pub fn read_splits(objects: &[Object]) -> Vec<Split> {
    let around = Surroundings::of(objects);
    let mut splits: Vec<Split> = objects
        .iter()
        .flat_map(|object| splits_of(object, &around))
        .collect();
    splits.sort_by(|left, right| left.id.cmp(&right.id));
    splits
}

pub(super) fn splits_of(object: &Object, around: &Surroundings<'_>) -> Vec<Split> {
    let mut splits = Vec::new();
    for &api in RouteApi::of(object.reference.kind) {
        if api.entries(&object.doc).is_empty() {
            continue;
        }
        let stand = Stand::of(object, api.unit(), around);
        let whole = conditions_of_object(api, &object.doc);
        let mut shadowed = false;
        for (route, entry) in api.entries(&object.doc).iter().enumerate() {
            let own = narrowed(&whole, &read_conditions(api, entry));
            let takes_the_rest = takes_everything(&own);
            let conditions = narrowed(&stand.within, &own);
            let destinations = read_destinations(object, api, entry, around);
            let matches = RouteMatch {
                text: words(&conditions),
                catch_all: takes_everything(&conditions),
                // Where the most specific entry decides a catch-all only shadows another one.
                unreachable: stand.unreachable
                    || (shadowed && (api.precedence() == Precedence::FirstMatch || takes_the_rest)),
            };
            // What a delegate does not take comes back.
            shadowed |= takes_the_rest && entry.get("delegate").is_none();
            if destinations.is_empty() {
                continue;
            }
            let id = SplitId {
                object: object.reference.clone(),
                api,
                route,
            };
            let mut split = assemble(object, id, matches, destinations, &stand, around);
            let decider = match api.precedence() {
                Precedence::MostSpecific => around.rivals.decider(object, api, entry),
                Precedence::FirstMatch => None,
            };
            if let Some(decider) = decider.filter(|_| split.overridden_by.is_none()) {
                overrule(&mut split, decider);
            }
            splits.push(split);
        }
    }
    splits
}

/// How the object as a whole stands.
struct Stand {
    hosts: Vec<String>,
    in_force: bool,
    for_all_clients: bool,
    overridden_by: Option<ObjectRef>,
    /// Of a delegate, the conditions of the entries that delegate to it: requests come to it under one of these. None:
    /// every request does.
    within: Vec<Condition>,
    /// Of a delegate, whether every such entry is behind a catch-all.
    unreachable: bool,
    findings: Vec<Finding>,
}

impl Stand {
    fn of(object: &Object, unit: SplitUnit, around: &Surroundings<'_>) -> Self {
        let hosts = claimed_hosts(object);
        let family = RouteFamily::of(object.reference.kind);
        let is_delegate = family == Some(RouteFamily::Istio) && hosts.is_empty();
        if is_delegate {
            return Self::of_delegate(object, unit, around);
        }
        let standing = around.claims.standing(object, unit);
        let mut findings = Vec::new();
        let about = object.reference.to_string();
        for (host, winner) in &standing.lost {
            findings.push(overridden_finding(&about, host, winner));
        }
        for (client, winner) in &standing.not_for {
            let clients = if client.is_empty() {
                "clients of other namespaces".to_owned()
            } else {
                format!("clients of the namespace {client}")
            };
            let message = format!("{} decides for {clients} instead", winner.reference);
            findings.push(Finding::new(
                Severity::Info,
                "route-not-for-all-clients",
                &about,
                message,
            ));
        }
        let Standing {
            decides,
            lost,
            partly,
            ..
        } = standing;
        Self {
            in_force: !decides.is_empty(),
            for_all_clients: !decides.is_empty() && !partly,
            within: Vec::new(),
            unreachable: false,
            overridden_by: decides
                .is_empty()
                .then(|| lost.first().map(|(_, winner)| winner.reference.clone()))
                .flatten(),
            hosts,
            findings,
        }
    }

    /// A VirtualService without hosts only counts through the ones that delegate to it.
    fn of_delegate(object: &Object, unit: SplitUnit, around: &Surroundings<'_>) -> Self {
        let mut stand = Self {
            hosts: Vec::new(),
            in_force: false,
            for_all_clients: true,
            overridden_by: None,
            within: Vec::new(),
            unreachable: true,
            findings: Vec::new(),
        };
        for root in around.objects {
            let entries = delegating_entries(root, &object.reference);
            if entries.is_empty() {
                continue;
            }
            let root_stand = around.claims.standing(root, unit);
            stand.in_force |= applies_to_mesh(spec(&root.doc)) && !root_stand.decides.is_empty();
            stand.for_all_clients &= !root_stand.partly;
            stand.hosts.extend(claimed_hosts(root));
            for entry in entries {
                stand.unreachable &= entry.unreachable;
                stand.within.extend(entry.conditions);
            }
        }
        stand.hosts.sort();
        stand.hosts.dedup();
        stand.for_all_clients &= stand.in_force;
        if stand.hosts.is_empty() {
            stand.unreachable = false;
            stand.findings.push(Finding::new(
                Severity::Warning,
                "delegate-without-root",
                object.reference.to_string(),
                "no VirtualService delegates to this one, so its routes are never used; add a delegate entry or hosts",
            ));
        }
        stand
    }
}

/// Another route with the same match goes first.
fn overrule(split: &mut Split, decider: &Object) {
    let message = format!(
        "{} has the same match and is older (or comes first by name), so it decides and changing weights here has no effect; change them there or remove one of the two",
        decider.reference
    );
    let about = split.id.object.to_string();
    let finding = Finding::new(Severity::Warning, "route-overridden", about, message);
    split.findings.push(finding.at(split.id.entry_path()));
    split.in_force = false;
    split.for_all_clients = false;
    split.overridden_by = Some(decider.reference.clone());
}

fn overridden_finding(about: &str, host: &str, winner: &Object) -> Finding {
    let kind = winner.reference.kind;
    let why = if RouteFamily::of(kind) == Some(RouteFamily::GatewayApi) {
        format!("a mesh {kind} goes before any VirtualService")
    } else {
        format!("the older {kind} of a host wins")
    };
    let message = format!(
        "{} decides for {host} ({why}), so changing weights here has no effect; change them there or remove one of the two",
        winner.reference
    );
    Finding::new(Severity::Warning, "route-overridden", about, message)
}

fn assemble(
    object: &Object,
    id: SplitId,
    matches: RouteMatch,
    destinations: Vec<Destination>,
    stand: &Stand,
    around: &Surroundings<'_>,
) -> Split {
    let client = object.reference.namespace.as_str();
    let backends = &around.backends;
    let rules: Vec<&Object> = destinations
        .iter()
        .filter(|d| d.subset.is_some())
        .flat_map(|d| backends.rules_for(&d.fqdn, client))
        .collect();
    let services: Vec<&Object> = destinations
        .iter()
        .filter_map(|d| backends.service(&d.fqdn))
        .collect();
    let ownership = owner::detect(object, &[rules, services].concat());
    let sticky = if id.api.unit() == SplitUnit::Connections {
        let why = "this route splits connections, not requests; long-lived connections stay where they are";
        Some(why.to_owned())
    } else {
        let hashing = |d: &Destination| backends.hashing(&d.fqdn, d.subset.as_deref(), client);
        destinations.iter().find_map(hashing)
    };
    let mut split = Split {
        id,
        hosts: stand.hosts.clone(),
        matches,
        destinations,
        in_force: stand.in_force,
        for_all_clients: stand.for_all_clients,
        overridden_by: stand.overridden_by.clone(),
        owner: ownership.owner,
        steered: ownership.steered,
        sticky,
        resource_version: object.resource_version.clone(),
        findings: stand.findings.clone(),
    };
    split.findings.extend(status::findings(object));
    split.findings.extend(judge_declared(&split));
    split
}

/// Destinations of one entry, with shares, names and what stands behind them.
fn read_destinations(
    object: &Object,
    api: RouteApi,
    entry: &Value,
    around: &Surroundings<'_>,
) -> Vec<Destination> {
    let weights = api.weights(entry);
    let ratios = api.effective_ratios(&weights);
    let mut destinations: Vec<Destination> = api
        .destinations(entry)
        .iter()
        .zip(weights)
        .zip(ratios)
        .map(|((item, weight), effective_ratio)| {
            let target = Target::read(object, api, item);
            let namespace = object.reference.namespace.as_str();
            let backing = around
                .backends
                .find(&target.fqdn, target.subset.as_deref(), namespace);
            // What is no Service is never one that happens to have its name.
            let resolution = match target.kind {
                Some(_) => Resolution::Unknown,
                None => backing.resolution,
            };
            Destination {
                name: target.subset.clone().unwrap_or_else(|| target.host.clone()),
                host: target.host,
                fqdn: target.fqdn,
                kind: target.kind,
                is_elsewhere: target.is_elsewhere,
                subset: target.subset,
                port: target.port,
                weight,
                effective_ratio,
                revision: backing.revision,
                workloads: backing.workloads,
                ready: backing.ready,
                resolution,
            }
        })
        .collect();
    status::mark_refused(object, &mut destinations);
    tell_apart(&mut destinations);
    destinations
}

/// Equal names (the subset `v1` of two hosts) get their host, so that a person can type them.
fn tell_apart(destinations: &mut [Destination]) {
    let names: Vec<String> = destinations.iter().map(|d| d.name.clone()).collect();
    for (index, destination) in destinations.iter_mut().enumerate() {
        let doubled = names
            .iter()
            .enumerate()
            .any(|(other, name)| other != index && *name == destination.name);
        if !doubled {
            continue;
        }
        if let Some(subset) = &destination.subset {
            destination.name = format!("{}/{subset}", destination.host);
        }
        if let Some(kind) = &destination.kind {
            destination.name = format!("{kind}/{}", destination.name);
        }
        if let Some(port) = destination.port {
            destination.name = format!("{}:{port}", destination.name);
        }
    }
}

#[cfg(test)]
mod tests;
