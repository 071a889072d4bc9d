//! Which object decides for a host, for whom.
//!
//! Requests and connections are decided apart: a TCPRoute takes no request from a VirtualService's `http`, nor does an
//! HTTPRoute take connections from its `tcp`.
//!
//! For the sidecars of one client namespace the order is: a mesh route of the Gateway API of the client's own namespace
//! (consumer route),
//! one of the service's namespace (producer route), then VirtualServices: private to the namespace, exported to it by
//! name, public; among equals the older, then by name, then by namespace. An exact host goes before a wildcard, a longer
//! wildcard before a shorter one. Sources: Istio `push_context.go` and `httproute.go`, Gateway API GEP-1294.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::hosts::{full_host, host_covers, service_host, service_of};
use super::route_api::{RouteApi, RouteFamily, SplitUnit};
use super::view::{list, spec, text, texts};
use crate::model::Object;

/// To which namespaces an object is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    /// To all.
    Public,
    /// To these only.
    Only(BTreeSet<String>),
}

impl Visibility {
    /// Reads `exportTo` of an object in `namespace`; empty is the mesh's default, normally public.
    pub(super) fn read(spec: &Value, namespace: &str) -> Self {
        let entries = texts(spec, "exportTo");
        if entries.is_empty() || entries.iter().any(|e| e == "*") {
            return Self::Public;
        }
        let own = |entry: String| {
            if entry == "." {
                namespace.to_owned()
            } else {
                entry
            }
        };
        Self::Only(entries.into_iter().map(own).collect())
    }

    pub(super) fn shows_to(&self, namespace: &str) -> bool {
        match self {
            Self::Public => true,
            Self::Only(names) => names.contains(namespace),
        }
    }
}

/// One object's claim on one host.
struct Claim<'a> {
    object: &'a Object,
    visibility: Visibility,
    units: Vec<SplitUnit>,
}

/// What an object routes: requests, connections or both. A VirtualService without any entry still takes its host.
fn units_of(object: &Object) -> Vec<SplitUnit> {
    let lists = RouteApi::of(object.reference.kind).iter();
    let mut filled = lists
        .clone()
        .filter(|api| !api.entries(&object.doc).is_empty())
        .peekable();
    if filled.peek().is_none() {
        return lists.map(|api| api.unit()).collect();
    }
    filled.map(|api| api.unit()).collect()
}

impl Claim<'_> {
    /// Position before others for clients of this namespace, lower first; `None` if it does not concern them.
    fn rank(&self, host: &str, client_namespace: &str) -> Option<u8> {
        let own = self.object.reference.namespace.as_str();
        if is_gateway_api(self.object) {
            let producer = service_of(host).is_some_and(|(_, namespace)| namespace == own);
            return match (producer, own == client_namespace) {
                (true, _) => Some(1),
                (false, true) => Some(0),
                (false, false) => None,
            };
        }
        match &self.visibility {
            Visibility::Public => Some(4),
            Visibility::Only(names) if !names.contains(client_namespace) => None,
            Visibility::Only(names) if names.len() == 1 && own == client_namespace => Some(2),
            Visibility::Only(_) => Some(3),
        }
    }
}

/// All claims of a set of objects on hosts of the mesh (not of gateways).
pub(super) struct Claims<'a> {
    by_host: BTreeMap<String, Vec<Claim<'a>>>,
    /// Wildcards among the hosts, the longest (most specific) first.
    wildcards: Vec<String>,
}

/// How an object stands towards the hosts that it claims.
#[derive(Default)]
pub(super) struct Standing<'a> {
    /// Hosts for which it decides for at least some clients.
    pub(super) decides: Vec<String>,
    /// Hosts that it lost, with the winner.
    pub(super) lost: Vec<(String, &'a Object)>,
    /// Client namespaces for which another object decides although it decides elsewhere.
    pub(super) not_for: Vec<(String, &'a Object)>,
    /// Whether there are clients for which it does not decide, although it does for others, be it that another object
    /// does or that none does.
    pub(super) partly: bool,
}

impl<'a> Claims<'a> {
    pub(super) fn read(objects: &'a [Object]) -> Self {
        let mut by_host: BTreeMap<String, Vec<Claim<'a>>> = BTreeMap::new();
        for object in objects {
            for host in mesh_hosts(object) {
                let namespace = object.reference.namespace.as_str();
                let visibility = Visibility::read(spec(&object.doc), namespace);
                let claims = by_host.entry(host).or_default();
                claims.push(Claim {
                    object,
                    visibility,
                    units: units_of(object),
                });
            }
        }
        for claims in by_host.values_mut() {
            claims.sort_by(|l, r| age_order(l.object).cmp(&age_order(r.object)));
        }
        let wild = by_host.keys().filter(|host| host.starts_with('*'));
        let mut wildcards: Vec<String> = wild.cloned().collect();
        wildcards.sort_by_key(|host| std::cmp::Reverse(host.len()));
        Self { by_host, wildcards }
    }

    /// The objects that decide about requests (or connections) of `client_namespace` to `host`, oldest first. Several only
    /// if they are of the Gateway API, whose rules are merged. Empty: nobody does, they go to the Service itself.
    pub(super) fn deciders(
        &self,
        host: &str,
        client_namespace: &str,
        unit: SplitUnit,
    ) -> Vec<&'a Object> {
        let covering = self.wildcards.iter().map(String::as_str);
        let covering = covering.filter(|claimed| *claimed != host && host_covers(claimed, host));
        for claimed in std::iter::once(host).chain(covering) {
            let Some(claims) = self.by_host.get(claimed) else {
                continue;
            };
            let ranked = || {
                let rank = |c: &Claim<'a>| Some((c.rank(claimed, client_namespace)?, c.object));
                let of_unit = claims.iter().filter(|claim| claim.units.contains(&unit));
                of_unit.filter_map(rank)
            };
            let Some(best) = ranked().map(|(rank, _)| rank).min() else {
                continue;
            };
            let winners = ranked().filter(|(rank, _)| *rank == best);
            let winners: Vec<_> = winners.map(|(_, object)| object).collect();
            let merged = winners.first().is_some_and(|object| is_gateway_api(object));
            let taken = if merged { winners.len() } else { 1 };
            return winners.into_iter().take(taken).collect();
        }
        Vec::new()
    }

    /// Where this object decides about requests or about connections, and where it does not.
    pub(super) fn standing(&self, object: &Object, unit: SplitUnit) -> Standing<'a> {
        let mut standing = Standing::default();
        for host in mesh_hosts(object) {
            let (mut decides, mut for_all) = (false, true);
            let mut losses = Vec::new();
            for client in self.interesting_clients(&host) {
                let visible = Visibility::read(spec(&object.doc), &object.reference.namespace);
                let deciders = self.deciders(&host, &client, unit);
                if deciders.iter().any(|d| d.reference == object.reference) {
                    decides = true;
                    continue;
                }
                for_all = false;
                if let Some(winner) = deciders.first()
                    && visible.shows_to(&client)
                {
                    losses.push((client, *winner));
                }
            }
            if decides {
                standing.partly |= !for_all;
                standing.not_for.extend(losses);
                standing.decides.push(host);
            } else if let Some((_, winner)) = losses.pop() {
                standing.lost.push((host, winner));
            }
        }
        standing
    }

    /// Client namespaces among which deciders can differ, ending with one that stands for all others.
    fn interesting_clients(&self, host: &str) -> Vec<String> {
        let mut clients = BTreeSet::new();
        for claim in self.by_host.get(host).into_iter().flatten() {
            if let Visibility::Only(names) = &claim.visibility {
                clients.extend(names.iter().cloned());
            }
            if is_gateway_api(claim.object) {
                clients.insert(claim.object.reference.namespace.clone());
            }
        }
        let mut clients: Vec<String> = clients.into_iter().collect();
        clients.push(String::new());
        clients
    }
}

/// Older objects go first; equal times by name, then namespace. A manifest without a time counts as older.
fn age_order(object: &Object) -> (&str, &str, &str) {
    let reference = &object.reference;
    (&object.created, &reference.name, &reference.namespace)
}

/// Whether a VirtualService applies to sidecars: no gateways named, or `mesh` among them.
pub(super) fn applies_to_mesh(spec: &Value) -> bool {
    let gateways = list(spec, "gateways");
    gateways.is_empty() || gateways.iter().any(|g| g.as_str() == Some("mesh"))
}

/// Hosts that the object claims for sidecars, in full; empty for gateway-only routes, delegates and other kinds.
pub(super) fn mesh_hosts(object: &Object) -> Vec<String> {
    let spec = spec(&object.doc);
    match RouteFamily::of(object.reference.kind) {
        Some(RouteFamily::Istio) if applies_to_mesh(spec) => claimed_hosts(object),
        Some(RouteFamily::GatewayApi) => parent_services(object),
        Some(RouteFamily::Istio) | None => Vec::new(),
    }
}

/// Hosts that the object names, in full, whoever they are for.
pub(super) fn claimed_hosts(object: &Object) -> Vec<String> {
    let spec = spec(&object.doc);
    let namespace = object.reference.namespace.as_str();
    let mut hosts = Vec::new();
    if is_gateway_api(object) {
        hosts = parent_services(object);
        hosts.extend(texts(spec, "hostnames"));
    } else {
        hosts.extend(texts(spec, "hosts").iter().map(|h| full_host(h, namespace)));
    }
    let mut seen = BTreeSet::new();
    hosts.retain(|host| seen.insert(host.clone()));
    hosts
}

fn is_gateway_api(object: &Object) -> bool {
    RouteFamily::of(object.reference.kind) == Some(RouteFamily::GatewayApi)
}

fn parent_services(object: &Object) -> Vec<String> {
    let is_service = |parent: &&Value| {
        text(parent, "kind") == Some("Service") && text(parent, "group").is_none_or(|g| g == "core")
    };
    list(spec(&object.doc), "parentRefs")
        .iter()
        .filter(is_service)
        .filter_map(|parent| {
            let namespace = text(parent, "namespace").unwrap_or(&object.reference.namespace);
            Some(service_host(text(parent, "name")?, namespace))
        })
        .collect()
}
