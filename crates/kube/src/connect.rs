//! From the options to something that can open a client: configuration, facts for the operator, no network yet.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use http::header::{HeaderValue, USER_AGENT};
use http::uri::Authority;
use kube::config::Config;
use pilothouse_core::model::{Finding, Severity, SourceError, SourceErrorKind};
use pilothouse_core::ports::Clock;
use serde_json::{Map, Value};

use crate::exec::Plugin;
use crate::failure::failed;
use crate::kubeconfig::{
    AuthKind, ChosenContext, Cluster, ConfigEnvironment, ContextEntry, DEFAULT_SERVER, Exec,
    Kubeconfigs, Server, port_is_sound, without_credentials,
};
use crate::login::{self, Authorization};
use crate::proxy::leaves_this_machine;
use crate::transport::{Access, Connector, Proof};
use crate::{pem, resource};

/// Which cluster, as whom, and with how much patience.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Explicit kubeconfig files; if there are any, only these are read.
    pub kubeconfig: Vec<PathBuf>,
    /// Where to look if none is explicit, and the proxies for a context that names none.
    pub environment: ConfigEnvironment,
    /// Selector of the context (see [`crate::ContextEntry::selector`]); `None` = the current one.
    pub context: Option<String>,
    /// Namespaces to list and watch; empty = all of them.
    pub namespaces: Vec<String>,
    /// Deadline of one request. A watch has it for its start only.
    pub request_timeout: Duration,
    /// Deadline of a credential plugin; long enough for a login in a browser.
    pub plugin_timeout: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            kubeconfig: Vec::new(),
            environment: ConfigEnvironment::default(),
            context: None,
            namespaces: Vec::new(),
            request_timeout: Duration::from_secs(5),
            plugin_timeout: Duration::from_secs(60),
        }
    }
}

/// What we are about to talk to, known without the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// Selector of the context.
    pub context: String,
    /// File that defines the context.
    pub file: Option<PathBuf>,
    /// Address of the API server, without credentials.
    pub server: String,
    /// Default namespace of the context.
    pub namespace: Option<String>,
    /// How we log in.
    pub auth: AuthKind,
    /// The kubeconfig says not to check the server's certificate.
    pub insecure_skip_tls_verify: bool,
    /// User that the kubeconfig says to act as.
    pub impersonates: Option<String>,
    /// Proxy on the way, without credentials.
    pub proxy: Option<String>,
    /// What may surprise about where the entries come from.
    pub notes: Vec<String>,
}

impl ConnectionFacts {
    /// What the operator must see as long as the connection lives.
    #[must_use]
    pub fn warnings(&self) -> Vec<Finding> {
        let object = format!("context/{}", self.context);
        let warn = |code, message| Finding::new(Severity::Warning, code, &object, message);
        let mut warnings = Vec::new();
        if self.insecure_skip_tls_verify {
            warnings.push(warn(
                "tls-not-verified",
                format!(
                    "The certificate of {} is not checked (insecure-skip-tls-verify): anyone on the way can read and \
                     change what you do. Set certificate-authority instead.",
                    self.server
                ),
            ));
        }
        // What stays on this machine (`kubectl proxy`, an ssh tunnel) nobody else reads.
        if self.server.starts_with("http://") && leaves_this_machine(&self.server) {
            warnings.push(warn(
                "plain-http",
                format!("The connection to {} is not encrypted.", self.server),
            ));
        }
        if let Some(user) = &self.impersonates {
            warnings.push(warn(
                "impersonation",
                format!("The kubeconfig acts as {user}: the audit log names you and them, rights are theirs."),
            ));
        }
        warnings.extend(self.notes.iter().map(|note| {
            let message = format!("In the kubeconfig files, {note}.");
            Finding::new(Severity::Info, "kubeconfig-borrowed", &object, message)
        }));
        warnings
    }

    /// Whether this leads to the same server in the same way, as far as the operator was told. The login may differ.
    fn is_same_way_as(&self, other: &Self) -> bool {
        self.server == other.server
            && self.proxy == other.proxy
            && self.insecure_skip_tls_verify == other.insecure_skip_tls_verify
            && self.impersonates == other.impersonates
    }
}

/// Reads the configuration. No network, no plugin.
pub(crate) fn prepare(
    options: &ConnectOptions,
    clock: &Clock,
) -> Result<(Connector, ConnectionFacts), SourceError> {
    for namespace in &options.namespaces {
        if !resource::is_path_safe(namespace) {
            let message = format!("`{namespace}` cannot be the name of a namespace");
            return Err(failed(SourceErrorKind::BadConfiguration, message)
                .with_hint("names hold small letters, digits and dashes"));
        }
    }
    let files = Kubeconfigs::load(&options.kubeconfig, &options.environment)?;
    of_context(files.choose(options.context.as_deref())?, options, clock)
}

/// Reads the configuration again whenever it is asked, for a login that was renewed since: `oc login` and its like
/// rewrite the file. Stays with the context that was chosen, whatever the current one is by then. Answers nothing if the
/// context now leads elsewhere: writes must not reach another cluster because a file changed.
pub(crate) fn renewal(
    options: &ConnectOptions,
    facts: ConnectionFacts,
    clock: Clock,
) -> impl Fn() -> Option<Connector> + Send + Sync + 'static {
    let options = ConnectOptions {
        context: Some(facts.context.clone()),
        ..options.clone()
    };
    move || match prepare(&options, &clock) {
        Ok((connector, now)) if now.is_same_way_as(&facts) => Some(connector),
        Ok((_, now)) => {
            let (context, server) = (now.context, now.server);
            tracing::warn!(context, server, "the context now leads elsewhere");
            None
        }
        Err(error) => {
            tracing::debug!(error = %error, "cannot read the kubeconfig files again");
            None
        }
    }
}

fn of_context(
    chosen: ChosenContext,
    options: &ConnectOptions,
    clock: &Clock,
) -> Result<(Connector, ConnectionFacts), SourceError> {
    let ChosenContext {
        entry,
        cluster,
        user,
    } = chosen;
    let bad = |why: String| {
        let message = format!("context `{}`: {why}", entry.name);
        failed(SourceErrorKind::BadConfiguration, message)
            .with_hint(format!("correct the context in {}", entry.file.display()))
    };
    let default = options.environment.master.as_deref();
    let default = default.unwrap_or(DEFAULT_SERVER);
    let is_default = cluster.server.is_empty();
    let address = if is_default { default } else { &cluster.server };
    let server = Server::parse(address).map_err(bad)?;
    let auth = if server.is_encrypted() {
        AuthKind::of(&user)
    } else {
        AuthKind::None
    };
    let mut identity = login::identity(&user, &server, clock).map_err(bad)?;
    let mut config = client_config(&cluster, &server).map_err(bad)?;
    config.headers.append(&mut identity.impersonation);
    let own_proxy =
        (!cluster.proxy_url.is_empty()).then(|| ("proxy-url", cluster.proxy_url.clone()));
    let proxies = &options.environment.proxies;
    let proxy = own_proxy.or_else(|| proxies.on_the_way_to(&server.url));
    if let Some((name, url)) = &proxy {
        config.proxy_url = Some(parse_proxy(url).ok_or_else(|| {
            let error = bad(format!("{name} is no http, https or socks5 URL"));
            match *name {
                "proxy-url" => error,
                variable => error.with_hint(format!("correct {variable} in the environment")),
            }
        })?);
    }
    let proxy = proxy.map(|(_, url)| without_credentials(&url));
    let mut notes = entry.notes.clone();
    if user_is_missing(&entry) {
        let user = entry.user.as_deref().unwrap_or_default();
        notes.push(format!(
            "no file defines the user `{user}`, so nobody is logged in"
        ));
    }
    let facts = ConnectionFacts {
        context: entry.selector.clone(),
        file: Some(entry.file.clone()),
        server: without_credentials(address),
        namespace: entry.namespace.clone(),
        auth,
        insecure_skip_tls_verify: config.accept_invalid_certs,
        impersonates: (!user.impersonate.is_empty()).then(|| user.impersonate.clone()),
        proxy,
        notes,
    };
    let hint = is_default.then(|| {
        let problem = entry.problem.as_ref();
        let why = problem.map_or("the cluster has no server", |problem| &problem.message);
        format!("{why}; correct the context in {}", entry.file.display()).into()
    });
    let access = match identity.authorization {
        Authorization::None => Access::None,
        Authorization::Header(header) => Access::Header(header),
        Authorization::File(file) => Access::File(Arc::new(file)),
        Authorization::Plugin(exec) => Access::Plugin(Box::new(Plugin {
            cluster: told(&exec, &cluster, &server).map_err(bad)?,
            config: exec,
            timeout: options.plugin_timeout,
            environment: options.environment.clone(),
        })),
    };
    let proof = Box::new(Proof::of(&user, &server));
    let connector = Connector::Config {
        config: Box::new(patient(config, options)),
        certificate: identity.certificate,
        access,
        proof,
        hint,
    };
    Ok((connector, facts))
}

const fn user_is_missing(entry: &ContextEntry) -> bool {
    entry.user.is_some() && entry.user_file.is_none()
}

/// The client's configuration but for proxy and login. Put together here and not by `kube`, which would look for a proxy
/// and run a plugin on its own: see [`crate::proxy`] and [`crate::login`].
fn client_config(cluster: &Cluster, server: &Server) -> Result<Config, String> {
    let mut config = Config::new(server.url.clone());
    config.disable_compression = cluster.disable_compression;
    if !server.is_encrypted() {
        return Ok(config);
    }
    let authority = login::data_or_file(
        &cluster.certificate_authority_data,
        &cluster.certificate_authority,
    )?;
    let has_authority = !authority.is_empty() || !cluster.certificate_authority.is_empty();
    if has_authority && cluster.insecure_skip_tls_verify {
        return Err(
            "specifying a root certificates file with the insecure flag is not allowed".to_owned(),
        );
    }
    if has_authority {
        let certificates = pem::certificates(&authority);
        // As kubectl: an empty file trusts nobody.
        if certificates.is_empty() && !authority.is_empty() {
            return Err(
                "unable to load root certificates: the certificate-authority is no PEM with a certificate".to_owned(),
            );
        }
        config.root_cert = Some(certificates);
    }
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify;
    config.tls_server_name =
        (!cluster.tls_server_name.is_empty()).then(|| cluster.tls_server_name.clone());
    Ok(config)
}

/// What a plugin is told about the cluster if it asks for it; the certificates of the authority are read from wherever
/// they are.
fn told(exec: &Exec, cluster: &Cluster, server: &Server) -> Result<Option<Value>, String> {
    if !exec.provide_cluster_info {
        return Ok(None);
    }
    let authority = login::data_or_file(
        &cluster.certificate_authority_data,
        &cluster.certificate_authority,
    )?;
    // As client-go: an address with a path loses its query, any other stays as it is written.
    let address = if server.url.path().len() > 1 {
        server.url.to_string()
    } else {
        cluster.server.clone()
    };
    let mut told = Map::new();
    told.insert("server".to_owned(), address.into());
    for (name, text) in [
        ("tls-server-name", cluster.tls_server_name.clone()),
        ("certificate-authority-data", BASE64.encode(authority)),
        ("proxy-url", cluster.proxy_url.clone()),
    ] {
        if !text.is_empty() {
            told.insert(name.to_owned(), text.into());
        }
    }
    for (name, flag) in [
        ("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify),
        ("disable-compression", cluster.disable_compression),
    ] {
        if flag {
            told.insert(name.to_owned(), true.into());
        }
    }
    if let Some(extension) = &cluster.exec_extension {
        told.insert("config".to_owned(), extension.clone());
    }
    Ok(Some(told.into()))
}

/// Deadlines, our name, and no second tries.
fn patient(mut config: Config, options: &ConnectOptions) -> Config {
    config.connect_timeout = Some(options.request_timeout);
    config.write_timeout = Some(options.request_timeout);
    // The client repeats any request on 429, 503 and 504, writes too. Reads are repeated by whoever polls, writes by
    // nobody: a patch that was applied before the answer got lost must not go out again.
    config.default_retry = false;
    let agent = HeaderValue::from_static(concat!("pilothouse/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    config
}

/// A proxy that can be connected to. One whose port is none is refused, as it is for a server: else the scheme's own port
/// would stand in for it, and the credentials would go to whoever listens there.
fn parse_proxy(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host: Authority = host.strip_suffix(':').unwrap_or(host).parse().ok()?;
    let is_known = matches!(uri.scheme_str(), Some("http" | "https" | "socks5"));
    (is_known && port_is_sound(&host) && !host.host().is_empty() && is_escaped(user)).then_some(uri)
}

/// Whether each `%` is followed by two hexadecimal digits.
fn is_escaped(text: &str) -> bool {
    let is_code = |rest: &str| {
        let mut digits = rest.bytes();
        [digits.next(), digits.next()]
            .into_iter()
            .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
    };
    text.split('%').skip(1).all(is_code)
}

#[cfg(test)]
mod tests;
