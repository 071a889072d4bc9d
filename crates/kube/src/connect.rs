//! From the options to something that can open a client: configuration, facts for the operator, no network yet.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use http::header::{HeaderValue, USER_AGENT};
use kube::config::{Config, Kubeconfig};
use pilothouse_core::model::{Finding, Severity, SourceError, SourceErrorKind};

use crate::exec::Plugin;
use crate::failure::failed;
use crate::kubeconfig::{
    AuthKind, ChosenContext, ConfigEnvironment, Kubeconfigs, without_credentials,
};
use crate::resource;
use crate::transport::Connector;

/// Which cluster, as whom, and with how much patience.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Explicit kubeconfig files; if there are any, only these are read.
    pub kubeconfig: Vec<PathBuf>,
    /// Where to look if none is explicit.
    pub environment: ConfigEnvironment,
    /// Selector of the context (see [`crate::ContextEntry::selector`]); `None` = the current one.
    pub context: Option<String>,
    /// Namespaces to list and watch; empty = all of them.
    pub namespaces: Vec<String>,
    /// Deadline of one request. A watch has it for its start only.
    pub request_timeout: Duration,
    /// Deadline of a credential plugin; long enough for a login in a browser.
    pub plugin_timeout: Duration,
    /// Variables that a credential plugin gets on top of our own environment (`PATH` of the login shell).
    pub plugin_environment: Vec<(OsString, OsString)>,
    /// Proxy for a context that names none, as `HTTPS_PROXY` does; the caller heeds `NO_PROXY`.
    pub proxy: Option<String>,
    /// Use the service account of the pod that we run in if there is no kubeconfig.
    pub in_cluster: bool,
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
            plugin_environment: Vec::new(),
            proxy: None,
            in_cluster: false,
        }
    }
}

/// What we are about to talk to, known without the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// Selector of the context; `in-cluster` for a pod's service account.
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
        if self.server.starts_with("http://") {
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
    match Kubeconfigs::load(&options.kubeconfig, &options.environment) {
        Ok(files) => of_context(files.choose(options.context.as_deref())?, options),
        Err(error) if error.kind == SourceErrorKind::NotConfigured && options.in_cluster => {
            in_cluster(options).ok_or(error)
        }
        Err(error) => Err(error),
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
        config,
    } = chosen;
    let bad = |why: String| {
        let message = format!("context `{}`: {why}", entry.name);
        failed(SourceErrorKind::BadConfiguration, message)
            .with_hint(format!("correct the context in {}", entry.file.display()))
    };
    let proxy = cluster
        .proxy_url
        .clone()
        .filter(|url| !url.is_empty())
        .or_else(|| options.proxy.clone());
    let facts = ConnectionFacts {
        context: entry.selector.clone(),
        file: Some(entry.file.clone()),
        server: entry.server.clone().unwrap_or_default(),
        namespace: entry.namespace.clone(),
        auth: AuthKind::of(&user),
        insecure_skip_tls_verify: cluster.insecure_skip_tls_verify.unwrap_or(false),
        impersonates: user.impersonate.clone().filter(|user| !user.is_empty()),
        proxy: proxy.as_deref().map(without_credentials),
        notes: entry.notes.clone(),
    };
    let mut config = client_config(config, &entry.name, &entry.cluster)
        .map_err(|error| bad(error.to_string()))?;
    config.proxy_url = proxy
        .map(|url| {
            parse_proxy(&url)
                .ok_or_else(|| bad("the proxy is no http, https or socks5 URL".to_owned()))
        })
        .transpose()?;
    if !matches!(config.cluster_url.scheme_str(), Some("http" | "https")) {
        return Err(bad("its server is no http or https URL".to_owned()));
    }
    let plugin = config.auth_info.exec.take().map(|exec| Plugin {
        cluster: exec.cluster.clone(),
        config: exec,
        environment: options.plugin_environment.clone(),
        timeout: options.plugin_timeout,
    });
    // A token or certificate in the file goes before the plugin, as it does in client-go.
    let plugin = plugin.filter(|_| matches!(facts.auth, AuthKind::Exec(_)));
    Ok((connector(config, plugin, options), facts))
}

fn in_cluster(options: &ConnectOptions) -> Option<(Connector, ConnectionFacts)> {
    let config = Config::incluster().ok()?;
    let facts = ConnectionFacts {
        context: "in-cluster".to_owned(),
        file: None,
        server: without_credentials(&config.cluster_url.to_string()),
        namespace: Some(config.default_namespace.clone()),
        auth: AuthKind::TokenFile,
        insecure_skip_tls_verify: false,
        impersonates: None,
        proxy: None,
        notes: Vec::new(),
    };
    Some((connector(config, None, options), facts))
}

/// The client's configuration for one context.
fn client_config(
    mut kubeconfig: Kubeconfig,
    context: &str,
    cluster: &str,
) -> Result<Config, kube::config::KubeconfigError> {
    kubeconfig.current_context = Some(context.to_owned());
    for named in &mut kubeconfig.clusters {
        if let (true, Some(cluster)) = (named.name == cluster, &mut named.cluster) {
            // Without one the client would read HTTPS_PROXY from the process; the caller replaces this placeholder.
            cluster.proxy_url = Some("http://placeholder.invalid".to_owned());
        }
    }
    Config::try_from(kubeconfig)
}

fn connector(mut config: Config, plugin: Option<Plugin>, options: &ConnectOptions) -> Connector {
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
    }
}

fn parse_proxy(url: &str) -> Option<http::Uri> {
    let uri: http::Uri = url.parse().ok()?;
    matches!(uri.scheme_str(), Some("http" | "https" | "socks5")).then_some(uri)
}
