//! Flags.

use std::path::PathBuf;

use clap::Parser;
use pilothouse_connect::SourceArgs;

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
    #[command(flatten)]
    pub(crate) sources: SourceArgs,
    /// Seconds between two ticks of the metrics.
    #[arg(long)]
    pub(crate) refresh: Option<f64>,
    /// Journal of changes; else that of the other shells, and of the demo mesh none.
    #[arg(long)]
    pub(crate) journal: Option<PathBuf>,
}
