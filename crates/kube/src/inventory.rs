//! What discovery needs to know of a cluster, by narrow reads: services and who is ready behind them, the mesh's own
//! settings, Kiali's hints, and which APIs are there.
//!
//! Owns the reads and their meaning as facts; which of the services is a metrics server is for others to judge. Every part
//! fails alone. Reads no Secret, two `ConfigMaps` by name, and nothing of a configuration that could hold a credential.
//!
//! Sources: Istio's `MeshConfig` reference and its Helm charts; Kiali's CR reference (`external_services`).

mod kiali;
mod mesh;
mod read;
mod services;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join, join5};
use pilothouse_core::model::SourceError;
use tokio::time::Instant;

pub use kiali::KialiHint;
pub use mesh::{IstiodFact, MeshFact, TracingProvider};
pub use services::{NamespaceFact, PortFact, Readiness, ServiceFact};

use crate::source::KubeSource;

/// Istio's name of a cluster that nobody named.
const DEFAULT_CLUSTER: &str = "Kubernetes";

/// Where Istio is installed unless somebody decides otherwise.
const ISTIO_SYSTEM: &str = "istio-system";

/// One part of the inventory and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// What was found, or why it could not be read.
    pub result: Result<T, SourceError>,
    /// Milliseconds from its first request to its last answer.
    pub took_ms: u64,
}

/// The API groups that the server serves.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ApiGroups {
    /// Versions by group, the preferred one first.
    pub versions: BTreeMap<String, Vec<String>>,
    /// Kinds of the Gateway API by version; empty if it is not installed or its kinds cannot be read.
    pub gateway_kinds: BTreeMap<String, BTreeSet<String>>,
}

/// What is in the cluster, in the namespaces that were chosen or in all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// Services.
    pub services: Part<Vec<ServiceFact>>,
    /// Endpoints by namespace and service. A service without slices is not in it.
    pub readiness: Part<BTreeMap<(String, String), Readiness>>,
    /// Namespaces; `Forbidden` is common.
    pub namespaces: Part<Vec<NamespaceFact>>,
    /// istiod's Deployments, one a revision.
    pub istiods: Part<Vec<IstiodFact>>,
    /// Settings of the mesh, one a revision; empty without Istio.
    pub meshes: Part<Vec<MeshFact>>,
    /// What Kiali was told, from its `ConfigMap` and its custom resource; empty without Kiali.
    pub kiali: Part<Vec<KialiHint>>,
    /// Namespaces with a `DaemonSet` `ztunnel`.
    pub ztunnels: Part<Vec<String>>,
    /// API groups.
    pub apis: Part<ApiGroups>,
}

impl KubeSource {
    /// Takes the inventory: all parts at once, the `ConfigMaps` after the lists that say where they are.
    pub async fn inventory(&self) -> Inventory {
        let found_first = async {
            let services = timed(self.service_facts());
            let istiods = timed(self.istiods());
            let (services, istiods) = join(services, istiods).await;
            let places = services.result.as_deref().unwrap_or_default();
            let revisions = istiods.result.as_deref().unwrap_or_default();
            let kiali = timed(self.kiali_hints(places));
            let meshes = timed(self.meshes(revisions));
            let (kiali, meshes) = join(kiali, meshes).await;
            (services, istiods, kiali, meshes)
        };
        let readiness = timed(self.readiness());
        let namespaces = timed(self.namespace_facts());
        let ztunnels = timed(self.ztunnels());
        let apis = timed(self.api_groups());
        let ((services, istiods, kiali, meshes), readiness, namespaces, ztunnels, apis) =
            join5(Box::pin(found_first), readiness, namespaces, ztunnels, apis).await;
        Inventory {
            services,
            readiness,
            namespaces,
            istiods,
            meshes,
            kiali,
            ztunnels,
            apis,
        }
    }
}

impl Inventory {
    /// Ready endpoints of a service; `None` if they could not be read, 0 if there are none.
    #[must_use]
    pub fn ready_endpoints(&self, namespace: &str, service: &str) -> Option<usize> {
        let readiness = self.readiness.result.as_ref().ok()?;
        let key = (namespace.to_owned(), service.to_owned());
        Some(readiness.get(&key).map_or(0, |readiness| readiness.ready))
    }

    /// Istio's name of this cluster, as it stands in `source_cluster` and `destination_cluster`. `None` without an istiod
    /// that can be read, or if several disagree.
    #[must_use]
    pub fn cluster_name(&self) -> Option<&str> {
        let istiods = self.istiods.result.as_ref().ok()?;
        let mut names = istiods
            .iter()
            .map(|istiod| istiod.cluster_id.as_deref().unwrap_or(DEFAULT_CLUSTER));
        let name = names.next()?;
        names.all(|other| other == name).then_some(name)
    }

    /// Whether the mesh is ambient: a ztunnel runs, or a namespace is labelled so. `None` if neither could be read.
    #[must_use]
    pub fn is_ambient(&self) -> Option<bool> {
        let ztunnels = self.ztunnels.result.as_ref().map(|names| !names.is_empty());
        let labelled = self.namespaces.result.as_ref();
        let labelled = labelled.map(|all| all.iter().any(NamespaceFact::is_ambient));
        match (ztunnels, labelled) {
            (Ok(true), _) | (_, Ok(true)) => Some(true),
            (Ok(false), Ok(false)) => Some(false),
            (Err(_), _) | (_, Err(_)) => None,
        }
    }

    /// Whether a group is served (`flagger.app`, `argoproj.io`, `kustomize.toolkit.fluxcd.io`); `None` if the groups could
    /// not be read.
    #[must_use]
    pub fn serves(&self, group: &str) -> Option<bool> {
        let apis = self.apis.result.as_ref().ok()?;
        Some(apis.versions.contains_key(group))
    }
}

/// A read with the time that it took. On the heap: seven of them side by side are large.
async fn timed<T>(read: impl Future<Output = Result<T, SourceError>>) -> Part<T> {
    let start = Instant::now();
    let result = Box::pin(read).await;
    Part {
        result,
        took_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests;
