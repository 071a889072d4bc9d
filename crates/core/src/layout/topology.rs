//! The graph as the kernels of this module see it: numbers for nodes and boxes, and who calls whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{MeshGraph, NodeKind, box_of, cluster_of};

/// The cluster of who has none: callers without telemetry, hosts outside.
const UNKNOWN: &str = "unknown";

/// Nodes and boxes by index, in the order of their names: the order of the graph's lists does not matter.
#[derive(Debug)]
pub(super) struct Topology {
    /// Node ids, sorted.
    pub(super) ids: Vec<String>,
    /// Box of each node.
    pub(super) box_of: Vec<usize>,
    /// Names of boxes (`cluster/namespace`), sorted.
    pub(super) boxes: Vec<String>,
    /// Names of the clusters that have boxes of their own, sorted; none while there is only one.
    pub(super) clusters: Vec<String>,
    /// Cluster of each box; `None` for boxes that stand in none.
    pub(super) around: Vec<Option<usize>>,
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
        let nodes = graph.nodes.iter();
        let cards: BTreeMap<&str, &str> = nodes
            .filter(|node| node.kind != NodeKind::Box)
            .map(|node| (node.id.as_str(), box_of(&node.id)))
            .collect();
        let index: BTreeMap<&str, usize> =
            cards.keys().enumerate().map(|(at, id)| (*id, at)).collect();
        let boxes: Vec<&str> = sorted(cards.values().copied());
        let clusters = clusters(boxes.iter().copied());
        let box_of: Vec<usize> = cards
            .values()
            .map(|name| boxes.binary_search(name).unwrap_or_default())
            .collect();
        let around = boxes
            .iter()
            .map(|name| clusters.binary_search(&cluster_of(name)).ok())
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
            boxes: boxes.into_iter().map(str::to_owned).collect(),
            clusters: clusters.into_iter().map(str::to_owned).collect(),
            around,
            members,
            edges: edges.into_iter().collect(),
            callees,
            callers,
        }
    }

    /// These boxes alone, with their members and the calls among these; no clusters. Indices of nodes and boxes are new, in
    /// the order of [`Topology::nodes_of`] and of `boxes`, which must ascend.
    pub(super) fn part(&self, boxes: &[usize]) -> Self {
        let nodes = self.nodes_of(boxes);
        let position = |node: usize| nodes.binary_search(&node).ok();
        let edges: Vec<(usize, usize)> = self
            .edges
            .iter()
            .filter_map(|&(from, to)| Some((position(from)?, position(to)?)))
            .collect();
        let others = |of: &[Vec<usize>]| -> Vec<Vec<usize>> {
            let lists = nodes.iter().map(|&node| of[node].iter());
            lists
                .map(|list| list.filter_map(|&other| position(other)).collect())
                .collect()
        };
        let members = boxes.iter().map(|&at| self.members[at].iter());
        Self {
            ids: nodes.iter().map(|&node| self.ids[node].clone()).collect(),
            box_of: nodes
                .iter()
                .map(|&node| boxes.binary_search(&self.box_of[node]).unwrap_or_default())
                .collect(),
            boxes: boxes.iter().map(|&at| self.boxes[at].clone()).collect(),
            clusters: Vec::new(),
            around: vec![None; boxes.len()],
            members: members
                .map(|list| list.filter_map(|&node| position(node)).collect())
                .collect(),
            callees: others(&self.callees),
            callers: others(&self.callers),
            edges,
        }
    }

    /// Nodes of these boxes, ascending.
    pub(super) fn nodes_of(&self, boxes: &[usize]) -> Vec<usize> {
        let mut nodes: Vec<usize> = boxes
            .iter()
            .flat_map(|&at| self.members[at].clone())
            .collect();
        nodes.sort_unstable();
        nodes
    }

    /// Boxes of a cluster, or those that stand in none; ascending.
    pub(super) fn boxes_in(&self, cluster: Option<usize>) -> Vec<usize> {
        let boxes = 0..self.n_boxes();
        boxes.filter(|&at| self.around[at] == cluster).collect()
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

/// The clusters of these boxes, sorted, if there are several. What is in no known cluster makes none.
pub(super) fn clusters<'a>(boxes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let names = boxes.map(cluster_of).filter(|name| *name != UNKNOWN);
    let clusters = sorted(names);
    if clusters.len() > 1 {
        clusters
    } else {
        Vec::new()
    }
}

/// Each once.
fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.collect::<BTreeSet<_>>().into_iter().collect()
}
