//! What stands behind a destination: the Service, the subset's labels, the Deployments, their ready replicas.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::hosts::{ROOT_NAMESPACE, full_host, host_covers, service_host, service_of};
use super::in_force::Visibility;
use super::types::{ReadyEndpoints, Resolution};
use super::view::{labels_at, list, spec, text};
use crate::model::{Object, ObjectKind};

pub(super) type Labels = BTreeMap<String, String>;

/// Labels that carry the canonical revision, in the order in which Istio looks at them.
const REVISION_LABELS: [&str; 3] = [
    "service.istio.io/canonical-revision",
    "app.kubernetes.io/version",
    "version",
];

/// Argo Rollouts' mark on Services and DestinationRules that it steers by; its value is the Rollout.
pub(super) const MANAGED_BY_ROLLOUTS: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// Argo Rollouts' label on pods: which `ReplicaSet` they are of.
const TEMPLATE_HASH: &str = "rollouts-pod-template-hash";

/// What was found behind a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backing {
    pub(super) resolution: Resolution,
    /// Labels of the subset; `None` without a subset or if it is not defined.
    pub(super) subset_labels: Option<Labels>,
    pub(super) revision: Option<String>,
    pub(super) workloads: Vec<String>,
    pub(super) ready: Option<ReadyEndpoints>,
}

struct Deployment<'a> {
    name: &'a str,
    labels: Labels,
    ready: Option<ReadyEndpoints>,
}

struct Rule<'a> {
    object: &'a Object,
    host: String,
    visibility: Visibility,
}

/// Services, Deployments and DestinationRules of a set of objects, ready to be asked.
pub(super) struct Backends<'a> {
    services: BTreeMap<String, &'a Object>,
    /// Namespaces of which at least one Service is known: an absence there means something.
    watched: BTreeSet<&'a str>,
    deployments: BTreeMap<&'a str, Vec<Deployment<'a>>>,
    /// By namespace, oldest first: the first to name a subset defines it.
    rules: BTreeMap<&'a str, Vec<Rule<'a>>>,
}

impl<'a> Backends<'a> {
    pub(super) fn read(objects: &'a [Object]) -> Self {
        let mut backends = Self {
            services: BTreeMap::new(),
            watched: BTreeSet::new(),
            deployments: BTreeMap::new(),
            rules: BTreeMap::new(),
        };
        for object in objects {
            let namespace = object.reference.namespace.as_str();
            let name = object.reference.name.as_str();
            match object.reference.kind {
                ObjectKind::Service => {
                    backends.watched.insert(namespace);
                    backends
                        .services
                        .insert(service_host(name, namespace), object);
                }
                ObjectKind::Deployment => {
                    let deployment = Deployment {
                        name,
                        labels: labels_at(&object.doc, "/spec/template/metadata/labels")
                            .unwrap_or_default(),
                        ready: ready_replicas(&object.doc),
                    };
                    backends
                        .deployments
                        .entry(namespace)
                        .or_default()
                        .push(deployment);
                }
                ObjectKind::DestinationRule => {
                    let host = text(spec(&object.doc), "host").unwrap_or_default();
                    backends.rules.entry(namespace).or_default().push(Rule {
                        object,
                        host: full_host(host, namespace),
                        visibility: Visibility::read(spec(&object.doc), namespace),
                    });
                }
                ObjectKind::Namespace
                | ObjectKind::VirtualService
                | ObjectKind::HttpRoute
                | ObjectKind::GrpcRoute
                | ObjectKind::TcpRoute
                | ObjectKind::TlsRoute => {}
            }
        }
        for rules in backends.rules.values_mut() {
            rules.sort_by(|l, r| {
                let order = |rule: &Rule<'a>| (&rule.object.created, &rule.object.reference);
                order(l).cmp(&order(r))
            });
        }
        for deployments in backends.deployments.values_mut() {
            deployments.sort_by_key(|deployment| deployment.name);
        }
        backends
    }

    /// DestinationRules that apply to requests of `client` to `host`, in order of precedence: those of the client's
    /// namespace, else of the Service's, else of the mesh's root; exact hosts before wildcards.
    pub(super) fn rules_for(&self, host: &str, client: &str) -> Vec<&'a Object> {
        let service_namespace = service_of(host).map_or(client, |(_, namespace)| namespace);
        for namespace in [client, service_namespace, ROOT_NAMESPACE] {
            let local = self.rules.get(namespace).into_iter().flatten();
            let local: Vec<_> = local
                .filter(|rule| rule.visibility.shows_to(client))
                .collect();
            let exact: Vec<_> = local.iter().filter(|rule| rule.host == host).collect();
            if !exact.is_empty() {
                return exact.into_iter().map(|rule| rule.object).collect();
            }
            let wild = local
                .iter()
                .filter(|rule| rule.host.starts_with('*') && host_covers(&rule.host, host))
                .max_by_key(|rule| rule.host.len());
            if let Some(rule) = wild {
                return vec![rule.object];
            }
        }
        Vec::new()
    }

    /// What stands behind `host` and `subset` for clients of the namespace `client`.
    pub(super) fn find(&self, host: &str, subset: Option<&str>, client: &str) -> Backing {
        let subset_labels = subset.and_then(|name| self.subset_labels(host, name, client));
        let mut backing = Backing {
            resolution: self.resolution(host),
            subset_labels,
            revision: None,
            workloads: Vec::new(),
            ready: None,
        };
        if subset.is_some() && backing.subset_labels.is_none() {
            if backing.resolution != Resolution::NoSuchService {
                backing.resolution = Resolution::NoSuchSubset;
            }
            return backing;
        }
        let subset_labels = backing.subset_labels.clone().unwrap_or_default();
        backing.revision = revision_of(&subset_labels);
        let Some((selector, namespace)) = self.selector(host) else {
            return backing;
        };
        let deployments = self.deployments.get(namespace.as_str());
        let of_service: Vec<_> = deployments
            .into_iter()
            .flatten()
            .filter(|deployment| selects(&selector, &deployment.labels))
            .collect();
        let selected: Vec<_> = of_service
            .iter()
            .filter(|deployment| selects(&subset_labels, &deployment.labels))
            .collect();
        let name = |d: &&&Deployment<'_>| format!("{namespace}/{}", d.name);
        backing.workloads = selected.iter().map(name).collect();
        // A Service whose pods come from elsewhere (StatefulSets, WorkloadEntries, Rollouts) tells nothing; one that is
        // known to run on Deployments, none of which fits the subset, has nobody to answer.
        if !of_service.is_empty() {
            backing.ready = selected.iter().try_fold(NOBODY, |sum, deployment| {
                let one = deployment.ready?;
                Some(ReadyEndpoints {
                    ready: sum.ready.saturating_add(one.ready),
                    wanted: sum.wanted.saturating_add(one.wanted),
                })
            });
        }
        let nobody = backing.ready.is_some_and(|ready| ready.wanted == 0);
        if nobody && self.is_of_rollout(host, client, &[&selector, &subset_labels]) {
            // That no Deployment fits does not mean that no pod runs.
            backing.ready = None;
            backing.workloads.clear();
        }
        if backing.revision.is_none() {
            backing.revision = revision_of(&selector);
        }
        if backing.revision.is_none() {
            let mut revisions = selected.iter().map(|d| revision_of(&d.labels));
            if let Some(first) = revisions.next()
                && revisions.all(|other| other == first)
            {
                backing.revision = first;
            }
        }
        backing
    }

    /// The Service of this host.
    pub(super) fn service(&self, host: &str) -> Option<&'a Object> {
        self.services.get(host).copied()
    }

    /// Whether the pods of this host may be in `ReplicaSets` of a Rollout, which are not watched.
    fn is_of_rollout(&self, host: &str, client: &str, labels: &[&Labels]) -> bool {
        let marked = |object: &&Object| object.annotations.contains_key(MANAGED_BY_ROLLOUTS);
        let hashed = |labels: &&Labels| labels.contains_key(TEMPLATE_HASH);
        labels.iter().any(hashed)
            || self.service(host).as_ref().is_some_and(marked)
            || self.rules_for(host, client).iter().any(marked)
    }

    /// Why requests to this destination stick together, if a DestinationRule hashes them consistently.
    pub(super) fn hashing(&self, host: &str, subset: Option<&str>, client: &str) -> Option<String> {
        let mut found = None;
        for rule in self.rules_for(host, client) {
            let spec = spec(&rule.doc);
            let of_subset = list(spec, "subsets")
                .iter()
                .find(|s| subset.is_some() && text(s, "name") == subset);
            let policies = of_subset.into_iter().chain([spec]);
            for policy in policies {
                let hash = policy.pointer("/trafficPolicy/loadBalancer/consistentHash");
                if hash.is_some() && found.is_none() {
                    found = Some(format!(
                        "{} hashes requests consistently, so one client stays with one endpoint",
                        rule.reference
                    ));
                }
            }
        }
        found
    }

    fn resolution(&self, host: &str) -> Resolution {
        if self.services.contains_key(host) {
            return Resolution::Found;
        }
        match service_of(host) {
            Some((_, namespace)) if self.watched.contains(namespace) => Resolution::NoSuchService,
            Some(_) | None => Resolution::Unknown,
        }
    }

    fn subset_labels(&self, host: &str, subset: &str, client: &str) -> Option<Labels> {
        let rules = self.rules_for(host, client);
        let mut subsets = rules
            .iter()
            .flat_map(|rule| list(spec(&rule.doc), "subsets"));
        let found = subsets.find(|s| text(s, "name") == Some(subset))?;
        Some(labels_at(found, "/labels").unwrap_or_default())
    }

    /// Selector and namespace of the Service; `None` if it is not known or selects nothing by labels.
    fn selector(&self, host: &str) -> Option<(Labels, String)> {
        let service = self.services.get(host)?;
        let selector = labels_at(&service.doc, "/spec/selector").filter(|s| !s.is_empty())?;
        Some((selector, service.reference.namespace.clone()))
    }
}

const NOBODY: ReadyEndpoints = ReadyEndpoints {
    ready: 0,
    wanted: 0,
};

fn selects(selector: &Labels, labels: &Labels) -> bool {
    selector
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

fn revision_of(labels: &Labels) -> Option<String> {
    REVISION_LABELS
        .iter()
        .find_map(|label| labels.get(*label))
        .cloned()
}

/// Ready and wanted replicas. The API leaves `readyReplicas` out when it is zero, so a status that says anything at all
/// counts; no status (a manifest) is not known.
fn ready_replicas(doc: &Value) -> Option<ReadyEndpoints> {
    let status = doc.get("status")?.as_object()?;
    if status.is_empty() {
        return None;
    }
    let count = |value: Option<&Value>| {
        let count = value.and_then(Value::as_u64)?;
        Some(u32::try_from(count).unwrap_or(u32::MAX))
    };
    let wanted = count(doc.pointer("/spec/replicas"));
    Some(ReadyEndpoints {
        ready: count(status.get("readyReplicas")).unwrap_or(0),
        wanted: wanted
            .or_else(|| count(status.get("replicas")))
            .unwrap_or(1),
    })
}
