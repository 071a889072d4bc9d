//! How deep in the calls each node is: cycles broken, then longest paths.
//!
//! A cycle is broken at the call that a walk along the calls, begun at those whom nobody calls, finds to lead back to
//! where it came from: that is the edge that people would call "the one going back". (petgraph's `greedy_feedback_arc_set`
//! turns somewhat fewer around, but does not ask where a mesh begins.) Of petgraph's walks only those without recursion
//! serve here, since a chain of calls may be as long as the mesh is large.

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::DfsPostOrder;

use super::topology::Topology;

/// Who calls whom among nodes that are numbers.
pub(super) type Calls = DiGraph<(), (), usize>;

/// The calls among `n` nodes. petgraph's depth-first walks take the calls of a node in the order of `edges`.
pub(super) fn calls(n: usize, edges: &[(usize, usize)]) -> Calls {
    let mut calls = Calls::with_capacity(n, edges.len());
    for _ in 0..n {
        calls.add_node(());
    }
    calls.extend_with_edges(edges);
    calls
}

/// Edges of the topology with those that lead back turned around, so that no cycle is left; sorted, each once.
pub(super) fn acyclic(topology: &Topology) -> Vec<(usize, usize)> {
    let n = topology.n_nodes();
    let mut starts: Vec<usize> = (0..n).collect();
    // Roots first; in a cycle that no root leads into, the first that calls as often as it is called.
    starts.sort_by_key(|&node| {
        let (calls, called) = (topology.callees[node].len(), topology.callers[node].len());
        (called > 0, called.saturating_sub(calls), node)
    });
    let calls = calls(n, &topology.edges);
    let mut walk = DfsPostOrder::empty(&calls);
    let mut finished_at = vec![0; n];
    let mut n_finished = 0;
    for start in starts {
        walk.move_to(NodeIndex::new(start));
        while let Some(node) = walk.next(&calls) {
            finished_at[node.index()] = n_finished;
            n_finished += 1;
        }
    }
    let mut edges = topology.edges.clone();
    for (from, to) in &mut edges {
        // The walk was still under way from a node that finishes after one that calls it.
        if finished_at[*to] > finished_at[*from] {
            std::mem::swap(from, to);
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Length of the longest path that ends at each node. The calls must have no cycle.
pub(super) fn longest_paths(calls: &Calls) -> Vec<usize> {
    let mut depth = vec![0; calls.node_count()];
    for node in toposort(calls, None).unwrap_or_default() {
        for callee in calls.neighbors(node) {
            depth[callee.index()] = depth[callee.index()].max(depth[node.index()] + 1);
        }
    }
    depth
}

#[cfg(test)]
mod tests;
