//! Flags to a workspace.

use std::sync::Arc;

use clap::Parser;
use pilothouse_api::Workspace;
use pilothouse_connect::{Contexts, SourceArgs};
use pilothouse_engine::system_clock;

/// Pilothouse: live graph, safe weight shifts and traces for service meshes. Without flags the window shows what can be
/// opened and contacts nothing by itself.
#[derive(Debug, Parser)]
#[command(name = "pilothouse", version)]
pub(crate) struct Flags {
    #[command(flatten)]
    sources: SourceArgs,
}

/// The running workspace over what the flags name. Needs a runtime.
pub(crate) async fn workspace(flags: Flags) -> anyhow::Result<Arc<Workspace>> {
    let contexts = Contexts::of_process(&flags.sources);
    let composition = contexts.at_start(system_clock()).await?;
    Ok(composition.workspace(true, Some(contexts))?.0)
}
