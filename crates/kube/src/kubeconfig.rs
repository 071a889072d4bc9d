//! Which kubeconfig files there are, what contexts they hold, and which file each comes from.
//!
//! Follows kubectl: files given explicitly stand alone; else the list in `KUBECONFIG`, of which missing files are
//! skipped and empty names ignored; else `~/.kube/config`. The first file that sets a name wins and entries are never
//! merged field by field. Unlike kubectl, one wrong entry breaks only itself and one unreadable file only itself; a
//! context that loses to one of the same name stays reachable, as `file/context`; and a context that borrows another
//! file's cluster or user says so.
//!
//! Reads files only: no network, no plugin, no environment (the caller passes it in), and never writes.
//!
//! Rooms: `node` (YAML), `wire` (entries), `read` (a file), `check` (what kubectl finds wrong), `context` (the list),
//! `server` (addresses), `watched` (which files to look at again).
//!
//! Source: `k8s.io/client-go/tools/clientcmd` 0.36 (`loader.go`, `client_config.go`, `validation.go`).

mod check;
mod context;
pub(crate) mod node;
pub(crate) mod read;
mod server;
mod types;
mod watched;
pub(crate) mod wire;

pub(crate) use context::interactive_mode;
pub use context::{AuthKind, ContextEntry, EntryProblem, InteractiveMode, PluginEntry};
pub(crate) use server::{DEFAULT_SERVER, Server, port_is_sound, without_credentials};
pub(crate) use types::{Cluster, Exec, Provider, User};
pub use watched::Stamp;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pilothouse_core::model::{SourceError, SourceErrorKind};

use crate::connect::ConnectOptions;
use crate::exec::{KubercEnvironment, Policy, SearchPath, known_login_path};
use crate::failure::failed;
use crate::proxy::ProxyEnvironment;
use context::{clusters, lookup, users};
use node::Broken;
use read::ConfigFile;

/// The part of the process environment that decides which files are read, and which proxies and programs are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigEnvironment {
    /// `KUBECONFIG`: a list, separated as `PATH` is.
    pub kubeconfig: Option<OsString>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
    pub proxies: ProxyEnvironment,
    /// `PATH`, where credential plugins are looked for first.
    pub path: Option<OsString>,
    /// `SHELL`: asked for its PATH if a credential plugin is not on this process's; `None` = nobody is asked.
    pub shell: Option<PathBuf>,
    /// Where kubectl's preferences are, which may forbid credential plugins.
    pub kuberc: KubercEnvironment,
    /// `KUBERNETES_MASTER`: the address of a cluster without a server.
    pub master: Option<String>,
    /// Files that were opened by hand: read after the usual ones, so that these define first; missing ones are skipped.
    pub opened: Vec<PathBuf>,
}

impl ConfigEnvironment {
    /// As this process was started.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let is_disabled =
            text("KUBECTL_KUBERC").is_some_and(|flag| flag.eq_ignore_ascii_case("false"));
        Self {
            kubeconfig: std::env::var_os("KUBECONFIG"),
            // As kubectl, which does not look into the list of users.
            home: if cfg!(windows) {
                std::env::home_dir()
            } else {
                std::env::var_os("HOME").map(PathBuf::from)
            },
            proxies: ProxyEnvironment::read(|name| std::env::var(name).ok()),
            path: std::env::var_os("PATH"),
            shell: std::env::var_os("SHELL").map(PathBuf::from),
            kuberc: KubercEnvironment {
                kuberc: std::env::var_os("KUBERC"),
                is_disabled,
            },
            master: text("KUBERNETES_MASTER"),
            opened: Vec::new(),
        }
    }

    /// Folders of programs, as far as they are known without asking the login shell.
    pub(crate) fn search_path(&self) -> SearchPath {
        let login = self.shell.as_ref().and_then(|_| known_login_path());
        SearchPath::of(self.path.as_deref().into_iter().chain(login))
    }

    /// What kubectl's preferences allow.
    pub(crate) fn policy(&self) -> Policy {
        Policy::load(&self.kuberc, self.home.as_deref())
    }
}

/// A kubeconfig file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// The file.
    pub path: PathBuf,
    /// Why it cannot be read, or what kubectl refuses it for although the rest of it is used here; `None` if all is
    /// well.
    pub problem: Option<EntryProblem>,
    /// Contexts in it, broken ones included.
    pub n_contexts: usize,
}

/// All kubeconfig files in force, in order of precedence.
#[derive(Clone, Debug)]
pub struct Kubeconfigs {
    files: Vec<ConfigFile>,
    search_path: SearchPath,
    policy: Policy,
}

/// One context with everything that a connection needs.
#[derive(Clone, Debug)]
pub(crate) struct ChosenContext {
    pub(crate) entry: ContextEntry,
    pub(crate) cluster: Cluster,
    pub(crate) user: User,
}

impl Kubeconfigs {
    /// Reads the files in `explicit`, or if there are none those that the environment names. A file that cannot be read
    /// breaks only itself: see [`Self::files`].
    ///
    /// # Errors
    ///
    /// `NotConfigured` if no file is found; `BadConfiguration` if an explicit file is missing.
    pub fn load(
        explicit: &[PathBuf],
        environment: &ConfigEnvironment,
    ) -> Result<Self, SourceError> {
        let mut files = Vec::new();
        for path in candidates(explicit, environment) {
            match read::read(&path) {
                Some(file) => files.push(file),
                None if !explicit.is_empty() => return Err(missing(&path)),
                None => tracing::debug!(path = %path.display(), "kubeconfig file does not exist"),
            }
        }
        if files.is_empty() {
            return Err(nothing_found(&candidates(explicit, environment)));
        }
        Ok(Self {
            files,
            search_path: environment.search_path(),
            policy: environment.policy(),
        })
    }

    /// The files that are there, in order of precedence, broken ones included.
    #[must_use]
    pub fn files(&self) -> Vec<FileEntry> {
        self.files.iter().map(file_entry).collect()
    }

    /// The current context: of the first file that names one. As for kubectl, a context without a name is the current
    /// one if no file names one.
    #[must_use]
    pub fn current_context(&self) -> Option<&str> {
        let mut names = self
            .files
            .iter()
            .map(|file| file.entries.current_context.as_str());
        let named = names.find(|name| !name.is_empty());
        let mut contexts = self.files.iter().flat_map(|file| &file.entries.contexts);
        named.or_else(|| contexts.any(|named| named.name.is_empty()).then_some(""))
    }

    /// The name of the context that these options choose, whether its cluster can be reached or not: theirs, or else the
    /// current one. `None` if there is no kubeconfig.
    pub(crate) fn context_name(options: &ConnectOptions) -> Option<String> {
        let current = || {
            let configs = Self::load(&options.kubeconfig, &options.environment).ok()?;
            configs.current_context().map(str::to_owned)
        };
        options.context.clone().or_else(current)
    }

    /// Every context of every file, in file order, those that another file hides and those that are broken included.
    #[must_use]
    pub fn contexts(&self) -> Vec<ContextEntry> {
        context::entries(self)
    }

    /// The context of this selector (a name, or `file/name` for a hidden one), or the current one.
    ///
    /// As kubectl: a cluster that no file defines is one without a server, and a user that no file defines logs in as
    /// nobody.
    pub(crate) fn choose(&self, selector: Option<&str>) -> Result<ChosenContext, SourceError> {
        let contexts = self.contexts();
        let entry = match selector.or_else(|| self.current_context()) {
            None => context::nameless(self)
                .ok_or_else(|| self.not_chosen("no context is chosen", &contexts))?,
            Some(selector) => contexts
                .iter()
                .find(|entry| entry.selector == selector)
                .ok_or_else(|| {
                    self.not_chosen(&format!("there is no context `{selector}`"), &contexts)
                })?
                .clone(),
        };
        let bad = |message: &str| {
            let hint = match &entry.problem {
                Some(problem) => format!("correct {}", place(problem)),
                None => format!("correct the context in {}", entry.file.display()),
            };
            let message = format!("context `{}`: {message}", entry.name);
            failed(SourceErrorKind::BadConfiguration, message).with_hint(hint)
        };
        let own_file = self.files.iter().find(|file| file.path == entry.file);
        let own_context = own_file.and_then(|file| {
            let mut contexts = file.entries.contexts.iter();
            contexts.find(|named| named.name == entry.name)
        });
        if let Some(Err(broken)) = own_context.map(|named| &named.body) {
            return Err(bad(&broken.message));
        }
        let own = own_file.filter(|_| entry.is_hidden);
        let cluster = lookup(&self.files, own, &entry.cluster, clusters);
        let cluster = body(cluster.map(|found| &found.entry.body)).map_err(|why| bad(&why))?;
        let user_name = entry.user.as_deref().unwrap_or_default();
        let user = lookup(&self.files, own, user_name, users);
        let user = body(user.map(|found| &found.entry.body)).map_err(|why| bad(&why))?;
        let mut wrong = check::user(user_name, &user);
        wrong.extend(check::cluster(&entry.cluster, &cluster));
        if let Some(wrong) = check::joined(&wrong) {
            return Err(bad(&wrong));
        }
        Ok(ChosenContext {
            entry,
            cluster,
            user,
        })
    }

    fn not_chosen(&self, message: &str, contexts: &[ContextEntry]) -> SourceError {
        let mut hint = format!("choose one of: {}", names(contexts));
        for problem in self.files().iter().filter_map(|file| file.problem.as_ref()) {
            hint.push_str(&format!("; {}: {}", place(problem), problem.message));
        }
        failed(SourceErrorKind::BadConfiguration, message).with_hint(hint)
    }
}

/// A definition as it stands, or nothing given where no file has it.
fn body<T: Clone + Default>(found: Option<&Result<T, Broken>>) -> Result<T, String> {
    match found {
        None => Ok(T::default()),
        Some(Ok(body)) => Ok(body.clone()),
        Some(Err(broken)) => Err(broken.message.clone()),
    }
}

fn file_entry(file: &ConfigFile) -> FileEntry {
    let refused = file.entries.refused.first().map(|broken| Broken {
        message: format!("kubectl refuses this file: {}", broken.message),
        line: broken.line,
    });
    let problem = file.problem.clone().or(refused);
    FileEntry {
        path: file.path.clone(),
        problem: problem.map(|broken| EntryProblem::of(&broken, &file.path)),
        n_contexts: file.entries.contexts.len(),
    }
}

/// `config:12`, as compilers say it.
fn place(problem: &EntryProblem) -> String {
    let file = problem.file.display();
    problem
        .line
        .map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
}

/// The files to read, whether or not they exist, each once.
fn candidates(explicit: &[PathBuf], environment: &ConfigEnvironment) -> Vec<PathBuf> {
    let variable = environment
        .kubeconfig
        .as_ref()
        .filter(|list| !list.is_empty());
    let opened = environment
        .opened
        .iter()
        .filter(|_| explicit.is_empty())
        .cloned();
    let listed: Vec<PathBuf> = match variable {
        _ if !explicit.is_empty() => explicit.to_vec(),
        Some(list) => std::env::split_paths(list)
            .filter(|path| !path.as_os_str().is_empty())
            .collect(),
        None => {
            let home = environment.home.iter();
            home.map(|home| home.join(".kube").join("config")).collect()
        }
    };
    let mut candidates: Vec<PathBuf> = Vec::new();
    for path in listed.into_iter().chain(opened) {
        if !candidates.contains(&path) {
            candidates.push(path);
        }
    }
    candidates
}

fn missing(path: &Path) -> SourceError {
    let message = format!("the kubeconfig file {} does not exist", path.display());
    failed(SourceErrorKind::BadConfiguration, message)
        .with_hint("give the path of a file that exists")
}

fn nothing_found(candidates: &[PathBuf]) -> SourceError {
    let looked: Vec<String> = candidates
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let message = if looked.is_empty() {
        "no kubeconfig: KUBECONFIG names no file and there is no home directory".to_owned()
    } else {
        format!("no kubeconfig: looked for {}", looked.join(", "))
    };
    failed(SourceErrorKind::NotConfigured, message).with_hint(
        "name a kubeconfig file (--kubeconfig), set KUBECONFIG, or look at the demo mesh",
    )
}

fn names(contexts: &[ContextEntry]) -> String {
    if contexts.is_empty() {
        return "(the files hold no context)".to_owned();
    }
    let names: Vec<&str> = contexts.iter().map(|c| c.selector.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
