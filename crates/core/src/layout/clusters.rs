//! The boxes of clusters: each is a picture of its own, and these pictures stand in columns as namespaces do.
//!
//! Boxes of no known cluster (callers without telemetry) make one more such picture, without an outline.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::boxes::count;
use super::columns::{self, cuts, poorness, slot_height};
use super::layers::{acyclic, calls, longest_paths};
use super::topology::Topology;
use super::{BOX_GAP_X, HEADER, PADDING, Rect};

#[cfg(test)]
mod tests;

/// Cards, boxes of namespaces and boxes of clusters of a new picture, by index.
pub(super) struct Placed {
    pub(super) nodes: Vec<Rect>,
    pub(super) boxes: Vec<Rect>,
    pub(super) clusters: Vec<Rect>,
}

/// What stands together: the boxes of one cluster, or of none, placed for themselves.
pub(super) struct Block {
    /// Nodes and their cards.
    pub(super) cards: Vec<(usize, Rect)>,
    /// Boxes and their places.
    pub(super) boxes: Vec<(usize, Rect)>,
    /// With the outline, if it has one; its corner is at 0, 0.
    pub(super) outline: Rect,
}

pub(super) fn arrange(topology: &Topology) -> Placed {
    if topology.clusters.is_empty() {
        let (nodes, boxes) = columns::arrange(topology);
        return Placed {
            nodes,
            boxes,
            clusters: Vec::new(),
        };
    }
    let clusters = (0..topology.clusters.len()).map(Some);
    let blocks: Vec<(Option<usize>, Block)> = clusters
        .chain([None])
        .map(|cluster| (cluster, topology.boxes_in(cluster)))
        .filter(|(_, boxes)| !boxes.is_empty())
        .map(|(cluster, boxes)| (cluster, Block::of(topology, &boxes, cluster.is_some())))
        .collect();
    let origin = Rect::card(0.0, 0.0);
    let mut placed = Placed {
        nodes: vec![origin; topology.n_nodes()],
        boxes: vec![origin; topology.n_boxes()],
        clusters: vec![origin; topology.clusters.len()],
    };
    for ((cluster, block), (x, y)) in blocks.iter().zip(corners(topology, &blocks)) {
        for (node, card) in &block.cards {
            placed.nodes[*node] = card.moved(x, y);
        }
        for (at, outline) in &block.boxes {
            placed.boxes[*at] = outline.moved(x, y);
        }
        if let Some(cluster) = cluster {
            placed.clusters[*cluster] = block.outline.moved(x, y);
        }
    }
    placed
}

impl Block {
    /// These boxes (ascending) as a picture of its own, perhaps with a frame around.
    pub(super) fn of(topology: &Topology, boxes: &[usize], framed: bool) -> Self {
        let nodes = topology.nodes_of(boxes);
        let (cards, places) = columns::arrange(&topology.part(boxes));
        let (side, top) = if framed {
            (PADDING, HEADER)
        } else {
            (0.0, 0.0)
        };
        let place = |rects: Vec<Rect>| rects.into_iter().map(move |rect| rect.moved(side, top));
        let boxes: Vec<(usize, Rect)> = boxes.iter().copied().zip(place(places)).collect();
        let right = boxes.iter().map(|(_, rect)| rect.right());
        let bottom = boxes.iter().map(|(_, rect)| rect.bottom());
        Self {
            cards: nodes.into_iter().zip(place(cards)).collect(),
            outline: Rect {
                x: 0.0,
                y: 0.0,
                width: right.fold(0.0, f64::max) + side,
                height: bottom.fold(0.0, f64::max) + side,
            },
            boxes,
        }
    }
}

/// Where each block stands: left to right by the mean depth of its members, cut into columns as boxes are.
fn corners(topology: &Topology, blocks: &[(Option<usize>, Block)]) -> Vec<(f64, f64)> {
    let mut block_of = vec![0; topology.n_nodes()];
    for (at, (_, block)) in blocks.iter().enumerate() {
        for (node, _) in &block.cards {
            block_of[*node] = at;
        }
    }
    let depth = longest_paths(&calls(topology.n_nodes(), &acyclic(topology)));
    let mean = |block: &Block| {
        let sum: usize = block.cards.iter().map(|(node, _)| depth[*node]).sum();
        count(sum) / count(block.cards.len().max(1))
    };
    let means: Vec<f64> = blocks.iter().map(|(_, block)| mean(block)).collect();
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by(|&a, &b| means[a].total_cmp(&means[b]).then(a.cmp(&b)));
    let ends = topology.edges.iter();
    let between: Vec<(usize, usize)> = ends
        .map(|&(from, to)| (block_of[from], block_of[to]))
        .filter(|(from, to)| from != to)
        .collect();
    let order = callers_first(order, &between);
    let slots: Vec<f64> = blocks
        .iter()
        .map(|(_, block)| slot_height(block.outline.height))
        .collect();
    let placings = cuts(&slots, &order)
        .into_iter()
        .map(|columns| stand(blocks, &slots, &columns))
        .map(|placing| (badness(blocks, &between, &placing), placing));
    let best = placings.min_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, placing)| placing).unwrap_or_default()
}

/// The same order, but who calls another more than it is called by it comes before it. Depth alone does not tell: clusters
/// of one mesh are about as deep as each other.
fn callers_first(mut waiting: Vec<usize>, between: &[(usize, usize)]) -> Vec<usize> {
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for call in between {
        *counts.entry(*call).or_default() += 1;
    }
    let n_calls = |from: usize, to: usize| counts.get(&(from, to)).copied().unwrap_or(0);
    let mut order = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_called = |&at: &usize| {
            let mut others = waiting.iter();
            others.any(|&other| n_calls(other, at) > n_calls(at, other))
        };
        // In a cycle everybody is called; then the order that depths gave stands.
        let next = waiting.iter().position(|at| !is_called(at)).unwrap_or(0);
        order.push(waiting.remove(next));
    }
    order
}

/// Columns side by side, each in the middle of the picture's height.
fn stand(
    blocks: &[(Option<usize>, Block)],
    slots: &[f64],
    columns: &[Vec<usize>],
) -> Vec<(f64, f64)> {
    let height = |column: &[usize]| column.iter().map(|&at| slots[at]).sum::<f64>();
    let tallest = columns
        .iter()
        .map(|column| height(column))
        .fold(0.0, f64::max);
    let mut corners = vec![(0.0, 0.0); blocks.len()];
    let mut x = 0.0;
    for column in columns {
        let mut y = ((tallest - height(column)) / 2.0).round();
        let mut width = 0.0_f64;
        for &at in column {
            corners[at] = (x, y);
            y += slots[at];
            width = width.max(blocks[at].1.outline.width);
        }
        x += width + BOX_GAP_X;
    }
    corners
}

fn badness(
    blocks: &[(Option<usize>, Block)],
    between: &[(usize, usize)],
    corners: &[(f64, f64)],
) -> f64 {
    let (mut width, mut height) = (0.0_f64, 1.0_f64);
    for ((_, block), (x, y)) in blocks.iter().zip(corners) {
        width = width.max(x + block.outline.width);
        height = height.max(y + block.outline.height);
    }
    let wrong: f64 = between
        .iter()
        .map(
            |&(from, to)| match corners[from].0.total_cmp(&corners[to].0) {
                Ordering::Less => 0.0,
                Ordering::Equal => 1.2,
                Ordering::Greater => 1.5,
            },
        )
        .sum();
    poorness(width, height, wrong / count(between.len().max(1)))
}
