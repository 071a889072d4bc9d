//! Flags to a workspace.

use std::sync::Arc;

use clap::Parser;
use pilothouse_api::Workspace;
use pilothouse_connect::{Contexts, DemoMemory, SourceArgs, compose};
use pilothouse_engine::system_clock;

/// Pilothouse: live graph, safe weight shifts and traces for service meshes. Without flags it opens the demo mesh.
#[derive(Debug, Parser)]
#[command(name = "pilothouse", version)]
pub(crate) struct Flags {
    #[command(flatten)]
    sources: SourceArgs,
}

/// The running workspace over the sources that the flags name: the demo mesh if they name none. Needs a runtime.
pub(crate) fn workspace(flags: Flags) -> anyhow::Result<Arc<Workspace>> {
    let mut sources = flags.sources;
    sources.demo |= !sources.name_something();
    let composition = compose(&sources, system_clock(), DemoMemory::Forgotten)?;
    let connector = Contexts::of_process(&sources);
    Ok(composition.workspace(true, Some(connector))?.0)
}
