//! Which servers of a cluster may hold its metrics and its traces: candidates, from what the cluster says of itself.
//!
//! Pure: an [`Inventory`] in, candidates out, the likeliest first. Nobody is asked here, and nothing is chosen: every
//! candidate is probed, and `choice` decides by the answers.
//!
//! Sources of the table of labels: the charts of kube-prometheus-stack, prometheus, victoria-metrics, thanos (bitnami),
//! mimir-distributed, jaeger, tempo; the addons of Istio; the monitoring stack of `OpenShift`; the conventions of Headlamp
//! (`headlamp-prometheus`) and Lens (`operated-prometheus`).

mod hosts;
mod labels;

use std::collections::BTreeSet;

use pilothouse_engine::TraceKind;
use pilothouse_kube::{Inventory, PortFact, ServiceFact};

use self::hosts::{of_url, service_of_host, without_secrets};
use self::labels::{METRICS, Mark, TRACES};

/// Label or annotation by which an operator names the server.
const OUR_MARK: &str = "pilothouse.io/prometheus";
/// The same for traces.
const OUR_TRACES_MARK: &str = "pilothouse.io/traces";

/// Where a candidate is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Where {
    /// A Service of the cluster, reached through its API server.
    Service {
        namespace: String,
        name: String,
        /// Name or number.
        port: String,
        https: bool,
        /// Where its API begins, beginning with `/`; empty for the root.
        base_path: String,
    },
    /// An address that this machine may reach.
    Address(String),
}

impl Where {
    /// `monitoring/prometheus-k8s:9090`, with its base path; or the address.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Service {
                namespace,
                name,
                port,
                base_path,
                ..
            } => format!("{namespace}/{name}:{port}{base_path}"),
            Self::Address(url) => without_secrets(url),
        }
    }

    /// What tells the server apart among all clusters: every cluster may have a Service of this name.
    pub(crate) fn server(&self, api_server: &str) -> String {
        match self {
            Self::Service { .. } => format!("{} of {api_server}", self.id()),
            Self::Address(url) => without_secrets(url),
        }
    }

    /// The same server with its API elsewhere: below this path, or at the root if it is empty.
    pub(crate) fn with_base(&self, path: &str) -> Self {
        match self.clone() {
            Self::Service {
                namespace,
                name,
                port,
                https,
                base_path: _,
            } => Self::Service {
                namespace,
                name,
                port,
                https,
                base_path: path.to_owned(),
            },
            Self::Address(url) => Self::Address(format!("{}{path}", url.trim_end_matches('/'))),
        }
    }

    /// Whether both are the same server, wherever its API may begin: that is found out by asking.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        let root = |place: &Self| match place {
            Self::Service { .. } => place.with_base(""),
            Self::Address(_) => place.clone(),
        };
        root(self) == root(other)
    }

    /// What tells it from all others of its context.
    fn id(&self) -> String {
        let kind = match self {
            Self::Service { https: true, .. } => "https-service",
            Self::Service { https: false, .. } => "service",
            Self::Address(_) => "address",
        };
        format!("{kind} {}", self.shown())
    }
}

/// How sure one can be that this is it, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// The operator chose it, for this context.
    Chosen,
    /// The operator marked it, in the cluster.
    Marked,
    /// Kiali was told of it.
    Kiali,
    /// It stands beside what Istio's settings name.
    Mesh,
    /// Its labels say what it is.
    Label,
    /// Its name says what it may be.
    Name,
}

/// A server that may be the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) place: Where,
    pub(crate) rank: Rank,
    /// Why it is considered: `named in Kiali's settings`.
    pub(crate) found_by: String,
    /// Which API it speaks, of traces; `None` if that is to be found out. Labels are no more than a guess: what is called
    /// `tempo-query` speaks Jaeger's.
    pub(crate) kind: Option<TraceKind>,
}

/// Stands between a place and its kind in an id; no place holds a space.
const AS: &str = " as ";

impl Candidate {
    /// An id that tells it from all others of its context, and all that a choice has to remember.
    pub(crate) fn id(&self) -> String {
        match self.kind {
            Some(kind) => format!("{}{AS}{}", self.place.id(), kind.as_str()),
            None => self.place.id(),
        }
    }
}

/// What an id of a candidate names; `None` if it is none.
pub(crate) fn read_id(id: &str) -> Option<(Where, Option<TraceKind>)> {
    let (place, kind) = match id.split_once(AS) {
        Some((place, word)) => (place, Some(TraceKind::of_word(word)?)),
        None => (id, None),
    };
    let (word, shown) = place.split_once(' ')?;
    let https = match word {
        "address" => return Some((Where::Address(shown.to_owned()), kind)),
        "service" => false,
        "https-service" => true,
        _ => return None,
    };
    let (namespace, rest) = shown.split_once('/')?;
    let (server, base_path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (name, port) = server.split_once(':')?;
    let place = Where::Service {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        port: port.to_owned(),
        https,
        base_path: base_path.to_owned(),
    };
    Some((place, kind))
}

/// Who may hold the metrics, the likeliest first.
pub(crate) fn metrics_candidates(inventory: &Inventory) -> Vec<Candidate> {
    let mut found = marked(inventory, OUR_MARK);
    for hint in inventory.kiali.result.iter().flatten() {
        if let Some(url) = &hint.prometheus_url {
            let why = format!("named in Kiali's settings ({})", hint.found_in);
            found.push(named(inventory, url, Rank::Kiali, why));
        }
    }
    found.extend(by_labels(inventory, METRICS));
    ordered(found)
}

/// Who may hold the traces, the likeliest first.
pub(crate) fn trace_candidates(inventory: &Inventory) -> Vec<Candidate> {
    let mut found = marked(inventory, OUR_TRACES_MARK);
    for hint in inventory.kiali.result.iter().flatten() {
        let is_http = hint.tracing_uses_grpc != Some(true);
        let internal = hint.tracing_internal_url.iter().filter(|_| is_http);
        for url in internal.chain(&hint.tracing_external_url) {
            let why = format!("named in Kiali's settings ({})", hint.found_in);
            found.push(named(inventory, url, Rank::Kiali, why));
        }
    }
    let mut labelled = by_labels(inventory, TRACES);
    let collectors = collector_namespaces(inventory);
    for candidate in &mut labelled {
        if let Where::Service { namespace, .. } = &candidate.place
            && collectors.contains(namespace)
        {
            candidate.rank = candidate.rank.min(Rank::Mesh);
            candidate.found_by = "beside the collector that MeshConfig names".to_owned();
        }
    }
    found.extend(labelled);
    ordered(found)
}

/// Namespaces of the collectors that proxies send their spans to.
fn collector_namespaces(inventory: &Inventory) -> BTreeSet<String> {
    let meshes = inventory.meshes.result.iter().flatten();
    meshes
        .flat_map(|mesh| &mesh.tracing)
        .filter_map(|provider| service_of_host(inventory, &provider.service))
        .map(|service| service.namespace.clone())
        .collect()
}

/// Services that the operator marked for us, by label or annotation.
fn marked(inventory: &Inventory, mark: &str) -> Vec<Candidate> {
    let has = |service: &&ServiceFact| {
        let mut values = service.labels.get(mark).into_iter();
        let says = values
            .next()
            .or_else(|| service.annotations.get(mark))
            .map(String::as_str);
        says.is_some_and(|value| value != "false")
    };
    let services = inventory.services.result.iter().flatten();
    services
        .filter(has)
        .filter_map(|service| {
            let port = port_of(service, &[], &[])?;
            let place = place_of(service, port, "");
            let found_by = format!("marked with {mark}");
            Some(Candidate {
                place,
                rank: Rank::Marked,
                found_by,
                kind: None,
            })
        })
        .collect()
}

/// A server by a URL that somebody wrote inside the cluster: the Service that it names, or the address as it stands.
fn named(inventory: &Inventory, url: &str, rank: Rank, found_by: String) -> Candidate {
    let place = of_url(inventory, url).unwrap_or_else(|| Where::Address(url.to_owned()));
    Candidate {
        place,
        rank,
        found_by,
        kind: None,
    }
}

fn by_labels(inventory: &Inventory, marks: &'static [Mark]) -> Vec<Candidate> {
    let services = inventory.services.result.iter().flatten();
    services
        .filter(|service| service.external_name.is_none() && !labels::is_bystander(service))
        .filter_map(|service| {
            let (mark, rank, found_by) = marks
                .iter()
                .filter_map(|mark| mark.fits(service))
                .min_by_key(|(_, rank, _)| *rank)?;
            let port = port_of(service, mark.port_names, mark.ports)?;
            Some(Candidate {
                place: place_of(service, port, mark.base_path),
                rank,
                found_by,
                kind: None,
            })
        })
        .collect()
}

fn place_of(service: &ServiceFact, port: &PortFact, base_path: &str) -> Where {
    let https = port.name == "https"
        || port.app_protocol == "https"
        || port.name == "web-tls"
        || port.port == 443;
    Where::Service {
        namespace: service.namespace.clone(),
        name: service.name.clone(),
        port: port.port.to_string(),
        https,
        base_path: base_path.to_owned(),
    }
}

/// The port that speaks HTTP: by its name, by its number, or the only one.
fn port_of<'s>(service: &'s ServiceFact, names: &[&str], numbers: &[u16]) -> Option<&'s PortFact> {
    let tcp = || service.ports.iter().filter(|port| port.protocol == "TCP");
    let by_name = names
        .iter()
        .find_map(|name| tcp().find(|p| p.name == *name));
    let by_number = || numbers.iter().find_map(|n| tcp().find(|p| p.port == *n));
    by_name
        .or_else(by_number)
        .or_else(|| tcp().find(|port| port.name.contains("http") || port.name.contains("web")))
        .or_else(|| tcp().next())
}

/// Each server once, with the best reason for it; the likeliest first, then by name.
fn ordered(mut found: Vec<Candidate>) -> Vec<Candidate> {
    found.sort_by(|a, b| (a.rank, &a.place).cmp(&(b.rank, &b.place)));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in found {
        if !kept
            .iter()
            .any(|one| one.place.is_same_server(&candidate.place))
        {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
