//! `pilothousectl`: Pilothouse without a window. The same api as the screens, so the same numbers.
//!
//! Results go to stdout, logs and complaints to stderr. Exit codes: 0 ok; 1 failure; 64 usage; 65 bad data; 69 a source is
//! unavailable; 75 conflict, try again; 77 forbidden or read-only; 79 findings; 130 Ctrl-C.

mod args;
mod commands;
mod compose;
mod failure;
mod output;
mod units;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;

use crate::args::Cli;
use crate::failure::{Exit, Failure};

/// What is logged unless `RUST_LOG` says otherwise. The client of the Kubernetes API logs every refusal, which is told as
/// a failure of its source already.
const LOGGED: &str = "error,kube_client=off";

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED)),
        )
        .with_writer(std::io::stderr)
        .init();
    let cli = match Cli::try_parse() {
        Ok(cli) => Cli {
            sources: cli.sources.given(),
            ..cli
        },
        Err(error) => return usage(&error),
    };
    match run(&cli) {
        Ok(Exit(code)) => ExitCode::from(code),
        Err(failure) => {
            let text = output::lines(&failure.to_string());
            let _best_effort = write!(std::io::stderr(), "{text}");
            ExitCode::from(failure.exit)
        }
    }
}

/// Help and version are answers; anything else is a usage error (64).
fn usage(error: &clap::Error) -> ExitCode {
    let asked_for = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let _best_effort = error.print();
    if asked_for {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(64)
    }
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::other(format!("starting the runtime: {error}")))?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = commands::run(cli) => done,
            _ = tokio::signal::ctrl_c() => Ok(Exit(130)),
        }
    });
    // A question that nobody answered any more may still wait at the terminal.
    runtime.shutdown_background();
    done
}
