//! Flags to a workspace.

use std::sync::Arc;

use clap::Parser;
use pilothouse_api::Workspace;
use pilothouse_connect::{Contexts, SourceArgs};
use pilothouse_engine::system_clock;

/// Pilothouse: live graph, safe weight shifts and traces for service meshes. Without flags the window shows what can be
/// opened and contacts nothing by itself.
#[derive(Debug, Parser)]
#[command(name = "pilothouse", version)]
pub(crate) struct Flags {
    /// A link to follow: `pilothouse://CONTEXT/node|edge|split|trace/ID`.
    pub(crate) link: Option<String>,
    #[command(flatten)]
    pub(crate) sources: SourceArgs,
}

impl Flags {
    /// Whether a window that runs already can do what this start wants. It reads no other files, asks no other servers and
    /// takes no other limits; whoever says such things gets a window of their own.
    pub(crate) fn can_be_handed_over(&self) -> bool {
        let SourceArgs {
            // Shown in the running window, to be opened there.
            demo: _,
            context: _,
            // What every window shows anyway.
            all_namespaces: _,
            seed,
            services,
            kubeconfig,
            no_kubernetes,
            prometheus,
            prometheus_token_file,
            prometheus_headers,
            prometheus_ca,
            traces,
            traces_token_file,
            traces_headers,
            traces_ca,
            namespaces,
            read_only,
        } = &self.sources;
        let files = [
            prometheus_token_file,
            prometheus_ca,
            traces_token_file,
            traces_ca,
        ];
        *seed == 1
            && services.is_none()
            && kubeconfig.is_empty()
            && !no_kubernetes
            && prometheus.is_none()
            && traces.is_empty()
            && files.into_iter().all(Option::is_none)
            && prometheus_headers.is_empty()
            && traces_headers.is_empty()
            && namespaces.is_empty()
            && !read_only
    }
}

/// The running workspace over what the flags name. Needs a runtime.
pub(crate) async fn workspace(flags: Flags) -> anyhow::Result<Arc<Workspace>> {
    let contexts = Contexts::of_process(&flags.sources);
    let composition = contexts.at_start(system_clock()).await?;
    Ok(composition.workspace(true, Some(contexts))?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_over(words: &[&str]) -> bool {
        let words = ["pilothouse"].iter().chain(words);
        Flags::try_parse_from(words).unwrap().can_be_handed_over()
    }

    #[test]
    fn a_start_is_handed_over_unless_the_running_window_would_ignore_what_it_says() {
        for words in [
            &[] as &[&str],
            &["pilothouse://demo"],
            &["--context", "prod"],
            &["--demo"],
            &["-A"],
        ] {
            assert!(handed_over(words), "{words:?}");
        }
        for words in [
            &["--read-only"] as &[&str],
            &["--prometheus", "http://127.0.0.1:9090"],
            &["--kubeconfig", "x"],
            &["--demo", "--services", "9"],
            &["--demo", "--seed", "2"],
            &["-n", "shop", "--context", "prod"],
            &["pilothouse://demo", "--read-only"],
        ] {
            assert!(!handed_over(words), "{words:?}");
        }
    }
}
