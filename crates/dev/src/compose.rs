//! Flags to a workspace.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use pilothouse_api::Workspace;
use pilothouse_connect::{Contexts, DemoMemory, compose};
use pilothouse_engine::system_clock;

use crate::args::Args;

/// The running workspace over the sources that the flags name: the demo mesh if they name none. Needs a runtime.
pub(crate) fn workspace(args: &Args) -> anyhow::Result<Arc<Workspace>> {
    let mut sources = args.sources.clone();
    sources.demo |= !sources.name_something();
    let mut composition = compose(&sources, system_clock(), DemoMemory::Forgotten)?;
    for opened in &mut composition.opened {
        if let Some(file) = &args.journal {
            opened.config.journal = Some(file.clone());
        }
        if let Some(seconds) = args.refresh {
            opened.config.tick =
                Duration::try_from_secs_f64(seconds).context("--refresh wants seconds")?;
        }
    }
    let connector = Contexts::of_process(&sources);
    Ok(composition.workspace(true, Some(connector))?.0)
}
