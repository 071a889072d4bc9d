//! The start: where everything listens, and the steps that bring it up.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::apps::App;
use crate::bed::{Options, wait_until};
use crate::cache::Tools;
use crate::calls::Ledger;
use crate::kube::{self, Kube, User};
use crate::mesh::{INGRESS_NAMESPACE, NAMESPACE, WORKLOADS, Workload};
use crate::ports::Ports;
use crate::process::Processes;
use crate::telemetry::{self, JaegerPorts};
use crate::{control, envoy, http, namespace, objects};

/// For one step of the start, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Where everything listens.
pub(crate) struct Places {
    pub(crate) api: u16,
    pub(crate) istiod: control::IstiodPorts,
    pub(crate) prometheus: u16,
    pub(crate) jaeger: JaegerPorts,
    pub(crate) envoys: Vec<EnvoyPlace>,
}

pub(crate) struct EnvoyPlace {
    pub(crate) workload: &'static Workload,
    pub(crate) inbound: u16,
    pub(crate) outbound: u16,
    pub(crate) admin: u16,
}

/// The steps of the start. What waits for nothing is started first, and asked for when needed.
pub(crate) struct Start<'a> {
    pub(crate) options: Options,
    pub(crate) tools: Tools,
    pub(crate) places: &'a Places,
    pub(crate) work: &'a Path,
    pub(crate) begun: Instant,
}

impl Places {
    pub(crate) fn choose(ports: &mut Ports) -> Result<Self> {
        let envoys = WORKLOADS
            .iter()
            .map(|workload| {
                let (inbound, outbound, admin) = (ports.take()?, ports.take()?, ports.take()?);
                Ok(EnvoyPlace {
                    workload,
                    inbound,
                    outbound,
                    admin,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            api: ports.take()?,
            istiod: control::IstiodPorts {
                xds: ports.take()?,
                secure_xds: ports.take()?,
                http: ports.take()?,
                webhook: ports.take()?,
                monitoring: ports.take()?,
            },
            prometheus: ports.take()?,
            jaeger: JaegerPorts {
                http: ports.take()?,
                grpc: ports.take()?,
                otlp_grpc: ports.take()?,
                otlp_http: ports.take()?,
            },
            envoys,
        })
    }

    pub(crate) fn envoy(&self, workload: &str) -> Result<&EnvoyPlace> {
        let found = self
            .envoys
            .iter()
            .find(|place| place.workload.name == workload);
        found.with_context(|| format!("no Envoy of {workload}"))
    }

    pub(crate) fn ingress(&self) -> Result<&EnvoyPlace> {
        self.envoys
            .iter()
            .find(|place| place.workload.is_ingress())
            .context("no ingress")
    }
}

impl Start<'_> {
    pub(crate) fn api_server(&self, processes: &Processes) -> Result<Kube> {
        let state = self.work.join("kube-apiserver");
        fs::create_dir(&state)?;
        fs::write(self.work.join("tokens.csv"), control::tokens())?;
        let certificate = state.join("server.crt");
        for user in User::ALL {
            let config = kube::kubeconfig(user, self.places.api, &certificate);
            self.write(&format!("{}.kubeconfig", user.name()), &config)?;
        }
        processes.start(
            "kube-apiserver",
            &self.tools.kube_apiserver,
            &control::api_server_arguments(self.places.api, "tokens.csv"),
            &[("BED_STATE", state.display().to_string())],
        )?;
        // The certificate is there before the port answers.
        self.wait(processes, "certificate", || {
            Ok(certificate.exists().then_some(()))
        })?;
        Kube::new(self.places.api, &certificate, User::Admin.token())
    }

    pub(crate) fn telemetry(&self, processes: &Processes) -> Result<()> {
        let Places {
            prometheus,
            jaeger,
            envoys,
            ..
        } = self.places;
        let admin: Vec<u16> = envoys.iter().map(|place| place.admin).collect();
        let config = telemetry::prometheus(self.options.scrape_seconds, &admin);
        self.write("prometheus.yml", &config)?;
        // It takes up its targets only 5 s after its start.
        processes.start(
            "prometheus",
            &self.tools.prometheus,
            &[
                "--config.file=prometheus.yml".to_owned(),
                "--storage.tsdb.path=prometheus".to_owned(),
                "--log.level=warn".to_owned(),
                format!("--web.listen-address={}:{prometheus}", namespace::address()),
            ],
            &[],
        )?;
        self.write("jaeger.json", &telemetry::jaeger(*jaeger, ""))?;
        // Jaeger would trace itself, to a port where nobody listens.
        let variables = [("OTEL_TRACES_SAMPLER", "always_off".to_owned())];
        let arguments = ["--config".to_owned(), "jaeger.json".to_owned()];
        processes.start("jaeger", &self.tools.jaeger, &arguments, &variables)
    }

    pub(crate) fn apps(&self, ledger: &Ledger) -> Result<Vec<App>> {
        let with_app = self
            .places
            .envoys
            .iter()
            .filter(|place| !place.workload.is_ingress());
        with_app
            .map(|place| App::start(place.workload, place.outbound, ledger))
            .collect()
    }

    pub(crate) fn definitions(&self, processes: &Processes, kube: &Kube) -> Result<()> {
        self.wait(processes, "kube-apiserver", || {
            answers(&kube.call("GET", "/readyz", "", &[])?)
        })?;
        let paths = control::create_definitions(kube, &self.tools.definitions)?;
        self.wait(processes, "resource definitions", || {
            for path in &paths {
                kube.get(path)?;
            }
            Ok(Some(()))
        })
    }

    pub(crate) fn istiod(&self, processes: &Processes, kube: &Kube) -> Result<()> {
        let ports = self.places.istiod;
        for (namespace, injected) in [(INGRESS_NAMESPACE, false), (NAMESPACE, true)] {
            kube.apply(&objects::namespace(namespace, injected))?.ok()?;
        }
        kube.apply(&objects::webhook(ports.webhook))?.ok()?;
        self.write("mesh.json", &control::mesh_config())?;
        processes.start(
            "istiod",
            &self.tools.istiod,
            &control::istiod_arguments(ports),
            &control::istiod_variables(),
        )?;
        self.wait(processes, "istiod", || {
            Ok((http::get(ports.http, "/ready", &[])?.status == 200).then_some(()))
        })?;
        // It is ready before its webhook is, and lets everything pass until then.
        let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/";
        let path = format!("{path}{}", objects::WEBHOOK);
        self.wait(processes, "istiod's webhook", || {
            let policy = kube.get(&path)?["webhooks"][0]["failurePolicy"].take();
            ensure!(policy == "Fail", "failurePolicy is {policy}");
            Ok(Some(()))
        })
    }

    pub(crate) fn objects(&self, processes: &Processes, kube: &Kube) -> Result<()> {
        kube.apply_yaml(objects::ACCESS)?;
        let inbound = |workload: &Workload| {
            self.places
                .envoy(workload.name)
                .map_or(0, |place| place.inbound)
        };
        for object in objects::bookinfo(inbound) {
            kube.apply(&object)?
                .ok()
                .with_context(|| format!("cannot apply {object}"))?;
        }
        for (path, status) in objects::statuses() {
            kube.patch(&path, &status)?
                .ok()
                .with_context(|| path.clone())?;
        }
        kube.apply_yaml(objects::TRAFFIC)?;
        self.wait(processes, "objects", || Ok(Some(())))
    }

    pub(crate) fn envoys(&self, processes: &Processes, apps: &[App]) -> Result<()> {
        fs::create_dir(self.work.join("envoy"))?;
        for place in &self.places.envoys {
            let name = place.workload.name;
            let app = apps
                .iter()
                .find(|app| app.workload.name == name)
                .map(|app| app.port);
            let ports = envoy::Ports {
                inbound: place.inbound,
                outbound: place.outbound,
                admin: place.admin,
                app,
                xds: self.places.istiod.xds,
                otlp: self.places.jaeger.otlp_grpc,
            };
            let file = format!("envoy/{name}.json");
            self.write(&file, &envoy::bootstrap(place.workload, ports))?;
            let arguments = [
                "--config-path",
                &file,
                "--concurrency",
                "1",
                // Several Envoys on one machine would meet in shared memory.
                "--disable-hot-restart",
                "--log-level",
                "warning",
            ];
            let arguments = arguments.map(str::to_owned);
            processes.start(&format!("envoy-{name}"), &self.tools.envoy, &arguments, &[])?;
        }
        // Ready means that istiod has answered with clusters and routes.
        self.wait(processes, "six Envoys", || {
            for place in &self.places.envoys {
                let status = http::get(place.admin, "/ready", &[])?.status;
                ensure!(
                    status == 200,
                    "Envoy of {} says {status}",
                    place.workload.name
                );
            }
            Ok(Some(()))
        })
    }

    pub(crate) fn telemetry_ready(&self, processes: &Processes) -> Result<()> {
        for (name, port, path) in [
            ("Prometheus", self.places.prometheus, "/-/ready"),
            ("Jaeger", self.places.jaeger.http, "/api/services"),
        ] {
            self.wait(processes, name, || {
                Ok((http::get(port, path, &[])?.status == 200).then_some(()))
            })?;
        }
        Ok(())
    }

    fn wait<T>(
        &self,
        processes: &Processes,
        what: &str,
        check: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let value = wait_until(processes, what, PATIENCE, check)?;
        if self.options.verbose {
            report(self.begun, what);
        }
        Ok(value)
    }

    fn write(&self, name: &str, value: &Value) -> Result<()> {
        fs::write(self.work.join(name), serde_json::to_vec_pretty(value)?)
            .with_context(|| format!("cannot write {name}"))
    }
}

fn answers(answer: &kube::Answer) -> Result<Option<()>> {
    ensure!(
        answer.status == 200,
        "HTTP {}: {}",
        answer.status,
        answer.message()
    );
    Ok(Some(()))
}

#[expect(
    clippy::print_stderr,
    reason = "only where the caller asked to see the start"
)]
pub(crate) fn report(begun: Instant, what: &str) {
    eprintln!("{:7.2} s  {what}", begun.elapsed().as_secs_f64());
}
