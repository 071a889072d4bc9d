//! What an analysis is made of, and the order of its stages.

use std::sync::Arc;

use super::types::{SpanId, Trace, TraceId};
use super::{calls, findings, identity, path, repeats, skew, tree};
use crate::model::Finding;

/// Which timeline to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Clock {
    /// Spans of other hosts moved where their clock evidently disagrees with their parent's.
    #[default]
    Corrected,
    /// As recorded.
    Raw,
}

/// A trace, analysed. All indexes named `node` point into [`Self::nodes`]; all times are nanoseconds since
/// [`Self::epoch_ns`].
#[derive(Clone, Debug, PartialEq)]
pub struct TraceAnalysis {
    /// The trace's id.
    pub id: TraceId,
    /// Which timeline this is.
    pub clock: Clock,
    /// First start on this timeline, ns since the Unix epoch.
    pub epoch_ns: u64,
    /// First start to last end.
    pub duration_ns: u64,
    /// Every span once (identical repeats dropped), in pre-order; siblings by start, then id.
    pub nodes: Vec<SpanNode>,
    /// Nodes without a parent in the trace, by start, then id.
    pub roots: Vec<usize>,
    /// How many spans name a parent that is not there.
    pub orphans: usize,
    /// How many identical repeats were dropped.
    pub duplicates: usize,
    /// How many nodes failed.
    pub errors: usize,
    /// Largest depth; 0 for a lone root and for an empty trace.
    pub depth: u32,
    /// What the time was spent on, in time order, without overlaps: an estimate, because it takes the last child to
    /// finish for the one that its parent waited for. Covers the longest root from start to end; another root only
    /// where it reaches beyond that one.
    pub critical_path: Vec<PathSection>,
    /// Calls between workloads, by start.
    pub calls: Vec<Call>,
    /// Groups of like siblings that a view may fold into one row, by their parent's place.
    pub repeats: Vec<Repeat>,
    /// The node where a failure most likely began.
    pub likely_cause: Option<usize>,
    /// What is odd or wrong, most severe first.
    pub findings: Vec<Finding>,
}

/// A span's place in the tree and in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanNode {
    /// Index into [`Trace::spans`].
    pub span: usize,
    /// Its id, unique in the analysis: where the backend's ids repeat (shared client/server ids), a made-up one.
    pub id: SpanId,
    /// Parent node.
    pub parent: Option<usize>,
    /// Steps from its root.
    pub depth: u32,
    /// Size of the subtree below: nodes `i + 1 ..= i + descendants` are under node `i`.
    pub descendants: usize,
    /// Start.
    pub start_ns: u64,
    /// Length, as recorded.
    pub duration_ns: u64,
    /// Time in which none of its children ran.
    pub self_ns: u64,
    /// How far it was moved by the correction of clocks; its events move with it. 0 on the raw clock.
    pub skew_shift_ns: i64,
    /// Whether it failed (see [`super::Span::is_error`]).
    pub error: bool,
    /// The other side of the same call: the SERVER node of a CLIENT, the CLIENT node of a SERVER. Of several servers
    /// under one client, the first.
    pub pair: Option<usize>,
}

impl SpanNode {
    /// End, since the trace's first start.
    #[must_use]
    pub const fn end_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.duration_ns)
    }
}

/// A stretch of the critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathSection {
    /// The node that the trace waited for.
    pub node: usize,
    /// From.
    pub start_ns: u64,
    /// To; always later than `start_ns`.
    pub end_ns: u64,
}

/// One side of a call, in the mesh's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Party {
    /// Canonical service, else the span's service name, else the host called.
    pub service: String,
    /// Namespace.
    pub namespace: Option<String>,
    /// Workload: the pod's name without its hashes.
    pub workload: Option<String>,
    /// Canonical revision.
    pub revision: Option<String>,
    /// Cluster id.
    pub cluster: Option<String>,
}

/// One call between two workloads, seen from one side or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Who called.
    pub source: Arc<Party>,
    /// Who was called, by its own account; without that by the caller's (`upstream_cluster`, `peer.service`). `None` if
    /// neither says.
    pub destination: Option<Arc<Party>>,
    /// The caller's node.
    pub client: Option<usize>,
    /// The callee's node.
    pub server: Option<usize>,
    /// How long the caller waited.
    pub client_ns: Option<u64>,
    /// How long the callee worked.
    pub server_ns: Option<u64>,
    /// Network and queues: what the caller waited longer than the callee worked. `None` unless both are known and agree
    /// (a callee that goes on after its caller has left says nothing about the network). Needs no common clock.
    pub network_ns: Option<u64>,
    /// Host, port and subset that the caller's proxy routed to.
    pub host: Option<String>,
    /// See `host`.
    pub port: Option<u16>,
    /// See `host`.
    pub subset: Option<String>,
    /// Envoy's response flags, the caller's first.
    pub flags: Option<String>,
    /// HTTP status, the caller's first.
    pub http_status: Option<u16>,
    /// Whether either side failed.
    pub error: bool,
    /// Which attempt of a retried call this is; `None` if it was not retried.
    pub attempt: Option<Attempt>,
    /// How often the caller's proxy itself retried inside this call, where it says.
    pub proxy_retries: Option<u32>,
}

/// Place among attempts: calls of one parent to one destination, each begun after the one before had failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// How many there were.
    pub of: u32,
}

/// Siblings of one service, operation and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Their parent node; `None` for roots.
    pub parent: Option<usize>,
    /// The nodes, by start.
    pub nodes: Vec<usize>,
    /// Median duration (nearest rank).
    pub p50_ns: u64,
    /// 99th percentile of durations (nearest rank).
    pub p99_ns: u64,
    /// How many failed.
    pub errors: usize,
    /// First start.
    pub start_ns: u64,
    /// Last end.
    pub end_ns: u64,
    /// Most of them that ran at the same time.
    pub at_once: usize,
}

/// Analyses a trace on one clock.
#[must_use]
pub fn analyze(trace: &Trace, clock: Clock) -> TraceAnalysis {
    let mut identities = identity::identify(&trace.spans);
    let cycles = identities.break_cycles(&trace.spans);
    let mut plan = tree::lay_out(&trace.spans, &identities);
    let skew = skew::measure(&trace.spans, &identities, &plan, skew::MAX_SKEW_NS);
    if clock == Clock::Corrected {
        plan.shift(&skew.shifts);
    }
    let tree::Tree {
        mut nodes,
        roots,
        epoch_ns,
        duration_ns,
    } = tree::grow(&trace.spans, &identities, &plan);

    path::measure_self_times(&mut nodes);
    let prunable = path::detached(&trace.spans, &nodes);
    let critical_path = path::critical_path(&nodes, &roots, &prunable);
    calls::pair_up(&trace.spans, &mut nodes);
    let calls = calls::find_calls(&trace.spans, &nodes);
    let repeats = repeats::find_repeats(&trace.spans, &nodes, &roots);
    let likely_cause = findings::likely_cause(&trace.spans, &nodes);

    let mut analysis = TraceAnalysis {
        id: trace.id,
        clock,
        epoch_ns,
        duration_ns,
        roots,
        orphans: identities.orphans(),
        duplicates: identities.duplicates,
        errors: nodes.iter().filter(|node| node.error).count(),
        depth: nodes.iter().map(|node| node.depth).max().unwrap_or(0),
        nodes,
        critical_path,
        calls,
        repeats,
        likely_cause,
        findings: Vec::new(),
    };
    let oddities = findings::Oddities {
        identities: &identities,
        cycles: &cycles,
        skew: &skew,
        zero_starts: plan.zero_starts,
    };
    analysis.findings = findings::find(trace, &analysis, &oddities);
    analysis
}
