use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use pilothouse_core::model::{Object, ObjectKind, ObjectRef, SourceErrorKind, TimeSpan};
use pilothouse_core::ports::{ObjectEvent, ObjectSink, WriteMode};
use pilothouse_core::traffic::{OpKind, read_splits};
use serde_json::json;

use crate::testing::{Bench, NOON, block, op, reviews, weight_ops};

fn get(bench: &Bench, object: &ObjectRef) -> Object {
    block(bench.mesh.control_plane().get(object))
        .unwrap()
        .unwrap()
}

fn all(bench: &Bench) -> Vec<Object> {
    let control_plane = bench.mesh.control_plane();
    ObjectKind::ALL
        .into_iter()
        .flat_map(|kind| block(control_plane.list(kind)).unwrap())
        .collect()
}

#[test]
fn a_dry_run_answers_the_outcome_and_changes_nothing() {
    let bench = Bench::new(1);
    let before = all(&bench);
    let tried = bench
        .patch(&reviews(), &weight_ops([10, 65, 25]), WriteMode::DryRun)
        .unwrap();
    assert_eq!(
        tried.object.doc.pointer("/spec/http/0/route/2/weight"),
        Some(&json!(25))
    );
    assert_eq!(all(&bench), before);
    assert_eq!(bench.mesh.export_edits(), []);
}

#[test]
fn a_write_moves_version_generation_and_ownership_on() {
    let bench = Bench::new(1);
    let before = get(&bench, &reviews());
    let written = bench
        .patch(&reviews(), &weight_ops([10, 65, 25]), WriteMode::Apply)
        .unwrap()
        .object;
    assert_eq!(written, get(&bench, &reviews()));
    assert_ne!(written.resource_version, before.resource_version);
    assert_eq!(written.generation, Some(2));
    assert_eq!(
        (&written.uid, &written.created),
        (&before.uid, &before.created)
    );
    let owners: Vec<(&str, bool)> = written
        .managers
        .iter()
        .map(|m| (m.name.as_str(), m.owns_routes))
        .collect();
    assert_eq!(
        owners,
        [("kubectl-client-side-apply", false), ("pilothouse", true)]
    );
    let again = bench
        .patch(&reviews(), &weight_ops([10, 65, 25]), WriteMode::Apply)
        .unwrap()
        .object;
    assert_eq!(again, written, "writing what is there is no write");
}

#[test]
fn stale_and_refused_patches_fail_as_a_server_fails_them() {
    let bench = Bench::new(1);
    let stale = op(OpKind::Test, "/metadata/resourceVersion", json!("1"));
    let forged = op(OpKind::Replace, "/metadata/resourceVersion", json!("1"));
    let renamed = op(OpKind::Replace, "/metadata/name", json!("ratings"));
    let nowhere = op(OpKind::Replace, "/spec/http/7/route/0/weight", json!(1));
    let negative = op(OpKind::Replace, "/spec/http/0/route/2/weight", json!(-5));
    let cases = [
        (
            stale,
            SourceErrorKind::Conflict,
            "the server rejected our request",
        ),
        (
            forged,
            SourceErrorKind::Conflict,
            "please apply your changes to the latest version",
        ),
        (renamed, SourceErrorKind::Rejected, "field is immutable"),
        (
            nowhere,
            SourceErrorKind::Conflict,
            "the server rejected our request",
        ),
        (
            negative,
            SourceErrorKind::Rejected,
            "admission webhook \"validation.istio.io\" denied the request: configuration is invalid: weight -5 < 0",
        ),
    ];
    for (op, kind, words) in cases {
        let error = bench
            .patch(&reviews(), &[op], WriteMode::Apply)
            .unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    let nobody = ObjectRef::new(ObjectKind::VirtualService, "shop", "nobody");
    let error = bench.patch(&nobody, &[], WriteMode::Apply).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::NotFound);
    assert_eq!(bench.mesh.export_edits(), []);
}

#[test]
fn scaling_a_deployment_changes_its_ready_replicas() {
    let bench = Bench::new(1);
    let deployment = ObjectRef::new(ObjectKind::Deployment, "shop", "reviews-v3");
    let ops = [
        op(OpKind::Replace, "/spec/replicas", json!(7)),
        op(OpKind::Replace, "/status/readyReplicas", json!(99)),
    ];
    let scaled = bench.patch(&deployment, &ops, WriteMode::Apply).unwrap();
    let ready = scaled.object.doc.pointer("/status/readyReplicas");
    assert_eq!(ready, Some(&json!(7)));
}

#[test]
fn the_shop_declares_its_splits() {
    let bench = Bench::new(1);
    let splits = read_splits(&all(&bench));
    let named: Vec<(String, Vec<Option<f64>>)> = splits
        .iter()
        .filter(|split| split.destinations.len() > 1)
        .map(|split| {
            assert!(split.in_force, "{:?}", split.id);
            let ratios = split.destinations.iter().map(|d| d.effective_ratio);
            (split.id.object.to_string(), ratios.collect())
        })
        .collect();
    assert_eq!(
        named,
        [
            (
                "VirtualService/shop/reviews".to_owned(),
                vec![Some(0.9), Some(0.1), Some(0.0)]
            ),
            (
                "HTTPRoute/shop/checkout".to_owned(),
                vec![Some(0.95), Some(0.05)]
            ),
        ]
    );
}

#[derive(Default)]
struct Sink(Mutex<Vec<ObjectEvent>>);

impl ObjectSink for Sink {
    fn send(&self, event: ObjectEvent) {
        self.0.lock().unwrap().push(event);
    }
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_watch_lists_first_and_then_tells_each_change() {
    let bench = Bench::new(1);
    let sink = Sink::default();
    let wakes = Arc::new(Counter::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut context = Context::from_waker(&waker);
    let control_plane = bench.mesh.control_plane();
    let mut watch = control_plane.watch(&sink);
    assert!(watch.as_mut().poll(&mut context).is_pending());
    let kinds: Vec<ObjectKind> = sink
        .0
        .lock()
        .unwrap()
        .drain(..)
        .map(|event| {
            let ObjectEvent::Listed { kind, objects } = event else {
                panic!("{event:?}");
            };
            // The shop has routes of these kinds only.
            let held = !matches!(
                kind,
                ObjectKind::GrpcRoute | ObjectKind::TcpRoute | ObjectKind::TlsRoute
            );
            assert_eq!(!objects.is_empty(), held, "{kind}");
            kind
        })
        .collect();
    assert_eq!(kinds, ObjectKind::ALL);

    bench.shift_reviews([80, 20, 0]);
    bench.shift_reviews([70, 30, 0]);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert!(watch.as_mut().poll(&mut context).is_pending());
    let weights: Vec<_> = sink
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|event| {
            let ObjectEvent::Applied(object) = event else {
                panic!("{event:?}");
            };
            object.doc.pointer("/spec/http/0/route/0/weight").cloned()
        })
        .collect();
    assert_eq!(weights, [Some(json!(80)), Some(json!(70))]);
}

#[test]
fn edits_carry_over_to_another_process() {
    let bench = Bench::new(5);
    bench.shift_reviews([50, 50, 0]);
    bench.set(NOON.plus(TimeSpan::seconds(30)));
    bench.shift_reviews([0, 100, 0]);
    let saved = serde_json::to_string(&bench.mesh.export_edits()).unwrap();
    let restored = Bench::edited(5, serde_json::from_str(&saved).unwrap());
    assert_eq!(all(&restored), all(&bench));
    assert_eq!(restored.mesh.export_edits(), bench.mesh.export_edits());
    let next = restored
        .patch(&reviews(), &weight_ops([1, 2, 3]), WriteMode::Apply)
        .unwrap();
    let versions: Vec<String> = all(&bench)
        .into_iter()
        .map(|object| object.resource_version)
        .collect();
    assert!(!versions.contains(&next.object.resource_version));
}
