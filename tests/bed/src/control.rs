//! The control plane: kube-apiserver with its definitions, and istiod.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::kube::{Kube, User};
use crate::mesh::{CLUSTER, INGRESS_NAMESPACE};
use crate::objects;

const HOST: &str = "127.0.0.1";

/// istiod's ports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IstiodPorts {
    pub(crate) xds: u16,
    pub(crate) secure_xds: u16,
    pub(crate) http: u16,
    pub(crate) webhook: u16,
    pub(crate) monitoring: u16,
}

/// The lines of the API server's token file.
pub(crate) fn tokens() -> String {
    // The stranger's token is the one that is not here.
    [
        (User::Admin, "system:masters"),
        (User::Viewer, "mesh-viewers"),
    ]
    .map(|(user, group)| {
        format!(
            "{},{},{},\"{group}\"\n",
            user.token(),
            user.name(),
            user.name()
        )
    })
    .concat()
}

pub(crate) fn api_server_arguments(port: u16, tokens: &str) -> Vec<String> {
    [
        &format!("--bind-address={HOST}"),
        &format!("--advertise-address={HOST}"),
        &format!("--secure-port={port}"),
        &format!("--token-auth-file={tokens}"),
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        // No controller manager makes service accounts' tokens or keeps endpoints.
        "--disable-admission-plugins=ServiceAccount",
        "--endpoint-reconciler-type=none",
        "--profiling=false",
    ]
    .map(str::to_owned)
    .to_vec()
}

pub(crate) fn istiod_arguments(ports: IstiodPorts) -> Vec<String> {
    let address = |port: u16| format!("{HOST}:{port}");
    [
        "discovery",
        "--kubeconfig=admin.kubeconfig",
        "--meshConfig=mesh.json",
        "--networksConfig=/dev/null",
        "--domain=cluster.local",
        &format!("--grpcAddr={}", address(ports.xds)),
        &format!("--secureGRPCAddr={}", address(ports.secure_xds)),
        &format!("--httpAddr={}", address(ports.http)),
        &format!("--httpsAddr={}", address(ports.webhook)),
        &format!("--monitoringAddr={}", address(ports.monitoring)),
        "--ctrlz_port=0",
    ]
    .map(str::to_owned)
    .to_vec()
}

pub(crate) fn istiod_variables() -> Vec<(&'static str, String)> {
    [
        ("POD_NAME", "istiod-0"),
        ("POD_NAMESPACE", INGRESS_NAMESPACE),
        ("SERVICE_ACCOUNT", "istiod"),
        ("REVISION", "default"),
        ("CLUSTER_ID", CLUSTER),
        ("PILOT_CERT_PROVIDER", "istiod"),
        ("ISTIOD_CUSTOM_HOST", "localhost"),
        ("VALIDATION_WEBHOOK_CONFIG_NAME", objects::WEBHOOK),
        ("INJECTION_WEBHOOK_CONFIG_NAME", ""),
        ("PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER", "false"),
        // It adds filters that only Istio's own build of Envoy has.
        ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

/// istiod's mesh configuration. Without automatic mTLS its clusters need no certificates.
pub(crate) fn mesh_config() -> Value {
    serde_json::json!({
        "trustDomain": "cluster.local",
        "rootNamespace": INGRESS_NAMESPACE,
        "enableAutoMtls": false,
    })
}

/// Creates the resource definitions and returns a path for each to list its objects at: it
/// answers once the API server serves them.
pub(crate) fn create_definitions(kube: &Kube, files: &[impl AsRef<Path>]) -> Result<Vec<String>> {
    const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let mut paths = Vec::new();
    for file in files {
        let file = file.as_ref();
        let text = fs::read_to_string(file).with_context(|| format!("no {}", file.display()))?;
        // The server reads the YAML; here only its documents are told apart.
        for document in text
            .split("\n---")
            .filter(|part| part.contains("\nkind: Custom"))
        {
            let document = document.trim_start_matches(['-', '\n', ' ']);
            let answer = kube.call("POST", PATH, "application/yaml", document.as_bytes())?;
            let made = answer
                .ok()
                .with_context(|| format!("definition in {}", file.display()))?;
            paths.push(list_path(&made).context("a definition without group, name or version")?);
        }
    }
    Ok(paths)
}

fn list_path(definition: &Value) -> Option<String> {
    let group = definition.pointer("/spec/group")?.as_str()?;
    let plural = definition.pointer("/spec/names/plural")?.as_str()?;
    let versions = definition.pointer("/spec/versions")?.as_array()?;
    let served = versions.iter().find(|version| version["served"] == true)?;
    let version = served.get("name")?.as_str()?;
    Some(format!("/apis/{group}/{version}/{plural}?limit=1"))
}
