//! Credential plugins (`users[].user.exec` of a kubeconfig): runs the program, reads what it answers.
//!
//! A window has no terminal, so a plugin gets a closed stdin and is told that nobody can be asked; it gets a deadline,
//! and is ended when it is passed. A browser login works: it needs neither. Does not decide when to run it: see
//! `transport`.
//!
//! Rooms: `find` (which program), `login_path` (the PATH of the user's shell), `policy` (what kubectl's preferences
//! allow), `answer` (what a plugin prints), `words` (what it says on stderr).
//!
//! Sources: Kubernetes documentation, "Authenticating", section "client-go credential plugins"; `exec.go` of
//! `k8s.io/client-go/plugin/pkg/client/auth/exec` 0.36.

mod answer;
mod find;
mod login_path;
mod policy;
mod words;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use pilothouse_core::model::{SourceError, SourceErrorKind};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

pub(crate) use answer::Credential;
pub(crate) use find::SearchPath;
pub use login_path::{known_login_path, login_path};
pub use policy::KubercEnvironment;
pub(crate) use policy::Policy;
pub(crate) use words::printable;

use crate::failure::failed;
use crate::kubeconfig::{ConfigEnvironment, Exec, InteractiveMode, interactive_mode};

/// Largest answer of a plugin. A token and a certificate are a few thousand bytes.
const MAX_STDOUT: usize = 1024 * 1024;

/// How much of a plugin's own error text is read.
const MAX_STDERR: usize = 64 * 1024;

/// How a plugin is run.
#[derive(Clone)]
pub(crate) struct Plugin {
    pub(crate) config: Exec,
    /// Told to the plugin if it asks for it (`provideClusterInfo`).
    pub(crate) cluster: Option<Value>,
    pub(crate) timeout: Duration,
    /// Where it is looked for, and whether it may run.
    pub(crate) environment: ConfigEnvironment,
}

/// What a plugin left behind.
struct Output {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Plugin {
    /// Runs the plugin once.
    pub(crate) async fn run(&self) -> Result<Credential, SourceError> {
        let program = self.config.command.as_str();
        if interactive_mode(&self.config.interactive_mode) == Some(InteractiveMode::Always) {
            let message = format!(
                "the credential plugin `{program}` needs a terminal: exec plugin cannot support interactive mode: \
                 standard input is not a terminal"
            );
            return Err(failed(SourceErrorKind::Unauthorized, message).with_hint(
                "log in with kubectl in a terminal and choose a context that needs none",
            ));
        }
        let (path, search_path) = self.find().await?;
        tracing::info!(program, path = %path.display(), "running the credential plugin");
        let output =
            match tokio::time::timeout(self.timeout, self.output(&path, &search_path)).await {
                Ok(Ok(output)) => output,
                Ok(Err(error)) => return Err(self.cannot_start(&error, &search_path)),
                Err(_) => {
                    let seconds = self.timeout.as_secs();
                    let message =
                        format!("the credential plugin `{program}` gave no answer in {seconds} s");
                    return Err(failed(SourceErrorKind::TimedOut, message)
                        .with_hint("run it in a terminal; it may be waiting for you to log in"));
                }
            };
        self.judge(&output)
    }

    /// The program, and the folders that it was looked for in.
    async fn find(&self) -> Result<(PathBuf, SearchPath), SourceError> {
        let command = self.config.command.as_str();
        let mut search_path = self.environment.search_path();
        let mut found = search_path.find(command);
        if let (None, Some(shell)) = (&found, &self.environment.shell) {
            login_path(shell).await;
            search_path = self.environment.search_path();
            found = search_path.find(command);
        }
        if let Some(why) = self.environment.policy().denies(command, &search_path) {
            return Err(failed(SourceErrorKind::BadConfiguration, why).with_hint(
                "kubectl's preferences (kuberc) say which credential plugins may run: see credentialPluginPolicy there",
            ));
        }
        let found = found.ok_or_else(|| {
            self.cannot_start(&io::Error::from(io::ErrorKind::NotFound), &search_path)
        })?;
        Ok((found, search_path))
    }

    async fn output(&self, path: &Path, search_path: &SearchPath) -> io::Result<Output> {
        let mut child = self.command(path, search_path).spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let stderr = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (stdout, stderr) =
            futures::future::try_join(capped(stdout, MAX_STDOUT), capped(stderr, MAX_STDERR))
                .await?;
        Ok(Output {
            status: child.wait().await?,
            stdout,
            stderr,
        })
    }

    fn command(&self, path: &Path, search_path: &SearchPath) -> Command {
        let mut command = Command::new(path);
        command
            .args(&self.config.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // What the plugin starts is found where the plugin was found.
        if let Ok(joined) = std::env::join_paths(&search_path.0)
            && !joined.is_empty()
        {
            command.env("PATH", joined);
        }
        for (name, value) in &self.config.env {
            command.env(name, value);
        }
        command.env("KUBERNETES_EXEC_INFO", self.exec_info());
        #[cfg(windows)]
        command.creation_flags(0x0800_0000); // CREATE_NO_WINDOW: no console flashes up.
        command
    }

    /// The question that a plugin finds in its environment.
    fn exec_info(&self) -> String {
        let mut spec = json!({"interactive": false});
        if let (true, Some(cluster), Some(spec)) = (
            self.config.provide_cluster_info,
            &self.cluster,
            spec.as_object_mut(),
        ) {
            spec.insert("cluster".to_owned(), cluster.clone());
        }
        let version = &self.config.api_version;
        json!({"apiVersion": version, "kind": "ExecCredential", "spec": spec}).to_string()
    }

    fn judge(&self, output: &Output) -> Result<Credential, SourceError> {
        let program = self.config.command.as_str();
        if output.stdout.len() > MAX_STDOUT {
            let message = format!(
                "the credential plugin `{program}` printed more than 1 MiB instead of a credential"
            );
            return Err(failed(SourceErrorKind::Unauthorized, message)
                .with_hint("run it in a terminal to see what it prints"));
        }
        if !output.status.success() {
            let message = format!(
                "the credential plugin `{program}` failed ({}): {}",
                output.status,
                words::last_words(&output.stderr)
            );
            return Err(failed(SourceErrorKind::Unauthorized, message)
                .with_hint("log in again; kubectl runs the same plugin"));
        }
        answer::read(&output.stdout, &self.config.api_version).map_err(|why| {
            let message = format!("the credential plugin `{program}` {why}");
            failed(SourceErrorKind::Unauthorized, message).with_hint(
                "run it in a terminal to see what it prints; kubectl runs the same plugin",
            )
        })
    }

    fn cannot_start(&self, error: &io::Error, search_path: &SearchPath) -> SourceError {
        let program = &self.config.command;
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        let message = if is_missing {
            let folders = search_path.looked_in(program);
            let folders: Vec<String> = folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            format!(
                "the credential plugin `{program}` was not found (looked in {})",
                folders.join(", ")
            )
        } else {
            format!("cannot start the credential plugin `{program}`: {error}")
        };
        let hint = match self.config.install_hint.trim() {
            hint if is_missing && !hint.is_empty() => printable(hint),
            _ => format!("install `{program}` or put it on the PATH"),
        };
        failed(SourceErrorKind::BadConfiguration, message).with_hint(hint)
    }
}

/// What a pipe says, and one byte more than the limit if it says more. The rest is read and dropped, so that the program
/// does not hang; of a program that never ends, the deadline takes care.
async fn capped(mut pipe: impl AsyncRead + Unpin, limit: usize) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let n_read = pipe.read(&mut chunk).await?;
        if n_read == 0 {
            return Ok(kept);
        }
        let room = (limit + 1).saturating_sub(kept.len());
        kept.extend(chunk.iter().take(n_read.min(room)));
    }
}

#[cfg(test)]
mod tests;
