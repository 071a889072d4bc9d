//! Roots, order and times: from parents to nodes in pre-order.

use super::analysis::SpanNode;
use super::identity::Identities;
use super::summary::WALL_CLOCK_NS;
use super::types::{Span, SpanId};

/// Kept spans, parents before children, with their starts. Times are `i128` ns since the Unix epoch: differences of any
/// two `u64` fit, whatever a broken clock wrote.
pub(super) struct Plan {
    /// Kept indexes, every parent before its children.
    pub(super) top_down: Vec<usize>,
    /// Start of each kept span, missing ones filled in.
    pub(super) start: Vec<i128>,
    /// Shift of each kept span that is in `start` already.
    shifted: Vec<i128>,
    /// How many starts were missing.
    pub(super) zero_starts: usize,
    children: Children,
}

/// Children of each kept span, in one list.
struct Children {
    offset: Vec<usize>,
    list: Vec<usize>,
    roots: Vec<usize>,
}

impl Children {
    fn new(parent: &[Option<usize>]) -> Self {
        let mut offset = vec![0; parent.len() + 1];
        for p in parent.iter().flatten() {
            offset[p + 1] += 1;
        }
        for k in 0..parent.len() {
            offset[k + 1] += offset[k];
        }
        let mut cursor = offset.clone();
        let mut list = vec![0; offset.last().copied().unwrap_or(0)];
        let mut roots = Vec::new();
        for (k, p) in parent.iter().enumerate() {
            match p {
                Some(p) => {
                    list[cursor[*p]] = k;
                    cursor[*p] += 1;
                }
                None => roots.push(k),
            }
        }
        Self {
            offset,
            list,
            roots,
        }
    }

    fn of(&self, k: usize) -> &[usize] {
        &self.list[self.offset[k]..self.offset[k + 1]]
    }
}

impl Plan {
    /// Moves each kept span.
    pub(super) fn shift(&mut self, shifts: &[i128]) {
        for (start, shift) in self.start.iter_mut().zip(shifts) {
            *start += shift;
        }
        self.shifted.copy_from_slice(shifts);
    }
}

/// Orders the spans top-down and fills in missing starts: a child begins with its parent, a root with the trace. Where
/// all times are small numbers, the trace does not hold wall-clock times and 0 is a time like any other.
pub(super) fn lay_out(spans: &[Span], identities: &Identities) -> Plan {
    let children = Children::new(&identities.parent);
    let mut top_down = children.roots.clone();
    let mut at = 0;
    while let Some(k) = top_down.get(at).copied() {
        top_down.extend_from_slice(children.of(k));
        at += 1;
    }

    let raw = |k: usize| spans[identities.kept[k]].start_ns;
    let latest = top_down.iter().map(|k| raw(*k)).max().unwrap_or(0);
    let missing = |k: usize| raw(k) == 0 && latest >= WALL_CLOCK_NS;
    let timed = top_down.iter().filter(|k| !missing(**k)).map(|k| raw(*k));
    let first = timed.min().unwrap_or(0);
    let mut start = vec![0; identities.kept.len()];
    let mut zero_starts = 0;
    for k in top_down.iter().copied() {
        start[k] = if missing(k) {
            zero_starts += 1;
            identities.parent[k].map_or(i128::from(first), |parent| start[parent])
        } else {
            i128::from(raw(k))
        };
    }
    Plan {
        shifted: vec![0; start.len()],
        top_down,
        start,
        zero_starts,
        children,
    }
}

/// The nodes in pre-order.
pub(super) struct Tree {
    pub(super) nodes: Vec<SpanNode>,
    pub(super) roots: Vec<usize>,
    pub(super) epoch_ns: u64,
    pub(super) duration_ns: u64,
}

/// Puts the planned spans into pre-order, siblings by start, then id.
pub(super) fn grow(spans: &[Span], identities: &Identities, plan: &Plan) -> Tree {
    let span_of = |k: usize| &spans[identities.kept[k]];
    let key = |k: &usize| -> (i128, SpanId) { (plan.start[*k], identities.id[*k]) };
    let end = |k: usize| plan.start[k] + i128::from(span_of(k).duration_ns);
    let every = || 0..identities.kept.len();
    let epoch = every().map(|k| plan.start[k]).min().unwrap_or(0);
    let last = every().map(end).max().unwrap_or(epoch);

    let mut nodes: Vec<SpanNode> = Vec::with_capacity(identities.kept.len());
    let mut roots = Vec::new();
    let mut siblings = plan.children.roots.clone();
    siblings.sort_by_key(key);
    let mut stack: Vec<(usize, Option<usize>)> =
        siblings.iter().rev().map(|k| (*k, None)).collect();
    while let Some((k, parent)) = stack.pop() {
        let node = nodes.len();
        if parent.is_none() {
            roots.push(node);
        }
        let span = span_of(k);
        nodes.push(SpanNode {
            span: identities.kept[k],
            id: identities.id[k],
            parent,
            depth: parent.map_or(0, |p| nodes[p].depth.saturating_add(1)),
            descendants: 0,
            start_ns: to_u64(plan.start[k] - epoch),
            duration_ns: span.duration_ns,
            self_ns: span.duration_ns,
            skew_shift_ns: to_i64(plan.shifted[k]),
            error: span.is_error(),
            pair: None,
        });
        siblings.clear();
        siblings.extend_from_slice(plan.children.of(k));
        siblings.sort_by_key(key);
        stack.extend(siblings.iter().rev().map(|child| (*child, Some(node))));
    }
    for node in (0..nodes.len()).rev() {
        if let Some(parent) = nodes[node].parent {
            nodes[parent].descendants += nodes[node].descendants + 1;
        }
    }
    Tree {
        nodes,
        roots,
        epoch_ns: to_u64(epoch),
        duration_ns: to_u64(last - epoch),
    }
}

/// Children of a node, by start.
pub(super) fn children(nodes: &[SpanNode], node: usize) -> impl Iterator<Item = usize> + '_ {
    let end = node + nodes[node].descendants;
    let mut next = node + 1;
    std::iter::from_fn(move || {
        let child = next;
        (child <= end).then(|| {
            next += nodes[child].descendants + 1;
            child
        })
    })
}

pub(super) fn to_u64(ns: i128) -> u64 {
    u64::try_from(ns.max(0)).unwrap_or(u64::MAX)
}

fn to_i64(ns: i128) -> i64 {
    i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
