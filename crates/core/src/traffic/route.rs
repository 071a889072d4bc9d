//! What a client meets when it calls a host: the entries of the deciding objects, in order, with every policy that changes
//! the outcome of a request and with Istio's defaults filled in.
//!
//! The reader of this is whoever has to behave like a sidecar (the demo mesh). Picking a target by its ratio, throwing the
//! dice for faults and keeping time is up to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::backing::Backends;
use super::condition::{
    Condition, RequestFacts, StringMatch, conditions_of_object, narrowed, read_conditions,
};
use super::delegate::DELEGATING;
use super::in_force::Claims;
use super::route_api::{Precedence, RouteApi, SplitUnit};
use super::target::Target as Named;
use super::types::Resolution;
use super::view::{duration_ms, list, port, text};
use crate::model::{Object, ObjectKind, ObjectRef};

mod policy;

/// How requests of one client namespace to one host are routed by declaration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectiveRoute {
    /// Host, in full.
    pub host: String,
    /// Entries in the order in which they are tried; the first that fits decides. If none fits: 404.
    pub entries: Vec<RouteEntry>,
}

impl EffectiveRoute {
    /// The entry that decides about this request.
    #[must_use]
    pub fn decide(&self, facts: &RequestFacts) -> Option<&RouteEntry> {
        self.entries.iter().find(|entry| entry.fits(facts))
    }
}

/// One entry of a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteEntry {
    /// Object that it comes from (the delegate, if one was delegated to).
    pub object: ObjectRef,
    /// The list that it stands in.
    pub api: RouteApi,
    /// Index in the list.
    pub index: usize,
    /// Alternatives; empty: every request.
    pub conditions: Vec<Condition>,
    /// What becomes of a request.
    pub action: RouteAction,
    /// Delay injected before anything else.
    pub delay: Option<Delay>,
    /// Answer injected instead of forwarding. It is not retried, and no timeout applies to it.
    pub abort: Option<Abort>,
    /// Deadline of the whole request with its retries; `None`: none.
    pub timeout_ms: Option<u64>,
    /// Retries of the client's proxy.
    pub retries: Retries,
    /// Copies sent elsewhere, their answers thrown away.
    pub mirrors: Vec<Mirror>,
}

impl RouteEntry {
    /// Whether this request takes the entry.
    #[must_use]
    pub fn fits(&self, facts: &RequestFacts) -> bool {
        self.conditions.is_empty() || self.conditions.iter().any(|c| c.fits(facts))
    }
}

/// What becomes of a request that takes an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteAction {
    /// Sent to one of these; ratios add up to 1.
    Forward(Vec<Target>),
    /// Answered by the client's proxy with this status (direct response, redirect, or a rule that can serve nothing).
    Respond(u16),
}

/// Where a request may go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Host, in full.
    pub host: String,
    /// Port, if given.
    pub port: Option<u16>,
    /// Share of the entry's requests, 0..=1.
    pub ratio: f64,
    /// Which endpoints of the host.
    pub selection: Selection,
}

/// Which endpoints of a host take a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All of the Service.
    All,
    /// Those whose pods carry these labels, besides the Service's own selector. None ready: 503 with flag `UH`.
    Subset {
        /// Name of the subset.
        name: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
    },
    /// The subset is not defined: 503 with flag `NC`.
    MissingSubset {
        /// Name of the subset.
        name: String,
    },
    /// There is no such Service: 503 for a VirtualService, 500 for a route of the Gateway API.
    MissingHost,
}

/// An injected delay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    /// Percent of requests, 0..=100.
    pub percent: f64,
    /// How long.
    pub fixed_ms: u64,
}

/// An injected answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Abort {
    /// Percent of requests, 0..=100.
    pub percent: f64,
    /// HTTP status, for an HTTP abort.
    pub http_status: Option<u16>,
    /// gRPC status by name, for a gRPC abort.
    pub grpc_status: Option<String>,
}

/// Retries of the client's proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    /// Further tries after the first; 0: none.
    pub attempts: u32,
    /// Deadline of each try; `None`: the timeout of the whole.
    pub per_try_timeout_ms: Option<u64>,
    /// Conditions, comma separated, as Envoy names them.
    pub retry_on: String,
    /// Base of the exponential pause between tries.
    pub backoff_ms: u64,
}

/// A copy of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mirror {
    /// Percent of requests, 0..=100.
    pub percent: f64,
    /// Where to; its ratio is 1.
    pub target: Target,
}

/// The declared route of `client_namespace` to `host` (in full); `None` if no object decides about it, so that requests go
/// to the Service as it is, with the default [`Retries`].
#[must_use]
pub fn routes_for(
    objects: &[Object],
    client_namespace: &str,
    host: &str,
) -> Option<EffectiveRoute> {
    Router::new(objects).route(client_namespace, host)
}

/// The same for many hosts: indexes the objects once.
pub struct Router<'a> {
    objects: &'a [Object],
    claims: Claims<'a>,
    backends: Backends<'a>,
}

impl<'a> Router<'a> {
    /// Indexes the objects.
    #[must_use]
    pub fn new(objects: &'a [Object]) -> Self {
        Self {
            objects,
            claims: Claims::read(objects),
            backends: Backends::read(objects),
        }
    }

    /// As [`routes_for`].
    #[must_use]
    pub fn route(&self, client_namespace: &str, host: &str) -> Option<EffectiveRoute> {
        let mut declared = false;
        let mut entries = Vec::new();
        for unit in SplitUnit::ALL {
            let deciders = self.claims.deciders(host, client_namespace, unit);
            declared |= !deciders.is_empty();
            let mut of_unit = Vec::new();
            for object in deciders {
                self.read_entries(object, unit, client_namespace, &mut of_unit);
            }
            order_rules(&mut of_unit);
            entries.extend(of_unit);
        }
        declared.then(|| EffectiveRoute {
            host: host.to_owned(),
            entries,
        })
    }

    fn read_entries(
        &self,
        object: &Object,
        unit: SplitUnit,
        client: &str,
        entries: &mut Vec<RouteEntry>,
    ) {
        let lists = RouteApi::of(object.reference.kind).iter();
        for &api in lists.filter(|api| api.unit() == unit) {
            for (index, entry) in api.entries(&object.doc).iter().enumerate() {
                let source = Source {
                    object,
                    api,
                    index,
                    entry,
                };
                self.expand(&source, client, entries);
            }
        }
    }

    fn expand(&self, source: &Source<'_>, client: &str, entries: &mut Vec<RouteEntry>) {
        let whole = conditions_of_object(source.api, &source.object.doc);
        let all = narrowed(&whole, &read_conditions(source.api, source.entry));
        let conditions: Vec<Condition> =
            all.iter().filter(|c| c.concerns(client)).cloned().collect();
        if !all.is_empty() && conditions.is_empty() {
            return;
        }
        if let Some(delegate) = source.entry.get("delegate") {
            self.delegate(source, delegate, &conditions, client, entries);
            return;
        }
        let entry = self.read_entry(source, source.entry, conditions, client);
        if source.api.precedence() == Precedence::MostSpecific && entry.conditions.len() > 1 {
            // The order is by single match, so that alternatives of one rule may stand apart.
            entries.extend(entry.conditions.iter().map(|condition| RouteEntry {
                conditions: vec![condition.clone()],
                ..entry.clone()
            }));
        } else {
            entries.push(entry);
        }
    }

    /// Entries of a delegate, narrowed by the root's conditions; options that it lacks come from the root.
    fn delegate(
        &self,
        root: &Source<'_>,
        delegate: &Value,
        root_conditions: &[Condition],
        client: &str,
        entries: &mut Vec<RouteEntry>,
    ) {
        let namespace = text(delegate, "namespace").unwrap_or(&root.object.reference.namespace);
        let wanted = ObjectRef::new(
            ObjectKind::VirtualService,
            namespace,
            text(delegate, "name").unwrap_or_default(),
        );
        let Some(object) = self.objects.iter().find(|o| o.reference == wanted) else {
            return;
        };
        for (index, entry) in DELEGATING.entries(&object.doc).iter().enumerate() {
            let conditions = narrowed(root_conditions, &read_conditions(DELEGATING, entry));
            let mut merged = root.entry.clone();
            if let (Some(merged), Some(entry)) = (merged.as_object_mut(), entry.as_object()) {
                merged.remove("delegate");
                merged.extend(entry.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            let source = Source {
                object,
                api: DELEGATING,
                index,
                entry,
            };
            entries.push(self.read_entry(&source, &merged, conditions, client));
        }
    }

    fn read_entry(
        &self,
        source: &Source<'_>,
        entry: &Value,
        conditions: Vec<Condition>,
        client: &str,
    ) -> RouteEntry {
        let api = source.api;
        RouteEntry {
            object: source.object.reference.clone(),
            api,
            index: source.index,
            conditions,
            action: self.action(source, entry, client),
            delay: policy::delay(api, entry),
            abort: policy::abort(api, entry),
            timeout_ms: policy::timeout(api, entry),
            retries: policy::retries(api, entry),
            mirrors: self.mirrors(source, entry, client),
        }
    }

    fn action(&self, source: &Source<'_>, entry: &Value, client: &str) -> RouteAction {
        if let Some(status) = policy::own_answer(entry) {
            return RouteAction::Respond(status);
        }
        let api = source.api;
        let ratios = api.effective_ratios(&api.weights(entry));
        let targets: Vec<Target> = api
            .destinations(entry)
            .iter()
            .zip(ratios)
            .filter_map(|(item, ratio)| {
                let named = Named::read(source.object, api, item);
                Some(self.target(named, ratio?, client))
            })
            .collect();
        if !targets.is_empty() {
            return RouteAction::Forward(targets);
        }
        // Nothing to forward to; Istio would not have admitted it.
        RouteAction::Respond(api.status_without_backend())
    }

    fn target(&self, named: Named, ratio: f64, client: &str) -> Target {
        let backing = self
            .backends
            .find(&named.fqdn, named.subset.as_deref(), client);
        let selection = match (named.subset, backing.subset_labels) {
            _ if backing.resolution == Resolution::NoSuchService => Selection::MissingHost,
            (None, _) => Selection::All,
            (Some(name), Some(labels)) => Selection::Subset { name, labels },
            (Some(name), None) => Selection::MissingSubset { name },
        };
        Target {
            host: named.fqdn,
            port: named.port,
            ratio,
            selection,
        }
    }

    fn mirrors(&self, source: &Source<'_>, entry: &Value, client: &str) -> Vec<Mirror> {
        policy::mirrors(source.api, entry)
            .into_iter()
            .filter(|(_, percent)| *percent > 0.0)
            .map(|(destination, percent)| {
                let named = Named::named(source.object, source.api, destination);
                Mirror {
                    percent,
                    target: self.target(named, 1.0, client),
                }
            })
            .collect()
    }
}

/// An entry and where it stands.
struct Source<'a> {
    object: &'a Object,
    api: RouteApi,
    index: usize,
    entry: &'a Value,
}

/// Where the more specific match goes first (exact path, longer prefix, method, more headers, more query parameters) the
/// order of objects and rules only breaks ties.
fn order_rules(entries: &mut [RouteEntry]) {
    if entries
        .first()
        .is_some_and(|entry| entry.api.precedence() == Precedence::MostSpecific)
    {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.conditions.first().map(specificity)));
    }
}

fn specificity(condition: &Condition) -> (u8, usize, bool, usize, usize) {
    let (kind, length) = match &condition.path {
        Some(StringMatch::Exact(path)) => (3, path.len()),
        Some(StringMatch::PathPrefix(path) | StringMatch::Prefix(path)) => (2, path.len()),
        Some(StringMatch::Regex(path)) => (1, path.len()),
        Some(StringMatch::Present) | None => (0, 0),
    };
    (
        kind,
        length,
        condition.method.is_some(),
        condition.headers.len(),
        condition.query.len(),
    )
}

#[cfg(test)]
mod tests;
