//! From the options to something that can open a client: configuration, facts for the operator, no network yet.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use http::header::{HeaderValue, USER_AGENT};
use kube::config::{AuthInfo, Cluster, Config, ExecAuthCluster, KubeconfigError};
use pilothouse_core::model::{Finding, Severity, SourceError, SourceErrorKind};

use crate::exec::Plugin;
use crate::failure::failed;
use crate::kubeconfig::{
    AuthKind, ChosenContext, ConfigEnvironment, Kubeconfigs, without_credentials,
};
use crate::proxy::leaves_this_machine;
use crate::resource;
use crate::transport::{Connector, Proof};

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
) -> Result<(Connector, ConnectionFacts), SourceError> {
    for namespace in &options.namespaces {
        if !resource::is_path_safe(namespace) {
            let message = format!("`{namespace}` cannot be the name of a namespace");
            return Err(failed(SourceErrorKind::BadConfiguration, message)
                .with_hint("names hold small letters, digits and dashes"));
        }
    }
    let files = Kubeconfigs::load(&options.kubeconfig, &options.environment)?;
    of_context(files.choose(options.context.as_deref())?, options)
}

/// Reads the configuration again whenever it is asked, for a login that was renewed since: `oc login` and its like
/// rewrite the file. Stays with the context that was chosen, whatever the current one is by then. Answers nothing if the
/// context now leads elsewhere: writes must not reach another cluster because a file changed.
pub(crate) fn renewal(
    options: &ConnectOptions,
    facts: ConnectionFacts,
) -> impl Fn() -> Option<Connector> + Send + Sync + 'static {
    let options = ConnectOptions {
        context: Some(facts.context.clone()),
        ..options.clone()
    };
    move || match prepare(&options) {
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
    let proof = Proof::of(&user);
    let auth = AuthKind::of(&user);
    let impersonates = user.impersonate.clone().filter(|user| !user.is_empty());
    let mut config = client_config(&cluster, user).map_err(bad)?;
    if !matches!(config.cluster_url.scheme_str(), Some("http" | "https")) {
        return Err(bad("its server is no http or https URL".to_owned()));
    }
    let own_proxy = cluster.proxy_url.filter(|url| !url.is_empty());
    let own_proxy = own_proxy.map(|url| ("proxy-url", url));
    let proxies = &options.environment.proxies;
    let proxy = own_proxy.or_else(|| proxies.on_the_way_to(&config.cluster_url));
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
    let facts = ConnectionFacts {
        context: entry.selector.clone(),
        file: Some(entry.file.clone()),
        server: entry.server.clone().unwrap_or_default(),
        namespace: entry.namespace.clone(),
        auth,
        insecure_skip_tls_verify: config.accept_invalid_certs,
        impersonates,
        proxy,
        notes: entry.notes.clone(),
    };
    let plugin = config.auth_info.exec.take().map(|exec| Plugin {
        cluster: exec.cluster.clone(),
        config: exec,
        timeout: options.plugin_timeout,
    });
    // A token or certificate in the file goes before the plugin, as it does in client-go.
    let plugin = plugin.filter(|_| matches!(facts.auth, AuthKind::Exec(_)));
    Ok((connector(config, plugin, proof, options), facts))
}

/// The client's configuration. Put together here and not by `kube`, which would look for a proxy on its own: see
/// [`crate::proxy`].
fn client_config(cluster: &Cluster, mut user: AuthInfo) -> Result<Config, String> {
    let server = cluster
        .server
        .as_deref()
        .ok_or(KubeconfigError::MissingClusterUrl);
    let server = server.and_then(|server| {
        let url: Result<Uri, _> = server.parse();
        url.map_err(KubeconfigError::ParseClusterUrl)
    });
    let mut config = Config::new(server.map_err(|error| error.to_string())?);
    // What a plugin is told holds the certificates of the authority, read from wherever they are.
    let told = ExecAuthCluster::try_from(cluster).map_err(|error| error.to_string())?;
    if let Some(pem) = told.certificate_authority_data.as_deref()
        && !pem.is_empty()
    {
        let certificates = certificates(pem).ok_or("its certificate-authority is no PEM")?;
        config.root_cert = Some(certificates);
    }
    if let Some(exec) = &mut user.exec
        && exec.provide_cluster_info
    {
        exec.cluster = Some(told);
    }
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    config.auth_info = user;
    Ok(config)
}

/// The certificates of a PEM bundle; nothing if there are none or one cannot be read.
fn certificates(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let text = String::from_utf8_lossy(pem);
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let certificates: Option<Vec<_>> = blocks
        .map(|block| {
            let (body, _) = block.split_once("-----END CERTIFICATE-----")?;
            let body: String = body.split_whitespace().collect();
            BASE64.decode(body).ok()
        })
        .collect();
    certificates.filter(|certificates| !certificates.is_empty())
}

fn connector(
    mut config: Config,
    plugin: Option<Plugin>,
    proof: Proof,
    options: &ConnectOptions,
) -> Connector {
    config.connect_timeout = Some(options.request_timeout);
    config.write_timeout = Some(options.request_timeout);
    // The client repeats any request on 429, 503 and 504, writes too. Reads are repeated by whoever polls, writes by
    // nobody: a patch that was applied before the answer got lost must not go out again.
    config.default_retry = false;
    let agent = HeaderValue::from_static(concat!("pilothouse/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    Connector::Config {
        config: Box::new(config),
        plugin: plugin.map(Box::new),
        proof: Box::new(proof),
    }
}

fn parse_proxy(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    matches!(uri.scheme_str(), Some("http" | "https" | "socks5")).then_some(uri)
}

#[cfg(test)]
mod tests;
