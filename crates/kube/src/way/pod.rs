//! Which pod, and which of its ports, is behind a service.

use std::sync::Arc;

use futures::future::join;
use http::Method;
use pilothouse_core::model::{SourceError, SourceErrorKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::target::{Target, TargetKind};
use crate::failure::{CallError, Doing, failed, prefixed};
use crate::source::request;
use crate::transport::Transport;

/// A port of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PodPort {
    pub(super) pod: String,
    pub(super) port: u16,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireService {
    spec: WireSpec,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSpec {
    ports: Vec<WirePort>,
}

/// Of a service, and of a slice: there the port is the pod's.
#[derive(Deserialize, Default)]
#[serde(default)]
struct WirePort {
    name: Option<String>,
    port: Option<u16>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSlices {
    items: Vec<WireSlice>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSlice {
    endpoints: Option<Vec<WireEndpoint>>,
    ports: Option<Vec<WirePort>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireEndpoint {
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
    kind: String,
    name: String,
}

/// The first ready pod of a target, by name, so that calls go to the same one.
pub(super) async fn find(
    transport: &Arc<Transport>,
    target: &Target,
) -> Result<PodPort, SourceError> {
    if let (TargetKind::Pod, Ok(port)) = (target.kind, target.port.parse()) {
        return Ok(PodPort {
            pod: target.name.clone(),
            port,
        });
    }
    let Target {
        namespace, name, ..
    } = target;
    let service = format!("/api/v1/namespaces/{namespace}/services/{name}");
    let slices = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D{name}"
    );
    let service = read::<WireService>(transport, &service, "read the service behind the address");
    let slices = read::<WireSlices>(transport, &slices, "list the EndpointSlices of the service");
    let (service, slices) = join(service, slices).await;
    let port_name = port_name(&service?, target)?;
    let slices = slices?.items;
    let mut pods: Vec<_> = slices
        .iter()
        .flat_map(|slice| ready_pods(slice, &port_name))
        .collect();
    pods.sort_by(|a, b| a.pod.cmp(&b.pod));
    pods.into_iter().next().ok_or_else(|| {
        failed(
            SourceErrorKind::Unreachable,
            format!("no ready pod is behind {}", target.text()),
        )
        .with_hint(
            "check the pods of the service; one without pods must be reached by its own address",
        )
    })
}

/// The name of the service's port: slices know ports by name; empty for the only one.
fn port_name(service: &WireService, target: &Target) -> Result<String, SourceError> {
    let number = target.port.parse::<u16>().ok();
    let ports = &service.spec.ports;
    let port = ports
        .iter()
        .find(|port| port.name.as_deref() == Some(target.port.as_str()))
        .or_else(|| {
            ports
                .iter()
                .find(|port| number.is_some() && port.port == number)
        });
    let port = port.ok_or_else(|| {
        let has: Vec<_> = ports.iter().filter_map(|port| port.port).collect();
        failed(
            SourceErrorKind::NotFound,
            format!("{} has no such port; its ports: {has:?}", target.text()),
        )
    })?;
    Ok(port.name.clone().unwrap_or_default())
}

fn ready_pods(slice: &WireSlice, port_name: &str) -> Vec<PodPort> {
    let mut ports = slice.ports.iter().flatten();
    let port = ports.find(|port| port.name.as_deref().unwrap_or_default() == port_name);
    let Some(port) = port.and_then(|port| port.port) else {
        return Vec::new();
    };
    let endpoints = slice.endpoints.iter().flatten();
    // Unset means ready (discovery.k8s.io/v1, EndpointConditions).
    let ready = endpoints.filter(|endpoint| endpoint.conditions.ready.unwrap_or(true));
    ready
        .filter_map(|endpoint| endpoint.target_ref.as_ref())
        .filter(|target| target.kind == "Pod")
        .map(|target| PodPort {
            pod: target.name.clone(),
            port,
        })
        .collect()
}

async fn read<T: DeserializeOwned>(
    transport: &Arc<Transport>,
    path: &str,
    verb: &'static str,
) -> Result<T, SourceError> {
    let doing = Doing {
        verb,
        kind: None,
        namespace: "",
        name: "",
    };
    let read = async {
        let reply = transport
            .call(request(Method::GET, path, Vec::new())?)
            .await?;
        serde_json::from_slice(&reply.body).map_err(|error| {
            CallError::Lost(failed(
                SourceErrorKind::BadAnswer,
                format!("unreadable answer: {error}"),
            ))
        })
    };
    read.await.map_err(|error| match error {
        CallError::Unsent(error) | CallError::Lost(error) => prefixed(error, &doing),
        refused @ CallError::Refused(_) => refused.of_read(&doing),
    })
}
