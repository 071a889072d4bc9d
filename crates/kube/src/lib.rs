//! Control plane adapter: the Kubernetes API with the objects of Istio and the Gateway API.
//!
//! Owns everything that knows Kubernetes: kubeconfig files, credentials, paths, watches, patches and how the server
//! says no. Implements [`pilothouse_core::ports::ControlPlane`]; no type of `kube` leaves this crate. Decides nothing
//! about traffic: documents go out as they came in, patches as they were planned.
//!
//! ```no_run
//! use pilothouse_core::ports::{Clock, ControlPlane};
//! use pilothouse_kube::{ConfigEnvironment, ConnectOptions, KubeSource};
//!
//! # async fn example(clock: Clock) -> Result<(), pilothouse_core::model::SourceError> {
//! let environment = ConfigEnvironment::of_process();
//! let source = KubeSource::connect(ConnectOptions { environment, ..ConnectOptions::default() }, clock)?;
//! let identity = source.identity().await?;
//! # let _ = identity;
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: `kubeconfig` (which cluster, as whom), `login` (what a user shows), `exec` (credential plugins), `proxy`
//! (on which way), `connect` and `client` (from that to a client),
//! `transport` (one call: deadline, size cap, session), `failure` (how the server says no), `resource` (paths), `source`
//! (the port), `patch` (the one write), `watch` (lists and changes), `who` and `rights` (as whom, and what is allowed),
//! `inventory` (what discovery needs to know), `way` (HTTP servers in the cluster, reached through the API server).
//!
//! Sources: the Kubernetes API concepts and API conventions documents; `k8s.io/client-go` for the merging of
//! kubeconfig files.

mod age;
mod client;
mod cluster;
mod connect;
mod exec;
mod failure;
mod inventory;
mod kubeconfig;
mod login;
mod patch;
mod pem;
mod proxy;
mod resource;
mod rights;
mod source;
mod transport;
mod watch;
mod way;
mod who;

#[cfg(test)]
mod mock;

pub use cluster::NamedCluster;
pub use connect::{ConnectOptions, ConnectionFacts};
pub use exec::{KubercEnvironment, known_login_path, login_path};
pub use inventory::{
    ApiGroups, Inventory, IstiodFact, KialiHint, MeshFact, NamespaceFact, Part, PortFact,
    Readiness, ServiceFact, TracingProvider,
};
pub use kubeconfig::{
    AuthKind, ConfigEnvironment, ContextEntry, EntryProblem, FileEntry, InteractiveMode,
    Kubeconfigs, PluginEntry, Stamp,
};
pub use proxy::ProxyEnvironment;
pub use rights::{
    AccessRule, NamespacedRule, RbacRule, Right, Rights, Scope, Subject, Verdict, rbac_yaml,
};
pub use source::KubeSource;
pub use transport::LoginState;
pub use way::{Scheme, Target, TargetKind};
pub use who::{ServerVersion, Who};
