//! Who keeps a cluster's pods: the controller manager makes them and writes their endpoints, kwok
//! says that they run and plays their kubelet.
//!
//! There is no scheduler: a policy inside the API server places every pod (`manifests/node.yaml`).
//! The addresses of the pods are of [`crate::POD_NETWORK`], where something listens only in a test
//! that [`crate::isolated`] runs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::http;
use crate::logins::Way;
use crate::mesh::NAMESPACE;
use crate::programs::Program;
use crate::servers::Servers;

const NODE: &str = include_str!("../manifests/node.yaml");

/// The network of [`crate::POD_NETWORK`], as kwok wants it: with its first address.
const CIDR: &str = "10.99.0.1/24";

/// The controllers that make pods and endpoints, and clean up. No node controllers: they would
/// call a node without leases dead.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller,daemonset-controller,\
    endpoints-controller,endpointslice-controller,garbage-collector-controller,\
    namespace-controller,serviceaccount-controller";

/// Where a port of every pod leads when it is forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// The pod's port.
    pub port: u16,
    /// The port on 127.0.0.1.
    pub to: u16,
}

impl Servers {
    /// Starts a cluster's controller manager: Deployments get their pods, Services their
    /// endpoints of both kinds, namespaces end, owners' objects go with their owner.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start_controllers(&self, cluster: &Cluster) -> Result<()> {
        let (name, port) = (cluster.name(), self.take_port()?);
        let kubeconfig = admin(cluster)?;
        let arguments = [
            format!("--kubeconfig={}", kubeconfig.display()),
            "--leader-elect=false".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            "--authentication-skip-lookup=true".to_owned(),
            format!("--service-account-private-key-file={name}/server.key"),
            format!("--root-ca-file={name}/ca.crt"),
            format!("--controllers={CONTROLLERS}"),
        ];
        let program = Program::KubeControllerManager.find()?;
        let server = format!("{name}-kube-controller-manager");
        self.processes.start(&server, &program, &arguments, &[])
    }

    /// Starts a cluster's kwok and comes back when pods are placed and its node is ready. Each of
    /// these ports of every pod can then be forwarded.
    ///
    /// # Errors
    /// When it cannot be built, ends, or is not ready in time.
    pub fn start_pods(&self, cluster: &Cluster, forwards: &[Forward]) -> Result<()> {
        let (name, port) = (cluster.name(), self.take_port()?);
        let program = Program::Kwok.find()?;
        let mut arguments = vec![
            format!("--kubeconfig={}", admin(cluster)?.display()),
            "--manage-all-nodes=true".to_owned(),
            format!("--cidr={CIDR}"),
            "--node-lease-duration-seconds=0".to_owned(),
            // Where the API server finds the kubelet; it speaks TLS to it and asks for no name.
            format!("--server-address=127.0.0.1:{port}"),
            "--node-ip=127.0.0.1".to_owned(),
            format!("--node-port={port}"),
            format!("--tls-cert-file={name}/server.crt"),
            format!("--tls-private-key-file={name}/server.key"),
        ];
        let config = format!("{name}/forwards.yaml");
        fs::write(
            self.work_folder().join(&config),
            port_forward(forwards).to_string(),
        )?;
        for stage in ["node-initialize", "pod-ready", "pod-delete"] {
            let file = program.with_file_name(format!("{stage}.yaml"));
            arguments.push(format!("--config={}", file.display()));
        }
        arguments.push(format!("--config={config}"));
        self.processes
            .start(&format!("{name}-kwok"), &program, &arguments, &[])?;
        cluster.kube().apply_yaml(NODE)?;
        self.wait("a place for pods", || placed(cluster))?;
        self.wait("the node to be ready", || {
            let node = cluster.kube().get("/api/v1/nodes/bed")?;
            let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
            let ready =
                |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
            Ok(conditions
                .is_some_and(|all| all.iter().any(ready))
                .then_some(()))
        })
    }

    /// Forwards a port of a pod by the real kubectl, as the admin, until the servers end, and
    /// returns the port on 127.0.0.1.
    ///
    /// # Errors
    /// When kubectl cannot be built, or ends.
    pub fn forward(&self, cluster: &Cluster, namespace: &str, pod: &str, port: u16) -> Result<u16> {
        let local = self.take_port()?;
        let arguments = [
            format!("--kubeconfig={}", admin(cluster)?.display()),
            format!("--namespace={namespace}"),
            "port-forward".to_owned(),
            "--address=127.0.0.1".to_owned(),
            format!("pod/{pod}"),
            format!("{local}:{port}"),
        ];
        let program = Program::Kubectl.find()?;
        let home = [("HOME", self.work_folder().display().to_string())];
        let server = format!("port-forward-{local}");
        self.processes.start(&server, &program, &arguments, &home)?;
        self.wait(&format!("{server} to listen"), || {
            http::connect(local).map(|_| Some(())).map_err(Into::into)
        })?;
        Ok(local)
    }
}

/// A policy takes force a second after it is written, and a pod of before would wait for ever.
fn placed(cluster: &Cluster) -> Result<Option<()>> {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"},
        "spec": {"containers": [{"name": "app", "image": "none"}]},
    });
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All");
    let body = serde_json::to_vec(&pod)?;
    let made = cluster
        .kube()
        .call("POST", &path, "application/json", &body)?
        .ok()?;
    Ok(made.pointer("/spec/nodeName").map(|_| ()))
}

fn port_forward(forwards: &[Forward]) -> Value {
    let forwards: Vec<Value> = forwards
        .iter()
        .map(|forward| {
            json!({
                "ports": [forward.port],
                "target": {"address": "127.0.0.1", "port": forward.to},
            })
        })
        .collect();
    json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterPortForward",
        "metadata": {"name": "forwards"}, "spec": {"forwards": forwards},
    })
}

fn admin(cluster: &Cluster) -> Result<PathBuf> {
    let user = json!({"token": cluster.token("admin")});
    cluster
        .write_kubeconfig("admin", &cluster.server(Way::Authority)?, &user)
        .context("the admin's kubeconfig")
}
