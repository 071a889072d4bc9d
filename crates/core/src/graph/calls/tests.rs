use super::*;
use crate::graph::testing::{call, draw, graph, request};
use crate::graph::types::GraphType;

#[test]
fn services_call_what_their_workloads_call() {
    let series = [
        call("edge/gw-v1", "shop/web:web-v1").rate(10.0),
        call("shop/web-v1", "shop/reviews:reviews-v1").rate(6.0),
        call("shop/web-v1", "shop/reviews:reviews-v2")
            .rate(2.0)
            .code("500", "-"),
        call("shop/reviews-v1", "shop/ratings:ratings-v1").rate(3.0),
        call("shop/reviews-v2", "shop/ratings:ratings-v1").rate(1.0),
    ];
    let graph = graph(&request(GraphType::Service), &series, &[]);
    assert_eq!(
        draw(&graph),
        [
            "s:shop/reviews > s:shop/ratings Http 4.0 0.0%",
            "s:shop/web > s:shop/reviews Http 8.0 25.0%",
            "w:edge/gw-v1 > s:shop/web Http 10.0 0.0%",
        ]
    );
    let ids: Vec<&str> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "service:c1/shop/ratings",
            "service:c1/shop/reviews",
            "service:c1/shop/web",
            "workload:c1/edge/gw-v1",
        ]
    );
}

#[test]
fn a_workload_behind_two_services_calls_for_both() {
    let series = [
        call("edge/gw-v1", "shop/web:web-v1"),
        call("edge/gw-v1", "shop/web2:web-v1"),
        call("shop/web-v1", "shop/db:db-v1").rate(5.0),
        call("shop/web-v1", "shop/web:web-v1").rate(1.0),
    ];
    let graph = graph(&request(GraphType::Service), &series, &[]);
    assert_eq!(
        draw(&graph),
        [
            "s:shop/web2 > s:shop/db Http 5.0 0.0%",
            "s:shop/web2 > s:shop/web Http 1.0 0.0%",
            "s:shop/web > s:shop/db Http 5.0 0.0%",
            "s:shop/web > s:shop/web Http 1.0 0.0%",
            "w:edge/gw-v1 > s:shop/web2 Http 1.0 0.0%",
            "w:edge/gw-v1 > s:shop/web Http 1.0 0.0%",
        ]
    );
}

#[test]
fn the_other_proxy_counts_where_the_preferred_one_saw_nothing() {
    let sums = |rate: f64| Sums {
        rate,
        ..Sums::default()
    };
    let cases = [
        (Leaves::Caller, [Some(4.0), Some(3.0)], 4.0),
        (Leaves::Service, [Some(4.0), Some(3.0)], 3.0),
        (Leaves::Caller, [Some(0.0), Some(3.0)], 3.0),
        (Leaves::Caller, [None, Some(3.0)], 3.0),
        (Leaves::Service, [Some(4.0), None], 4.0),
        (Leaves::Caller, [Some(0.0), None], 0.0),
    ];
    for (leaves, [source, destination], expected) in cases {
        let reports = [
            (Reporter::Source, source.map(sums)),
            (Reporter::Destination, destination.map(sums)),
        ];
        let tally = EdgeTally {
            leaves,
            reports: reports
                .into_iter()
                .filter_map(|(reporter, sums)| Some((reporter, sums?)))
                .collect(),
            ..EdgeTally::default()
        };
        let shown = tally.choose().map(|sums| sums.rate);
        assert_eq!(
            shown,
            Some(expected),
            "{leaves:?} {source:?} {destination:?}"
        );
    }
}
