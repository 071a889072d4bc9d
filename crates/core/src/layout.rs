//! Where cards stand: left to right, namespaces in boxes, and never moved by metrics.
//!
//! [`Layout::arrange`] places every node anew; [`Layout::follow_at`] keeps every old position and only finds a place for
//! new nodes. Pure and deterministic: equal graphs, equal pictures, whatever the order of nodes and edges.
//!
//! A layout has two levels, and three where the graph has several clusters. Inside a namespace, cards stand in columns by
//! who calls whom (`layers`, `boxes`); the boxes of namespaces stand in wider columns by how deep in the calls their
//! members are, cut so that the picture has the shape of a screen (`columns`). Heights come last: barycentre sweeps over
//! both levels (`order`, `isotonic`). Each of several clusters is such a picture in a box of its own (`clusters`). Any full
//! run moves nearly everything, which is why a running picture is only ever extended (`insert`, `picture`).
//!
//! Units are world pixels; zooming and drawing are the view's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::graph::{MeshGraph, cluster_of};
use crate::model::{Moment, TimeSpan};

mod boxes;
mod clusters;
mod columns;
mod insert;
mod isotonic;
mod layers;
mod order;
mod picture;
mod topology;

use topology::Topology;

/// Width of a card.
pub const CARD_WIDTH: f64 = 168.0;
/// Height of a card.
pub const CARD_HEIGHT: f64 = 48.0;
/// From one column of cards to the next, also across boxes.
pub const COLUMN_PITCH: f64 = 236.0;
/// From one card to the next below.
pub const ROW_PITCH: f64 = 76.0;
/// Height of the band at the top of a box that holds its name.
pub const HEADER: f64 = 34.0;
/// Between the edge of a box and its cards.
pub const PADDING: f64 = 16.0;
/// How long a card keeps its place after its node is gone: longer than restarts and pauses in the calls take.
pub const GHOST_STAYS: TimeSpan = TimeSpan::seconds(600);

/// Between the header and the first card.
const BELOW_HEADER: f64 = 8.0;
/// Between boxes side by side, such that cards keep their pitch across boxes.
const BOX_GAP_X: f64 = COLUMN_PITCH - CARD_WIDTH - 2.0 * PADDING;
/// Between boxes one above the other: room for one more row before anybody is in the way.
const BOX_GAP_Y: f64 = ROW_PITCH + MIN_BOX_GAP;
/// What boxes keep between them when they grow.
const MIN_BOX_GAP: f64 = 14.0;
/// Room for growth below tall boxes, as a share of their height.
const SLACK: f64 = 0.12;
/// Width over height that a new picture aims at.
const ASPECT: f64 = 1.5;

/// A rectangle in world pixels, y downward.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// The card whose left upper corner is here.
    const fn card(x: f64, y: f64) -> Self {
        Self {
            x,
            y,
            width: CARD_WIDTH,
            height: CARD_HEIGHT,
        }
    }

    /// Right edge.
    #[must_use]
    pub const fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Bottom edge.
    #[must_use]
    pub const fn bottom(&self) -> f64 {
        self.y + self.height
    }

    const fn middle_x(&self) -> f64 {
        self.x + self.width / 2.0
    }

    const fn middle_y(&self) -> f64 {
        self.y + self.height / 2.0
    }

    /// Whether the two share any area. Touching edges share none.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    /// Whether the other lies inside, edges included.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }

    /// The same elsewhere.
    const fn moved(&self, dx: f64, dy: f64) -> Self {
        Self {
            x: self.x + dx,
            y: self.y + dy,
            ..*self
        }
    }

    /// The smallest rectangle around both.
    fn hull(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self {
            x,
            y,
            width: self.right().max(other.right()) - x,
            height: self.bottom().max(other.bottom()) - y,
        }
    }

    /// The same with a margin around.
    const fn inflated(&self, x: f64, y: f64) -> Self {
        Self {
            x: self.x - x,
            y: self.y - y,
            width: self.width + 2.0 * x,
            height: self.height + 2.0 * y,
        }
    }

    /// Whether this is a place at all; a stored layout may hold anything.
    fn is_sound(&self) -> bool {
        let numbers = [self.x, self.y, self.width, self.height];
        numbers.iter().all(|n| n.is_finite() && n.abs() < 1e9)
            && self.width >= 0.0
            && self.height >= 0.0
    }
}

/// Positions of one graph.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Layout {
    /// Grows by one whenever any position or box differs from before; a reader redraws topology only then.
    pub version: u64,
    /// Card of each node by node id.
    pub nodes: BTreeMap<String, Rect>,
    /// Box of each namespace by [`crate::graph::box_of`] its nodes (`cluster/namespace`).
    pub boxes: BTreeMap<String, Rect>,
    /// Box around the namespaces of each cluster, where there are several clusters; see [`Layout::around`].
    #[serde(default)]
    pub clusters: BTreeMap<String, Rect>,
    /// Nodes that are gone from the graph but keep their slot for [`GHOST_STAYS`]; sorted.
    pub ghosts: Vec<String>,
    /// When each ghost was first seen to be gone.
    #[serde(default)]
    gone_since: BTreeMap<String, Moment>,
}

impl Layout {
    /// Places every node anew. Version 1, no ghosts.
    #[must_use]
    pub fn arrange(graph: &MeshGraph) -> Self {
        let topology = Topology::of(graph);
        let placed = clusters::arrange(&topology);
        Self {
            version: 1,
            nodes: named(&topology.ids, placed.nodes),
            boxes: named(&topology.boxes, placed.boxes),
            clusters: named(&topology.clusters, placed.clusters),
            ghosts: Vec::new(),
            gone_since: BTreeMap::new(),
        }
    }

    /// The layout of the next graph, seen at `now`: what stood stays where it stood, new nodes get a free place right of
    /// their callers inside their box, nodes that are gone become ghosts.
    ///
    /// Boxes grow into the free space around them, downward first. Only where a box is walled in on all sides are the
    /// boxes below it pushed down, whole and by as little as it takes; then their cards move with them.
    ///
    /// A ghost that has been one for [`GHOST_STAYS`] is forgotten: its slot is free again, and a box that held nothing
    /// else is gone. Nothing moves for that.
    #[must_use]
    pub fn follow_at(&self, graph: &MeshGraph, now: Moment) -> Self {
        let mut next = self.extended(graph);
        for id in &next.ghosts {
            // A clock that was set back begins the time anew.
            let since = next.gone_since.entry(id.clone()).or_insert(now);
            *since = now.min(*since);
        }
        let is_over = |id: &mut String| {
            let since = next.gone_since.get(id);
            since.is_some_and(|since| now.since(*since) >= GHOST_STAYS)
        };
        let forgotten: Vec<String> = next.ghosts.extract_if(.., is_over).collect();
        for id in &forgotten {
            next.nodes.remove(id);
            next.gone_since.remove(id);
        }
        if !forgotten.is_empty() {
            let cards = &next.nodes;
            next.boxes
                .retain(|_, outline| cards.values().any(|card| outline.overlaps(card)));
            let left = topology::clusters(next.boxes.keys().map(String::as_str));
            next.clusters
                .retain(|name, _| left.binary_search(&name.as_str()).is_ok());
        }
        self.followed_by(next)
    }

    /// Like [`Layout::follow_at`] for a graph of which somebody may be missing because the calls are unknown: no ghost is
    /// forgotten, and the time of new ones has not begun.
    #[must_use]
    pub fn follow(&self, graph: &MeshGraph) -> Self {
        self.followed_by(self.extended(graph))
    }

    /// The cluster's box around a namespace's box, as a key of [`Layout::clusters`]; `None` for a box that stands in none.
    #[must_use]
    pub fn around(&self, box_id: &str) -> Option<&str> {
        let found = self.clusters.get_key_value(cluster_of(box_id));
        found.map(|(name, _)| name.as_str())
    }

    /// Whether this is a layout of that mesh: at least half of its nodes have their place here. A layout of an earlier day
    /// may be of another mesh under the same name.
    #[must_use]
    pub fn knows_most_of(&self, graph: &MeshGraph) -> bool {
        let known = graph
            .nodes
            .iter()
            .filter(|node| self.nodes.contains_key(&node.id));
        known.count() * 2 >= graph.nodes.len()
    }

    /// Whether this can be followed: a stored layout may hold anything.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let rects = [&self.nodes, &self.boxes, &self.clusters];
        !self.nodes.is_empty()
            && rects
                .into_iter()
                .flat_map(BTreeMap::values)
                .all(Rect::is_sound)
    }

    /// A full run for a picture that is on screen ("Tidy"): like [`Layout::arrange`], with a version that readers of this
    /// layout notice.
    #[must_use]
    pub fn tidied(&self, graph: &MeshGraph) -> Self {
        self.followed_by(Self::arrange(graph))
    }

    /// The old picture with a place for everybody in the graph.
    fn extended(&self, graph: &MeshGraph) -> Self {
        if self.nodes.is_empty() {
            Self::arrange(graph)
        } else {
            insert::insert(self, &Topology::of(graph))
        }
    }

    /// The next layout with the version it gets after this one.
    fn followed_by(&self, mut next: Self) -> Self {
        let same =
            self.nodes == next.nodes && self.boxes == next.boxes && self.clusters == next.clusters;
        next.version = if same {
            self.version
        } else {
            self.version.saturating_add(1)
        };
        next
    }
}

fn named(names: &[String], rects: Vec<Rect>) -> BTreeMap<String, Rect> {
    names.iter().cloned().zip(rects).collect()
}

#[cfg(test)]
mod tests;
