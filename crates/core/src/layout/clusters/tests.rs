//! The laws of a picture with several clusters: as those of one, and clusters keep to themselves.

use proptest::prelude::*;

use super::*;
use crate::graph::{MeshGraph, Node, box_of};
use crate::layout::Layout;
use crate::layout::tests::{edge, graph, mesh, node};
use crate::model::Moment;

fn node_in(cluster: &str, namespace: &str, name: &str) -> Node {
    Node {
        id: format!("app:{cluster}/{namespace}/{name}"),
        cluster: cluster.to_owned(),
        ..node(namespace, name)
    }
}

/// The mesh of these clusters side by side; the first services of each call those of the next, and somebody without
/// telemetry calls all first ones.
fn clusters(names: &[&str], size: usize) -> MeshGraph {
    let one = mesh(size);
    let mut all = graph(vec![node_in("unknown", "unknown", "unknown")], &[]);
    let id = |cluster: &str, id: &str| id.replacen(":c/", &format!(":{cluster}/"), 1);
    for name in names {
        for node in &one.nodes {
            all.nodes.push(Node {
                id: id(name, &node.id),
                cluster: (*name).to_owned(),
                ..node.clone()
            });
        }
        for call in &one.edges {
            let mut call = call.clone();
            call.source = id(name, &call.source);
            call.target = id(name, &call.target);
            all.edges.push(call);
        }
    }
    for at in 0..names.len() {
        all.edges
            .push(edge(&all.nodes[0], &all.nodes[1 + at * size]));
        if at > 0 {
            let (from, to) = (1 + (at - 1) * size, 1 + at * size + size / 2);
            all.edges.push(edge(&all.nodes[from], &all.nodes[to]));
        }
    }
    all
}

fn check(layout: &Layout, graph: &MeshGraph) {
    let apart = |what: &str, rects: Vec<(&String, &Rect)>| {
        for (at, (name, rect)) in rects.iter().enumerate() {
            for (other_name, other) in rects.iter().skip(at + 1) {
                assert!(
                    !rect.overlaps(other),
                    "{what} {name} and {other_name} overlap"
                );
            }
        }
    };
    apart("cards", layout.nodes.iter().collect());
    apart("boxes", layout.boxes.iter().collect());
    let loose = layout
        .boxes
        .iter()
        .filter(|(name, _)| layout.around(name).is_none());
    apart("clusters", layout.clusters.iter().chain(loose).collect());
    for (name, rect) in &layout.boxes {
        if let Some(cluster) = layout.around(name) {
            assert!(
                layout.clusters[cluster].contains(rect),
                "{name} is not in {cluster}"
            );
        }
    }
    for node in &graph.nodes {
        let (place, card) = (&layout.boxes[box_of(&node.id)], &layout.nodes[&node.id]);
        assert!(place.contains(card), "{} is not in its box", node.id);
    }
}

fn assert_nobody_moved(before: &Layout, after: &Layout) {
    for (id, card) in &before.nodes {
        assert_eq!(after.nodes.get(id), Some(card), "{id} moved");
    }
}

#[test]
fn clusters_stand_apart_and_hold_their_namespaces() {
    for names in [&["east", "west"][..], &["a", "b", "c", "d", "e"]] {
        for size in [10, 60] {
            let graph = clusters(names, size);
            let layout = Layout::arrange(&graph);
            check(&layout, &graph);
            assert_eq!(
                layout
                    .clusters
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
                names
            );
            assert_eq!(layout.around("unknown/unknown"), None);
            assert_eq!(layout.around(&format!("{}/shop", names[1])), Some(names[1]));
            let mut shuffled = graph.clone();
            shuffled.nodes.reverse();
            shuffled.edges.rotate_left(7);
            assert_eq!(Layout::arrange(&shuffled), layout);
        }
    }
}

#[test]
fn a_cluster_that_calls_another_stands_left_of_it() {
    let layout = Layout::arrange(&clusters(&["z", "a"], 60));
    let (caller, callee) = (layout.clusters["z"], layout.clusters["a"]);
    assert!(
        caller.x < callee.x || caller.bottom() <= callee.y,
        "{caller:?} {callee:?}"
    );
}

#[test]
fn one_cluster_has_no_box_whoever_calls_it() {
    let graph = clusters(&["east"], 60);
    let layout = Layout::arrange(&graph);
    assert!(layout.clusters.is_empty());
    let (nodes, boxes) = columns::arrange(&Topology::of(&graph));
    assert_eq!(layout.nodes.values().copied().collect::<Vec<_>>(), nodes);
    assert_eq!(layout.boxes.values().copied().collect::<Vec<_>>(), boxes);
}

#[test]
fn whoever_comes_moves_nobody() {
    let before = clusters(&["east", "west"], 60);
    let layout = Layout::arrange(&before);
    let of_east = before.nodes[1].clone();
    let newcomers = [
        vec![node_in("east", "shop", "newcomer")],
        vec![node_in("west", "data", "newcomer")],
        vec![node_in("west", "fresh", "a"), node_in("west", "fresh", "b")],
        vec![
            node_in("north", "fresh", "a"),
            node_in("north", "more", "b"),
        ],
        vec![node_in("unknown", "unknown", "host")],
    ];
    for nodes in newcomers {
        let mut after = before.clone();
        for node in nodes {
            after.edges.push(edge(&of_east, &node));
            after.nodes.push(node);
        }
        let next = layout.follow(&after);
        assert_nobody_moved(&layout, &next);
        check(&next, &after);
        assert_eq!(next.follow(&after), next);
        assert_eq!(next.version, layout.version + 1);
    }
}

#[test]
fn a_second_cluster_gets_a_place_beside_the_first() {
    let before = clusters(&["east"], 60);
    let layout = Layout::arrange(&before);
    let after = clusters(&["east", "west"], 60);
    let next = layout.follow(&after);
    check(&next, &after);
    let known = |layout: &Layout| {
        let mut known = layout.clone();
        known.nodes.retain(|id, _| id.contains(":east/"));
        known
    };
    assert_nobody_moved(&known(&layout), &next);
    assert_eq!(next.clusters.len(), 2);

    // And it goes again, in time, without a trace.
    let lost = next.follow_at(&before, Moment(0));
    assert_eq!(lost.clusters, next.clusters, "its ghosts are still there");
    let alone = lost.follow_at(&before, Moment(600_000));
    assert!(alone.clusters.is_empty());
    assert_nobody_moved(&known(&layout), &alone);
}

#[test]
fn clusters_that_stood_among_each_other_are_taken_apart() {
    // A picture by other rules: both clusters in one heap, the caller without telemetry in the middle.
    let graph = clusters(&["east", "west"], 60);
    let mut old = Layout::arrange(&graph);
    let (east, west) = (old.clusters["east"], old.clusters["west"]);
    let into = |rect: &mut Rect| *rect = rect.moved(east.x - west.x + 20_000.0, 20_000.0);
    for rects in [&mut old.nodes, &mut old.boxes] {
        for (name, rect) in rects.iter_mut().filter(|(name, _)| name.contains("west/")) {
            into(rect);
            if name.ends_with("west/data") || name.contains("west/data/") {
                *rect = rect.moved(-20_000.0, -20_000.0 - west.height);
            }
        }
    }
    old.clusters.clear();
    let next = old.follow(&graph);
    check(&next, &graph);
    let again = next.follow(&graph);
    assert_eq!(again, next);
}

#[test]
fn odd_stored_clusters_do_no_harm() {
    let graph = clusters(&["east", "west"], 10);
    let whole = Layout::arrange(&graph);
    for odd in [f64::NAN, -1.0, 0.0] {
        let mut old = whole.clone();
        for rect in old.clusters.values_mut() {
            rect.width = odd;
        }
        let card = whole.nodes["app:east/edge/s0000"];
        old.clusters.insert("nowhere".to_owned(), card);
        let next = old.follow(&graph);
        check(&next, &graph);
        assert_nobody_moved(&whole, &next);
        assert_eq!(next.clusters.len(), 2);
    }
}

proptest! {
    /// Whatever comes and goes, in whatever order: boxes and clusters keep to themselves.
    #[test]
    fn pictures_stay_tidy(
        steps in prop::collection::vec(
            prop::collection::vec((0..4_usize, 0..3_usize, 0..6_usize, 0..20_usize), 1..25),
            1..5,
        ),
    ) {
        let cluster = ["east", "west", "north@user%40host", "unknown"];
        let mut layout = Layout::default();
        for (step, members) in steps.iter().enumerate() {
            let mut nodes: Vec<Node> = members
                .iter()
                .map(|&(of, namespace, name, _)| {
                    node_in(cluster[of], &format!("n{namespace}"), &format!("s{name}"))
                })
                .collect();
            nodes.sort_by(|a, b| a.id.cmp(&b.id));
            nodes.dedup_by(|a, b| a.id == b.id);
            let calls: Vec<(usize, usize)> = members
                .iter()
                .enumerate()
                .map(|(at, &(.., other))| (at % nodes.len(), other % nodes.len()))
                .collect();
            let graph = graph(nodes, &calls);
            let now = Moment(i64::try_from(step).unwrap() * 400_000);
            layout = layout.follow_at(&graph, now);
            check(&layout, &graph);
        }
    }
}
