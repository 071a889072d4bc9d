//! Where the time went: self times and the critical path.
//!
//! The critical path is CRISP's (Zhang et al., USENIX ATC 2022): from the end of a span backwards, the child that
//! finished last is on the path and what lies after it is the span's own; on reaching that child's start, the child that
//! finished last before it follows. Children are clipped to their parents first, and left out with all below them where
//! they lie outside or nobody waited for them. A sibling that ends exactly where the next one starts counts (`<=`: back
//! to back is the usual case in integer clocks). Ties on the end go to the later start, then the smaller id.

use super::analysis::{PathSection, SpanNode};
use super::skew::follows_from;
use super::tree::children;
use super::types::{Span, SpanKind};

/// Sets the self time of every node: its duration without the union of its children's intervals.
pub(super) fn measure_self_times(nodes: &mut [SpanNode]) {
    for node in 0..nodes.len() {
        let (start, end) = (nodes[node].start_ns, nodes[node].end_ns());
        let mut covered = 0;
        let mut reach = start;
        for child in children(nodes, node) {
            let from = nodes[child].start_ns.max(reach);
            let to = nodes[child].end_ns().min(end);
            if to > from {
                covered += to - from;
                reach = to;
            }
        }
        nodes[node].self_ns = nodes[node].duration_ns.saturating_sub(covered);
    }
}

/// Which nodes nobody waits for: what takes a message that its parent has sent, and what follows from its parent.
pub(super) fn detached(spans: &[Span], nodes: &[SpanNode]) -> Vec<bool> {
    let is_detached = |node: &SpanNode| {
        let parent = node.parent.and_then(|parent| nodes.get(parent));
        let child = &spans[node.span];
        let taken = |p: &SpanNode| {
            spans[p.span].kind == SpanKind::Producer && child.kind == SpanKind::Consumer
        };
        parent.is_some_and(|p| taken(p) || follows_from(child))
    };
    nodes.iter().map(is_detached).collect()
}

/// A frame of the walk: the children that may be on the path, last end first, and how far back the path is.
struct Frame {
    /// `None`: the time outside the main root, which no span owns.
    node: Option<usize>,
    candidates: std::vec::IntoIter<usize>,
    limit: u64,
}

/// Sections of the critical path in time order.
pub(super) fn critical_path(
    nodes: &[SpanNode],
    roots: &[usize],
    detached: &[bool],
) -> Vec<PathSection> {
    let longest = roots.iter().copied().max_by_key(|root| {
        let node = &nodes[*root];
        (
            node.duration_ns,
            std::cmp::Reverse((node.start_ns, node.id)),
        )
    });
    let Some(main) = longest else {
        return Vec::new();
    };
    let (main_start, main_end) = (nodes[main].start_ns, nodes[main].end_ns());
    let last = roots
        .iter()
        .map(|r| nodes[*r].end_ns())
        .max()
        .unwrap_or(main_end);

    // No other root reaches out on both sides, or it would be longer than the longest.
    let (after, before): (Vec<usize>, Vec<usize>) = roots
        .iter()
        .copied()
        .filter(|root| *root != main)
        .partition(|root| nodes[*root].end_ns() > main_end);
    let clip = clip_all(nodes, detached, |root| {
        let (start, end) = (nodes[root].start_ns, nodes[root].end_ns());
        if root == main {
            (start, end)
        } else if end > main_end {
            (start.max(main_end), end)
        } else {
            (start, end.min(main_start))
        }
    });
    let mut sections = Vec::new();
    for (window, limit) in [(after, last), (vec![main], main_end), (before, main_start)] {
        walk(nodes, &clip, window, limit, &mut sections);
    }
    sections.reverse();
    sections
}

/// The part of each node that can be on the path; `None` if there is none.
fn clip_all(
    nodes: &[SpanNode],
    detached: &[bool],
    of_root: impl Fn(usize) -> (u64, u64),
) -> Vec<Option<(u64, u64)>> {
    let mut clip: Vec<Option<(u64, u64)>> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let own = match node.parent {
            None => Some(of_root(at)),
            Some(_) if detached[at] => None,
            Some(parent) => {
                clip[parent].map(|(start, end)| (node.start_ns.max(start), node.end_ns().min(end)))
            }
        };
        clip.push(own.filter(|(start, end)| start < end));
    }
    clip
}

/// Walks back from `limit` through `tops` and all below them, adding sections from the last to the first.
fn walk(
    nodes: &[SpanNode],
    clip: &[Option<(u64, u64)>],
    tops: Vec<usize>,
    limit: u64,
    sections: &mut Vec<PathSection>,
) {
    let last_first = |mut candidates: Vec<usize>| {
        candidates.retain(|c| clip[*c].is_some());
        candidates.sort_by_key(|c| {
            let (start, end) = clip[*c].unwrap_or_default();
            (std::cmp::Reverse((end, start)), nodes[*c].id)
        });
        candidates.into_iter()
    };
    let mut stack = vec![Frame {
        node: None,
        candidates: last_first(tops),
        limit,
    }];
    while let Some(frame) = stack.last_mut() {
        let limit = frame.limit;
        let fitting = frame.candidates.by_ref().find_map(|child| {
            let (start, end) = clip[child]?;
            (end <= limit).then_some((child, start, end))
        });
        let own_from = match (fitting, frame.node) {
            (Some((_, _, end)), _) => end,
            (None, Some(node)) => clip[node].unwrap_or_default().0,
            (None, None) => limit,
        };
        if let Some(node) = frame.node.filter(|_| own_from < limit) {
            sections.push(PathSection {
                node,
                start_ns: own_from,
                end_ns: limit,
            });
        }
        match fitting {
            Some((child, start, end)) => {
                frame.limit = start;
                stack.push(Frame {
                    node: Some(child),
                    candidates: last_first(children(nodes, child).collect()),
                    limit: end,
                });
            }
            None => {
                stack.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests;
