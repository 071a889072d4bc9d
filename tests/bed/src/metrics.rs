//! The four metric servers of the field, on free ports: Prometheus 2 and 3, `VictoriaMetrics`, and
//! Thanos over one or more Prometheus.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::programs::Program;
use crate::remote_write::{self, Series};
use crate::samples::{self, Sample};
use crate::servers::Servers;
use crate::{http, namespace};

/// A running metric server.
#[derive(Debug, Clone)]
pub struct MetricServer {
    name: String,
    port: u16,
    /// Where it takes samples, if it does.
    write: Option<&'static str>,
}

/// Which Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrometheusVersion {
    /// 2.42, from Debian.
    Two,
    /// 3.16, built.
    Three,
}

impl MetricServer {
    /// Its name among the [`Servers`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The base address of its HTTP API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// An instant query, at a moment (seconds since 1970) or now.
    ///
    /// # Errors
    /// When it does not answer, or not with an instant vector.
    pub fn query(&self, expression: &str, at: Option<u64>) -> Result<Vec<Sample>> {
        samples::query(self.port, expression, at)
    }

    /// Writes samples by remote write; of each series, newer ones than before.
    ///
    /// # Errors
    /// When it takes none: Thanos is written through its Prometheus.
    pub fn write(&self, series: &[Series]) -> Result<()> {
        let target = self
            .write
            .with_context(|| format!("{} takes no samples", self.name))?;
        remote_write::send(self.port, target, series)
    }
}

impl Servers {
    /// Starts an empty Prometheus. Thanos wants external labels and adds them to every answer.
    ///
    /// # Errors
    /// When it cannot be built, ends, or is not ready in time.
    pub fn prometheus(
        &self,
        name: &str,
        version: PrometheusVersion,
        external_labels: &[(&str, &str)],
    ) -> Result<MetricServer> {
        let program = match version {
            PrometheusVersion::Two => Program::Prometheus2,
            PrometheusVersion::Three => Program::Prometheus3,
        };
        let port = self.take_port()?;
        let labels: std::collections::BTreeMap<_, _> = external_labels.iter().copied().collect();
        let config = json!({"global": {"external_labels": labels}});
        let file = format!("{name}.yml");
        fs::write(self.work_folder().join(&file), config.to_string())?;
        let arguments = [
            format!("--config.file={file}"),
            format!("--storage.tsdb.path={name}-data"),
            format!("--web.listen-address={}:{port}", namespace::address()),
            "--web.enable-remote-write-receiver".to_owned(),
            "--log.level=warn".to_owned(),
        ];
        self.processes
            .start(name, &program.find()?, &arguments, &[])?;
        self.metric_server(name, port, "/-/ready", Some("/api/v1/write"))
    }

    /// Starts an empty `VictoriaMetrics`, single node.
    ///
    /// # Errors
    /// When it is missing, ends, or is not ready in time.
    pub fn victoria_metrics(&self, name: &str) -> Result<MetricServer> {
        let port = self.take_port()?;
        let arguments = [
            format!("-storageDataPath={name}-data"),
            format!("-httpListenAddr={}:{port}", namespace::address()),
            "-memory.allowedBytes=256MiB".to_owned(),
            "-loggerLevel=WARN".to_owned(),
        ];
        self.processes
            .start(name, &Program::VictoriaMetrics.find()?, &arguments, &[])?;
        self.metric_server(name, port, "/health", Some("/api/v1/write"))
    }

    /// Starts a Thanos Query, and a sidecar beside each of these Prometheus, which need external
    /// labels that tell them apart; `replica` is taken off again and merges what differs only by
    /// it.
    ///
    /// # Errors
    /// When it cannot be built, ends, or does not see every Prometheus in time.
    pub fn thanos(&self, name: &str, over: &[&MetricServer]) -> Result<MetricServer> {
        let program = Program::Thanos.find()?;
        let mut arguments = vec!["query".to_owned()];
        for prometheus in over {
            let (http, grpc) = (self.take_port()?, self.take_port()?);
            let beside = prometheus.name();
            let sidecar = [
                "sidecar".to_owned(),
                format!("--prometheus.url={}", prometheus.url()),
                format!("--tsdb.path={beside}-data"),
                format!("--http-address=127.0.0.1:{http}"),
                format!("--grpc-address=127.0.0.1:{grpc}"),
                "--log.level=warn".to_owned(),
            ];
            self.processes
                .start(&format!("{beside}-sidecar"), &program, &sidecar, &[])?;
            arguments.push(format!("--endpoint=127.0.0.1:{grpc}"));
        }
        let (port, grpc) = (self.take_port()?, self.take_port()?);
        arguments.extend([
            format!("--http-address={}:{port}", namespace::address()),
            format!("--grpc-address=127.0.0.1:{grpc}"),
            "--query.replica-label=replica".to_owned(),
            "--log.level=warn".to_owned(),
        ]);
        self.processes.start(name, &program, &arguments, &[])?;
        let thanos = self.metric_server(name, port, "/-/ready", None)?;
        self.wait(&format!("{name} to see every sidecar"), || {
            let stores = http::get(port, "/api/v1/stores", &[])?.body;
            let stores: serde_json::Value = serde_json::from_str(&stores)?;
            let sidecars = stores.pointer("/data/sidecar").and_then(|it| it.as_array());
            let up = sidecars
                .into_iter()
                .flatten()
                .filter(|store| store["lastError"].is_null());
            let n_up = up.count();
            ensure!(n_up == over.len(), "it sees {stores}");
            Ok(Some(()))
        })?;
        Ok(thanos)
    }

    fn metric_server(
        &self,
        name: &str,
        port: u16,
        ready: &str,
        write: Option<&'static str>,
    ) -> Result<MetricServer> {
        self.wait(&format!("{name} to be ready"), || {
            Ok((http::get(port, ready, &[])?.status == 200).then_some(()))
        })?;
        Ok(MetricServer {
            name: name.to_owned(),
            port,
            write,
        })
    }
}
