//! Routes of the Gateway API that hang on the same parents: their rules are merged, and of equal matches one decides: the
//! one of the older object, then of the first by namespace and name, then the first of the object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::condition::{Condition, read_conditions};
use super::route_api::{RouteApi, RouteFamily};
use super::view::{list, spec, text, texts};
use crate::model::Object;

/// Objects by the parents that they hang on.
pub(super) struct Rivals<'a> {
    by_parent: BTreeMap<String, Vec<&'a Object>>,
}

impl<'a> Rivals<'a> {
    pub(super) fn read(objects: &'a [Object]) -> Self {
        let mut by_parent: BTreeMap<String, Vec<&Object>> = BTreeMap::new();
        for object in objects {
            if RouteFamily::of(object.reference.kind) == Some(RouteFamily::GatewayApi) {
                for parent in parents(object) {
                    by_parent.entry(parent).or_default().push(object);
                }
            }
        }
        Self { by_parent }
    }

    /// The object that decides wherever this entry would, because it matches the same and goes first; `None` if there is
    /// a parent where the entry counts.
    pub(super) fn decider(
        &self,
        object: &Object,
        api: RouteApi,
        entry: &Value,
    ) -> Option<&'a Object> {
        let own = read_conditions(api, entry);
        let mut decider = None;
        for parent in parents(object) {
            let rivals = self.by_parent.get(&parent)?;
            let first = rivals.iter().find(|rival| {
                goes_before(rival, object)
                    && rival.reference.kind == object.reference.kind
                    && hostnames(rival) == hostnames(object)
                    && covers(rival, api, &own)
            });
            decider = Some(*first?);
        }
        decider
    }
}

/// Whether some entries of the rival match all that these conditions match, each by an equal one.
fn covers(rival: &Object, api: RouteApi, own: &[Condition]) -> bool {
    let entries = api.entries(&rival.doc).iter();
    let theirs: Vec<Vec<Condition>> = entries.map(|entry| read_conditions(api, entry)).collect();
    if own.is_empty() {
        return theirs.iter().any(Vec::is_empty);
    }
    let has = |condition: &Condition| theirs.iter().flatten().any(|other| other == condition);
    own.iter().all(has)
}

fn goes_before(rival: &Object, object: &Object) -> bool {
    let order = |o: &Object| {
        let reference = o.reference.clone();
        (o.created.clone(), reference.namespace, reference.name)
    };
    order(rival) < order(object)
}

/// Hosts at a gateway; a route of a Service ignores them.
fn hostnames(object: &Object) -> BTreeSet<String> {
    texts(spec(&object.doc), "hostnames").into_iter().collect()
}

/// Each parent as text: group, kind, namespace, name, section and port.
fn parents(object: &Object) -> Vec<String> {
    let own = object.reference.namespace.as_str();
    let parent = |parent: &Value| {
        let field = |name: &str, default: &str| text(parent, name).unwrap_or(default).to_owned();
        let port = parent.get("port").map(Value::to_string);
        [
            field("group", "gateway.networking.k8s.io"),
            field("kind", "Gateway"),
            field("namespace", own),
            field("name", ""),
            field("sectionName", ""),
            port.unwrap_or_default(),
        ]
        .join("/")
    };
    list(spec(&object.doc), "parentRefs")
        .iter()
        .map(parent)
        .collect()
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "literals read better without borrows"
)]
mod tests;
