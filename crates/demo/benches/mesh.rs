//! From rows to a picture at 1,000 services, each step beside a floor or a rival in the same run. `make bench` prints the
//! ratios: a benchmark named `A vs B` is compared with `B`.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use criterion::{Criterion, criterion_group, criterion_main};
use pilothouse_core::graph::{
    self, AmbientTraffic, FetchedRows, GraphRequest, GraphType, GrpcTraffic, HttpTraffic,
    LatencyStat, MeshGraph, TcpTraffic,
};
use pilothouse_core::layout::Layout;
use pilothouse_core::model::{Moment, Object, ObjectKind, Thresholds, TimeSpan};
use pilothouse_core::ports::MetricRow;
use pilothouse_demo::{DemoConfig, DemoMesh};
use rust_sugiyama::configure::Config;

const AT: Moment = Moment(1_790_000_000_000);

/// The demo answers without waiting.
fn answered<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the demo mesh never waits"),
    }
}

struct Mesh {
    request: GraphRequest,
    rows: FetchedRows,
    objects: Vec<Object>,
    graph: MeshGraph,
}

fn mesh(services: usize) -> Mesh {
    let demo = DemoMesh::new(DemoConfig {
        services: Some(services),
        ..DemoConfig::new(1, Arc::new(|| AT))
    });
    let request = GraphRequest {
        graph_type: GraphType::App,
        service_nodes: false,
        namespaces: Vec::new(),
        window: TimeSpan::seconds(60),
        at: AT,
        http: HttpTraffic::Requests,
        grpc: GrpcTraffic::Requests,
        tcp: TcpTraffic::Sent,
        idle_edges: false,
        idle_nodes: true,
        ambient: AmbientTraffic::None,
        latency: vec![LatencyStat::P95],
        thresholds: Thresholds::default(),
    };
    let metrics = demo.metrics();
    let ask = |query| {
        let answer = answered(metrics.query(&query)).map(|answer| answer.rows);
        (query, answer)
    };
    let answers = graph::queries(&request).into_iter().map(ask).collect();
    let rows = FetchedRows { answers };
    let control_plane = demo.control_plane();
    let objects: Vec<Object> = ObjectKind::ALL
        .into_iter()
        .filter_map(|kind| answered(control_plane.list(kind)).ok())
        .flatten()
        .collect();
    let graph = graph::fold(&request, &rows, &objects);
    Mesh {
        request,
        rows,
        objects,
        graph,
    }
}

/// The rows as Prometheus writes them.
fn body(rows: &FetchedRows) -> String {
    let row = |row: &MetricRow| serde_json::json!({"metric": row.labels, "value": [0.0, row.value.to_string()]});
    let answered = rows
        .answers
        .iter()
        .filter_map(|(_, answer)| answer.as_ref().ok());
    let result: Vec<_> = answered.flatten().map(row).collect();
    serde_json::json!({"status": "success", "data": {"resultType": "vector", "result": result}})
        .to_string()
}

fn fold(criterion: &mut Criterion) {
    let mesh = mesh(1_000);
    let body = body(&mesh.rows);
    let mut group = criterion.benchmark_group("graph of 1,000 services");
    group.sample_size(20);
    group.bench_function("parse the rows with serde_json", |b| {
        b.iter(|| serde_json::from_str::<serde_json::Value>(black_box(&body)));
    });
    group.bench_function("fold vs parse the rows with serde_json", |b| {
        b.iter(|| graph::fold(black_box(&mesh.request), &mesh.rows, &mesh.objects));
    });
    group.finish();
}

fn layout(criterion: &mut Criterion) {
    for services in [100, 300] {
        let graph = mesh(services).graph;
        let at = |id: &str| {
            graph
                .nodes
                .binary_search_by(|node| node.id.as_str().cmp(id))
                .ok()
        };
        let edges: Vec<(u32, u32)> = graph
            .edges
            .iter()
            .filter_map(|edge| {
                let (from, to) = (at(&edge.source)?, at(&edge.target)?);
                Some((u32::try_from(from).ok()?, u32::try_from(to).ok()?))
            })
            .collect();
        let mut group = criterion.benchmark_group(format!("layout of {services} services"));
        group.sample_size(10);
        // Its fast setting: with transpositions it takes seconds.
        let rival = Config {
            transpose: false,
            ..Config::default()
        };
        group.bench_function("rust-sugiyama", |b| {
            b.iter(|| rust_sugiyama::from_edges(black_box(&edges), &rival));
        });
        group.bench_function("arrange vs rust-sugiyama", |b| {
            b.iter(|| Layout::arrange(black_box(&graph)));
        });
        let placed = Layout::arrange(&graph);
        group.bench_function("follow a refresh vs rust-sugiyama", |b| {
            b.iter(|| placed.follow(black_box(&graph)));
        });
        group.finish();
    }
}

criterion_group!(benches, fold, layout);
criterion_main!(benches);
