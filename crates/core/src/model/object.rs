//! Declared objects: what the control plane holds, as documents with their metadata lifted out.
//!
//! The document itself stays JSON (`doc`), because we change single leaves of it by JSON Patch and must never drop a
//! field that we do not know. Reading views of it live in [`crate::traffic`].

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kinds of objects that Pilothouse watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ObjectKind {
    /// v1 Namespace.
    Namespace,
    /// v1 Service.
    Service,
    /// apps/v1 Deployment.
    Deployment,
    /// networking.istio.io VirtualService.
    VirtualService,
    /// networking.istio.io DestinationRule.
    DestinationRule,
    /// gateway.networking.k8s.io HTTPRoute.
    #[serde(rename = "HTTPRoute")]
    HttpRoute,
    /// gateway.networking.k8s.io GRPCRoute.
    #[serde(rename = "GRPCRoute")]
    GrpcRoute,
    /// gateway.networking.k8s.io TCPRoute.
    #[serde(rename = "TCPRoute")]
    TcpRoute,
    /// gateway.networking.k8s.io TLSRoute.
    #[serde(rename = "TLSRoute")]
    TlsRoute,
}

impl ObjectKind {
    /// Every kind, in watching order.
    pub const ALL: [Self; 9] = [
        Self::Namespace,
        Self::Service,
        Self::Deployment,
        Self::VirtualService,
        Self::DestinationRule,
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::TcpRoute,
        Self::TlsRoute,
    ];

    /// The `kind` of the API, e.g. `HTTPRoute`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Service => "Service",
            Self::Deployment => "Deployment",
            Self::VirtualService => "VirtualService",
            Self::DestinationRule => "DestinationRule",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
            Self::TcpRoute => "TCPRoute",
            Self::TlsRoute => "TLSRoute",
        }
    }

    /// The kind of this name, letters' case ignored; also the short names that kubectl knows (`vs`, `dr`, `svc`).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "namespace" | "namespaces" | "ns" => Some(Self::Namespace),
            "service" | "services" | "svc" => Some(Self::Service),
            "deployment" | "deployments" | "deploy" => Some(Self::Deployment),
            "virtualservice" | "virtualservices" | "vs" => Some(Self::VirtualService),
            "destinationrule" | "destinationrules" | "dr" => Some(Self::DestinationRule),
            "httproute" | "httproutes" => Some(Self::HttpRoute),
            "grpcroute" | "grpcroutes" => Some(Self::GrpcRoute),
            "tcproute" | "tcproutes" => Some(Self::TcpRoute),
            "tlsroute" | "tlsroutes" => Some(Self::TlsRoute),
            _ => None,
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one object of a cluster. `namespace` is empty for a Namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// The object of this kind, namespace and name.
    #[must_use]
    pub fn new(kind: ObjectKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectRef {
    /// `VirtualService/shop/reviews`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

/// Who wrote a part of an object, by the server's account (`metadata.managedFields`). Evidence, not proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manager {
    /// Field manager, e.g. `kubectl-client-side-apply`, `argocd-controller`.
    pub name: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// Whether its entry covers spec.http, spec.tcp, spec.tls or spec.rules.
    pub owns_routes: bool,
}

/// An entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerReference {
    /// API version, e.g. `flagger.app/v1beta1`.
    pub api_version: String,
    /// Kind, e.g. `Canary`.
    pub kind: String,
    /// Name of the owner in the object's namespace.
    pub name: String,
}

/// Who will undo or steer a change made by hand: the name that a badge shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// `hand`, `argo-cd`, `flux`, `flagger`, `argo-rollouts`, `kiali`, `helm`.
    pub tool: String,
    /// Which application, canary or release of it, where known.
    pub name: Option<String>,
    /// The label, annotation or manager that says so.
    pub evidence: String,
}

/// One object as the control plane gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Which object.
    pub reference: ObjectRef,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`: opaque, only ever compared for equality.
    pub resource_version: String,
    /// `metadata.generation`, where the API has one.
    pub generation: Option<i64>,
    /// `metadata.creationTimestamp` as RFC 3339 text (sorts as time does).
    pub created: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `metadata.managedFields`, shortened.
    pub managers: Vec<Manager>,
    /// `metadata.ownerReferences`.
    pub owner_references: Vec<OwnerReference>,
    /// The whole document as the server gave it, without `metadata.managedFields`. A JSON pointer into it is a pointer
    /// into the live object.
    pub doc: Value,
}

impl Object {
    /// Lifts the metadata out of a document; `None` if it is not an object of a known kind with a name. Works on what a
    /// server answers and on a manifest (missing metadata is empty).
    #[must_use]
    pub fn from_document(mut doc: Value) -> Option<Self> {
        let kind = ObjectKind::parse(doc.get("kind")?.as_str()?)?;
        let metadata = doc.get_mut("metadata")?.as_object_mut()?;
        let managers = read_managers(metadata.remove("managedFields").as_ref());
        let text = |key: &str| {
            metadata
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let name = text("name");
        if name.is_empty() {
            return None;
        }
        let namespace = text("namespace");
        Some(Self {
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            generation: metadata.get("generation").and_then(Value::as_i64),
            created: text("creationTimestamp"),
            labels: read_strings(metadata.get("labels")),
            annotations: read_strings(metadata.get("annotations")),
            managers,
            owner_references: read_owner_references(metadata.get("ownerReferences")),
            reference: ObjectRef {
                kind,
                namespace,
                name,
            },
            doc,
        })
    }
}

fn read_strings(value: Option<&Value>) -> BTreeMap<String, String> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
        .collect()
}

fn read_managers(value: Option<&Value>) -> Vec<Manager> {
    let route_fields = ["f:http", "f:tcp", "f:tls", "f:rules"];
    let entries = value.and_then(Value::as_array).into_iter().flatten();
    entries
        .map(|entry| {
            let text = |key: &str| {
                entry
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let spec = entry.pointer("/fieldsV1/f:spec");
            Manager {
                name: text("manager"),
                operation: text("operation"),
                owns_routes: spec.is_some_and(|s| route_fields.iter().any(|f| s.get(f).is_some())),
            }
        })
        .collect()
}

fn read_owner_references(value: Option<&Value>) -> Vec<OwnerReference> {
    let entries = value.and_then(Value::as_array).into_iter().flatten();
    entries
        .map(|entry| {
            let text = |key: &str| {
                entry
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            OwnerReference {
                api_version: text("apiVersion"),
                kind: text("kind"),
                name: text("name"),
            }
        })
        .collect()
}
