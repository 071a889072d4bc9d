use proptest::prelude::*;

use super::*;

fn peer<'a>(
    namespace: &'a str,
    workload: &'a str,
    app: &'a str,
    version: &'a str,
    service: &'a str,
) -> Peer<'a> {
    Peer {
        cluster: ClusterKey::named("c1"),
        namespace,
        workload,
        app,
        version,
        service_namespace: if service.is_empty() { "" } else { "svc-ns" },
        service,
    }
}

#[test]
fn who_is_who() {
    use GraphType::{App, Service, VersionedApp, Workload};

    let all = peer("shop", "reviews-v1", "reviews", "v1", "reviews");
    let no_workload = peer("shop", "unknown", "reviews", "v1", "reviews");
    let no_version = peer("shop", "unknown", "reviews", "latest", "reviews");
    let no_app = peer("shop", "reviews-v1", "unknown", "unknown", "reviews");
    let external = peer(
        "unknown",
        "unknown",
        "unknown",
        "unknown",
        "api.example.com",
    );
    let nobody = peer("unknown", "unknown", "unknown", "unknown", "");
    let lost = Peer {
        service_namespace: "unknown",
        ..peer("unknown", "unknown", "unknown", "unknown", "unknown")
    };
    let cases = [
        (Workload, all, Some("workload:c1/shop/reviews-v1")),
        (Service, all, Some("workload:c1/shop/reviews-v1")),
        (App, all, Some("app:c1/shop/reviews")),
        (VersionedApp, all, Some("version:c1/shop/reviews-v1")),
        (Workload, no_workload, Some("service:c1/shop/reviews")),
        (App, no_workload, Some("app:c1/shop/reviews")),
        (
            VersionedApp,
            no_workload,
            Some("version:c1/shop/reviews@v1"),
        ),
        (VersionedApp, no_version, Some("app:c1/shop/reviews")),
        (App, no_app, Some("workload:c1/shop/reviews-v1")),
        (VersionedApp, no_app, Some("workload:c1/shop/reviews-v1")),
        (App, external, Some("service:c1/svc-ns/api.example.com")),
        (Workload, nobody, Some("unknown:c1/unknown/unknown")),
        (App, lost, Some("service:c1/unknown/unknown")),
        (App, Peer { app: "", ..lost }, None),
        (
            App,
            Peer {
                namespace: "shop",
                ..nobody
            },
            None,
        ),
    ];
    for (graph_type, peer, expected) in cases {
        let id = identify(graph_type, false, &peer).map(|key| key.id());
        assert_eq!(id.as_deref(), expected, "{graph_type:?} {peer:?}");
    }
}

#[test]
fn a_waypoint_is_a_workload_in_every_graph() {
    let waypoint = peer("shop", "waypoint", "waypoint", "latest", "reviews");
    for graph_type in [
        GraphType::Workload,
        GraphType::App,
        GraphType::VersionedApp,
        GraphType::Service,
    ] {
        let id = identify(graph_type, true, &waypoint).map(|key| key.id());
        assert_eq!(id.as_deref(), Some("workload:c1/shop/waypoint"));
    }
}

#[test]
fn a_service_node_stands_before_workloads_only() {
    let through = |peer: &Peer<'_>| {
        let target = identify(GraphType::Workload, false, peer).expect("somebody");
        service_between(true, peer, &target).map(|key| key.id())
    };
    let reviews = peer("shop", "reviews-v1", "reviews", "v1", "reviews");
    assert_eq!(
        through(&reviews).as_deref(),
        Some("service:c1/svc-ns/reviews")
    );
    let unserved = peer("unknown", "unknown", "unknown", "unknown", "reviews");
    assert_eq!(through(&unserved), None);
    let direct = peer("shop", "reviews-v1", "reviews", "v1", PASSTHROUGH);
    assert_eq!(through(&direct), None);
    let target = identify(GraphType::Workload, false, &reviews).expect("somebody");
    assert_eq!(service_between(false, &reviews, &target), None);
}

proptest! {
    /// Different identities never share an id, whatever characters their names hold; nor do boxes and clusters.
    #[test]
    fn ids_tell_identities_apart(
        left in prop::array::uniform5("[a/%>@]{0,3}"),
        right in prop::array::uniform5("[a/%>@]{0,3}"),
        revisions in any::<(bool, bool)>(),
        contexts in any::<(bool, bool)>(),
    ) {
        fn key(parts: &[String; 5], revision: bool, context: bool) -> NodeKey<'_> {
            let [cluster, context_name, namespace, name, version] = parts;
            NodeKey {
                cluster: ClusterKey { name: cluster, context: context.then_some(context_name) },
                namespace,
                name: if revision { Name::Revision(name, version) } else { Name::Version(name) },
            }
        }
        let (left, right) = (key(&left, revisions.0, contexts.0), key(&right, revisions.1, contexts.1));
        prop_assert_eq!(left == right, left.id() == right.id());
        let (left_id, right_id) = (left.id(), right.id());
        let (left_box, right_box) = (box_of(&left_id), box_of(&right_id));
        let one_cluster = left.cluster == right.cluster;
        prop_assert_eq!(one_cluster && left.namespace == right.namespace, left_box == right_box);
        prop_assert_eq!(one_cluster, cluster_of(left_box) == cluster_of(right_box));
    }
}

#[test]
fn a_box_is_named_as_its_nodes_are() {
    let cases = [
        (
            "app:Kubernetes/shop/reviews",
            "Kubernetes/shop",
            "Kubernetes",
        ),
        (
            "version:east@user%40host%2Fns/shop/reviews@v1",
            "east@user%40host%2Fns/shop",
            "east@user%40host%2Fns",
        ),
        (
            "unknown:unknown/unknown/unknown",
            "unknown/unknown",
            "unknown",
        ),
        ("app:east//reviews", "east/", "east"),
        ("odd", "odd", "odd"),
    ];
    for (id, place, cluster) in cases {
        assert_eq!(
            (box_of(id), cluster_of(box_of(id))),
            (place, cluster),
            "{id}"
        );
    }
}
