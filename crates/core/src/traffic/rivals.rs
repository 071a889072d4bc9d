//! Routes of the Gateway API that hang on the same parents: their rules are merged, and of equal matches one decides: the
//! one of the older object, then of the first by namespace and name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::condition::read_conditions;
use super::route_api::{RouteApi, RouteFamily};
use super::view::{list, spec, text, texts};
use crate::model::Object;

/// Objects that may take each other's requests: of one kind, on one parent, for the same hosts. They are many where a
/// gateway has many routes, so what each matches is read once and looked up.
pub(super) struct Rivals<'a> {
    groups: BTreeMap<String, Group<'a>>,
}

#[derive(Default)]
struct Group<'a> {
    /// In the order in which they go.
    objects: Vec<&'a Object>,
    /// Which of them match this, by their places in that order.
    matching: BTreeMap<String, BTreeSet<usize>>,
}

impl<'a> Rivals<'a> {
    pub(super) fn read(objects: &'a [Object]) -> Self {
        let mut routes: Vec<&Object> = objects
            .iter()
            .filter(|o| RouteFamily::of(o.reference.kind) == Some(RouteFamily::GatewayApi))
            .collect();
        routes.sort_by_key(|o| (&o.created, &o.reference.namespace, &o.reference.name));
        let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
        for object in routes {
            for name in groups_of(object) {
                groups.entry(name).or_default().add(object);
            }
        }
        Self { groups }
    }

    /// The object that decides wherever this entry would, because it matches the same and goes first; `None` if there is
    /// a parent where the entry counts.
    pub(super) fn decider(
        &self,
        object: &Object,
        api: RouteApi,
        entry: &Value,
    ) -> Option<&'a Object> {
        let own = matches_of(api, entry);
        let mut decider = None;
        for name in groups_of(object) {
            decider = Some(self.groups.get(&name)?.before(object, &own)?);
        }
        decider
    }
}

impl<'a> Group<'a> {
    fn add(&mut self, object: &'a Object) {
        let place = self.objects.len();
        self.objects.push(object);
        for api in RouteApi::of(object.reference.kind) {
            for entry in api.entries(&object.doc) {
                for matched in matches_of(*api, entry) {
                    self.matching.entry(matched).or_default().insert(place);
                }
            }
        }
    }

    /// The first object before this one that matches all of these.
    fn before(&self, object: &Object, matches: &[String]) -> Option<&'a Object> {
        let (first, others) = matches.split_first()?;
        let has = |matched: &String, place: &usize| {
            let places = self.matching.get(matched);
            places.is_some_and(|places| places.contains(place))
        };
        let mut places = self.matching.get(first)?.iter();
        let place = places.find(|place| others.iter().all(|other| has(other, place)))?;
        let found = *self.objects.get(*place)?;
        (found.reference != object.reference).then_some(found)
    }
}

/// What an entry matches, as text: alternatives that are equal are equal texts. One without any matches everything.
fn matches_of(api: RouteApi, entry: &Value) -> Vec<String> {
    let conditions = read_conditions(api, entry);
    if conditions.is_empty() {
        return vec![String::new()];
    }
    let written = conditions.iter().map(|condition| format!("{condition:?}"));
    written.collect()
}

/// A name for each parent, together with the kind and the hosts at a gateway (a route of a Service ignores them).
fn groups_of(object: &Object) -> Vec<String> {
    let own = object.reference.namespace.as_str();
    let hosts: BTreeSet<String> = texts(spec(&object.doc), "hostnames").into_iter().collect();
    let hosts = hosts.into_iter().collect::<Vec<_>>().join(",");
    let name = |parent: &Value| {
        let field = |name: &str, default: &str| text(parent, name).unwrap_or(default).to_owned();
        let port = parent.get("port").map(Value::to_string);
        [
            object.reference.kind.to_string(),
            field("group", "gateway.networking.k8s.io"),
            field("kind", "Gateway"),
            field("namespace", own),
            field("name", ""),
            field("sectionName", ""),
            port.unwrap_or_default(),
            hosts.clone(),
        ]
        .join("/")
    };
    list(spec(&object.doc), "parentRefs")
        .iter()
        .map(name)
        .collect()
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "literals read better without borrows"
)]
mod tests;
