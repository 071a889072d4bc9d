//! New nodes in an old picture: nothing that stands is moved to make room, as long as there is room anywhere near.

use std::collections::BTreeSet;

use super::boxes::{CARDS_TOP, Inside, count};
use super::clusters::Block;
use super::columns::size;
use super::layers::{acyclic, calls, longest_paths};
use super::picture::{Item, Picture, Side};
use super::topology::Topology;
use super::{
    ASPECT, BOX_GAP_X, BOX_GAP_Y, CARD_HEIGHT, CARD_WIDTH, COLUMN_PITCH, HEADER, Layout,
    MIN_BOX_GAP, PADDING, ROW_PITCH, Rect,
};
use crate::graph::cluster_of;

/// A new card keeps this near to the cards it talks to, if it can.
const NEAR: f64 = 6.0 * ROW_PITCH;

/// The old layout with a place for each node that it does not hold. The version is the old one.
pub(super) fn insert(old: &Layout, topology: &Topology) -> Layout {
    let mut picture = Picture::of(old, topology);
    let ghosts: Vec<String> = picture
        .cards
        .keys()
        .filter(|id| topology.ids.binary_search(id).is_err())
        .cloned()
        .collect();
    let gone_since = old.gone_since.iter();
    let gone_since = gone_since
        .filter(|(id, _)| ghosts.binary_search(id).is_ok())
        .map(|(id, since)| (id.clone(), *since))
        .collect();
    let is_new = |node: usize| !picture.cards.contains_key(&topology.ids[node]);
    let mut new: Vec<usize> = (0..topology.n_nodes())
        .filter(|&node| is_new(node))
        .collect();
    if !new.is_empty() {
        let edges = acyclic(topology);
        let depth = longest_paths(&calls(topology.n_nodes(), &edges));
        // Callers before callees, so that a callee finds its callers placed.
        new.sort_by_key(|&node| (depth[node], node));
        let mut done: BTreeSet<usize> = BTreeSet::new();
        for &node in &new {
            if done.contains(&node) {
                continue;
            }
            let at = topology.box_of[node];
            if picture.boxes.contains_key(&topology.boxes[at]) {
                picture.add_card(topology, node);
            } else if let Some(cluster) = picture.new_cluster(&topology.boxes[at]) {
                done.extend(picture.add_cluster(topology, cluster));
            } else {
                picture.add_box(topology, at, &edges);
                done.extend(&topology.members[at]);
            }
        }
    }
    Layout {
        version: old.version,
        nodes: picture.cards,
        boxes: picture.boxes,
        clusters: picture.clusters,
        ghosts,
        gone_since,
    }
}

impl Picture {
    fn card(&self, topology: &Topology, node: usize) -> Option<Rect> {
        self.cards.get(&topology.ids[node]).copied()
    }

    /// Mean height of those it talks to.
    fn level(&self, topology: &Topology, nodes: &[usize]) -> Option<f64> {
        let heights: Vec<f64> = nodes
            .iter()
            .flat_map(|&node| topology.neighbours(node))
            .filter_map(|other| Some(self.card(topology, other)?.middle_y()))
            .collect();
        (!heights.is_empty()).then(|| heights.iter().sum::<f64>() / count(heights.len()))
    }

    // ------------------------------------------------------------ a card in a box

    fn add_card(&mut self, topology: &Topology, node: usize) {
        let name = &topology.boxes[topology.box_of[node]];
        let Some(outline) = self.boxes.get(name).copied() else {
            return;
        };
        let level = self
            .level(topology, &[node])
            .unwrap_or_else(|| outline.middle_y());
        let wanted = self.wanted_column(topology, node, &outline);
        let last = n_columns(&outline) - 1;
        let card = if wanted > last && self.grow(name, Side::Right) {
            self.gap(name, wanted, level)
        } else {
            None
        };
        let wanted = wanted.min(last);
        let card = card
            .or_else(|| {
                let near = self.gap(name, wanted, level);
                near.filter(|card| (card.middle_y() - level).abs() <= NEAR)
            })
            .or_else(|| self.row_below(name, wanted, level))
            .or_else(|| {
                let mut columns: Vec<usize> = (0..=last).collect();
                columns.sort_by_key(|&column| (column.abs_diff(wanted), column < wanted));
                columns
                    .into_iter()
                    .find_map(|column| self.gap(name, column, level))
            })
            .or_else(|| self.column_beside(name, wanted, level))
            .unwrap_or_else(|| self.row_in_the_way(name, wanted));
        self.cards.insert(topology.ids[node].clone(), card);
    }

    /// Right of its callers in the box, else left of its callees in the box, else the first.
    fn wanted_column(&self, topology: &Topology, node: usize, outline: &Rect) -> usize {
        let columns = |nodes: &[usize]| -> Vec<usize> {
            let same_box = nodes
                .iter()
                .filter(|&&other| topology.box_of[other] == topology.box_of[node]);
            same_box
                .filter_map(|&other| Some(column_of(outline, &self.card(topology, other)?)))
                .collect()
        };
        let callers = columns(&topology.callers[node]);
        let callees = columns(&topology.callees[node]);
        match (callers.iter().max(), callees.iter().min()) {
            (Some(caller), _) => caller + 1,
            (None, Some(callee)) => callee.saturating_sub(1),
            (None, None) => 0,
        }
    }

    /// The free place in this column of the box that is nearest to the level.
    fn gap(&self, name: &str, column: usize, level: f64) -> Option<Rect> {
        let outline = self.boxes.get(name)?;
        let x = outline.x + PADDING + count(column) * COLUMN_PITCH;
        let inside: Vec<&Rect> = self
            .cards
            .values()
            .filter(|card| outline.overlaps(card))
            .collect();
        let gap = (COLUMN_PITCH - CARD_WIDTH) / 2.0;
        let is_free = |card: &Rect| {
            let room = card.inflated(gap - 1.0, ROW_PITCH - CARD_HEIGHT - 1.0);
            !inside.iter().any(|other| room.overlaps(other))
        };
        let first = outline.y + CARDS_TOP;
        let last = outline.bottom() - PADDING - CARD_HEIGHT;
        let steps = std::iter::successors(Some(first), |y| Some(y + ROW_PITCH / 2.0));
        steps
            .take_while(|y| *y <= last + 0.5)
            .map(|y| Rect::card(x, y))
            .filter(is_free)
            .min_by(|a, b| {
                let off = |card: &Rect| (card.middle_y() - level).abs();
                off(a).total_cmp(&off(b))
            })
    }

    /// A place in a new row at the bottom, if the box can grow there.
    fn row_below(&mut self, name: &str, column: usize, level: f64) -> Option<Rect> {
        if self.grow(name, Side::Bottom) {
            self.gap(name, column, level)
        } else {
            None
        }
    }

    /// A place in a new column or in a new first row, if the box can grow there.
    fn column_beside(&mut self, name: &str, column: usize, level: f64) -> Option<Rect> {
        let last = self.boxes.get(name).map(n_columns)?;
        if self.grow(name, Side::Right) {
            self.gap(name, last, level)
        } else if self.grow(name, Side::Top) {
            self.gap(name, column, level)
        } else if self.grow(name, Side::Left) {
            self.gap(name, 0, level)
        } else {
            None
        }
    }

    /// Makes a row at the bottom of a box that is walled in, pushing down whatever is below.
    fn row_in_the_way(&mut self, name: &str, column: usize) -> Rect {
        let Some(mut outline) = self.boxes.get(name).copied() else {
            return Rect::card(0.0, 0.0);
        };
        let y = outline.bottom() - PADDING + (ROW_PITCH - CARD_HEIGHT);
        let card = Rect::card(outline.x + PADDING + count(column) * COLUMN_PITCH, y);
        outline.height = y + CARD_HEIGHT + PADDING - outline.y;
        self.put(name, outline);
        self.push_down(name);
        card
    }

    // ------------------------------------------------------------ a new box

    fn add_box(&mut self, topology: &Topology, at: usize, edges: &[(usize, usize)]) {
        let members = &topology.members[at];
        let inside = Inside::of(topology, members, edges);
        let (width, height) = size(&inside);
        let name = &topology.boxes[at];
        let outline = self.free_place(topology, at, width, height);
        self.put(name, outline);
        // In a cluster there may be no free place but in the way of others.
        self.push_down(name);
        for (step, column) in inside.cards().enumerate() {
            for (row, node) in column.enumerate() {
                let x = outline.x + PADDING + count(step) * COLUMN_PITCH;
                let y = outline.y + CARDS_TOP + count(row) * ROW_PITCH;
                self.cards
                    .insert(topology.ids[node].clone(), Rect::card(x, y));
            }
        }
    }

    /// A free rectangle of this size: in an existing column right of the callers if there is one, level with those it
    /// talks to; else beside or below everything, whichever keeps the picture's shape. In a cluster, "everything" is what
    /// stands in it.
    fn free_place(&self, topology: &Topology, at: usize, width: f64, height: f64) -> Rect {
        let (members, name) = (&topology.members[at], &topology.boxes[at]);
        let siblings = self.siblings(&Item::Box(name.clone()));
        let others: Vec<Rect> = siblings.into_iter().map(|(_, rect)| rect).collect();
        let inner = |(_, outline): (&str, Rect)| (outline.x + PADDING, outline.y + HEADER);
        let (left, first) = self.around(name).map_or((0.0, 0.0), inner);
        let callers = members.iter().flat_map(|&node| &topology.callers[node]);
        let after = callers
            .filter_map(|&caller| self.card(topology, caller))
            .filter_map(|card| others.iter().find(|outline| outline.contains(&card)))
            .map(|outline| outline.right() + BOX_GAP_X)
            .fold(left, f64::max);
        let right = others.iter().map(Rect::right).fold(left, f64::max);
        let bottom = others.iter().map(Rect::bottom).fold(first, f64::max);
        let top = others.iter().map(|b| b.y).fold(first, f64::min);
        let level = self
            .level(topology, members)
            .unwrap_or(f64::midpoint(top, bottom));
        let mut xs: Vec<f64> = others.iter().map(|outline| outline.x).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        let (fitting, earlier): (Vec<f64>, Vec<f64>) = xs.into_iter().partition(|&x| x >= after);
        let place = |x: f64, y: f64| Rect {
            x,
            y,
            width,
            height,
        };
        let is_clear = |place: &Rect| self.is_clear(name, place, BOX_GAP_X - 1.0, MIN_BOX_GAP);
        let lowest = bottom.max(first + (right - left) / ASPECT);
        let found = fitting.iter().chain(earlier.iter().rev()).find_map(|&x| {
            let mut ys = vec![(level - height / 2.0).round()];
            for other in &others {
                ys.push(other.bottom() + BOX_GAP_Y);
                ys.push(other.y - BOX_GAP_Y - height);
            }
            ys.into_iter()
                .map(|y| place(x, y))
                .filter(|place| place.y >= top && place.bottom() <= lowest)
                .filter(is_clear)
                .min_by(|a, b| {
                    let off = |place: &Rect| (place.middle_y() - level).abs();
                    off(a).total_cmp(&off(b))
                })
        });
        found.unwrap_or_else(|| {
            if others.is_empty() {
                return place(left, first);
            }
            let highest = (bottom - height).max(top);
            let y = (level - height / 2.0).clamp(top, highest).round();
            let beside = place(right + BOX_GAP_X, y);
            if right - left < ASPECT * (bottom - first) && is_clear(&beside) {
                beside
            } else {
                let x = after.min(right - width).max(left);
                place(x, bottom + BOX_GAP_Y)
            }
        })
    }

    // ------------------------------------------------------------ a new cluster

    /// Adds all boxes of a cluster that has none yet, and answers their nodes.
    fn add_cluster(&mut self, topology: &Topology, cluster: &str) -> Vec<usize> {
        let boxes: Vec<usize> = (0..topology.n_boxes())
            .filter(|&at| cluster_of(&topology.boxes[at]) == cluster)
            .collect();
        let block = Block::of(topology, &boxes, true);
        let (x, y) = self.beyond();
        for (node, card) in &block.cards {
            let id = topology.ids[*node].clone();
            self.cards.insert(id, card.moved(x, y));
        }
        for (at, outline) in &block.boxes {
            let name = topology.boxes[*at].clone();
            self.boxes.insert(name, outline.moved(x, y));
        }
        let outline = block.outline.moved(x, y);
        self.clusters.insert(cluster.to_owned(), outline);
        topology.nodes_of(&boxes)
    }
}

/// Columns that a box has room for; at least one.
fn n_columns(outline: &Rect) -> usize {
    let spare = outline.width - 2.0 * PADDING - CARD_WIDTH;
    steps(spare) + 1
}

/// The column of a card in its box.
fn column_of(outline: &Rect, card: &Rect) -> usize {
    let middle = outline.x + PADDING + CARD_WIDTH / 2.0;
    steps(card.middle_x() - middle + COLUMN_PITCH / 2.0)
}

/// Whole columns in a length.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a range that any integer holds"
)]
fn steps(length: f64) -> usize {
    ((length + 0.5) / COLUMN_PITCH).floor().clamp(0.0, 1e6) as usize
}
