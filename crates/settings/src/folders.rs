//! Where files live, by the conventions of each platform. Window and command line ask here, so both find the same files
//! (a folder named after the app's bundle identifier would be known to the window alone).
//!
//! | | Linux | macOS | Windows |
//! |---|---|---|---|
//! | config | `$XDG_CONFIG_HOME/pilothouse`, `~/.config/pilothouse` | `~/Library/Application Support/pilothouse` | `%APPDATA%\pilothouse` |
//! | state | `$XDG_STATE_HOME/pilothouse`, `~/.local/state/pilothouse` | `~/Library/Application Support/pilothouse` | `%LOCALAPPDATA%\pilothouse` |
//! | cache | `$XDG_CACHE_HOME/pilothouse`, `~/.cache/pilothouse` | `~/Library/Caches/pilothouse` | `%LOCALAPPDATA%\pilothouse\cache` |
//!
//! `$PILOTHOUSE_HOME` puts all of them under one folder (`config`, `state`, `cache`): for tests and for a stick.
//!
//! Source: XDG base directory specification 0.8 (a relative path in one of its variables is ignored); Apple's file system
//! guide; Windows' known folders through their variables.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Name of our folder in each of the platform's.
const NAME: &str = "pilothouse";
const HOME_OF_ALL: &str = "PILOTHOUSE_HOME";
const VARIABLES: [&str; 8] = [
    HOME_OF_ALL,
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
];

/// Whose conventions hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Linux and the other Unixes: XDG.
    Xdg,
    /// macOS.
    Apple,
    /// Windows.
    Windows,
}

impl Platform {
    /// The one that this program was built for.
    #[must_use]
    pub const fn of_process() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::Apple
        } else {
            Self::Xdg
        }
    }
}

/// The variables that folders hang on, taken once: tests pass their own instead of changing those of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    platform: Platform,
    variables: BTreeMap<&'static str, OsString>,
}

impl Environment {
    /// Those of this process. A relative `$PILOTHOUSE_HOME` counts from the present folder.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(Platform::of_process(), |name| {
            let value = std::env::var_os(name)?;
            if name != HOME_OF_ALL {
                return Some(value);
            }
            let absolute = std::path::absolute(&value).ok();
            Some(absolute.map_or(value, PathBuf::into_os_string))
        })
    }

    /// Those that `lookup` knows; an empty value counts as none.
    #[must_use]
    pub fn new(platform: Platform, lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let known = |name: &'static str| {
            let value = lookup(name).filter(|value| !value.is_empty())?;
            Some((name, value))
        };
        Self {
            platform,
            variables: VARIABLES.into_iter().filter_map(known).collect(),
        }
    }

    /// Home directory of the person; `None` if no variable names one.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        let name = match self.platform {
            Platform::Windows => "USERPROFILE",
            Platform::Xdg | Platform::Apple => "HOME",
        };
        self.path(name)
    }

    /// This path with `~/` at its start put in full, and a relative one counted from `base`.
    #[must_use]
    pub fn resolve(&self, base: &Path, path: &str) -> PathBuf {
        let in_home = path
            .strip_prefix("~/")
            .or((path == "~").then_some(""))
            .and_then(|rest| Some(self.home()?.join(rest)));
        in_home.unwrap_or_else(|| base.join(path))
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).map(PathBuf::from)
    }

    /// A folder of XDG: its variable, else the place under the home directory.
    fn xdg(&self, variable: &str, under_home: &str) -> Option<PathBuf> {
        let given = self.path(variable).filter(|path| path.is_absolute());
        let folder = given.or_else(|| Some(self.home()?.join(under_home)))?;
        Some(folder.join(NAME))
    }
}

/// The folders, each `None` where the environment names no home for it. None of them is made before something is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// What a person writes: `settings.toml`.
    pub config: Option<PathBuf>,
    /// What the program must find again: `state.json`, the journal.
    pub state: Option<PathBuf>,
    /// What may be deleted at any time.
    pub cache: Option<PathBuf>,
    environment: Environment,
}

impl Folders {
    /// The folders of this environment.
    #[must_use]
    pub fn of(environment: Environment) -> Self {
        let e = &environment;
        let in_home = |folder: &str| Some(e.home()?.join(folder).join(NAME));
        let [config, state, cache] = match (e.path(HOME_OF_ALL), e.platform) {
            (Some(all), _) => ["config", "state", "cache"].map(|name| Some(all.join(name))),
            (None, Platform::Xdg) => [
                e.xdg("XDG_CONFIG_HOME", ".config"),
                e.xdg("XDG_STATE_HOME", ".local/state"),
                e.xdg("XDG_CACHE_HOME", ".cache"),
            ],
            (None, Platform::Apple) => [
                in_home("Library/Application Support"),
                in_home("Library/Application Support"),
                in_home("Library/Caches"),
            ],
            (None, Platform::Windows) => {
                let local = e.path("LOCALAPPDATA").map(|folder| folder.join(NAME));
                let cache = local.as_ref().map(|folder| folder.join("cache"));
                [e.path("APPDATA").map(|f| f.join(NAME)), local, cache]
            }
        };
        Self {
            config,
            state,
            cache,
            environment,
        }
    }

    /// All three under one folder, as `$PILOTHOUSE_HOME` does.
    #[must_use]
    pub fn under(all: impl AsRef<OsStr>) -> Self {
        let all = all.as_ref();
        Self::of(Environment::new(Platform::of_process(), |name| {
            (name == HOME_OF_ALL).then(|| all.to_owned())
        }))
    }

    /// The environment that they came from.
    #[must_use]
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The settings; `None` without a config folder.
    #[must_use]
    pub fn settings_file(&self) -> Option<PathBuf> {
        self.config
            .as_ref()
            .map(|folder| folder.join("settings.toml"))
    }

    /// The remembered state; `None` without a state folder.
    #[must_use]
    pub fn state_file(&self) -> Option<PathBuf> {
        self.in_state("state.json")
    }

    /// The journal of changes, which every shell shows; `None` without a state folder.
    #[must_use]
    pub fn journal_file(&self) -> Option<PathBuf> {
        self.in_state("journal.jsonl")
    }

    fn in_state(&self, name: &str) -> Option<PathBuf> {
        self.state.as_ref().map(|folder| folder.join(name))
    }
}
