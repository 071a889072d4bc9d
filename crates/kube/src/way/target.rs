//! What is to be reached, and its paths.

use pilothouse_core::model::{SourceError, SourceErrorKind};

use crate::failure::failed;
use crate::resource::is_path_safe;

/// What the target speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Scheme {
    /// Plain HTTP.
    #[default]
    Http,
    /// TLS, with a certificate that nobody checks.
    Https,
}

/// What the name of a target names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TargetKind {
    /// A Service: any ready endpoint of it.
    #[default]
    Service,
    /// One pod; its port is a number.
    Pod,
}

/// An HTTP server in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Service or pod.
    pub kind: TargetKind,
    /// Namespace.
    pub namespace: String,
    /// Name of the service or pod.
    pub name: String,
    /// Port: of a service its name or number, of a pod its number.
    pub port: String,
    /// What it speaks.
    pub scheme: Scheme,
    /// Where its API begins: `/select/0/prometheus`, `/jaeger`; empty for the root.
    pub base_path: String,
}

impl Target {
    /// A service that speaks plain HTTP at its root.
    #[must_use]
    pub fn service(namespace: &str, name: &str, port: &str) -> Self {
        Self {
            kind: TargetKind::Service,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            port: port.to_owned(),
            scheme: Scheme::Http,
            base_path: String::new(),
        }
    }

    /// A pod that speaks plain HTTP at its root.
    #[must_use]
    pub fn pod(namespace: &str, name: &str, port: u16) -> Self {
        Self {
            kind: TargetKind::Pod,
            ..Self::service(namespace, name, &port.to_string())
        }
    }

    /// The same server with its API below a path.
    #[must_use]
    pub fn below(mut self, base_path: &str) -> Self {
        base_path.clone_into(&mut self.base_path);
        self
    }

    /// The same server over TLS.
    #[must_use]
    pub const fn over_tls(mut self) -> Self {
        self.scheme = Scheme::Https;
        self
    }

    /// With a base path that begins with a slash and ends with none; refused if it does not fit into a request.
    pub(super) fn checked(mut self) -> Result<Self, SourceError> {
        for (what, name) in [
            ("namespace", &self.namespace),
            ("name", &self.name),
            ("port", &self.port),
        ] {
            if !is_path_safe(name) {
                return Err(failed(
                    SourceErrorKind::BadConfiguration,
                    format!(
                        "the {what} {name:?} of a server in the cluster is not a Kubernetes name"
                    ),
                )
                .with_hint("name it as NAMESPACE/SERVICE:PORT"));
            }
        }
        if self.kind == TargetKind::Pod && self.port.parse::<u16>().is_err() {
            return Err(failed(
                SourceErrorKind::BadConfiguration,
                format!("the port {:?} of pod {} is no number", self.port, self.name),
            ));
        }
        let base = self.base_path.trim_matches('/');
        self.base_path = if base.is_empty() {
            String::new()
        } else {
            format!("/{base}")
        };
        self.path_on_target("/")?;
        Ok(self)
    }

    /// `monitoring/prometheus-k8s:9090/base`.
    pub(super) fn text(&self) -> String {
        let kind = match self.kind {
            TargetKind::Service => "",
            TargetKind::Pod => "pod ",
        };
        format!(
            "{kind}{}/{}:{}{}",
            self.namespace, self.name, self.port, self.base_path
        )
    }

    /// Path and query on the target itself. A path with `..` in it would leave the proxy and reach anything that the
    /// caller may read in the API; an absolute address would leave the server.
    pub(super) fn path_on_target(&self, path: &str) -> Result<String, SourceError> {
        let full = format!("{}{path}", self.base_path);
        let only_path = full.split(['?', '#']).next().unwrap_or_default();
        let climbs = only_path.split('/').any(|segment| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            plain == "." || plain == ".."
        });
        let fits = path.starts_with('/')
            && !climbs
            && !only_path.contains('\\')
            && full.parse::<http::uri::PathAndQuery>().is_ok();
        if fits {
            return Ok(full);
        }
        Err(failed(
            SourceErrorKind::BadConfiguration,
            format!("{full:?} is no path on {}", self.text()),
        ))
    }

    /// Path and query of the same through the API server.
    pub(super) fn path_through_proxy(&self, path: &str) -> Result<String, SourceError> {
        let path = self.path_on_target(path)?;
        let plural = match self.kind {
            TargetKind::Service => "services",
            TargetKind::Pod => "pods",
        };
        let scheme = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => "https:",
        };
        Ok(format!(
            "/api/v1/namespaces/{}/{plural}/{scheme}{}:{}/proxy{path}",
            self.namespace, self.name, self.port
        ))
    }
}
