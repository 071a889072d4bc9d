use super::super::testing::{of, span, trace, with};
use crate::trace::{Clock, Span, SpanKind, TraceAnalysis, analyze};

fn raw(spans: Vec<Span>) -> TraceAnalysis {
    analyze(&trace(spans), Clock::Raw)
}

/// Checks the path against `span id, from, to` in time order.
#[track_caller]
fn check(spans: Vec<Span>, expected: &[(u64, u64, u64)]) {
    let analysis = raw(spans);
    let sections: Vec<(u64, u64, u64)> = analysis
        .critical_path
        .iter()
        .map(|s| (analysis.nodes[s.node].id.0, s.start_ns, s.end_ns))
        .collect();
    assert_eq!(sections, expected);
}

#[test]
fn sequential_children_are_all_on_the_path() {
    let spans = vec![
        span(1, None, 0, 100),
        span(2, Some(1), 10, 20),
        span(3, Some(1), 50, 30),
        span(4, Some(3), 60, 10),
    ];
    check(
        spans,
        &[
            (1, 0, 10),
            (2, 10, 30),
            (1, 30, 50),
            (3, 50, 60),
            (4, 60, 70),
            (3, 70, 80),
            (1, 80, 100),
        ],
    );
}

#[test]
fn of_parallel_children_the_last_to_finish_counts() {
    let spans = vec![
        span(1, None, 0, 100),
        span(2, Some(1), 10, 40),
        span(3, Some(1), 20, 40),
    ];
    check(spans, &[(1, 0, 20), (3, 20, 60), (1, 60, 100)]);
}

#[test]
fn back_to_back_siblings_are_not_skipped() {
    let spans = vec![
        span(1, None, 0, 30),
        span(2, Some(1), 0, 10),
        span(3, Some(1), 10, 10),
        span(4, Some(1), 20, 10),
    ];
    check(spans, &[(2, 0, 10), (3, 10, 20), (4, 20, 30)]);
}

#[test]
fn a_tie_goes_to_the_later_start_then_the_smaller_id() {
    let spans = vec![
        span(1, None, 0, 30),
        span(2, Some(1), 0, 20),
        span(4, Some(1), 10, 10),
        span(3, Some(1), 10, 10),
    ];
    check(spans, &[(1, 0, 10), (3, 10, 20), (1, 20, 30)]);
}

#[test]
fn children_are_clipped_to_their_parents() {
    let spans = vec![
        span(1, None, 10, 100),
        span(2, Some(1), 0, 30),
        span(3, Some(2), 0, 20),
        span(4, Some(1), 80, 99),
    ];
    check(
        spans,
        &[(3, 10, 20), (2, 20, 30), (1, 30, 80), (4, 80, 110)],
    );
}

#[test]
fn what_lies_outside_is_left_out_with_all_below_it() {
    let spans = vec![
        span(1, None, 0, 30),
        span(2, Some(1), 40, 40),
        span(3, Some(2), 5, 10),
    ];
    check(spans, &[(1, 0, 30)]);
}

#[test]
fn nobody_waits_for_a_message_to_be_taken() {
    let spans = vec![
        of(span(1, None, 0, 30), SpanKind::Producer, "a"),
        of(span(2, Some(1), 5, 20), SpanKind::Consumer, "b"),
        span(3, Some(2), 6, 5),
    ];
    check(spans, &[(1, 0, 30)]);
    let follower = with(
        span(2, Some(1), 5, 20),
        &[("opentracing.ref_type", "follows_from")],
    );
    check(vec![span(1, None, 0, 30), follower], &[(1, 0, 30)]);
}

#[test]
fn children_without_length_cut_no_section() {
    let spans = vec![
        span(1, None, 0, 30),
        span(2, Some(1), 10, 0),
        span(3, Some(1), 30, 0),
    ];
    check(spans, &[(1, 0, 30)]);
    check(vec![span(1, None, 5, 0)], &[]);
}

#[test]
fn other_roots_count_only_beyond_the_longest() {
    let spans = vec![
        span(1, None, 20, 100),
        span(2, Some(99), 0, 15),
        span(3, Some(99), 50, 10),
        span(4, Some(99), 110, 40),
        span(5, Some(4), 115, 20),
    ];
    check(
        spans,
        &[(2, 0, 15), (1, 20, 120), (5, 120, 135), (4, 135, 150)],
    );
}

#[test]
fn self_time_is_what_no_child_covers() {
    let spans = vec![
        span(1, None, 100, 100),
        span(2, Some(1), 110, 20),
        span(3, Some(1), 120, 30),
        span(4, Some(1), 125, 5),
        span(5, Some(1), 190, 50),
        span(6, Some(1), 300, 50),
        span(7, Some(1), 90, 15),
    ];
    let analysis = raw(spans);
    assert_eq!(analysis.nodes[analysis.roots[0]].self_ns, 100 - 40 - 10 - 5);
}
