//! Several clusters in one picture: which cluster a name in the telemetry means, and whose objects and failures bear on
//! it.
//!
//! Istio names clusters in `source_cluster` and `destination_cluster`, by the id that the operator of each gave it; nobody
//! makes sure that these ids differ. A [`ClusterPart`] is what one context of the kubeconfig brings: its id, its metrics
//! and its objects. [`Realms`] holds what a fold asks of them:
//!
//! - Of a name, the [`ClusterKey`]: the name itself, and beside it the context where the name alone would not tell two
//!   clusters apart. Inside the rows of one server such a name means the cluster of that server.
//! - Of a cluster, the objects declared there and the protocols whose rates its server did not tell. A failure of one
//!   cluster's server never makes anything of another's unknown.
//!
//! The ids that parts do not know are read from their rows (`names`): a proxy reports to the server of its own cluster.

use std::collections::BTreeSet;

use super::declared::Declared;
use super::rows::{Peer, UNKNOWN, is_known};
use super::types::{FetchedRows, GraphRequest, Protocol};
use crate::model::{Finding, Object};

mod names;
mod server;

#[cfg(test)]
mod tests;

pub(super) use server::{Server, unknown_protocols};

/// What one context of the kubeconfig brings into a picture of several clusters.
#[derive(Clone, Copy, Debug)]
pub struct ClusterPart<'a> {
    /// Name of the context, any text. Parts of equal contexts are one.
    pub context: &'a str,
    /// Istio's id of the cluster that the context reaches (`Kubernetes` where nobody chose one). `None`: not known; it is
    /// then read from what the cluster's proxies report.
    pub cluster: Option<&'a str>,
    /// Where the cluster's rows are.
    pub metrics: PartMetrics<'a>,
    /// The objects declared in the cluster.
    pub objects: &'a [Object],
}

/// Where the rows of a cluster are.
#[derive(Clone, Copy, Debug)]
pub enum PartMetrics<'a> {
    /// Answers of a server that this context has to itself, or of one that it asked for itself: rows that several parts
    /// bring count once. A context without metrics brings failed answers, or none: then everything is unknown.
    Own(&'a FetchedRows),
    /// Among the rows of the part with this context: both have one server, and it was asked once.
    SharedWith(&'a str),
}

/// Which cluster, in one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClusterKey<'a> {
    /// Istio's id, or `unknown`.
    pub(super) name: &'a str,
    /// The context that reaches it, only where several clusters go by that name.
    pub(super) context: Option<&'a str>,
}

impl<'a> ClusterKey<'a> {
    /// Not known, or none at all.
    pub(super) const NONE: Self = Self {
        name: UNKNOWN,
        context: None,
    };

    pub(super) const fn named(name: &'a str) -> Self {
        Self {
            name,
            context: None,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.context.is_some() || is_known(self.name)
    }
}

/// A cluster that we are connected to.
#[derive(Debug)]
pub(super) struct Realm<'a> {
    /// `None`: it is the only one, and not known which; then every cluster may be it.
    pub(super) key: Option<ClusterKey<'a>>,
    /// The context that reaches it; `None` where several do that nothing tells apart, and where nobody asked.
    pub(super) context: Option<&'a str>,
    pub(super) declared: Declared<'a>,
    /// Protocols whose rates in this cluster are not known.
    pub(super) unknown: BTreeSet<Protocol>,
}

/// The clusters and servers of a picture.
#[derive(Debug)]
pub(super) struct Realms<'a> {
    pub(super) realms: Vec<Realm<'a>>,
    pub(super) servers: Vec<Server<'a>>,
    /// What we noticed about the parts.
    pub(super) findings: Vec<Finding>,
    /// Protocols that any server did not tell: whatever lies in no realm may have more of them than we know.
    anywhere: BTreeSet<Protocol>,
    nothing: Declared<'a>,
}

impl<'a> Realms<'a> {
    /// One server and one list of objects, of whatever clusters.
    pub(super) fn alone(
        request: &GraphRequest,
        rows: &'a FetchedRows,
        objects: &'a [Object],
    ) -> Self {
        let server = Server::alone(request, rows);
        let realm = Realm {
            key: None,
            context: None,
            declared: Declared::read(objects.iter()),
            unknown: server.unknown.clone(),
        };
        Self::new(vec![realm], vec![server], Vec::new())
    }

    /// The clusters of these parts. Their order does not matter.
    pub(super) fn of(request: &GraphRequest, parts: &'a [ClusterPart<'a>]) -> Self {
        names::realms(request, parts)
    }

    fn new(realms: Vec<Realm<'a>>, servers: Vec<Server<'a>>, findings: Vec<Finding>) -> Self {
        let unknown = servers.iter().flat_map(|server| &server.unknown);
        Self {
            anywhere: unknown.copied().collect(),
            realms,
            servers,
            findings,
            nothing: Declared::default(),
        }
    }

    /// The cluster of this name, if we are connected to it.
    pub(super) fn of_cluster(&self, key: &ClusterKey<'_>) -> Option<&Realm<'a>> {
        self.realms
            .iter()
            .find(|realm| realm.key.is_none_or(|own| own == *key))
    }

    /// What is declared in a cluster; nothing if we are not connected to it.
    pub(super) fn declared(&self, key: &ClusterKey<'_>) -> &Declared<'a> {
        self.of_cluster(key)
            .map_or(&self.nothing, |realm| &realm.declared)
    }

    /// Protocols whose rates in a cluster are not known.
    pub(super) fn unknown(&self, key: &ClusterKey<'_>) -> &BTreeSet<Protocol> {
        self.of_cluster(key)
            .map_or(&self.anywhere, |realm| &realm.unknown)
    }

    /// Whether this end of a call is a waypoint. One whose cluster the telemetry does not name may be in any.
    pub(super) fn is_waypoint(&self, peer: &Peer<'_>) -> bool {
        if peer.cluster.is_known() {
            return self.declared(&peer.cluster).is_waypoint(peer);
        }
        let mut realms = self.realms.iter();
        realms.any(|realm| realm.declared.is_waypoint(peer))
    }
}
