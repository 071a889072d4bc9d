//! The Kubernetes objects of the mesh, as its owner would apply them, plus those that controllers
//! write in a real cluster (Pods, statuses) and that are written by hand here.
//!
//! Traffic rules and access rights are YAML in `manifests/`; what follows from the list of
//! workloads is made here.

use serde_json::{Value, json};

use crate::mesh::{SERVICE_PORT, WORKLOADS, Workload};

/// Routes, subsets and the Gateway.
pub(crate) const TRAFFIC: &str = include_str!("../manifests/traffic.yaml");
/// What the viewer may read.
pub(crate) const ACCESS: &str = include_str!("../manifests/access.yaml");

pub(crate) const WEBHOOK: &str = "istio-validator-istio-system";

/// The name of the Deployment whose subset has no endpoints.
const EMPTY_VERSION: &str = "v3";

/// Labels of a workload's Pod, by which Services, subsets and Gateways select it.
pub(crate) fn labels(workload: &Workload) -> Value {
    match workload.version {
        Some(version) => json!({"app": workload.app, "version": version}),
        None => json!({"app": workload.app, "istio": "ingressgateway"}),
    }
}

pub(crate) fn namespace(name: &str, injected: bool) -> Value {
    let labels = if injected {
        json!({"istio-injection": "enabled"})
    } else {
        json!({})
    };
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    })
}

/// istiod fills in `caBundle`, and `failurePolicy: Fail` once its endpoint answers.
pub(crate) fn webhook(port: u16) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {
            "name": WEBHOOK,
            "labels": {"app": "istiod", "istio": "istiod", "istio.io/rev": "default"},
        },
        "webhooks": [{
            "name": "rev.validation.istio.io",
            "clientConfig": {"url": format!("https://localhost:{port}/validate")},
            "rules": [{
                "operations": ["CREATE", "UPDATE"],
                "apiGroups": [
                    "security.istio.io", "networking.istio.io",
                    "telemetry.istio.io", "extensions.istio.io",
                ],
                "apiVersions": ["*"],
                "resources": ["*"],
            }],
            "failurePolicy": "Ignore",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }],
    })
}

/// All that follows from the list of workloads, with the inbound port of each workload's Envoy.
pub(crate) fn bookinfo(inbound: impl Fn(&Workload) -> u16) -> Vec<Value> {
    let mut objects = Vec::new();
    for workload in &WORKLOADS {
        objects.push(service_account(workload));
        objects.push(deployment(workload, workload.version, 1));
        objects.push(pod(workload));
        if workload.is_ingress() {
            objects.push(service(workload, workload.app, &labels(workload)));
            continue;
        }
        objects.push(entry(workload, inbound(workload)));
        objects.push(service(
            workload,
            workload.app,
            &json!({"app": workload.app}),
        ));
        if workload.app == "reviews" {
            // Gateway API splits over Services, so each version has one of its own.
            objects.push(service(workload, workload.name, &labels(workload)));
        }
    }
    if let Some(reviews) = WORKLOADS.iter().find(|workload| workload.app == "reviews") {
        objects.push(deployment(reviews, Some(EMPTY_VERSION), 0));
    }
    objects
}

/// The paths of status subresources, and what a kubelet or a controller would patch in.
pub(crate) fn statuses() -> Vec<(String, Value)> {
    let mut statuses = Vec::new();
    for workload in &WORKLOADS {
        let Workload {
            app,
            name,
            namespace,
            ..
        } = workload;
        let ip = workload.pod_ip();
        let container = json!({
            "name": app, "image": "bed", "imageID": "", "ready": true, "restartCount": 0,
            "state": {"running": {}},
        });
        let pod = json!({"status": {
            "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [container],
        }});
        let deployment = json!({"status": {
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
            "readyReplicas": 1, "availableReplicas": 1,
        }});
        let pod_name = workload.pod();
        statuses.push((
            format!("/api/v1/namespaces/{namespace}/pods/{pod_name}/status"),
            pod,
        ));
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}/status");
        statuses.push((path, deployment));
    }
    statuses
}

fn service_account(workload: &Workload) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {
            "name": workload.service_account(), "namespace": workload.namespace,
            "labels": {"account": workload.app},
        },
    })
}

fn service(workload: &Workload, name: &str, selector: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": name, "namespace": workload.namespace,
            "labels": {"app": workload.app, "service": name},
        },
        "spec": {"selector": selector, "ports": [{"name": "http", "port": SERVICE_PORT}]},
    })
}

fn deployment(workload: &Workload, version: Option<&str>, replicas: u32) -> Value {
    let name = version.map_or(workload.name.to_owned(), |v| {
        format!("{}-{v}", workload.app)
    });
    let mut labels = labels(workload);
    if let Some(version) = version {
        labels["version"] = json!(version);
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": workload.namespace, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": workload.service_account(),
                    "containers": [container(workload)],
                },
            },
        },
    })
}

fn pod(workload: &Workload) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": workload.pod(), "namespace": workload.namespace, "labels": labels(workload),
        },
        "spec": {
            "nodeName": "bed",
            "serviceAccountName": workload.service_account(),
            "containers": [container(workload)],
        },
    })
}

fn container(workload: &Workload) -> Value {
    json!({
        "name": workload.app, "image": "bed",
        "ports": [{"name": "http", "containerPort": SERVICE_PORT}],
    })
}

/// Kubernetes refuses loopback addresses in `EndpointSlices`. Istio takes a `WorkloadEntry`, with a
/// port of its own, as an endpoint of every Service whose selector fits it.
fn entry(workload: &Workload, inbound: u16) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry",
        "metadata": {"name": workload.name, "namespace": workload.namespace},
        "spec": {
            "address": "127.0.0.1",
            "ports": {"http": inbound},
            "labels": labels(workload),
            "serviceAccount": workload.service_account(),
        },
    })
}
