//! The laws of the picture: nothing overlaps, cards stay in their boxes, and nothing that stands ever moves.

use super::*;
use crate::graph::{AmbientTraffic, GrpcTraffic, HttpTraffic, TcpTraffic};
use crate::graph::{
    Edge, EdgeLatency, GraphRequest, GraphType, Latency, Node, NodeKind, Protocol, RateAndErrors,
};
use crate::model::{Health, Moment, TimeSpan};

fn node(namespace: &str, name: &str) -> Node {
    Node {
        id: format!("app:c/{namespace}/{name}"),
        kind: NodeKind::App,
        cluster: "c".to_owned(),
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

fn edge(source: &Node, target: &Node) -> Edge {
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

fn graph(nodes: Vec<Node>, calls: &[(usize, usize)]) -> MeshGraph {
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
    };
    MeshGraph {
        request,
        nodes,
        edges,
        findings: Vec::new(),
    }
}

/// Layers of services in five namespaces; each calls two of the next layer, so that a right order exists.
fn mesh(size: usize) -> MeshGraph {
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
