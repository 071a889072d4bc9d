//! The cluster of the ways: its pods, its users, and what of the servers it shows.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use pilothouse_bed::{Cluster, DataSet, Forward, Servers, Validity, Way};
use serde_json::{Value, json};

use super::servers::Backends;
use crate::operator::{Looked, Operator};

const SOON: Duration = Duration::from_secs(60);
const NAMESPACE: &str = "istio-system";

/// The cluster and an operator in front of it.
pub(super) struct Room {
    pub(super) operator: Operator,
    reader: Operator,
    backends: Backends,
    cluster: Cluster,
    servers: Servers,
}

/// A server that the cluster has a Service for.
pub(super) struct Shown {
    name: &'static str,
    labels: Value,
    port_name: &'static str,
}

/// Takes the Services away again.
pub(super) struct Cleared<'a> {
    room: &'a Room,
    names: Vec<&'static str>,
}

impl Shown {
    pub(super) fn prometheus(name: &'static str) -> Self {
        Self::labelled(name, "prometheus")
    }

    pub(super) fn labelled(name: &'static str, product: &str) -> Self {
        Self {
            name,
            labels: json!({"app.kubernetes.io/name": product}),
            port_name: "http",
        }
    }

    pub(super) fn mimir(name: &'static str) -> Self {
        let labels = json!({
            "app.kubernetes.io/name": "mimir", "app.kubernetes.io/component": "gateway",
        });
        Self {
            labels,
            ..Self::prometheus(name)
        }
    }

    pub(super) fn jaeger(name: &'static str) -> Self {
        Self {
            name,
            labels: json!({"app": "jaeger"}),
            port_name: "http-query",
        }
    }
}

impl Room {
    pub(super) fn set() -> Result<Self> {
        let servers = Servers::new()?;
        let [cluster] = servers.clusters(["east"])?;
        let backends = Backends::start(&servers)?;
        servers.start_controllers(&cluster)?;
        let same = backends.ports.iter().map(|(_, port)| Forward {
            port: *port,
            to: *port,
        });
        servers.start_pods(&cluster, &same.collect::<Vec<_>>())?;
        let mut deployments = String::new();
        for (name, port) in &backends.ports {
            deployments.push_str(&deployment(name, *port));
        }
        cluster.kube().apply_yaml(&deployments)?;
        // What docs/rbac gives to whoever reads, without the two ways to servers.
        let rules = pilothouse_acceptance::root().join("docs/rbac/read-only.yaml");
        let mut rules = std::fs::read_to_string(rules)?;
        for way in ["[services/proxy, pods/proxy]", "[pods/portforward]"] {
            ensure!(rules.contains(way), "no rule of {way}: {rules}");
            rules = rules.replace(way, "[pods/status]");
        }
        cluster.kube().apply_yaml(&rules)?;
        cluster.kube().apply_yaml(READER)?;
        let server = cluster.server(Way::Authority)?;
        let admin = json!({"token": cluster.token("admin")});
        let admin = cluster.write_kubeconfig("operator", &server, &admin)?;
        let rita = cluster.client_certificate("rita", None, Validity::Good)?;
        let folder = admin.parent().context("no folder")?;
        std::fs::write(folder.join("rita.pem"), &rita.certificate)?;
        std::fs::write(folder.join("rita.key"), &rita.key)?;
        let rita = json!({"client-certificate": "rita.pem", "client-key": "rita.key"});
        let reader = cluster.write_kubeconfig("reader", &server, &rita)?;
        Ok(Self {
            operator: Operator::with(&[&admin])?,
            reader: Operator::with(&[&reader])?,
            backends,
            cluster,
            servers,
        })
    }

    pub(super) fn look(&self) -> Result<Looked> {
        self.operator.look("east")
    }

    pub(super) fn look_as_reader(&self) -> Result<Looked> {
        self.reader.look("east")
    }

    /// What the reader may do in the namespace of the servers besides reading objects.
    pub(super) fn may(&self, verbs: &[&str], subresources: &[&str]) -> Result<()> {
        let resources = [subresources, &["pods/status"]].concat();
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "reaches", "namespace": NAMESPACE},
            "rules": [{"apiGroups": [""], "verbs": verbs, "resources": resources}],
        });
        self.cluster.kube().apply(&role)?.ok()?;
        Ok(())
    }

    /// Services in front of these servers, as long as the answer lives.
    pub(super) fn show(&self, shown: &[Shown]) -> Result<Cleared<'_>> {
        let cleared = Cleared {
            room: self,
            names: shown.iter().map(|one| one.name).collect(),
        };
        for Shown {
            name,
            labels,
            port_name,
        } in shown
        {
            let port = self.backends.port(name);
            let service = json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
                "spec": {
                    "selector": {"pod": name},
                    "ports": [{"name": port_name, "port": port, "targetPort": port}],
                },
            });
            self.cluster.kube().apply(&service)?.ok()?;
        }
        for Shown { name, .. } in shown {
            self.await_endpoints(name, true)?;
        }
        Ok(cleared)
    }

    /// Until controllers have written both kinds of endpoints of a Service, or taken them away.
    fn await_endpoints(&self, name: &str, there: bool) -> Result<()> {
        let endpoints = format!("/api/v1/namespaces/{NAMESPACE}/endpoints/{name}");
        let slices = format!(
            "/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices?\
             labelSelector=kubernetes.io/service-name%3D{name}"
        );
        self.servers
            .wait_until(&format!("endpoints of {name}"), SOON, || {
                let kube = self.cluster.kube();
                let endpoints = kube.call("GET", &endpoints, "", &[])?.body;
                let slices = kube.get(&slices)?;
                let address = endpoints.pointer("/subsets/0/addresses/0/ip");
                let slice = slices.pointer("/items/0/endpoints/0/conditions/ready");
                let (has_address, has_slice) = (address.is_some(), slice.is_some());
                ensure!(
                    has_address == there && has_slice == there,
                    "{endpoints} {slices}"
                );
                Ok(Some(()))
            })
    }

    /// The rate of the counted mesh, by a source whose address says how it is reached.
    pub(super) fn draws_the_mesh(&self, look: Looked, by: &str) -> Result<()> {
        let api = self.operator.open(vec![look])?;
        self.operator.runtime.block_on(api.load());
        let update = api.latest();
        let sources = update.graph.sources.iter();
        let mut metrics = sources.filter(|source| source.name == "metrics");
        let metrics = metrics.next_back().context("no metrics")?;
        ensure!(
            metrics.state == "ok" && metrics.address.contains(by),
            "{by} was expected of {metrics:#?}"
        );
        let nodes = update.graph.nodes.iter();
        let reviews = nodes.filter(|node| node.app.as_deref() == Some("reviews"));
        let ids: Vec<&str> = reviews.map(|node| node.id.as_str()).collect();
        let edges = update.graph.edges.iter();
        let to_reviews = edges.filter(|edge| ids.contains(&edge.target.as_str()));
        let rate: f64 = to_reviews.filter_map(|edge| edge.rate).sum();
        let expected = DataSet::rate_to("reviews");
        ensure!(
            (rate - expected).abs() < 0.1 * expected,
            "{rate} to reviews instead of {expected}: {:#?}",
            update.graph.edges
        );
        Ok(())
    }
}

impl Drop for Cleared<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            let path = format!("/api/v1/namespaces/{NAMESPACE}/services/{name}");
            // The next step shows what is left, if anything is.
            drop(self.room.cluster.kube().delete(&path));
        }
        for name in &self.names {
            drop(self.room.await_endpoints(name, false));
        }
    }
}

fn deployment(name: &str, port: u16) -> String {
    format!(
        "
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {NAMESPACE}}}
spec:
  selector: {{matchLabels: {{pod: {name}}}}}
  template:
    metadata: {{labels: {{pod: {name}}}}}
    spec: {{containers: [{{name: app, image: none, ports: [{{containerPort: {port}}}]}}]}}
"
    )
}

const READER: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: rita-reads}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: pilothouse-read-only}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: rita}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rita-reaches, namespace: istio-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reaches}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: rita}
";
