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

/// A program built from Go modules.
#[derive(Debug)]
pub(crate) struct GoProgram {
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    pub(crate) package: &'static str,
    pub(crate) flags: &'static [&'static str],
    /// The Go that its module asks for, where 1.26 does not do; Go fetches it like a module.
    pub(crate) toolchain: Option<&'static str>,
}

/// What a program is built from.
#[derive(Debug)]
pub(crate) enum Source {
    /// `go.mod`, `go.sum` and what else lies in this folder of `servers/`.
    Manifests(&'static str),
    /// A published module, built in a copy of it: its own go.sum and replace lines hold.
    Module {
        /// As `go mod download` takes it: path and version.
        at: &'static str,
        /// Its line in go.sum: another content is refused.
        sum: &'static str,
        /// Files of the module that the program needs, kept beside it under their names.
        keep: &'static [&'static str],
    },
}

// Without the version clients would be told v0.0.0-master.
const KUBERNETES_FLAGS: &[&str] =
    &["-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v1.36.2"];
const KUBERNETES: Source = Source::Manifests("kubernetes");

pub(crate) const KUBE_APISERVER: GoProgram = GoProgram {
    name: "kube-apiserver",
    source: KUBERNETES,
    package: ".",
    flags: KUBERNETES_FLAGS,
    toolchain: None,
};

pub(crate) const KUBECTL: GoProgram = GoProgram {
    name: "kubectl",
    source: KUBERNETES,
    package: "k8s.io/kubernetes/cmd/kubectl",
    flags: KUBERNETES_FLAGS,
    toolchain: None,
};

pub(crate) const KUBE_CONTROLLER_MANAGER: GoProgram = GoProgram {
    name: "kube-controller-manager",
    source: KUBERNETES,
    package: "k8s.io/kubernetes/cmd/kube-controller-manager",
    flags: KUBERNETES_FLAGS,
    toolchain: None,
};

pub(crate) const ISTIOD: GoProgram = GoProgram {
    name: "istiod",
    source: Source::Manifests("istiod"),
    package: "istio.io/istio/pilot/cmd/pilot-discovery",
    flags: &["-tags=vtprotobuf,disable_pgv", "-ldflags=-s -w"],
    toolchain: None,
};

pub(crate) const JAEGER: GoProgram = GoProgram {
    name: "jaeger",
    source: Source::Manifests("jaeger"),
    package: "github.com/jaegertracing/jaeger/cmd/jaeger",
    flags: &["-ldflags=-s -w"],
    toolchain: None,
};

pub(crate) const KWOK: GoProgram = GoProgram {
    name: "kwok",
    source: Source::Module {
        at: "sigs.k8s.io/kwok@v0.8.0",
        sum: "h1:OTIOTwgROqPMovcTwxICx2eYQ4AwLpSx5EpjbDKF4SQ=",
        keep: &[
            "kustomize/stage/node/fast/node-initialize.yaml",
            "kustomize/stage/pod/fast/pod-ready.yaml",
            "kustomize/stage/pod/fast/pod-delete.yaml",
        ],
    },
    package: "./cmd/kwok",
    flags: &["-ldflags=-s -w"],
    toolchain: None,
};

pub(crate) const PROMETHEUS_3: GoProgram = GoProgram {
    name: "prometheus-3",
    source: Source::Module {
        at: "github.com/prometheus/prometheus@v0.316.0",
        sum: "h1:f1GRFerhTMKQma+awCoC9T820ecWeGSdF+xAlMHzZzM=",
        keep: &[],
    },
    package: "./cmd/prometheus",
    flags: &[
        // Targets are static here, and the clouds' own libraries are most of the build.
        "-tags=remove_all_sd",
        // Without it `/api/v1/status/buildinfo` would have an empty version.
        "-ldflags=-s -w -X github.com/prometheus/common/version.Version=3.16.0",
    ],
    toolchain: Some("go1.27.3"),
};

pub(crate) const THANOS: GoProgram = GoProgram {
    name: "thanos",
    source: Source::Module {
        at: "github.com/thanos-io/thanos@v0.42.5",
        sum: "h1:92xtD5YT0cgeCFJmZdWsZLRkVh4cDWfSDb9AAiY4BN4=",
        keep: &[],
    },
    package: "./cmd/thanos",
    flags: &[
        // Thanos casts Prometheus' labels to its own: with any other layout it reads garbage.
        "-tags=slicelabels",
        "-ldflags=-s -w -X github.com/prometheus/common/version.Version=0.42.5",
    ],
    toolchain: Some("go1.27.3"),
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
        need_tools()?;
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

impl GoProgram {
    /// Where it is or will be; its folder is named after all that decides about its content.
    pub(crate) fn binary(&self) -> Result<PathBuf> {
        let mut hash = Fnv::default();
        match &self.source {
            Source::Manifests(name) => {
                for file in files(&manifests(name))? {
                    hash.add(&fs::read(&file).with_context(|| format!("no {}", file.display()))?);
                }
            }
            Source::Module { at, sum, keep } => {
                for text in [*at, *sum].iter().chain(*keep).chain(&self.toolchain) {
                    hash.add(text.as_bytes());
                }
            }
        }
        for flag in self.flags {
            hash.add(flag.as_bytes());
        }
        Ok(folder()?
            .join(format!("{}-{:016x}", self.name, hash.0))
            .join(self.name))
    }
}

/// A folder of `servers/`.
pub(crate) fn manifests(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("servers")
        .join(name)
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

/// What every set of servers is started with.
pub(crate) fn need_tools() -> Result<()> {
    for tool in ["setpriv", "sh"] {
        program(tool).with_context(|| format!("{tool} is missing (Debian: util-linux)"))?;
    }
    Ok(())
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
