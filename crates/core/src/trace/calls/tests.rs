use super::super::testing::{of, span, trace, with};
use crate::trace::{Attempt, Call, Clock, Span, SpanKind, analyze};

fn calls(spans: Vec<Span>) -> Vec<Call> {
    analyze(&trace(spans), Clock::Raw).calls
}

/// A proxy's span of workload `name`-`revision` in namespace shop.
fn proxy(span: Span, kind: SpanKind, name: &str, revision: &str) -> Span {
    let node =
        format!("sidecar~10.0.0.1~{name}-{revision}-5b7c754ccb-55jwk.shop~shop.svc.cluster.local");
    let span = of(span, kind, &format!("{name}.shop"));
    with(
        span,
        &[
            ("component", "proxy"),
            ("node_id", &node),
            ("istio.canonical_service", name),
            ("istio.canonical_revision", revision),
            ("istio.namespace", "shop"),
            ("istio.cluster_id", "prod-eu"),
            ("response_flags", "-"),
        ],
    )
}

fn to(span: Span, cluster: &str) -> Span {
    with(span, &[("upstream_cluster", cluster)])
}

#[test]
fn two_proxies_make_one_call_with_both_durations() {
    let calls = calls(vec![
        to(
            proxy(span(1, None, 0, 100), SpanKind::Client, "web", "v5"),
            "outbound|9080|v2|reviews.shop.svc.cluster.local",
        ),
        to(
            proxy(span(2, Some(1), 7, 90), SpanKind::Server, "reviews", "v2"),
            "inbound|9080||",
        ),
    ]);
    let [call] = &calls[..] else {
        panic!("one call, not {}", calls.len())
    };
    assert_eq!((call.client, call.server), (Some(0), Some(1)));
    assert_eq!(
        (call.client_ns, call.server_ns, call.network_ns),
        (Some(100), Some(90), Some(10))
    );
    assert_eq!(call.source.workload.as_deref(), Some("web-v5"));
    let destination = call.destination.as_ref().expect("known");
    assert_eq!(destination.service, "reviews");
    assert_eq!(destination.namespace.as_deref(), Some("shop"));
    assert_eq!(destination.workload.as_deref(), Some("reviews-v2"));
    assert_eq!(destination.revision.as_deref(), Some("v2"));
    assert_eq!(destination.cluster.as_deref(), Some("prod-eu"));
    assert_eq!(
        (call.port, call.subset.as_deref()),
        (Some(9080), Some("v2"))
    );
    assert!(!call.error);
}

#[test]
fn a_call_that_nobody_served_names_the_host_it_was_routed_to() {
    let failed = with(
        to(
            proxy(span(1, None, 0, 1), SpanKind::Client, "web", "v5"),
            "outbound|9080||reviews.shop.svc.cluster.local",
        ),
        &[
            ("response_flags", "UO"),
            ("http.response.status_code", "503"),
        ],
    );
    let calls = calls(vec![failed]);
    let destination = calls[0].destination.as_ref().expect("named");
    assert_eq!(
        (
            destination.service.as_str(),
            destination.namespace.as_deref()
        ),
        ("reviews", Some("shop"))
    );
    assert_eq!(destination.revision, None, "not known is not a guess");
    assert_eq!((calls[0].server_ns, calls[0].network_ns), (None, None));
    assert_eq!(
        (calls[0].flags.as_deref(), calls[0].http_status),
        (Some("UO"), Some(503))
    );
    assert_eq!(calls[0].subset, None);
    assert!(calls[0].error);
}

#[test]
fn a_callee_that_outlasts_its_caller_says_nothing_about_the_network() {
    let calls = calls(vec![
        of(span(1, None, 0, 10), SpanKind::Client, "web"),
        of(span(2, Some(1), 1, 50), SpanKind::Server, "slow"),
    ]);
    assert_eq!(calls[0].network_ns, None);
}

#[test]
fn of_a_library_and_its_sidecar_only_the_sidecar_counts() {
    let calls = calls(vec![
        with(
            of(span(1, None, 0, 100), SpanKind::Client, "web"),
            &[("istio.canonical_service", "web")],
        ),
        proxy(span(2, Some(1), 5, 90), SpanKind::Client, "web", "v5"),
        proxy(span(3, Some(2), 10, 80), SpanKind::Server, "reviews", "v2"),
        of(span(4, Some(3), 12, 70), SpanKind::Server, "reviews.shop"),
    ]);
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (calls[0].client_ns, calls[0].server_ns),
        (Some(90), Some(80))
    );
}

#[test]
fn a_gateway_that_serves_and_routes_on_is_a_caller() {
    let calls = calls(vec![
        to(
            proxy(span(1, None, 0, 100), SpanKind::Server, "gateway", "latest"),
            "outbound|80||web.shop.svc.cluster.local",
        ),
        to(
            proxy(span(2, Some(1), 5, 80), SpanKind::Server, "web", "v5"),
            "inbound|80||",
        ),
    ]);
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (calls[0].source.service.as_str(), calls[0].network_ns),
        ("gateway", Some(20))
    );
}

#[test]
fn a_waypoint_says_who_both_sides_are() {
    let waypoint = with(
        of(span(1, None, 0, 9), SpanKind::Server, "waypoint.shop"),
        &[
            (
                "upstream_cluster",
                "inbound-vip|9080|http|reviews.shop.svc.cluster.local",
            ),
            ("istio.source_workload", "web-v5"),
            ("istio.source_namespace", "shop"),
            ("istio.destination_workload", "reviews-v2"),
            ("istio.destination_canonical_service", "reviews"),
            ("istio.destination_canonical_revision", "v2"),
        ],
    );
    let calls = calls(vec![waypoint]);
    assert_eq!(calls[0].source.workload.as_deref(), Some("web-v5"));
    let destination = calls[0].destination.as_ref().expect("said");
    assert_eq!(
        (
            destination.service.as_str(),
            destination.revision.as_deref()
        ),
        ("reviews", Some("v2"))
    );
    assert_eq!(calls[0].subset, None, "`http` is no subset");
}

#[test]
fn a_server_below_another_workload_is_a_call_seen_from_one_side() {
    let calls = calls(vec![
        of(span(1, None, 0, 9), SpanKind::Internal, "cron"),
        of(span(2, Some(1), 1, 5), SpanKind::Server, "mailer"),
        of(span(3, Some(2), 2, 1), SpanKind::Server, "mailer"),
    ]);
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (calls[0].client, calls[0].client_ns, calls[0].server_ns),
        (None, None, Some(5))
    );
    assert_eq!(calls[0].source.service, "cron");
}

#[test]
fn calls_begun_after_a_failed_one_are_attempts() {
    let call = |id, start, duration, flags| {
        let mut client = of(span(id, Some(1), start, duration), SpanKind::Client, "web");
        client.operation = "reviews".to_owned();
        with(
            client,
            &[
                ("response_flags", flags),
                (
                    "upstream_cluster",
                    "outbound|80||reviews.shop.svc.cluster.local",
                ),
            ],
        )
    };
    let of_two = |number| Some(Attempt { number, of: 2 });
    let attempts =
        |spans| -> Vec<Option<Attempt>> { calls(spans).iter().map(|c| c.attempt).collect() };
    let root = || span(1, None, 0, 100);
    assert_eq!(
        attempts(vec![root(), call(2, 10, 5, "UO"), call(3, 20, 5, "-")]),
        [of_two(1), of_two(2)]
    );
    assert_eq!(
        attempts(vec![root(), call(2, 10, 5, "-"), call(3, 20, 5, "-")]),
        [None, None],
        "a loop"
    );
    assert_eq!(
        attempts(vec![root(), call(2, 10, 15, "UO"), call(3, 20, 5, "-")]),
        [None, None],
        "in parallel"
    );
}
