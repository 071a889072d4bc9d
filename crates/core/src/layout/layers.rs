//! How deep in the calls each node is: cycles broken, then longest paths.
//!
//! A cycle is broken at the call that a walk along the calls, begun at those whom nobody calls, finds to lead back to
//! where it came from: that is the edge that people would call "the one going back". Without recursion, since a chain of
//! calls may be as long as the mesh is large.

use super::topology::Topology;

/// Edges of the topology with those that lead back turned around, so that no cycle is left.
pub(super) fn acyclic(topology: &Topology) -> Vec<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Walk {
        NotYet,
        On,
        Done,
    }
    let n = topology.n_nodes();
    let mut state = vec![Walk::NotYet; n];
    let mut edges = Vec::with_capacity(topology.edges.len());
    let mut starts: Vec<usize> = (0..n).collect();
    // Roots first; in a cycle that no root leads into, the one that calls most and is called least.
    starts.sort_by_key(|&node| {
        let (calls, called) = (topology.callees[node].len(), topology.callers[node].len());
        (called > 0, called.saturating_sub(calls), node)
    });
    for start in starts {
        if state[start] != Walk::NotYet {
            continue;
        }
        state[start] = Walk::On;
        let mut path = vec![(start, 0)];
        while let Some(top) = path.last_mut() {
            let (node, next) = *top;
            top.1 += 1;
            let Some(&callee) = topology.callees[node].get(next) else {
                state[node] = Walk::Done;
                path.pop();
                continue;
            };
            if state[callee] == Walk::On {
                edges.push((callee, node));
                continue;
            }
            edges.push((node, callee));
            if state[callee] == Walk::NotYet {
                state[callee] = Walk::On;
                path.push((callee, 0));
            }
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Length of the longest path that ends at each of `n` nodes. The edges must have no cycle.
pub(super) fn longest_paths(n: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut callees = vec![Vec::new(); n];
    let mut waiting = vec![0_usize; n];
    for &(from, to) in edges {
        callees[from].push(to);
        waiting[to] += 1;
    }
    let mut depth = vec![0; n];
    let mut ready: Vec<usize> = (0..n).filter(|&node| waiting[node] == 0).collect();
    while let Some(node) = ready.pop() {
        for &callee in &callees[node] {
            depth[callee] = depth[callee].max(depth[node] + 1);
            waiting[callee] -= 1;
            if waiting[callee] == 0 {
                ready.push(callee);
            }
        }
    }
    depth
}
