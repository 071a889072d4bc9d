//! Like siblings that a view may fold into one row ("× 9,812, p50 2 ms").

use std::collections::BTreeMap;

use super::analysis::{Repeat, SpanNode};
use super::tree::children;
use super::types::{Span, SpanKind};

/// Fewer than this are quicker read than unfolded.
const FEWEST: usize = 4;

/// Groups of at least four siblings of one service, operation and kind.
pub(super) fn find_repeats(spans: &[Span], nodes: &[SpanNode], roots: &[usize]) -> Vec<Repeat> {
    let mut repeats = group(spans, nodes, None, roots.iter().copied());
    for (parent, node) in nodes.iter().enumerate() {
        if node.descendants >= FEWEST {
            let siblings = children(nodes, parent);
            repeats.extend(group(spans, nodes, Some(parent), siblings));
        }
    }
    repeats
}

fn group(
    spans: &[Span],
    nodes: &[SpanNode],
    parent: Option<usize>,
    siblings: impl Iterator<Item = usize>,
) -> Vec<Repeat> {
    let mut groups: BTreeMap<(&str, &str, SpanKind), Vec<usize>> = BTreeMap::new();
    for node in siblings {
        let span = &spans[nodes[node].span];
        let key = (span.service.as_str(), span.operation.as_str(), span.kind);
        groups.entry(key).or_default().push(node);
    }
    let large = groups.into_values().filter(|group| group.len() >= FEWEST);
    let mut repeats: Vec<Repeat> = large.map(|group| sum_up(nodes, parent, group)).collect();
    repeats.sort_by_key(|repeat| repeat.nodes.first().copied());
    repeats
}

fn sum_up(nodes: &[SpanNode], parent: Option<usize>, group: Vec<usize>) -> Repeat {
    let mut durations: Vec<u64> = group.iter().map(|n| nodes[*n].duration_ns).collect();
    durations.sort_unstable();
    let rank = |percent: usize| {
        let rank = (durations.len() * percent).div_ceil(100).max(1);
        durations.get(rank - 1).copied().unwrap_or(0)
    };
    let starts = group.iter().map(|n| nodes[*n].start_ns);
    let ends = group.iter().map(|n| nodes[*n].end_ns());
    Repeat {
        parent,
        p50_ns: rank(50),
        p99_ns: rank(99),
        errors: group.iter().filter(|n| nodes[**n].error).count(),
        start_ns: starts.clone().min().unwrap_or(0),
        end_ns: ends.clone().max().unwrap_or(0),
        at_once: most_at_once(starts, ends),
        nodes: group,
    }
}

/// Largest number of intervals that share a moment; one that ends when another starts does not share it.
fn most_at_once(starts: impl Iterator<Item = u64>, ends: impl Iterator<Item = u64>) -> usize {
    let mut ends: Vec<u64> = ends.collect();
    ends.sort_unstable();
    let mut ended = 0;
    let mut most = 0;
    // Siblings come by start.
    for (begun, start) in (1..).zip(starts) {
        while ends.get(ended).is_some_and(|end| *end <= start) {
            ended += 1;
        }
        most = most.max(begun - ended.min(begun));
    }
    most
}

#[cfg(test)]
mod tests {
    use super::super::testing::{span, trace};
    use crate::trace::{Clock, analyze};

    #[test]
    fn like_siblings_are_counted_with_their_percentiles() {
        let mut spans = vec![span(1, None, 0, 1000), span(200, Some(1), 500, 1)];
        for i in 0..100 {
            let mut get = span(2 + i, Some(1), i * 2, i + 1);
            get.operation = "get".to_owned();
            if i == 7 {
                get.status = crate::trace::SpanStatus::Error;
            }
            spans.push(get);
        }
        let analysis = analyze(&trace(spans), Clock::Raw);
        let [repeat] = &analysis.repeats[..] else {
            panic!("one group");
        };
        assert_eq!(repeat.parent, Some(0));
        assert_eq!(repeat.nodes.len(), 100);
        assert_eq!((repeat.p50_ns, repeat.p99_ns), (50, 99));
        assert_eq!((repeat.start_ns, repeat.end_ns), (0, 298));
        assert_eq!(repeat.errors, 1);
        assert_eq!(repeat.at_once, 34);
    }

    #[test]
    fn few_or_unlike_siblings_stay_as_they_are() {
        let spans = (2..9).map(|i| span(i, Some(1), i, 1));
        let spans = spans.chain([span(1, None, 0, 20)]).collect();
        assert_eq!(analyze(&trace(spans), Clock::Raw).repeats, []);
    }
}
