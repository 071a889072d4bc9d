//! Ways to HTTP servers inside the cluster: the API server's proxy, or a forwarded port; nothing is opened or installed.
//!
//! Implements [`HttpWay`]. [`proxy`] goes through `services/proxy` or `pods/proxy`, [`forward`] speaks HTTP/1.1 over a
//! port-forward stream in this process, and the way that [`KubeSource::way_to`] gives takes the first that is allowed
//! and remembers which. Knows nothing about what is asked.
//!
//! # What becomes of headers (kube-apiserver 1.36)
//!
//! - `Authorization` never reaches the target of a proxy: the API server authenticates the caller with it and deletes it
//!   (`k8s.io/apiserver/pkg/endpoints/filters/authentication.go`). A token meant for the target would even be tried as a
//!   credential of the cluster. So a call with that header goes by port-forward, never by the proxy.
//! - `Impersonate-*` and `X-Remote-*` are instructions to the API server: a call with them goes by port-forward too.
//! - Any other header passes: `X-Scope-OrgID`, `Content-Type`, `Accept`. The proxy adds `X-Forwarded-Uri`, `-Host`,
//!   `-Proto` and `-For`, drops hop-by-hop headers, and rewrites `Location` and links in HTML to lie below itself
//!   (`k8s.io/apimachinery/pkg/util/proxy`). Redirects are answers: no way follows them.
//! - `https:` targets: the API server does not check their certificate.

mod choice;
mod forward;
mod pod;
mod proxy;
mod reply;
mod target;

use std::sync::Arc;

use pilothouse_core::model::SourceError;
use pilothouse_core::ports::HttpWay;

pub use target::{Scheme, Target, TargetKind};

use crate::source::KubeSource;

impl KubeSource {
    /// A way to a server in the cluster: the API server's proxy, and a forwarded port where the proxy is forbidden, does
    /// not know the service's endpoints, does not reach the pods, or would swallow a header. The next call goes the way that worked. Sends nothing.
    ///
    /// # Errors
    ///
    /// `BadConfiguration` if a name of the target cannot stand in a path.
    pub fn way_to(&self, target: &Target) -> Result<Arc<dyn HttpWay>, SourceError> {
        let (proxy, forward) = self.both_ways(target)?;
        Ok(Arc::new(choice::ChosenWay::new(proxy, forward)))
    }

    /// Only the API server's proxy.
    ///
    /// # Errors
    ///
    /// As [`Self::way_to`].
    pub fn proxy_way(&self, target: &Target) -> Result<Arc<dyn HttpWay>, SourceError> {
        Ok(Arc::new(self.both_ways(target)?.0))
    }

    /// Only a forwarded port.
    ///
    /// # Errors
    ///
    /// As [`Self::way_to`].
    pub fn forward_way(&self, target: &Target) -> Result<Arc<dyn HttpWay>, SourceError> {
        Ok(Arc::new(self.both_ways(target)?.1))
    }

    fn both_ways(
        &self,
        target: &Target,
    ) -> Result<(proxy::ProxyWay, forward::ForwardWay), SourceError> {
        let target = target.clone().checked()?;
        let proxy = proxy::ProxyWay::new(Arc::clone(&self.transport), target.clone());
        let forward = forward::ForwardWay::new(Arc::clone(&self.transport), target);
        Ok((proxy, forward))
    }
}

#[cfg(test)]
mod tests;
