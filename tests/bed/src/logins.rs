//! Kubeconfigs of a cluster: every way to be let in, and every usual way not to be.
//!
//! A kubeconfig is a [`Way`] to the server beside a [`Login`]; [`Cluster::kubeconfig`] writes both
//! into a file with the one context `NAME`, and tests that want odd files take the parts as JSON.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cluster::{CERTIFIED_NAME, Cluster};
use crate::mesh::NAMESPACE;
use crate::pki::{Authority, Identity, Validity};
use crate::servers::Servers;

/// Who logs in, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Login {
    /// `viewer`, by a bearer token in the file.
    Token,
    /// `viewer`, by a bearer token in a file of its own, with a newline at its end.
    TokenFile,
    /// The service account `pilot`, by a token that the API server made.
    ServiceAccount,
    /// `carol` of the group `mesh-viewers`, by a certificate in the file.
    Certificate,
    /// The same, by files beside the kubeconfig that it names by relative paths.
    CertificateFiles,
    /// The same, by a certificate that was good until the end of 2020.
    ExpiredCertificate,
    /// A certificate of an authority that the cluster does not know.
    ForeignCertificate,
    /// `viewer`, by an exec plugin that prints its token.
    ExecPlugin,
    /// `deputy`, who acts as `viewer` of the group `mesh-viewers`.
    Impersonation,
    /// `deputy`, who wants to act as the admin and may not.
    ForbiddenImpersonation,
    /// `narrow`, who has rights in the namespace `bookinfo` alone.
    OneNamespace,
    /// A bearer token that the cluster does not know.
    Stranger,
    /// No credentials at all.
    Anonymous,
}

/// How the server is reached and believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By its address; its authority is in the file.
    Authority,
    /// By its address; its authority is in a file that is named by a relative path.
    AuthorityFile,
    /// By its address; its authority is in neither.
    UnknownAuthority,
    /// By its address; another authority is in the file.
    WrongAuthority,
    /// By its address, unverified.
    Insecure,
    /// By a name that is not in its certificate.
    WrongName,
    /// By a name that is not in its certificate, with `tls-server-name`.
    ServerName,
    /// By a name that nobody resolves, through the CONNECT proxy at this port.
    Proxy(u16),
    /// By the address of a [`crate::Gate`] at this port.
    Gate(u16),
}

impl Login {
    /// Every login, in the order of declaration.
    pub const ALL: [Self; 13] = [
        Self::Token,
        Self::TokenFile,
        Self::ServiceAccount,
        Self::Certificate,
        Self::CertificateFiles,
        Self::ExpiredCertificate,
        Self::ForeignCertificate,
        Self::ExecPlugin,
        Self::Impersonation,
        Self::ForbiddenImpersonation,
        Self::OneNamespace,
        Self::Stranger,
        Self::Anonymous,
    ];
}

impl Cluster {
    /// A kubeconfig whose one context has the cluster's name and the namespace `bookinfo`.
    ///
    /// # Errors
    /// When the API server makes no token, or a file cannot be written.
    pub fn kubeconfig(&self, servers: &Servers, way: Way, login: Login) -> Result<PathBuf> {
        let user = self.credentials(servers, login)?;
        self.write_kubeconfig(&format!("{way:?}-{login:?}"), &self.server(way)?, &user)
    }

    /// Writes a kubeconfig of these two parts, whose context, cluster and user all have the
    /// cluster's name, and returns its path. Relative paths in the parts start at its folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_kubeconfig(&self, file: &str, cluster: &Value, user: &Value) -> Result<PathBuf> {
        let name = self.name();
        let context = json!({"cluster": name, "user": name, "namespace": NAMESPACE});
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": context}],
        });
        self.write(&format!("{file}.kubeconfig"), &config.to_string())
    }

    /// The `cluster` part of a kubeconfig.
    ///
    /// # Errors
    /// When a wrong authority cannot be made.
    pub fn server(&self, way: Way) -> Result<Value> {
        let at = |host: &str, port: u16| format!("https://{host}:{port}");
        let address = at("127.0.0.1", self.port());
        let data = STANDARD.encode(self.authority_pem());
        Ok(match way {
            Way::Authority => json!({"server": address, "certificate-authority-data": data}),
            Way::AuthorityFile => json!({"server": address, "certificate-authority": "ca.crt"}),
            Way::UnknownAuthority => json!({"server": address}),
            Way::WrongAuthority => json!({
                "server": address,
                "certificate-authority-data": STANDARD.encode(Authority::create("another-ca")?.pem()),
            }),
            Way::Insecure => json!({"server": address, "insecure-skip-tls-verify": true}),
            Way::WrongName => json!({
                "server": at("localhost", self.port()),
                "certificate-authority-data": data,
            }),
            Way::ServerName => json!({
                "server": at("localhost", self.port()),
                "certificate-authority-data": data,
                "tls-server-name": CERTIFIED_NAME,
            }),
            Way::Proxy(port) => json!({
                "server": at(&self.internal_host(), 6443),
                "certificate-authority-data": data,
                "proxy-url": format!("http://127.0.0.1:{port}"),
            }),
            Way::Gate(port) => json!({
                "server": at("127.0.0.1", port),
                "certificate-authority-data": data,
            }),
        })
    }

    /// The `user` part of a kubeconfig.
    ///
    /// # Errors
    /// When the API server makes no token, or a file cannot be written.
    pub fn credentials(&self, servers: &Servers, login: Login) -> Result<Value> {
        Ok(match login {
            Login::Token => json!({"token": self.token("viewer")}),
            Login::TokenFile => {
                self.write("viewer.token", &format!("{}\n", self.token("viewer")))?;
                json!({"tokenFile": "viewer.token"})
            }
            Login::ServiceAccount => json!({"token": self.service_account_token()?}),
            Login::Certificate => inline(&self.carol(Validity::Good)?),
            Login::CertificateFiles => {
                let carol = self.carol(Validity::Good)?;
                self.write("carol.crt", &carol.certificate)?;
                self.write("carol.key", &carol.key)?;
                json!({"client-certificate": "carol.crt", "client-key": "carol.key"})
            }
            Login::ExpiredCertificate => inline(&self.carol(Validity::Expired)?),
            Login::ForeignCertificate => {
                let foreign = Authority::create("another-ca")?;
                inline(&foreign.client("carol", Some("mesh-viewers"), Validity::Good)?)
            }
            Login::ExecPlugin => self.exec_plugin(servers)?,
            Login::Impersonation => json!({
                "token": self.token("deputy"), "as": "viewer", "as-groups": ["mesh-viewers"],
            }),
            Login::ForbiddenImpersonation => {
                json!({"token": self.token("deputy"), "as": "admin"})
            }
            Login::OneNamespace => json!({"token": self.token("narrow")}),
            Login::Stranger => json!({"token": self.token("stranger")}),
            Login::Anonymous => json!({}),
        })
    }

    fn carol(&self, validity: Validity) -> Result<Identity> {
        self.client_certificate("carol", Some("mesh-viewers"), validity)
    }

    fn exec_plugin(&self, servers: &Servers) -> Result<Value> {
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": {"token": self.token("viewer")},
        });
        let name = format!("{}-login", self.name());
        let script = servers.script(&name, &format!("echo '{credential}'"))?;
        Ok(json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": script,
            "interactiveMode": "Never",
        }}))
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder().join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

fn inline(identity: &Identity) -> Value {
    json!({
        "client-certificate-data": STANDARD.encode(&identity.certificate),
        "client-key-data": STANDARD.encode(&identity.key),
    })
}
