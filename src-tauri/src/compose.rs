//! Flags to an engine.

use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use pilothouse_connect::{DemoMemory, SourceArgs, compose};
use pilothouse_engine::{Engine, system_clock};

/// Pilothouse: live graph, safe weight shifts and traces for service meshes. Without flags it opens the demo mesh.
#[derive(Debug, Parser)]
#[command(name = "pilothouse", version)]
struct Flags {
    #[command(flatten)]
    sources: SourceArgs,
}

/// The engine over the sources that the flags name: the demo mesh if they name none.
pub(crate) fn engine() -> anyhow::Result<Arc<Engine>> {
    let mut sources = Flags::parse().sources;
    sources.demo |= !sources.name_something();
    let composition = compose(&sources, system_clock(), DemoMemory::Forgotten)?;
    Engine::open(composition.config, composition.sources, composition.clock)
        .context("opening the journal")
}
