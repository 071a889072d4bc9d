//! Flags to a workspace.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use pilothouse_api::Workspace;
use pilothouse_connect::Contexts;
use pilothouse_engine::system_clock;

use crate::args::Args;

/// The running workspace over what the flags name. Needs a runtime.
pub(crate) async fn workspace(args: &Args) -> anyhow::Result<Arc<Workspace>> {
    let contexts = Contexts::of_process(&args.sources);
    let mut composition = contexts.at_start(system_clock()).await?;
    for opened in &mut composition.opened {
        if let Some(file) = &args.journal {
            opened.config.journal = Some(file.clone());
        }
        if let Some(seconds) = args.refresh {
            opened.config.tick =
                Duration::try_from_secs_f64(seconds).context("--refresh wants seconds")?;
        }
    }
    Ok(composition.workspace(true, Some(contexts))?.0)
}
