//! Jaeger by itself, for tests that look for a trace backend.

use std::fs;

use anyhow::Result;

use crate::http;
use crate::programs::Program;
use crate::servers::Servers;
use crate::telemetry::{self, JaegerPorts};

/// A running Jaeger.
#[derive(Debug, Clone)]
pub struct TraceServer {
    /// Its name among the [`Servers`].
    pub name: String,
    /// Where its query API listens.
    pub port: u16,
    /// Where it takes OTLP over HTTP.
    pub otlp_port: u16,
    /// What every path of the query API begins with; empty, or such as `/jaeger`.
    pub base_path: String,
}

impl TraceServer {
    /// The base address of its query API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.base_path)
    }
}

impl Servers {
    /// Starts an empty Jaeger.
    ///
    /// # Errors
    /// When it cannot be built, ends, or is not ready in time.
    pub fn jaeger(&self, name: &str, base_path: &str) -> Result<TraceServer> {
        let ports = JaegerPorts {
            http: self.take_port()?,
            grpc: self.take_port()?,
            otlp_grpc: self.take_port()?,
            otlp_http: self.take_port()?,
        };
        let file = format!("{name}.json");
        let config = telemetry::jaeger(ports, base_path);
        fs::write(self.work_folder().join(&file), config.to_string())?;
        // It would trace itself, to a port where nobody listens.
        let variables = [("OTEL_TRACES_SAMPLER", "always_off".to_owned())];
        let arguments = ["--config".to_owned(), file];
        self.processes
            .start(name, &Program::Jaeger.find()?, &arguments, &variables)?;
        let path = format!("{base_path}/api/services");
        self.wait(&format!("{name} to be ready"), || {
            Ok((http::get(ports.http, &path, &[])?.status == 200).then_some(()))
        })?;
        Ok(TraceServer {
            name: name.to_owned(),
            port: ports.http,
            otlp_port: ports.otlp_http,
            base_path: base_path.to_owned(),
        })
    }
}
