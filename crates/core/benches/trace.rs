//! Analysis of large traces: a bushy tree, one parent with all the rest as siblings, one chain. The floor is to parse the
//! same trace, which every tool must do first; `make bench` prints the ratios.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pilothouse_core::trace::{
    Clock, Span, SpanId, SpanKind, SpanStatus, Trace, TraceId, Value, analyze, to_otlp_json,
};

const SPANS: u64 = 50_000;
const START_NS: u64 = 1_700_000_000_000_000_000;

/// A span as a sidecar writes it; calls alternate between the calling and the called side.
fn span(id: u64, parent: Option<u64>, start_ns: u64, duration_ns: u64) -> Span {
    let service = format!("svc-{}", id / 2 % 40);
    let attributes = [
        ("component", "proxy".to_owned()),
        (
            "guid:x-request-id",
            "7c1d09aa-0000-4000-8000-00000000a9e2".to_owned(),
        ),
        ("http.method", "GET".to_owned()),
        ("http.status_code", "200".to_owned()),
        ("istio.canonical_revision", format!("v{}", id % 3)),
        ("istio.canonical_service", service.clone()),
        ("istio.namespace", "shop".to_owned()),
        (
            "node_id",
            format!("sidecar~10.0.0.1~{service}-5b7c754ccb-55jwk.shop~shop.svc.cluster.local"),
        ),
        ("response_flags", "-".to_owned()),
        (
            "upstream_cluster",
            format!("outbound|9080|v1|{service}.shop.svc.cluster.local"),
        ),
    ];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), Value::Text(value)));
    Span {
        id: SpanId(id),
        parent: parent.map(SpanId),
        operation: format!("{service}.shop.svc.cluster.local:9080/*"),
        service,
        kind: if id.is_multiple_of(2) {
            SpanKind::Client
        } else {
            SpanKind::Server
        },
        start_ns: START_NS + start_ns,
        duration_ns,
        status: SpanStatus::Unset,
        attributes: BTreeMap::from(attributes),
        resource: BTreeMap::new(),
        events: Vec::new(),
        links: Vec::new(),
        warnings: Vec::new(),
    }
}

fn trace(spans: impl Iterator<Item = Span>) -> Trace {
    Trace {
        id: TraceId(1),
        spans: spans.collect(),
        partial: false,
        warnings: Vec::new(),
    }
}

/// Each span has up to four children, one after the other inside it.
fn tree() -> Trace {
    let mut times = vec![(0, 1 << 40)];
    for id in 2..=SPANS {
        let (start, length): (u64, u64) = times[usize::try_from((id - 2) / 4).unwrap_or(0)];
        times.push((start + (id - 2) % 4 * (length / 4), length / 5));
    }
    let span = |(id, (start, length))| span(id, (id > 1).then(|| (id - 2) / 4 + 1), start, length);
    trace((1..).zip(times).map(span))
}

fn siblings() -> Trace {
    let children = (2..=SPANS).map(|id| span(id, Some(1), id * 10, 10));
    trace(std::iter::once(span(1, None, 0, SPANS * 10 + 20)).chain(children))
}

fn chain() -> Trace {
    trace((1..=SPANS).map(|id| span(id, (id > 1).then(|| id - 1), id, 2 * (SPANS - id) + 1)))
}

fn analyses(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("analyze 50,000 spans");
    group.sample_size(20);
    let floor = "parse it with serde_json";
    let text = to_otlp_json(&tree()).to_string();
    group.bench_function(floor, |b| {
        b.iter(|| serde_json::from_str::<serde_json::Value>(black_box(&text)));
    });
    for (name, trace) in [
        ("tree", tree()),
        ("siblings", siblings()),
        ("chain", chain()),
    ] {
        let name = format!("{name} vs {floor}");
        group.bench_function(name, |b| {
            b.iter(|| analyze(black_box(&trace), Clock::Corrected));
        });
    }
    group.finish();
}

criterion_group!(benches, analyses);
criterion_main!(benches);
