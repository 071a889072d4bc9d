//! What Kiali was told of metrics and traces. Its credentials are not read.

use futures::future::{join, join_all};
use pilothouse_core::model::{SourceError, SourceErrorKind};
use serde::Deserialize;
use serde_json::Value;

use super::read::{WireMeta, any_of, text, yaml};
use super::{ISTIO_SYSTEM, ServiceFact};
use crate::source::KubeSource;
use crate::who::question;

/// Addresses that somebody gave to Kiali, without user names and passwords in them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KialiHint {
    /// `ConfigMap istio-system/kiali`, `Kiali istio-system/kiali`.
    pub found_in: String,
    /// Address of Prometheus.
    pub prometheus_url: Option<String>,
    /// Address of the traces inside the cluster.
    pub tracing_internal_url: Option<String>,
    /// Address of the traces for browsers.
    pub tracing_external_url: Option<String>,
    /// `jaeger` or `tempo`; `None` if it is not said (Kiali takes Jaeger).
    pub tracing_provider: Option<String>,
    /// Whether Kiali asks by gRPC: then the address is not one of HTTP. `None` if it is not said.
    pub tracing_uses_grpc: Option<bool>,
    /// Name of the cluster as Kiali knows it.
    pub cluster_name: Option<String>,
}

impl KialiHint {
    /// From Kiali's configuration, or the `spec` of its resource: both have the same shape.
    fn read(found_in: String, config: &Value) -> Self {
        let url = |pointers: &[&str]| {
            let mut urls = pointers.iter().filter_map(|pointer| text(config, pointer));
            urls.next().map(|url| without_userinfo(&url))
        };
        let tracing = &config["external_services"]["tracing"];
        Self {
            found_in,
            prometheus_url: url(&["/external_services/prometheus/url"]),
            tracing_internal_url: url(&[
                "/external_services/tracing/internal_url",
                "/external_services/tracing/in_cluster_url",
            ]),
            tracing_external_url: url(&[
                "/external_services/tracing/external_url",
                "/external_services/tracing/url",
            ]),
            tracing_provider: text(tracing, "/provider"),
            tracing_uses_grpc: tracing["use_grpc"].as_bool(),
            cluster_name: text(config, "/kubernetes_config/cluster_name"),
        }
    }
}

/// The same address without `user:password@`.
fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

impl KubeSource {
    /// From the `ConfigMaps` where Kiali usually is and where a service of it is, and from its resources.
    pub(super) async fn kiali_hints(
        &self,
        services: &[ServiceFact],
    ) -> Result<Vec<KialiHint>, SourceError> {
        let is_kiali = |service: &&ServiceFact| {
            let label = service.labels.get("app.kubernetes.io/name");
            service.name == "kiali" || label.is_some_and(|name| name == "kiali")
        };
        let found = services.iter().filter(is_kiali);
        let mut namespaces: Vec<&str> = found.map(|service| service.namespace.as_str()).collect();
        namespaces.extend([ISTIO_SYSTEM, "kiali-operator"]);
        namespaces.sort_unstable();
        namespaces.dedup();
        let config_maps = join_all(namespaces.into_iter().map(|namespace| async move {
            let texts = self.config_map(namespace, "kiali").await?;
            let config = texts.and_then(|texts| texts.get("config.yaml").cloned());
            let found_in = format!("ConfigMap {namespace}/kiali");
            Ok(config.map(|config| KialiHint::read(found_in, &yaml(&config, "config.yaml"))))
        }));
        let (mut results, resources) = join(config_maps, self.kiali_resources()).await;
        match resources {
            Ok(hints) => results.extend(hints.into_iter().map(|hint| Ok(Some(hint)))),
            Err(error) => results.push(Err(error)),
        }
        any_of(results)
    }

    async fn kiali_resources(&self) -> Result<Vec<KialiHint>, SourceError> {
        #[derive(Deserialize)]
        struct Wire {
            metadata: WireMeta,
            #[serde(default)]
            spec: Value,
        }
        let doing = question("list Kiali's resources");
        match self
            .items::<Wire>("/apis/kiali.io/v1alpha1", "kialis", "", &doing)
            .await
        {
            Ok(wires) => {
                let hint = |wire: Wire| {
                    let WireMeta {
                        namespace, name, ..
                    } = &wire.metadata;
                    KialiHint::read(format!("Kiali {namespace}/{name}"), &wire.spec)
                };
                Ok(wires.into_iter().map(hint).collect())
            }
            Err(error) if error.kind == SourceErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
