//! Contexts as a chooser shows them, before anything is connected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::node::Broken;
use super::read::{self, ConfigFile};
use super::server::{DEFAULT_SERVER, Server, without_credentials};
use super::types::{Cluster, Context, Exec, User};
use super::wire::Named;
use super::{Kubeconfigs, check};
use crate::exec::printable;
use crate::login::{NO_LOGIN, names_a_login};
use crate::pem;

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
    /// How this user logs in, by the precedence that client-go follows.
    pub(crate) fn of(user: &User) -> Self {
        if !user.token_file.is_empty() {
            Self::TokenFile
        } else if !user.token.is_empty() {
            Self::Token
        } else if !user.username.is_empty() {
            Self::Basic
        } else if !user.client_certificate.is_empty() || !user.client_certificate_data.is_empty() {
            Self::ClientCertificate
        } else if let Some(exec) = &user.exec {
            Self::Exec(exec.command.clone())
        } else if let Some(provider) = &user.provider {
            Self::Provider(provider.name.clone())
        } else {
            Self::None
        }
    }
}

/// What is wrong with an entry, and where to correct it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProblem {
    /// What is wrong; never a value of the file that may be secret.
    pub message: String,
    /// The file to correct.
    pub file: PathBuf,
    /// The line, from 1; `None` if the whole file is meant.
    pub line: Option<u64>,
}

impl EntryProblem {
    pub(super) fn of(broken: &Broken, file: &Path) -> Self {
        Self {
            message: broken.message.clone(),
            file: file.to_owned(),
            line: broken.line,
        }
    }
}

/// Whether a credential plugin asks something on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InteractiveMode {
    /// It never asks.
    Never,
    /// It asks if it can, and works without.
    IfAvailable,
    /// It cannot work without a terminal, so it is not run from here.
    Always,
}

/// The program that a context needs to log in, as far as it is known without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginEntry {
    /// The program, as the file names it.
    pub command: String,
    /// Where it is; `None` if it was not found.
    pub found: Option<PathBuf>,
    /// Folders that were looked in, in order.
    pub looked_in: Vec<PathBuf>,
    /// What the file says about how to install it.
    pub install_hint: Option<String>,
    /// Whether it asks something; `None` if the file does not say what it must.
    pub interactive: Option<InteractiveMode>,
    /// Why kubectl's preferences (`kuberc`) do not let it run; `None` if they do.
    pub policy_denied: Option<String>,
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
    /// The file that defines the cluster; `None` if none does.
    pub cluster_file: Option<PathBuf>,
    /// Address of the cluster, without credentials; `None` if no file gives one.
    pub server: Option<String>,
    /// Name of its user.
    pub user: Option<String>,
    /// The file that defines the user; `None` if none does.
    pub user_file: Option<PathBuf>,
    /// Default namespace, if it names one.
    pub namespace: Option<String>,
    /// How it logs in.
    pub auth: AuthKind,
    /// The program that it needs to log in; `None` if it needs none.
    pub plugin: Option<PluginEntry>,
    /// When its client certificate ends; `None` if it has none, or none that can be read.
    pub certificate_expires: Option<Timestamp>,
    /// The cluster's certificate is not checked.
    pub insecure_skip_tls_verify: bool,
    /// The user that it acts as.
    pub impersonates: Option<String>,
    /// The proxy that its cluster names, without credentials.
    pub proxy: Option<String>,
    /// Whether this is the current context.
    pub is_current: bool,
    /// Whether a file of higher precedence has a context of the same name.
    pub is_hidden: bool,
    /// Why it cannot be used as it stands; `None` if nothing is known to be wrong.
    pub problem: Option<EntryProblem>,
    /// What may surprise, e.g. that the cluster comes from another file.
    pub notes: Vec<String>,
}

/// A definition in force and its file.
pub(super) struct Found<'f, T> {
    pub(super) file: &'f ConfigFile,
    pub(super) entry: &'f Named<T>,
}

impl<T> Clone for Found<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Found<'_, T> {}

impl<T> Found<'_, T> {
    fn problem(&self, message: impl Into<String>) -> EntryProblem {
        EntryProblem::of(&Broken::at(self.entry.line, message), &self.file.path)
    }
}

/// Every context, hidden ones included.
pub(super) fn entries(configs: &Kubeconfigs) -> Vec<ContextEntry> {
    let mut lister = Lister {
        configs,
        plugins: BTreeMap::new(),
    };
    let current = configs.current_context();
    let mut entries: Vec<ContextEntry> = Vec::new();
    let mut first_files: BTreeMap<&str, &Path> = BTreeMap::new();
    for file in &configs.files {
        let mut names = BTreeSet::new();
        for named in &file.entries.contexts {
            // Within one file the first of a name is all there is: nothing could tell a second one apart.
            if !names.insert(&named.name) {
                continue;
            }
            let first = *first_files.entry(&named.name).or_insert(&file.path);
            let is_hidden = first != file.path;
            let mut entry = lister.entry(file, named, is_hidden);
            entry.is_current = !is_hidden && current == Some(named.name.as_str());
            entries.push(entry);
        }
    }
    entries
}

/// What kubectl uses if no context is chosen: cluster and user without a name. Nothing if there is no such cluster.
pub(super) fn nameless(configs: &Kubeconfigs) -> Option<ContextEntry> {
    let file = lookup(&configs.files, None, "", clusters)?.file;
    let context = Named {
        name: String::new(),
        line: 1,
        body: Ok(Context::default()),
    };
    let mut lister = Lister {
        configs,
        plugins: BTreeMap::new(),
    };
    Some(lister.entry(file, &context, false))
}

/// The first definition in precedence; a hidden context looks into its own file first.
pub(super) fn lookup<'f, T>(
    files: &'f [ConfigFile],
    own: Option<&'f ConfigFile>,
    name: &str,
    list: impl Fn(&'f ConfigFile) -> &'f [Named<T>],
) -> Option<Found<'f, T>> {
    own.into_iter().chain(files).find_map(|file| {
        // An entry that is broken and has no name is nobody's, not the one of contexts that name none.
        let is_meant =
            |named: &&Named<T>| named.name == name && !(name.is_empty() && named.body.is_err());
        let entry = list(file).iter().find(is_meant)?;
        Some(Found { file, entry })
    })
}

pub(super) fn clusters(file: &ConfigFile) -> &[Named<Cluster>] {
    &file.entries.clusters
}

pub(super) fn users(file: &ConfigFile) -> &[Named<User>] {
    &file.entries.users
}

struct Lister<'f> {
    configs: &'f Kubeconfigs,
    /// Programs that were looked for.
    plugins: BTreeMap<String, Option<PathBuf>>,
}

impl<'f> Lister<'f> {
    fn entry(
        &mut self,
        file: &'f ConfigFile,
        named: &'f Named<Context>,
        is_hidden: bool,
    ) -> ContextEntry {
        let nothing = Context::default();
        let context = named.body.as_ref().unwrap_or(&nothing);
        let own = is_hidden.then_some(file);
        let files = &self.configs.files;
        let cluster = lookup(files, own, &context.cluster, clusters);
        let user = lookup(files, own, &context.user, users);
        let mut notes = Vec::new();
        if let Some(found) = &cluster
            && clusters(file).iter().any(|own| own.name == context.cluster)
        {
            note_borrowed(&mut notes, "cluster", &context.cluster, file, found.file);
        }
        if let Some(found) = &user
            && users(file).iter().any(|own| own.name == context.user)
        {
            note_borrowed(&mut notes, "user", &context.user, file, found.file);
        }
        let own_place = Found { file, entry: named };
        let problem = match &named.body {
            Err(broken) => Some(EntryProblem::of(broken, &file.path)),
            Ok(_) => problem(&own_place, context, cluster, user),
        };
        let user_body = user.and_then(|found| found.entry.body.as_ref().ok());
        let cluster_body = cluster.and_then(|found| found.entry.body.as_ref().ok());
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ContextEntry {
            selector: if is_hidden {
                format!("{}/{}", file.path.display(), named.name)
            } else {
                named.name.clone()
            },
            name: named.name.clone(),
            file: file.path.clone(),
            cluster: context.cluster.clone(),
            cluster_file: cluster.map(|found| found.file.path.clone()),
            server: cluster_body
                .and_then(|cluster| given(&cluster.server))
                .map(|server| without_credentials(&server)),
            user: given(&context.user),
            user_file: user.map(|found| found.file.path.clone()),
            namespace: given(&context.namespace),
            auth: user_body.map_or(AuthKind::None, AuthKind::of),
            plugin: user_body
                .filter(|user| matches!(AuthKind::of(user), AuthKind::Exec(_)))
                .and_then(|user| user.exec.as_ref())
                .map(|exec| self.plugin(exec)),
            certificate_expires: user_body.and_then(certificate_expires),
            insecure_skip_tls_verify: cluster_body
                .is_some_and(|cluster| cluster.insecure_skip_tls_verify),
            impersonates: user_body.and_then(|user| given(&user.impersonate)),
            proxy: cluster_body
                .and_then(|cluster| given(&cluster.proxy_url))
                .map(|proxy| without_credentials(&proxy)),
            is_current: false,
            is_hidden,
            problem,
            notes,
        }
    }

    fn plugin(&mut self, exec: &Exec) -> PluginEntry {
        let path = &self.configs.search_path;
        let found = self.plugins.entry(exec.command.clone());
        let found = found.or_insert_with(|| path.find(&exec.command)).clone();
        let hint = printable(exec.install_hint.trim());
        PluginEntry {
            command: exec.command.clone(),
            found,
            looked_in: path.looked_in(&exec.command),
            install_hint: (!hint.is_empty()).then_some(hint),
            interactive: interactive_mode(&exec.interactive_mode),
            policy_denied: self.configs.policy.denies(&exec.command, path),
        }
    }
}

pub(crate) fn interactive_mode(text: &str) -> Option<InteractiveMode> {
    match text {
        "Never" => Some(InteractiveMode::Never),
        "IfAvailable" => Some(InteractiveMode::IfAvailable),
        "Always" => Some(InteractiveMode::Always),
        _ => None,
    }
}

/// The first thing that is wrong with a context that can be read.
fn problem(
    own: &Found<'_, Context>,
    context: &Context,
    cluster: Option<Found<'_, Cluster>>,
    user: Option<Found<'_, User>>,
) -> Option<EntryProblem> {
    if own.entry.name.is_empty() {
        return Some(own.problem("the context has no name"));
    }
    let Some(cluster) = cluster else {
        let name = &context.cluster;
        return Some(own.problem(if name.is_empty() {
            format!("the context names no cluster; kubectl would try {DEFAULT_SERVER}")
        } else {
            format!(
                "the context names the cluster `{name}`, which no kubeconfig file defines; kubectl would try \
                 {DEFAULT_SERVER}"
            )
        }));
    };
    let cluster_body = match &cluster.entry.body {
        Ok(body) => body,
        Err(broken) => return Some(EntryProblem::of(broken, &cluster.file.path)),
    };
    if cluster_body.server.is_empty() {
        let message = format!(
            "the cluster `{}` has no server; kubectl would try {DEFAULT_SERVER}",
            context.cluster
        );
        return Some(cluster.problem(message));
    }
    if let Some(wrong) = check::joined(&check::cluster(&context.cluster, cluster_body)) {
        return Some(cluster.problem(wrong));
    }
    let is_encrypted =
        Server::parse(&cluster_body.server).is_ok_and(|server| server.is_encrypted());
    let Some(user) = user else {
        let name = &context.user;
        return if name.is_empty() {
            is_encrypted.then(|| own.problem(NO_LOGIN))
        } else {
            Some(own.problem(format!(
                "the context names the user `{name}`, which no kubeconfig file defines"
            )))
        };
    };
    match &user.entry.body {
        Ok(body) => {
            let wrong = check::joined(&check::user(&context.user, body));
            let no_login = (is_encrypted && !names_a_login(body)).then(|| NO_LOGIN.to_owned());
            wrong.or(no_login).map(|wrong| user.problem(wrong))
        }
        Err(broken) => Some(EntryProblem::of(broken, &user.file.path)),
    }
}

/// When the client certificate ends. Reads its file.
fn certificate_expires(user: &User) -> Option<Timestamp> {
    let read;
    let pem = if !user.client_certificate_data.is_empty() {
        &user.client_certificate_data
    } else if user.client_certificate.is_empty() {
        return None;
    } else {
        read = read::bytes(Path::new(&user.client_certificate)).ok()?;
        &read
    };
    let first = pem::certificates(pem).into_iter().next()?;
    pem::expires(&first)
}

/// Says so if the definition in force is another file's although the context's own file has one.
fn note_borrowed(
    notes: &mut Vec<String>,
    what: &str,
    name: &str,
    own: &ConfigFile,
    found: &ConfigFile,
) {
    if found.path != own.path {
        notes.push(format!(
            "the {what} `{name}` is taken from {}, which comes before {}",
            found.path.display(),
            own.path.display()
        ));
    }
}
