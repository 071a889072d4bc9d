//! Flags.

use std::path::PathBuf;

use clap::Parser;
use pilothouse_telemetry::TraceAddress;

/// Serves Pilothouse's screens to a browser on this machine.
#[derive(Debug, Parser)]
#[command(name = "pilothouse-dev", version)]
pub(crate) struct Args {
    /// Port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Folder of the built frontend.
    #[arg(long, default_value = "frontend/dist")]
    pub(crate) frontend: PathBuf,
    /// Seed of the demo mesh.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Services of the demo mesh; without it the shop.
    #[arg(long)]
    pub(crate) services: Option<usize>,
    /// Kubeconfig of a real cluster (then not the demo mesh).
    #[arg(long)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context in it.
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// Prometheus.
    #[arg(long)]
    pub(crate) prometheus: Option<String>,
    /// Traces, as `jaeger=URL` or `file=PATH`.
    #[arg(long)]
    pub(crate) traces: Option<TraceAddress>,
    /// Seconds between two ticks of the metrics.
    #[arg(long)]
    pub(crate) refresh: Option<f64>,
    /// Journal of changes; else that of the other shells, and of the demo mesh none.
    #[arg(long)]
    pub(crate) journal: Option<PathBuf>,
}
