//! The bed itself: starts everything in order, answers for it, and stops it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};

use crate::apps::App;
use crate::cache::Tools;
use crate::calls::{Calls, Ledger};
use crate::kube::{Kube, User};
use crate::load::Load;
use crate::mesh::NAMESPACE;
use crate::ports::Ports;
use crate::process::{self, Processes, WorkFolder};
use crate::samples::{self, Sample};
use crate::start::{self, PATIENCE, Places, Start};
use crate::{clock, envoy};

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(20);

/// How to start a bed.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Requests per second through the ingress; 0 starts without load.
    pub rps: f64,
    /// Seconds between two scrapes of Prometheus.
    pub scrape_seconds: u32,
    /// Leave the work folder when the bed ends, to look at the logs.
    pub keep: bool,
    /// Report each step of the start on stderr.
    pub verbose: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rps: 30.0,
            scrape_seconds: 5,
            keep: false,
            verbose: false,
        }
    }
}

/// A running bed. Dropping it ends every process and removes the work folder; so does the end of
/// the process that holds it, however it ends.
pub struct Bed {
    // In the order in which they are dropped: load, servers, folder, ports.
    load: Load,
    processes: Processes,
    work: WorkFolder,
    apps: Vec<App>,
    ledger: Ledger,
    kube: Kube,
    places: Places,
    _ports: Ports,
}

impl Bed {
    /// Starts a bed and comes back when the first request has gone through the mesh.
    ///
    /// # Errors
    /// A tool that is missing, with how to get it; a server that ends or is not ready in time, with
    /// the end of its log.
    pub fn start(options: Options) -> Result<Self> {
        let tools = Tools::find()?;
        let mut ports = Ports::reserve()?;
        let places = Places::choose(&mut ports)?;
        let work = WorkFolder::create(options.keep)?;
        let processes = Processes::new(work.path())?;
        let ledger = Ledger::default();
        let begun = clock::now();
        let start = Start {
            options,
            tools,
            places: &places,
            work: work.path(),
            begun,
        };

        let kube = start.api_server(&processes)?;
        start.telemetry(&processes)?;
        let apps = start.apps(&ledger)?;
        start.definitions(&processes, &kube)?;
        start.istiod(&processes, &kube)?;
        start.objects(&processes, &kube)?;
        start.envoys(&processes, &apps)?;
        let ingress = places.ingress()?.outbound;
        let load = Load::start(ingress, &ledger)?;
        start.telemetry_ready(&processes)?;
        let bed = Self {
            load,
            processes,
            work,
            apps,
            ledger,
            kube,
            places,
            _ports: ports,
        };
        bed.await_traffic(options.rps)?;
        if options.verbose {
            start::report(begun, "a request through the mesh");
        }
        Ok(bed)
    }

    /// The kubeconfig file of a user.
    #[must_use]
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        self.work.path().join(format!("{}.kubeconfig", user.name()))
    }

    /// The base address of Prometheus' HTTP API.
    #[must_use]
    pub fn prometheus_url(&self) -> String {
        url(self.places.prometheus)
    }

    /// The base address of Jaeger's query API.
    #[must_use]
    pub fn jaeger_url(&self) -> String {
        url(self.places.jaeger.http)
    }

    /// The address that takes OTLP over HTTP, for spans that a test makes up itself.
    #[must_use]
    pub fn otlp_url(&self) -> String {
        url(self.places.jaeger.otlp_http)
    }

    /// The folder of configurations, data and logs.
    #[must_use]
    pub fn work_folder(&self) -> &Path {
        self.work.path()
    }

    /// The API client, as admin.
    #[must_use]
    pub fn kube(&self) -> &Kube {
        &self.kube
    }

    /// Every call between apps since the start, as its caller saw it.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.ledger.read()
    }

    /// Changes the load's rate.
    pub fn set_load(&self, rps: f64) {
        self.load.set_rate(rps);
    }

    /// Stops the load and comes back when no request is under way, so that counts stand still.
    ///
    /// # Errors
    /// When a request gets no answer within 20 s.
    pub fn pause_load(&self) -> Result<()> {
        self.load.pause()
    }

    /// Changes the share of requests (0..=1) that the app of this workload answers with 500.
    ///
    /// # Errors
    /// When there is no such app.
    pub fn set_failure_ratio(&self, workload: &str, ratio: f64) -> Result<()> {
        self.app(workload)?.behaviour.set_failure_ratio(ratio);
        Ok(())
    }

    /// Changes the mean time that the app of this workload works on a request.
    ///
    /// # Errors
    /// When there is no such app.
    pub fn set_work(&self, workload: &str, mean: Duration) -> Result<()> {
        self.app(workload)?.behaviour.set_work(mean);
        Ok(())
    }

    /// Ends a server (`prometheus`, `jaeger`, `istiod`, `kube-apiserver`, `envoy-reviews-v1`, ...)
    /// as a crash would; it stays away until [`Bed::restart`].
    ///
    /// # Errors
    /// When no such server runs.
    pub fn kill(&self, server: &str) -> Result<()> {
        self.processes.kill(server)
    }

    /// Starts a killed server again, with the same ports and what it keeps on disk; Jaeger keeps
    /// nothing. Does not wait until it is ready.
    ///
    /// # Errors
    /// When it still runs or cannot be started.
    pub fn restart(&self, server: &str) -> Result<()> {
        self.processes.restart(server)
    }

    /// Stops a server in its tracks: it takes connections and answers nothing until
    /// [`Bed::resume`].
    ///
    /// # Errors
    /// When no such server runs.
    pub fn suspend(&self, server: &str) -> Result<()> {
        self.processes.signal(server, "STOP")
    }

    /// Lets a suspended server go on.
    ///
    /// # Errors
    /// When no such server runs.
    pub fn resume(&self, server: &str) -> Result<()> {
        self.processes.signal(server, "CONT")
    }

    /// Applies YAML as admin; without a namespace an object goes to that of the apps.
    ///
    /// # Errors
    /// Bad YAML, and the first refusal.
    pub fn apply_yaml(&self, yaml: &str) -> Result<()> {
        self.kube.apply_yaml(yaml)
    }

    /// The weights for a Service of the mesh in one workload's Envoy, by subset (by Service where
    /// there is no subset); `None` while it has no route.
    ///
    /// # Errors
    /// When there is no such Envoy or it does not answer.
    pub fn envoy_weights(
        &self,
        workload: &str,
        service: &str,
    ) -> Result<Option<BTreeMap<String, u32>>> {
        envoy::weights(self.places.envoy(workload)?.admin, service, NAMESPACE)
    }

    /// Waits until one workload's Envoy has exactly these weights for a Service.
    ///
    /// # Errors
    /// When it has not within the deadline.
    pub fn await_weights(
        &self,
        workload: &str,
        service: &str,
        expect: &[(&str, u32)],
        deadline: Duration,
    ) -> Result<()> {
        let expect: BTreeMap<String, u32> = expect
            .iter()
            .map(|(key, weight)| ((*key).to_owned(), *weight))
            .collect();
        self.wait_until(
            &format!("weights {expect:?} in {workload}"),
            deadline,
            || {
                let weights = self.envoy_weights(workload, service)?;
                ensure!(weights.as_ref() == Some(&expect), "Envoy has {weights:?}");
                Ok(Some(()))
            },
        )
    }

    /// An instant query to Prometheus.
    ///
    /// # Errors
    /// When Prometheus does not answer, or not with an instant vector.
    pub fn query(&self, expression: &str) -> Result<Vec<Sample>> {
        samples::query(self.places.prometheus, expression, None)
    }

    /// Looks again and again until `check` gives something, at most for `deadline`.
    ///
    /// # Errors
    /// When time is up, with what `check` said last; at once when a server of the bed has ended.
    pub fn wait_until<T>(
        &self,
        what: &str,
        deadline: Duration,
        check: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        wait_until(&self.processes, what, deadline, check)
    }

    /// Name and process id of each server.
    #[must_use]
    pub fn pids(&self) -> Vec<(String, u32)> {
        self.processes.pids()
    }

    /// Resident memory of all servers together, in MB.
    #[must_use]
    pub fn memory_mb(&self) -> u64 {
        process::memory_mb(&self.pids())
    }

    /// Where everything is, as `bed up` writes it to `bed.json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "namespace": NAMESPACE,
            "kubeconfig": self.kubeconfig(User::Admin),
            "viewerKubeconfig": self.kubeconfig(User::Viewer),
            "prometheus": self.prometheus_url(),
            "jaeger": self.jaeger_url(),
            "otlp": self.otlp_url(),
            "ingress": self.places.ingress().map(|place| url(place.outbound)).ok(),
            "work": self.work_folder(),
            "pids": self.pids().into_iter().collect::<BTreeMap<_, _>>(),
        })
    }

    fn await_traffic(&self, rps: f64) -> Result<()> {
        if rps <= 0.0 {
            return Ok(());
        }
        self.set_load(rps);
        self.wait_until("a request through the mesh", PATIENCE, || {
            let calls = self.calls().on("productpage-v1", "reviews");
            Ok(calls
                .edges()
                .into_keys()
                .any(|edge| edge.destination.is_some())
                .then_some(()))
        })
    }

    fn app(&self, workload: &str) -> Result<&App> {
        let found = self.apps.iter().find(|app| app.workload.name == workload);
        found.with_context(|| format!("no app {workload}"))
    }
}

/// [`Bed::wait_until`] before there is a bed.
pub(crate) fn wait_until<T>(
    processes: &Processes,
    what: &str,
    deadline: Duration,
    mut check: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begun = clock::now();
    loop {
        let last = match check() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => anyhow!("not yet"),
            Err(error) => error,
        };
        processes
            .check()
            .with_context(|| format!("waiting for {what}"))?;
        if begun.elapsed() >= deadline {
            return Err(last.context(format!("{what}: not within {deadline:?}")));
        }
        thread::sleep(POLL);
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
