//! Who is on a side of a call: a span's words about its writer, and a caller's words about whom it calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::analysis::Party;
use super::types::{Span, Value};

/// Parties met so far: thousands of spans of one workload share one.
#[derive(Default)]
pub(super) struct Parties<'a> {
    known: BTreeMap<Words<'a>, Arc<Party>>,
}

/// A span's words about its writer; empty where it says nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Words<'a> {
    service: &'a str,
    node_id: &'a str,
    namespace: &'a str,
    revision: &'a str,
    cluster: &'a str,
    workload: &'a str,
    pod: &'a str,
}

impl<'a> Parties<'a> {
    /// Who wrote the span.
    pub(super) fn own(&mut self, span: &'a Span) -> Arc<Party> {
        let words = Words::of(span);
        let party = self.known.entry(words);
        Arc::clone(party.or_insert_with(|| Arc::new(words.into_party())))
    }
}

/// First non-empty text under these names.
fn first<'a>(attributes: &'a BTreeMap<String, Value>, names: &[&str]) -> Option<&'a str> {
    let texts = names.iter().filter_map(|name| match attributes.get(*name) {
        Some(Value::Text(text)) if !text.is_empty() => Some(text.as_str()),
        Some(_) | None => None,
    });
    texts.into_iter().next()
}

/// The service that wrote the span: the canonical one, else `service.name`.
pub(super) fn service_of(span: &Span) -> &str {
    first(&span.attributes, &["istio.canonical_service"]).unwrap_or(&span.service)
}

/// Whether both spans are of one service. A proxy's `reviews.shop` and its application's `reviews` are.
pub(super) fn same_service(a: &Span, b: &Span) -> bool {
    let (a, b) = (service_of(a), service_of(b));
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let rest = long.strip_prefix(short);
    rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('.') && !short.is_empty()))
}

impl<'a> Words<'a> {
    fn of(span: &'a Span) -> Self {
        let own = |names: &[&str]| first(&span.attributes, names);
        let resource = |names: &[&str]| first(&span.resource, names);
        Self {
            service: service_of(span),
            node_id: own(&["node_id"]).unwrap_or_default(),
            namespace: own(&["istio.namespace"])
                .or_else(|| resource(&["k8s.namespace.name", "service.namespace"]))
                .unwrap_or_default(),
            revision: own(&["istio.canonical_revision"])
                .or_else(|| resource(&["service.version"]))
                .unwrap_or_default(),
            cluster: own(&["istio.cluster_id"])
                .or_else(|| resource(&["k8s.cluster.name"]))
                .unwrap_or_default(),
            workload: resource(&[
                "k8s.deployment.name",
                "k8s.statefulset.name",
                "k8s.daemonset.name",
            ])
            .unwrap_or_default(),
            pod: resource(&["k8s.pod.name"]).unwrap_or_default(),
        }
    }

    fn into_party(self) -> Party {
        // `sidecar~10.1.2.3~reviews-v1-5b7c754ccb-55jwk.shop~shop.svc.cluster.local`
        let id = self.node_id.split('~').nth(2);
        let (pod, pod_namespace) = id.and_then(|id| id.split_once('.')).unwrap_or_default();
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Party {
            service: self.service.to_owned(),
            namespace: said(self.namespace).or_else(|| said(pod_namespace)),
            workload: said(self.workload)
                .or_else(|| workload_of_pod(pod))
                .or_else(|| workload_of_pod(self.pod)),
            revision: said(self.revision),
            cluster: said(self.cluster),
        }
    }
}

/// What a caller says of both sides. A waypoint knows who both are (`istio.source_…`, `istio.destination_…`); any other
/// proxy knows the host that it routed to, a library the name of its peer. A proxy's own side is better told by
/// [`Parties::own`], hence `None`.
pub(super) fn said_by_caller(span: &Span, host: Option<&str>) -> (Option<Party>, Option<Party>) {
    let source = said_party(
        span,
        "istio.source_workload",
        [
            &["istio.source_canonical_service", "istio.source_app_name"],
            &["istio.source_namespace", "istio.source_workload_namespace"],
            &[
                "istio.source_canonical_revision",
                "istio.source_app_version",
            ],
            &["istio.source_cluster_id"],
        ],
    );
    let destination = said_party(
        span,
        "istio.destination_workload",
        [
            &[
                "istio.destination_canonical_service",
                "istio.destination_app_name",
            ],
            &[
                "istio.destination_namespace",
                "istio.destination_workload_namespace",
            ],
            &[
                "istio.destination_canonical_revision",
                "istio.destination_app_version",
            ],
            &["istio.destination_cluster_id"],
        ],
    );
    (source, destination.or_else(|| party_of_host(span, host)))
}

fn said_party(span: &Span, workload: &str, names: [&[&str]; 4]) -> Option<Party> {
    let known = |text: &&str| *text != "unknown";
    let workload = first(&span.attributes, &[workload]).filter(known)?;
    let [service, namespace, revision, cluster] = names.map(|names| {
        let text = first(&span.attributes, names).filter(known);
        text.map(str::to_owned)
    });
    Some(Party {
        service: service.unwrap_or_else(|| workload.to_owned()),
        namespace,
        workload: Some(workload.to_owned()),
        revision,
        cluster,
    })
}

/// `reviews.shop.svc.cluster.local` is service reviews in namespace shop; any other host stands for itself.
fn party_of_host(span: &Span, host: Option<&str>) -> Option<Party> {
    let mut labels = host.unwrap_or_default().split('.');
    let (name, namespace, kind) = (labels.next(), labels.next(), labels.next());
    let (service, namespace) = if kind == Some("svc") {
        (name, namespace)
    } else {
        let peer = ["peer.service", "server.address", "upstream_address"];
        (host.or_else(|| first(&span.attributes, &peer)), None)
    };
    Some(Party {
        service: service.filter(|service| !service.is_empty())?.to_owned(),
        namespace: namespace.map(str::to_owned),
        ..Party::default()
    })
}

/// A pod's name without what controllers append: the five random characters, the hash of the template (`ReplicaSet`), the
/// ordinal (`StatefulSet`). Kubernetes draws both from an alphabet without vowels, so that words are safe from this.
fn workload_of_pod(pod: &str) -> Option<String> {
    if pod.is_empty() {
        return None;
    }
    let random = |text: &str| {
        text.bytes()
            .all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
    };
    let Some((rest, last)) = pod.rsplit_once('-') else {
        return Some(pod.to_owned());
    };
    let ordinal = !last.is_empty() && last.len() <= 4 && last.bytes().all(|b| b.is_ascii_digit());
    let name = if last.len() == 5 && random(last) {
        match rest.rsplit_once('-') {
            Some((name, hash)) if (6..=10).contains(&hash.len()) && random(hash) => name,
            _ => rest,
        }
    } else if ordinal {
        rest
    } else {
        pod
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{of, span, with};
    use super::{same_service, workload_of_pod};
    use crate::trace::SpanKind;

    #[test]
    fn pods_lose_what_controllers_appended() {
        for (pod, workload) in [
            ("reviews-v1-5b7c754ccb-55jwk", "reviews-v1"),
            ("reviews-v1-667b5cc65d-4m24g", "reviews-v1"),
            ("productpage-v1", "productpage-v1"),
            ("ztunnel-x7k2p", "ztunnel"),
            ("db-0", "db"),
            ("web", "web"),
            ("cart-router", "cart-router"),
            ("kafka-broker-12", "kafka-broker"),
        ] {
            assert_eq!(workload_of_pod(pod).as_deref(), Some(workload), "{pod}");
        }
        assert_eq!(workload_of_pod(""), None);
    }

    #[test]
    fn a_proxy_and_its_application_are_one_service() {
        let named = |service: &str| of(span(1, None, 0, 1), SpanKind::Server, service);
        let proxy = with(
            named("reviews.shop"),
            &[("istio.canonical_service", "reviews")],
        );
        assert!(same_service(&proxy, &named("reviews.shop")));
        assert!(same_service(&named("reviews.shop"), &named("reviews")));
        assert!(!same_service(&named("reviews"), &named("reviews-v2")));
        assert!(!same_service(&named(""), &named(".shop")));
    }
}
