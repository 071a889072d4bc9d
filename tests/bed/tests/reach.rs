//! Reaching a server through the API server: service proxy, pod proxy, port-forward.

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::{Context, Result, ensure};
    use pilothouse_bed::{
        Bed, Cluster, DataSet, Feed, Forward, Options, Program, PrometheusVersion, Published,
        Servers, get, isolated,
    };
    use serde_json::Value;

    const SOON: Duration = Duration::from_secs(30);

    #[test]
    fn a_server_answers_through_the_service_proxy_and_the_pod_proxy() -> Result<()> {
        isolated(
            "tests::a_server_answers_through_the_service_proxy_and_the_pod_proxy",
            &[
                Program::KubeApiserver,
                Program::KubeControllerManager,
                Program::Kwok,
                Program::Jaeger,
            ],
            proxies,
        )
    }

    fn proxies() -> Result<()> {
        let servers = Servers::new()?;
        let [cluster] = servers.clusters(["east"])?;
        let prometheus = servers.prometheus("prometheus", PrometheusVersion::Two, &[])?;
        let _feed = Feed::start(DataSet::new("east"), &[&prometheus])?;
        cluster.kube().publish(&Published {
            namespace: "istio-system",
            name: "prometheus",
            labels: &[("app.kubernetes.io/name", "prometheus")],
            port_name: "http",
            port: prometheus.port(),
            pod_ip: "10.99.0.7",
        })?;
        let port = prometheus.port();
        for path in [
            "services/prometheus:http/proxy".to_owned(),
            format!("services/http:prometheus:{port}/proxy"),
            format!("pods/prometheus-0:{port}/proxy"),
        ] {
            let query = "api/v1/query?query=count(istio_requests_total)";
            let path = format!("/api/v1/namespaces/istio-system/{path}/{query}");
            let answer = cluster.kube().get(&path)?;
            assert_eq!(answer["status"], "success", "{path}: {answer}");
        }
        a_base_path_is_part_of_the_path(&servers, &cluster)?;
        who_may_not_is_told_by_the_api_server(&cluster)?;
        by_endpoints_that_controllers_wrote(&servers, &cluster, port)
    }

    /// A Deployment and a Service are all that a person writes; the rest is the controllers'.
    fn by_endpoints_that_controllers_wrote(
        servers: &Servers,
        cluster: &Cluster,
        port: u16,
    ) -> Result<()> {
        servers.start_controllers(cluster)?;
        servers.start_pods(cluster, &[])?;
        cluster.kube().apply_yaml(&format!(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: monitoring}}
spec:
  selector: {{matchLabels: {{app: monitoring}}}}
  template:
    metadata: {{labels: {{app: monitoring}}}}
    spec: {{containers: [{{name: app, image: none}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: monitoring}}
spec: {{selector: {{app: monitoring}}, ports: [{{name: web, port: 80, targetPort: {port}}}]}}
"
        ))?;
        servers.wait_until("an answer through the Service", SOON, || {
            let path = "/api/v1/namespaces/bookinfo/services/monitoring:web/proxy/-/ready";
            let answer = cluster.kube().call("GET", path, "", &[])?;
            ensure!(
                answer.status == 200,
                "{}: {}",
                answer.status,
                answer.message()
            );
            Ok(Some(()))
        })
    }

    fn a_base_path_is_part_of_the_path(servers: &Servers, cluster: &Cluster) -> Result<()> {
        let jaeger = servers.jaeger("jaeger", "/jaeger")?;
        cluster.kube().publish(&Published {
            namespace: "istio-system",
            name: "tracing",
            labels: &[("app", "jaeger")],
            port_name: "http-query",
            port: jaeger.port,
            pod_ip: "10.99.0.8",
        })?;
        let root = "/api/v1/namespaces/istio-system/services/tracing:http-query/proxy";
        let answer = cluster.kube().get(&format!("{root}/jaeger/api/services"))?;
        assert!(
            answer["data"].is_null() || answer["data"].is_array(),
            "{answer}"
        );
        assert_eq!(answer["errors"], Value::Null);
        Ok(())
    }

    fn who_may_not_is_told_by_the_api_server(cluster: &Cluster) -> Result<()> {
        let viewer = cluster.kube().with_token(&cluster.token("viewer"));
        let path = "/api/v1/namespaces/istio-system/services/prometheus:http/proxy/-/ready";
        let answer = viewer.call("GET", path, "", &[])?;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.body["kind"], "Status");
        Ok(())
    }

    #[test]
    fn the_metrics_of_a_mesh_are_reached_through_its_api_server() -> Result<()> {
        isolated(
            "tests::the_metrics_of_a_mesh_are_reached_through_its_api_server",
            &[],
            mesh,
        )
    }

    fn mesh() -> Result<()> {
        let bed = Bed::start(Options {
            scrape_seconds: 1,
            ..Options::default()
        })?;
        let port = bed.prometheus_url().rsplit(':').next().map(str::parse);
        bed.kube().publish(&Published {
            namespace: "istio-system",
            name: "prometheus",
            labels: &[("app", "prometheus")],
            port_name: "http",
            port: port.context("no port")??,
            pod_ip: "10.99.0.7",
        })?;
        let path = "/api/v1/namespaces/istio-system/services/prometheus:http/proxy\
                    /api/v1/query?query=istio_requests_total";
        bed.wait_until("counted requests", SOON, || {
            let answer = bed.kube().get(path)?;
            let rows = answer.pointer("/data/result").and_then(Value::as_array);
            Ok((!rows.context("no rows")?.is_empty()).then_some(()))
        })
    }

    /// kubectl forwards a port of a pod through the API server and kwok's kubelet.
    #[test]
    fn a_port_of_a_pod_is_forwarded_to_a_server_of_this_machine() -> Result<()> {
        let servers = Servers::new()?;
        let [cluster] = servers.clusters(["east"])?;
        let prometheus = servers.prometheus("prometheus", PrometheusVersion::Two, &[])?;
        let forward = Forward {
            port: 9090,
            to: prometheus.port(),
        };
        servers.start_pods(&cluster, &[forward])?;
        cluster.kube().apply_yaml(
            "
apiVersion: v1
kind: Pod
metadata: {name: prometheus-0, namespace: istio-system}
spec: {containers: [{name: app, image: none, ports: [{containerPort: 9090}]}]}
",
        )?;
        let path = "/api/v1/namespaces/istio-system/pods/prometheus-0";
        servers.wait_until("the pod to run", SOON, || {
            let phase = cluster.kube().get(path)?["status"]["phase"].take();
            ensure!(phase == "Running", "it is {phase}");
            Ok(Some(()))
        })?;
        let local = servers.forward(&cluster, "istio-system", "prometheus-0", 9090)?;
        let answer = get(local, "/api/v1/status/buildinfo", &[])?;
        let body: Value = serde_json::from_str(&answer.body)?;
        let version = body.pointer("/data/version").and_then(Value::as_str);
        assert!(version.context("no version")?.starts_with("2."));
        Ok(())
    }
}
