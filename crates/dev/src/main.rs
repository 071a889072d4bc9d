//! `pilothouse-dev`: the screens of Pilothouse in a browser, over HTTP on loopback.
//!
//! For tests and for machines without a display; never shipped. It serves the built frontend and the same api as the
//! desktop shell, guarded by a token in the URL's fragment, the `Host` and the `Origin` header.

mod args;
mod compose;
mod guard;
mod server;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use pilothouse_api::Api;
use tracing_subscriber::EnvFilter;

use crate::args::Args;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    let mut args = Args::parse();
    args.sources = args.sources.given();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _best_effort = writeln!(std::io::stderr(), "pilothouse-dev: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let workspace = compose::workspace(args).await?;
        let bound = server::bind(Api::new(workspace), args.port, &args.frontend).await?;
        writeln!(std::io::stdout(), "{}", bound.address()).context("printing the address")?;
        tokio::select! {
            served = bound.serve() => served?,
            stop = tokio::signal::ctrl_c() => stop.context("waiting for Ctrl-C")?,
        }
        Ok(())
    })
}
