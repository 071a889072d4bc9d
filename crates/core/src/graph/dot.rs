//! The graph as text for Graphviz, to be looked at or kept with a report. One cluster per namespace; equal graphs give
//! equal text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::identity::box_of;
use super::types::{Edge, MeshGraph, Node, RateAndErrors};
use crate::model::Health;

#[cfg(test)]
mod tests;

/// The graph in the DOT language.
#[must_use]
pub fn to_dot(graph: &MeshGraph) -> String {
    let mut out = String::from("digraph mesh {\n  rankdir=LR;\n  node [shape=box];\n");
    let mut namespaces: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    for node in &graph.nodes {
        namespaces.entry(box_of(&node.id)).or_default().push(node);
    }
    // Writing to a String cannot fail, so the results below say nothing.
    for (name, nodes) in &namespaces {
        let _written = writeln!(
            out,
            "  subgraph {} {{\n    label={};",
            quoted(&format!("cluster {name}")),
            quoted(name)
        );
        for node in nodes {
            let _written = writeln!(
                out,
                "    {} [label={}{}];",
                quoted(&node.id),
                quoted(title(node)),
                style(node.health)
            );
        }
        out.push_str("  }\n");
    }
    for edge in &graph.edges {
        let _written = writeln!(
            out,
            "  {} -> {} [label={}{}];",
            quoted(&edge.source),
            quoted(&edge.target),
            quoted(&label(edge)),
            style(edge.health)
        );
    }
    out.push_str("}\n");
    out
}

fn title(node: &Node) -> &str {
    let names = [&node.service, &node.workload, &node.app];
    let name = names.into_iter().flatten().next();
    name.map_or(&node.id, String::as_str)
}

fn label(edge: &Edge) -> String {
    let unit = match edge.protocol {
        super::Protocol::Http => "http/s",
        super::Protocol::Grpc => "grpc/s",
        super::Protocol::Tcp => "B/s",
    };
    let RateAndErrors { rate, error_ratio } = edge.traffic;
    let rate = rate.map_or_else(|| "?".to_owned(), |rate| format!("{rate:.2}"));
    match error_ratio {
        Some(ratio) if ratio > 0.0 => format!("{rate} {unit}, {:.1} % errors", ratio * 100.0),
        _ => format!("{rate} {unit}"),
    }
}

/// Health by line style as well as by colour.
const fn style(health: Health) -> &'static str {
    match health {
        Health::Ok => "",
        Health::Degraded => ", color=orange, penwidth=2",
        Health::Failing => ", color=red, style=bold, penwidth=3",
        Health::Idle => ", color=gray, style=dashed",
        Health::Unknown => ", color=gray, style=dotted",
    }
}

/// A string of DOT. Only the quote needs escaping for the parser, the backslash for labels.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
