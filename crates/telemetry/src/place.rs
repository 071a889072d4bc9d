//! Where a server is: at an address of its own, or at the end of a way that somebody else provides.

use std::fmt;
use std::sync::Arc;

use pilothouse_core::ports::HttpWay;

use crate::http::after_userinfo;

/// Where a server is.
#[derive(Clone)]
pub enum Place {
    /// A base address, e.g. `http://host:9090` or `https://user:password@host/prometheus`.
    Address(String),
    /// A server without an address that this machine could use, e.g. a service inside a cluster.
    Way {
        /// Carries requests to the server.
        way: Arc<dyn HttpWay>,
        /// Where the API begins below the server's root, e.g. `/jaeger`; empty or `/` for the root itself.
        base_path: String,
    },
}

impl Place {
    /// The same server with its API below this path, beginning with `/`, or at its root if it is empty; `None` if the API
    /// would begin where it does now, or if somebody wrote down an address with a path.
    #[must_use]
    pub fn with_base(&self, path: &str) -> Option<Self> {
        match self {
            Self::Address(url) => {
                let url = url.trim_end_matches('/');
                let (_, rest) = url.split_once("://")?;
                let is_bare = !rest.contains(['/', '?', '#']);
                (is_bare && !path.is_empty()).then(|| Self::Address(format!("{url}{path}")))
            }
            Self::Way { way, base_path } => {
                let differs = base_path.trim_matches('/') != path.trim_matches('/');
                differs.then(|| Self::Way {
                    way: Arc::clone(way),
                    base_path: path.to_owned(),
                })
            }
        }
    }
}

/// Shows no user, password or query of an address.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) => f
                .debug_tuple("Address")
                .field(&after_userinfo(text))
                .finish(),
            Self::Way { way, base_path } => f
                .debug_struct("Way")
                .field("way", &way.shown())
                .field("base_path", base_path)
                .finish(),
        }
    }
}
