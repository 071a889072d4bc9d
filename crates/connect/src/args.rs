//! Where to ask, as flags and variables: the same words in every shell.

use std::path::PathBuf;

use clap::Args;

/// Where to ask. Accepted before or after a command.
#[derive(Clone, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct SourceArgs {
    /// Use the embedded demo mesh.
    #[arg(long, global = true)]
    pub demo: bool,
    /// Seed of the demo mesh.
    #[arg(long, global = true, default_value_t = 1)]
    pub seed: u64,
    /// Services of the demo mesh; without it the shop.
    #[arg(long, global = true)]
    pub services: Option<usize>,
    /// Kubeconfig, repeatable; else $KUBECONFIG, else ~/.kube/config.
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Vec<PathBuf>,
    /// Context of the kubeconfig, repeatable for several clusters at once; else its current one.
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Vec<String>,
    /// Metrics and traces only.
    #[arg(long, global = true)]
    pub no_kubernetes: bool,
    /// A PromQL server.
    #[arg(long, global = true, value_name = "URL", env = PROMETHEUS)]
    pub prometheus: Option<String>,
    /// A trace backend: jaeger=URL or file=PATH.
    #[arg(long, global = true, value_name = "KIND=ADDRESS", env = TRACES)]
    pub traces: Option<String>,
    /// Namespaces, separated by commas.
    #[arg(short = 'n', long = "namespace", global = true, value_delimiter = ',')]
    pub namespaces: Vec<String>,
    /// All namespaces (the default).
    #[arg(short = 'A', long, global = true, conflicts_with = "namespaces")]
    pub all_namespaces: bool,
    /// Refuse every write, whatever else is said.
    #[arg(long, global = true)]
    pub read_only: bool,
}

/// Variable that stands for `--prometheus`.
pub const PROMETHEUS: &str = "PILOTHOUSE_PROMETHEUS";
/// Variable that stands for `--traces`.
pub const TRACES: &str = "PILOTHOUSE_TRACES";

impl SourceArgs {
    /// Whether anything says where to ask: a shell that has a chooser shows it otherwise.
    #[must_use]
    pub fn name_something(&self) -> bool {
        self.demo
            || self.no_kubernetes
            || !self.kubeconfig.is_empty()
            || !self.context.is_empty()
            || self.prometheus.is_some()
            || self.traces.is_some()
    }

    /// Whether the traces come from a file.
    #[must_use]
    pub fn traces_are_saved(&self) -> bool {
        let named = self.traces.as_deref();
        named.is_some_and(|traces| traces.starts_with("file="))
    }
}
