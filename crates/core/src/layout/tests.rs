//! The laws of the picture: nothing overlaps, cards stay in their boxes, and nothing that stands ever moves.

use super::*;
use crate::graph::{AmbientTraffic, GrpcTraffic, HttpTraffic, TcpTraffic};
use crate::graph::{
    Edge, EdgeLatency, GraphRequest, GraphType, Latency, Node, NodeKind, Protocol, RateAndErrors,
};
use crate::model::{Health, Moment, TimeSpan};

pub(super) fn node(namespace: &str, name: &str) -> Node {
    Node {
        id: format!("app:c/{namespace}/{name}"),
        kind: NodeKind::App,
        cluster: "c".to_owned(),
        context: None,
        namespace: namespace.to_owned(),
        workload: None,
        app: Some(name.to_owned()),
        version: None,
        service: None,
        incoming: BTreeMap::new(),
        outgoing: BTreeMap::new(),
        latency: Latency::default(),
        health: Health::Ok,
        badges: Vec::new(),
    }
}

pub(super) fn edge(source: &Node, target: &Node) -> Edge {
    Edge {
        id: format!("{}>{}:http", source.id, target.id),
        source: source.id.clone(),
        target: target.id.clone(),
        protocol: Protocol::Http,
        traffic: RateAndErrors::default(),
        codes: Vec::new(),
        latency: EdgeLatency::default(),
        mtls_ratio: None,
        share_of_source: None,
        health: Health::Ok,
    }
}

pub(super) fn graph(nodes: Vec<Node>, calls: &[(usize, usize)]) -> MeshGraph {
    let edges = calls
        .iter()
        .map(|&(a, b)| edge(&nodes[a], &nodes[b]))
        .collect();
    let request = GraphRequest {
        graph_type: GraphType::App,
        service_nodes: false,
        namespaces: Vec::new(),
        window: TimeSpan::seconds(60),
        at: Moment(0),
        http: HttpTraffic::Requests,
        grpc: GrpcTraffic::Requests,
        tcp: TcpTraffic::Sent,
        idle_edges: false,
        idle_nodes: false,
        ambient: AmbientTraffic::None,
        latency: Vec::new(),
        thresholds: crate::model::Thresholds::default(),
    };
    MeshGraph {
        request,
        nodes,
        edges,
        findings: Vec::new(),
    }
}

/// Layers of services in five namespaces; each calls two of the next layer, so that a right order exists.
pub(super) fn mesh(size: usize) -> MeshGraph {
    let namespaces = ["edge", "shop", "payments", "platform", "data"];
    let nodes: Vec<Node> = (0..size)
        .map(|i| node(namespaces[i * 5 / size], &format!("s{i:04}")))
        .collect();
    let step = size / 10;
    let calls: Vec<(usize, usize)> = (0..size)
        .flat_map(|i| [(i, i + step), (i, i + step + 1)])
        .filter(|&(_, to)| to < size)
        .collect();
    graph(nodes, &calls)
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

fn assert_tidy(layout: &Layout, graph: &MeshGraph) {
    let cards: Vec<_> = layout.nodes.iter().collect();
    for (i, (id, card)) in cards.iter().enumerate() {
        for (other_id, other) in cards.iter().skip(i + 1) {
            assert!(!overlap(card, other), "{id} and {other_id} overlap");
        }
    }
    let boxes: Vec<_> = layout.boxes.iter().collect();
    for (i, (id, area)) in boxes.iter().enumerate() {
        for (other_id, other) in boxes.iter().skip(i + 1) {
            assert!(!overlap(area, other), "boxes {id} and {other_id} overlap");
        }
    }
    for node in &graph.nodes {
        let card = layout
            .nodes
            .get(&node.id)
            .unwrap_or_else(|| panic!("{} has no place", node.id));
        let area = &layout.boxes[&format!("{}/{}", node.cluster, node.namespace)];
        let inside = card.x >= area.x
            && card.y >= area.y
            && card.x + card.width <= area.x + area.width
            && card.y + card.height <= area.y + area.height;
        assert!(inside, "{} stands outside its namespace", node.id);
    }
}

#[test]
fn cards_and_boxes_never_overlap_and_cards_stay_in_their_box() {
    for size in [10, 16, 60, 300] {
        let graph = mesh(size);
        assert_tidy(&Layout::arrange(&graph), &graph);
    }
}

#[test]
fn most_calls_do_not_point_back_to_the_left() {
    let graph = mesh(100);
    let layout = Layout::arrange(&graph);
    let back = graph
        .edges
        .iter()
        .filter(|e| layout.nodes[&e.target].x < layout.nodes[&e.source].x)
        .count();
    let all = graph.edges.len();
    assert!(back * 100 <= all * 25, "{back} of {all} calls point back");
}

#[test]
fn equal_graphs_give_equal_pictures_whatever_the_order() {
    let graph = mesh(60);
    let mut shuffled = graph.clone();
    shuffled.nodes.reverse();
    shuffled.edges.rotate_left(17);
    assert_eq!(Layout::arrange(&graph), Layout::arrange(&shuffled));
}

#[test]
fn a_new_service_moves_nobody() {
    let before = mesh(60);
    let layout = Layout::arrange(&before);
    let mut after = before.clone();
    after.nodes.push(node("shop", "newcomer"));
    after
        .edges
        .push(edge(&after.nodes[0].clone(), after.nodes.last().unwrap()));
    let next = layout.follow(&after);
    for (id, card) in &layout.nodes {
        assert_eq!(next.nodes.get(id), Some(card), "{id} moved");
    }
    assert_tidy(&next, &after);
    assert!(next.version > layout.version);
}

#[test]
fn equal_topology_keeps_the_version_and_a_lost_service_becomes_a_ghost() {
    let before = mesh(16);
    let layout = Layout::default().follow(&before);
    assert_eq!(
        layout.follow(&before),
        layout,
        "metrics alone change nothing"
    );
    let mut after = before.clone();
    let gone = after.nodes.pop().unwrap().id;
    after.edges.retain(|e| e.target != gone && e.source != gone);
    let next = layout.follow(&after);
    assert!(next.ghosts.contains(&gone));
    assert_eq!(
        next.nodes.get(&gone),
        layout.nodes.get(&gone),
        "a ghost keeps its slot"
    );
}

/// The graph without these nodes and their calls.
fn without(graph: &MeshGraph, gone: &[&str]) -> MeshGraph {
    let is_gone = |id: &String| gone.contains(&id.as_str());
    let mut graph = graph.clone();
    graph.nodes.retain(|node| !is_gone(&node.id));
    graph
        .edges
        .retain(|edge| !is_gone(&edge.source) && !is_gone(&edge.target));
    graph
}

#[test]
fn a_ghost_is_forgotten_in_time_and_nothing_else_moves() {
    let full = mesh(16);
    let start = Moment(1_790_000_000_000);
    let seconds = |n| start.plus(TimeSpan::seconds(n));
    let first = Layout::default().follow_at(&full, start);
    let (early, late) = ("app:c/edge/s0000", "app:c/shop/s0005");
    let mut layout = first.follow_at(&without(&full, &[early]), seconds(10));
    assert_eq!(layout.ghosts, [early]);
    let both = without(&full, &[early, late]);
    layout = layout.follow_at(&both, seconds(300));
    assert_eq!(layout.ghosts, [early, late]);
    layout = layout.follow_at(&both, seconds(609));
    assert_eq!(layout.ghosts, [early, late], "not yet");
    assert_eq!(layout.version, first.version, "nothing moved so far");

    let next = layout.follow_at(&both, seconds(610));
    assert_eq!(next.ghosts, [late], "each has its own time");
    let mut expect = layout.nodes.clone();
    expect.remove(early);
    assert_eq!(next.nodes, expect);
    assert_eq!(next.boxes, layout.boxes);
    assert_eq!(next.version, layout.version + 1);
    assert!(next.follow_at(&both, seconds(900)).ghosts.is_empty());
}

#[test]
fn who_comes_back_in_time_stands_where_it_stood() {
    let full = mesh(16);
    let gone = "app:c/shop/s0005";
    let fewer = without(&full, &[gone]);
    let first = Layout::default().follow_at(&full, Moment(0));
    let lost = first.follow_at(&fewer, Moment(1_000));
    let back = lost.follow_at(&full, Moment(599_000));
    assert_eq!(back, first);
    let again = back.follow_at(&fewer, Moment(600_000));
    let later = again.follow_at(&fewer, Moment(1_100_000));
    assert_eq!(later.ghosts, [gone], "its time began anew");
}

#[test]
fn nobody_is_forgotten_while_the_calls_are_unknown() {
    let full = mesh(16);
    let fewer = without(&full, &["app:c/shop/s0005"]);
    let first = Layout::default().follow_at(&full, Moment(0));
    let unknown = first.follow(&fewer);
    let known = unknown.follow_at(&fewer, Moment(3_600_000));
    assert_eq!(known.ghosts.len(), 1, "its time begins now");
    let unknown = known.follow(&fewer);
    assert!(
        unknown
            .follow_at(&fewer, Moment(4_200_000))
            .ghosts
            .is_empty()
    );
}

#[test]
fn a_clock_that_was_set_back_keeps_no_ghost_for_longer() {
    let full = mesh(16);
    let fewer = without(&full, &["app:c/shop/s0005"]);
    let first = Layout::default().follow_at(&full, Moment(0));
    let ahead = first.follow_at(&fewer, Moment(1_000_000_000));
    let set_back = ahead.follow_at(&fewer, Moment(0));
    assert!(
        set_back
            .follow_at(&fewer, Moment(600_000))
            .ghosts
            .is_empty()
    );
}

#[test]
fn a_namespace_that_is_gone_takes_its_box_along() {
    let full = mesh(16);
    let ids = full.nodes.iter().map(|node| node.id.as_str());
    let edge: Vec<&str> = ids.filter(|id| id.contains("/edge/")).collect();
    let rest = without(&full, &edge);
    let first = Layout::default().follow_at(&full, Moment(0));
    let lost = first.follow_at(&rest, Moment(0));
    assert_eq!(lost.boxes, first.boxes);
    let forgotten = lost.follow_at(&rest, Moment(600_000));
    let mut expect = first.boxes.clone();
    expect.remove("c/edge");
    assert_eq!(forgotten.boxes, expect);
}

#[test]
fn nothing_and_cycles_are_fine() {
    let nothing = graph(Vec::new(), &[]);
    assert!(Layout::arrange(&nothing).nodes.is_empty());
    let circle = graph(
        vec![node("a", "x"), node("a", "y"), node("b", "z")],
        &[(0, 1), (1, 2), (2, 0), (1, 1)],
    );
    assert_tidy(&Layout::arrange(&circle), &circle);
}
