//! Heights: barycentre sweeps over boxes and cards at once, the best sweep wins.
//!
//! Each sweep wants every box and card level with those it talks to, and places as near to that as the order and the
//! bounds allow ([`super::isotonic`]). Sweeps run left to right and back, like those of any layered drawing, but with
//! real heights instead of ranks, because boxes differ in height.

use std::collections::BTreeMap;

use super::boxes::{CARDS_TOP, Family, Inside, count};
use super::columns::slot_height;
use super::isotonic::{Wish, place};
use super::topology::Topology;
use super::{CARD_HEIGHT, COLUMN_PITCH, PADDING, ROW_PITCH, Rect};

/// What is fixed before heights are sought.
pub(super) struct Board<'a> {
    pub(super) topology: &'a Topology,
    pub(super) insides: &'a [Inside],
    /// Columns of boxes.
    pub(super) columns: Vec<Vec<usize>>,
    /// Left edge of each box.
    pub(super) lefts: Vec<f64>,
    /// Of the whole picture.
    pub(super) height: f64,
}

/// Heights at some moment.
#[derive(Clone)]
struct Heights {
    /// Top of each box.
    tops: Vec<f64>,
    /// Row of each card within its box, in halves: a card may stand between two rows.
    rows: Vec<f64>,
}

#[derive(Clone, Copy)]
enum Looking {
    Left,
    Right,
    Both,
}

/// Positions of all cards and boxes.
pub(super) fn settle(board: Board<'_>) -> (Vec<Rect>, Vec<Rect>) {
    let mut kernel = Kernel::new(board);
    let mut heights = kernel.start();
    let mut best = (kernel.cost(&heights), heights.clone());
    // Large pictures converge no slower; they only cost more per sweep.
    let n_sweeps = if kernel.board.topology.edges.len() > 20_000 {
        6
    } else {
        18
    };
    for sweep in 0..n_sweeps {
        let looking = match sweep % 3 {
            0 => Looking::Left,
            1 => Looking::Right,
            _ => Looking::Both,
        };
        kernel.sweep(&mut heights, looking);
        let cost = kernel.cost(&heights);
        if cost < best.0 {
            best = (cost, heights.clone());
        }
    }
    kernel.rects(&best.1)
}

/// Where the top of a box wants to be, how much that matters, and which box it is.
type BoxWish = (f64, f64, usize);

struct Kernel<'a> {
    board: Board<'a>,
    /// Left edge of each card.
    xs: Vec<f64>,
    /// Number of calls between boxes that share a column.
    between: BTreeMap<(usize, usize), i64>,
    /// Order of cards in each column of each box, as of the last sweep.
    cards: Vec<Vec<Vec<Family>>>,
}

impl<'a> Kernel<'a> {
    fn new(board: Board<'a>) -> Self {
        let mut xs = vec![0.0; board.topology.n_nodes()];
        for (at, inside) in board.insides.iter().enumerate() {
            for (step, nodes) in inside.cards().enumerate() {
                for node in nodes {
                    xs[node] = board.lefts[at] + PADDING + count(step) * COLUMN_PITCH;
                }
            }
        }
        let mut between = BTreeMap::new();
        for &(from, to) in &board.topology.edges {
            let boxes = (board.topology.box_of[from], board.topology.box_of[to]);
            if boxes.0 != boxes.1
                && board.lefts[boxes.0]
                    .total_cmp(&board.lefts[boxes.1])
                    .is_eq()
            {
                *between.entry(boxes).or_default() += 1;
            }
        }
        let cards = board.insides.iter().map(|i| i.columns.clone()).collect();
        Self {
            board,
            xs,
            between,
            cards,
        }
    }

    /// Everything centred.
    fn start(&self) -> Heights {
        let mut heights = Heights {
            tops: vec![0.0; self.board.insides.len()],
            rows: vec![0.0; self.xs.len()],
        };
        for column in &self.board.columns {
            let slots = column.iter().map(|&at| self.slot(at)).sum::<f64>();
            let mut y = (self.board.height + self.slack(column) - slots) / 2.0;
            for &at in column {
                heights.tops[at] = y;
                y += self.slot(at);
            }
        }
        for inside in self.board.insides {
            for nodes in inside.cards() {
                let nodes: Vec<usize> = nodes.collect();
                let free = count(inside.n_rows() - nodes.len());
                for (row, &node) in nodes.iter().enumerate() {
                    heights.rows[node] = halves(free / 2.0) + count(row);
                }
            }
        }
        heights
    }

    fn slot(&self, at: usize) -> f64 {
        slot_height(self.board.insides[at].height())
    }

    /// What the last box of a column may leave empty below it.
    fn slack(&self, column: &[usize]) -> f64 {
        column
            .last()
            .map_or(0.0, |&at| self.slot(at) - self.board.insides[at].height())
    }

    /// Middle of a card.
    fn middle(&self, heights: &Heights, node: usize) -> f64 {
        let top = heights.tops[self.board.topology.box_of[node]];
        top + CARDS_TOP + heights.rows[node] * ROW_PITCH + CARD_HEIGHT / 2.0
    }

    /// Total height that edges climb or fall: short and level edges cross little.
    fn cost(&self, heights: &Heights) -> f64 {
        let edges = self.board.topology.edges.iter();
        edges
            .map(|&(from, to)| (self.middle(heights, from) - self.middle(heights, to)).abs())
            .sum()
    }

    fn sweep(&mut self, heights: &mut Heights, looking: Looking) {
        let n = self.board.columns.len();
        for step in 0..n {
            let at = match looking {
                Looking::Left | Looking::Both => step,
                Looking::Right => n - 1 - step,
            };
            self.level_boxes(heights, at, looking);
            for index in 0..self.board.columns[at].len() {
                let inside = self.board.columns[at][index];
                self.level_cards(heights, inside, looking);
            }
        }
    }

    fn counts(&self, looking: Looking, node: usize, other: usize) -> bool {
        match looking {
            Looking::Left => self.xs[other] < self.xs[node],
            Looking::Right => self.xs[other] > self.xs[node],
            Looking::Both => true,
        }
    }

    /// Reorders and places the boxes of one column.
    fn level_boxes(&mut self, heights: &mut Heights, column: usize, looking: Looking) {
        let topology = self.board.topology;
        let mut wishes: Vec<BoxWish> = self.board.columns[column]
            .iter()
            .map(|&at| {
                let (mut shift, mut weight) = (0.0, 0.0);
                for &node in &topology.members[at] {
                    for other in topology.neighbours(node) {
                        if topology.box_of[other] != at && self.counts(looking, node, other) {
                            shift += self.middle(heights, other) - self.middle(heights, node);
                            weight += 1.0;
                        }
                    }
                }
                let wish = if weight > 0.0 { shift / weight } else { 0.0 };
                (heights.tops[at] + wish, weight, at)
            })
            .collect();
        let middle = |&(top, _, at): &BoxWish| top + self.board.insides[at].height() / 2.0;
        wishes.sort_by(|a, b| middle(a).total_cmp(&middle(b)));
        let wishes = self.callers_first(wishes);
        let order: Vec<usize> = wishes.iter().map(|&(_, _, at)| at).collect();
        let placed = place(
            &wishes
                .iter()
                .map(|&(at, weight, index)| Wish {
                    at,
                    weight: weight + 0.5,
                    length: self.slot(index),
                })
                .collect::<Vec<_>>(),
            0.0,
            self.board.height + self.slack(&order),
        );
        for (&at, top) in order.iter().zip(placed) {
            heights.tops[at] = top;
        }
        self.board.columns[column] = order;
    }

    /// The same order, but a box whose members call those of another comes before it: calls point down, not up.
    fn callers_first(&self, mut wishes: Vec<BoxWish>) -> Vec<BoxWish> {
        let mut ordered = Vec::with_capacity(wishes.len());
        while !wishes.is_empty() {
            let is_called = |&(.., at): &BoxWish| {
                let mut others = wishes.iter();
                others.any(|&(.., other)| other != at && self.net_calls(other, at) > 0)
            };
            // In a cycle everybody is called; then the order that heights gave stands.
            let next = wishes.iter().position(|wish| !is_called(wish)).unwrap_or(0);
            ordered.push(wishes.remove(next));
        }
        ordered
    }

    /// Calls from one box to another, less those back.
    fn net_calls(&self, from: usize, to: usize) -> i64 {
        let calls = |pair| self.between.get(&pair).copied().unwrap_or(0);
        calls((from, to)) - calls((to, from))
    }

    /// Reorders and places the cards of one box.
    fn level_cards(&mut self, heights: &mut Heights, at: usize, looking: Looking) {
        let n_rows = count(self.board.insides[at].n_rows());
        let first = heights.tops[at] + CARDS_TOP + CARD_HEIGHT / 2.0;
        let n_columns = self.cards[at].len();
        for step in 0..n_columns {
            let column = match looking {
                Looking::Left | Looking::Both => step,
                Looking::Right => n_columns - 1 - step,
            };
            let mut families: Vec<(f64, Vec<Wish>, Family)> = self.cards[at][column]
                .iter()
                .map(|family| {
                    let wishes: Vec<Wish> = family
                        .iter()
                        .map(|&node| self.row_wish(heights, node, first, looking))
                        .collect();
                    let sum: f64 = wishes.iter().map(|wish| wish.at).sum();
                    (sum / count(wishes.len().max(1)), wishes, family.clone())
                })
                .collect();
            families.sort_by(|a, b| a.0.total_cmp(&b.0));
            let wishes: Vec<Wish> = families.iter().flat_map(|(_, w, _)| w).copied().collect();
            let rows = place(&wishes, 0.0, n_rows);
            let order = families.iter().flat_map(|(_, _, family)| family);
            for (index, (&node, row)) in order.zip(rows).enumerate() {
                // Rounding what stands before keeps the distances whole, so that nothing overlaps.
                heights.rows[node] = halves(row - count(index)) + count(index);
            }
            self.cards[at][column] = families.into_iter().map(|(_, _, family)| family).collect();
        }
    }

    /// The row that would put a card level with those it talks to; `first` is the middle of row 0.
    fn row_wish(&self, heights: &Heights, node: usize, first: f64, looking: Looking) -> Wish {
        let (mut sum, mut weight) = (0.0, 0.0);
        for other in self.board.topology.neighbours(node) {
            if self.counts(looking, node, other) {
                sum += self.middle(heights, other);
                weight += 1.0;
            }
        }
        Wish {
            at: if weight > 0.0 {
                (sum / weight - first) / ROW_PITCH
            } else {
                heights.rows[node]
            },
            weight: weight + 0.5,
            length: 1.0,
        }
    }

    fn rects(&self, heights: &Heights) -> (Vec<Rect>, Vec<Rect>) {
        let top = heights.tops.iter().copied().fold(f64::INFINITY, f64::min);
        let y = |at: usize| (heights.tops[at] - top).round();
        let boxes = self
            .board
            .insides
            .iter()
            .enumerate()
            .map(|(at, inside)| Rect {
                x: self.board.lefts[at],
                y: y(at),
                width: inside.width(),
                height: inside.height(),
            })
            .collect();
        let cards = self
            .xs
            .iter()
            .zip(&heights.rows)
            .zip(&self.board.topology.box_of)
            .map(|((&x, row), &at)| Rect::card(x, y(at) + CARDS_TOP + row * ROW_PITCH))
            .collect();
        (cards, boxes)
    }
}

/// Rounded to halves.
fn halves(value: f64) -> f64 {
    (value * 2.0).round() / 2.0
}
