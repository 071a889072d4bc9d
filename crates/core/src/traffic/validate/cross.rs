//! Checks of documents against each other, where the set holds the kinds that are referred to. All warnings: what is missing
//! here may exist in the cluster.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::backing::Backends;
use super::super::hosts::{full_host, host_covers, service_host};
use super::super::in_force::{Visibility, mesh_hosts};
use super::super::route_api::{RouteApi, RouteFamily};
use super::super::target::Target;
use super::super::types::Resolution;
use super::super::view::{list, spec, text, texts};
use super::report::subject;
use crate::model::{Finding, Object, ObjectKind, Severity};

/// Where a manifest without a namespace goes.
const DEFAULT_NAMESPACE: &str = "default";

pub(super) fn check(docs: &[Value]) -> Vec<Finding> {
    let objects: Vec<Object> = docs.iter().filter_map(read).collect();
    let set = Set {
        backends: Backends::read(&objects),
        has_hosts: docs
            .iter()
            .any(|doc| matches!(text(doc, "kind"), Some("Service" | "ServiceEntry"))),
        service_entries: entry_hosts(docs),
        gateways: gateways(docs),
        has_rules: objects
            .iter()
            .any(|o| o.reference.kind == ObjectKind::DestinationRule),
        objects: &objects,
        docs,
    };
    let mut findings = Vec::new();
    for object in &objects {
        for &api in RouteApi::of(object.reference.kind) {
            for (index, entry) in api.entries(&object.doc).iter().enumerate() {
                let path = api.entry_path(index);
                set.check_entry(object, api, entry, &path, &mut findings);
            }
        }
        set.check_gateways(object, &mut findings);
        set.check_rule(object, &mut findings);
    }
    findings.extend(conflicts(&objects));
    findings
}

fn read(doc: &Value) -> Option<Object> {
    let mut object = Object::from_document(doc.clone())?;
    if object.reference.namespace.is_empty() && object.reference.kind != ObjectKind::Namespace {
        DEFAULT_NAMESPACE.clone_into(&mut object.reference.namespace);
    }
    Some(object)
}

/// A host that a ServiceEntry adds to the mesh.
struct ServiceEntryHost {
    host: String,
    visibility: Visibility,
}

fn entry_hosts(docs: &[Value]) -> Vec<ServiceEntryHost> {
    let mut hosts = Vec::new();
    for doc in docs
        .iter()
        .filter(|doc| text(doc, "kind") == Some("ServiceEntry"))
    {
        let namespace = doc.get("metadata").and_then(|m| text(m, "namespace"));
        let visibility = Visibility::read(spec(doc), namespace.unwrap_or(DEFAULT_NAMESPACE));
        hosts.extend(
            texts(spec(doc), "hosts")
                .into_iter()
                .map(|host| ServiceEntryHost {
                    host,
                    visibility: visibility.clone(),
                }),
        );
    }
    hosts
}

/// Istio gateways of the set as `namespace/name`; `None` if it holds none, so that nothing can be said.
fn gateways(docs: &[Value]) -> Option<Vec<String>> {
    let names: Vec<String> = docs
        .iter()
        .filter(|doc| text(doc, "kind") == Some("Gateway"))
        .filter_map(|doc| {
            let metadata = doc.get("metadata")?;
            let namespace = text(metadata, "namespace").unwrap_or(DEFAULT_NAMESPACE);
            Some(format!("{namespace}/{}", text(metadata, "name")?))
        })
        .collect();
    (!names.is_empty()).then_some(names)
}

struct Set<'a> {
    backends: Backends<'a>,
    service_entries: Vec<ServiceEntryHost>,
    /// Whether the set says anything about which hosts there are.
    has_hosts: bool,
    gateways: Option<Vec<String>>,
    has_rules: bool,
    objects: &'a [Object],
    docs: &'a [Value],
}

impl Set<'_> {
    fn check_entry(
        &self,
        object: &Object,
        api: RouteApi,
        entry: &Value,
        path: &str,
        findings: &mut Vec<Finding>,
    ) {
        let field = api.destinations_field();
        for (index, item) in api.destinations(entry).iter().enumerate() {
            let target = Target::read(object, api, item);
            let path = match api.family() {
                RouteFamily::GatewayApi => format!("{path}/{field}/{index}"),
                RouteFamily::Istio => format!("{path}/{field}/{index}/destination"),
            };
            findings.extend(self.check_target(object, &target, &path));
        }
        let mirror = entry
            .get("mirror")
            .map(|found| (found, format!("{path}/mirror")));
        let mirrors = list(entry, "mirrors").iter().enumerate();
        let mirrors = mirrors.filter_map(|(index, found)| {
            Some((
                found.get("destination")?,
                format!("{path}/mirrors/{index}/destination"),
            ))
        });
        for (found, path) in mirror.into_iter().chain(mirrors) {
            let target = Target::of_destination(object, found);
            findings.extend(self.check_target(object, &target, &path));
        }
    }

    fn check_target(&self, object: &Object, target: &Target, path: &str) -> Option<Finding> {
        let fqdn = target.fqdn.as_str();
        let namespace = object.reference.namespace.as_str();
        let added = |entry: &ServiceEntryHost| {
            host_covers(&entry.host, fqdn) && entry.visibility.shows_to(namespace)
        };
        if let Some(kind) = &target.kind {
            return self.check_foreign(object, kind, target, path);
        }
        if fqdn.is_empty() || self.service_entries.iter().any(added) {
            return None;
        }
        let subset = target.subset.as_deref();
        let backing = self.backends.find(fqdn, subset, namespace);
        let host_known = self.backends.find(fqdn, None, namespace).resolution == Resolution::Found;
        let (code, message) = if !host_known && self.has_hosts {
            (
                "no-such-service",
                format!("this set has no Service and no ServiceEntry for {fqdn}"),
            )
        } else if backing.resolution == Resolution::NoSuchSubset && self.has_rules {
            let subset = subset.unwrap_or_default();
            (
                "no-such-subset",
                format!("no DestinationRule of this set defines the subset {subset} of {fqdn}"),
            )
        } else {
            return self.check_port(object, target, path);
        };
        Some(warning(object, code, message).at(path))
    }

    /// A backend that is no Service: looked for where the set holds its kind.
    fn check_foreign(
        &self,
        object: &Object,
        kind: &str,
        target: &Target,
        path: &str,
    ) -> Option<Finding> {
        let mut of_kind = self
            .docs
            .iter()
            .filter(|doc| text(doc, "kind") == Some(kind));
        let is_it = |doc: &Value| {
            let metadata = doc.get("metadata").unwrap_or(&Value::Null);
            let namespace = text(metadata, "namespace").unwrap_or(DEFAULT_NAMESPACE);
            let name = text(metadata, "name").unwrap_or_default();
            format!("{kind}/{namespace}/{name}") == target.fqdn
        };
        let first = of_kind.next()?;
        let is_there = is_it(first) || of_kind.any(is_it);
        let message = format!("this set has no {}", target.fqdn);
        (!is_there).then(|| warning(object, "no-such-backend", message).at(path))
    }

    fn check_port(&self, object: &Object, target: &Target, path: &str) -> Option<Finding> {
        let service = self.objects.iter().find(|o| {
            o.reference.kind == ObjectKind::Service
                && service_host(&o.reference.name, &o.reference.namespace) == target.fqdn
        })?;
        let ports = list(spec(&service.doc), "ports").iter();
        let ports: Vec<u64> = ports.filter_map(|p| p.get("port")?.as_u64()).collect();
        match target.port {
            Some(port) if !ports.is_empty() && !ports.contains(&u64::from(port)) => {
                let message = format!("{} has no port {port}", service.reference);
                Some(warning(object, "no-such-port", message).at(path))
            }
            None if ports.len() > 1 => {
                let message = format!("{} has several ports; say which", service.reference);
                Some(warning(object, "port-needed", message).at(path))
            }
            Some(_) | None => None,
        }
    }

    fn check_gateways(&self, object: &Object, findings: &mut Vec<Finding>) {
        let Some(known) = &self.gateways else { return };
        if object.reference.kind != ObjectKind::VirtualService {
            return;
        }
        for (index, name) in texts(spec(&object.doc), "gateways").iter().enumerate() {
            let full = if name.contains('/') {
                name.clone()
            } else {
                format!("{}/{name}", object.reference.namespace)
            };
            if name != "mesh" && !known.contains(&full) {
                let message = format!("this set has no Gateway {full}");
                let path = format!("/spec/gateways/{index}");
                findings.push(warning(object, "no-such-gateway", message).at(path));
            }
        }
    }

    /// Host and subsets of a DestinationRule.
    fn check_rule(&self, object: &Object, findings: &mut Vec<Finding>) {
        if object.reference.kind != ObjectKind::DestinationRule {
            return;
        }
        let namespace = object.reference.namespace.as_str();
        let host = full_host(
            text(spec(&object.doc), "host").unwrap_or_default(),
            namespace,
        );
        let backing = self.backends.find(&host, None, namespace);
        let added = |entry: &ServiceEntryHost| host_covers(&entry.host, &host);
        let unknown = backing.resolution != Resolution::Found && self.has_hosts;
        if unknown && !host.starts_with('*') && !self.service_entries.iter().any(added) {
            let message = format!("this set has no Service and no ServiceEntry for {host}");
            findings.push(warning(object, "no-such-service", message).at("/spec/host"));
        }
        for (index, subset) in list(spec(&object.doc), "subsets").iter().enumerate() {
            let name = text(subset, "name");
            let backing = self.backends.find(&host, name, namespace);
            if backing.ready.is_some_and(|ready| ready.wanted == 0) && backing.workloads.is_empty()
            {
                let message = format!(
                    "no Deployment of this set carries the labels of the subset {}",
                    name.unwrap_or_default()
                );
                let path = format!("/spec/subsets/{index}/labels");
                findings.push(warning(object, "subset-selects-nothing", message).at(path));
            }
        }
    }
}

/// VirtualServices that claim the same host for the same sidecars.
fn conflicts(objects: &[Object]) -> Vec<Finding> {
    let mut by_host: BTreeMap<String, Vec<&Object>> = BTreeMap::new();
    for object in objects {
        if object.reference.kind == ObjectKind::VirtualService {
            for host in mesh_hosts(object) {
                by_host.entry(host).or_default().push(object);
            }
        }
    }
    let mut findings = Vec::new();
    for (host, claimants) in &by_host {
        for object in claimants {
            let others: Vec<String> = claimants
                .iter()
                .filter(|other| other.reference != object.reference && meet(object, other))
                .map(|other| other.reference.to_string())
                .collect();
            if !others.is_empty() {
                let message = format!(
                    "{} also claims {host}; for sidecars only the oldest counts",
                    others.join(", ")
                );
                findings.push(warning(object, "host-conflict", message).at("/spec/hosts"));
            }
        }
    }
    findings
}

/// Whether some namespace sees both.
fn meet(left: &Object, right: &Object) -> bool {
    let read = |o: &Object| Visibility::read(spec(&o.doc), &o.reference.namespace);
    match (read(left), read(right)) {
        (Visibility::Only(left), Visibility::Only(right)) => !left.is_disjoint(&right),
        _ => true,
    }
}

fn warning(object: &Object, code: &str, message: impl Into<String>) -> Finding {
    // As the other findings name it: by what the manifest says, not by the namespace that was assumed.
    let metadata = object.doc.get("metadata").unwrap_or(&Value::Null);
    let namespace = text(metadata, "namespace").unwrap_or_default();
    let reference = &object.reference;
    let about = subject(reference.kind.as_str(), namespace, &reference.name);
    Finding::new(Severity::Warning, code, about, message)
}
