//! What there is in the simulated mesh: apps with their versions, the Services in front of them, the operations that they
//! serve and whom these call. Fixed for the life of a mesh; what may change (routes, replicas) are objects.
//!
//! Operations are built callee first, so that a call always leads to an operation with a smaller index: the calls form no
//! cycle, and walking indexes downwards meets every caller before its callees.

use serde_json::Value;

use crate::latency::Moments;

/// Index into [`World::apps`].
pub(crate) type AppIndex = usize;
/// Index into [`World::workloads`].
pub(crate) type WorkloadIndex = usize;
/// Index into [`World::services`].
pub(crate) type ServiceIndex = usize;
/// Index into [`World::operations`].
pub(crate) type OperationIndex = usize;

/// What an app speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    Http,
    Grpc,
    Tcp,
}

/// Where an app runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the mesh, behind a sidecar.
    Mesh,
    /// The ingress gateway: nobody in the mesh calls it.
    Gateway,
    /// Outside: reached through `PassthroughCluster`, no telemetry of its own.
    Outside,
}

/// A canonical service.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) protocol: Protocol,
    pub(crate) port: u16,
    /// Its versions, oldest first.
    pub(crate) workloads: Vec<WorkloadIndex>,
    /// The Service that selects all versions.
    pub(crate) service: ServiceIndex,
}

/// One version of an app.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) app: AppIndex,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Replicas at the start; a Deployment in force says how many there are now.
    pub(crate) replicas: u32,
    pub(crate) character: Character,
}

/// How a version behaves, whoever calls it.
#[derive(Clone, Debug)]
pub(crate) struct Character {
    /// Median of its own work, in milliseconds.
    pub(crate) median_ms: f64,
    /// Deviation of the logarithm of its own work.
    pub(crate) sigma: f64,
    /// Share of requests that fail by themselves, with 500 or a gRPC status.
    pub(crate) errors: f64,
    /// Share of requests answered 404 (HTTP only).
    pub(crate) not_found: f64,
    /// gRPC status of its failures.
    pub(crate) grpc_error: u16,
    pub(crate) burst: Option<Burst>,
    pub(crate) strain: Option<Strain>,
}

impl Character {
    /// A healthy one of this speed.
    pub(crate) const fn healthy(median_ms: f64) -> Self {
        Self {
            median_ms,
            sigma: 0.45,
            errors: 0.0005,
            not_found: 0.0,
            grpc_error: 13,
            burst: None,
            strain: None,
        }
    }
}

/// Failures that come and go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burst {
    /// Which schedule of [`crate::rhythm`].
    pub(crate) schedule: usize,
    /// Share of failing requests while it is on.
    pub(crate) errors: f64,
    /// Factor on its own work while it is on.
    pub(crate) slowdown: f64,
}

/// What load does to a version. Load is requests per second over `capacity`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strain {
    pub(crate) capacity: f64,
    /// Failing share added for each unit of load.
    pub(crate) errors: f64,
    /// Added to the factor on its own work for each unit of load.
    pub(crate) slowdown: f64,
}

/// A Kubernetes Service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) app: AppIndex,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Host in full.
    pub(crate) host: String,
    /// Versions that its selector takes in.
    pub(crate) workloads: Vec<WorkloadIndex>,
    /// The version that its selector asks for, if any.
    pub(crate) version: Option<String>,
}

/// Something that an app can be asked for.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) app: AppIndex,
    pub(crate) method: &'static str,
    /// `{id}` stands for a number; for gRPC `/package.Service/Method`.
    pub(crate) path: String,
    /// Factor on the version's own work.
    pub(crate) effort: f64,
    /// Bytes of a request and of an answer.
    pub(crate) bytes: (f64, f64),
    /// gRPC messages of a request and of an answer.
    pub(crate) messages: (f64, f64),
    pub(crate) calls: Vec<Call>,
    /// First of its nodes (one for each version of the app); see [`World::node`].
    pub(crate) first_node: usize,
}

/// A call made while serving an operation.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) to: OperationIndex,
    /// Share of requests that make it.
    pub(crate) probability: f64,
    /// Share of its failures that fail the caller's request.
    pub(crate) critical: f64,
    /// Versions of the caller that make it; empty: all.
    pub(crate) versions: &'static [&'static str],
    /// Index in [`crate::routing::Plans`]; given by [`World::seal`].
    pub(crate) site: usize,
}

/// Requests from outside, as the gateway serves them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) operation: OperationIndex,
    /// Requests per second.
    pub(crate) rate: f64,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) apps: Vec<App>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) services: Vec<Service>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) entries: Vec<Entry>,
    /// Routing manifests that it starts with, without server metadata.
    pub(crate) manifests: Vec<Value>,
    /// Pairs of operation and version.
    pub(crate) nodes: usize,
    /// Calls over all operations.
    pub(crate) sites: usize,
}

impl World {
    /// A new app with its Service and without versions.
    pub(crate) fn add_app(
        &mut self,
        place: Place,
        namespace: &str,
        name: &str,
        protocol: Protocol,
        port: u16,
    ) -> AppIndex {
        let app = self.apps.len();
        let service = self.services.len();
        let host = if place == Place::Outside {
            name.to_owned()
        } else {
            pilothouse_core::traffic::service_host(name, namespace)
        };
        self.services.push(Service {
            app,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            host,
            workloads: Vec::new(),
            version: None,
        });
        self.apps.push(App {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            place,
            protocol,
            port,
            workloads: Vec::new(),
            service,
        });
        app
    }

    /// A version of an app; all versions come before its operations.
    pub(crate) fn add_version(
        &mut self,
        app: AppIndex,
        version: &str,
        replicas: u32,
        character: Character,
    ) {
        let workload = self.workloads.len();
        let place = self.apps[app].place;
        let name = match place {
            Place::Mesh => format!("{}-{version}", self.apps[app].name),
            Place::Gateway | Place::Outside => self.apps[app].name.clone(),
        };
        self.workloads.push(Workload {
            app,
            name,
            version: version.to_owned(),
            replicas,
            character,
        });
        self.apps[app].workloads.push(workload);
        let service = self.apps[app].service;
        self.services[service].workloads.push(workload);
    }

    /// A Service of one version only, as the Gateway API splits need them.
    pub(crate) fn add_version_service(&mut self, app: AppIndex, version: &str) {
        let namespace = self.apps[app].namespace.clone();
        let name = format!("{}-{version}", self.apps[app].name);
        let workloads = self.apps[app].workloads.iter().copied();
        let workloads = workloads
            .filter(|w| self.workloads[*w].version == version)
            .collect();
        self.services.push(Service {
            app,
            host: pilothouse_core::traffic::service_host(&name, &namespace),
            namespace,
            name,
            workloads,
            version: Some(version.to_owned()),
        });
    }

    pub(crate) fn add_operation(
        &mut self,
        app: AppIndex,
        method: &'static str,
        path: &str,
        calls: Vec<Call>,
    ) -> OperationIndex {
        let index = self.operations.len();
        debug_assert!(
            calls.iter().all(|call| call.to < index),
            "callees come first"
        );
        self.operations.push(Operation {
            app,
            method,
            path: path.to_owned(),
            effort: 1.0,
            bytes: (320.0, 2_400.0),
            messages: (1.0, 1.0),
            calls,
            first_node: self.nodes,
        });
        self.nodes += self.apps[app].workloads.len();
        index
    }

    /// Numbers the calls. Last step of building.
    pub(crate) fn seal(mut self) -> Self {
        let calls = self.operations.iter_mut().flat_map(|o| o.calls.iter_mut());
        self.sites = 0;
        for call in calls {
            call.site = self.sites;
            self.sites += 1;
        }
        self
    }

    /// The node of an operation served by the app's version at `position`.
    pub(crate) fn node(&self, operation: OperationIndex, position: usize) -> usize {
        self.operations[operation].first_node + position
    }

    pub(crate) fn app_of(&self, operation: OperationIndex) -> &App {
        &self.apps[self.operations[operation].app]
    }

    /// Position of a version within its app.
    pub(crate) fn position(&self, workload: WorkloadIndex) -> usize {
        let app = &self.apps[self.workloads[workload].app];
        app.workloads
            .iter()
            .position(|w| *w == workload)
            .unwrap_or(0)
    }

    /// Namespaces of the mesh, sorted.
    pub(crate) fn namespaces(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .apps
            .iter()
            .filter(|app| app.place != Place::Outside)
            .map(|app| app.namespace.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Call {
    /// Whether this version makes the call.
    pub(crate) fn made_by(&self, version: &str) -> bool {
        self.versions.is_empty() || self.versions.contains(&version)
    }
}

/// A call that every request makes and whose failures fail it.
pub(crate) const fn needs(to: OperationIndex) -> Call {
    Call {
        to,
        probability: 1.0,
        critical: 1.0,
        versions: &[],
        site: 0,
    }
}

/// A call that some requests make, and that the caller can mostly do without.
pub(crate) const fn likes(to: OperationIndex, probability: f64) -> Call {
    Call {
        to,
        probability,
        critical: 0.05,
        versions: &[],
        site: 0,
    }
}

/// Own work of a version for an operation, in a given regime and under load.
pub(crate) fn own_work(character: &Character, effort: f64, slowdown: f64) -> Moments {
    Moments::of_median(character.median_ms * effort * slowdown, character.sigma)
}
