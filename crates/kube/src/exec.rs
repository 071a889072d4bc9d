//! Credential plugins (`users[].user.exec` of a kubeconfig): runs the program, reads what it answers.
//!
//! A window has no terminal, so a plugin gets a closed stdin and is told that nobody can be asked; it gets a deadline,
//! and is ended when it is passed. A browser login works: it needs neither. Does not decide when to run it: see
//! `transport`.
//!
//! Source: Kubernetes documentation, "Authenticating", section "client-go credential plugins".

use std::io;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use pilothouse_core::model::{SourceError, SourceErrorKind};
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;

use crate::failure::failed;

/// How much of a plugin's own error text goes into a message.
const MAX_STDERR: usize = 400;

/// What a plugin answered. Holds secrets: neither `Debug` nor serialisable.
pub(crate) struct Credential {
    pub(crate) token: Option<String>,
    /// Client certificate and key, both PEM.
    pub(crate) certificate: Option<(String, String)>,
    /// When it stops being good; `None` if the plugin does not say.
    pub(crate) expires: Option<Timestamp>,
}

#[derive(Deserialize)]
struct WireCredential {
    status: Option<WireStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStatus {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// How a plugin is run.
#[derive(Clone, Debug)]
pub(crate) struct Plugin {
    pub(crate) config: ExecConfig,
    /// Told to the plugin if it asks for it (`provideClusterInfo`).
    pub(crate) cluster: Option<ExecAuthCluster>,
    pub(crate) timeout: Duration,
}

impl Plugin {
    /// Runs the plugin once.
    pub(crate) async fn run(&self) -> Result<Credential, SourceError> {
        let program = self.config.command.as_deref().unwrap_or_default();
        if program.is_empty() {
            return Err(failed(
                SourceErrorKind::BadConfiguration,
                "the user entry of this context has a credential plugin without a command",
            ));
        }
        if self.config.interactive_mode == Some(ExecInteractiveMode::Always) {
            let message = format!("the credential plugin `{program}` needs a terminal");
            return Err(failed(SourceErrorKind::Unauthorized, message).with_hint(
                "log in with kubectl in a terminal and choose a context that needs none",
            ));
        }
        tracing::info!(program, "running the credential plugin");
        let child = self.command(program).output();
        let output = match tokio::time::timeout(self.timeout, child).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(self.cannot_start(program, &error)),
            Err(_) => {
                let seconds = self.timeout.as_secs();
                let message =
                    format!("the credential plugin `{program}` gave no answer in {seconds} s");
                return Err(failed(SourceErrorKind::TimedOut, message)
                    .with_hint("run it in a terminal; it may be waiting for you to log in"));
            }
        };
        if !output.status.success() {
            let message = format!(
                "the credential plugin `{program}` failed ({}): {}",
                output.status,
                last_words(&output.stderr)
            );
            return Err(failed(SourceErrorKind::Unauthorized, message)
                .with_hint("log in again; kubectl runs the same plugin"));
        }
        read_credential(&output.stdout).map_err(|why| {
            let message = format!("the credential plugin `{program}` {why}");
            failed(SourceErrorKind::Unauthorized, message)
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(self.config.args.iter().flatten())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for entry in self.config.env.iter().flatten() {
            if let (Some(name), Some(value)) = (entry.get("name"), entry.get("value")) {
                command.env(name, value);
            }
        }
        command.env("KUBERNETES_EXEC_INFO", self.exec_info());
        #[cfg(windows)]
        command.creation_flags(0x0800_0000); // CREATE_NO_WINDOW: no console flashes up.
        command
    }

    /// The question that a plugin finds in its environment.
    fn exec_info(&self) -> String {
        let version = self.config.api_version.as_deref();
        let mut info = json!({
            "apiVersion": version.unwrap_or("client.authentication.k8s.io/v1"),
            "kind": "ExecCredential",
            "spec": {"interactive": false},
        });
        if let (true, Some(cluster)) = (self.config.provide_cluster_info, &self.cluster)
            && let (Ok(cluster), Some(spec)) = (serde_json::to_value(cluster), info.get_mut("spec"))
            && let Some(spec) = spec.as_object_mut()
        {
            spec.insert("cluster".to_owned(), cluster);
        }
        info.to_string()
    }

    fn cannot_start(&self, program: &str, error: &io::Error) -> SourceError {
        let message = format!("cannot start the credential plugin `{program}`: {error}");
        let hint = match &self.config.install_hint {
            Some(hint) if error.kind() == io::ErrorKind::NotFound => hint.trim().to_owned(),
            _ => format!("install `{program}` or put it on the PATH"),
        };
        failed(SourceErrorKind::BadConfiguration, message).with_hint(hint)
    }
}

fn read_credential(stdout: &[u8]) -> Result<Credential, &'static str> {
    let wire: WireCredential = serde_json::from_slice(stdout)
        .map_err(|_| "answered something that is no ExecCredential in JSON")?;
    let status = wire
        .status
        .ok_or("answered an ExecCredential without a status")?;
    let expires = status
        .expiration_timestamp
        .map(|text| text.parse())
        .transpose()
        .map_err(|_| "answered an expirationTimestamp that is no RFC 3339 timestamp")?;
    let certificate = match (status.client_certificate_data, status.client_key_data) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        _ => None,
    };
    let token = status.token.filter(|token| !token.is_empty());
    if token.is_none() && certificate.is_none() {
        return Err("answered neither a token nor a client certificate");
    }
    Ok(Credential {
        token,
        certificate,
        expires,
    })
}

/// The end of what a plugin wrote to stderr, in one line.
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    let skip = line.chars().count().saturating_sub(MAX_STDERR);
    let tail: String = line.chars().skip(skip).collect();
    if tail.is_empty() {
        "it said nothing".to_owned()
    } else {
        tail
    }
}

#[cfg(test)]
mod tests;
