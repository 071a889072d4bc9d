//! The desktop shell: one window over the api. No decision, no loop, no parsing here.

mod compose;
mod instance;
mod ipc;
mod place;
mod stream;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use pilothouse_api::Api;
use tauri::{Builder, Manager as _, RunEvent, Runtime, Wry};
use tracing_subscriber::EnvFilter;

use crate::instance::Running;

/// Runs the app until its window is closed, or hands over to the one that runs already.
///
/// # Errors
/// If the window system does not let us open one, or the journal cannot be read.
pub fn run() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    let mut flags = compose::Flags::parse();
    flags.sources = flags.sources.given();
    let running = Arc::new(Running::default());
    let app = with_commands(instance::one_window(
        &flags,
        &running,
        Builder::<Wry>::default(),
    ))
    .setup(|app| Ok(window::open(app.handle())?))
    .build(context())
    .context("opening the window")?;
    // Only now: a start that was handed over has ended, and contacts nobody.
    let link = flags.link.clone();
    let workspace = tauri::async_runtime::block_on(compose::workspace(flags))?;
    let api = Api::new(Arc::clone(&workspace));
    app.manage(api.clone());
    if let Some(link) = link {
        instance::follow(&api, link);
    }
    running.is_up(api);
    app.run(move |_, event| {
        if matches!(event, RunEvent::Exit) {
            workspace.keep_positions_now();
        }
    });
    Ok(())
}

/// Configuration, permissions and screens, embedded at build time.
#[expect(
    clippy::disallowed_types,
    clippy::exit,
    reason = "the macro's own code"
)]
fn context<R: Runtime>() -> tauri::Context<R> {
    tauri::generate_context!()
}

/// Adds every command to a builder; the api is managed before the window opens.
fn with_commands<R: Runtime>(builder: Builder<R>) -> Builder<R> {
    builder
        .manage(stream::Current::default())
        .invoke_handler(ipc::handler())
}
