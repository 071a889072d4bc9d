//! A small client of the bed's API server, for what tests do to the mesh behind the product's back.
//!
//! It speaks JSON over HTTPS, one connection per request, and trusts the bed's certificate only.
//! Not here: watches, pagination, discovery. Paths are those of the Kubernetes API reference.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::{Value, json};

use crate::http::{self, Connection};
use crate::tls;

/// A name that every API server of ours has in its certificate.
const HOST: &str = "kubernetes.default.svc";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// May do everything.
    Admin,
    /// May read what a mesh consists of, and write nothing.
    Viewer,
    /// Has a token that the API server does not know: 401 to everything.
    Stranger,
}

/// An answer of the API server, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; a JSON string where the server sent plain text.
    pub body: Value,
}

/// The client of one user.
#[derive(Clone)]
pub struct Kube {
    port: u16,
    token: String,
    tls: Arc<ClientConfig>,
}

impl User {
    pub(crate) const ALL: [Self; 3] = [Self::Admin, Self::Viewer, Self::Stranger];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
            Self::Stranger => "stranger",
        }
    }

    pub(crate) fn token(self) -> String {
        format!("{}-token", self.name())
    }
}

impl Answer {
    /// The body when the status is 200 or 201.
    ///
    /// # Errors
    /// Any other status, with the server's message.
    pub fn ok(self) -> Result<Value> {
        if matches!(self.status, 200 | 201) {
            return Ok(self.body);
        }
        bail!("HTTP {}: {}", self.status, self.message())
    }

    /// What the server says about a refusal.
    #[must_use]
    pub fn message(&self) -> String {
        let message = self.body.get("message").unwrap_or(&self.body);
        message
            .as_str()
            .map_or_else(|| message.to_string(), str::to_owned)
    }
}

impl Kube {
    /// The client of who has this token; `certificate` is the file of what to trust.
    pub(crate) fn new(port: u16, certificate: &Path, token: String) -> Result<Self> {
        let pem = fs::read(certificate)
            .with_context(|| format!("no certificate in {}", certificate.display()))?;
        Ok(Self {
            port,
            token,
            tls: Arc::new(tls::client(&pem, None)?),
        })
    }

    /// The same client as another user of a [`crate::Bed`].
    #[must_use]
    pub fn as_user(&self, user: User) -> Self {
        self.with_token(&user.token())
    }

    /// The same client with another bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// Any request. `content_type` says what `body` is; an empty body has none.
    ///
    /// # Errors
    /// When no answer comes; a refusal is an [`Answer`].
    pub fn call(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Answer> {
        let name = ServerName::try_from(HOST)?;
        let session = ClientConnection::new(Arc::clone(&self.tls), name)?;
        let stream = StreamOwned::new(session, http::connect_socket(self.port)?);
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("authorization", bearer.as_str()),
            ("accept", "application/json"),
            ("connection", "close"),
        ];
        if !body.is_empty() {
            headers.push(("content-type", content_type));
        }
        let request = http::request(method, path, &headers, body);
        let response = Connection::new(stream)
            .exchange(&request)
            .with_context(|| format!("{method} {path} at the API server"))?;
        let body = serde_json::from_str(&response.body)
            .unwrap_or_else(|_| Value::String(response.body.clone()));
        Ok(Answer {
            status: response.status,
            body,
        })
    }

    /// The object or list at `path`.
    ///
    /// # Errors
    /// When there is none, or it cannot be had.
    pub fn get(&self, path: &str) -> Result<Value> {
        let answer = self.call("GET", path, "", &[])?;
        answer.ok().with_context(|| format!("GET {path}"))
    }

    /// A JSON merge patch (RFC 7396), or a JSON patch (RFC 6902) where `patch` is an array.
    ///
    /// # Errors
    /// When no answer comes; a refusal is an [`Answer`].
    pub fn patch(&self, path: &str, patch: &Value) -> Result<Answer> {
        let kind = if patch.is_array() {
            "json-patch"
        } else {
            "merge-patch"
        };
        let body = serde_json::to_vec(patch)?;
        self.call("PATCH", path, &format!("application/{kind}+json"), &body)
    }

    /// Server-side apply of one object as field manager `bed`, taking over fields of others.
    ///
    /// # Errors
    /// When no answer comes; a refusal is an [`Answer`].
    pub fn apply(&self, object: &Value) -> Result<Answer> {
        let path = format!("{}?fieldManager=bed&force=true", path_of(object)?);
        self.call(
            "PATCH",
            &path,
            "application/apply-patch+yaml",
            &serde_json::to_vec(object)?,
        )
    }

    /// Applies each document of a YAML text, in the namespace of the apps where it names none.
    ///
    /// # Errors
    /// Bad YAML, and the first refusal.
    pub fn apply_yaml(&self, yaml: &str) -> Result<()> {
        let objects: Vec<Value> = serde_saphyr::from_multiple(yaml).context("bad YAML")?;
        for object in objects.iter().filter(|object| !object.is_null()) {
            let answer = self.apply(object)?;
            answer
                .ok()
                .with_context(|| format!("cannot apply {}", object_name(object)))?;
        }
        Ok(())
    }

    /// Deletes the object at `path`.
    ///
    /// # Errors
    /// When there is none, or it may not be deleted.
    pub fn delete(&self, path: &str) -> Result<()> {
        let answer = self.call("DELETE", path, "", &[])?;
        answer
            .ok()
            .map(drop)
            .with_context(|| format!("DELETE {path}"))
    }
}

/// The kubeconfig of a user, as JSON, which YAML contains.
pub(crate) fn kubeconfig(user: User, port: u16, certificate: &Path) -> Value {
    let cluster = json!({
        "server": format!("https://127.0.0.1:{port}"),
        "certificate-authority": certificate,
    });
    let context = json!({
        "cluster": "bed", "user": user.name(), "namespace": crate::mesh::NAMESPACE,
    });
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bed",
        "clusters": [{"name": "bed", "cluster": cluster}],
        "users": [{"name": user.name(), "user": {"token": user.token()}}],
        "contexts": [{"name": "bed", "context": context}],
    })
}

/// The path of an object from its apiVersion, kind, namespace and name.
pub(crate) fn path_of(object: &Value) -> Result<String> {
    const CLUSTER_SCOPED: [&str; 9] = [
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "GatewayClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "Namespace",
        "Node",
        "ValidatingWebhookConfiguration",
    ];
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let group = text("/apiVersion").context("no apiVersion")?;
    let kind = text("/kind").context("no kind")?;
    let name = text("/metadata/name").context("no metadata.name")?;
    let root = if group == "v1" {
        "/api/v1".to_owned()
    } else {
        format!("/apis/{group}")
    };
    let plural = plural(kind);
    if CLUSTER_SCOPED.contains(&kind) {
        return Ok(format!("{root}/{plural}/{name}"));
    }
    let namespace = text("/metadata/namespace").unwrap_or(crate::mesh::NAMESPACE);
    Ok(format!("{root}/namespaces/{namespace}/{plural}/{name}"))
}

fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    if lower == "endpoints" {
        return lower;
    }
    match lower
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']))
    {
        Some(stem) => format!("{stem}ies"),
        None if lower.ends_with('s') => format!("{lower}es"),
        None => format!("{lower}s"),
    }
}

fn object_name(object: &Value) -> String {
    path_of(object).unwrap_or_else(|_| "an object without kind or name".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::path_of;

    #[test]
    fn paths_follow_from_kind_and_name() {
        let check = |group: &str, kind: &str, expect: &str| {
            let object = json!({"apiVersion": group, "kind": kind, "metadata": {"name": "n"}});
            assert_eq!(path_of(&object).unwrap(), expect);
        };
        check("v1", "Service", "/api/v1/namespaces/bookinfo/services/n");
        check("v1", "Namespace", "/api/v1/namespaces/n");
        check("v1", "Endpoints", "/api/v1/namespaces/bookinfo/endpoints/n");
        check(
            "networking.istio.io/v1",
            "ServiceEntry",
            "/apis/networking.istio.io/v1/namespaces/bookinfo/serviceentries/n",
        );
        check(
            "gateway.networking.k8s.io/v1",
            "Gateway",
            "/apis/gateway.networking.k8s.io/v1/namespaces/bookinfo/gateways/n",
        );
        check(
            "security.istio.io/v1",
            "AuthorizationPolicy",
            "/apis/security.istio.io/v1/namespaces/bookinfo/authorizationpolicies/n",
        );
        check(
            "gateway.networking.k8s.io/v1",
            "GatewayClass",
            "/apis/gateway.networking.k8s.io/v1/gatewayclasses/n",
        );
    }
}
