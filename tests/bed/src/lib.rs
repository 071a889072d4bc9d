//! The test bed: a small real mesh on loopback, from packages alone.
//!
//! One [`Bed`] is a kube-apiserver with etcd inside, Istio's istiod with its validation webhook,
//! six Envoys fed by it, Prometheus, Jaeger, five tiny apps in bookinfo's shape and a load that
//! counts what it sends. Tests ask the product what it sees and the bed what is true.
//!
//! The servers are built once by `bed build` ([`install`]) into a cache folder; nothing is built
//! when a bed starts. What is real here and what is not is told in the README beside this crate.
//!
//! ```no_run
//! use pilothouse_bed::{Bed, Options, User};
//!
//! let bed = Bed::start(Options::default())?;
//! let kubeconfig = bed.kubeconfig(User::Viewer);
//! bed.pause_load()?;
//! let sent = bed.calls().edges();
//! # Ok::<(), anyhow::Error>(())
//! ```

mod apps;
mod bed;
mod cache;
mod calls;
mod clock;
mod cluster;
mod control;
mod controllers;
mod dataset;
mod envoy;
mod front;
mod http;
pub mod install;
mod kube;
mod listen;
mod load;
mod logins;
mod mesh;
mod metrics;
mod namespace;
mod objects;
mod pki;
mod ports;
mod process;
mod programs;
mod proxies;
mod publish;
mod remote_write;
mod samples;
mod servers;
mod start;
mod telemetry;
mod tls;
mod traces;

pub use crate::bed::{Bed, Options};
pub use crate::calls::{Call, Calls, Edge};
pub use crate::cluster::Cluster;
pub use crate::controllers::Forward;
pub use crate::dataset::{DataSet, Feed};
pub use crate::front::{Cover, Front, Rules};
pub use crate::http::{Response, get};
pub use crate::kube::{Answer, Kube, User};
pub use crate::logins::{Login, Way};
pub use crate::mesh::{INGRESS_NAMESPACE, NAMESPACE};
pub use crate::metrics::{MetricServer, PrometheusVersion};
pub use crate::namespace::{POD_NETWORK, isolated};
pub use crate::pki::{Identity, Validity};
pub use crate::programs::Program;
pub use crate::proxies::{ConnectProxy, Gate, Passage};
pub use crate::publish::Published;
pub use crate::remote_write::Series;
pub use crate::samples::Sample;
pub use crate::servers::Servers;
pub use crate::traces::TraceServer;
