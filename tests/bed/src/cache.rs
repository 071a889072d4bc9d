//! Where the servers of the bed are found: a cache folder outside of any checkout.
//!
//! Each built server lies in a folder named after its manifests' hash, so checkouts with other
//! versions live side by side and nothing stale is ever started. [`crate::install`] fills the
//! folder; this module only looks.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};

/// The version of the Envoy wheel. Its stats access logger is work in progress upstream.
pub(crate) const ENVOY_VERSION: &str = "1.40.0";

/// A server built from Go modules, whose manifests are in `servers/NAME`.
#[derive(Debug)]
pub(crate) struct GoServer {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    pub(crate) flags: &'static [&'static str],
}

pub(crate) const KUBE_APISERVER: GoServer = GoServer {
    name: "kube-apiserver",
    package: ".",
    // Without the version clients would be told v0.0.0-master.
    flags: &["-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v1.36.2"],
};

pub(crate) const ISTIOD: GoServer = GoServer {
    name: "istiod",
    package: "istio.io/istio/pilot/cmd/pilot-discovery",
    flags: &["-tags=vtprotobuf,disable_pgv", "-ldflags=-s -w"],
};

pub(crate) const JAEGER: GoServer = GoServer {
    name: "jaeger",
    package: "github.com/jaegertracing/jaeger/cmd/jaeger",
    flags: &["-ldflags=-s -w"],
};

/// Everything that a bed starts or loads, found.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) kube_apiserver: PathBuf,
    pub(crate) istiod: PathBuf,
    pub(crate) jaeger: PathBuf,
    pub(crate) envoy: PathBuf,
    pub(crate) prometheus: PathBuf,
    /// The files of Istio's and Gateway API's resource definitions.
    pub(crate) definitions: Vec<PathBuf>,
}

impl Tools {
    /// Finds all, or says in one sentence what is missing and how to get it.
    pub(crate) fn find() -> Result<Self> {
        for tool in ["setpriv", "sh"] {
            program(tool).with_context(|| format!("{tool} is missing (Debian: util-linux)"))?;
        }
        let definitions = definitions_folder()?;
        let mut built = Vec::new();
        for server in [&KUBE_APISERVER, &ISTIOD, &JAEGER] {
            built.push(server.binary()?);
        }
        let envoy = envoy()?;
        let missing: Vec<String> = built
            .iter()
            .chain([&envoy, &definitions])
            .filter(|path| !path.exists())
            .map(|path| path.display().to_string())
            .collect();
        if !missing.is_empty() {
            bail!(
                "the bed is not built ({} missing): run `cargo run -p pilothouse-bed -- build`",
                missing.join(", ")
            );
        }
        let [kube_apiserver, istiod, jaeger] = built.try_into().ok().context("three servers")?;
        let prometheus = prometheus()?;
        let definitions = files(&definitions)?;
        Ok(Self {
            kube_apiserver,
            istiod,
            jaeger,
            envoy,
            prometheus,
            definitions,
        })
    }
}

impl GoServer {
    pub(crate) fn sources(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("servers")
            .join(self.name)
    }

    pub(crate) fn binary(&self) -> Result<PathBuf> {
        let mut hash = Fnv::default();
        for file in files(&self.sources())? {
            hash.add(&fs::read(&file).with_context(|| format!("no {}", file.display()))?);
        }
        for flag in self.flags {
            hash.add(flag.as_bytes());
        }
        Ok(folder()?
            .join(format!("{}-{:016x}", self.name, hash.0))
            .join(self.name))
    }
}

/// `$PILOTHOUSE_CACHE/bed`, by default `~/.cache/pilothouse/bed`.
pub(crate) fn folder() -> Result<PathBuf> {
    if let Some(cache) = env::var_os("PILOTHOUSE_CACHE") {
        return Ok(PathBuf::from(cache).join("bed"));
    }
    let home = env::var_os("HOME").context("neither PILOTHOUSE_CACHE nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cache/pilothouse/bed"))
}

pub(crate) fn envoy() -> Result<PathBuf> {
    Ok(folder()?
        .join(format!("envoy-{ENVOY_VERSION}"))
        .join("envoy"))
}

/// Istio's and Gateway API's resource definitions, of the versions that istiod was built with.
pub(crate) fn definitions_folder() -> Result<PathBuf> {
    let istiod = ISTIOD.binary()?;
    Ok(istiod
        .parent()
        .context("istiod has no folder")?
        .join("definitions"))
}

pub(crate) fn prometheus() -> Result<PathBuf> {
    program("prometheus").context("Prometheus is missing: install Debian's package `prometheus`")
}

/// A program on the PATH.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The files of a folder by name, for the same order on every machine.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

/// FNV-1a, 64 bits: names a folder, protects nothing (go.sum does that).
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        // The length first, so that no two lists of files run into the same bytes.
        for byte in bytes.len().to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
