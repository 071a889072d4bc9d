//! A scripted mesh behind the three ports: one split of two subsets, requests that follow its weights, faults on demand.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pilothouse_core::model::{
    Moment, Object, ObjectKind, ObjectRef, SourceError, SourceErrorKind, SourceKind, TimeSpan,
};
use pilothouse_core::ports::{
    Answer, ControlPlane, ControlPlaneIdentity, Measure, MetricRow, MetricRows, MetricsQuery,
    MetricsSource, ObjectEvent, ObjectSink, Patched, Probe, SampleSeries, Samples, SamplesQuery,
    WriteMode,
};
use pilothouse_core::traffic::{IstioSection, PatchOp, RouteApi, ShiftRequest, SplitId, apply_ops};
use pilothouse_engine::{Clock, Sources};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// Requests per second of the split's host.
const RATE: f64 = 50.0;

pub(crate) struct FakeMesh {
    now: AtomicI64,
    /// Time passes by itself since then.
    ticks_since: Option<tokio::time::Instant>,
    n_watches: AtomicUsize,
    route: Mutex<(Value, u64)>,
    metrics_fault: Mutex<Option<(SourceErrorKind, u64)>>,
    n_queries: AtomicUsize,
    deaf: AtomicBool,
    mutate: AtomicBool,
    losing: Mutex<Option<Lost>>,
    forbidden: Mutex<Option<ObjectKind>>,
    route_is_gone: AtomicBool,
    on_write: Mutex<Option<Box<dyn Fn() + Send>>>,
    warnings: Mutex<Vec<String>>,
    clock_ahead: AtomicI64,
    asked_at: Mutex<Option<Moment>>,
    /// Somebody changed the route.
    edited: Notify,
    scrapes_no_mesh: AtomicBool,
}

/// A write whose answer nobody hears.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Request,
    Answer,
}

pub(crate) fn split_id() -> SplitId {
    SplitId {
        object: route_ref(),
        api: RouteApi::VirtualService(IstioSection::Http),
        route: 0,
    }
}

pub(crate) fn shift(v1: i64, v2: i64) -> ShiftRequest {
    ShiftRequest {
        split: split_id(),
        weights: vec![("v1".to_owned(), v1), ("v2".to_owned(), v2)],
    }
}

fn route_ref() -> ObjectRef {
    ObjectRef::new(ObjectKind::VirtualService, "shop", "reviews")
}

impl FakeMesh {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::standing_still())
    }

    /// Time passes here as it does for the engine's tasks; [`Self::pass`] is a jump of the clock.
    pub(crate) fn ticking() -> Arc<Self> {
        Arc::new(Self {
            ticks_since: Some(tokio::time::Instant::now()),
            ..Self::standing_still()
        })
    }

    fn standing_still() -> Self {
        let route = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "reviews", "namespace": "shop", "uid": "u1", "resourceVersion": "1"},
            "spec": {"hosts": ["reviews"], "http": [{"route": [
                {"destination": {"host": "reviews", "subset": "v1"}, "weight": 90},
                {"destination": {"host": "reviews", "subset": "v2"}, "weight": 10},
            ]}]},
        });
        Self {
            now: AtomicI64::new(1_700_000_000_000),
            ticks_since: None,
            n_watches: AtomicUsize::new(0),
            route: Mutex::new((route, 1)),
            metrics_fault: Mutex::new(None),
            n_queries: AtomicUsize::new(0),
            deaf: AtomicBool::new(false),
            mutate: AtomicBool::new(false),
            losing: Mutex::new(None),
            forbidden: Mutex::new(None),
            route_is_gone: AtomicBool::new(false),
            on_write: Mutex::new(None),
            warnings: Mutex::new(Vec::new()),
            clock_ahead: AtomicI64::new(0),
            asked_at: Mutex::new(None),
            edited: Notify::new(),
            scrapes_no_mesh: AtomicBool::new(false),
        }
    }

    /// The connection breaks in the next writes.
    pub(crate) fn lose(&self, what: Option<Lost>) {
        *self.losing.lock().unwrap() = what;
    }

    /// Objects of this kind may not be read.
    pub(crate) fn forbid(&self, kind: ObjectKind) {
        *self.forbidden.lock().unwrap() = Some(kind);
    }

    /// The metrics answer with this against their own answers.
    pub(crate) fn warn(&self, warning: &str) {
        *self.warnings.lock().unwrap() = vec![warning.to_owned()];
    }

    /// The metrics' clock runs ahead of ours.
    pub(crate) fn run_ahead(&self, span: TimeSpan) {
        self.clock_ahead.store(span.0, Ordering::SeqCst);
    }

    /// The metrics server has none of a mesh.
    pub(crate) fn scrape_no_mesh(&self, none: bool) {
        self.scrapes_no_mesh.store(none, Ordering::SeqCst);
    }

    /// The moment that the last query was asked for.
    pub(crate) fn asked_at(&self) -> Option<Moment> {
        *self.asked_at.lock().unwrap()
    }

    pub(crate) fn remove_route(&self) {
        self.route_is_gone.store(true, Ordering::SeqCst);
    }

    /// Runs in the middle of the next writes.
    pub(crate) fn on_write(&self, run: impl Fn() + Send + 'static) {
        *self.on_write.lock().unwrap() = Some(Box::new(run));
    }

    /// The same names on another cluster.
    pub(crate) fn become_another_cluster(&self) {
        let mut route = self.route.lock().unwrap();
        *route.0.pointer_mut("/metadata/uid").unwrap() = json!("u2");
    }

    pub(crate) fn sources(self: &Arc<Self>) -> Sources {
        Sources {
            control_plane: Ok(Arc::<Self>::clone(self)),
            metrics: Ok(Arc::<Self>::clone(self)),
            ..Sources::unconfigured()
        }
    }

    pub(crate) fn clock(self: &Arc<Self>) -> Clock {
        let mesh = Arc::clone(self);
        Arc::new(move || mesh.moment())
    }

    pub(crate) fn moment(&self) -> Moment {
        let passed = self
            .ticks_since
            .map_or(0, |since| since.elapsed().as_millis());
        let passed = i64::try_from(passed).unwrap();
        Moment(self.now.load(Ordering::SeqCst) + passed)
    }

    /// How often the objects were watched from the beginning.
    pub(crate) fn n_watches(&self) -> usize {
        self.n_watches.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, span: TimeSpan) {
        self.now.fetch_add(span.0, Ordering::SeqCst);
    }

    pub(crate) fn fail_metrics(&self, kind: Option<SourceErrorKind>) {
        self.fail_metrics_after(kind, 0);
    }

    /// The metrics think about it for some seconds before they fail.
    pub(crate) fn fail_metrics_after(&self, kind: Option<SourceErrorKind>, seconds: u64) {
        *self.metrics_fault.lock().unwrap() = kind.map(|kind| (kind, seconds));
    }

    /// Queries that reached the metrics so far.
    pub(crate) fn n_queries(&self) -> usize {
        self.n_queries.load(Ordering::SeqCst)
    }

    /// A control plane that nobody reaches.
    pub(crate) fn unreachable(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }

    pub(crate) fn mutate_on_write(&self, mutate: bool) {
        self.mutate.store(mutate, Ordering::SeqCst);
    }

    pub(crate) fn weights(&self) -> Vec<i64> {
        let route = self.route.lock().unwrap();
        let weight = |i: usize| {
            route
                .0
                .pointer(&format!("/spec/http/0/route/{i}/weight"))
                .unwrap()
                .as_i64()
                .unwrap()
        };
        vec![weight(0), weight(1)]
    }

    pub(crate) fn edit_by_somebody(&self, weights: &[i64]) {
        let mut route = self.route.lock().unwrap();
        for (i, weight) in weights.iter().enumerate() {
            *route
                .0
                .pointer_mut(&format!("/spec/http/0/route/{i}/weight"))
                .unwrap() = json!(weight);
        }
        bump(&mut route);
        self.edited.notify_one();
    }

    fn objects(&self) -> Vec<Object> {
        let route = self.route.lock().unwrap().0.clone();
        let subset = |v: &str| json!({"name": v, "labels": {"version": v}});
        let deployment = |v: &str| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": format!("reviews-{v}"), "namespace": "shop"},
                "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "reviews", "version": v}},
                    "template": {"metadata": {"labels": {"app": "reviews", "version": v}}}},
                "status": {"replicas": 1, "readyReplicas": 1}})
        };
        let docs = [
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "reviews", "namespace": "shop"},
                "spec": {"selector": {"app": "reviews"}, "ports": [{"port": 9080, "name": "http"}]}}),
            deployment("v1"),
            deployment("v2"),
            json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
                "metadata": {"name": "reviews", "namespace": "shop"},
                "spec": {"host": "reviews", "subsets": [subset("v1"), subset("v2")]}}),
            route,
        ];
        let gone = self.route_is_gone.load(Ordering::SeqCst);
        docs.into_iter()
            .map(|doc| Object::from_document(doc).unwrap())
            .filter(|object| !gone || object.reference != route_ref())
            .collect()
    }
}

fn broken() -> SourceError {
    SourceError::new(
        SourceKind::ControlPlane,
        SourceErrorKind::Unreachable,
        "the connection broke",
    )
}

fn bump(route: &mut (Value, u64)) {
    route.1 += 1;
    let version = route.1.to_string();
    *route.0.pointer_mut("/metadata/resourceVersion").unwrap() = json!(version);
}

impl ControlPlane for FakeMesh {
    fn identity(&self) -> Answer<'_, ControlPlaneIdentity> {
        let identity = ControlPlaneIdentity {
            context: "lab".to_owned(),
            server: "fake".to_owned(),
            version: None,
            user: Some("tester".to_owned()),
        };
        Box::pin(async { Ok(identity) })
    }

    fn list(&self, kind: ObjectKind) -> Answer<'_, Vec<Object>> {
        if self.deaf.load(Ordering::SeqCst) {
            return Box::pin(async {
                Err(SourceError::new(
                    SourceKind::ControlPlane,
                    SourceErrorKind::Unreachable,
                    "scripted",
                ))
            });
        }
        if *self.forbidden.lock().unwrap() == Some(kind) {
            return Box::pin(async {
                Err(SourceError::new(
                    SourceKind::ControlPlane,
                    SourceErrorKind::Forbidden,
                    "scripted",
                ))
            });
        }
        let objects = self
            .objects()
            .into_iter()
            .filter(|o| o.reference.kind == kind)
            .collect();
        Box::pin(async { Ok(objects) })
    }

    fn watch<'a>(
        &'a self,
        sink: &'a dyn ObjectSink,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.n_watches.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            for kind in ObjectKind::ALL {
                let objects = self
                    .objects()
                    .into_iter()
                    .filter(|o| o.reference.kind == kind)
                    .collect();
                sink.send(ObjectEvent::Listed { kind, objects });
            }
            loop {
                self.edited.notified().await;
                let route = self
                    .objects()
                    .into_iter()
                    .find(|o| o.reference == route_ref());
                sink.send(match route {
                    Some(route) => ObjectEvent::Applied(Box::new(route)),
                    None => ObjectEvent::Deleted(route_ref()),
                });
            }
        })
    }

    fn get<'a>(&'a self, object: &'a ObjectRef) -> Answer<'a, Option<Object>> {
        let found = self.objects().into_iter().find(|o| &o.reference == object);
        Box::pin(async { Ok(found) })
    }

    fn patch<'a>(
        &'a self,
        _: &'a ObjectRef,
        ops: &'a [PatchOp],
        mode: WriteMode,
    ) -> Answer<'a, Patched> {
        let losing = (*self.losing.lock().unwrap()).filter(|_| mode == WriteMode::Apply);
        if losing == Some(Lost::Request) {
            return Box::pin(async { Err(broken()) });
        }
        if let Some(run) = &*self.on_write.lock().unwrap()
            && mode == WriteMode::Apply
        {
            run();
        }
        let mut route = self.route.lock().unwrap();
        let patched = apply_ops(&route.0, ops).map(|doc| {
            let mut next = (doc, route.1);
            if self.mutate.load(Ordering::SeqCst) {
                next.0["spec"]["http"][0]["timeout"] = json!("1s");
            }
            bump(&mut next);
            if mode == WriteMode::Apply {
                *route = next.clone();
            }
            Patched {
                object: Object::from_document(next.0).unwrap(),
                warnings: Vec::new(),
            }
        });
        let answer = patched.map_err(|_| {
            SourceError::new(
                SourceKind::ControlPlane,
                SourceErrorKind::Conflict,
                "a test of the patch failed",
            )
        });
        Box::pin(async move {
            match losing {
                Some(_) => Err(broken()),
                None => answer,
            }
        })
    }

    fn may_patch<'a>(&'a self, _: &'a ObjectRef) -> Answer<'a, bool> {
        Box::pin(async { Ok(true) })
    }
}

impl MetricsSource for FakeMesh {
    fn probe(&self) -> Answer<'_, Probe> {
        let none = self.scrapes_no_mesh.load(Ordering::SeqCst);
        let n_series = if none { "0" } else { "40" };
        let probe = Probe {
            product: "fake".to_owned(),
            version: None,
            api: None,
            address: String::new(),
            facts: BTreeMap::from([
                ("scrape_interval_s".to_owned(), "5".to_owned()),
                ("mesh_series".to_owned(), n_series.to_owned()),
            ]),
            clock: Some(
                self.moment()
                    .plus(TimeSpan(self.clock_ahead.load(Ordering::SeqCst))),
            ),
        };
        Box::pin(async { Ok(probe) })
    }

    fn query<'a>(&'a self, query: &'a MetricsQuery) -> Answer<'a, MetricRows> {
        self.n_queries.fetch_add(1, Ordering::SeqCst);
        let fault = *self.metrics_fault.lock().unwrap();
        if let Some((kind, seconds)) = fault {
            return Box::pin(async move {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
                Err(SourceError::new(SourceKind::Metrics, kind, "scripted"))
            });
        }
        let rows = if query.measure == Measure::Requests {
            self.requests(query)
        } else {
            Vec::new()
        };
        *self.asked_at.lock().unwrap() = Some(query.at);
        let warnings = self.warnings.lock().unwrap().clone();
        Box::pin(async { Ok(MetricRows { rows, warnings }) })
    }

    /// Counters of one caller, scraped each five seconds, that went on as the weights are now.
    fn samples<'a>(&'a self, query: &'a SamplesQuery) -> Answer<'a, Samples> {
        let fault = *self.metrics_fault.lock().unwrap();
        if let Some((kind, _)) = fault {
            let error = SourceError::new(SourceKind::Metrics, kind, "scripted");
            return Box::pin(async { Err(error) });
        }
        let rates = self.requests(&MetricsQuery {
            measure: Measure::Requests,
            by: LABELS.map(str::to_owned).to_vec(),
            matchers: Vec::new(),
            window: query.window,
            at: query.at,
            idle: false,
        });
        let from = query.at.minus(query.window);
        let series = rates.into_iter().map(|row| SampleSeries {
            labels: row.labels,
            samples: (0..=query.window.0 / 5_000)
                .map(|i| from.plus(TimeSpan(i * 5_000)))
                .map(|at| (at, row.value * at.since(from).as_seconds()))
                .collect(),
        });
        let samples = Samples {
            series: series.collect(),
            warnings: self.warnings.lock().unwrap().clone(),
        };
        Box::pin(async { Ok(samples) })
    }
}

const LABELS: [&str; 9] = [
    "reporter",
    "source_workload",
    "destination_service",
    "destination_workload_namespace",
    "destination_workload",
    "destination_canonical_service",
    "destination_canonical_revision",
    "request_protocol",
    "response_code",
];

impl FakeMesh {
    fn requests(&self, query: &MetricsQuery) -> Vec<MetricRow> {
        let weights = self.weights();
        #[expect(clippy::cast_precision_loss, reason = "small weights")]
        let row = |(i, weight): (usize, &i64)| {
            let version = format!("v{}", i + 1);
            let all = BTreeMap::from(
                [
                    ("reporter", "source".to_owned()),
                    ("source_cluster", "c".to_owned()),
                    ("source_workload_namespace", "shop".to_owned()),
                    ("source_workload", "web".to_owned()),
                    ("source_canonical_service", "web".to_owned()),
                    ("source_canonical_revision", "v1".to_owned()),
                    ("destination_cluster", "c".to_owned()),
                    ("destination_service_namespace", "shop".to_owned()),
                    (
                        "destination_service",
                        "reviews.shop.svc.cluster.local".to_owned(),
                    ),
                    ("destination_service_name", "reviews".to_owned()),
                    ("destination_workload_namespace", "shop".to_owned()),
                    ("destination_workload", format!("reviews-{version}")),
                    ("destination_canonical_service", "reviews".to_owned()),
                    ("destination_canonical_revision", version),
                    ("request_protocol", "http".to_owned()),
                    ("response_code", "200".to_owned()),
                    ("grpc_response_status", String::new()),
                    ("response_flags", "-".to_owned()),
                    ("connection_security_policy", "unknown".to_owned()),
                ]
                .map(|(name, value)| (name.to_owned(), value)),
            );
            let labels = all
                .into_iter()
                .filter(|(name, _)| query.by.contains(name))
                .collect();
            MetricRow {
                labels,
                value: RATE * *weight as f64 / 100.0,
            }
        };
        weights.iter().enumerate().map(row).collect()
    }
}
