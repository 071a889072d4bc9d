//! Where cards stand: left to right, namespaces in boxes, and never moved by metrics.
//!
//! [`Layout::arrange`] places every node anew; [`Layout::follow`] keeps every old position and only finds a place for new
//! nodes. Pure and deterministic: equal graphs, equal pictures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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

/// Positions of one graph.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Layout {
    /// Grows by one whenever any position or box differs from before; a reader redraws topology only then.
    pub version: u64,
    /// Card of each node by node id.
    pub nodes: BTreeMap<String, Rect>,
    /// Box of each namespace (`cluster/namespace`).
    pub boxes: BTreeMap<String, Rect>,
    /// Nodes that are gone from the graph but keep their slot for a while.
    pub ghosts: Vec<String>,
}
