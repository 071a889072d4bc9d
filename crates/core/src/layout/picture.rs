//! A picture that is on screen while it is extended: cards in boxes, boxes perhaps in the boxes of clusters, and how each
//! makes room without moving what need not move.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::topology::{self, Topology};
use super::{
    ASPECT, BOX_GAP_X, BOX_GAP_Y, COLUMN_PITCH, HEADER, Layout, MIN_BOX_GAP, PADDING, ROW_PITCH,
    Rect,
};
use crate::graph::{box_of, cluster_of};

pub(super) struct Picture {
    pub(super) cards: BTreeMap<String, Rect>,
    pub(super) boxes: BTreeMap<String, Rect>,
    /// Empty while there is only one cluster.
    pub(super) clusters: BTreeMap<String, Rect>,
    /// Clusters that have boxes of their own, or will have, sorted.
    names: Vec<String>,
}

/// What keeps its distance from others of its kind: a box from those of its cluster, a cluster from the other clusters
/// and from boxes that stand in none.
#[derive(Clone, PartialEq)]
pub(super) enum Item {
    Box(String),
    Cluster(String),
}

#[derive(Clone, Copy)]
pub(super) enum Side {
    Right,
    Bottom,
    Left,
    Top,
}

impl Picture {
    /// The old picture without what is no place, and with a box around every card that the graph still has.
    pub(super) fn of(old: &Layout, topology: &Topology) -> Self {
        let sound = |rects: &BTreeMap<String, Rect>| {
            let rects = rects.iter().filter(|(_, rect)| rect.is_sound());
            rects.map(|(name, rect)| (name.clone(), *rect)).collect()
        };
        let boxes = old.boxes.keys().chain(&topology.boxes);
        let names = topology::clusters(boxes.map(String::as_str));
        let mut picture = Self {
            cards: sound(&old.nodes),
            boxes: sound(&old.boxes),
            clusters: sound(&old.clusters),
            names: names.into_iter().map(str::to_owned).collect(),
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
        picture.outline_clusters();
        picture
    }

    /// The cluster's box around this box.
    pub(super) fn around(&self, name: &str) -> Option<(&str, Rect)> {
        let found = self.clusters.get_key_value(cluster_of(name));
        found.map(|(cluster, outline)| (cluster.as_str(), *outline))
    }

    /// The cluster that this box belongs to, if it should have a box and has none yet.
    pub(super) fn new_cluster<'n>(&self, name: &'n str) -> Option<&'n str> {
        let cluster = cluster_of(name);
        let is_wanted = self.names.iter().any(|wanted| wanted == cluster);
        (is_wanted && !self.clusters.contains_key(cluster)).then_some(cluster)
    }

    /// What an item keeps its distance from.
    pub(super) fn siblings(&self, item: &Item) -> Vec<(Item, Rect)> {
        let own = match item {
            Item::Box(name) => self.around(name).map(|(cluster, _)| cluster),
            Item::Cluster(_) => None,
        };
        let boxes = self
            .boxes
            .iter()
            .filter(|(name, _)| self.around(name).map(|(cluster, _)| cluster) == own)
            .map(|(name, rect)| (Item::Box(name.clone()), *rect));
        let clusters = self.clusters.iter().filter(|_| own.is_none());
        let clusters = clusters.map(|(name, rect)| (Item::Cluster(name.clone()), *rect));
        boxes
            .chain(clusters)
            .filter(|(other, _)| other != item)
            .collect()
    }

    /// Whether a box may stand here: this far from its siblings, and its cluster clear of others with it.
    pub(super) fn is_clear(&self, name: &str, place: &Rect, gap_x: f64, gap_y: f64) -> bool {
        let is_free = |item: &Item, room: &Rect| {
            let siblings = self.siblings(item);
            !siblings.iter().any(|(_, other)| room.overlaps(other))
        };
        if !is_free(&Item::Box(name.to_owned()), &place.inflated(gap_x, gap_y)) {
            return false;
        }
        self.around(name).is_none_or(|(cluster, outline)| {
            let grown = outline.hull(&framed(place));
            let room = grown.inflated(MIN_BOX_GAP - 1.0, MIN_BOX_GAP - 1.0);
            grown == outline || is_free(&Item::Cluster(cluster.to_owned()), &room)
        })
    }

    /// Puts a box here; its cluster grows with it.
    pub(super) fn put(&mut self, name: &str, place: Rect) {
        self.boxes.insert(name.to_owned(), place);
        if let Some(outline) = self.clusters.get_mut(cluster_of(name)) {
            *outline = outline.hull(&framed(&place));
        }
    }

    /// Grows the box by one row or column, unless something is in the way.
    pub(super) fn grow(&mut self, name: &str, side: Side) -> bool {
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
        let free = self.is_clear(name, &grown, MIN_BOX_GAP - 1.0, MIN_BOX_GAP - 1.0);
        if free {
            self.put(name, grown);
        }
        free
    }

    /// Pushes down what a box has grown into, whole; then what its cluster has.
    pub(super) fn push_down(&mut self, name: &str) {
        let Some(outline) = self.boxes.get(name).copied() else {
            return;
        };
        self.push(Item::Box(name.to_owned()), outline);
        if let Some((cluster, outline)) = self.around(name) {
            self.push(Item::Cluster(cluster.to_owned()), outline);
        }
    }

    fn push(&mut self, item: Item, outline: Rect) {
        let mut pushing = vec![(item, outline)];
        while let Some((pusher, outline)) = pushing.pop() {
            let room = outline.inflated(MIN_BOX_GAP - 1.0, MIN_BOX_GAP - 1.0);
            let mut hit = self.siblings(&pusher);
            hit.retain(|(_, rect)| room.overlaps(rect));
            for (other, rect) in hit {
                // Nothing above is ever hit: growth and pushes only go down.
                let by = outline.bottom() + MIN_BOX_GAP - rect.y;
                self.shift(&other, 0.0, by);
                pushing.push((other, rect.moved(0.0, by)));
            }
        }
    }

    /// Moves an item with all that stands in it. A cluster that a box is moved out of stays as large as it was.
    fn shift(&mut self, item: &Item, dx: f64, dy: f64) {
        match item {
            Item::Box(name) => {
                let Some(rect) = self.boxes.get(name).copied() else {
                    return;
                };
                // By name and not by place: the box may be on its way over others that have yet to move.
                for (_, card) in self.cards.iter_mut().filter(|(id, _)| box_of(id) == name) {
                    *card = card.moved(dx, dy);
                }
                self.put(name, rect.moved(dx, dy));
            }
            Item::Cluster(name) => {
                let Some(outline) = self.clusters.remove(name) else {
                    return;
                };
                let boxes = self.boxes.keys().filter(|of| cluster_of(of) == name);
                for name in boxes.cloned().collect::<Vec<_>>() {
                    self.shift(&Item::Box(name), dx, dy);
                }
                self.clusters.insert(name.clone(), outline.moved(dx, dy));
            }
        }
    }

    /// Everything on the picture that may be in the way of something new.
    pub(super) fn all(&self) -> impl Iterator<Item = &Rect> {
        self.boxes.values().chain(self.clusters.values())
    }

    /// Beside or below everything, whichever keeps the picture's shape.
    pub(super) fn beyond(&self) -> (f64, f64) {
        let right = self.all().map(Rect::right).fold(0.0, f64::max);
        let bottom = self.all().map(Rect::bottom).fold(0.0, f64::max);
        let top = self.all().map(|rect| rect.y).fold(0.0, f64::min);
        if right < ASPECT * bottom {
            (right + BOX_GAP_X, top)
        } else {
            (0.0, bottom + BOX_GAP_Y)
        }
    }

    // ------------------------------------------------------------ clusters in a picture that had none

    /// Gives each cluster its box. What stood in one cluster stays; where clusters stood among each other, the largest
    /// stays and the others are moved out whole, and so is what belongs to none.
    fn outline_clusters(&mut self) {
        let names = &self.names;
        self.clusters.retain(|name, _| names.contains(name));
        let mut new: Vec<(Reverse<usize>, String)> = Vec::new();
        for name in &self.names {
            let own = self.boxes.iter().filter(|(of, _)| cluster_of(of) == name);
            let frames = own.map(|(_, rect)| framed(rect));
            let Some(hull) = frames.reduce(|a, b| a.hull(&b)) else {
                self.clusters.remove(name);
                continue;
            };
            if self
                .clusters
                .get(name)
                .is_some_and(|old| old.contains(&hull))
            {
                continue;
            }
            let cards = self.cards.values().filter(|card| hull.contains(card));
            new.push((Reverse(cards.count()), name.clone()));
            self.clusters.insert(name.clone(), hull);
        }
        new.sort();
        for at in 0..new.len() {
            let Some(((_, name), unsettled)) = new.get(at..).and_then(<[_]>::split_first) else {
                return;
            };
            let Some(outline) = self.clusters.get(name).copied() else {
                continue;
            };
            let is_settled = |other: &String| {
                other != name && !unsettled.iter().any(|(_, waiting)| waiting == other)
            };
            let mut settled = self.clusters.iter().filter(|(other, _)| is_settled(other));
            if settled.any(|(_, other)| outline.overlaps(other)) {
                let (x, y) = self.beyond();
                self.shift(&Item::Cluster(name.clone()), x - outline.x, y - outline.y);
            }
        }
        if !new.is_empty() {
            self.move_strangers_out();
        }
    }

    /// Moves boxes of no cluster that stand in the box of one out of it, to the nearer side of the picture.
    fn move_strangers_out(&mut self) {
        let strangers = self.boxes.keys().filter(|name| self.around(name).is_none());
        for name in strangers.cloned().collect::<Vec<_>>() {
            let Some(rect) = self.boxes.get(&name).copied() else {
                continue;
            };
            let Some(around) = self.clusters.values().find(|other| rect.overlaps(other)) else {
                continue;
            };
            let left = self.all().map(|rect| rect.x).fold(0.0, f64::min);
            let right = self.all().map(Rect::right).fold(0.0, f64::max);
            let x = if rect.middle_x() <= around.middle_x() {
                left - BOX_GAP_X - rect.width
            } else {
                right + BOX_GAP_X
            };
            self.shift(&Item::Box(name), x - rect.x, 0.0);
        }
    }
}

/// The box of a cluster that holds nothing but this box.
fn framed(rect: &Rect) -> Rect {
    Rect {
        x: rect.x - PADDING,
        y: rect.y - HEADER,
        width: rect.width + 2.0 * PADDING,
        height: rect.height + HEADER + PADDING,
    }
}
