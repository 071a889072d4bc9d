//! What can be chosen and how it is opened: the connector behind the window's chooser.
//!
//! Files are read when they are asked for: kubeconfigs, `settings.toml`, `state.json`. Nothing is contacted and no plugin
//! is run before a context is looked at.

mod choices;
mod chooser;
mod classed;
mod edits;
mod named;
mod positions;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use pilothouse_api::dto::{
    AddressesRequest, ApiError, CheckView, ChooserView, Code, FileRequest, MemoryRequest,
    MemoryView, NamespacesRequest, SourceRequest,
};
use pilothouse_api::{Connecting, Connector, Offer, Opened, code_of, rfc3339};
use pilothouse_engine::{Clock, EngineConfig, Layout, SourceError, TimeSpan, system_clock};
use pilothouse_kube::{
    ConfigEnvironment, ConnectOptions, ContextEntry, KubeSource, Kubeconfigs, Stamp,
};
use pilothouse_settings::{
    ContextKey, ContextSettings, Folders, PATIENCE, Problem, Secrets, Settings, State, StateFile,
};
use tokio::task::spawn_blocking;

use crate::args::SourceArgs;
use crate::compose::{DEMO_TICK, Need, demo_opened};
use crate::folders;
use crate::look::board::{ADDRESS_LINES, Board, CLUSTER_LINES, Line};
use crate::look::{self, Early, Found, Look};

use choices::ContextChoices;
use classed::Classed;

/// Opens what the operator chooses, by kubeconfigs and settings.
pub struct Contexts {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    args: SourceArgs,
    environment: ConfigEnvironment,
    folders: Folders,
    /// Opened at the first secret: unlocking may ask a person.
    secrets: OnceLock<Option<Arc<Secrets>>>,
    revision: Mutex<(Option<Stamp>, u32)>,
    clock: Clock,
}

/// A context as it was found in its files.
enum Named {
    Demo,
    Cluster(Box<ContextEntry>),
    Addresses(ContextKey),
}

impl Contexts {
    /// Of these flags, in the environment and the folders of this process.
    #[must_use]
    pub fn of_process(args: &SourceArgs) -> Arc<Self> {
        Arc::new(Self::new(args.clone(), folders()))
    }

    /// Everything that these flags, this process's environment and its folders name.
    #[must_use]
    pub fn new(args: SourceArgs, folders: Folders) -> Self {
        Self::in_environment(args, folders, ConfigEnvironment::of_process())
    }

    /// The same in another environment.
    #[must_use]
    pub fn in_environment(
        args: SourceArgs,
        folders: Folders,
        environment: ConfigEnvironment,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                args,
                environment,
                folders,
                secrets: OnceLock::new(),
                revision: Mutex::new((None, 0)),
                clock: system_clock(),
            }),
        }
    }
}

impl Shared {
    /// Explicit files of the flags, or those of the settings beside the usual ones.
    fn kubeconfig_files(&self, settings: &Settings) -> (Vec<PathBuf>, ConfigEnvironment) {
        let mut environment = self.environment.clone();
        environment.opened.clone_from(&settings.kubeconfig_files);
        (self.args.kubeconfig.clone(), environment)
    }

    fn settings(&self) -> (Settings, Vec<Problem>) {
        Settings::load(&self.folders)
    }

    fn state(&self) -> (State, Vec<Problem>) {
        match StateFile::of(&self.folders) {
            Some(file) => file.load(),
            None => (State::default(), Vec::new()),
        }
    }

    fn entries(&self, settings: &Settings) -> Result<Vec<ContextEntry>, SourceError> {
        let (files, environment) = self.kubeconfig_files(settings);
        Ok(Kubeconfigs::load(&files, &environment)?.contexts())
    }

    fn named(&self, id: &str) -> Result<(Named, Settings), ApiError> {
        let (settings, _) = self.settings();
        let entries = self.entries(&settings);
        if let Ok(entries) = &entries
            && let Some(entry) = entries.iter().find(|entry| entry.selector == id)
        {
            return Ok((Named::Cluster(Box::new(entry.clone())), settings));
        }
        if id == chooser::DEMO {
            return Ok((Named::Demo, settings));
        }
        if let Some(places) = settings
            .contexts
            .iter()
            .find(|context| chooser::is_addresses(context) && context.name == id)
        {
            let key = ContextKey::new(places.name.clone(), None);
            return Ok((Named::Addresses(key), settings));
        }
        Err(match entries {
            Err(error) => from_source(&error),
            Ok(_) => ApiError {
                code: Code::NotFound,
                message: format!("there is no context `{id}` any more"),
                detail: String::new(),
                hint: "read the files again".to_owned(),
            },
        })
    }

    /// What is remembered under.
    fn key_of_id(&self, id: &str) -> ContextKey {
        let named = self.named(id).ok();
        named
            .and_then(|(named, _)| edits::key_of(&named).ok())
            .unwrap_or_else(|| ContextKey::new(id, None))
    }

    fn secrets(&self) -> Option<Arc<Secrets>> {
        let opened = self.secrets.get_or_init(|| {
            let opened = Secrets::open(PATIENCE).map(|(secrets, _)| Arc::new(secrets));
            opened.ok()
        });
        opened.clone()
    }

    fn config(
        &self,
        id: &str,
        class: Classed,
        settings: &Settings,
        own: &[String],
    ) -> EngineConfig {
        let mut config = EngineConfig::new(id, class.class);
        config.class_label = class.label;
        config.colour = class.colour;
        config.namespaces = own.to_vec();
        config.read_only = self.args.read_only;
        config.journal = self.folders.journal_file();
        tune(&mut config, settings);
        config
    }

    /// Namespaces of a context: of the flags, else of its settings, else all.
    fn namespaces(&self, own: Option<&ContextSettings>) -> Vec<String> {
        if !self.args.namespaces.is_empty() {
            return self.args.namespaces.clone();
        }
        own.and_then(|context| context.namespaces.clone())
            .unwrap_or_default()
    }
}

impl Connector for Contexts {
    fn chooser(&self) -> ChooserView {
        chooser::view(&self.shared)
    }

    fn revision(&self) -> u32 {
        let (settings, _) = self.shared.settings();
        let (files, environment) = self.shared.kubeconfig_files(&settings);
        let mut watched = Kubeconfigs::watched(&files, &environment);
        watched.extend(self.shared.folders.settings_file());
        let stamp = Kubeconfigs::stamp(&watched);
        let mut revision = self
            .shared
            .revision
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if revision.0.as_ref().is_some_and(|before| *before != stamp) {
            revision.1 = revision.1.saturating_add(1);
        }
        revision.0 = Some(stamp);
        revision.1
    }

    fn connect<'a>(
        &'a self,
        context: &'a str,
        tell: &'a (dyn Fn(CheckView) + Send + Sync),
        offer: &'a (dyn Fn(Offer) + Send + Sync),
    ) -> Connecting<'a, Result<Opened, ApiError>> {
        Box::pin(self.look(context, tell, offer))
    }

    fn choose_source(&self, request: &SourceRequest) -> Result<(), ApiError> {
        edits::choose_source(&self.shared, request)
    }

    fn choose_namespaces(&self, request: &NamespacesRequest) -> Result<(), ApiError> {
        edits::choose_namespaces(&self.shared, request)
    }

    fn add_addresses(&self, request: &AddressesRequest) -> Result<String, ApiError> {
        edits::add_addresses(&self.shared, request)
    }

    fn add_kubeconfig(&self, request: &FileRequest) -> Result<(), ApiError> {
        edits::add_kubeconfig(&self.shared, request)
    }

    fn note(&self, context: &str, outcome: Result<(), &ApiError>) {
        edits::note(&self.shared, context, outcome);
    }

    fn positions(&self, contexts: &[String]) -> Option<Layout> {
        positions::load(&self.shared, contexts)
    }

    fn keep_positions(&self, contexts: &[String], layout: &Layout) {
        positions::keep(&self.shared, contexts, layout);
    }

    fn memory(&self) -> MemoryView {
        edits::memory(&self.shared)
    }

    fn remember(&self, request: &MemoryRequest) -> Result<(), ApiError> {
        edits::remember(&self.shared, request)
    }
}

impl Contexts {
    async fn look(
        &self,
        context: &str,
        tell: &(dyn Fn(CheckView) + Send + Sync),
        offer: &(dyn Fn(Offer) + Send + Sync),
    ) -> Result<Opened, ApiError> {
        let began = rfc3339((self.shared.clock)());
        let shared = Arc::clone(&self.shared);
        let id = context.to_owned();
        let (named, settings) = apart(move || shared.named(&id)).await??;
        match named {
            Named::Demo => {
                let board = Board::new(context, began, &[("demo", "Demo mesh")], tell);
                let since = board.asking("demo");
                let mut opened = demo_opened(&self.shared.args, Arc::clone(&self.shared.clock));
                opened.config.context = context.to_owned();
                tune(&mut opened.config, &settings);
                opened.config.tick = DEMO_TICK;
                board.answer("demo", since, Line::ok("simulated, nothing in it is real"));
                Ok(opened)
            }
            Named::Addresses(key) => {
                let board = Board::new(context, began, ADDRESS_LINES, tell);
                let class = Classed::of(&settings, &key, None);
                let own = settings
                    .context(&key)
                    .cloned()
                    .unwrap_or_else(|| nothing_chosen(&key));
                let namespaces = self.shared.namespaces(Some(&own));
                let choices = self.choices(&key, own).await?;
                let found = look::at_addresses(&board, &choices).await;
                let config = self.shared.config(context, class, &settings, &namespaces);
                Ok(self.opened(config, found))
            }
            Named::Cluster(entry) => {
                let board = Board::new(context, began, CLUSTER_LINES, tell);
                self.look_at_cluster(context, &entry, &settings, &board, offer)
                    .await
            }
        }
    }

    async fn look_at_cluster(
        &self,
        context: &str,
        entry: &ContextEntry,
        settings: &Settings,
        board: &Board<'_>,
        offer: &(dyn Fn(Offer) + Send + Sync),
    ) -> Result<Opened, ApiError> {
        let key = ContextKey::new(entry.name.clone(), Some(entry.file.clone()));
        let host = entry.server.as_deref().map(chooser::host_of);
        let class = Classed::of(settings, &key, host);
        let own = settings
            .context(&key)
            .cloned()
            .unwrap_or_else(|| nothing_chosen(&key));
        let namespaces = self.shared.namespaces(Some(&own));
        let (files, environment) = self.shared.kubeconfig_files(settings);
        let options = ConnectOptions {
            kubeconfig: files,
            environment,
            context: Some(context.to_owned()),
            namespaces: namespaces.clone(),
            ..ConnectOptions::default()
        };
        let clock = Clock::clone(&self.shared.clock);
        let kube = apart(move || KubeSource::connect(options, clock)).await?;
        let kube = kube.map_err(|error| {
            look::fail(board, &error, "the kubeconfig");
            let failure = from_source(&error);
            chooser::explain_plugin(board, entry, &failure);
            failure
        })?;
        let choices = self.choices(&key, own).await?;
        let config = self.shared.config(context, class, settings, &namespaces);
        let early = |early: Early| {
            let opened = |found| self.opened(config.clone(), found);
            offer(match early {
                Early::Likely(found) => Offer::Likely(opened(found)),
                Early::Taken(found) => Offer::Taken(opened(found)),
            });
        };
        let looking = Look {
            board,
            kube: Arc::new(kube),
            namespaces: &namespaces,
            choices: &choices,
            need: Need::Everything,
            early: &early,
        };
        let found = Box::pin(looking.at_cluster()).await.map_err(|error| {
            let failure = from_source(&error);
            chooser::explain_plugin(board, entry, &failure);
            failure
        })?;
        Ok(self.opened(config.clone(), found))
    }

    async fn choices(
        &self,
        key: &ContextKey,
        own: ContextSettings,
    ) -> Result<ContextChoices, ApiError> {
        let shared = Arc::clone(&self.shared);
        let key = key.clone();
        apart(move || ContextChoices::prepare(&shared, &key, &own)).await
    }

    fn opened(&self, config: EngineConfig, found: Found) -> Opened {
        Opened {
            config,
            sources: found.sources,
            clock: Arc::clone(&self.shared.clock),
            cluster: found.cluster,
            metrics_server: found.metrics_server,
        }
    }
}

/// What the settings say of every context.
fn tune(config: &mut EngineConfig, settings: &Settings) {
    config.tick = Duration::from_secs(settings.tick_s.into());
    config.window = TimeSpan::seconds(settings.window_s.into());
    config.thresholds = settings.thresholds;
}

fn nothing_chosen(key: &ContextKey) -> ContextSettings {
    ContextSettings {
        name: key.name.clone(),
        file: key.file.clone(),
        class: None,
        colour: None,
        namespaces: None,
        metrics: None,
        traces: Vec::new(),
    }
}

/// Work with files, off the async threads.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.map_err(|broken| ApiError {
        code: Code::Internal,
        message: format!("reading files broke off: {broken}"),
        detail: String::new(),
        hint: String::new(),
    })
}

fn from_source(error: &SourceError) -> ApiError {
    ApiError {
        code: code_of(error.kind),
        message: error.message.clone(),
        detail: String::new(),
        hint: error.hint.clone(),
    }
}
