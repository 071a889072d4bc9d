//! New nodes in an old picture: nothing that stands is moved to make room, as long as there is room anywhere near.

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::{CARDS_TOP, Inside, count};
use super::columns::size;
use super::layers::{acyclic, calls, longest_paths};
use super::topology::Topology;
use super::{
    ASPECT, BOX_GAP_X, BOX_GAP_Y, CARD_HEIGHT, CARD_WIDTH, COLUMN_PITCH, Layout, MIN_BOX_GAP,
    PADDING, ROW_PITCH, Rect,
};

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
        ghosts,
        gone_since,
    }
}

struct Picture {
    cards: BTreeMap<String, Rect>,
    boxes: BTreeMap<String, Rect>,
}

impl Picture {
    /// The old picture without what is no place, and with a box around every card that the graph still has.
    fn of(old: &Layout, topology: &Topology) -> Self {
        let sound = |rects: &BTreeMap<String, Rect>| {
            let rects = rects.iter().filter(|(_, rect)| rect.is_sound());
            rects.map(|(name, rect)| (name.clone(), *rect)).collect()
        };
        let mut picture = Self {
            cards: sound(&old.nodes),
            boxes: sound(&old.boxes),
        };
        for (at, name) in topology.boxes.iter().enumerate() {
            let outline = picture.boxes.get(name).copied();
            let cards = topology.members[at].iter().filter_map(|&node| {
                Some((
                    &topology.ids[node],
                    *picture.cards.get(&topology.ids[node])?,
                ))
            });
            let stray: Vec<String> = cards
                .filter(|(_, card)| !outline.is_some_and(|outline| outline.contains(card)))
                .map(|(id, _)| id.clone())
                .collect();
            // A card outside its box was stored by somebody else's rules; it is placed anew.
            for id in stray {
                picture.cards.remove(&id);
            }
        }
        picture
    }

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
            .unwrap_or_else(|| self.push_down(name, wanted));
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

    /// Grows the box by one row or column, unless another box is in the way.
    fn grow(&mut self, name: &str, side: Side) -> bool {
        let Some(outline) = self.boxes.get(name) else {
            return false;
        };
        let mut grown = *outline;
        match side {
            Side::Right => grown.width += COLUMN_PITCH,
            Side::Bottom => grown.height += ROW_PITCH,
            Side::Left => {
                grown.x -= COLUMN_PITCH;
                grown.width += COLUMN_PITCH;
            }
            Side::Top => {
                grown.y -= ROW_PITCH;
                grown.height += ROW_PITCH;
            }
        }
        let room = grown.inflated(MIN_BOX_GAP - 1.0, MIN_BOX_GAP - 1.0);
        let others = self.boxes.iter().filter(|(other, _)| *other != name);
        let free = others.into_iter().all(|(_, other)| !room.overlaps(other));
        if free {
            self.boxes.insert(name.to_owned(), grown);
        }
        free
    }

    /// Makes a row at the bottom of a box that is walled in, pushing down whatever is below.
    fn push_down(&mut self, name: &str, column: usize) -> Rect {
        let fallback = Rect::card(0.0, 0.0);
        let Some(outline) = self.boxes.get_mut(name) else {
            return fallback;
        };
        let y = outline.bottom() - PADDING + (ROW_PITCH - CARD_HEIGHT);
        let card = Rect::card(outline.x + PADDING + count(column) * COLUMN_PITCH, y);
        outline.height = y + CARD_HEIGHT + PADDING - outline.y;
        let mut pushing = vec![(name.to_owned(), *outline)];
        while let Some((pusher, outline)) = pushing.pop() {
            let room = outline.inflated(MIN_BOX_GAP - 1.0, MIN_BOX_GAP - 1.0);
            let hit: Vec<(String, Rect)> = self
                .boxes
                .iter()
                .filter(|(other, rect)| **other != pusher && room.overlaps(rect))
                .map(|(other, rect)| (other.clone(), *rect))
                .collect();
            for (other, rect) in hit {
                // Nothing above is ever hit: growth and pushes only go down.
                let by = outline.bottom() + MIN_BOX_GAP - rect.y;
                let moved = Rect {
                    y: rect.y + by,
                    ..rect
                };
                for card in self.cards.values_mut().filter(|card| rect.contains(card)) {
                    card.y += by;
                }
                self.boxes.insert(other.clone(), moved);
                pushing.push((other, moved));
            }
        }
        card
    }

    // ------------------------------------------------------------ a new box

    fn add_box(&mut self, topology: &Topology, at: usize, edges: &[(usize, usize)]) {
        let members = &topology.members[at];
        let inside = Inside::of(topology, members, edges);
        let (width, height) = size(&inside);
        let outline = self.free_place(topology, members, width, height);
        for (step, column) in inside.cards().enumerate() {
            for (row, node) in column.enumerate() {
                let x = outline.x + PADDING + count(step) * COLUMN_PITCH;
                let y = outline.y + CARDS_TOP + count(row) * ROW_PITCH;
                self.cards
                    .insert(topology.ids[node].clone(), Rect::card(x, y));
            }
        }
        self.boxes.insert(topology.boxes[at].clone(), outline);
    }

    /// A free rectangle of this size: in an existing column right of the callers if there is one, level with those it
    /// talks to; else beside or below everything, whichever keeps the picture's shape.
    fn free_place(&self, topology: &Topology, members: &[usize], width: f64, height: f64) -> Rect {
        let callers = members.iter().flat_map(|&node| &topology.callers[node]);
        let after = callers
            .filter_map(|&caller| self.card(topology, caller))
            .filter_map(|card| self.around(&card))
            .map(|outline| outline.right() + BOX_GAP_X)
            .fold(0.0, f64::max);
        let right = self.boxes.values().map(Rect::right).fold(0.0, f64::max);
        let bottom = self.boxes.values().map(Rect::bottom).fold(0.0, f64::max);
        let top = self.boxes.values().map(|b| b.y).fold(0.0, f64::min);
        let level = self
            .level(topology, members)
            .unwrap_or(f64::midpoint(top, bottom));
        let mut xs: Vec<f64> = self.boxes.values().map(|outline| outline.x).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        let (fitting, others): (Vec<f64>, Vec<f64>) = xs.into_iter().partition(|&x| x >= after);
        let at = |x: f64, y: f64| Rect {
            x,
            y,
            width,
            height,
        };
        let found = fitting.iter().chain(others.iter().rev()).find_map(|&x| {
            let mut ys = vec![(level - height / 2.0).round()];
            for other in self.boxes.values() {
                ys.push(other.bottom() + BOX_GAP_Y);
                ys.push(other.y - BOX_GAP_Y - height);
            }
            ys.into_iter()
                .map(|y| at(x, y))
                .filter(|place| place.y >= top && place.bottom() <= bottom.max(right / ASPECT))
                .filter(|place| self.is_free(place))
                .min_by(|a, b| {
                    let off = |place: &Rect| (place.middle_y() - level).abs();
                    off(a).total_cmp(&off(b))
                })
        });
        found.unwrap_or_else(|| {
            if self.boxes.is_empty() {
                at(0.0, 0.0)
            } else if right < ASPECT * bottom {
                let highest = (bottom - height).max(top);
                let y = (level - height / 2.0).clamp(top, highest).round();
                at(right + BOX_GAP_X, y)
            } else {
                at(after.min(right - width).max(0.0), bottom + BOX_GAP_Y)
            }
        })
    }

    fn is_free(&self, place: &Rect) -> bool {
        let room = place.inflated(BOX_GAP_X - 1.0, MIN_BOX_GAP);
        !self.boxes.values().any(|other| room.overlaps(other))
    }

    fn around(&self, card: &Rect) -> Option<Rect> {
        let mut boxes = self.boxes.values();
        boxes.find(|outline| outline.contains(card)).copied()
    }
}

#[derive(Clone, Copy)]
enum Side {
    Right,
    Bottom,
    Left,
    Top,
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
