//! The desktop shell: one window over the api. No decision, no loop, no parsing here.

mod compose;
mod ipc;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use pilothouse_api::Api;
use tauri::{Builder, RunEvent, Runtime};
use tracing_subscriber::EnvFilter;

/// Runs the app until its window is closed.
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
    let flags = compose::Flags::parse();
    let workspace = tauri::async_runtime::block_on(compose::workspace(flags))?;
    let app = with_commands(Builder::default(), Api::new(Arc::clone(&workspace)));
    let app = app.build(context()).context("opening the window")?;
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

/// Adds every command to a builder; generic so that tests run it without a display.
pub fn with_commands<R: Runtime>(builder: Builder<R>, api: Api) -> Builder<R> {
    builder
        .manage(api.clone())
        .manage(stream::Current::default())
        .invoke_handler(ipc::handler(api))
}
