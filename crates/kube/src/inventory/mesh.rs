//! Istio: its control planes, their settings and ztunnel.

use futures::future::join_all;
use pilothouse_core::model::SourceError;
use serde::Deserialize;
use serde_json::Value;

use super::ISTIO_SYSTEM;
use super::read::{WireMeta, any_of, text, yaml};
use crate::source::KubeSource;
use crate::who::question;

/// An istiod.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct IstiodFact {
    /// Namespace.
    pub namespace: String,
    /// Name of the Deployment.
    pub name: String,
    /// Revision; `default` if it has none.
    pub revision: String,
    /// Version, as the tag of its image says: `1.27.1`; `None` for an image by digest.
    pub version: Option<String>,
    /// `CLUSTER_ID` as it was set; `None` if it was not.
    pub cluster_id: Option<String>,
}

/// Settings of one revision of the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MeshFact {
    /// Namespace of the `ConfigMap`.
    pub namespace: String,
    /// Revision; `default` for the `ConfigMap` `istio`.
    pub revision: String,
    /// `rootNamespace`; `None` if it is not set.
    pub root_namespace: Option<String>,
    /// `trustDomain`; `None` if it is not set.
    pub trust_domain: Option<String>,
    /// Where proxies send spans: `extensionProviders`, then `defaultConfig.tracing`.
    pub tracing: Vec<TracingProvider>,
    /// Names of the networks in `meshNetworks`.
    pub networks: Vec<String>,
}

/// Where proxies send spans.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TracingProvider {
    /// Name of the provider; empty for `defaultConfig`.
    pub name: String,
    /// `zipkin`, `opentelemetry`, …
    pub protocol: String,
    /// Host, as it is written: `zipkin.istio-system.svc.cluster.local`, `monitoring/tempo.svc`.
    pub service: String,
    /// Port; `None` if it is not said.
    pub port: Option<u16>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireDeployment {
    metadata: WireMeta,
    spec: Value,
}

impl From<WireDeployment> for IstiodFact {
    fn from(wire: WireDeployment) -> Self {
        let labels = wire.metadata.labels.unwrap_or_default();
        let containers = wire.spec.pointer("/template/spec/containers");
        let containers = containers.and_then(Value::as_array).into_iter().flatten();
        let discovery = containers
            .clone()
            .find(|container| container["name"] == "discovery")
            .or_else(|| containers.clone().next());
        let image = discovery.and_then(|container| container["image"].as_str());
        let env = discovery.and_then(|container| container["env"].as_array());
        let mut env = env.into_iter().flatten();
        let cluster_id = env.find(|variable| variable["name"] == "CLUSTER_ID");
        Self {
            namespace: wire.metadata.namespace,
            name: wire.metadata.name,
            revision: labels
                .get("istio.io/rev")
                .cloned()
                .unwrap_or_else(|| "default".to_owned()),
            version: image.and_then(tag),
            cluster_id: cluster_id.and_then(|variable| text(variable, "/value")),
        }
    }
}

/// The version in the tag of an image, without its flavour: `registry:5000/istio/pilot:1.27.1-distroless@sha256:…`.
fn tag(image: &str) -> Option<String> {
    let image = image.split('@').next()?;
    let (_, tag) = image.rsplit('/').next()?.split_once(':')?;
    let plain = ["-distroless", "-debug", "-fips"]
        .iter()
        .fold(tag, |tag, flavour| tag.strip_suffix(flavour).unwrap_or(tag));
    Some(plain.to_owned())
}

impl KubeSource {
    pub(super) async fn istiods(&self) -> Result<Vec<IstiodFact>, SourceError> {
        let doing = question("list the Deployments of istiod");
        let selector = "labelSelector=app%3Distiod&";
        let wires: Vec<WireDeployment> = self
            .items("/apis/apps/v1", "deployments", selector, &doing)
            .await?;
        Ok(wires.into_iter().map(IstiodFact::from).collect())
    }

    pub(super) async fn ztunnels(&self) -> Result<Vec<String>, SourceError> {
        #[derive(Deserialize)]
        struct Wire {
            metadata: WireMeta,
        }
        let doing = question("list the DaemonSets of ztunnel");
        let selector = "fieldSelector=metadata.name%3Dztunnel&";
        let wires: Vec<Wire> = self
            .items("/apis/apps/v1", "daemonsets", selector, &doing)
            .await?;
        Ok(wires
            .into_iter()
            .map(|wire| wire.metadata.namespace)
            .collect())
    }

    /// The settings of these revisions, and of the default one in any case.
    pub(super) async fn meshes(
        &self,
        istiods: &[IstiodFact],
    ) -> Result<Vec<MeshFact>, SourceError> {
        let mut places = vec![(ISTIO_SYSTEM, "default")];
        let found = istiods.iter();
        places.extend(found.map(|istiod| (istiod.namespace.as_str(), istiod.revision.as_str())));
        places.sort_unstable();
        places.dedup();
        let reads = places.into_iter().map(|(namespace, revision)| async move {
            let name = match revision {
                "default" => "istio".to_owned(),
                revision => format!("istio-{revision}"),
            };
            let texts = self.config_map(namespace, &name).await?;
            Ok(texts.map(|texts| {
                let part =
                    |name: &str| texts.get(name).map_or(Value::Null, |text| yaml(text, name));
                mesh(namespace, revision, &part("mesh"), &part("meshNetworks"))
            }))
        });
        any_of(join_all(reads).await)
    }
}

fn mesh(namespace: &str, revision: &str, mesh: &Value, networks: &Value) -> MeshFact {
    let providers = mesh["extensionProviders"].as_array().into_iter().flatten();
    let mut tracing: Vec<_> = providers.filter_map(provider).collect();
    tracing.extend(default_tracing(mesh));
    let networks = networks["networks"].as_object().into_iter().flatten();
    MeshFact {
        namespace: namespace.to_owned(),
        revision: revision.to_owned(),
        root_namespace: text(mesh, "/rootNamespace"),
        trust_domain: text(mesh, "/trustDomain"),
        tracing,
        networks: networks.map(|(name, _)| name.clone()).collect(),
    }
}

/// A provider that takes spans; others (external authorizers, access logs, metrics) are not asked for.
fn provider(value: &Value) -> Option<TracingProvider> {
    let known = [
        "zipkin",
        "opentelemetry",
        "skywalking",
        "datadog",
        "lightstep",
        "opencensus",
    ];
    let protocol = known.into_iter().find(|name| value[name].is_object())?;
    let settings = &value[protocol];
    let port = settings["port"].as_u64();
    Some(TracingProvider {
        name: text(value, "/name").unwrap_or_default(),
        protocol: protocol.to_owned(),
        service: text(settings, "/service")?,
        port: port.and_then(|port| u16::try_from(port).ok()),
    })
}

/// `defaultConfig.tracing.zipkin.address`: `zipkin.istio-system:9411`.
fn default_tracing(mesh: &Value) -> Option<TracingProvider> {
    let address = text(mesh, "/defaultConfig/tracing/zipkin/address")?;
    let (service, port) = match address.rsplit_once(':') {
        Some((service, port)) => (service, port.parse().ok()),
        None => (address.as_str(), None),
    };
    Some(TracingProvider {
        name: String::new(),
        protocol: "zipkin".to_owned(),
        service: service.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn the_version_is_the_tag_without_its_flavour() {
        let cases = [
            ("docker.io/istio/pilot:1.27.1", Some("1.27.1")),
            (
                "r:5000/istio/pilot:1.27.1-distroless@sha256:ab",
                Some("1.27.1"),
            ),
            ("r:5000/istio/pilot", None),
            ("istio/pilot@sha256:ab", None),
        ];
        for (image, version) in cases {
            assert_eq!(tag(image).as_deref(), version, "{image}");
        }
    }
}
