//! Flags to an engine: the only file that names adapters.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use pilothouse_demo::{DemoConfig, DemoMesh};
use pilothouse_engine::{Class, Engine, EngineConfig, Sources, journal_file, system_clock};
use pilothouse_kube::{ConfigEnvironment, ConnectOptions, NamedCluster};
use pilothouse_telemetry::{Options, PrometheusSource};

use crate::args::Args;

/// The demo answers at no cost, so its picture may be livelier than a real one.
const DEMO_TICK: Duration = Duration::from_secs(2);

/// The engine over the sources that the flags name: the demo mesh unless a cluster or a server is named.
pub(crate) fn engine(args: &Args) -> anyhow::Result<Arc<Engine>> {
    let real = args.kubeconfig.is_some()
        || args.context.is_some()
        || args.prometheus.is_some()
        || args.traces.is_some();
    let (mut config, sources) = if real { cluster(args)? } else { demo(args) };
    let shared = if real { journal_file() } else { None };
    config.journal = args.journal.clone().or(shared);
    if let Some(seconds) = args.refresh {
        config.tick = Duration::try_from_secs_f64(seconds).context("--refresh wants seconds")?;
    }
    Engine::open(config, sources, system_clock()).context("opening the journal")
}

fn demo(args: &Args) -> (EngineConfig, Sources) {
    let mesh = DemoMesh::new(DemoConfig {
        services: args.services,
        ..DemoConfig::new(args.seed, system_clock())
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

fn cluster(args: &Args) -> anyhow::Result<(EngineConfig, Sources)> {
    let mut sources = Sources::unconfigured();
    let mut context = "none".to_owned();
    if args.kubeconfig.is_some() || args.context.is_some() {
        let cluster = NamedCluster::open(&ConnectOptions {
            kubeconfig: args.kubeconfig.iter().cloned().collect(),
            context: args.context.clone(),
            environment: ConfigEnvironment::of_process(),
            ..ConnectOptions::default()
        });
        context = cluster.context;
        sources.findings = cluster.warnings;
        sources.set_control_plane(cluster.source);
    }
    if let Some(url) = &args.prometheus {
        sources.set_metrics(PrometheusSource::new(url, Options::default()));
    }
    if let Some(address) = &args.traces {
        sources.traces = address.open(Options::default());
    }
    let class = Class::of_context(&context);
    Ok((EngineConfig::new(context, class), sources))
}
