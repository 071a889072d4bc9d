//! Secrets that are looked for everywhere: in what is printed, logged, written, drawn and reported.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::Ctl;
use pilothouse_api::dto::{AddressRequest, AddressesRequest, HeaderView};
use pilothouse_api::{Connector as _, report};
use pilothouse_bed::{Cover, DataSet, Feed, Front, PrometheusVersion, Rules};
use serde_json::json;

use super::Stage;
use crate::operator::Operator;

const BEARER: &str = "canary-bearer-7f3e";
const PASSWORD: &str = "canary-password-91ac";
/// `anna:canary-password-91ac`, as it is sent.
const BASIC: &str = "YW5uYTpjYW5hcnktcGFzc3dvcmQtOTFhYw==";

/// The whole log of this process, at its most talkative.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The command line with a token, a plugin and a password, let in and refused, at `RUST_LOG=trace`.
pub(super) fn of_kubeconfigs(stage: &mut Stage) -> Result<()> {
    let east = &stage.east;
    let good = east.token("viewer");
    let plugin = |name: &str, token: &str| -> Result<_> {
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": {"token": token},
        });
        // One that fails repeats its secret where people read.
        let body = format!("echo 'using token={token}' >&2; echo '{credential}'");
        let script = stage.servers.script(name, &body)?;
        Ok(json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": script, "interactiveMode": "Never",
        }}))
    };
    let fails = stage.servers.script(
        "canary-fails",
        &format!("echo 'token={BEARER}' >&2; exit 1"),
    )?;
    let fails = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": fails, "interactiveMode": "Never",
    }});
    for (name, user) in [
        ("canary-token", json!({"token": good})),
        ("canary-worthless", json!({"token": BEARER})),
        (
            "canary-basic",
            json!({"username": "anna", "password": PASSWORD}),
        ),
        ("canary-plugin", plugin("canary-plugin", &good)?),
        (
            "canary-plugin-worthless",
            plugin("canary-plugin-worthless", BEARER)?,
        ),
        ("canary-plugin-fails", fails),
    ] {
        let kubeconfig = Stage::kubeconfig(east, name, &user)?;
        let ctl = Ctl::new()?.with("RUST_LOG", "trace");
        for command in ["check -o json", "graph -o json"] {
            let line = format!(
                "--kubeconfig {} --prometheus http://anna:{PASSWORD}@127.0.0.1:1 {command}",
                kubeconfig.display()
            );
            let answer = ctl.line(&line)?;
            ensure!(
                answer.stderr.contains("TRACE"),
                "nothing is logged: {answer}"
            );
            for (place, text) in [("stdout", &answer.stdout), ("stderr", &answer.stderr)] {
                holds_no_secret(&format!("{place} of {name}, {command}"), text, &good)?;
            }
        }
        files_hold_no_secret(ctl.home(), &good)?;
    }
    Ok(())
}

/// A shift is written down with whoever made it, and not with what let them in.
pub(super) fn of_the_journal(stage: &mut Stage) -> Result<()> {
    stage.east.kube().apply_yaml(SPLIT)?;
    let kubeconfig = Stage::admin(&stage.east)?;
    let ctl = Ctl::new()?.with("RUST_LOG", "trace");
    let shift = "split set VirtualService/reviews.bookinfo v1=60 v2=40 --yes -o json";
    let line = format!("--kubeconfig {} {shift}", kubeconfig.display());
    let answer = ctl.line(&line)?.exits(0)?;
    ensure!(answer.json()?["entry"]["user"] == "admin", "{answer}");
    let token = stage.east.token("admin");
    for text in [&answer.stdout, &answer.stderr] {
        holds_no_secret("the command line", text, &token)?;
    }
    let written = files_hold_no_secret(ctl.home(), &token)?;
    let is_journal = |file: &String| file.contains("journal");
    ensure!(written.iter().any(is_journal), "{written:?}");
    Ok(())
}

const SPLIT: &str = "
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: bookinfo}
spec: {selector: {app: reviews}, ports: [{name: http, port: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: bookinfo}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: bookinfo}
spec:
  hosts: [reviews]
  http:
  - route:
    - {destination: {host: reviews, subset: v1}, weight: 90}
    - {destination: {host: reviews, subset: v2}, weight: 10}
";

/// The window's own doings: secrets that a person typed, let in and refused.
pub(super) fn of_addresses(stage: &mut Stage) -> Result<()> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone());
    subscriber
        .try_init()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let prometheus = stage
        .servers
        .prometheus("canary", PrometheusVersion::Two, &[])?;
    let _feed = Feed::start(DataSet::new("east"), &[&prometheus])?;
    let kubeconfig = Stage::admin(&stage.east)?;
    let operator = Operator::with(&[&kubeconfig])?;
    let mut shown = String::new();
    for (sign_in, secret, header) in [
        ("bearer", BEARER, format!("Bearer {BEARER}")),
        ("basic", PASSWORD, format!("Basic {BASIC}")),
    ] {
        let need = Some(("authorization".to_owned(), header));
        let rules = Rules {
            need,
            ..Rules::default()
        };
        let front = Front::start(prometheus.port(), Cover::Plain, rules)?;
        let request = AddressesRequest {
            metrics: Some(AddressRequest {
                url: front.url(),
                kind: String::new(),
                sign_in: sign_in.to_owned(),
                user: "anna".to_owned(),
                secret: Some(secret.to_owned()),
                token_file: String::new(),
                token_command: Vec::new(),
                tenant: "shop".to_owned(),
                headers: vec![HeaderView {
                    name: "X-Team".to_owned(),
                    value: "mesh".to_owned(),
                }],
                ca_file: String::new(),
                client_cert_file: String::new(),
                client_key_file: String::new(),
            }),
            traces: None,
        };
        let failed = |error: pilothouse_api::dto::ApiError| anyhow::anyhow!("{}", error.message);
        let context = operator.contexts.add_addresses(&request).map_err(failed)?;
        for let_in in [true, false] {
            if !let_in {
                let need = Some(("authorization".to_owned(), "other".to_owned()));
                front.set(Rules {
                    need,
                    ..Rules::default()
                });
            }
            let look = operator.look(&context)?;
            let line = format!("{:?}", look.line("metrics")?);
            let is_in = line.contains("knows istio_requests_total");
            ensure!(is_in == let_in, "{sign_in}, {let_in}: {line}");
            shown += &format!("{:?} {}", look.view, report(&look.view));
            let api = operator.open(vec![look])?;
            operator.runtime.block_on(api.load());
            api.workspace().keep_positions_now();
            shown += &serde_json::to_string(&api.latest())?;
        }
        operator.contexts.note(&context, Ok(()));
        shown += &serde_json::to_string(&operator.contexts.chooser())?;
        // What a panic could print.
        shown += &format!("{request:?} {:?}", operator.contexts.chooser());
    }
    let good = stage.east.token("admin");
    holds_no_secret("what is shown", &shown, &good)?;
    let log = String::from_utf8(log.0.lock().unwrap().clone())?;
    ensure!(log.len() > 10_000, "nothing is logged: {log}");
    holds_no_secret("the log", &log, &good)?;
    let written = files_hold_no_secret(operator.home(), &good)?;
    for name in ["settings.toml", "state.json"] {
        ensure!(written.iter().any(|file| file == name), "{written:?}");
    }
    let state = fs::read_to_string(operator.home().join("state/state.json"))?;
    ensure!(state.contains("positions"), "no positions in {state}");
    Ok(())
}

fn holds_no_secret(what: &str, text: &str, token: &str) -> Result<()> {
    for secret in [BEARER, PASSWORD, BASIC, token] {
        let around = text.find(secret).map(|at| {
            let begin = (0..=at.saturating_sub(200))
                .rev()
                .find(|i| text.is_char_boundary(*i));
            text.get(begin.unwrap_or(0)..at).unwrap_or_default()
        });
        ensure!(around.is_none(), "{what} tells a secret after {around:?}");
    }
    Ok(())
}

/// Names of the files below a folder, none of which holds a secret.
fn files_hold_no_secret(folder: &Path, token: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            holds_no_secret(&path.display().to_string(), &text, token)?;
            let name = path.file_name().context("no name")?;
            names.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}
