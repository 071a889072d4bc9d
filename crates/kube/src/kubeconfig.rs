//! Which kubeconfig files there are, what contexts they hold, and which file each comes from.
//!
//! Follows kubectl: files given explicitly stand alone; else the list in `KUBECONFIG`, of which missing files are
//! skipped and empty names ignored; else `~/.kube/config`. The first file that sets a name wins and entries are never
//! merged field by field. Unlike kubectl, a context that loses to one of the same name stays reachable, as
//! `file/context`, and a context that borrows another file's cluster or user says so.
//!
//! Reads files only: no network, no plugin, no environment (the caller passes it in), and never writes.
//!
//! Source: "Organizing Cluster Access Using kubeconfig Files" of the Kubernetes documentation.

mod context;
mod read;

pub(crate) use context::without_credentials;
pub use context::{AuthKind, ContextEntry};

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Kubeconfig};
use pilothouse_core::model::{SourceError, SourceErrorKind};

use crate::connect::ConnectOptions;
use crate::failure::failed;
use crate::proxy::ProxyEnvironment;

/// The part of the process environment that decides which files are read, and which proxies are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigEnvironment {
    /// `KUBECONFIG`: a list, separated as `PATH` is.
    pub kubeconfig: Option<OsString>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
    pub proxies: ProxyEnvironment,
}

impl ConfigEnvironment {
    /// As this process was started.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            kubeconfig: std::env::var_os("KUBECONFIG"),
            home: std::env::var_os("HOME").map(PathBuf::from),
            proxies: ProxyEnvironment::read(|name| std::env::var(name).ok()),
        }
    }
}

/// One file that was read.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) config: Kubeconfig,
}

/// All kubeconfig files in force, in order of precedence.
#[derive(Clone, Debug)]
pub struct Kubeconfigs {
    files: Vec<ConfigFile>,
}

/// One context with everything that a connection needs.
#[derive(Clone, Debug)]
pub(crate) struct ChosenContext {
    pub(crate) entry: ContextEntry,
    pub(crate) cluster: Cluster,
    pub(crate) user: AuthInfo,
}

impl Kubeconfigs {
    /// Reads the files in `explicit`, or if there are none those that the environment names.
    ///
    /// # Errors
    ///
    /// `NotConfigured` if no file is found; `BadConfiguration` if an explicit file is missing or any file cannot be
    /// read or parsed (the message names the file and the position, never a value).
    pub fn load(
        explicit: &[PathBuf],
        environment: &ConfigEnvironment,
    ) -> Result<Self, SourceError> {
        let mut files = Vec::new();
        if !explicit.is_empty() {
            for path in explicit {
                let config = read::read(path)?.ok_or_else(|| missing(path))?;
                files.push(ConfigFile {
                    path: path.clone(),
                    config,
                });
            }
            return Ok(Self { files });
        }
        let candidates = candidates(environment);
        for path in &candidates {
            match read::read(path)? {
                Some(config) => files.push(ConfigFile {
                    path: path.clone(),
                    config,
                }),
                None => tracing::debug!(path = %path.display(), "kubeconfig file does not exist"),
            }
        }
        if files.is_empty() {
            return Err(nothing_found(&candidates));
        }
        Ok(Self { files })
    }

    /// The files that were read, in order of precedence.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// The current context: of the first file that names one.
    #[must_use]
    pub fn current_context(&self) -> Option<&str> {
        self.files
            .iter()
            .filter_map(|file| file.config.current_context.as_deref())
            .find(|name| !name.is_empty())
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

    /// Every context of every file, in file order, those that another file hides included.
    #[must_use]
    pub fn contexts(&self) -> Vec<ContextEntry> {
        context::entries(&self.files, self.current_context())
    }

    /// The context of this selector (a name, or `file/name` for a hidden one), or the current one.
    pub(crate) fn choose(&self, selector: Option<&str>) -> Result<ChosenContext, SourceError> {
        let contexts = self.contexts();
        let selector = match selector {
            Some(selector) => selector,
            None => self.current_context().ok_or_else(|| {
                failed(SourceErrorKind::BadConfiguration, "no context is chosen")
                    .with_hint(format!("choose one of: {}", names(&contexts)))
            })?,
        };
        let entry = contexts
            .iter()
            .find(|entry| entry.selector == selector)
            .ok_or_else(|| {
                let message = format!("there is no context `{selector}`");
                failed(SourceErrorKind::BadConfiguration, message)
                    .with_hint(format!("choose one of: {}", names(&contexts)))
            })?
            .clone();
        let config = self.merged_for(&entry)?;
        let bad = |message: String| {
            failed(SourceErrorKind::BadConfiguration, message)
                .with_hint(format!("correct the context in {}", entry.file.display()))
        };
        let cluster = context::find_cluster(&config, &entry.cluster)
            .cloned()
            .ok_or_else(|| {
                bad(format!(
                    "context `{}` names the cluster `{}`, which no kubeconfig file defines",
                    entry.name, entry.cluster
                ))
            })?;
        let user = match &entry.user {
            None => AuthInfo::default(),
            Some(user) => context::find_user(&config, user).cloned().ok_or_else(|| {
                bad(format!(
                    "context `{}` names the user `{user}`, which no kubeconfig file defines",
                    entry.name
                ))
            })?,
        };
        Ok(ChosenContext {
            entry,
            cluster,
            user,
        })
    }

    /// All files merged, first one wins; for a hidden context its own file comes first.
    fn merged_for(&self, entry: &ContextEntry) -> Result<Kubeconfig, SourceError> {
        let (own, others): (Vec<_>, Vec<_>) = self
            .files
            .iter()
            .partition(|file| entry.is_hidden && file.path == entry.file);
        own.into_iter()
            .chain(others)
            .try_fold(Kubeconfig::default(), |merged, file| {
                merged.merge(file.config.clone()).map_err(|error| {
                    let message = format!("cannot merge {}: {error}", file.path.display());
                    failed(SourceErrorKind::BadConfiguration, message)
                })
            })
    }
}

/// The files that the environment names, whether or not they exist.
fn candidates(environment: &ConfigEnvironment) -> Vec<PathBuf> {
    let listed: Vec<PathBuf> = environment
        .kubeconfig
        .iter()
        .flat_map(std::env::split_paths)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if listed.is_empty() {
        let home = environment.home.iter();
        home.map(|home| home.join(".kube").join("config")).collect()
    } else {
        listed
    }
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
        "no kubeconfig: KUBECONFIG is not set and there is no home directory".to_owned()
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
