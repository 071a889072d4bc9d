//! What flags and settings name, opened without a chooser: for a command line, and for a window that was told where to ask.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use pilothouse_api::dto::{ApiError, CheckState, CheckView};
use pilothouse_api::{Opened, rfc3339};
use pilothouse_engine::{Clock, EngineConfig, SourceError, Sources};
use pilothouse_kube::{
    ConfigEnvironment, ConnectOptions, ContextEntry, KubeSource, Kubeconfigs, NamedCluster,
};
use pilothouse_settings::{ContextKey, Settings};
use pilothouse_telemetry::{PrometheusSource, TraceAddress, first_traces};

use super::choices::ContextChoices;
use super::classed::Classed;
use super::{Contexts, Shared, apart, chooser, nothing_chosen, tune};
use crate::compose::{Composition, DEMO_TICK, DemoMemory, Need, of_demo};
use crate::failure::ConnectError;
use crate::look::board::{Board, CLUSTER_LINES};
use crate::look::{self, Found, Look};
use crate::sign_in;

impl Contexts {
    /// Opens what the flags name: the demo mesh, servers without a cluster, or the contexts (without a name the current
    /// one). What is needed and neither named by a flag nor by the settings is looked for in the cluster. A server that
    /// cannot be used is a state of its source, here as everywhere.
    ///
    /// # Errors
    /// If a flag makes no sense or the demo's memory cannot be read.
    pub async fn open_named(
        &self,
        clock: Clock,
        memory: DemoMemory,
        need: Need,
    ) -> Result<Composition, ConnectError> {
        let args = &self.shared.args;
        let named = args.traces.iter();
        let traces: Vec<TraceAddress> = named.map(|text| text.parse()).collect::<Result<_, _>>()?;
        if !args.demo && !args.no_kubernetes {
            return self.named_clusters(&clock, traces, need).await;
        }
        let shared = Arc::clone(&self.shared);
        let (settings, problems) = apart(move || shared.settings()).await.map_err(broke_off)?;
        let mut composition = if args.demo {
            self.demo(clock, memory, &settings)?
        } else {
            self.without_cluster(clock, &settings)
        };
        for opened in &mut composition.opened {
            let opening = traces.iter();
            let opening = opening.map(|address| address.open(sign_in::of_trace_flags(args)));
            if let Some(first) = first_traces(opening) {
                opened.sources.traces = first;
            }
        }
        composition.problems = problems.iter().map(ToString::to_string).collect();
        Ok(composition)
    }

    /// What a window starts with. Servers that the flags name are opened at once; contexts without servers are looked at
    /// first, in sight; flags that name neither leave the choice to the chooser.
    ///
    /// # Errors
    /// If a flag makes no sense.
    pub async fn at_start(&self, clock: Clock) -> Result<Composition, ConnectError> {
        let args = &self.shared.args;
        let names_servers =
            args.demo || args.no_kubernetes || args.prometheus.is_some() || !args.traces.is_empty();
        if names_servers {
            return self
                .open_named(clock, DemoMemory::Forgotten, Need::Nothing)
                .await;
        }
        Ok(Composition {
            to_look_at: args.context.clone(),
            ..Composition::default()
        })
    }

    fn demo(
        &self,
        clock: Clock,
        memory: DemoMemory,
        settings: &Settings,
    ) -> Result<Composition, ConnectError> {
        let args = &self.shared.args;
        let mut composition = of_demo(args, clock, memory)?;
        for opened in &mut composition.opened {
            tune(&mut opened.config, settings);
            opened.config.tick = DEMO_TICK;
            opened.config.namespaces.clone_from(&args.namespaces);
            opened.config.read_only = args.read_only;
        }
        Ok(composition)
    }

    fn without_cluster(&self, clock: Clock, settings: &Settings) -> Composition {
        let args = &self.shared.args;
        let mut sources = Sources::unconfigured();
        sources.switch_off_control_plane("switched off by --no-kubernetes");
        if let Some(url) = &args.prometheus {
            sources.set_metrics(PrometheusSource::new(url, sign_in::of_metrics_flags(args)));
        }
        let plain = Classed::default();
        let opened = Opened {
            config: self
                .shared
                .config("none", plain, settings, &args.namespaces),
            sources,
            clock,
            cluster: None,
            metrics_server: args.prometheus.clone(),
        };
        Composition {
            opened: vec![opened],
            ..Composition::default()
        }
    }

    async fn named_clusters(
        &self,
        clock: &Clock,
        traces: Vec<TraceAddress>,
        need: Need,
    ) -> Result<Composition, ConnectError> {
        let contexts: Vec<Option<String>> = match self.shared.args.context.as_slice() {
            [] => vec![None],
            named => named.iter().cloned().map(Some).collect(),
        };
        let shared = Arc::clone(&self.shared);
        let prepared = apart(move || {
            let (settings, problems) = shared.settings();
            let clusters: Vec<Prepared> = contexts
                .iter()
                .map(|context| Prepared::new(&shared, context.as_deref(), &settings, &traces))
                .collect();
            (clusters, problems)
        });
        let (clusters, problems) = prepared.await.map_err(broke_off)?;
        let opening = clusters
            .into_iter()
            .map(|cluster| self.named_cluster(cluster, clock, need));
        let (opened, looks): (Vec<_>, Vec<_>) = join_all(opening).await.into_iter().unzip();
        Ok(Composition {
            opened,
            looks: looks.into_iter().flatten().collect(),
            problems: problems.iter().map(ToString::to_string).collect(),
            ..Composition::default()
        })
    }

    async fn named_cluster(
        &self,
        cluster: Prepared,
        clock: &Clock,
        need: Need,
    ) -> (Opened, Option<CheckView>) {
        let kube = cluster.source.as_ref().ok();
        let metrics = cluster.choices.named_metrics(kube);
        let traces = cluster.choices.named_traces(kube);
        let need = match need {
            Need::Metrics if metrics.is_some() => Need::Nothing,
            Need::Traces if traces.is_some() => Need::Nothing,
            Need::Nothing | Need::Metrics | Need::Traces | Need::Everything => need,
        };
        let steps = Mutex::new(None);
        let tell = |view: CheckView| {
            *steps.lock().unwrap_or_else(PoisonError::into_inner) = Some(view);
        };
        let api_server = kube.map(|kube| kube.facts().server.clone());
        let mut found = match cluster.source {
            Ok(kube) if need != Need::Nothing => {
                let board = Board::new(&cluster.id, rfc3339(clock()), CLUSTER_LINES, &tell);
                let looking = Look {
                    board: &board,
                    kube: Arc::new(kube),
                    namespaces: &cluster.namespaces,
                    choices: &cluster.choices,
                    need,
                    early: &|_| {},
                };
                Box::pin(looking.at_cluster())
                    .await
                    .unwrap_or_else(|error| {
                        if let Some(entry) = &cluster.entry {
                            chooser::explain_plugin(&board, entry, &super::from_source(&error));
                        }
                        unreachable(error)
                    })
            }
            Ok(kube) => unasked(kube),
            Err(error) => {
                if need == Need::Everything {
                    let board = Board::new(&cluster.id, rfc3339(clock()), CLUSTER_LINES, &tell);
                    look::fail(&board, &error, "the kubeconfig");
                }
                unreachable(error)
            }
        };
        // What is named is used, whatever was found: its own answers say what is wrong with it.
        if let Some((place, source)) = metrics {
            found.sources.set_metrics(source);
            found.metrics_server = Some(place.server(api_server.as_deref().unwrap_or("")));
        }
        if let Some(source) = traces {
            found.sources.traces = source;
        }
        let opened = Opened {
            config: cluster.config,
            sources: found.sources,
            clock: Arc::clone(clock),
            cluster: found.cluster,
            metrics_server: found.metrics_server,
        };
        let look = steps.into_inner().unwrap_or_else(PoisonError::into_inner);
        let look = look.filter(|_| need == Need::Everything).map(|mut view| {
            if view.state == CheckState::Running {
                view.state = CheckState::Done;
            }
            view
        });
        (opened, look)
    }
}

fn broke_off(broken: ApiError) -> ConnectError {
    ConnectError::Io {
        what: "reading files".to_owned(),
        error: std::io::Error::other(broken.message),
    }
}

/// A context that is about to be opened, from files alone.
struct Prepared {
    id: String,
    entry: Option<ContextEntry>,
    source: Result<KubeSource, SourceError>,
    config: EngineConfig,
    namespaces: Vec<String>,
    choices: ContextChoices,
}

impl Prepared {
    /// Blocking.
    fn new(
        shared: &Shared,
        context: Option<&str>,
        settings: &Settings,
        traces: &[TraceAddress],
    ) -> Self {
        let (kubeconfig, environment) = shared.kubeconfig_files(settings);
        let entry = entry_of(context, &kubeconfig, &environment);
        let key = match &entry {
            Some(entry) => ContextKey::new(entry.name.clone(), Some(entry.file.clone())),
            None => ContextKey::new(context.unwrap_or("none"), None),
        };
        let own = settings.context(&key).cloned();
        let namespaces = shared.namespaces(own.as_ref());
        let options = ConnectOptions {
            kubeconfig,
            environment,
            context: context.map(str::to_owned),
            namespaces: namespaces.clone(),
            ..ConnectOptions::default()
        };
        let cluster = NamedCluster::open(&options, Clock::clone(&shared.clock));
        let id = match &entry {
            Some(entry) => entry.selector.clone(),
            None => cluster.context,
        };
        let server = entry.as_ref().and_then(|entry| entry.server.as_deref());
        // A context that is in no file keeps what its name says of it.
        let named = ContextKey::new(id.clone(), None);
        let key = if entry.is_some() { key } else { named };
        let class = Classed::of(settings, &key, server.map(chooser::host_of));
        let own = own.unwrap_or_else(|| nothing_chosen(&key));
        Self {
            config: shared.config(&id, class, settings, &namespaces),
            choices: ContextChoices::prepare(shared, &key, &own).with_flags(&shared.args, traces),
            source: cluster.source,
            id,
            entry,
            namespaces,
        }
    }
}

/// The context of this name, without a name the current one.
fn entry_of(
    context: Option<&str>,
    files: &[PathBuf],
    environment: &ConfigEnvironment,
) -> Option<ContextEntry> {
    let entries = Kubeconfigs::load(files, environment).ok()?.contexts();
    entries.into_iter().find(|entry| match context {
        Some(name) => entry.selector == name,
        None => entry.is_current,
    })
}

fn unasked(kube: KubeSource) -> Found {
    let mut sources = Sources::unconfigured();
    sources.findings = kube.warnings();
    sources.set_control_plane(Ok(kube));
    Found {
        sources,
        cluster: None,
        metrics_server: None,
    }
}

/// Nothing can be looked for in a cluster that does not answer.
fn unreachable(error: SourceError) -> Found {
    let mut sources = Sources::unconfigured();
    for error in [
        sources.metrics.as_mut().err(),
        sources.traces.as_mut().err(),
    ]
    .into_iter()
    .flatten()
    {
        error.message =
            "not named, and not to be looked for in a cluster that does not answer".to_owned();
    }
    sources.control_plane = Err(error);
    Found {
        sources,
        cluster: None,
        metrics_server: None,
    }
}
