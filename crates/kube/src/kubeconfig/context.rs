//! Contexts as a chooser shows them, before anything is connected.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Kubeconfig};

use super::ConfigFile;

/// How a context logs in. Names programs and providers, never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthKind {
    /// Nothing is given.
    None,
    /// A bearer token in the file.
    Token,
    /// A bearer token in a file of its own.
    TokenFile,
    /// A client certificate.
    ClientCertificate,
    /// User name and password.
    Basic,
    /// A credential plugin; the program that it needs.
    Exec(String),
    /// An auth provider of old (`oidc`, `gcp`).
    Provider(String),
}

impl AuthKind {
    /// How this user logs in, by the precedence that the client follows.
    pub(crate) fn of(user: &AuthInfo) -> Self {
        if let Some(provider) = &user.auth_provider {
            Self::Provider(provider.name.clone())
        } else if user.username.is_some() && user.password.is_some() {
            Self::Basic
        } else if user.token.is_some() {
            Self::Token
        } else if user.token_file.is_some() {
            Self::TokenFile
        } else if let Some(exec) = &user.exec {
            Self::Exec(exec.command.clone().unwrap_or_default())
        } else if user.client_certificate.is_some() || user.client_certificate_data.is_some() {
            Self::ClientCertificate
        } else {
            Self::None
        }
    }
}

/// One context of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextEntry {
    /// What to pass to choose it: the name, or `file/name` if another file hides it.
    pub selector: String,
    /// Its name in its file.
    pub name: String,
    /// The file that defines it.
    pub file: PathBuf,
    /// Name of its cluster.
    pub cluster: String,
    /// Address of the cluster, without credentials; `None` if no file defines the cluster.
    pub server: Option<String>,
    /// Name of its user.
    pub user: Option<String>,
    /// Default namespace, if it names one.
    pub namespace: Option<String>,
    /// How it logs in.
    pub auth: AuthKind,
    /// Whether this is the current context.
    pub is_current: bool,
    /// Whether a file of higher precedence has a context of the same name.
    pub is_hidden: bool,
    /// What may surprise, e.g. that the cluster comes from another file.
    pub notes: Vec<String>,
}

/// Every context, hidden ones included.
pub(super) fn entries(files: &[ConfigFile], current: Option<&str>) -> Vec<ContextEntry> {
    let mut entries: Vec<ContextEntry> = Vec::new();
    for file in files {
        for named in &file.config.contexts {
            let Some(context) = &named.context else {
                continue;
            };
            let earlier = entries.iter().find(|entry| entry.name == named.name);
            // Within one file the first of a name is all there is: nothing could tell a second one apart.
            if earlier.is_some_and(|earlier| earlier.file == file.path) {
                continue;
            }
            let is_hidden = earlier.is_some();
            let selector = if is_hidden {
                format!("{}/{}", file.path.display(), named.name)
            } else {
                named.name.clone()
            };
            let mut notes = Vec::new();
            let cluster = lookup(files, file, is_hidden, |c| {
                find_cluster(c, &context.cluster)
            });
            let own = find_cluster(&file.config, &context.cluster).is_some();
            if let (true, Some((path, _))) = (own, cluster) {
                note_borrowed(&mut notes, "cluster", &context.cluster, file, path);
            }
            let user_name = context.user.as_deref().filter(|user| !user.is_empty());
            let user = user_name.and_then(|name| {
                let user = lookup(files, file, is_hidden, |c| find_user(c, name));
                let own = find_user(&file.config, name).is_some();
                if let (true, Some((path, _))) = (own, user) {
                    note_borrowed(&mut notes, "user", name, file, path);
                }
                user
            });
            entries.push(ContextEntry {
                selector,
                name: named.name.clone(),
                file: file.path.clone(),
                cluster: context.cluster.clone(),
                server: cluster
                    .and_then(|(_, cluster)| cluster.server.as_deref())
                    .map(without_credentials),
                user: user_name.map(str::to_owned),
                namespace: context.namespace.clone().filter(|ns| !ns.is_empty()),
                auth: user.map_or(AuthKind::None, |(_, user)| AuthKind::of(user)),
                is_current: !is_hidden && current == Some(named.name.as_str()),
                is_hidden,
                notes,
            });
        }
    }
    entries
}

/// The first definition in precedence, and its file; a hidden context looks into its own file first.
fn lookup<'f, T>(
    files: &'f [ConfigFile],
    own: &'f ConfigFile,
    own_first: bool,
    find: impl Fn(&'f Kubeconfig) -> Option<&'f T>,
) -> Option<(&'f Path, &'f T)> {
    own_first
        .then_some(own)
        .into_iter()
        .chain(files)
        .find_map(|file| Some((file.path.as_path(), find(&file.config)?)))
}

/// Says so if the definition in force is another file's although the context's own file has one.
fn note_borrowed(notes: &mut Vec<String>, what: &str, name: &str, own: &ConfigFile, found: &Path) {
    if found != own.path {
        notes.push(format!(
            "the {what} `{name}` is taken from {}, which comes before {}",
            found.display(),
            own.path.display()
        ));
    }
}

pub(super) fn find_cluster<'c>(config: &'c Kubeconfig, name: &str) -> Option<&'c Cluster> {
    let named = config.clusters.iter().find(|named| named.name == name)?;
    named.cluster.as_ref()
}

pub(super) fn find_user<'c>(config: &'c Kubeconfig, name: &str) -> Option<&'c AuthInfo> {
    let named = config.auth_infos.iter().find(|named| named.name == name)?;
    named.auth_info.as_ref()
}

/// A URL without `user:password@`.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}
