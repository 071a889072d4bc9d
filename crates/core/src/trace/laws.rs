//! Laws of the analysis: they hold for every trace, however odd.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::testing::{of, span, trace};
use super::{Clock, Span, SpanKind, Trace, TraceAnalysis, analyze};

const SERVICES: [&str; 3] = ["web", "cart", "pay"];
const KINDS: [SpanKind; 6] = [
    SpanKind::Unspecified,
    SpanKind::Internal,
    SpanKind::Server,
    SpanKind::Client,
    SpanKind::Producer,
    SpanKind::Consumer,
];

/// Any heap of spans: ids repeat, parents are missing or lead in circles, times overlap.
fn any_trace() -> impl Strategy<Value = Trace> {
    let any_span = (
        0_u64..25,
        proptest::option::of(0_u64..25),
        0_u64..200,
        0_u64..100,
        0..SERVICES.len(),
        0..KINDS.len(),
        any::<bool>(),
    );
    let any_span = any_span.prop_map(|(id, parent, start, length, service, kind, wall)| {
        let start = if wall {
            start + 1_700_000_000_000_000_000
        } else {
            start
        };
        of(
            span(id, parent, start, length),
            KINDS[kind],
            SERVICES[service],
        )
    });
    proptest::collection::vec(any_span, 0..40).prop_map(trace)
}

/// A tree under one root: each span's parent comes before it.
fn any_tree() -> impl Strategy<Value = Trace> {
    let any_child = (
        any::<proptest::sample::Index>(),
        0_u64..200,
        0_u64..100,
        0..KINDS.len(),
    );
    let children = proptest::collection::vec(any_child, 0..40);
    (children, 1_u64..200).prop_map(|(children, length)| {
        let mut spans = vec![span(1, None, 0, length)];
        for (id, (parent, start, length, kind)) in (2..).zip(children) {
            let parent = parent.index(spans.len()) as u64 + 1;
            spans.push(of(
                span(id, Some(parent), start, length),
                KINDS[kind],
                "svc",
            ));
        }
        trace(spans)
    })
}

fn path_length(analysis: &TraceAnalysis) -> u64 {
    analysis
        .critical_path
        .iter()
        .map(|s| s.end_ns - s.start_ns)
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_span_is_there_once(trace in any_trace()) {
        let analysis = analyze(&trace, Clock::Corrected);
        prop_assert_eq!(analysis.nodes.len() + analysis.duplicates, trace.spans.len());
        let spans: BTreeSet<usize> = analysis.nodes.iter().map(|n| n.span).collect();
        prop_assert_eq!(spans.len(), analysis.nodes.len());
        let ids: BTreeSet<_> = analysis.nodes.iter().map(|n| n.id).collect();
        prop_assert_eq!(ids.len(), analysis.nodes.len());
    }

    #[test]
    fn nodes_are_in_pre_order(trace in any_trace()) {
        let analysis = analyze(&trace, Clock::Corrected);
        for (at, node) in analysis.nodes.iter().enumerate() {
            match node.parent {
                None => prop_assert!(analysis.roots.contains(&at) && node.depth == 0),
                Some(parent) => {
                    let above = &analysis.nodes[parent];
                    prop_assert!(parent < at && at <= parent + above.descendants);
                    prop_assert_eq!(node.depth, above.depth + 1);
                }
            }
        }
        let in_roots: usize = analysis.roots.iter().map(|r| analysis.nodes[*r].descendants + 1).sum();
        prop_assert_eq!(in_roots, analysis.nodes.len());
    }

    #[test]
    fn siblings_are_in_order_of_time(trace in any_trace()) {
        let analysis = analyze(&trace, Clock::Corrected);
        let mut last = std::collections::BTreeMap::new();
        for node in &analysis.nodes {
            let key = (node.start_ns, node.id);
            if let Some(before) = last.insert(node.parent, key) {
                prop_assert!(before < key);
            }
        }
    }

    #[test]
    fn self_time_is_at_most_the_duration(trace in any_trace()) {
        for clock in [Clock::Raw, Clock::Corrected] {
            for node in analyze(&trace, clock).nodes {
                prop_assert!(node.self_ns <= node.duration_ns);
            }
        }
    }

    #[test]
    fn the_critical_path_is_ordered_disjoint_and_inside_its_spans(trace in any_trace()) {
        for clock in [Clock::Raw, Clock::Corrected] {
            let analysis = analyze(&trace, clock);
            let mut reach = 0;
            for section in &analysis.critical_path {
                let node = &analysis.nodes[section.node];
                prop_assert!(reach <= section.start_ns && section.start_ns < section.end_ns);
                prop_assert!(node.start_ns <= section.start_ns && section.end_ns <= node.end_ns());
                reach = section.end_ns;
            }
            prop_assert!(path_length(&analysis) <= analysis.duration_ns);
        }
    }

    #[test]
    fn one_root_is_covered_from_start_to_end(trace in any_tree()) {
        for clock in [Clock::Raw, Clock::Corrected] {
            let analysis = analyze(&trace, clock);
            prop_assert_eq!(analysis.roots.len(), 1);
            prop_assert_eq!(path_length(&analysis), analysis.nodes[0].duration_ns);
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(trace in any_tree().prop_flat_map(|t| {
        let shuffled = Just(t.spans.clone()).prop_shuffle();
        (Just(t), shuffled)
    })) {
        let (trace, spans) = trace;
        let shuffled = Trace { spans, ..trace.clone() };
        let shape = |trace: &Trace| -> Vec<(u64, u64, u64, bool)> {
            let analysis = analyze(trace, Clock::Corrected);
            let nodes = analysis.nodes.iter();
            nodes.map(|n| (n.id.0, n.start_ns, n.self_ns, n.pair.is_some())).collect()
        };
        prop_assert_eq!(shape(&trace), shape(&shuffled));
    }

    #[test]
    fn pairs_are_a_client_above_a_server(trace in any_trace()) {
        let analysis = analyze(&trace, Clock::Raw);
        let kind = |node: usize| trace.spans[analysis.nodes[node].span].kind;
        for (at, node) in analysis.nodes.iter().enumerate() {
            let Some(pair) = node.pair else { continue };
            let (client, server) = if pair < at { (pair, at) } else { (at, pair) };
            prop_assert_eq!((kind(client), kind(server)), (SpanKind::Client, SpanKind::Server));
            prop_assert_eq!(analysis.nodes[server].parent, Some(client));
        }
    }
}

fn chain(length: u64) -> Vec<Span> {
    let link = |i: u64| span(i + 1, (i > 0).then_some(i), i, 2 * (length - i));
    (0..length).map(link).collect()
}

#[test]
fn a_chain_of_200_000_spans_is_read_whole() {
    let length = 200_000;
    let analysis = analyze(&trace(chain(length)), Clock::Corrected);
    assert_eq!(analysis.nodes.len() as u64, length);
    assert_eq!(u64::from(analysis.depth), length - 1);
    assert_eq!(path_length(&analysis), 2 * length);
    assert_eq!(analysis.critical_path.len() as u64, 2 * length - 1);
}

#[test]
fn fifty_thousand_siblings_are_read_whole() {
    let count = 50_000;
    let siblings = (0..count).map(|i| span(i + 2, Some(1), i, 1));
    let spans = siblings.chain([span(1, None, 0, count)]).collect();
    let analysis = analyze(&trace(spans), Clock::Corrected);
    assert_eq!(analysis.critical_path.len() as u64, count);
    assert_eq!(analysis.nodes[0].self_ns, 0);
}

#[test]
fn a_circle_of_50_000_spans_is_cut_once() {
    let count = 50_000;
    let spans = (1..=count)
        .map(|i| span(i, Some(i % count + 1), i, 1))
        .collect();
    let analysis = analyze(&trace(spans), Clock::Corrected);
    assert_eq!(
        (analysis.roots.len(), analysis.nodes.len() as u64),
        (1, count)
    );
}

#[test]
fn one_id_for_20_000_spans_is_sorted_out() {
    let spans = (0..20_000).map(|i| span(7, Some(7), i, 1)).collect();
    let analysis = analyze(&trace(spans), Clock::Corrected);
    assert_eq!(analysis.nodes.len(), 20_000);
}
