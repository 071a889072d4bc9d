//! Marks of nodes: what a number cannot say.

use std::collections::BTreeSet;

use super::declared::{Declared, Gateway};
use super::identity::{Name, NodeKey};
use super::rows::{UNKNOWN, is_known};
use super::tally::NodeTally;
use super::types::{GraphRequest, NodeKind};

#[cfg(test)]
mod tests;

/// How a node is connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connections {
    pub(super) is_called: bool,
    pub(super) calls: bool,
    pub(super) is_idle: bool,
}

/// The node's marks, sorted:
///
/// - `egress`, `ingress`: a gateway, or one of Envoy's clusters for the outside
/// - `external`: a host that is no service of the cluster
/// - `http-route` (any route of the Gateway API), `virtual-service`: routes steer calls to it
/// - `idle`: no traffic, known for sure
/// - `inaccessible`: nothing more can be asked about it
/// - `outside`: not in a chosen namespace
/// - `root`: calls others and is called by nobody
pub(super) fn badges(
    request: &GraphRequest,
    declared: &Declared<'_>,
    key: &NodeKey<'_>,
    node: &NodeTally<'_>,
    connections: Connections,
) -> Vec<String> {
    let mut marks: BTreeSet<&str> = BTreeSet::new();
    let chosen = &request.namespaces;
    if is_known(key.namespace)
        && !chosen.is_empty()
        && !chosen.iter().any(|namespace| namespace == key.namespace)
    {
        marks.insert("outside");
    }
    if connections.calls && !connections.is_called {
        marks.insert("root");
    }
    if connections.is_idle {
        marks.insert("idle");
    }
    if key.is_egress_cluster() {
        marks.extend(["egress", "inaccessible"]);
    } else if key.kind() == NodeKind::Unknown || key.name == Name::Service(UNKNOWN) {
        marks.insert("inaccessible");
    } else if let Name::Service(host) = key.name {
        // A service of the cluster is known by its short name, a ServiceEntry by its host.
        if host.contains('.') && !declared.services.contains(&(key.namespace, host)) {
            marks.insert("external");
        }
    }
    marks.extend(gateway_mark(declared, key, node));
    let routed = |routes: &BTreeSet<(String, String)>| {
        let named = |(namespace, name): (&str, &str)| {
            routes.contains(&(namespace.to_owned(), name.to_owned()))
        };
        let own = match key.name {
            Name::Service(service) => named((key.namespace, service)) || named(("", service)),
            Name::App(_)
            | Name::Version(_)
            | Name::Revision(..)
            | Name::Workload(_)
            | Name::Unknown => false,
        };
        let mut of_workloads = declared
            .workloads_of(key.namespace, node)
            .flat_map(|workload| workload.services.iter().copied());
        own || node.services.iter().copied().any(named) || of_workloads.any(named)
    };
    if routed(&declared.virtual_services) {
        marks.insert("virtual-service");
    }
    if routed(&declared.gateway_routes) {
        marks.insert("http-route");
    }
    marks.into_iter().map(str::to_owned).collect()
}

fn gateway_mark(
    declared: &Declared<'_>,
    key: &NodeKey<'_>,
    node: &NodeTally<'_>,
) -> Option<&'static str> {
    let by_labels = declared
        .workloads_of(key.namespace, node)
        .find_map(|workload| workload.gateway);
    match (by_labels, node.app) {
        (Some(Gateway::Ingress), _) | (None, Some("istio-ingressgateway")) => Some("ingress"),
        (Some(Gateway::Egress), _) | (None, Some("istio-egressgateway")) => Some("egress"),
        (Some(Gateway::Waypoint) | None, _) => None,
    }
}
