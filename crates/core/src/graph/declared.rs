//! What is declared, beside what is measured: nodes that carry no traffic, and labels that say what a workload is.
//!
//! Reads Deployments, Services, VirtualServices and HTTPRoutes; any of them may be absent. Names follow Istio: the
//! canonical service and revision come from labels of the pods, in Istio's order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::clusters::ClusterKey;
use super::identity::{Name, NodeKey};
use super::queries::has_service_nodes;
use super::rows::Peer;
use super::tally::NodeTally;
use super::types::{GraphRequest, GraphType};
use crate::model::{Object, ObjectKind};
use crate::traffic::RouteFamily;

#[cfg(test)]
mod tests;

const CANONICAL_NAME: [&str; 3] = [
    "service.istio.io/canonical-name",
    "app.kubernetes.io/name",
    "app",
];
const CANONICAL_REVISION: [&str; 3] = [
    "service.istio.io/canonical-revision",
    "app.kubernetes.io/version",
    "version",
];
/// The cluster name of an Istio that was not told one. Used where no telemetry names the cluster.
const DEFAULT_CLUSTER: &str = "Kubernetes";

/// Namespace and name.
pub(super) type Named<'a> = (&'a str, &'a str);

/// Declared objects that bear on the graph.
#[derive(Debug, Default)]
pub(super) struct Declared<'a> {
    pub(super) workloads: BTreeMap<Named<'a>, Workload<'a>>,
    pub(super) services: BTreeSet<Named<'a>>,
    /// Workloads that are waypoints; apart, since both ends of every row are looked up.
    waypoints: BTreeSet<Named<'a>>,
    /// Services (or hosts, with an empty namespace) that a VirtualService routes.
    pub(super) virtual_services: BTreeSet<(String, String)>,
    /// Services that a route of the Gateway API routes inside the mesh.
    pub(super) gateway_routes: BTreeSet<(String, String)>,
}

/// A declared workload.
#[derive(Debug)]
pub(super) struct Workload<'a> {
    pub(super) app: &'a str,
    pub(super) version: &'a str,
    /// Services whose selector fits.
    pub(super) services: BTreeSet<Named<'a>>,
    /// Which gateway it is, if it is one.
    pub(super) gateway: Option<Gateway>,
}

/// Kinds of gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gateway {
    Ingress,
    Egress,
    /// Of an ambient mesh, between callers and the workloads of a namespace or a service.
    Waypoint,
}

impl<'a> Declared<'a> {
    /// Reads the objects of one cluster.
    pub(super) fn read(objects: impl Iterator<Item = &'a Object> + Clone) -> Self {
        let mut declared = Self::default();
        let services = services_by_namespace(objects.clone());
        for object in objects {
            let named = (
                object.reference.namespace.as_str(),
                object.reference.name.as_str(),
            );
            match RouteFamily::of(object.reference.kind) {
                Some(RouteFamily::Istio) => declared
                    .virtual_services
                    .extend(texts(&object.doc, "/spec/hosts").map(|host| resolve(host, named.0))),
                Some(RouteFamily::GatewayApi) => {
                    declared.gateway_routes.extend(route_services(object));
                }
                None => {}
            }
            match object.reference.kind {
                ObjectKind::Deployment => {
                    let near = services.get(named.0).map_or(&[][..], Vec::as_slice);
                    let workload = workload(object, near);
                    if workload.gateway == Some(Gateway::Waypoint) {
                        declared.waypoints.insert(named);
                    }
                    declared.workloads.insert(named, workload);
                }
                ObjectKind::Service => {
                    declared.services.insert(named);
                }
                ObjectKind::Namespace
                | ObjectKind::DestinationRule
                | ObjectKind::VirtualService
                | ObjectKind::HttpRoute
                | ObjectKind::GrpcRoute
                | ObjectKind::TcpRoute
                | ObjectKind::TlsRoute => {}
            }
        }
        declared
    }

    /// Whether this workload or app may still exist. Of the kinds of workloads only Deployments are known, so one that is
    /// not among them is gone only if it was called through a Service that runs on Deployments.
    pub(super) fn may_exist(&self, key: &NodeKey<'_>, node: &NodeTally<'_>) -> bool {
        let is_known = |((_, name), workload): (&Named<'_>, &Workload<'_>)| match key.name {
            Name::Workload(wanted) | Name::Version(wanted) => wanted == *name,
            Name::App(app) => app == workload.app,
            Name::Revision(app, version) => app == workload.app && version == workload.version,
            Name::Service(_) | Name::Unknown => true,
        };
        let runs_on_deployments = |(namespace, service): &Named<'_>| {
            self.workloads_in(namespace)
                .any(|(_, workload)| workload.services.contains(&(*namespace, *service)))
        };
        self.workloads_in(key.namespace).any(is_known)
            || !node.services.iter().any(runs_on_deployments)
    }

    /// Whether this end of a call is a waypoint.
    pub(super) fn is_waypoint(&self, peer: &Peer<'_>) -> bool {
        self.waypoints.contains(&(peer.namespace, peer.workload))
    }

    /// Declared workloads that this node stands for.
    pub(super) fn workloads_of<'b>(
        &'b self,
        namespace: &'b str,
        node: &'b NodeTally<'a>,
    ) -> impl Iterator<Item = &'b Workload<'a>> {
        self.workloads_in(namespace)
            .filter(|((_, name), workload)| match (node.workload, node.app) {
                (Some(wanted), _) => wanted == *name,
                (None, Some(app)) => app == workload.app,
                (None, None) => false,
            })
            .map(|(_, workload)| workload)
    }

    fn workloads_in<'b>(
        &'b self,
        namespace: &'b str,
    ) -> impl Iterator<Item = (&'b Named<'b>, &'b Workload<'a>)> {
        let from: Named<'b> = (namespace, "");
        self.workloads
            .range::<Named<'b>, _>(from..)
            .take_while(move |((of, _), _)| *of == namespace)
    }

    /// Adds a node for everything declared in the chosen namespaces that has none. `cluster` is where the objects are;
    /// `None` if that is not known, see [`Homes`].
    pub(super) fn add_missing(
        &self,
        request: &GraphRequest,
        cluster: Option<ClusterKey<'a>>,
        nodes: &mut BTreeMap<NodeKey<'a>, NodeTally<'a>>,
    ) {
        let known: BTreeSet<(&str, Name<'_>)> = nodes
            .keys()
            .filter(|key| cluster.is_none_or(|own| own == key.cluster))
            .map(|key| (key.namespace, key.name))
            .collect();
        let chosen = |namespace: &str| {
            request.namespaces.is_empty() || request.namespaces.iter().any(|n| n == namespace)
        };
        let homes = cluster.is_none().then(|| Homes::of(nodes.keys()));
        let home = |namespace: &str| {
            let likely = homes.as_ref().map(|homes| homes.of_namespace(namespace));
            cluster.or(likely).unwrap_or(ClusterKey::NONE)
        };
        let mut missing: Vec<(Named<'a>, Name<'a>, NodeTally<'a>)> = Vec::new();
        if request.graph_type != GraphType::Service {
            for (named, workload) in &self.workloads {
                let (name, node) = workload.node(request.graph_type, named.1);
                missing.push((*named, name, node));
            }
        }
        if has_service_nodes(request) {
            for named in &self.services {
                missing.push((*named, Name::Service(named.1), NodeTally::default()));
            }
        }
        for ((namespace, _), name, node) in missing {
            if chosen(namespace) && !known.contains(&(namespace, name)) {
                let key = NodeKey {
                    cluster: home(namespace),
                    namespace,
                    name,
                };
                let slot = nodes.entry(key).or_default();
                let services = std::mem::take(&mut slot.services);
                *slot = node;
                slot.services.extend(services);
            }
        }
    }
}

impl<'a> Workload<'a> {
    fn node(&self, graph_type: GraphType, workload: &'a str) -> (Name<'a>, NodeTally<'a>) {
        let (name, keeps_workload) = match graph_type {
            _ if self.gateway == Some(Gateway::Waypoint) => (Name::Workload(workload), true),
            GraphType::Workload | GraphType::Service => (Name::Workload(workload), true),
            GraphType::App => (Name::App(self.app), false),
            GraphType::VersionedApp => (Name::Version(workload), true),
        };
        let node = NodeTally {
            workload: keeps_workload.then_some(workload),
            app: Some(self.app),
            version: keeps_workload.then_some(self.version),
            services: self.services.clone(),
            ..NodeTally::default()
        };
        (name, node)
    }
}

/// Which cluster a declared object is likely in, where only telemetry tells.
struct Homes<'a> {
    by_namespace: BTreeMap<&'a str, ClusterKey<'a>>,
    overall: ClusterKey<'a>,
}

impl<'a> Homes<'a> {
    fn of<'k>(keys: impl Iterator<Item = &'k NodeKey<'a>>) -> Self
    where
        'a: 'k,
    {
        let mut counts: BTreeMap<&str, BTreeMap<ClusterKey<'_>, usize>> = BTreeMap::new();
        let mut totals: BTreeMap<ClusterKey<'_>, usize> = BTreeMap::new();
        for key in keys.filter(|key| key.cluster.is_known()) {
            let of_namespace = counts.entry(key.namespace).or_default();
            *of_namespace.entry(key.cluster).or_default() += 1;
            *totals.entry(key.cluster).or_default() += 1;
        }
        Self {
            by_namespace: counts
                .iter()
                .filter_map(|(namespace, clusters)| Some((*namespace, most(clusters)?)))
                .collect(),
            overall: most(&totals).unwrap_or(ClusterKey::named(DEFAULT_CLUSTER)),
        }
    }

    fn of_namespace(&self, namespace: &str) -> ClusterKey<'a> {
        let found = self.by_namespace.get(namespace);
        found.copied().unwrap_or(self.overall)
    }
}

/// The most frequent; the first by name of equals.
fn most<'a>(counts: &BTreeMap<ClusterKey<'a>, usize>) -> Option<ClusterKey<'a>> {
    let best = counts.values().max()?;
    let mut clusters = counts.iter().filter(|(_, count)| *count == best);
    clusters.next().map(|(cluster, _)| *cluster)
}

fn services_by_namespace<'a>(
    objects: impl Iterator<Item = &'a Object>,
) -> BTreeMap<&'a str, Vec<&'a Object>> {
    let mut services: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
    for object in objects {
        if object.reference.kind == ObjectKind::Service {
            services
                .entry(&object.reference.namespace)
                .or_default()
                .push(object);
        }
    }
    services
}

fn workload<'a>(deployment: &'a Object, services: &[&'a Object]) -> Workload<'a> {
    let pod_labels = deployment.doc.pointer("/spec/template/metadata/labels");
    let label = |name: &str| {
        let of_pod = pod_labels.and_then(|labels| labels.get(name)?.as_str());
        let of_object = || deployment.labels.get(name).map(String::as_str);
        of_pod.or_else(of_object).filter(|value| !value.is_empty())
    };
    let first = |names: [&str; 3]| names.iter().find_map(|name| label(name));
    let app = first(CANONICAL_NAME).unwrap_or(&deployment.reference.name);
    Workload {
        app,
        version: first(CANONICAL_REVISION).unwrap_or("latest"),
        services: services
            .iter()
            .filter(|service| selects(&service.doc, pod_labels))
            .map(|service| {
                (
                    service.reference.namespace.as_str(),
                    service.reference.name.as_str(),
                )
            })
            .collect(),
        gateway: match label("istio") {
            Some("ingressgateway") => Some(Gateway::Ingress),
            Some("egressgateway") => Some(Gateway::Egress),
            _ if label("gateway.istio.io/managed") == Some("istio.io-mesh-controller") => {
                Some(Gateway::Waypoint)
            }
            _ => label("gateway.networking.k8s.io/gateway-name").map(|_| Gateway::Ingress),
        },
    }
}

/// Whether the Service's selector fits these labels. An empty selector selects nothing.
fn selects(service: &Value, labels: Option<&Value>) -> bool {
    let selector = service.pointer("/spec/selector").and_then(Value::as_object);
    selector.is_some_and(|selector| {
        !selector.is_empty()
            && selector
                .iter()
                .all(|(name, value)| labels.and_then(|labels| labels.get(name)) == Some(value))
    })
}

fn texts<'a>(doc: &'a Value, pointer: &str) -> impl Iterator<Item = &'a str> {
    let list = doc.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// The service that a host of a VirtualService names, or the host with an empty namespace.
fn resolve(host: &str, namespace: &str) -> (String, String) {
    let mut parts = host.split('.');
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    match (first, second, third) {
        (Some(name), None, _) => (namespace.to_owned(), name.to_owned()),
        (Some(name), Some(of), None | Some("svc")) => (of.to_owned(), name.to_owned()),
        _ => (String::new(), host.to_owned()),
    }
}

/// Services that are parents of the route: a route of the mesh, not of a gateway.
fn route_services(route: &Object) -> impl Iterator<Item = (String, String)> {
    let parents = route
        .doc
        .pointer("/spec/parentRefs")
        .and_then(Value::as_array);
    parents.into_iter().flatten().filter_map(|parent| {
        let text = |key: &str| parent.get(key).and_then(Value::as_str);
        let own = route.reference.namespace.as_str();
        let namespace = text("namespace").unwrap_or(own).to_owned();
        let name = text("name")?.to_owned();
        (text("kind") == Some("Service")).then_some((namespace, name))
    })
}
