//! Documents of declared objects as an API server answers them, made from the world.

use std::collections::BTreeMap;

use pilothouse_core::model::{Moment, ObjectKind, ObjectRef};
use serde_json::{Map, Value, json};

use crate::random::{hash, hash_text, mix};
use crate::world::{App, Place, Protocol, World};

/// When the mesh was set up: 2026-03-02T09:14:00Z.
const CREATED: Moment = Moment(1_772_442_840_000);
/// resourceVersion of the first object.
const FIRST_VERSION: usize = 1_000;

/// All objects that the world starts with.
pub(crate) fn documents(world: &World, seed: u64) -> BTreeMap<ObjectRef, Value> {
    let namespaces = world.namespaces().into_iter().map(namespace);
    let services = world.services.iter().filter_map(|service| {
        let app = &world.apps[service.app];
        let inside = app.place != Place::Outside;
        inside.then(|| self::service(&service.name, service.version.as_deref(), app))
    });
    let deployments = world.workloads.iter().filter_map(|workload| {
        let app = &world.apps[workload.app];
        let inside = app.place != Place::Outside;
        inside.then(|| deployment(&workload.name, &workload.version, workload.replicas, app))
    });
    let manifests = world.manifests.iter().cloned();
    namespaces
        .chain(services)
        .chain(deployments)
        .chain(manifests)
        .enumerate()
        .filter_map(|(index, manifest)| admit(manifest, index, seed))
        .collect()
}

/// Gives a manifest what the server adds.
fn admit(mut doc: Value, index: usize, seed: u64) -> Option<(ObjectRef, Value)> {
    let reference = reference_of(&doc)?;
    let created = Moment(CREATED.0 + i64::try_from(index).unwrap_or(0) * 1_000);
    let manager = managed_fields(&doc, "kubectl-client-side-apply", created);
    let metadata = doc.get_mut("metadata")?.as_object_mut()?;
    metadata.insert("uid".to_owned(), json!(uid(seed, &reference)));
    metadata.insert(
        "resourceVersion".to_owned(),
        json!((FIRST_VERSION + index).to_string()),
    );
    metadata.insert("creationTimestamp".to_owned(), json!(rfc3339(created)));
    let generational = !matches!(reference.kind, ObjectKind::Namespace | ObjectKind::Service);
    if generational {
        metadata.insert("generation".to_owned(), json!(1));
    }
    metadata.insert("managedFields".to_owned(), json!([manager]));
    observe(&mut doc);
    Some((reference, doc))
}

pub(crate) fn reference_of(doc: &Value) -> Option<ObjectRef> {
    let kind = ObjectKind::parse(doc.get("kind")?.as_str()?)?;
    let name = doc.pointer("/metadata/name")?.as_str()?;
    let namespace = doc
        .pointer("/metadata/namespace")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Some(ObjectRef::new(kind, namespace, name))
}

/// What controllers write into the status as soon as they see a spec: here at once.
pub(crate) fn observe(doc: &mut Value) {
    let generation = doc.pointer("/metadata/generation").cloned();
    let status = match doc.get("kind").and_then(Value::as_str) {
        Some("Deployment") => {
            let replicas = doc.pointer("/spec/replicas").and_then(Value::as_u64);
            let replicas = replicas.unwrap_or(1);
            json!({
                "observedGeneration": generation,
                "replicas": replicas,
                "updatedReplicas": replicas,
                "readyReplicas": replicas,
                "availableReplicas": replicas,
            })
        }
        Some("HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute") => {
            let parents = doc.pointer("/spec/parentRefs").and_then(Value::as_array);
            let parents: Vec<Value> = parents
                .into_iter()
                .flatten()
                .map(|parent| {
                    let condition = |kind: &str, reason: &str| {
                        json!({
                            "type": kind,
                            "status": "True",
                            "reason": reason,
                            "message": "",
                            "observedGeneration": generation,
                            "lastTransitionTime": rfc3339(CREATED),
                        })
                    };
                    json!({
                        "parentRef": parent,
                        "controllerName": "istio.io/gateway-controller",
                        "conditions": [
                            condition("Accepted", "Accepted"),
                            condition("ResolvedRefs", "ResolvedRefs"),
                        ],
                    })
                })
                .collect();
            json!({ "parents": parents })
        }
        _ => return,
    };
    if let Some(doc) = doc.as_object_mut() {
        doc.insert("status".to_owned(), status);
    }
}

/// An entry of `metadata.managedFields` that owns every field of the spec (lists are atomic in these kinds).
pub(crate) fn managed_fields(doc: &Value, manager: &str, at: Moment) -> Value {
    let fields = doc.get("spec").and_then(Value::as_object);
    let fields: Map<String, Value> = fields
        .into_iter()
        .flat_map(Map::keys)
        .map(|key| (format!("f:{key}"), json!({})))
        .collect();
    json!({
        "apiVersion": doc.get("apiVersion"),
        "fieldsType": "FieldsV1",
        "fieldsV1": { "f:spec": fields },
        "manager": manager,
        "operation": "Update",
        "time": rfc3339(at),
    })
}

fn uid(seed: u64, reference: &ObjectRef) -> String {
    let high = hash(&[seed, hash_text(&reference.to_string())]);
    let low = mix(high);
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": { "istio-injection": "enabled", "kubernetes.io/metadata.name": name },
        },
        "spec": {},
        "status": { "phase": "Active" },
    })
}

fn service(name: &str, version: Option<&str>, app: &App) -> Value {
    let mut selector = json!({ "app": app.name });
    if let Some(version) = version {
        selector["version"] = json!(version);
    }
    let port_name = match app.protocol {
        Protocol::Http => "http",
        Protocol::Grpc => "grpc",
        Protocol::Tcp => "tcp",
    };
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": app.namespace,
            "labels": { "app": app.name },
        },
        "spec": {
            "type": "ClusterIP",
            "selector": selector,
            "ports": [{ "name": port_name, "port": app.port, "targetPort": app.port, "protocol": "TCP" }],
        },
    })
}

fn deployment(name: &str, version: &str, replicas: u32, app: &App) -> Value {
    let labels = json!({ "app": app.name, "version": version });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "namespace": app.namespace, "labels": labels },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "containers": [{ "name": app.name, "image": format!("shop.example.com/{}:{version}", app.name) }],
                },
            },
        },
    })
}

/// A moment as Kubernetes writes it, in whole seconds.
pub(crate) fn rfc3339(at: Moment) -> String {
    let seconds = at.0.div_euclid(1_000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date from days, in years that begin with March, so that the leap day comes last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{CREATED, rfc3339};
    use pilothouse_core::model::Moment;

    #[test]
    fn moments_are_written_as_kubernetes_does() {
        let table = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_795_344_675_487, "2026-11-22T10:51:15Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (CREATED.0, "2026-03-02T09:14:00Z"),
        ];
        for (at, text) in table {
            assert_eq!(rfc3339(Moment(at)), text);
        }
    }
}
