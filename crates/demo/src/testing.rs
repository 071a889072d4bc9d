//! What tests of this crate share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use pilothouse_core::model::{Moment, ObjectKind, ObjectRef, SourceError, TimeSpan};
use pilothouse_core::ports::{
    Answer, MatchOp, Matcher, Measure, MetricRow, MetricsQuery, Patched, WriteMode,
};
use pilothouse_core::traffic::{OpKind, PatchOp};
use serde_json::Value;

use crate::{Clock, DemoConfig, DemoMesh, Edit};

/// 2026-11-24T12:00:00Z.
pub(crate) const NOON: Moment = Moment(1_795_521_600_000);

/// A mesh with a clock in our hand.
pub(crate) struct Bench {
    pub(crate) mesh: Arc<DemoMesh>,
    now: Arc<AtomicI64>,
}

fn hand(now: Moment) -> (Arc<AtomicI64>, Clock) {
    let hand = Arc::new(AtomicI64::new(now.0));
    let clock = Arc::clone(&hand);
    (hand, Arc::new(move || Moment(clock.load(Ordering::SeqCst))))
}

impl Bench {
    pub(crate) fn new(seed: u64) -> Self {
        let (now, clock) = hand(NOON);
        let mesh = DemoMesh::new(DemoConfig::new(seed, clock));
        Self { mesh, now }
    }

    pub(crate) fn sized(seed: u64, services: usize) -> Self {
        let (now, clock) = hand(NOON);
        let mesh = DemoMesh::new(DemoConfig::new(seed, clock).with_services(services));
        Self { mesh, now }
    }

    pub(crate) fn edited(seed: u64, edits: Vec<Edit>) -> Self {
        let (now, clock) = hand(NOON);
        let mesh = DemoMesh::with_edits(DemoConfig::new(seed, clock), edits);
        Self { mesh, now }
    }

    pub(crate) fn set(&self, now: Moment) {
        self.now.store(now.0, Ordering::SeqCst);
    }

    pub(crate) fn query(&self, query: &MetricsQuery) -> Vec<MetricRow> {
        block(self.mesh.metrics().query(query)).unwrap().rows
    }

    pub(crate) fn patch(
        &self,
        object: &ObjectRef,
        ops: &[PatchOp],
        mode: WriteMode,
    ) -> Result<Patched, SourceError> {
        block(self.mesh.control_plane().patch(object, ops, mode))
    }

    /// Sets the three weights of `shop/reviews`.
    pub(crate) fn shift_reviews(&self, weights: [i64; 3]) {
        self.patch(&reviews(), &weight_ops(weights), WriteMode::Apply)
            .unwrap();
    }
}

pub(crate) fn reviews() -> ObjectRef {
    ObjectRef::new(ObjectKind::VirtualService, "shop", "reviews")
}

pub(crate) fn weight_ops(weights: [i64; 3]) -> Vec<PatchOp> {
    weights
        .iter()
        .enumerate()
        .map(|(i, weight)| {
            op(
                OpKind::Replace,
                &format!("/spec/http/0/route/{i}/weight"),
                (*weight).into(),
            )
        })
        .collect()
}

pub(crate) fn op(op: OpKind, path: &str, value: Value) -> PatchOp {
    PatchOp {
        op,
        path: path.to_owned(),
        value: Some(value),
    }
}

/// Polls once: the demo's answers never wait.
pub(crate) fn block<T>(mut answer: Answer<'_, T>) -> Result<T, SourceError> {
    match answer
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the demo mesh never waits"),
    }
}

/// A query over the minute before `at`, with `label=value` matchers.
pub(crate) fn ask(
    measure: Measure,
    by: &[&str],
    matchers: &[(&str, &str)],
    at: Moment,
) -> MetricsQuery {
    MetricsQuery {
        measure,
        by: by.iter().map(|label| (*label).to_owned()).collect(),
        matchers: matchers
            .iter()
            .map(|(label, value)| Matcher {
                label: (*label).to_owned(),
                op: MatchOp::In,
                values: vec![(*value).to_owned()],
            })
            .collect(),
        window: TimeSpan::seconds(60),
        at,
        idle: false,
    }
}

/// Values by the joined values of the labels.
pub(crate) fn table(rows: &[MetricRow]) -> BTreeMap<String, f64> {
    rows.iter()
        .map(|row| {
            let names: Vec<&str> = row.labels.values().map(String::as_str).collect();
            (names.join(" "), row.value)
        })
        .collect()
}
