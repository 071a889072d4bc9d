//! Shared toolbox of the acceptance tests in `tests/`: where the repository is, how to run the built binaries under a
//! watchdog, and stand-ins for servers that misbehave.
//!
//! It knows the product only as its users do: by arguments, exit codes, text and HTTP. What the answers must be is said
//! in the tests.

mod ctl;
mod daemon;
mod fake;
pub mod mesh;
mod wait;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

pub use ctl::{Answer, Ctl, WATCHDOG};
pub use daemon::{Daemon, free_port};
pub use fake::{Fake, Reply, Request};
pub use wait::{now_ms, wait_until};

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A built binary of the workspace, beside the running test.
///
/// # Errors
/// If it was not built: `cargo build --workspace --bins` does.
pub fn binary(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("asking for our own path")?;
    let folder = test
        .ancestors()
        .nth(2)
        .context("the test does not lie in a target folder")?;
    let path = folder.join(name);
    let advice = "run `cargo build --workspace --bins` (make test does)";
    ensure!(path.is_file(), "{} is not built: {advice}", path.display());
    Ok(path)
}
