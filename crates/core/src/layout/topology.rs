//! The graph as the kernels of this module see it: numbers for nodes and boxes, and who calls whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{MeshGraph, NodeKind};

/// Nodes and boxes by index, in the order of their names: the order of the graph's lists does not matter.
#[derive(Debug)]
pub(super) struct Topology {
    /// Node ids, sorted.
    pub(super) ids: Vec<String>,
    /// Box of each node.
    pub(super) box_of: Vec<usize>,
    /// Names of boxes (`cluster/namespace`), sorted.
    pub(super) boxes: Vec<String>,
    /// Nodes of each box, ascending.
    pub(super) members: Vec<Vec<usize>>,
    /// Caller and callee, sorted, each pair once, nobody with itself.
    pub(super) edges: Vec<(usize, usize)>,
    /// Callees of each node.
    pub(super) callees: Vec<Vec<usize>>,
    /// Callers of each node.
    pub(super) callers: Vec<Vec<usize>>,
}

impl Topology {
    pub(super) fn of(graph: &MeshGraph) -> Self {
        let cards: BTreeMap<&str, String> = graph
            .nodes
            .iter()
            .filter(|node| node.kind != NodeKind::Box)
            .map(|node| {
                (
                    node.id.as_str(),
                    format!("{}/{}", node.cluster, node.namespace),
                )
            })
            .collect();
        let index: BTreeMap<&str, usize> =
            cards.keys().enumerate().map(|(at, id)| (*id, at)).collect();
        let boxes: Vec<String> = cards
            .values()
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let box_of: Vec<usize> = cards
            .values()
            .map(|name| boxes.binary_search(name).unwrap_or_default())
            .collect();
        let edges: BTreeSet<(usize, usize)> = graph
            .edges
            .iter()
            .filter_map(|edge| {
                let ends = (
                    *index.get(edge.source.as_str())?,
                    *index.get(edge.target.as_str())?,
                );
                (ends.0 != ends.1).then_some(ends)
            })
            .collect();
        let mut members = vec![Vec::new(); boxes.len()];
        for (node, &of) in box_of.iter().enumerate() {
            members[of].push(node);
        }
        let mut callees = vec![Vec::new(); cards.len()];
        let mut callers = vec![Vec::new(); cards.len()];
        for &(from, to) in &edges {
            callees[from].push(to);
            callers[to].push(from);
        }
        Self {
            ids: cards.keys().map(|&id| id.to_owned()).collect(),
            box_of,
            boxes,
            members,
            edges: edges.into_iter().collect(),
            callees,
            callers,
        }
    }

    pub(super) fn n_nodes(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn n_boxes(&self) -> usize {
        self.boxes.len()
    }

    /// Callers and callees.
    pub(super) fn neighbours(&self, node: usize) -> impl Iterator<Item = usize> {
        let callers = self.callers[node].iter();
        callers.chain(&self.callees[node]).copied()
    }
}
