//! Flags to an engine: the only file of the shell that names adapters.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use pilothouse_demo::{DemoConfig, DemoMesh};
use pilothouse_engine::{Class, Engine, EngineConfig, Sources, journal_file, system_clock};
use pilothouse_kube::{ConfigEnvironment, ConnectOptions, NamedCluster};
use pilothouse_telemetry::{Options, PrometheusSource, TraceAddress};

/// The demo answers at no cost, so its picture may be livelier than a real one.
const DEMO_TICK: Duration = Duration::from_secs(2);

/// Pilothouse: live graph, safe weight shifts and traces for service meshes. Without flags it opens the demo mesh.
#[derive(Debug, Parser)]
#[command(name = "pilothouse", version)]
struct Flags {
    /// Kubeconfig; else $KUBECONFIG, else ~/.kube/config. Naming it, a context or a server leaves the demo mesh.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; else its current one.
    #[arg(long)]
    context: Option<String>,
    /// A PromQL server.
    #[arg(long, value_name = "URL", env = "PILOTHOUSE_PROMETHEUS")]
    prometheus: Option<String>,
    /// A trace backend: jaeger=URL or file=PATH.
    #[arg(long, value_name = "KIND=ADDRESS", env = "PILOTHOUSE_TRACES")]
    traces: Option<TraceAddress>,
    /// Namespaces, separated by commas; else all.
    #[arg(short = 'n', long = "namespace", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// Seed of the demo mesh.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Services of the demo mesh; without it the shop.
    #[arg(long)]
    services: Option<usize>,
}

/// The engine over the sources that the flags name.
pub(crate) fn engine() -> anyhow::Result<Arc<Engine>> {
    let flags = Flags::parse();
    let real = flags.kubeconfig.is_some()
        || flags.context.is_some()
        || flags.prometheus.is_some()
        || flags.traces.is_some();
    let (config, sources) = if real { cluster(&flags)? } else { demo(&flags) };
    Engine::open(config, sources, system_clock()).context("opening the journal")
}

fn demo(flags: &Flags) -> (EngineConfig, Sources) {
    let mesh = DemoMesh::new(DemoConfig {
        services: flags.services,
        ..DemoConfig::new(flags.seed, system_clock())
    });
    let mut config = EngineConfig::new("demo", Class::Demo);
    config.tick = DEMO_TICK;
    let sources = Sources {
        control_plane: Ok(mesh.control_plane()),
        metrics: Ok(mesh.metrics()),
        traces: Ok(mesh.traces()),
        findings: Vec::new(),
    };
    (config, sources)
}

fn cluster(flags: &Flags) -> anyhow::Result<(EngineConfig, Sources)> {
    let mut sources = Sources::unconfigured();
    let cluster = NamedCluster::open(&ConnectOptions {
        kubeconfig: flags.kubeconfig.iter().cloned().collect(),
        context: flags.context.clone(),
        namespaces: flags.namespaces.clone(),
        environment: ConfigEnvironment::of_process(),
        ..ConnectOptions::default()
    });
    let context = cluster.context;
    sources.findings = cluster.warnings;
    sources.set_control_plane(cluster.source);
    if let Some(url) = &flags.prometheus {
        sources.set_metrics(PrometheusSource::new(url, Options::default()));
    }
    if let Some(address) = &flags.traces {
        sources.traces = address.open(Options::default());
    }
    let class = Class::of_context(&context);
    let mut config = EngineConfig::new(context, class);
    config.namespaces.clone_from(&flags.namespaces);
    config.journal = journal_file();
    Ok((config, sources))
}
