//! What runs in the mesh: the workloads, who calls whom, and how an app behaves at first.

/// The namespace of the apps.
pub const NAMESPACE: &str = "bookinfo";
/// The namespace of the ingress gateway.
pub const INGRESS_NAMESPACE: &str = "istio-system";
/// The port of every Service, as in bookinfo.
pub(crate) const SERVICE_PORT: u16 = 9080;
/// The port of the Gateway; no socket has it, it only names Envoy's route table.
pub(crate) const GATEWAY_PORT: u16 = 8080;
pub(crate) const CLUSTER: &str = "Kubernetes";

/// One pod: an Envoy, and behind it an app unless it is the ingress.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) app: &'static str,
    /// As `version` label; the ingress has none.
    pub(crate) version: Option<&'static str>,
    pub(crate) namespace: &'static str,
    /// The Services that the app calls for each request, one after the other.
    pub(crate) calls: &'static [&'static str],
    /// Mean of the exponentially distributed work per request.
    pub(crate) work_ms: f64,
    /// Share of requests answered 500, in 0..=1.
    pub(crate) failure_ratio: f64,
}

/// The ingress first, then the apps.
pub(crate) const WORKLOADS: [Workload; 6] = [
    Workload {
        name: "istio-ingressgateway",
        app: "istio-ingressgateway",
        version: None,
        namespace: INGRESS_NAMESPACE,
        calls: &["productpage"],
        work_ms: 0.0,
        failure_ratio: 0.0,
    },
    app(
        "productpage-v1",
        "productpage",
        "v1",
        &["details", "reviews"],
        2.0,
        0.0,
    ),
    app("reviews-v1", "reviews", "v1", &[], 2.0, 0.0),
    app("reviews-v2", "reviews", "v2", &["ratings"], 8.0, 0.05),
    app("ratings-v1", "ratings", "v1", &[], 2.0, 0.0),
    app("details-v1", "details", "v1", &[], 2.0, 0.0),
];

impl Workload {
    pub(crate) fn is_ingress(&self) -> bool {
        self.version.is_none()
    }

    /// Istio's canonical revision, which is "latest" where there is no version.
    pub(crate) fn revision(&self) -> &'static str {
        self.version.unwrap_or("latest")
    }

    pub(crate) fn pod(&self) -> String {
        format!("{}-0", self.name)
    }

    /// The address shown in the Pod. Nothing listens there: Kubernetes refuses loopback.
    pub(crate) fn pod_ip(&self) -> String {
        let index = WORKLOADS
            .iter()
            .position(|other| other.name == self.name)
            .unwrap_or_default();
        format!("10.44.0.{}", index + 1)
    }

    pub(crate) fn service_account(&self) -> String {
        if self.is_ingress() {
            self.app.to_owned()
        } else {
            format!("bookinfo-{}", self.app)
        }
    }
}

const fn app(
    name: &'static str,
    app: &'static str,
    version: &'static str,
    calls: &'static [&'static str],
    work_ms: f64,
    failure_ratio: f64,
) -> Workload {
    Workload {
        name,
        app,
        version: Some(version),
        namespace: NAMESPACE,
        calls,
        work_ms,
        failure_ratio,
    }
}
