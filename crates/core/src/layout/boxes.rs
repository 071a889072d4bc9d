//! Inside one namespace: which card stands in which column.
//!
//! Columns follow the calls among the members. Members without calls among them fill the shortest columns, and no column
//! grows taller than the box should be: a namespace of many independent services is a block, not a pole.

use petgraph::Direction;
use petgraph::visit::Dfs;

use super::layers::{Calls, calls, longest_paths};
use super::topology::Topology;
use super::{BELOW_HEADER, CARD_HEIGHT, CARD_WIDTH, COLUMN_PITCH, HEADER, PADDING, ROW_PITCH};

/// A card with those that stand right under it because it calls them; most cards stand alone.
pub(super) type Family = Vec<usize>;

/// Columns of one box, left to right, each of families from top to bottom; every member is in one of them, no column is
/// empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Inside {
    pub(super) columns: Vec<Vec<Family>>,
}

impl Inside {
    /// Arranges these members in columns by the calls between them. `acyclic` are all edges of the graph, none leading
    /// back.
    pub(super) fn of(topology: &Topology, members: &[usize], acyclic: &[(usize, usize)]) -> Self {
        let columns = columns(&among(topology, members, acyclic));
        let alone = |node: usize| vec![members[node]];
        Self {
            columns: columns
                .into_iter()
                .map(|column| column.into_iter().map(alone).collect())
                .collect(),
        }
    }

    /// Arranges these members in one column, callees under their callers: for small boxes in a picture that would get too
    /// wide.
    pub(super) fn stacked(
        topology: &Topology,
        members: &[usize],
        acyclic: &[(usize, usize)],
    ) -> Self {
        let families = families(&among(topology, members, acyclic));
        let named = |family: Family| family.into_iter().map(|node| members[node]).collect();
        Self {
            columns: vec![families.into_iter().map(named).collect()],
        }
    }

    /// The cards of each column from top to bottom.
    pub(super) fn cards(&self) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        let columns = self.columns.iter();
        columns.map(|families| families.iter().flatten().copied())
    }

    /// Cards in the tallest column.
    pub(super) fn n_rows(&self) -> usize {
        self.cards().map(Iterator::count).max().unwrap_or(0)
    }

    pub(super) fn width(&self) -> f64 {
        box_width(self.columns.len())
    }

    pub(super) fn height(&self) -> f64 {
        box_height(self.n_rows())
    }
}

/// The calls between members of one box, by position among the members, none leading back.
fn among(topology: &Topology, members: &[usize], acyclic: &[(usize, usize)]) -> Calls {
    let position = |node: &usize| members.binary_search(node).ok();
    let edges: Vec<(usize, usize)> = members
        .iter()
        .flat_map(|&node| topology.neighbours(node).map(move |other| (node, other)))
        .filter(|edge| acyclic.binary_search(edge).is_ok())
        .filter_map(|(from, to)| Some((position(&from)?, position(&to)?)))
        .collect();
    calls(members.len(), &edges)
}

fn columns(calls: &Calls) -> Vec<Vec<usize>> {
    let n = calls.node_count();
    let layer = near_their_callees(calls, longest_paths(calls));
    let (connected, lone): (Vec<usize>, Vec<usize>) =
        (0..n).partition(|&node| calls.neighbors_undirected(node.into()).next().is_some());
    let limit = row_limit(n);
    let n_layers = layer.iter().max().map_or(0, |last| last + 1);
    let mut columns: Vec<Vec<usize>> = Vec::new();
    for at in 0..n_layers {
        let of_layer = connected.iter().copied().filter(|&node| layer[node] == at);
        columns.extend(balanced(&of_layer.collect::<Vec<_>>(), limit));
    }
    if columns.is_empty() {
        return balanced(&lone, limit);
    }
    fill(&mut columns, &lone, limit);
    columns
}

/// Those whom nobody in the box calls, each followed by whom it calls, and so on; who is called by several follows the
/// first.
fn families(calls: &Calls) -> Vec<Family> {
    let mut walk = Dfs::empty(calls);
    let firsts = calls.externals(Direction::Incoming);
    firsts
        .map(|first| {
            walk.move_to(first);
            let family = std::iter::from_fn(|| walk.next(calls));
            family.map(petgraph::graph::NodeIndex::index).collect()
        })
        .collect()
}

/// Width of a box with this many columns.
pub(super) fn box_width(n_columns: usize) -> f64 {
    2.0 * PADDING + CARD_WIDTH + count(n_columns.saturating_sub(1)) * COLUMN_PITCH
}

/// Height of a box with this many rows.
pub(super) fn box_height(n_rows: usize) -> f64 {
    CARDS_TOP + CARD_HEIGHT + count(n_rows.saturating_sub(1)) * ROW_PITCH + PADDING
}

/// From the top of a box to its first card.
pub(super) const CARDS_TOP: f64 = HEADER + BELOW_HEADER;

/// A count as a length. Counts of cards are far below 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of cards are far below 2^53"
)]
pub(super) const fn count(n: usize) -> f64 {
    n as f64
}

/// Rows that make a box of this many cards about half as wide again as it is tall.
fn row_limit(n: usize) -> usize {
    (1..=n)
        .find(|rows| rows * rows * 4 >= n * 9)
        .unwrap_or(n)
        .max(4)
}

/// Moves those whom nobody in the box calls right before their first callee: short edges, and the left column is not
/// full of unrelated beginnings.
fn near_their_callees(calls: &Calls, mut layer: Vec<usize>) -> Vec<usize> {
    for caller in calls.externals(Direction::Incoming) {
        let nearest = calls
            .neighbors(caller)
            .map(|callee| layer[callee.index()])
            .min();
        if let Some(nearest) = nearest {
            layer[caller.index()] = nearest.saturating_sub(1);
        }
    }
    layer
}

/// The nodes in as few columns as the limit allows, of equal height.
fn balanced(nodes: &[usize], limit: usize) -> Vec<Vec<usize>> {
    let n_columns = nodes.len().div_ceil(limit.max(1));
    if n_columns == 0 {
        return Vec::new();
    }
    let height = nodes.len().div_ceil(n_columns);
    nodes.chunks(height).map(<[usize]>::to_vec).collect()
}

/// Adds nodes at the left, where calls from other boxes come in: to the first column that does not make the box taller,
/// else to the first that may grow, else to a new one at the right.
fn fill(columns: &mut Vec<Vec<usize>>, nodes: &[usize], limit: usize) {
    for &node in nodes {
        let height = columns.iter().map(Vec::len).max().unwrap_or(0);
        let with_room = |limit: usize| columns.iter().position(|column| column.len() < limit);
        let at = with_room(height).or_else(|| with_room(limit));
        match at.and_then(|at| columns.get_mut(at)) {
            Some(column) => column.push(node),
            None => columns.push(vec![node]),
        }
    }
}
