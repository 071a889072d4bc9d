//! The embedded mesh, and how its edits outlive a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pilothouse_demo::{DemoConfig, DemoMesh, Edit};
use pilothouse_engine::{Clock, Sources};

use crate::args::SourceArgs;
use crate::failure::ConnectError;
use crate::folders;

/// The demo mesh that the flags name, without a memory.
#[must_use]
pub fn fresh_mesh(args: &SourceArgs, clock: Clock) -> Arc<DemoMesh> {
    DemoMesh::new(demo_config(args, clock))
}

/// The demo mesh with the edits of earlier runs.
///
/// # Errors
/// If the file of its edits cannot be read or holds something else.
pub fn remembered_mesh(args: &SourceArgs, clock: Clock) -> Result<Arc<DemoMesh>, ConnectError> {
    let edits = match state_file(args, "json") {
        Some(file) => read_edits(&file)?,
        None => Vec::new(),
    };
    Ok(DemoMesh::with_edits(demo_config(args, clock), edits))
}

/// Its three sources.
pub(crate) fn sources(mesh: &Arc<DemoMesh>) -> Sources {
    Sources {
        control_plane: Ok(mesh.control_plane()),
        metrics: Ok(mesh.metrics()),
        traces: Ok(mesh.traces()),
        findings: Vec::new(),
    }
}

/// A file of this demo mesh in the state folder.
pub(crate) fn state_file(args: &SourceArgs, ending: &str) -> Option<PathBuf> {
    let size = args
        .services
        .map_or_else(|| "shop".to_owned(), |n| n.to_string());
    let name = format!("demo-{}-{size}.{ending}", args.seed);
    folders().state.map(|folder| folder.join(name))
}

/// A demo mesh whose edits outlive the run: its history stays a function of seed, time and the objects in force.
#[derive(Debug)]
pub struct SavedDemo {
    pub(crate) mesh: Arc<DemoMesh>,
    pub(crate) file: Option<PathBuf>,
}

impl SavedDemo {
    /// Writes the edits down, if there are any.
    ///
    /// # Errors
    /// What the system says against writing.
    pub fn save(&self) -> Result<(), ConnectError> {
        let edits = self.mesh.export_edits();
        let (Some(file), false) = (&self.file, edits.is_empty()) else {
            return Ok(());
        };
        let write = || {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let fresh = file.with_extension("json.new");
            std::fs::write(&fresh, serde_json::to_vec(&edits)?)?;
            std::fs::rename(&fresh, file)
        };
        write().map_err(|error: std::io::Error| ConnectError::Io {
            what: format!("keeping the demo's edits in {}", file.display()),
            error,
        })
    }
}

fn demo_config(args: &SourceArgs, clock: Clock) -> DemoConfig {
    DemoConfig {
        services: args.services,
        ..DemoConfig::new(args.seed, clock)
    }
}

fn read_edits(file: &Path) -> Result<Vec<Edit>, ConnectError> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(ConnectError::Io {
                what: format!("reading {}", file.display()),
                error,
            });
        }
    };
    serde_json::from_slice(&text).map_err(|error| ConnectError::BadData {
        message: format!("{} does not hold the demo's edits: {error}", file.display()),
        hint: "remove the file to start the demo afresh".to_owned(),
    })
}
