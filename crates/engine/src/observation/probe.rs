//! Looks at the sources themselves: who is there, and what speaks against their numbers.

use pilothouse_core::graph::GraphRequest;
use pilothouse_core::model::{Finding, Severity, SourceKind, TimeSpan};
use tracing::debug;

use super::Observation;

/// Time between two looks at what the metrics server is.
const METRICS_LOOK: TimeSpan = TimeSpan::seconds(600);
/// Scrape interval that is assumed until the metrics source says one.
const ASSUMED_SCRAPE: TimeSpan = TimeSpan::seconds(15);

impl Observation {
    /// Looks at who is there: identity, versions, the trace backend.
    pub(crate) async fn probe(&self) {
        let metrics = async {
            if self.metrics_look_is_due() {
                self.probe_metrics().await;
            }
        };
        tokio::join!(self.probe_control_plane(), metrics, self.probe_traces());
        self.fold_wanted.notify_one();
    }

    async fn probe_control_plane(&self) {
        let Ok(control_plane) = &self.sources.control_plane else {
            return;
        };
        let begun = self.now();
        let answer = control_plane.identity().await;
        let took = self.now().since(begun);
        self.lock().take_identity(answer, took);
    }

    /// What a metrics server is changes seldom, and each look is five more questions to it.
    fn metrics_look_is_due(&self) -> bool {
        let now = self.now();
        let last = self.lock().metrics_looked_at;
        // Whoever lets it scrape the mesh at last need not wait to be believed.
        last.is_none_or(|last| now.since(last) >= METRICS_LOOK) || self.knows_no_mesh()
    }

    /// The metrics server says that it has no metrics of a mesh.
    fn knows_no_mesh(&self) -> bool {
        let state = self.lock();
        let probe = state.probed(SourceKind::Metrics);
        probe.is_some_and(|probe| probe.facts.get("mesh_series").is_some_and(|n| n == "0"))
    }

    pub(super) async fn probe_metrics(&self) {
        let Ok(metrics) = &self.sources.metrics else {
            return;
        };
        let begun = self.now();
        match metrics.probe().await {
            Ok(probe) => {
                let took = self.now().since(begun);
                self.lock().take_metrics_probe(probe, begun, took);
            }
            Err(error) => debug!(%error, "the metrics source does not say what it is"),
        }
    }

    async fn probe_traces(&self) {
        let Ok(traces) = &self.sources.traces else {
            return;
        };
        let begun = self.now();
        let answer = traces.probe().await;
        let now = self.now();
        self.lock().take_traces_probe(answer, now, now.since(begun));
    }

    /// What makes the numbers of a request less than they seem, and the connection less safe.
    pub(super) fn doubts<'a>(
        &self,
        request: &GraphRequest,
        warnings: impl IntoIterator<Item = &'a String>,
    ) -> Vec<Finding> {
        let say = |code, message| Finding::new(Severity::Warning, code, "metrics", message);
        let mut doubts = self.sources.findings.clone();
        doubts.extend(warnings.into_iter().map(|warning| {
            say(
                "metrics-partial",
                format!("the metrics server doubts its own answer: {warning}"),
            )
        }));
        if self.knows_no_mesh() {
            doubts.push(say(
                "no-mesh-metrics",
                "the metrics server has no istio_requests_total: it scrapes no proxy of this mesh, or another server does; let \
                 it scrape sidecars, waypoints and gateways, or give the address of the one that does"
                    .to_owned(),
            ));
        }
        let ahead = self.lock().clock_ahead;
        if ahead != TimeSpan::default() {
            let (span, side) = (
                ahead.0.abs() / 1000,
                if ahead.0 > 0 { "ahead of" } else { "behind" },
            );
            doubts.push(say(
                "clock-skew",
                format!(
                    "the metrics server's clock is {span} s {side} ours; it is asked by its own"
                ),
            ));
        }
        if let Some(scrape) = self.said_scrape_interval()
            && request.window.0 < 2 * scrape.0
        {
            let (window, every) = (request.window.as_seconds(), scrape.as_seconds());
            doubts.push(say(
                "window-too-short",
                format!("a window of {window} s holds fewer than two scrapes ({every} s apart): rates are not known"),
            ));
        }
        doubts
    }

    /// Time between scrapes, by the metrics source's own word or by assumption.
    pub(crate) fn scrape_interval(&self) -> TimeSpan {
        self.said_scrape_interval().unwrap_or(ASSUMED_SCRAPE)
    }

    fn said_scrape_interval(&self) -> Option<TimeSpan> {
        let state = self.lock();
        let probe = state.probed(SourceKind::Metrics);
        let said = probe.and_then(|probe| probe.facts.get("scrape_interval_s"));
        let seconds = said
            .and_then(|text| text.parse::<f64>().ok())
            .filter(|s| *s > 0.0 && *s < 3600.0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below an hour, checked above"
        )]
        seconds.map(|seconds| TimeSpan((seconds * 1000.0) as i64))
    }
}
