//! Where to ask, as flags and variables: the same words in every shell.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser as _};

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
    #[arg(long, global = true, value_name = "FILE", value_parser = OsStringValueParser::new().map(PathBuf::from))]
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
    /// File with the bearer token of --prometheus, read again whenever it changes; the token itself goes into the
    /// variable `PILOTHOUSE_PROMETHEUS_TOKEN`.
    #[arg(long, global = true, value_name = "FILE")]
    pub prometheus_token_file: Option<PathBuf>,
    /// Header of every request to --prometheus, repeatable: X-Scope-OrgID=shop.
    #[arg(long = "prometheus-header", global = true, value_name = "NAME=VALUE", value_parser = header)]
    pub prometheus_headers: Vec<Header>,
    /// PEM file of the authorities that the certificate of --prometheus is checked with.
    #[arg(long, global = true, value_name = "FILE")]
    pub prometheus_ca: Option<PathBuf>,
    /// A trace backend: jaeger=URL, tempo=URL, zipkin=URL or file=PATH. Repeatable: the first that answers is taken.
    #[arg(long, global = true, value_name = "KIND=ADDRESS", env = TRACES)]
    pub traces: Vec<String>,
    /// File with the bearer token of every --traces; the token itself goes into the variable `PILOTHOUSE_TRACES_TOKEN`.
    #[arg(long, global = true, value_name = "FILE")]
    pub traces_token_file: Option<PathBuf>,
    /// Header of every request to --traces, repeatable.
    #[arg(long = "traces-header", global = true, value_name = "NAME=VALUE", value_parser = header)]
    pub traces_headers: Vec<Header>,
    /// PEM file of the authorities that the certificate of --traces is checked with.
    #[arg(long, global = true, value_name = "FILE")]
    pub traces_ca: Option<PathBuf>,
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

/// Variable that holds the bearer token of `--prometheus`: words of a command line are seen by everybody.
pub(crate) const PROMETHEUS_TOKEN: &str = "PILOTHOUSE_PROMETHEUS_TOKEN";
/// Variable that holds the bearer token of `--traces`.
pub(crate) const TRACES_TOKEN: &str = "PILOTHOUSE_TRACES_TOKEN";

/// A header of a command line. Its value may be a secret: it is not shown.
#[derive(Clone)]
pub struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn header(text: &str) -> Result<Header, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok(Header {
            name: name.trim().to_owned(),
            value: value.to_owned(),
        }),
        _ => Err("a header is written as NAME=VALUE".to_owned()),
    }
}

impl SourceArgs {
    /// Without what is empty: as kubectl does, `--context ''` and an empty variable say nothing.
    #[must_use]
    pub fn given(mut self) -> Self {
        self.kubeconfig.retain(|file| !file.as_os_str().is_empty());
        self.context.retain(|name| !name.is_empty());
        self.prometheus = self.prometheus.filter(|url| !url.is_empty());
        self.traces.retain(|address| !address.is_empty());
        self.namespaces.retain(|name| !name.is_empty());
        self
    }

    /// Whether anything says where to ask: a shell that has a chooser shows it otherwise.
    #[must_use]
    pub fn name_something(&self) -> bool {
        self.demo
            || self.no_kubernetes
            || !self.kubeconfig.is_empty()
            || !self.context.is_empty()
            || self.prometheus.is_some()
            || !self.traces.is_empty()
    }

    /// Whether the traces come from a file; one that is named after servers only stands in for them.
    #[must_use]
    pub fn traces_are_saved(&self) -> bool {
        let named = self.traces.first();
        named.is_some_and(|traces| traces.starts_with("file="))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        sources: SourceArgs,
    }

    fn given(words: &[&str]) -> SourceArgs {
        let words = std::iter::once(&"pilothouse").chain(words);
        Flags::try_parse_from(words).unwrap().sources.given()
    }

    #[test]
    fn what_is_empty_is_not_given() {
        let empty = [
            "--context=",
            "--kubeconfig=",
            "--prometheus=",
            "--traces=",
            "--namespace=",
        ];
        let nothing = given(&empty);
        assert!(!nothing.name_something());
        assert!(nothing.namespaces.is_empty());
        let one = given(&["--context", "", "--context", "a", "--kubeconfig", "f"]);
        assert_eq!(one.context, ["a"]);
        assert_eq!(one.kubeconfig, [PathBuf::from("f")]);
    }
}
