//! What a kubeconfig file says, after the names of client-go's types. Nothing given is empty, as there.

use std::collections::BTreeMap;
use std::fmt;

/// A context of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) cluster: String,
    pub(crate) user: String,
    pub(crate) namespace: String,
}

/// A cluster of a file. Paths are absolute.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Cluster {
    pub(crate) server: String,
    pub(crate) tls_server_name: String,
    pub(crate) insecure_skip_tls_verify: bool,
    pub(crate) certificate_authority: String,
    /// PEM.
    pub(crate) certificate_authority_data: Vec<u8>,
    pub(crate) proxy_url: String,
    pub(crate) disable_compression: bool,
    /// What the file has for credential plugins, passed on as it is.
    pub(crate) exec_extension: Option<serde_json::Value>,
}

impl fmt::Debug for Cluster {
    /// Addresses hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// A user of a file. Paths are absolute.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) client_certificate: String,
    /// PEM.
    pub(crate) client_certificate_data: Vec<u8>,
    pub(crate) client_key: String,
    /// PEM.
    pub(crate) client_key_data: Vec<u8>,
    pub(crate) token: String,
    pub(crate) token_file: String,
    pub(crate) impersonate: String,
    pub(crate) impersonate_uid: String,
    pub(crate) impersonate_groups: Vec<String>,
    pub(crate) impersonate_extra: BTreeMap<String, Vec<String>>,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) provider: Option<Provider>,
    pub(crate) exec: Option<Exec>,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}

/// An auth provider of old.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) config: BTreeMap<String, String>,
}

/// A credential plugin.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Exec {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) api_version: String,
    pub(crate) install_hint: String,
    pub(crate) provide_cluster_info: bool,
    pub(crate) interactive_mode: String,
}
