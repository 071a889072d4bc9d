//! From marks to spans as Istio's proxies send them.

use std::collections::BTreeMap;

use pilothouse_core::trace::{Span, SpanId, SpanKind, SpanStatus, Trace, Value};

use crate::labels::CLUSTER;
use crate::numbering::{Birth, Numbering};
use crate::random::{hash, hash_text};
use crate::walk::{Mark, Side, Walk};
use crate::world::{Operation, Place, Protocol, ServiceIndex, WorkloadIndex, World};

/// Names of all attributes that a span may have.
const ATTRIBUTES: [&str; 27] = [
    "component",
    "downstream_cluster",
    "error",
    "grpc.authority",
    "grpc.content_type",
    "grpc.path",
    "grpc.status_code",
    "guid:x-request-id",
    "http.method",
    "http.protocol",
    "http.status_code",
    "http.url",
    "istio.canonical_revision",
    "istio.canonical_service",
    "istio.cluster_id",
    "istio.mesh_id",
    "istio.namespace",
    "node_id",
    "peer.address",
    "request_size",
    "response_flags",
    "response_size",
    "upstream_address",
    "upstream_cluster",
    "upstream_cluster.name",
    "user_agent",
    "zone",
];

/// One trace with everything that its spans are made from.
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) numbering: Numbering,
    pub(crate) seed: u64,
    pub(crate) birth: &'a Birth,
    pub(crate) walk: &'a Walk<'a>,
}

/// Service name of a workload's spans: `reviews.shop`.
pub(crate) fn service_name(world: &World, workload: WorkloadIndex) -> String {
    let app = &world.apps[world.workloads[workload].app];
    format!("{}.{}", app.name, app.namespace)
}

/// Name of the spans of a call, on either side. Sidecars name the route of a Service as a whole, the gateway by path.
pub(crate) fn operation_name(
    world: &World,
    owner: WorkloadIndex,
    service: ServiceIndex,
    operation: &Operation,
) -> String {
    let place = world.apps[world.workloads[owner].app].place;
    let host = &world.services[service].host;
    let port = world.apps[operation.app].port;
    if place != Place::Gateway {
        return format!("{host}:{port}/*");
    }
    let path = operation.path.split("{id}").next().unwrap_or("/");
    format!("{host}:{port}{}*", path.trim_end_matches('/'))
}

pub(crate) fn mark_operation(world: &World, mark: &Mark<'_>) -> String {
    let operation = &world.operations[mark.operation];
    operation_name(world, mark.owner, mark.service, operation)
}

impl Scene<'_> {
    /// The whole trace.
    pub(crate) fn trace(&self) -> Trace {
        let spans = (0..self.walk.marks.len()).map(|index| self.span(index));
        Trace {
            id: self.numbering.id(self.birth.number),
            spans: spans.collect(),
            partial: false,
            warnings: Vec::new(),
        }
    }

    fn span_id(&self, index: usize) -> SpanId {
        SpanId(hash(&[self.seed, self.birth.number, index as u64, 0x73]).max(1))
    }

    fn span(&self, index: usize) -> Span {
        let mark = &self.walk.marks[index];
        let attributes: BTreeMap<String, Value> = ATTRIBUTES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), Value::Text(self.attribute(mark, name)?))))
            .collect();
        let service = service_name(self.world, mark.owner);
        let resource = [("service.name".to_owned(), Value::Text(service.clone()))];
        Span {
            id: self.span_id(index),
            parent: mark.parent.map(|parent| self.span_id(parent)),
            operation: mark_operation(self.world, mark),
            service,
            kind: match mark.side {
                Side::Client => SpanKind::Client,
                Side::Server => SpanKind::Server,
            },
            start_ns: self.birth.start_ns.saturating_add(nanos(mark.start_ms)),
            duration_ns: nanos(mark.duration_ms),
            status: if mark.outcome.failed() {
                SpanStatus::Error
            } else {
                SpanStatus::Unset
            },
            attributes,
            resource: resource.into(),
            events: Vec::new(),
            links: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// One attribute of a span, as its proxy writes it; `None` if the span does not have it.
    pub(crate) fn attribute(&self, mark: &Mark<'_>, name: &str) -> Option<String> {
        let world = self.world;
        let operation = &world.operations[mark.operation];
        let callee = &world.apps[operation.app];
        let owner = &world.workloads[mark.owner];
        let app = &world.apps[owner.app];
        let grpc = callee.protocol == Protocol::Grpc;
        let fixed = |text: &str| Some(text.to_owned());
        match name {
            "component" => fixed("proxy"),
            "downstream_cluster" => fixed("-"),
            "error" => mark.outcome.failed().then(|| "true".to_owned()),
            "grpc.authority" if grpc => Some(self.authority(mark)),
            "grpc.content_type" if grpc => fixed("application/grpc"),
            "grpc.path" if grpc => Some(operation.path.clone()),
            "grpc.status_code" => mark.outcome.grpc.map(|status| status.to_string()),
            "guid:x-request-id" => Some(self.request_id()),
            "http.method" => fixed(operation.method),
            "http.protocol" => fixed(if grpc { "HTTP/2" } else { "HTTP/1.1" }),
            "http.status_code" => Some(mark.outcome.code.to_string()),
            "http.url" => Some(format!(
                "http://{}{}",
                self.authority(mark),
                self.path(operation)
            )),
            "istio.canonical_revision" => Some(owner.version.clone()),
            "istio.canonical_service" => Some(app.name.clone()),
            "istio.cluster_id" => fixed(CLUSTER),
            "istio.mesh_id" => fixed("cluster.local"),
            "istio.namespace" => Some(app.namespace.clone()),
            "node_id" => Some(self.node_id(mark.owner)),
            "peer.address" => {
                // What the proxy's downstream is: the app beside it, or the other proxy.
                let peer = match mark.side {
                    Side::Client => mark.owner,
                    Side::Server => mark.peer.unwrap_or(mark.owner),
                };
                Some(self.address(peer))
            }
            "request_size" => Some(whole(operation.bytes.0)),
            "response_flags" => fixed(mark.outcome.flag.as_str()),
            "response_size" => Some(whole(if mark.outcome.failed() {
                95.0
            } else {
                operation.bytes.1
            })),
            "upstream_address" => {
                let target = match mark.side {
                    Side::Client => mark.peer?,
                    Side::Server => mark.owner,
                };
                Some(format!("{}:{}", self.address(target), callee.port))
            }
            "upstream_cluster" | "upstream_cluster.name" => Some(self.upstream(mark)),
            "user_agent" => fixed("shop-client/2.4"),
            "zone" => fixed("zone-a"),
            _ => None,
        }
    }

    fn upstream(&self, mark: &Mark<'_>) -> String {
        let service = &self.world.services[mark.service];
        let app = &self.world.apps[service.app];
        match (mark.side, app.place) {
            (Side::Server, _) => format!("inbound|{}||", app.port),
            (Side::Client, Place::Outside) => "PassthroughCluster".to_owned(),
            (Side::Client, Place::Mesh | Place::Gateway) => {
                let subset = mark.subset.unwrap_or_default();
                format!("outbound|{}|{subset}|{}", app.port, service.host)
            }
        }
    }

    fn authority(&self, mark: &Mark<'_>) -> String {
        let app = &self.world.apps[self.world.operations[mark.operation].app];
        match app.place {
            Place::Outside => app.name.clone(),
            Place::Mesh | Place::Gateway => {
                format!("{}.{}:{}", app.name, app.namespace, app.port)
            }
        }
    }

    /// The path with the number that this request is about.
    fn path(&self, operation: &Operation) -> String {
        let number = hash(&[self.seed, self.birth.number, 0x70]) % 100 + 1;
        operation.path.replace("{id}", &number.to_string())
    }

    /// The same for every span of a trace, tries included: apps pass the header on.
    fn request_id(&self) -> String {
        let high = hash(&[self.seed, self.birth.number, 0x71]);
        let low = hash(&[self.seed, self.birth.number, 0x72]);
        format!(
            "{:08x}-{:04x}-9{:03x}-b{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    /// Which pod of a version takes this trace.
    fn replica(&self, workload: WorkloadIndex) -> u64 {
        let replicas = u64::from(self.world.workloads[workload].replicas.max(1));
        hash(&[self.seed, self.birth.number, workload as u64]) % replicas
    }

    fn address(&self, workload: WorkloadIndex) -> String {
        let pod = hash(&[self.seed, workload as u64, self.replica(workload), 0x69]);
        format!("10.244.{}.{}", pod % 250, (pod >> 16) % 250 + 2)
    }

    fn node_id(&self, workload: WorkloadIndex) -> String {
        let owner = &self.world.workloads[workload];
        let app = &self.world.apps[owner.app];
        let role = match app.place {
            Place::Gateway => "router",
            Place::Mesh | Place::Outside => "sidecar",
        };
        let set = pod_letters(hash(&[self.seed, hash_text(&owner.name)]), 10);
        let pod = pod_letters(
            hash(&[self.seed, workload as u64, self.replica(workload), 0x64]),
            5,
        );
        format!(
            "{role}~{}~{}-{set}-{pod}.{ns}~{ns}.svc.cluster.local",
            self.address(workload),
            owner.name,
            ns = app.namespace
        )
    }
}

/// Letters as Kubernetes draws them for pods: no vowels, nothing that reads like one.
fn pod_letters(mut draw: u64, length: usize) -> String {
    const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..length)
        .map(|_| {
            let letter = LETTERS[usize::try_from(draw % 27).unwrap_or(0)];
            draw /= 27;
            char::from(letter)
        })
        .collect()
}

fn whole(bytes: f64) -> String {
    format!("{bytes:.0}")
}

/// Milliseconds to nanoseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and durations are neither negative nor longer than centuries"
)]
pub(crate) const fn nanos(ms: f64) -> u64 {
    (ms * 1e6) as u64
}
