//! A server of the bed as a Service of a cluster: what a controller and a kubelet would have
//! written, by hand.

use anyhow::{Context, Result};
use serde_json::json;

use crate::kube::Kube;

/// A server on this machine that a cluster is to reach by a Service and a pod.
#[derive(Debug, Clone)]
pub struct Published<'a> {
    /// The namespace, which must be there.
    pub namespace: &'a str,
    /// The name of Service and Endpoints; the pod's is `NAME-0`.
    pub name: &'a str,
    /// The labels of Service and pod, by which the Service selects it.
    pub labels: &'a [(&'a str, &'a str)],
    /// The name of the port.
    pub port_name: &'a str,
    /// Where the server listens, and the Service's and the pod's port.
    pub port: u16,
    /// The pod's address, of [`crate::POD_NETWORK`].
    pub pod_ip: &'a str,
}

impl Kube {
    /// Writes Service, pod (ready, with its address) and Endpoints that refer to it: what the API
    /// server's service proxy and pod proxy go by.
    ///
    /// # Errors
    /// The first refusal.
    pub fn publish(&self, server: &Published<'_>) -> Result<()> {
        let Published {
            namespace,
            name,
            labels,
            port_name,
            port,
            pod_ip,
        } = server;
        let labels: std::collections::BTreeMap<_, _> = labels.iter().copied().collect();
        let pod = format!("{name}-0");
        let ports = json!([{"name": port_name, "port": port}]);
        let objects = [
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
                "spec": {"selector": labels, "ports": ports},
            }),
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": pod, "namespace": namespace, "labels": labels},
                "spec": {
                    "nodeName": "bed",
                    "containers": [{
                        "name": name, "image": "none",
                        "ports": [{"name": port_name, "containerPort": port}],
                    }],
                },
            }),
            json!({
                "apiVersion": "v1", "kind": "Endpoints",
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
                "subsets": [{
                    "addresses": [{
                        "ip": pod_ip,
                        "targetRef": {"kind": "Pod", "name": pod, "namespace": namespace},
                    }],
                    "ports": ports,
                }],
            }),
        ];
        let status = json!({"status": {
            "phase": "Running",
            "podIP": pod_ip,
            "podIPs": [{"ip": pod_ip}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }});
        for object in &objects {
            self.apply(object)?
                .ok()
                .with_context(|| format!("publish {name}: {}", object["kind"]))?;
        }
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/status");
        self.patch(&path, &status)?
            .ok()
            .with_context(|| format!("publish {name}: the pod's address"))?;
        Ok(())
    }
}
