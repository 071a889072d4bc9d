//! From the flags to an engine's configuration and sources.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_api::dto::ApiError;
use pilothouse_api::{Connector, Opened, Workspace};
use pilothouse_demo::DemoMesh;
use pilothouse_engine::{
    Class, Clock, EngineConfig, SourceErrorKind, Sources, TimeSpan, system_clock,
};
use pilothouse_kube::{ConfigEnvironment, ConnectOptions, NamedCluster};
use pilothouse_telemetry::{FileTraces, Options, PrometheusSource, TraceAddress};

use crate::args::SourceArgs;
use crate::demo::{self, SavedDemo};
use crate::failure::ConnectError;
use crate::folders;

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

/// Everything that the engines of a workspace are opened with.
pub struct Composition {
    /// One for each context.
    pub opened: Vec<Opened>,
    /// The demo mesh whose edits must be saved before the process ends.
    pub demo: Option<SavedDemo>,
}

/// The composition of these flags: the demo mesh if they say so, else the cluster of the context and the servers that they
/// name. Opens no connection.
///
/// # Errors
/// If a flag makes no sense or the demo's memory cannot be read. A cluster that cannot be used is a state of that source.
pub fn compose(
    args: &SourceArgs,
    clock: Clock,
    memory: DemoMemory,
) -> Result<Composition, ConnectError> {
    let mut composition = if args.demo {
        of_demo(args, clock, memory)?
    } else {
        let contexts = args.context.iter().map(|name| Some(name.as_str()));
        let named: Vec<_> = contexts.collect();
        let contexts = if named.is_empty() { vec![None] } else { named };
        let opened = contexts
            .into_iter()
            .map(|context| of_cluster(args, context, Arc::clone(&clock)));
        Composition {
            opened: opened.collect(),
            demo: None,
        }
    };
    for opened in &mut composition.opened {
        if let Some(named) = &args.traces {
            let address: TraceAddress = named.parse()?;
            opened.sources.traces = address.open(Options::default());
        }
        opened.config.namespaces.clone_from(&args.namespaces);
        opened.config.read_only = args.read_only;
    }
    Ok(composition)
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
        demo: None,
    })
}

fn of_demo(
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

fn of_cluster(args: &SourceArgs, context: Option<&str>, clock: Clock) -> Opened {
    let mut sources = Sources::unconfigured();
    let mut name = "none".to_owned();
    if !args.no_kubernetes {
        let cluster = NamedCluster::open(&connect_options(args, context));
        name = cluster.context;
        sources.findings = cluster.warnings;
        sources.set_control_plane(cluster.source);
    } else if let Err(error) = &mut sources.control_plane {
        error.kind = SourceErrorKind::SwitchedOff;
        "switched off by --no-kubernetes".clone_into(&mut error.message);
        error.hint.clear();
    }
    if let Some(url) = &args.prometheus {
        sources.set_metrics(PrometheusSource::new(url, Options::default()));
    }
    let class = Class::of_context(&name);
    let mut config = EngineConfig::new(name, class);
    config.journal = folders().journal_file();
    Opened {
        config,
        sources,
        clock,
        cluster: None,
        metrics_server: args.prometheus.clone(),
    }
}

fn connect_options(args: &SourceArgs, context: Option<&str>) -> ConnectOptions {
    ConnectOptions {
        kubeconfig: args.kubeconfig.clone(),
        context: context.map(str::to_owned),
        namespaces: args.namespaces.clone(),
        environment: ConfigEnvironment::of_process(),
        ..ConnectOptions::default()
    }
}
