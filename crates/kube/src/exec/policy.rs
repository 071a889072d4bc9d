//! Which credential plugins kubectl's own preferences (`kuberc`) allow.
//!
//! Sources: `k8s.io/kubectl/pkg/kuberc` (which file, which of its documents), `ValidatePluginPolicy` and
//! `checkAllowlistLocked` of `k8s.io/client-go/plugin/pkg/client/auth/exec`, whose words these are.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::find::SearchPath;
use crate::kubeconfig::node::{self, Broken, Node};
use crate::kubeconfig::read;
use crate::kubeconfig::wire::{Fields, clean};

/// The variables that say where kubectl's preferences are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubercEnvironment {
    /// `KUBERC`: a file, or `off`.
    pub kuberc: Option<OsString>,
    /// `KUBECTL_KUBERC` is `false`.
    pub is_disabled: bool,
}

impl KubercEnvironment {
    /// The file of the preferences in force; `None` if there are to be none.
    pub(crate) fn path(&self, home: Option<&Path>) -> Option<PathBuf> {
        let named = self.named();
        if self.is_disabled || named.is_some_and(|name| name == "off") {
            return None;
        }
        let default = home.map(|home| home.join(".kube").join("kuberc"));
        named.map(PathBuf::from).or(default)
    }

    fn named(&self) -> Option<&OsString> {
        self.kuberc.as_ref().filter(|name| !name.is_empty())
    }
}

/// What may run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Everything: there are no preferences, or they do not say.
    #[default]
    AllowAll,
    DenyAll,
    /// Programs by name or path.
    Allowlist(Vec<String>),
    /// The preferences cannot be used, and kubectl does nothing at all before they are corrected.
    Unusable(String),
}

impl Policy {
    /// The policy of the preferences in force.
    pub(crate) fn load(environment: &KubercEnvironment, home: Option<&Path>) -> Self {
        let Some(path) = environment.path(home) else {
            return Self::AllowAll;
        };
        match read_policy(&path) {
            Ok(policy) => policy,
            // As kubectl: preferences that nobody asked for are passed over if they cannot be read. Most people have none.
            Err(Unread::File(why)) if environment.named().is_none() && !path.exists() => {
                tracing::debug!(why, "there is no kuberc");
                Self::AllowAll
            }
            Err(Unread::File(why)) if environment.named().is_none() => {
                tracing::warn!(path = %path.display(), why, "kuberc is not used");
                Self::AllowAll
            }
            Err(Unread::File(why) | Unread::Policy(why)) => Self::Unusable(why),
        }
    }

    /// Why this program may not run; nothing if it may.
    pub(crate) fn denies(&self, command: &str, path: &SearchPath) -> Option<String> {
        match self {
            Self::AllowAll => None,
            Self::DenyAll => Some(format!(
                "plugin \"{command}\" not allowed: policy set to \"DenyAll\""
            )),
            Self::Unusable(why) => Some(why.clone()),
            Self::Allowlist(allowed) => not_listed(command, allowed, path),
        }
    }
}

fn not_listed(command: &str, allowed: &[String], path: &SearchPath) -> Option<String> {
    let command = clean(Path::new(command)).to_string_lossy().into_owned();
    if allowed.contains(&command) {
        return None;
    }
    let Some(resolved) = path.find(&command) else {
        return Some(format!(
            "plugin path \"{command}\" cannot be resolved for credential plugin allowlist check"
        ));
    };
    let is_listed = allowed.iter().any(|entry| {
        Path::new(entry) == resolved
            || (Path::new(entry).file_name() == resolved.file_name()
                && path.find(entry).is_some_and(|entry| entry == resolved))
    });
    (!is_listed).then(|| {
        format!(
            "plugin path \"{}\" is not permitted by the credential plugin allowlist",
            resolved.display()
        )
    })
}

/// Why there is no policy.
enum Unread {
    /// The file has no preferences.
    File(String),
    /// It has, and they contradict themselves.
    Policy(String),
}

impl From<Broken> for Unread {
    fn from(broken: Broken) -> Self {
        Self::File(format!("kuberc: {}", broken.message))
    }
}

fn read_policy(path: &Path) -> Result<Policy, Unread> {
    let bytes = match read::bytes(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Unread::File(format!(
                "kuberc: {} does not exist",
                path.display()
            )));
        }
        read => read.map_err(|error| {
            Unread::File(format!(
                "kuberc: {} cannot be read: {error}",
                path.display()
            ))
        })?,
    };
    let documents = node::documents(&read::text(bytes)?);
    let mut n_documents = 0;
    for document in documents {
        let Ok(document) = document else {
            n_documents += 1;
            continue;
        };
        if document.value == node::Value::Null {
            continue;
        }
        n_documents += 1;
        // As kubectl: the first document that can be used counts.
        if let Some(Ok((policy, allowlist))) = preference(&document) {
            return judged(&policy, allowlist).map_err(Unread::Policy);
        }
    }
    if n_documents == 0 {
        return Ok(Policy::AllowAll);
    }
    Err(Unread::File(format!(
        "kuberc: no valid preferences found in {}",
        path.display()
    )))
}

/// Policy and list as they are stated; `None` if no list is given.
type Stated = (String, Option<Vec<String>>);

/// What a document states; `None` if it holds no preferences.
fn preference(document: &Node) -> Option<Result<Stated, Broken>> {
    let fields = Fields::of(document, "the file").ok()?;
    if fields.text("kind").ok()? != "Preference" {
        return None;
    }
    match fields.text("apiVersion").ok()?.as_str() {
        "kubectl.config.k8s.io/v1beta1" => Some(policy_fields(&fields)),
        // It knows no policy.
        "kubectl.config.k8s.io/v1alpha1" => Some(Ok((String::new(), None))),
        _ => None,
    }
}

fn policy_fields(fields: &Fields<'_>) -> Result<Stated, Broken> {
    let policy = fields.text("credentialPluginPolicy")?;
    let entries = fields.list("credentialPluginAllowlist")?;
    let is_given = fields
        .get("credentialPluginAllowlist")
        .is_some_and(|node| node.value != node::Value::Null);
    let mut allowlist = Vec::new();
    for entry in entries {
        let line = entry.line;
        let entry = Fields::of(entry, "an entry of the allowlist")?;
        let (command, name) = (entry.text("command")?, entry.text("name")?);
        if !command.is_empty() && !name.is_empty() && command != name {
            let message = "both `Name` and `Command` were supplied with different values";
            return Err(Broken::at(line, message));
        }
        allowlist.push(if command.is_empty() { name } else { command });
    }
    Ok((policy, is_given.then_some(allowlist)))
}

fn judged(policy: &str, allowlist: Option<Vec<String>>) -> Result<Policy, String> {
    match (policy, allowlist) {
        ("" | "AllowAll", None) => Ok(Policy::AllowAll),
        ("DenyAll", None) => Ok(Policy::DenyAll),
        ("" | "AllowAll" | "DenyAll", Some(_)) => Err(format!(
            "misconfigured credential plugin allowlist: plugin policy is \"{policy}\" but allowlist is non-nil"
        )),
        ("Allowlist", None) => Err(
            "credential plugin policy set to \"Allowlist\", but allowlist is unspecified".to_owned(),
        ),
        ("Allowlist", Some(list)) if list.is_empty() => Err(
            "credential plugin policy set to \"Allowlist\", but allowlist is empty; use \"DenyAll\" policy instead"
                .to_owned(),
        ),
        ("Allowlist", Some(list)) => {
            for (at, entry) in list.iter().enumerate() {
                if entry.is_empty() {
                    return Err(format!(
                        "misconfigured credential plugin allowlist: empty allowlist entry #{}",
                        at + 1
                    ));
                }
                let cleaned = clean(Path::new(entry));
                if cleaned.as_os_str() != entry.as_str() {
                    return Err(format!(
                        "non-normalized file path: \"{entry}\" vs \"{}\"",
                        cleaned.display()
                    ));
                }
            }
            Ok(Policy::Allowlist(list))
        }
        (unknown, _) => Err(format!("unknown plugin policy: \"{unknown}\"")),
    }
}

#[cfg(test)]
mod tests;
