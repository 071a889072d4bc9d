use super::super::identity::identify;
use super::super::testing::{of, span};
use super::super::tree::lay_out;
use super::{MAX_SKEW_NS, measure};
use crate::trace::{Span, SpanKind, Value};

/// A span on a host.
fn on(host: &str, mut span: Span) -> Span {
    let value = Value::Text(host.to_owned());
    span.resource.insert("host.ip".to_owned(), value);
    span
}

#[track_caller]
fn check(spans: &[Span], max: i128, expected: &[(u64, i128)], refused: usize) {
    let identities = identify(spans);
    let plan = lay_out(spans, &identities);
    let skew = measure(spans, &identities, &plan, max);
    let moved: Vec<(u64, i128)> = (0..identities.kept.len())
        .map(|k| (spans[identities.kept[k]].id.0, skew.shifts[k]))
        .filter(|(_, shift)| *shift != 0)
        .collect();
    assert_eq!(moved, expected);
    assert_eq!(skew.refused.len(), refused);
}

#[test]
fn one_host_has_one_clock() {
    let spans = [
        on("a", span(1, None, 10, 100)),
        on("a", span(2, Some(1), 0, 50)),
    ];
    check(&spans, MAX_SKEW_NS, &[], 0);
}

#[test]
fn a_child_that_fits_stays() {
    let spans = [
        on("a", span(1, None, 10, 100)),
        on("b", span(2, Some(1), 20, 90)),
    ];
    check(&spans, MAX_SKEW_NS, &[], 0);
}

#[test]
fn a_child_that_does_not_fit_is_centred() {
    for (start, shift) in [(0, 35), (80, -45), (500, -465)] {
        let spans = [
            on("a", span(1, None, 10, 100)),
            on("b", span(2, Some(1), start, 50)),
        ];
        check(&spans, MAX_SKEW_NS, &[(2, shift)], 0);
    }
}

#[test]
fn a_child_longer_than_its_parent_only_moves_up_to_its_start() {
    let longer = |start| {
        [
            on("a", span(1, None, 10, 100)),
            on("b", span(2, Some(1), start, 150)),
        ]
    };
    check(&longer(0), MAX_SKEW_NS, &[(2, 10)], 0);
    check(&longer(20), MAX_SKEW_NS, &[], 0);
}

#[test]
fn all_below_on_the_same_host_move_along_and_the_next_host_is_measured_anew() {
    let spans = [
        on("a", span(1, None, 10, 100)),
        on("b", span(2, Some(1), 50, 70)),
        on("b", span(3, Some(2), 0, 1)),
        on("c", span(4, Some(3), 1000, 1)),
    ];
    check(&spans, MAX_SKEW_NS, &[(2, -25), (3, -25), (4, -1025)], 0);
}

#[test]
fn beyond_the_limit_nothing_moves_and_it_is_said() {
    let spans = [
        on("a", span(1, None, 10, 100)),
        on("b", span(2, Some(1), 0, 50)),
    ];
    check(&spans, 34, &[], 1);
    check(&spans, 35, &[(2, 35)], 0);
    check(&spans, 0, &[], 1);
}

#[test]
fn messages_arrive_late_and_stay_late() {
    let sent = of(on("a", span(1, None, 0, 10)), SpanKind::Producer, "shop");
    let taken = of(
        on("b", span(2, Some(1), 500, 5)),
        SpanKind::Consumer,
        "mailer",
    );
    check(&[sent, taken], MAX_SKEW_NS, &[], 0);

    let mut follower = on("b", span(2, Some(1), 500, 5));
    let value = Value::Text("follows_from".to_owned());
    follower
        .attributes
        .insert("opentracing.ref_type".to_owned(), value);
    check(
        &[on("a", span(1, None, 0, 10)), follower],
        MAX_SKEW_NS,
        &[],
        0,
    );
}

#[test]
fn without_hosts_a_service_is_taken_for_one() {
    let late = span(2, Some(1), 500, 5);
    check(&[span(1, None, 0, 10), late.clone()], MAX_SKEW_NS, &[], 0);
    let elsewhere = of(late, SpanKind::Server, "other");
    check(
        &[span(1, None, 0, 10), elsewhere],
        MAX_SKEW_NS,
        &[(2, -498)],
        0,
    );
}

#[test]
fn a_proxy_is_on_the_host_of_its_pod() {
    let mut proxy = of(span(1, None, 0, 10), SpanKind::Server, "reviews.shop");
    let node = "sidecar~10.1.2.3~reviews-v1-5b7c754ccb-55jwk.shop~shop.svc.cluster.local";
    proxy
        .attributes
        .insert("node_id".to_owned(), Value::Text(node.to_owned()));
    let mut app = of(span(2, Some(1), 500, 5), SpanKind::Internal, "reviews");
    let pod = Value::Text("reviews-v1-5b7c754ccb-55jwk".to_owned());
    app.resource.insert("host.name".to_owned(), pod);
    check(&[proxy, app], MAX_SKEW_NS, &[], 0);
}

#[test]
fn ids_that_several_spans_share_are_no_ground_to_move_them() {
    let spans = [
        on("a", span(1, None, 0, 10)),
        on("b", span(2, Some(1), 50, 1)),
        on("b", span(2, Some(1), 60, 1)),
    ];
    check(&spans, MAX_SKEW_NS, &[], 0);
}
