//! What the product asks of a cluster. docs/rbac ships it as two roles; a test holds both together.

use pilothouse_core::model::ObjectKind;

use crate::resource;

/// A verb on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessRule {
    /// API group; empty for the core group.
    pub group: String,
    /// Plural, with its subresource: `services/proxy`.
    pub resource: String,
    /// Verb of RBAC.
    pub verb: String,
    /// The one object that is meant; empty for any.
    pub name: String,
    /// Whether the resource lives in namespaces.
    pub is_namespaced: bool,
    /// Whether only a shift of traffic needs it.
    pub is_for_shifts: bool,
}

/// Read beside the kinds that are watched: group, resource, verbs, names.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const READS: [Row; 8] = [
    // Who is behind a service, and a pod of it for a forwarded port.
    ("discovery.k8s.io", "endpointslices", &["list"], &[]),
    // Mesh settings and the addresses that Kiali knows. Never a list: other ConfigMaps are nobody's business.
    ("", "configmaps", &["get"], &["istio", "kiali"]),
    // ztunnel: whether the mesh is ambient.
    ("apps", "daemonsets", &["list"], &[]),
    ("kiali.io", "kialis", &["list"], &[]),
    // A query is a POST, which is `create`, and a GET where that is forbidden.
    ("", "services/proxy", &["get"], &[]),
    // A WebSocket upgrade is a GET; from 1.35 on the server asks for create as well.
    ("", "pods/portforward", &["get", "create"], &[]),
    ("", "pods/proxy", &["get"], &[]),
    ("", "pods/log", &["get"], &[]),
];

/// Routes that a shift may write.
const ROUTES: [(&str, &str); 6] = [
    ("networking.istio.io", "virtualservices"),
    ("networking.istio.io", "destinationrules"),
    ("gateway.networking.k8s.io", "httproutes"),
    ("gateway.networking.k8s.io", "grpcroutes"),
    ("gateway.networking.k8s.io", "tcproutes"),
    ("gateway.networking.k8s.io", "tlsroutes"),
];

/// Every right, sorted.
pub(super) fn needs() -> Vec<AccessRule> {
    let mut rules = Vec::new();
    let mut add = |group: &str, resource: &str, verb: &str, name: &str, is_for_shifts: bool| {
        rules.push(AccessRule {
            group: group.to_owned(),
            resource: resource.to_owned(),
            verb: verb.to_owned(),
            name: name.to_owned(),
            is_namespaced: resource != resource::plural(ObjectKind::Namespace),
            is_for_shifts,
        });
    };
    for kind in ObjectKind::ALL {
        for verb in ["get", "list", "watch"] {
            add(
                resource::group(kind),
                resource::plural(kind),
                verb,
                "",
                false,
            );
        }
    }
    for (group, resource, verbs, names) in READS {
        for verb in verbs {
            let any: &[&str] = if names.is_empty() { &[""] } else { names };
            for name in any {
                add(group, resource, verb, name, false);
            }
        }
    }
    for (group, resource) in ROUTES {
        add(group, resource, "patch", "", true);
    }
    rules.sort();
    rules
}
