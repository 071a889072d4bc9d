//! What was chosen for one context.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use pilothouse_core::ports::TraceKind;

use super::colour::Colour;
use crate::context_key::ContextKey;

/// Choices for one context. A name of its own kind in the file: `[context."NAME"]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextSettings {
    /// The context's name, or `FILE/NAME` where two files use one name.
    pub name: String,
    /// Holds for the context of this kubeconfig alone; `None` for any of the name.
    pub file: Option<PathBuf>,
    /// Name of its class, which is there.
    pub class: Option<String>,
    /// Its colour instead of the class's.
    pub colour: Option<Colour>,
    /// Namespaces shown at first: empty is all, `None` was not chosen.
    pub namespaces: Option<Vec<String>>,
    /// Its metrics; `None` means that they are looked for.
    pub metrics: Option<SourceSettings>,
    /// Its sources of traces, in order; empty means that they are looked for.
    pub traces: Vec<SourceSettings>,
}

impl ContextSettings {
    /// Whether these are the choices for this context.
    #[must_use]
    pub fn is_for(&self, key: &ContextKey) -> bool {
        fit(&self.name, self.file.as_deref(), key).is_some()
    }
}

/// How well a table of this name and `file` fits a context. Ordered: the better fit is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It holds for any context of the name.
    AnyOfTheName,
    /// It names the kubeconfig.
    ThisOne,
}

/// How well the table fits; `None` if it is about another context.
pub(super) fn fit(name: &str, file: Option<&Path>, key: &ContextKey) -> Option<Fit> {
    let own = key.file.as_deref();
    let is_full = || key.with_file().is_some_and(|full| full == name);
    match file {
        Some(file) if own != Some(file) => None,
        Some(_) if name == key.name || is_full() => Some(Fit::ThisOne),
        None if is_full() => Some(Fit::ThisOne),
        None if name == key.name => Some(Fit::AnyOfTheName),
        Some(_) | None => None,
    }
}

/// How one source is reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceSettings {
    /// Which API it speaks; for traces only, `None` is found out by asking.
    pub kind: Option<TraceKind>,
    /// Where it is; `None` means that it is looked for and the rest, but for a secret, holds for what is found.
    pub location: Option<Location>,
    /// Value of `X-Scope-OrgID`.
    pub tenant: Option<String>,
    /// More headers, none of them secret.
    pub headers: BTreeMap<String, String>,
    /// PEM file of the authorities that its certificate is checked with.
    pub ca_file: Option<PathBuf>,
    /// PEM file of a client certificate.
    pub client_cert_file: Option<PathBuf>,
    /// PEM file of its key; `None` if it is in the certificate's.
    pub client_key_file: Option<PathBuf>,
    /// Where its secret comes from.
    pub auth: Auth,
    /// User of basic authentication, with the secret as password.
    pub user: Option<String>,
    /// Header that carries the secret as it is; `None` is `Authorization: Bearer`.
    pub secret_header: Option<String>,
}

/// Where a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// At this address, reached from this machine; without credentials.
    Address(String),
    /// At this Service of the cluster, reached through its API server.
    Service(ServiceAddress),
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Number or name of the port.
    pub port: String,
    /// Path before the API's own, beginning with `/`.
    pub base_path: String,
    /// The port speaks TLS.
    pub https: bool,
}

impl ServiceAddress {
    /// The one that `namespace/name:port` names, at the root, without TLS; `None` if it is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (namespace, rest) = text.split_once('/')?;
        let (name, port) = rest.split_once(':')?;
        let is_label = |part: &str| {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            (1..=63).contains(&part.len()) && part.chars().all(good)
        };
        [namespace, name, port]
            .into_iter()
            .all(is_label)
            .then(|| Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                port: port.to_owned(),
                base_path: "/".to_owned(),
                https: false,
            })
    }
}

/// `namespace/name:port`, as in the file.
impl fmt::Display for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.namespace, self.name, self.port)
    }
}

/// Where the secret of a source comes from. The secret itself is never here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// It needs none.
    #[default]
    None,
    /// From this file, read again whenever it changes.
    TokenFile(PathBuf),
    /// From what this program prints; the first is the program, the rest its arguments.
    TokenCommand(Vec<String>),
    /// From the system's keychain.
    Keychain,
}
