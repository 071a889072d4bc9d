//! Services, who is ready behind them, and namespaces.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pilothouse_core::model::{ObjectKind, SourceError, SourceErrorKind};
use serde::Deserialize;
use serde_json::Value;

use super::read::WireMeta;
use crate::failure::Doing;
use crate::source::KubeSource;
use crate::who::question;

/// What kubectl keeps of an object in itself: large, and of no use here.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ServiceFact {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations, without kubectl's copy of the object.
    pub annotations: BTreeMap<String, String>,
    /// Ports, in their order.
    pub ports: Vec<PortFact>,
    /// Labels of its pods; empty for a service whose endpoints somebody else writes.
    pub selector: BTreeMap<String, String>,
    /// Address in the cluster; `None` for a headless service and for an alias.
    pub cluster_ip: Option<String>,
    /// The name that it is an alias of (`ExternalName`): no proxy and no forwarded port reaches it.
    pub external_name: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PortFact {
    /// Name; empty for the only one.
    pub name: String,
    /// Number.
    pub port: u16,
    /// Name or number at the pod; empty if it is the same.
    pub target_port: String,
    /// `TCP`, `UDP`, `SCTP`.
    pub protocol: String,
    /// `http`, `grpc` and the like; empty if nobody says.
    pub app_protocol: String,
}

/// Endpoints of a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Those that take requests. A pod with an address of each family counts once.
    pub ready: usize,
    /// All of them.
    pub total: usize,
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NamespaceFact {
    /// Name.
    pub name: String,
    /// Labels: revision, injection, data plane mode, network.
    pub labels: BTreeMap<String, String>,
}

impl NamespaceFact {
    /// Whether its pods are in the ambient mesh.
    #[must_use]
    pub fn is_ambient(&self) -> bool {
        let mode = self.labels.get("istio.io/dataplane-mode");
        mode.is_some_and(|mode| mode == "ambient")
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireService {
    metadata: WireMeta,
    spec: WireSpec,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireSpec {
    ports: Option<Vec<WirePort>>,
    selector: Option<BTreeMap<String, String>>,
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<String>,
    external_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WirePort {
    name: Option<String>,
    port: u16,
    target_port: Value,
    protocol: Option<String>,
    app_protocol: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSlice {
    metadata: WireMeta,
    endpoints: Option<Vec<WireEndpoint>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireEndpoint {
    addresses: Vec<String>,
    conditions: WireConditions,
    target_ref: Option<WireRef>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireConditions {
    ready: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireRef {
    name: String,
}

impl From<WireService> for ServiceFact {
    fn from(wire: WireService) -> Self {
        let mut annotations = wire.metadata.annotations.unwrap_or_default();
        annotations.remove(LAST_APPLIED);
        let is_address = |ip: &String| !ip.is_empty() && ip != "None";
        Self {
            namespace: wire.metadata.namespace,
            name: wire.metadata.name,
            labels: wire.metadata.labels.unwrap_or_default(),
            annotations,
            ports: wire
                .spec
                .ports
                .unwrap_or_default()
                .into_iter()
                .map(PortFact::from)
                .collect(),
            selector: wire.spec.selector.unwrap_or_default(),
            cluster_ip: wire.spec.cluster_ip.filter(is_address),
            external_name: wire.spec.external_name.filter(|name| !name.is_empty()),
            created: wire.metadata.creation_timestamp,
        }
    }
}

impl From<WirePort> for PortFact {
    fn from(wire: WirePort) -> Self {
        Self {
            name: wire.name.unwrap_or_default(),
            port: wire.port,
            target_port: match wire.target_port {
                Value::String(name) => name,
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
            },
            protocol: wire.protocol.unwrap_or_else(|| "TCP".to_owned()),
            app_protocol: wire.app_protocol.unwrap_or_default(),
        }
    }
}

impl KubeSource {
    pub(super) async fn service_facts(&self) -> Result<Vec<ServiceFact>, SourceError> {
        let doing = Doing {
            kind: Some(ObjectKind::Service),
            ..question("list")
        };
        let wires: Vec<WireService> = self.items("/api/v1", "services", "", &doing).await?;
        Ok(wires.into_iter().map(ServiceFact::from).collect())
    }

    pub(super) async fn readiness(
        &self,
    ) -> Result<BTreeMap<(String, String), Readiness>, SourceError> {
        let doing = question("list EndpointSlices");
        let api = "/apis/discovery.k8s.io/v1";
        let slices: Vec<WireSlice> = self.items(api, "endpointslices", "", &doing).await?;
        let mut seen: BTreeMap<(String, String), [BTreeSet<String>; 2]> = BTreeMap::new();
        for slice in slices {
            let labels = slice.metadata.labels.unwrap_or_default();
            let Some(service) = labels.get("kubernetes.io/service-name") else {
                continue;
            };
            let key = (slice.metadata.namespace, service.clone());
            let [ready, total] = seen.entry(key).or_default();
            for endpoint in slice.endpoints.unwrap_or_default() {
                let address = endpoint.addresses.into_iter().next();
                let pod = endpoint.target_ref.map(|target| target.name);
                let Some(id) = pod.filter(|name| !name.is_empty()).or(address) else {
                    continue;
                };
                // Unset means ready (discovery.k8s.io/v1, EndpointConditions).
                if endpoint.conditions.ready.unwrap_or(true) {
                    ready.insert(id.clone());
                }
                total.insert(id);
            }
        }
        let count = |[ready, total]: [BTreeSet<String>; 2]| Readiness {
            ready: ready.len(),
            total: total.len(),
        };
        Ok(seen
            .into_iter()
            .map(|(key, sets)| (key, count(sets)))
            .collect())
    }

    /// All namespaces, or those that were chosen.
    pub(super) async fn namespace_facts(&self) -> Result<Vec<NamespaceFact>, SourceError> {
        let doing = Doing {
            kind: Some(ObjectKind::Namespace),
            ..question("list")
        };
        if self.namespaces.is_empty() {
            #[derive(Deserialize)]
            struct Wire {
                metadata: WireMeta,
            }
            let wires: Vec<Wire> = self.items("/api/v1", "namespaces", "", &doing).await?;
            let facts = wires.into_iter().map(|wire| NamespaceFact {
                name: wire.metadata.name,
                labels: wire.metadata.labels.unwrap_or_default(),
            });
            return Ok(facts.collect());
        }
        let mut facts = Vec::new();
        for name in &self.namespaces {
            match self.namespace(name).await {
                Ok(Some(object)) => facts.push(NamespaceFact {
                    name: name.clone(),
                    labels: serde_json::from_value(object.doc["metadata"]["labels"].clone())
                        .unwrap_or_default(),
                }),
                Ok(None) => {}
                Err(error) if error.kind == SourceErrorKind::Forbidden => {}
                Err(error) => return Err(error),
            }
        }
        Ok(facts)
    }
}
