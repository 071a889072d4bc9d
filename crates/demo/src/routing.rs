//! What becomes of each call by the objects in force: the branches that a caller's proxy may take, with their shares.

use std::collections::BTreeMap;

use pilothouse_core::model::{Object, ObjectKind};
use pilothouse_core::traffic::{
    Abort, EffectiveRoute, RequestFacts, Retries, RouteAction, RouteApi, RouteEntry, RouteFamily,
    Router, Selection, SplitUnit, Target, full_host, service_host,
};
use serde_json::Value;

use crate::flow::{Flag, Outcome, grpc_status};
use crate::world::{Call, Operation, Place, Protocol, ServiceIndex, WorkloadIndex, World};

/// Share of requests that testers send, and the header that tells them (`end-user: tester`).
const TESTERS: f64 = 0.02;
const TESTER_HEADER: (&str, &str) = ("end-user", "tester");

/// One way that a call may go.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// Share of the call's requests.
    pub(crate) share: f64,
    /// The Service that proxies name in their reports.
    pub(crate) service: ServiceIndex,
    pub(crate) subset: Option<String>,
    pub(crate) end: End,
    /// Injected before forwarding.
    pub(crate) delay_ms: f64,
    pub(crate) timeout_ms: Option<f64>,
    pub(crate) retries: Retries,
}

/// Where a branch ends.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// At one of these versions; shares add up to 1.
    Reach(Vec<(WorkloadIndex, f64)>),
    /// At the caller's own proxy.
    Answer(Outcome),
}

impl Branch {
    /// Whether the caller's proxy tries again after this outcome of a try.
    pub(crate) fn retries_on(&self, outcome: Outcome) -> bool {
        let code = outcome.code.to_string();
        self.retries.attempts > 0
            && self
                .retries
                .retry_on
                .split(',')
                .any(|condition| match condition.trim() {
                    "5xx" => outcome.code >= 500,
                    "gateway-error" => matches!(outcome.code, 502..=504),
                    "retriable-4xx" => outcome.code == 409,
                    "cancelled" => outcome.grpc == Some(1),
                    "deadline-exceeded" => outcome.grpc == Some(4),
                    "resource-exhausted" => outcome.grpc == Some(8),
                    "internal" => outcome.grpc == Some(13),
                    "unavailable" => outcome.grpc == Some(14),
                    other => outcome.grpc.is_none() && other == code,
                })
    }
}

/// The branches of every call of the world, by the call's site, for the versions ready in one state of the objects.
#[derive(Debug)]
pub(crate) struct Plans {
    sites: Vec<Plan>,
}

/// The branches of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Shares add up to 1.
    pub(crate) branches: Vec<Branch>,
    /// The caller's `DestinationRule` turns TLS off.
    pub(crate) plain_text: bool,
}

impl Plans {
    pub(crate) fn of(&self, call: &Call) -> &Plan {
        &self.sites[call.site]
    }

    /// Reads the objects.
    pub(crate) fn new(world: &World, objects: &[Object]) -> Self {
        let reader = Reader {
            world,
            services: world
                .services
                .iter()
                .enumerate()
                .map(|(index, service)| (service.host.as_str(), index))
                .collect(),
            ready: ready_replicas(world, objects),
        };
        let plain = plain_text_hosts(objects);
        let router = Router::new(objects);
        let mut routes: BTreeMap<(&str, ServiceIndex), Option<EffectiveRoute>> = BTreeMap::new();
        let mut sites = vec![Plan::default(); world.sites];
        for operation in &world.operations {
            let client = world.apps[operation.app].namespace.as_str();
            for call in &operation.calls {
                let app = world.app_of(call.to);
                let host = world.services[app.service].host.as_str();
                let route = routes.entry((client, app.service)).or_insert_with(|| {
                    (app.place != Place::Outside).then(|| router.route(client, host))?
                });
                let asked = &world.operations[call.to];
                let plain_text = [client, app.namespace.as_str()]
                    .iter()
                    .find_map(|namespace| plain.get(&(*namespace, host.to_owned())))
                    .copied()
                    .unwrap_or(false);
                sites[call.site] = Plan {
                    branches: reader.branches(route.as_ref(), operation, asked),
                    plain_text,
                };
            }
        }
        Self { sites }
    }
}

/// Ready replicas of each version, by its Deployment.
fn ready_replicas(world: &World, objects: &[Object]) -> Vec<u64> {
    let deployments: BTreeMap<(&str, &str), u64> = objects
        .iter()
        .filter(|object| object.reference.kind == ObjectKind::Deployment)
        .map(|object| {
            let ready = object.doc.pointer("/status/readyReplicas");
            let name = (
                object.reference.namespace.as_str(),
                object.reference.name.as_str(),
            );
            (name, ready.and_then(Value::as_u64).unwrap_or(0))
        })
        .collect();
    world
        .workloads
        .iter()
        .map(|workload| {
            let app = &world.apps[workload.app];
            if app.place == Place::Outside {
                return 1;
            }
            let name = (app.namespace.as_str(), workload.name.as_str());
            deployments.get(&name).copied().unwrap_or(0)
        })
        .collect()
}

/// By namespace of the rule and host: whether it turns TLS off.
fn plain_text_hosts(objects: &[Object]) -> BTreeMap<(&str, String), bool> {
    let mut hosts = BTreeMap::new();
    for object in objects {
        if object.reference.kind != ObjectKind::DestinationRule {
            continue;
        }
        let host = object.doc.pointer("/spec/host").and_then(Value::as_str);
        let mode = object.doc.pointer("/spec/trafficPolicy/tls/mode");
        let namespace = object.reference.namespace.as_str();
        if let (Some(host), Some(mode)) = (host, mode.and_then(Value::as_str)) {
            let host = full_host(host, namespace);
            hosts.entry((namespace, host)).or_insert(mode == "DISABLE");
        }
    }
    hosts
}

struct Reader<'a> {
    world: &'a World,
    services: BTreeMap<&'a str, ServiceIndex>,
    ready: Vec<u64>,
}

impl Reader<'_> {
    fn branches(
        &self,
        route: Option<&EffectiveRoute>,
        caller: &Operation,
        asked: &Operation,
    ) -> Vec<Branch> {
        let service = self.world.apps[asked.app].service;
        let Some(route) = route else {
            return vec![self.undeclared(service)];
        };
        let mut branches = Vec::new();
        for (tester, share) in [(false, 1.0 - TESTERS), (true, TESTERS)] {
            self.class(
                route,
                &self.facts(caller, asked, tester),
                share,
                service,
                &mut branches,
            );
        }
        merge(branches)
    }

    fn facts(&self, caller: &Operation, asked: &Operation, tester: bool) -> RequestFacts {
        let client = &self.world.apps[caller.app];
        let callee = &self.world.apps[asked.app];
        let mut headers = BTreeMap::new();
        headers.insert(
            ":authority".to_owned(),
            service_host(&callee.name, &callee.namespace),
        );
        if tester {
            headers.insert(TESTER_HEADER.0.to_owned(), TESTER_HEADER.1.to_owned());
        }
        let mut source_labels = BTreeMap::new();
        source_labels.insert("app".to_owned(), client.name.clone());
        RequestFacts {
            path: asked.path.replace("{id}", "1"),
            method: asked.method.to_owned(),
            headers,
            source_labels,
            source_namespace: client.namespace.clone(),
            port: Some(callee.port),
            ..RequestFacts::default()
        }
    }

    /// No object decides: to the Service as it is.
    fn undeclared(&self, service: ServiceIndex) -> Branch {
        Branch {
            share: 1.0,
            service,
            subset: None,
            end: self.reach(service, |_| true),
            delay_ms: 0.0,
            timeout_ms: None,
            retries: Retries::default(),
        }
    }

    /// Adds the branches of one class of requests.
    fn class(
        &self,
        route: &EffectiveRoute,
        facts: &RequestFacts,
        share: f64,
        service: ServiceIndex,
        branches: &mut Vec<Branch>,
    ) {
        let protocol = self.protocol(service);
        let tcp = protocol == Protocol::Tcp;
        let unit = if tcp {
            SplitUnit::Connections
        } else {
            SplitUnit::Requests
        };
        let entry = route
            .entries
            .iter()
            .filter(|entry| entry.api.unit() == unit)
            .find(|entry| entry.fits(facts));
        let base = Branch {
            share,
            ..self.undeclared(service)
        };
        let Some(entry) = entry else {
            // Entries for other protocols leave the connection alone; none that fits is no route.
            let end = if tcp {
                base.end.clone()
            } else {
                End::Answer(Outcome::status(protocol, 404, Flag::NoRoute))
            };
            branches.push(Branch { end, ..base });
            return;
        };
        let base = with_policies(base, entry);
        let aborted = entry
            .abort
            .as_ref()
            .map_or(0.0, |abort| abort.percent / 100.0);
        if let Some(abort) = entry.abort.as_ref().filter(|_| aborted > 0.0) {
            branches.push(Branch {
                share: base.share * aborted,
                end: End::Answer(abort_outcome(protocol, abort)),
                ..base.clone()
            });
        }
        let delayed = entry.delay.map_or(0.0, |delay| delay.percent / 100.0);
        let delay_ms = entry.delay.map_or(0.0, |delay| as_ms(delay.fixed_ms));
        for (part, delay_ms) in [(1.0 - delayed, 0.0), (delayed, delay_ms)] {
            let forwarded = Branch {
                share: base.share * (1.0 - aborted) * part,
                delay_ms,
                ..base.clone()
            };
            self.forward(&entry.action, entry.api, &forwarded, branches);
        }
    }

    fn forward(
        &self,
        action: &RouteAction,
        api: RouteApi,
        base: &Branch,
        branches: &mut Vec<Branch>,
    ) {
        let protocol = self.protocol(base.service);
        match action {
            RouteAction::Respond(code) => branches.push(Branch {
                end: End::Answer(Outcome::status(protocol, *code, Flag::None)),
                ..base.clone()
            }),
            RouteAction::Forward(targets) => {
                branches.extend(targets.iter().map(|t| self.target(t, api, base)));
            }
        }
    }

    fn target(&self, target: &Target, api: RouteApi, base: &Branch) -> Branch {
        let found = self.services.get(target.host.as_str()).copied();
        let service = found.unwrap_or(base.service);
        let protocol = self.protocol(service);
        let refused = |code, flag| End::Answer(Outcome::status(protocol, code, flag));
        let (subset, end) = match &target.selection {
            _ if found.is_none() => (None, missing_host(api, &refused)),
            Selection::MissingHost => (None, missing_host(api, &refused)),
            Selection::All => (None, self.reach(service, |_| true)),
            Selection::Subset { name, labels } => {
                let end = self.reach(service, |workload| self.carries(workload, labels));
                (Some(name.clone()), end)
            }
            Selection::MissingSubset { name } => {
                (Some(name.clone()), refused(503, Flag::NoCluster))
            }
        };
        Branch {
            share: base.share * target.ratio,
            service,
            subset,
            end,
            ..base.clone()
        }
    }

    fn protocol(&self, service: ServiceIndex) -> Protocol {
        self.world.apps[self.world.services[service].app].protocol
    }

    /// Whether pods of a version carry these labels.
    fn carries(&self, workload: WorkloadIndex, labels: &BTreeMap<String, String>) -> bool {
        let workload = &self.world.workloads[workload];
        labels.iter().all(|(name, value)| match name.as_str() {
            "app" => *value == self.world.apps[workload.app].name,
            "version" => *value == workload.version,
            _ => false,
        })
    }

    /// The ready versions of a Service, by their replicas.
    fn reach(&self, service: ServiceIndex, wanted: impl Fn(WorkloadIndex) -> bool) -> End {
        let all = self.world.services[service].workloads.iter().copied();
        let ready: Vec<(WorkloadIndex, f64)> = all
            .filter(|workload| wanted(*workload) && self.ready[*workload] > 0)
            .map(|workload| (workload, as_ms(self.ready[workload])))
            .collect();
        let total: f64 = ready.iter().map(|(_, replicas)| replicas).sum();
        if ready.is_empty() {
            let protocol = self.protocol(service);
            return End::Answer(Outcome::status(protocol, 503, Flag::NoHealthy));
        }
        End::Reach(ready.into_iter().map(|(w, n)| (w, n / total)).collect())
    }
}

fn missing_host(api: RouteApi, refused: &impl Fn(u16, Flag) -> End) -> End {
    // Envoy has no cluster for it only where the route still names one; the Gateway API has it answer by itself.
    let flag = match api.family() {
        RouteFamily::Istio => Flag::NoCluster,
        RouteFamily::GatewayApi => Flag::None,
    };
    refused(api.status_without_backend(), flag)
}

/// Injected faults switch off the entry's timeout and retries, as Istio documents.
fn with_policies(base: Branch, entry: &RouteEntry) -> Branch {
    let faulty = entry.abort.is_some() || entry.delay.is_some();
    let mut retries = entry.retries.clone();
    if faulty {
        retries.attempts = 0;
    }
    Branch {
        timeout_ms: entry.timeout_ms.filter(|_| !faulty).map(as_ms),
        retries,
        ..base
    }
}

fn abort_outcome(protocol: Protocol, abort: &Abort) -> Outcome {
    let grpc = abort.grpc_status.as_deref().and_then(grpc_status);
    match (grpc, abort.http_status) {
        (Some(status), _) => Outcome::grpc(status, Flag::Abort),
        (None, Some(code)) => Outcome::status(protocol, code, Flag::Abort),
        (None, None) => Outcome::status(protocol, 503, Flag::Abort),
    }
}

/// Drops branches that nobody takes and adds up those that differ in share only.
fn merge(branches: Vec<Branch>) -> Vec<Branch> {
    let mut merged: Vec<Branch> = Vec::with_capacity(branches.len());
    for branch in branches.into_iter().filter(|branch| branch.share > 0.0) {
        match merged.iter_mut().find(|kept| alike(kept, &branch)) {
            Some(kept) => kept.share += branch.share,
            None => merged.push(branch),
        }
    }
    merged
}

fn alike(a: &Branch, b: &Branch) -> bool {
    let ends = match (&a.end, &b.end) {
        (End::Answer(a), End::Answer(b)) => a == b,
        (End::Reach(a), End::Reach(b)) => a == b,
        (End::Answer(_), End::Reach(_)) | (End::Reach(_), End::Answer(_)) => false,
    };
    ends && a.service == b.service
        && a.subset == b.subset
        && a.delay_ms.to_bits() == b.delay_ms.to_bits()
        && a.timeout_ms.map(f64::to_bits) == b.timeout_ms.map(f64::to_bits)
        && a.retries == b.retries
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a policy and numbers of replicas are far below 2^53"
)]
const fn as_ms(value: u64) -> f64 {
    value as f64
}
