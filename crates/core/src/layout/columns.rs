//! The boxes of namespaces in columns: by the mean depth of their members, cut where the picture gets the shape of a
//! screen.
//!
//! Ranking boxes by longest paths of their own calls, as cards are ranked, would give a strip: namespaces call each other
//! in long chains. The mean depth of members is a softer order, and cutting it by height fills the picture.

use std::cmp::Ordering;

use super::boxes::{Inside, box_height, box_width, count};
use super::layers::{acyclic, calls, longest_paths};
use super::order::{Board, settle};
use super::topology::Topology;
use super::{ASPECT, BOX_GAP_X, BOX_GAP_Y, COLUMN_PITCH, PADDING, Rect, SLACK};

/// Sizes up to which boxes are tried as one column.
const STACKED: [usize; 4] = [0, 2, 3, 4];
/// Up to this many boxes, every way to cut them into columns is tried.
const FEW_BOXES: usize = 9;

/// Cards and boxes of a new picture, by index.
pub(super) fn arrange(topology: &Topology) -> (Vec<Rect>, Vec<Rect>) {
    if topology.n_nodes() == 0 {
        return (Vec::new(), Vec::new());
    }
    let edges = acyclic(topology);
    let order = by_depth(topology, &edges);
    let (insides, columns) = cut(topology, &edges, &order);
    let lefts = lefts(&insides, &columns);
    let height = columns
        .iter()
        .map(|column| stack_height(&insides, column))
        .fold(0.0, f64::max);
    settle(Board {
        topology,
        insides: &insides,
        columns,
        lefts,
        height,
    })
}

/// Boxes by the mean depth of their members.
fn by_depth(topology: &Topology, edges: &[(usize, usize)]) -> Vec<usize> {
    let depth = longest_paths(&calls(topology.n_nodes(), edges));
    let means: Vec<f64> = topology
        .members
        .iter()
        .map(|members| {
            let sum: usize = members.iter().map(|&node| depth[node]).sum();
            count(sum) / count(members.len().max(1))
        })
        .collect();
    let mut order: Vec<usize> = (0..topology.n_boxes()).collect();
    order.sort_by(|&a, &b| means[a].total_cmp(&means[b]).then(a.cmp(&b)));
    order
}

/// Height that a box takes up in its column: with the slack in which it may grow.
pub(super) fn slot_height(height: f64) -> f64 {
    height + BOX_GAP_Y.max(height * SLACK)
}

fn stack_height(insides: &[Inside], column: &[usize]) -> f64 {
    let slots: f64 = column
        .iter()
        .map(|&at| slot_height(insides[at].height()))
        .sum();
    let last = column.last().map_or(0.0, |&at| insides[at].height());
    slots - slot_height(last) + last
}

/// Left edge of each box: columns as wide as their widest box.
fn lefts(insides: &[Inside], columns: &[Vec<usize>]) -> Vec<f64> {
    let mut lefts = vec![0.0; insides.len()];
    let mut x = 0.0;
    for column in columns {
        let mut width = 0.0_f64;
        for &at in column {
            lefts[at] = x;
            width = width.max(insides[at].width());
        }
        x += width + BOX_GAP_X;
    }
    lefts
}

/// Cuts the order of boxes into columns. Tried are all numbers of columns that could make a screen, each with boxes up to
/// some size stacked into one column; the best is what shows largest on a screen while most calls point right.
fn cut(
    topology: &Topology,
    edges: &[(usize, usize)],
    order: &[usize],
) -> (Vec<Inside>, Vec<Vec<usize>>) {
    let mut best: Option<(f64, Vec<Inside>, Vec<Vec<usize>>)> = None;
    let mut tried: Vec<Vec<Inside>> = Vec::new();
    for stacked in STACKED {
        let insides: Vec<Inside> = topology
            .members
            .iter()
            .map(|members| {
                if members.len() <= stacked {
                    Inside::stacked(topology, members, edges)
                } else {
                    Inside::of(topology, members, edges)
                }
            })
            .collect();
        if tried.contains(&insides) {
            continue;
        }
        let slots: Vec<f64> = insides
            .iter()
            .map(|inside| slot_height(inside.height()))
            .collect();
        for columns in cuts(&slots, order) {
            let badness = badness(topology, &insides, &columns);
            if best.as_ref().is_none_or(|(least, ..)| badness < *least) {
                best = Some((badness, insides.clone(), columns));
            }
        }
        tried.push(insides);
    }
    best.map(|(_, insides, columns)| (insides, columns))
        .unwrap_or_default()
}

/// Ways to cut the order of boxes that take up these heights: all of them if the boxes are few, else the evenest for each number of columns.
pub(super) fn cuts(slots: &[f64], order: &[usize]) -> Vec<Vec<Vec<usize>>> {
    let n = order.len();
    if n > FEW_BOXES {
        // Boxes are not so much taller than wide that more columns than this could make a screen.
        let root = (1..=n).find(|side| side * side >= n).unwrap_or(1);
        let most = n.min(4 + 4 * root);
        return (1..=most)
            .map(|n_columns| cut_into(slots, order, n_columns))
            .collect();
    }
    let n_cuts = 1_usize << n.saturating_sub(1);
    let cut_before = |pattern: usize, at: usize| at > 0 && pattern & (1 << (at - 1)) != 0;
    (0..n_cuts)
        .map(|pattern| {
            let mut columns: Vec<Vec<usize>> = Vec::new();
            for (at, &index) in order.iter().enumerate() {
                match columns.last_mut() {
                    Some(column) if !cut_before(pattern, at) => column.push(index),
                    _ => columns.push(vec![index]),
                }
            }
            columns
        })
        .collect()
}

/// At most this many columns of consecutive boxes, the tallest as low as it can be.
fn cut_into(slots: &[f64], order: &[usize], n_columns: usize) -> Vec<Vec<usize>> {
    let height = |at: usize| slots[at];
    let fill = |limit: f64| {
        let mut columns: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = 0.0;
        for &at in order {
            if used + height(at) > limit && used > 0.0 {
                columns.push(Vec::new());
                used = 0.0;
            }
            used += height(at);
            if let Some(column) = columns.last_mut() {
                column.push(at);
            }
        }
        columns
    };
    let mut low = order.iter().map(|&at| height(at)).fold(0.0, f64::max);
    let mut high: f64 = order.iter().map(|&at| height(at)).sum();
    if fill(low).len() <= n_columns {
        return fill(low);
    }
    // Halving the interval this often leaves less than a pixel of the tallest picture there can be.
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if fill(middle).len() <= n_columns {
            high = middle;
        } else {
            low = middle;
        }
    }
    fill(high)
}

/// How poor a cut is: the size of the screen that it needs, what of that stays empty, and the calls that do not point
/// right. The weights are a matter of taste.
fn badness(topology: &Topology, insides: &[Inside], columns: &[Vec<usize>]) -> f64 {
    let lefts = lefts(insides, columns);
    let mut xs = vec![0.0; topology.n_nodes()];
    let (mut width, mut height) = (0.0_f64, 1.0_f64);
    for column in columns {
        height = height.max(stack_height(insides, column));
        for &at in column {
            width = width.max(lefts[at] + insides[at].width());
            for (step, nodes) in insides[at].cards().enumerate() {
                for node in nodes {
                    xs[node] = lefts[at] + PADDING + count(step) * COLUMN_PITCH;
                }
            }
        }
    }
    let n_edges = count(topology.edges.len().max(1));
    let wrong: f64 = topology
        .edges
        .iter()
        .map(|&(from, to)| match xs[from].total_cmp(&xs[to]) {
            Ordering::Less => 0.0,
            // Within a stacked box a call points down, which reads nearly as well.
            Ordering::Equal if topology.box_of[from] == topology.box_of[to] => 0.4,
            Ordering::Equal => 1.2,
            Ordering::Greater => 1.5,
        })
        .sum();
    poorness(width, height, wrong / n_edges)
}

/// How poor a picture of this size is; `wrong` is the share of its calls that do not point right, by how wrong they do.
pub(super) fn poorness(width: f64, height: f64, wrong: f64) -> f64 {
    // The screen that holds the picture, by its height; then how much of that screen stays empty.
    let screen = (width / ASPECT).max(height);
    let empty = (width / height / ASPECT).ln().abs();
    screen.ln() + 0.4 * empty + 3.0 * wrong
}

/// Size of a box with these columns, for boxes that are placed one by one.
pub(super) fn size(inside: &Inside) -> (f64, f64) {
    (box_width(inside.columns.len()), box_height(inside.n_rows()))
}
