//! From the flags to an engine's configuration and sources.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_api::dto::{ApiError, CheckView};
use pilothouse_api::{Connector, Opened, Workspace};
use pilothouse_demo::DemoMesh;
use pilothouse_engine::{Class, Clock, EngineConfig, Sources, TimeSpan, system_clock};
use pilothouse_telemetry::FileTraces;

use crate::args::SourceArgs;
use crate::demo::{self, SavedDemo};
use crate::failure::ConnectError;

/// The demo answers at no cost, so its picture may be livelier than a real one.
pub(crate) const DEMO_TICK: Duration = Duration::from_secs(2);
/// How far the clock of a file's search runs ahead, in milliseconds: beyond every recorded trace.
const AHEAD_MS: i64 = 5_000_000_000_000;

/// Whether the demo mesh remembers what was changed in it. A command line is a new process at every step of a shift; a
/// window starts afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoMemory {
    /// Edits and journal are files in the state folder.
    Kept,
    /// Both live as long as the process.
    Forgotten,
}

/// What must be there, whether the flags name it or not: what they do not name is looked for in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing is looked for.
    Nothing,
    /// Metrics.
    Metrics,
    /// Traces.
    Traces,
    /// Both, and every question of the checklist is asked.
    Everything,
}

impl Need {
    pub(crate) const fn metrics(self) -> bool {
        matches!(self, Self::Metrics | Self::Everything)
    }

    pub(crate) const fn traces(self) -> bool {
        matches!(self, Self::Traces | Self::Everything)
    }
}

/// Everything that the engines of a workspace are opened with.
#[derive(Default)]
pub struct Composition {
    /// One for each context.
    pub opened: Vec<Opened>,
    /// The demo mesh whose edits must be saved before the process ends.
    pub demo: Option<SavedDemo>,
    /// What was asked on the way to the contexts, where everything was.
    pub looks: Vec<CheckView>,
    /// What is wrong with our own settings file, one sentence each.
    pub problems: Vec<String>,
    /// Contexts to be looked at first and opened when that went well, by id.
    pub to_look_at: Vec<String>,
}

impl Composition {
    /// The workspace over these sources, in which others can be opened through the connector. With `start` its engines
    /// run, which needs a tokio runtime.
    ///
    /// # Errors
    /// If a journal cannot be read.
    pub fn workspace(
        self,
        start: bool,
        connector: Option<Arc<dyn Connector>>,
    ) -> Result<(Arc<Workspace>, Option<SavedDemo>), ApiError> {
        let workspace = Workspace::empty(connector)?;
        for opened in self.opened {
            workspace.add(opened, start)?;
        }
        for context in &self.to_look_at {
            workspace.open_when_looked_at(context)?;
        }
        if start {
            workspace.watch_files();
        }
        Ok((workspace, self.demo))
    }
}

/// The composition over one file of traces.
///
/// # Errors
/// If the file cannot be read as traces.
pub fn trace_file(path: &Path) -> Result<Composition, ConnectError> {
    let opened = FileTraces::open(path).map_err(|error| ConnectError::BadData {
        message: error.message,
        hint: error.hint,
    })?;
    // A search ends at the present moment; a file may hold traces of clocks that ran ahead.
    let ahead: Clock = Arc::new(|| system_clock()().plus(TimeSpan(AHEAD_MS)));
    let opened = Opened {
        config: EngineConfig::new("file", Class::Normal),
        sources: Sources {
            traces: Ok(Arc::new(opened)),
            ..Sources::unconfigured()
        },
        clock: ahead,
        cluster: None,
        metrics_server: None,
    };
    Ok(Composition {
        opened: vec![opened],
        ..Composition::default()
    })
}

pub(crate) fn of_demo(
    args: &SourceArgs,
    clock: Clock,
    memory: DemoMemory,
) -> Result<Composition, ConnectError> {
    let (mesh, file, journal) = match memory {
        DemoMemory::Forgotten => (demo::fresh_mesh(args, Arc::clone(&clock)), None, None),
        DemoMemory::Kept => (
            demo::remembered_mesh(args, Arc::clone(&clock))?,
            demo::state_file(args, "json"),
            demo::state_file(args, "jsonl"),
        ),
    };
    let mut opened = over_mesh(&mesh, clock);
    opened.config.journal = journal;
    Ok(Composition {
        opened: vec![opened],
        demo: Some(SavedDemo { mesh, file }),
        ..Composition::default()
    })
}

/// The demo mesh without a memory.
pub(crate) fn demo_opened(args: &SourceArgs, clock: Clock) -> Opened {
    over_mesh(&demo::fresh_mesh(args, Arc::clone(&clock)), clock)
}

fn over_mesh(mesh: &Arc<DemoMesh>, clock: Clock) -> Opened {
    let mut config = EngineConfig::new("demo", Class::Demo);
    config.tick = DEMO_TICK;
    Opened {
        config,
        sources: demo::sources(mesh),
        clock,
        cluster: None,
        metrics_server: None,
    }
}
