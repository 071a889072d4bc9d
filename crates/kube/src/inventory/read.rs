//! Typed reads, and which API groups there are.

use std::collections::BTreeMap;

use futures::future::join_all;
use pilothouse_core::model::SourceError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ApiGroups;
use crate::failure::{CallError, Doing, Refusal};
use crate::resource::is_path_safe;
use crate::source::KubeSource;
use crate::who::{question, unreadable};

const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// Name, labels and the like of any object.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireMeta {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) labels: Option<BTreeMap<String, String>>,
    pub(super) annotations: Option<BTreeMap<String, String>>,
    pub(super) creation_timestamp: Option<jiff::Timestamp>,
}

#[derive(Deserialize)]
struct WireGroups {
    groups: Vec<WireGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGroup {
    name: String,
    versions: Vec<WireVersion>,
    preferred_version: Option<WireVersion>,
}

#[derive(Deserialize, PartialEq)]
struct WireVersion {
    version: String,
}

#[derive(Deserialize)]
struct WireResources {
    resources: Vec<WireResource>,
}

#[derive(Deserialize)]
struct WireResource {
    name: String,
    kind: String,
}

impl KubeSource {
    /// All objects of a resource in the places that are looked at. One of odd shape is left out and logged.
    pub(super) async fn items<T: DeserializeOwned>(
        &self,
        api: &str,
        plural: &str,
        selector: &str,
        doing: &Doing<'_>,
    ) -> Result<Vec<T>, SourceError> {
        let lists = self.places().into_iter().map(|place| async move {
            let path = if place.is_empty() {
                format!("{api}/{plural}")
            } else {
                format!("{api}/namespaces/{place}/{plural}")
            };
            self.pages(&path, selector).await
        });
        let mut items = Vec::new();
        for list in join_all(lists).await {
            let docs = list.map_err(|error| error.of_read(doing))?;
            items.extend(docs.into_iter().filter_map(|doc| match serde_json::from_value(doc) {
                Ok(item) => Some(item),
                Err(error) => {
                    tracing::warn!(plural, %error, "an object has an odd shape; it is left out");
                    None
                }
            }));
        }
        Ok(items)
    }

    /// The texts of a `ConfigMap`; `None` if there is none.
    pub(super) async fn config_map(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, SourceError> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(default)]
            data: Option<BTreeMap<String, String>>,
        }
        let doing = question("read a ConfigMap of the mesh");
        if !is_path_safe(namespace) || !is_path_safe(name) {
            return Ok(None);
        }
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
        match self.read(&path).await {
            Ok(reply) => {
                let wire: Wire = serde_json::from_slice(&reply.body)
                    .map_err(|error| unreadable(&error, &doing))?;
                Ok(Some(wire.data.unwrap_or_default()))
            }
            Err(CallError::Refused(Refusal { status: 404, .. })) => Ok(None),
            Err(error) => Err(error.of_read(&doing)),
        }
    }

    /// The groups, and the kinds of the Gateway API.
    pub(super) async fn api_groups(&self) -> Result<ApiGroups, SourceError> {
        let doing = question("list the API groups");
        let reply = self
            .read("/apis")
            .await
            .map_err(|error| error.of_read(&doing))?;
        let wire: WireGroups =
            serde_json::from_slice(&reply.body).map_err(|error| unreadable(&error, &doing))?;
        let mut apis = ApiGroups::default();
        for group in wire.groups {
            let mut versions = group.versions;
            versions.sort_by_key(|version| Some(version) != group.preferred_version.as_ref());
            let versions = versions.into_iter().map(|version| version.version);
            apis.versions.insert(group.name, versions.collect());
        }
        let gateway = apis.versions.get(GATEWAY_API).cloned().unwrap_or_default();
        let kinds = gateway.iter().map(|version| self.read_kinds(version));
        for (version, kinds) in gateway.iter().zip(join_all(kinds).await) {
            match kinds {
                Ok(wire) => {
                    let kinds = wire.resources.into_iter();
                    let kinds = kinds.filter(|resource| !resource.name.contains('/'));
                    let kinds = kinds.map(|resource| resource.kind).collect();
                    apis.gateway_kinds.insert(version.clone(), kinds);
                }
                Err(error) => tracing::warn!(version, %error, "no kinds of the Gateway API"),
            }
        }
        Ok(apis)
    }

    async fn read_kinds(&self, version: &str) -> Result<WireResources, SourceError> {
        let doing = question("list the kinds of the Gateway API");
        let reply = self.read(&format!("/apis/{GATEWAY_API}/{version}")).await;
        let reply = reply.map_err(|error| error.of_read(&doing))?;
        serde_json::from_slice(&reply.body).map_err(|error| unreadable(&error, &doing))
    }
}

/// The first of these that answered is enough; without one the failure counts, and nothing found is nothing.
pub(super) fn any_of<T>(
    results: Vec<Result<Option<T>, SourceError>>,
) -> Result<Vec<T>, SourceError> {
    let mut found = Vec::new();
    let mut failure = None;
    for result in results {
        match result {
            Ok(item) => found.extend(item),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// YAML inside a `ConfigMap`; null if it cannot be read, which is logged without its text.
pub(super) fn yaml(text: &str, what: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|_| {
        tracing::warn!(what, "the YAML in a ConfigMap cannot be read");
        Value::Null
    })
}

/// A text in a document; `None` if it is missing, empty or no text.
pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    let text = value.pointer(pointer)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
