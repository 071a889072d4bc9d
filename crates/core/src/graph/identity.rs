//! Who the ends of a report are in the asked graph type.
//!
//! A [`NodeKey`] borrows its names from the rows; [`NodeKey::id`] writes it as the stable id that positions, selections
//! and links hang on. Equal (type, cluster, namespace, names) give equal ids, and different ones different ids.

use std::fmt::Write as _;

use super::clusters::ClusterKey;
use super::rows::{Peer, UNKNOWN, is_known};
use super::types::{GraphType, NodeKind};

#[cfg(test)]
mod tests;

/// Where Envoy sends calls that no route is for, if that is allowed.
pub(super) const PASSTHROUGH: &str = "PassthroughCluster";
/// Where Envoy sends calls that no route is for, if that is not allowed.
pub(super) const BLACK_HOLE: &str = "BlackHoleCluster";

/// Identity of a node. What differs most stands first, for keys are compared in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeKey<'a> {
    pub(super) name: Name<'a>,
    pub(super) namespace: &'a str,
    pub(super) cluster: ClusterKey<'a>,
}

/// The part of an identity below the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name<'a> {
    App(&'a str),
    /// A version of an app, known by its workload.
    Version(&'a str),
    /// A version of an app whose workload is not known.
    Revision(&'a str, &'a str),
    Service(&'a str),
    Workload(&'a str),
    /// Somebody without telemetry.
    Unknown,
}

impl NodeKey<'_> {
    pub(super) const fn kind(&self) -> NodeKind {
        match self.name {
            Name::App(_) | Name::Version(_) | Name::Revision(..) => NodeKind::App,
            Name::Service(_) => NodeKind::Service,
            Name::Workload(_) => NodeKind::Workload,
            Name::Unknown => NodeKind::Unknown,
        }
    }

    pub(super) const fn service(&self) -> Option<&str> {
        match self.name {
            Name::Service(service) => Some(service),
            Name::App(_)
            | Name::Version(_)
            | Name::Revision(..)
            | Name::Workload(_)
            | Name::Unknown => None,
        }
    }

    /// Whether this stands for everything outside the mesh's registry.
    pub(super) fn is_egress_cluster(&self) -> bool {
        matches!(self.name, Name::Service(PASSTHROUGH | BLACK_HOLE))
    }

    pub(super) fn id(&self) -> String {
        let (prefix, names): (&str, [&str; 2]) = match self.name {
            Name::App(app) => ("app", [app, ""]),
            Name::Version(workload) => ("version", [workload, ""]),
            Name::Revision(app, version) => ("version", [app, version]),
            Name::Service(service) => ("service", [service, ""]),
            Name::Workload(workload) => ("workload", [workload, ""]),
            Name::Unknown => ("unknown", [UNKNOWN, ""]),
        };
        let mut id = String::from(prefix);
        id.push(':');
        push_part(&mut id, self.cluster.name);
        if let Some(context) = self.cluster.context {
            id.push('@');
            push_part(&mut id, context);
        }
        id.push('/');
        push_part(&mut id, self.namespace);
        id.push('/');
        push_part(&mut id, names[0]);
        if let Name::Revision(..) = self.name {
            id.push('@');
            push_part(&mut id, names[1]);
        }
        id
    }
}

/// The box that a node of this id stands in: its namespace of its cluster, as they are written in the id.
#[must_use]
pub fn box_of(id: &str) -> &str {
    let (_, place) = id.split_once(':').unwrap_or(("", id));
    let end = place.match_indices('/').nth(1);
    end.and_then(|(at, _)| place.get(..at)).unwrap_or(place)
}

/// The cluster of a box, as it is written in the box's id; this is the id of the cluster's own box.
#[must_use]
pub fn cluster_of(box_id: &str) -> &str {
    box_id
        .split_once('/')
        .map_or(box_id, |(cluster, _)| cluster)
}

/// Appends a name; the characters that structure ids are written as `%XX`, so that two identities never share an id.
fn push_part(id: &mut String, part: &str) {
    for c in part.chars() {
        if matches!(c, '%' | '/' | '>' | '@') {
            // Writing to a String cannot fail.
            let _written = write!(id, "%{:02X}", u32::from(c));
        } else {
            id.push(c);
        }
    }
}

/// Who this end is; `None` if the row names nobody. A waypoint is its workload in every graph: it serves many apps.
pub(super) fn identify<'a>(
    graph_type: GraphType,
    is_waypoint: bool,
    peer: &Peer<'a>,
) -> Option<NodeKey<'a>> {
    let namespace = if is_known(peer.namespace) {
        peer.namespace
    } else if is_known(peer.service_namespace) {
        peer.service_namespace
    } else {
        UNKNOWN
    };
    let key = |name| NodeKey {
        cluster: peer.cluster,
        namespace,
        name,
    };
    let has_workload = is_known(peer.workload);
    let has_app = is_known(peer.app);
    if !has_workload && !has_app && !is_known(peer.service) {
        return if peer.service.is_empty() {
            (namespace == UNKNOWN).then(|| key(Name::Unknown))
        } else if peer.workload == UNKNOWN && peer.app == UNKNOWN {
            Some(key(Name::Service(UNKNOWN)))
        } else {
            None
        };
    }
    let workload_or_service = || {
        if has_workload {
            key(Name::Workload(peer.workload))
        } else {
            let named = is_known(peer.service);
            key(Name::Service(if named { peer.service } else { UNKNOWN }))
        }
    };
    if is_waypoint {
        return Some(workload_or_service());
    }
    Some(match graph_type {
        GraphType::App if has_app => key(Name::App(peer.app)),
        GraphType::VersionedApp if has_app && has_workload => key(Name::Version(peer.workload)),
        GraphType::VersionedApp if has_app => {
            if is_known(peer.version) && peer.version != "latest" {
                key(Name::Revision(peer.app, peer.version))
            } else {
                key(Name::App(peer.app))
            }
        }
        GraphType::Workload | GraphType::Service | GraphType::App | GraphType::VersionedApp => {
            workload_or_service()
        }
    })
}

/// The service node between the ends of a call, if there is one to draw: not for calls that bypass services, and not
/// where the target is a service anyway.
pub(super) fn service_between<'a>(
    service_nodes: bool,
    target: &Peer<'a>,
    target_key: &NodeKey<'a>,
) -> Option<NodeKey<'a>> {
    let drawn = service_nodes
        && is_known(target.service)
        && target.service != PASSTHROUGH
        && target_key.kind() != NodeKind::Service;
    drawn.then(|| NodeKey {
        cluster: target_key.cluster,
        namespace: if is_known(target.service_namespace) {
            target.service_namespace
        } else {
            UNKNOWN
        },
        name: Name::Service(target.service),
    })
}
