//! Which records are spans, and whose child is whose.
//!
//! Backends repeat ids: exporters send a span twice (identical: one is dropped), Zipkin's B3 lets the server reuse the
//! client's id (two halves: the server becomes the client's child and gets an id of its own), and some tracers simply
//! collide (both stay). A parent's id may be missing, or lead in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::types::{Span, SpanId, SpanKind};

/// Spans kept, their ids and parents. All vectors have one entry per kept span.
pub(super) struct Identities {
    /// Index into the trace's spans.
    pub(super) kept: Vec<usize>,
    /// Unique id.
    pub(super) id: Vec<SpanId>,
    /// Kept index of the parent.
    pub(super) parent: Vec<Option<usize>>,
    /// Names a parent that is not there.
    pub(super) orphan: Vec<bool>,
    /// Shares its id with another span that is not its client or server half.
    pub(super) ambiguous: Vec<bool>,
    /// Identical repeats dropped.
    pub(super) duplicates: usize,
}

impl Identities {
    /// How many spans name a parent that is not there.
    pub(super) fn orphans(&self) -> usize {
        self.orphan.iter().filter(|orphan| **orphan).count()
    }

    /// Makes every circle of parents a chain by cutting its earliest span (then the smallest id) loose; gives the spans
    /// that were cut, which are roots now.
    pub(super) fn break_cycles(&mut self, spans: &[Span]) -> Vec<usize> {
        const UNSEEN: usize = usize::MAX;
        let mut seen_in_walk = vec![UNSEEN; self.kept.len()];
        let mut cut = Vec::new();
        for first in 0..self.kept.len() {
            let mut at = first;
            while seen_in_walk[at] == UNSEEN {
                seen_in_walk[at] = first;
                match self.parent[at] {
                    Some(parent) => at = parent,
                    None => break,
                }
            }
            if seen_in_walk[at] != first || self.parent[at].is_none() {
                continue;
            }
            // `at` is on a circle that this walk found: it met its own footsteps.
            let rank = |k: usize| (spans[self.kept[k]].start_ns, self.id[k]);
            let mut earliest = at;
            let mut step = self.parent[at];
            while let Some(k) = step.filter(|k| *k != at) {
                if rank(k) < rank(earliest) {
                    earliest = k;
                }
                step = self.parent[k];
            }
            self.parent[earliest] = None;
            cut.push(earliest);
        }
        cut
    }
}

/// Sorts out ids and parents.
pub(super) fn identify(spans: &[Span]) -> Identities {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    let rank = |i: usize| {
        let s = &spans[i];
        (s.id, s.start_ns, s.duration_ns, s.kind, i)
    };
    order.sort_by_key(|i| rank(*i));

    let mut result = Identities {
        kept: Vec::with_capacity(spans.len()),
        id: Vec::with_capacity(spans.len()),
        parent: Vec::new(),
        orphan: Vec::new(),
        ambiguous: Vec::with_capacity(spans.len()),
        duplicates: 0,
    };
    let mut used: BTreeSet<SpanId> = order.iter().map(|i| spans[*i].id).collect();
    let mut holders = Holders::default();
    let mut client_of: BTreeMap<usize, usize> = BTreeMap::new();
    for group in order.chunk_by(|a, b| spans[*a].id == spans[*b].id) {
        let distinct = drop_duplicates(spans, group);
        result.duplicates += group.len() - distinct.len();
        let base = result.kept.len();
        let id = spans[distinct[0]].id;
        let mut last_fresh = id.0;
        let members = base..base + distinct.len();
        let of_kind = |kind| {
            let found = distinct.iter().position(|i| spans[*i].kind == kind);
            found.map(|offset| base + offset)
        };
        let client = of_kind(SpanKind::Client);
        let server = of_kind(SpanKind::Server);
        let shared = id != SpanId(0) && distinct.len() > 1 && client.is_some() && server.is_some();
        let owner = if shared { client } else { None }.unwrap_or(base);
        for (k, i) in members.clone().zip(&distinct) {
            let kind = spans[*i].kind;
            result.kept.push(*i);
            let keeps_id = k == owner && id != SpanId(0);
            result.id.push(if keeps_id {
                id
            } else {
                fresh_id(&mut last_fresh, &mut used)
            });
            let half = shared && (k == owner || kind == SpanKind::Server);
            let alone = distinct.len() == 1 || id == SpanId(0);
            result.ambiguous.push(!half && !alone);
            if shared && kind == SpanKind::Server {
                client_of.insert(k, owner);
            }
        }
        if id != SpanId(0) {
            holders.add(
                spans,
                &result.kept,
                id,
                members,
                if shared { server } else { None },
            );
        }
    }

    for (k, i) in result.kept.iter().enumerate() {
        let span = &spans[*i];
        let parent = match (client_of.get(&k), span.parent) {
            (Some(client), _) => Some(*client),
            (None, Some(parent)) => holders.find(parent, &span.service),
            (None, None) => None,
        };
        let missing = span.parent.is_some_and(|p| p != SpanId(0)) && parent.is_none();
        result.parent.push(parent);
        result.orphan.push(missing);
    }
    result
}

/// The members of a group that differ from each other. A single one is the rule and costs nothing.
fn drop_duplicates(spans: &[Span], group: &[usize]) -> Vec<usize> {
    if group.len() == 1 || spans[group[0]].id == SpanId(0) {
        return group.to_vec();
    }
    let mut texts = BTreeSet::new();
    let first_of_its_text = |i: &&usize| texts.insert(format!("{:?}", spans[**i]));
    group.iter().filter(first_of_its_text).copied().collect()
}

/// A made-up id, the same for the same trace. `last` goes from one call to the next, so that none tries the same twice.
fn fresh_id(last: &mut u64, used: &mut BTreeSet<SpanId>) -> SpanId {
    // Weyl sequence by the golden ratio: visits every number before it repeats one.
    loop {
        *last = last.wrapping_add(0x9e37_79b9_7f4a_7c15);
        if *last != 0 && used.insert(SpanId(*last)) {
            return SpanId(*last);
        }
    }
}

/// Who a parent's id means.
#[derive(Default)]
struct Holders<'a> {
    default: BTreeMap<SpanId, usize>,
    /// Only where an id has several holders: the holder in the child's own service.
    by_service: BTreeMap<SpanId, BTreeMap<&'a str, usize>>,
}

impl<'a> Holders<'a> {
    /// Of two halves the server is meant, unless only the client is of the child's service.
    fn add(
        &mut self,
        spans: &'a [Span],
        kept: &[usize],
        id: SpanId,
        members: std::ops::Range<usize>,
        server: Option<usize>,
    ) {
        self.default.insert(id, server.unwrap_or(members.start));
        if members.len() == 1 {
            return;
        }
        let services = self.by_service.entry(id).or_default();
        for k in members.clone() {
            let span = &spans[kept[k]];
            services.entry(&span.service).or_insert(k);
        }
        for k in members.rev() {
            let span = &spans[kept[k]];
            if server.is_some() && span.kind == SpanKind::Server {
                services.insert(&span.service, k);
            }
        }
    }

    fn find(&self, parent: SpanId, service: &str) -> Option<usize> {
        let near = self.by_service.get(&parent).and_then(|s| s.get(service));
        near.or_else(|| self.default.get(&parent)).copied()
    }
}
