//! `bed`: builds the servers of the test bed, and starts it for a person to point the app at.
//!
//! ```text
//! bed build [all]                              get what is missing, once; all: also what only
//!                                              some tests need
//! bed up [--keep] [--rps N] [--scrape SECONDS] run until Ctrl-C
//! ```

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use pilothouse_bed::{Bed, Options, Program, User, install};

const USAGE: &str = "usage: bed build [all] | bed up [--keep] [--rps N] [--scrape SECONDS]";

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With nobody to read it there is nothing left to do.
            drop(writeln!(io::stderr(), "bed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    match arguments.next().as_deref() {
        Some("build") => {
            let mut say = |line| drop(writeln!(io::stdout(), "{line}"));
            match (arguments.next().as_deref(), arguments.next()) {
                (None, None) => install::run(&mut say),
                (Some("all"), None) => {
                    install::run(&mut say)?;
                    let find = |program: Program| program.find_and_tell(&mut say).map(drop);
                    Program::ALL.into_iter().try_for_each(find)
                }
                _ => bail!(USAGE),
            }
        }
        Some("up") => up(parse(arguments)?),
        _ => bail!(USAGE),
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options {
        verbose: true,
        ..Options::default()
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--keep" => options.keep = true,
            "--rps" => options.rps = value()?.parse().context("--rps needs a number")?,
            "--scrape" => {
                options.scrape_seconds =
                    value()?.parse().context("--scrape needs whole seconds")?;
            }
            _ => bail!("unknown argument {argument}; {USAGE}"),
        }
    }
    Ok(options)
}

fn up(options: Options) -> Result<()> {
    let bed = Bed::start(options)?;
    let file = bed.work_folder().join("bed.json");
    fs::write(&file, serde_json::to_vec_pretty(&bed.to_json())?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let mut out = io::stdout();
    writeln!(
        out,
        "# {} servers, {} MB; all of this: {}",
        bed.pids().len(),
        bed.memory_mb(),
        file.display()
    )?;
    writeln!(
        out,
        "export KUBECONFIG={}",
        bed.kubeconfig(User::Admin).display()
    )?;
    writeln!(out, "export PILOTHOUSE_PROMETHEUS={}", bed.prometheus_url())?;
    writeln!(out, "export PILOTHOUSE_TRACES=jaeger={}", bed.jaeger_url())?;
    writeln!(
        out,
        "# a user who may only read: {}",
        bed.kubeconfig(User::Viewer).display()
    )?;
    writeln!(out, "# then: target/debug/pilothouse --context bed")?;
    writeln!(out, "#       target/debug/pilothousectl graph")?;
    writeln!(out, "# Ctrl-C ends it")?;
    out.flush()?;
    // Ctrl-C ends this process, and the kernel its servers with it. Should one end by itself, the
    // bed is of no use any more.
    bed.wait_until("Ctrl-C", Duration::MAX, || Ok(None::<()>))
}
