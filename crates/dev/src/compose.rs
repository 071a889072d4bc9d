//! Flags to an engine.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use pilothouse_connect::{DemoMemory, compose};
use pilothouse_engine::{Engine, system_clock};

use crate::args::Args;

/// The engine over the sources that the flags name: the demo mesh if they name none.
pub(crate) fn engine(args: &Args) -> anyhow::Result<Arc<Engine>> {
    let mut sources = args.sources.clone();
    sources.demo |= !sources.name_something();
    let mut composition = compose(&sources, system_clock(), DemoMemory::Forgotten)?;
    if let Some(file) = &args.journal {
        composition.config.journal = Some(file.clone());
    }
    if let Some(seconds) = args.refresh {
        composition.config.tick =
            Duration::try_from_secs_f64(seconds).context("--refresh wants seconds")?;
    }
    Engine::open(composition.config, composition.sources, composition.clock)
        .context("opening the journal")
}
