//! What a weighted destination names: a host, perhaps a subset; or a backend of some group and kind.

use serde_json::Value;

use super::hosts::{full_host, service_host};
use super::route_api::{RouteApi, RouteFamily};
use super::view::{port, text};
use crate::model::Object;

/// What a destination names.
pub(super) struct Target {
    pub(super) host: String,
    /// Of a Service the host in full; of another kind a name that is no host.
    pub(super) fqdn: String,
    /// Where it is no Service.
    pub(super) kind: Option<String>,
    pub(super) is_elsewhere: bool,
    pub(super) subset: Option<String>,
    pub(super) port: Option<u16>,
}

/// Istio's own kind for a host outside the Gateway API.
const HOSTNAME: &str = "Hostname";

/// The kind of a backend where it is none of Kubernetes' Services.
fn foreign_kind(backend: &Value) -> Option<String> {
    let group = text(backend, "group").unwrap_or_default();
    let kind = text(backend, "kind").unwrap_or("Service");
    let is_service = kind == "Service" && (group.is_empty() || group == "core");
    (!is_service).then(|| kind.to_owned())
}

impl Target {
    /// A weighted destination of an entry.
    pub(super) fn read(object: &Object, api: RouteApi, item: &Value) -> Self {
        let named = match api.family() {
            RouteFamily::Istio => item.get("destination").unwrap_or(&Value::Null),
            RouteFamily::GatewayApi => item,
        };
        Self::named(object, api, named)
    }

    /// Something that takes requests, as the family of the API names it.
    pub(super) fn named(object: &Object, api: RouteApi, named: &Value) -> Self {
        match api.family() {
            RouteFamily::Istio => Self::of_destination(object, named),
            RouteFamily::GatewayApi => Self::of_backend(object, named),
        }
    }

    /// A `backendRef` of the Gateway API.
    pub(super) fn of_backend(object: &Object, backend: &Value) -> Self {
        let own = object.reference.namespace.as_str();
        let name = text(backend, "name").unwrap_or_default();
        let namespace = text(backend, "namespace").unwrap_or(own);
        let kind = foreign_kind(backend);
        let fqdn = match kind.as_deref() {
            None => service_host(name, namespace),
            Some(HOSTNAME) => name.to_owned(),
            Some(kind) => format!("{kind}/{namespace}/{name}"),
        };
        let host = if namespace == own {
            name.to_owned()
        } else {
            format!("{name}.{namespace}")
        };
        Self {
            host,
            fqdn,
            kind: kind.filter(|kind| kind != HOSTNAME),
            is_elsewhere: namespace != own,
            subset: None,
            port: port(backend.get("port")),
        }
    }

    /// A `destination` of a VirtualService.
    pub(super) fn of_destination(object: &Object, destination: &Value) -> Self {
        let host = text(destination, "host").unwrap_or_default();
        Self {
            fqdn: full_host(host, &object.reference.namespace),
            host: host.to_owned(),
            kind: None,
            is_elsewhere: false,
            subset: text(destination, "subset").map(ToOwned::to_owned),
            port: port(destination.pointer("/port/number")),
        }
    }
}
