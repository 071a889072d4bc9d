//! Which call of a cycle is turned around, and how deep the rest stands.

use super::*;

fn topology(n: usize, edges: &[(usize, usize)]) -> Topology {
    let mut callees = vec![Vec::new(); n];
    let mut callers = vec![Vec::new(); n];
    for &(from, to) in edges {
        callees[from].push(to);
        callers[to].push(from);
    }
    Topology {
        clusters: Vec::new(),
        around: vec![None],
        ids: (0..n).map(|node| node.to_string()).collect(),
        box_of: vec![0; n],
        boxes: vec!["c/n".to_owned()],
        members: vec![(0..n).collect()],
        edges: edges.to_vec(),
        callees,
        callers,
    }
}

fn depths(n: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    longest_paths(&calls(n, &acyclic(&topology(n, edges))))
}

#[test]
fn the_call_that_leads_back_is_turned_around() {
    let check = |edges: &[(usize, usize)], expect: &[(usize, usize)]| {
        assert_eq!(acyclic(&topology(4, edges)), expect, "{edges:?}");
    };
    check(&[], &[]);
    // Where a cycle is entered decides which of its calls leads back.
    check(
        &[(0, 1), (1, 2), (2, 0), (3, 0)],
        &[(0, 1), (0, 2), (1, 2), (3, 0)],
    );
    check(
        &[(0, 1), (1, 2), (2, 0), (3, 1)],
        &[(1, 0), (1, 2), (2, 0), (3, 1)],
    );
    // Two that call each other count once.
    check(&[(0, 2), (1, 2), (1, 3), (2, 1)], &[(0, 2), (1, 3), (2, 1)]);
    // Without a way in, who calls as often as it is called begins.
    check(&[(1, 2), (2, 1), (2, 3), (3, 1)], &[(2, 1), (2, 3), (3, 1)]);
}

#[test]
fn a_node_stands_behind_its_deepest_caller() {
    assert_eq!(
        depths(5, &[(0, 1), (0, 3), (1, 2), (2, 3)]),
        [0, 1, 2, 3, 0]
    );
}

#[test]
fn a_chain_as_long_as_a_huge_mesh_needs_no_stack() {
    let n = 200_000;
    let mut ring: Vec<(usize, usize)> = (1..n).map(|node| (node - 1, node)).collect();
    ring.push((n - 1, 0));
    assert_eq!(depths(n, &ring).last(), Some(&(n - 1)));
}
