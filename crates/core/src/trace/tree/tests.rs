use super::super::testing::{of, span, trace};
use crate::trace::{Clock, Span, SpanId, SpanKind, TraceAnalysis, Value, analyze};

const EPOCH: u64 = 1_700_000_000_000_000_000;

/// The tree as text: one line per node, two spaces per level, `operation@start`.
fn draw(spans: Vec<Span>) -> String {
    let trace = trace(spans);
    let analysis = analyze(&trace, Clock::Raw);
    let lines = analysis.nodes.iter().map(|node| {
        let span = &trace.spans[node.span];
        let indent = "  ".repeat(node.depth as usize);
        format!(
            "{indent}{} {}@{}",
            span.service, span.operation, node.start_ns
        )
    });
    lines.collect::<Vec<String>>().join("\n")
}

fn raw(spans: Vec<Span>) -> TraceAnalysis {
    analyze(&trace(spans), Clock::Raw)
}

fn codes(analysis: &TraceAnalysis) -> Vec<&str> {
    analysis.findings.iter().map(|f| f.code.as_str()).collect()
}

#[test]
fn spans_of_any_order_become_a_tree_in_pre_order() {
    insta::assert_snapshot!(draw(vec![
        span(5, Some(2), 30, 1),
        span(3, Some(1), 10, 5),
        span(4, Some(2), 25, 1),
        span(1, None, 5, 100),
        span(2, Some(1), 20, 50),
        span(6, Some(1), 10, 5),
    ]), @r"
    svc op1@0
      svc op3@5
      svc op6@5
      svc op2@15
        svc op4@20
        svc op5@25
    ");
}

#[test]
fn a_missing_parent_makes_a_root_and_is_counted() {
    let analysis = raw(vec![
        span(1, None, 0, 9),
        span(2, Some(8), 1, 1),
        span(3, Some(2), 1, 1),
        span(4, Some(9), 2, 1),
    ]);
    assert_eq!(analysis.roots, [0, 1, 3]);
    assert_eq!(analysis.orphans, 2);
    assert_eq!(codes(&analysis), ["orphan-spans"]);
    assert_eq!(analysis.findings[0].object, SpanId(2).to_string());
}

#[test]
fn circles_are_cut_at_their_earliest_span() {
    let spans = vec![
        span(1, Some(3), 20, 1),
        span(2, Some(1), 10, 1),
        span(3, Some(2), 30, 1),
        span(4, Some(3), 40, 1),
        span(5, Some(5), 50, 1),
    ];
    let analysis = raw(spans.clone());
    assert_eq!(codes(&analysis), ["parent-cycle"]);
    assert!(analysis.findings[0].message.contains("2 circles"));
    insta::assert_snapshot!(draw(spans), @r"
    svc op2@0
      svc op3@20
        svc op1@10
        svc op4@30
    svc op5@40
    ");
}

#[test]
fn halves_of_a_shared_id_become_client_and_server() {
    let spans = vec![
        of(span(1, None, 0, 100), SpanKind::Server, "web"),
        of(span(2, Some(1), 12, 76), SpanKind::Server, "cart"),
        of(span(2, Some(1), 10, 80), SpanKind::Client, "web"),
        of(span(3, Some(2), 20, 10), SpanKind::Client, "cart"),
        of(span(4, Some(2), 11, 1), SpanKind::Internal, "web"),
        of(span(5, Some(2), 30, 1), SpanKind::Internal, "helper"),
    ];
    let analysis = raw(spans.clone());
    assert_eq!(codes(&analysis), Vec::<&str>::new());
    assert_eq!(analysis.nodes[1].id, SpanId(2), "the client keeps the id");
    assert_ne!(analysis.nodes[3].id, SpanId(2));
    assert_eq!(analysis.nodes[3].pair, Some(1));
    insta::assert_snapshot!(draw(spans), @r"
    web op1@0
      web op2@10
        web op4@11
        cart op2@12
          cart op3@20
          helper op5@30
    ");
}

#[test]
fn identical_repeats_are_dropped_and_different_ones_stay() {
    let spans = vec![
        span(1, None, 0, 100),
        span(2, Some(1), 10, 5),
        span(2, Some(1), 10, 5),
        span(2, Some(1), 10, 6),
        span(3, Some(2), 11, 1),
    ];
    let analysis = raw(spans);
    assert_eq!((analysis.nodes.len(), analysis.duplicates), (4, 1));
    assert_eq!(codes(&analysis), ["repeated-span-ids", "duplicate-spans"]);
    let ids: std::collections::BTreeSet<SpanId> = analysis.nodes.iter().map(|n| n.id).collect();
    assert_eq!(ids.len(), 4, "ids are unique");
}

#[test]
fn a_missing_start_is_that_of_the_parent() {
    let spans = vec![
        span(1, None, 0, 0),
        span(2, Some(1), EPOCH + 5, 9),
        span(3, Some(2), 0, 2),
    ];
    let analysis = raw(spans);
    let starts: Vec<u64> = analysis.nodes.iter().map(|n| n.start_ns).collect();
    assert_eq!(starts, [0, 0, 0]);
    assert_eq!(analysis.epoch_ns, EPOCH + 5);
    assert_eq!(codes(&analysis), ["missing-start"]);
}

#[test]
fn zero_is_a_time_where_all_times_are_small() {
    let analysis = raw(vec![span(1, None, 0, 100), span(2, Some(1), 10, 5)]);
    assert_eq!(analysis.nodes[1].start_ns, 10);
    assert_eq!(codes(&analysis), Vec::<&str>::new());
}

#[test]
fn spans_without_an_id_are_each_their_own() {
    let analysis = raw(vec![
        span(0, None, 0, 9),
        span(0, None, 1, 1),
        span(2, Some(0), 2, 1),
    ]);
    assert_eq!(analysis.roots.len(), 3);
    assert_eq!((analysis.orphans, analysis.duplicates), (0, 0));
    assert!(analysis.nodes.iter().all(|node| node.id != SpanId(0)));
}

#[test]
fn subtrees_are_ranges() {
    let analysis = raw(vec![
        span(1, None, 0, 9),
        span(2, Some(1), 1, 1),
        span(3, Some(2), 1, 1),
        span(4, Some(1), 2, 1),
    ]);
    let sizes: Vec<usize> = analysis.nodes.iter().map(|n| n.descendants).collect();
    assert_eq!(sizes, [3, 1, 0, 0]);
}

#[test]
fn times_beyond_all_sense_do_not_overflow() {
    let analysis = raw(vec![
        span(1, None, 1, u64::MAX),
        span(2, Some(1), u64::MAX, u64::MAX),
    ]);
    assert_eq!(analysis.nodes.len(), 2);
    let other = of(span(2, Some(1), 0, u64::MAX), SpanKind::Server, "other");
    let moved = analyze(
        &trace(vec![span(1, None, u64::MAX, 1), other]),
        Clock::Corrected,
    );
    assert_eq!(moved.nodes.len(), 2);
}

#[test]
fn both_clocks_are_there_and_the_shift_is_told() {
    let spans = vec![
        of(span(1, None, EPOCH, 100), SpanKind::Client, "web"),
        of(span(2, Some(1), EPOCH - 40, 50), SpanKind::Server, "cart"),
    ];
    let corrected = analyze(&trace(spans.clone()), Clock::Corrected);
    assert_eq!(corrected.epoch_ns, EPOCH);
    assert_eq!(
        (
            corrected.nodes[1].start_ns,
            corrected.nodes[1].skew_shift_ns
        ),
        (25, 65)
    );
    assert_eq!(corrected.duration_ns, 100);
    assert_eq!(codes(&corrected), ["clock-skew-corrected"]);

    let uncorrected = raw(spans);
    assert_eq!(uncorrected.epoch_ns, EPOCH - 40);
    assert_eq!(
        (
            uncorrected.nodes[1].start_ns,
            uncorrected.nodes[1].skew_shift_ns
        ),
        (0, 0)
    );
    assert_eq!(codes(&uncorrected), ["clock-skew-uncorrected"]);
}

#[test]
fn an_empty_trace_is_an_empty_analysis() {
    let analysis = raw(Vec::new());
    assert_eq!(
        (analysis.nodes.len(), analysis.duration_ns, analysis.depth),
        (0, 0, 0)
    );
    assert_eq!(analysis.findings, []);
}

#[test]
fn what_the_verdict_on_a_span_says_reaches_its_node() {
    let mut failed = span(2, Some(1), 1, 1);
    failed
        .attributes
        .insert("http.status_code".to_owned(), Value::Int(503));
    let analysis = raw(vec![span(1, None, 0, 9), failed]);
    assert_eq!(analysis.errors, 1);
    assert!(analysis.nodes[1].error);
}
