//! The bed, the command line beside it, and what the steps share.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::{Answer, Ctl, Fake, Reply, Request, mesh};
use pilothouse_bed::{Bed, Kube, Options, User};
use serde_json::{Value, json};

/// What every step shifts.
pub(crate) const REVIEWS: &str = "VirtualService/reviews.bookinfo";
/// The same at the API server.
pub(crate) const PATH: &str =
    "/apis/networking.istio.io/v1/namespaces/bookinfo/virtualservices/reviews";
/// Long enough for anything that happens at all.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A bed with an operator in front of it.
pub(crate) struct Stage {
    pub(crate) bed: Bed,
    pub(crate) ctl: Ctl,
}

impl Stage {
    pub(crate) fn set() -> Result<Self> {
        let bed = Bed::start(Options {
            scrape_seconds: 1,
            ..Options::default()
        })?;
        Ok(Self {
            bed,
            ctl: Ctl::new()?,
        })
    }

    /// Runs a command as admin.
    pub(crate) fn run(&self, command: &str) -> Result<Answer> {
        self.run_as(&self.ctl, User::Admin, command)
    }

    pub(crate) fn run_as(&self, ctl: &Ctl, user: User, command: &str) -> Result<Answer> {
        self.run_with(
            ctl,
            &self.bed.kubeconfig(user).display().to_string(),
            command,
        )
    }

    /// Runs a command with this kubeconfig and the bed's Prometheus and Jaeger.
    pub(crate) fn run_with(&self, ctl: &Ctl, kubeconfig: &str, command: &str) -> Result<Answer> {
        let (prometheus, jaeger) = (self.bed.prometheus_url(), self.bed.jaeger_url());
        ctl.line(&format!(
            "--kubeconfig {kubeconfig} --prometheus {prometheus} --traces jaeger={jaeger} {command}"
        ))
    }

    /// The `VirtualService` as the server has it.
    pub(crate) fn live(&self) -> Result<Value> {
        self.bed.kube().get(PATH)
    }

    /// Weights by subset as the server has them.
    pub(crate) fn weights(&self) -> Result<Vec<(String, i64)>> {
        weights_of(&self.live()?)
    }

    /// Somebody else writes weights of v1 and v2.
    pub(crate) fn somebody_writes(&self, v1: i64, v2: i64) -> Result<()> {
        write_weights(self.bed.kube(), v1, v2)
    }

    /// Puts a meddler between the command line and the API server; answers it and its kubeconfig.
    pub(crate) fn meddler(
        &self,
        ctl: &Ctl,
        meddle: impl Fn(&Kube, &mut Request) -> Result<()> + Send + Sync + 'static,
    ) -> Result<(Fake, String)> {
        let kube = self.bed.kube().clone();
        let server = Fake::start(move |request| {
            forward(&kube, request, &meddle)
                .unwrap_or_else(|error| Reply::text(502, "text/plain", &format!("{error:#}")))
        })?;
        let kubeconfig = mesh::kubeconfig(ctl, &server.url())?;
        Ok((server, kubeconfig))
    }
}

fn forward(
    kube: &Kube,
    request: &Request,
    meddle: &dyn Fn(&Kube, &mut Request) -> Result<()>,
) -> Result<Reply> {
    let mut request = request.clone();
    meddle(kube, &mut request)?;
    let answer = kube.call(
        &request.method,
        &request.target,
        request.header("content-type").unwrap_or_default(),
        &request.body,
    )?;
    Ok(match answer.body.as_str() {
        Some(text) => Reply::text(answer.status, "text/plain", text),
        None => Reply::json(answer.status, &answer.body),
    })
}

/// Whether a request is a patch for real.
pub(crate) fn patches(request: &Request) -> bool {
    request.method == "PATCH" && request.parameter("dryRun").is_none()
}

pub(crate) fn write_weights(kube: &Kube, v1: i64, v2: i64) -> Result<()> {
    let to = |subset: &str, weight: i64| json!({"destination": {"host": "reviews", "subset": subset}, "weight": weight});
    let routes = json!([to("v1", v1), to("v2", v2)]);
    let patch = json!([{"op": "replace", "path": "/spec/http/0/route", "value": routes}]);
    kube.patch(PATH, &patch)?.ok().map(drop)
}

pub(crate) fn weights_of(object: &Value) -> Result<Vec<(String, i64)>> {
    let routes = object
        .pointer("/spec/http/0/route")
        .and_then(Value::as_array)
        .context("no route")?;
    let weight = |route: &Value| {
        let subset = route.pointer("/destination/subset")?.as_str()?.to_owned();
        Some((subset, route["weight"].as_i64()?))
    };
    Ok(routes.iter().filter_map(weight).collect())
}

pub(crate) fn pair(v1: i64, v2: i64) -> Vec<(String, i64)> {
    vec![("v1".to_owned(), v1), ("v2".to_owned(), v2)]
}

/// The journal has no entry that says that something was written.
pub(crate) fn wrote_nothing(stage: &Stage, ctl: &Ctl, kubeconfig: &str) -> Result<()> {
    let history = stage
        .run_with(ctl, kubeconfig, "split history -o json")?
        .exits(0)?
        .json()?;
    let entries = history["entries"].as_array().context("no entries")?;
    let applied = entries
        .iter()
        .find(|entry| entry["outcome"] == "applied" || entry["undoable"] == true);
    ensure!(applied.is_none(), "{applied:?}");
    Ok(())
}
