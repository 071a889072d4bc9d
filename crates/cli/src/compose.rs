//! Flags to sources: the only file that names adapters.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pilothouse_api::Api;
use pilothouse_demo::{DemoConfig, DemoMesh, Edit};
use pilothouse_engine::{
    Class, Clock, Engine, EngineConfig, Sources, TimeSpan, journal_file, state_folder, system_clock,
};
use pilothouse_kube::{ConfigEnvironment, ConnectOptions, NamedCluster};
use pilothouse_telemetry::{
    FileTraces, Options, PrometheusSource, TraceAddress, UnknownTraceAddress,
};

use crate::args::SourceArgs;
use crate::failure::Failure;

/// How far the clock of a file's search runs ahead, in milliseconds: beyond every recorded trace.
const AHEAD_MS: i64 = 5_000_000_000_000;
/// Message of a control plane that the operator switched off, to tell a wish from a fault.
pub(crate) const SWITCHED_OFF: &str = "switched off by --no-kubernetes";

/// The api over the sources that the flags name.
pub(crate) fn api(args: &SourceArgs) -> Result<Api, Failure> {
    api_and_demo(args).map(|(api, _)| api)
}

/// The same as of a moment (RFC 3339). The demo mesh then stands still, so that equal calls print equal bytes; real
/// sources keep the time of day and are asked about that moment.
pub(crate) fn api_at(args: &SourceArgs, at: Option<&str>) -> Result<Api, Failure> {
    match at {
        Some(at) if args.demo => demo(args, pilothouse_api::clock_at(at)?).map(|(api, _)| api),
        _ => api(args),
    }
}

/// The same, with the demo mesh whose edits must be kept afterwards.
pub(crate) fn api_and_demo(args: &SourceArgs) -> Result<(Api, Option<SavedDemo>), Failure> {
    if args.demo {
        demo(args, system_clock()).map(|(api, demo)| (api, Some(demo)))
    } else {
        Ok((real(args)?, None))
    }
}

fn demo(args: &SourceArgs, clock: Clock) -> Result<(Api, SavedDemo), Failure> {
    let mesh = demo_mesh(args, Arc::clone(&clock))?;
    let mut sources = Sources {
        control_plane: Ok(mesh.control_plane()),
        metrics: Ok(mesh.metrics()),
        traces: Ok(mesh.traces()),
        findings: Vec::new(),
    };
    if let Some(named) = &args.traces {
        set_traces(&mut sources, named)?;
    }
    let mut config = EngineConfig::new("demo", Class::Demo);
    config.journal = state_file(&demo_name(args, "jsonl"));
    let api = engine(config, args, sources, clock)?;
    Ok((
        api,
        SavedDemo {
            mesh,
            file: state_file(&demo_name(args, "json")),
        },
    ))
}

/// The api over one file of traces.
pub(crate) fn api_of_file(path: &str) -> Result<Api, Failure> {
    let opened = FileTraces::open(Path::new(path))
        .map_err(|error| Failure::bad_data(error.message.clone()).with_hint(error.hint.clone()))?;
    let sources = Sources {
        traces: Ok(Arc::new(opened)),
        ..Sources::unconfigured()
    };
    let config = EngineConfig::new("file", Class::Normal);
    // A search ends at the present moment; a file may hold traces of clocks that ran ahead.
    let ahead: Clock = Arc::new(|| system_clock()().plus(TimeSpan(AHEAD_MS)));
    let engine =
        Engine::open(config, sources, ahead).map_err(|error| Failure::other(error.to_string()))?;
    Ok(Api::new(engine))
}

/// The demo mesh with the edits of earlier runs.
pub(crate) fn demo_mesh(args: &SourceArgs, clock: Clock) -> Result<Arc<DemoMesh>, Failure> {
    let edits = match state_file(&demo_name(args, "json")) {
        Some(file) => read_edits(&file)?,
        None => Vec::new(),
    };
    let config = DemoConfig {
        services: args.services,
        ..DemoConfig::new(args.seed, clock)
    };
    Ok(DemoMesh::with_edits(config, edits))
}

/// A demo mesh whose edits outlive the run: its history stays a function of seed, time and the objects in force.
pub(crate) struct SavedDemo {
    mesh: Arc<DemoMesh>,
    file: Option<PathBuf>,
}

impl SavedDemo {
    /// Writes the edits down, if there are any.
    pub(crate) fn save(&self) -> Result<(), Failure> {
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
        write().map_err(|error: std::io::Error| {
            Failure::other(format!(
                "keeping the demo's edits in {}: {error}",
                file.display()
            ))
        })
    }
}

fn read_edits(file: &Path) -> Result<Vec<Edit>, Failure> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(Failure::other(format!(
                "reading {}: {error}",
                file.display()
            )));
        }
    };
    serde_json::from_slice(&text).map_err(|error| {
        Failure::bad_data(format!(
            "{} does not hold the demo's edits: {error}",
            file.display()
        ))
        .with_hint("remove the file to start the demo afresh")
    })
}

fn real(args: &SourceArgs) -> Result<Api, Failure> {
    let mut sources = Sources::unconfigured();
    let mut context = "none".to_owned();
    if !args.no_kubernetes {
        let cluster = NamedCluster::open(&connect_options(args));
        context = cluster.context;
        sources.findings = cluster.warnings;
        sources.set_control_plane(cluster.source);
    } else if let Err(error) = &mut sources.control_plane {
        SWITCHED_OFF.clone_into(&mut error.message);
    }
    if let Some(url) = &args.prometheus {
        sources.set_metrics(PrometheusSource::new(url, Options::default()));
    }
    if let Some(named) = &args.traces {
        set_traces(&mut sources, named)?;
    }
    let class = Class::of_context(&context);
    let mut config = EngineConfig::new(context, class);
    config.journal = journal_file();
    engine(config, args, sources, system_clock())
}

fn connect_options(args: &SourceArgs) -> ConnectOptions {
    ConnectOptions {
        kubeconfig: args.kubeconfig.iter().cloned().collect(),
        context: args.context.clone(),
        namespaces: args.namespaces.clone(),
        environment: ConfigEnvironment::of_process(),
        ..ConnectOptions::default()
    }
}

fn set_traces(sources: &mut Sources, named: &str) -> Result<(), Failure> {
    let address: TraceAddress = named
        .parse()
        .map_err(|error: UnknownTraceAddress| Failure::usage(error.to_string()))?;
    sources.traces = address.open(Options::default());
    Ok(())
}

fn engine(
    mut config: EngineConfig,
    args: &SourceArgs,
    sources: Sources,
    clock: Clock,
) -> Result<Api, Failure> {
    config.namespaces.clone_from(&args.namespaces);
    let engine =
        Engine::open(config, sources, clock).map_err(|error| Failure::other(error.to_string()))?;
    Ok(Api::new(engine))
}

fn demo_name(args: &SourceArgs, ending: &str) -> String {
    let size = args
        .services
        .map_or_else(|| "shop".to_owned(), |n| n.to_string());
    format!("demo-{}-{size}.{ending}", args.seed)
}

fn state_file(name: &str) -> Option<PathBuf> {
    state_folder().map(|folder| folder.join(name))
}
