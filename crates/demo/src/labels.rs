//! Labels of Istio's standard metrics, kept as numbers until somebody reads them: grouping twenty thousand rows by
//! thirteen labels must not compare text.

use std::collections::BTreeMap;

use crate::flow::{FlowKey, Outcome};
use crate::world::{Place, Protocol, World};

/// Names of the labels, sorted; a row has one value for each.
pub(crate) const LABELS: [&str; 25] = [
    "connection_security_policy",
    "destination_app",
    "destination_canonical_revision",
    "destination_canonical_service",
    "destination_cluster",
    "destination_principal",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "destination_version",
    "destination_workload",
    "destination_workload_namespace",
    "grpc_response_status",
    "reporter",
    "request_protocol",
    "response_code",
    "response_flags",
    "source_app",
    "source_canonical_revision",
    "source_canonical_service",
    "source_cluster",
    "source_principal",
    "source_version",
    "source_workload",
    "source_workload_namespace",
];

/// Name of the only cluster.
pub(crate) const CLUSTER: &str = "Kubernetes";

/// A label's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LabelValue {
    /// The row does not have the label.
    Absent,
    /// A name of the dictionary.
    Name(u32),
    /// A code.
    Number(u16),
}

/// Values in the order of [`LABELS`].
pub(crate) type LabelValues = [LabelValue; LABELS.len()];

/// Index of a label; `None` if no row ever has it.
pub(crate) fn label_index(name: &str) -> Option<usize> {
    LABELS.binary_search(&name).ok()
}

#[derive(Debug, Default)]
struct Interner {
    names: Vec<String>,
    index: BTreeMap<String, u32>,
}

impl Interner {
    fn intern(&mut self, name: &str) -> LabelValue {
        if let Some(id) = self.index.get(name) {
            return LabelValue::Name(*id);
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), id);
        LabelValue::Name(id)
    }
}

/// Values that a workload gives to either side: app, canonical revision, canonical service, cluster, principal, version,
/// workload, namespace.
#[derive(Clone, Copy, Debug)]
struct Side {
    app: LabelValue,
    version: LabelValue,
    principal: LabelValue,
    workload: LabelValue,
    namespace: LabelValue,
    cluster: LabelValue,
}

#[derive(Clone, Copy, Debug)]
struct ServiceSide {
    host: LabelValue,
    name: LabelValue,
    namespace: LabelValue,
}

/// The names of a world.
#[derive(Debug)]
pub(crate) struct Dictionary {
    interner: Interner,
    workloads: Vec<Side>,
    services: Vec<ServiceSide>,
    nobody: Side,
    reporters: [LabelValue; 2],
    protocols: [LabelValue; 3],
    /// By [`crate::flow::Flag`].
    flags: [LabelValue; crate::flow::Flag::ALL.len()],
    mutual_tls: LabelValue,
    plain_text: LabelValue,
    unknown: LabelValue,
}

impl Dictionary {
    pub(crate) fn new(world: &World) -> Self {
        let mut interner = Interner::default();
        let unknown = interner.intern("unknown");
        let cluster = interner.intern(CLUSTER);
        let workloads = world
            .workloads
            .iter()
            .map(|workload| {
                let app = &world.apps[workload.app];
                let principal = format!(
                    "spiffe://cluster.local/ns/{}/sa/{}",
                    app.namespace, app.name
                );
                Side {
                    app: interner.intern(&app.name),
                    version: interner.intern(&workload.version),
                    principal: interner.intern(&principal),
                    workload: interner.intern(&workload.name),
                    namespace: interner.intern(&app.namespace),
                    cluster,
                }
            })
            .collect();
        let services = world
            .services
            .iter()
            .map(|service| {
                let outside = world.apps[service.app].place == Place::Outside;
                ServiceSide {
                    host: interner.intern(&service.host),
                    name: interner.intern(if outside {
                        "PassthroughCluster"
                    } else {
                        &service.name
                    }),
                    namespace: if outside {
                        unknown
                    } else {
                        interner.intern(&service.namespace)
                    },
                }
            })
            .collect();
        let nobody = Side {
            app: unknown,
            version: unknown,
            principal: unknown,
            workload: unknown,
            namespace: unknown,
            cluster: unknown,
        };
        Self {
            workloads,
            services,
            nobody,
            reporters: ["source", "destination"].map(|name| interner.intern(name)),
            protocols: ["http", "grpc", "tcp"].map(|name| interner.intern(name)),
            flags: crate::flow::Flag::ALL.map(|flag| interner.intern(flag.as_str())),
            mutual_tls: interner.intern("mutual_tls"),
            plain_text: interner.intern("none"),
            unknown,
            interner,
        }
    }

    /// The value's text; `None` if the label is absent.
    pub(crate) fn text(&self, value: LabelValue) -> Option<String> {
        match value {
            LabelValue::Absent => None,
            LabelValue::Name(id) => self.interner.names.get(id as usize).cloned(),
            LabelValue::Number(number) => Some(number.to_string()),
        }
    }

    /// The value of this text as it would stand in a row of this label; `None` if no row can have it.
    pub(crate) fn value(&self, label: usize, text: &str) -> Option<LabelValue> {
        if matches!(
            LABELS.get(label),
            Some(&"response_code" | &"grpc_response_status")
        ) && let Ok(number) = text.parse()
        {
            return Some(LabelValue::Number(number));
        }
        self.interner.index.get(text).copied().map(LabelValue::Name)
    }

    /// The labels of a flow's row.
    pub(crate) fn labels(&self, world: &World, key: &FlowKey) -> LabelValues {
        let source = self.workloads[key.from];
        let service = self.services[key.service];
        let target = key.to.map_or(self.nobody, |to| self.workloads[to]);
        let protocol = world.apps[world.services[key.service].app].protocol;
        let (code, grpc, flag) = match key.outcome {
            Some(Outcome { code, grpc, flag }) if protocol != Protocol::Tcp => (
                LabelValue::Number(code),
                grpc.map_or(LabelValue::Absent, LabelValue::Number),
                self.flags[flag as usize],
            ),
            Some(Outcome { flag, .. }) => (
                LabelValue::Absent,
                LabelValue::Absent,
                self.flags[flag as usize],
            ),
            None => (LabelValue::Absent, LabelValue::Absent, self.flags[0]),
        };
        let security = match (key.seen_by_callee, key.plain_text) {
            (false, _) => self.unknown,
            (true, true) => self.plain_text,
            (true, false) => self.mutual_tls,
        };
        // Principals come from certificates: none in plain text.
        let principal = |side: Side| {
            if key.plain_text {
                self.unknown
            } else {
                side.principal
            }
        };
        [
            security,
            target.app,
            target.version,
            target.app,
            target.cluster,
            principal(target),
            service.host,
            service.name,
            service.namespace,
            target.version,
            target.workload,
            target.namespace,
            grpc,
            self.reporters[usize::from(key.seen_by_callee)],
            self.protocols[protocol as usize],
            code,
            flag,
            source.app,
            source.version,
            source.app,
            source.cluster,
            principal(source),
            source.version,
            source.workload,
            source.namespace,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{LABELS, label_index};

    #[test]
    fn labels_are_sorted_so_that_they_can_be_found() {
        assert!(LABELS.is_sorted());
        assert!(
            LABELS
                .iter()
                .enumerate()
                .all(|(i, name)| label_index(name) == Some(i))
        );
        assert_eq!(label_index("le"), None);
    }
}
