use super::*;
use crate::graph::GraphType;
use crate::graph::testing::{call, graph, request};

#[test]
fn draws_namespaces_nodes_and_edges() {
    let series = [call("edge/gw-v1", "shop/web:web-v1")
        .rate(2.5)
        .code("503", "UF")];
    let graph = graph(&request(GraphType::Workload), &series, &[]);
    assert_eq!(
        to_dot(&graph),
        r#"digraph mesh {
  rankdir=LR;
  node [shape=box];
  subgraph "cluster c1/edge" {
    label="c1/edge";
    "workload:c1/edge/gw-v1" [label="gw-v1", color=red, style=bold, penwidth=3];
  }
  subgraph "cluster c1/shop" {
    label="c1/shop";
    "workload:c1/shop/web-v1" [label="web-v1", color=red, style=bold, penwidth=3];
  }
  "workload:c1/edge/gw-v1" -> "workload:c1/shop/web-v1" [label="2.50 http/s, 100.0 % errors", color=red, style=bold, penwidth=3];
}
"#
    );
}

#[test]
fn names_cannot_leave_their_quotes() {
    assert_eq!(quoted("a\"];\\\n\u{7}b"), "\"a\\\"];\\\\\\n b\"");
}
