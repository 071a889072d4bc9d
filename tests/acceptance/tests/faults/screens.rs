//! The same faults as a screen gets them, through the browser shell: a state with its reason, which ends when the fault
//! ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::{Ctl, Daemon, Fake, Reply, binary, mesh, wait_until};
use serde_json::{Value, json};

use crate::view::source;

const SOON: Duration = Duration::from_secs(20);

struct Screen {
    authority: String,
    token: String,
    process: Daemon,
    _home: Ctl,
}

impl Screen {
    fn open(home: Ctl, arguments: &[&str]) -> Result<Self> {
        let page = home.home().join("page");
        std::fs::create_dir(&page)?;
        std::fs::write(page.join("index.html"), "<!doctype html>")?;
        let mut command = Command::new(binary("pilothouse-dev")?);
        command
            .args(["--refresh", "1", "--frontend"])
            .arg(&page)
            .args(arguments);
        command
            .env("HOME", home.home())
            .env("PATH", "/usr/bin:/bin");
        let process = Daemon::start(&command)?;
        let printed = process.line()?;
        let parts = printed
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once("/#t="));
        let (authority, token) = parts.with_context(|| format!("no address in {printed:?}"))?;
        let (authority, token) = (authority.to_owned(), token.to_owned());
        Ok(Self {
            authority,
            token,
            process,
            _home: home,
        })
    }

    /// Status and body of a command.
    fn call(&self, command: &str, request: &Value) -> Result<(u16, Value)> {
        let body = request.to_string();
        let head = format!(
            "POST /ipc/{command} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.authority,
            self.token,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.authority)?;
        stream.set_read_timeout(Some(SOON))?;
        stream.write_all(head.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok((
            status,
            serde_json::from_str(body).with_context(|| answer.clone())?,
        ))
    }

    fn latest(&self) -> Result<Value> {
        let (status, view) = self.call("latest", &json!({}))?;
        ensure!(status == 200, "HTTP {status}: {view}");
        Ok(view)
    }

    fn await_state(&self, name: &str, states: &[&str]) -> Result<Value> {
        wait_until(&format!("{name} to be {states:?}"), SOON, || {
            let view = self.latest()?;
            let state = source(&view["graph"], name)?["state"].clone();
            ensure!(
                state.as_str().is_some_and(|state| states.contains(&state)),
                "{state}"
            );
            Ok(Some(view))
        })
    }
}

/// A Prometheus that is well while the number is 200.
fn prometheus(status: &Arc<AtomicU16>) -> Result<Fake> {
    let status = Arc::clone(status);
    Fake::start(move |request| match status.load(Ordering::SeqCst) {
        200 => mesh::prometheus(request),
        code => Reply::text(code, "text/plain", "out of order"),
    })
}

#[test]
fn a_failing_prometheus_comes_back_by_itself() -> Result<()> {
    let status = Arc::new(AtomicU16::new(503));
    let (server, prometheus) = (Fake::start(mesh::kubernetes)?, prometheus(&status)?);
    let home = Ctl::new()?;
    let kubeconfig = mesh::kubeconfig(&home, &server.url())?;
    let mut screen = Screen::open(
        home,
        &[
            "--kubeconfig",
            &kubeconfig,
            "--prometheus",
            &prometheus.url(),
        ],
    )?;

    screen.await_state("control-plane", &["ok"])?;
    let view = screen.await_state("metrics", &["failed"])?;
    let error = &source(&view["graph"], "metrics")?["error"];
    ensure!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("503")),
        "{error}"
    );
    let split = &view["splits"]["splits"][0];
    assert_eq!(
        split["destinations"][0]["weight"], 90,
        "declared is known: {view}"
    );
    assert_eq!(
        split["destinations"][0]["observed_ratio"],
        Value::Null,
        "observed is not"
    );
    for node in view["graph"]["nodes"].as_array().context("no nodes")? {
        ensure!(node["rate"].is_null(), "unknown is not 0: {node}");
    }

    status.store(200, Ordering::SeqCst);
    let view = screen.await_state("metrics", &["ok"])?;
    let share = view["splits"]["splits"][0]["destinations"][0]["observed_ratio"].as_f64();
    assert_eq!(share, Some(0.9));

    // What was known stays, marked as old.
    status.store(503, Ordering::SeqCst);
    let view = screen.await_state("metrics", &["stale"])?;
    let rates = view["graph"]["edges"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|edge| edge["rate"].as_f64());
    ensure!(
        (rates.sum::<f64>() - 10.0).abs() < 1e-6,
        "the last known rates stay: {view}"
    );
    ensure!(screen.process.runs()?, "it still runs");
    ensure!(
        !screen.process.stderr().contains("panicked"),
        "{}",
        screen.process.stderr()
    );
    assert_eq!(server.writes(), []);
    Ok(())
}

#[test]
fn nothing_works_and_the_screen_says_what_to_do() -> Result<()> {
    let mut screen = Screen::open(
        Ctl::new()?,
        &[
            "--kubeconfig",
            "/nowhere/config",
            "--prometheus",
            "http://127.0.0.1:9",
            "--traces",
            "jaeger=http://127.0.0.1:9",
        ],
    )?;
    let view = screen.await_state("metrics", &["failed"])?;
    for name in ["control-plane", "metrics"] {
        let error = &source(&view["graph"], name)?["error"];
        for key in ["message", "hint"] {
            ensure!(
                error[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key} of {name}: {error}"
            );
        }
    }
    let (status, error) = screen.call("find_traces", &json!({}))?;
    assert_eq!(
        (status, &error["code"]),
        (502, &json!("unavailable")),
        "{error}"
    );
    let request = json!({"split_id": "VirtualService/shop/reviews/http/0", "weights": []});
    let (status, error) = screen.call("plan_shift", &request)?;
    ensure!(status >= 400 && error["hint"].is_string(), "{error}");
    ensure!(screen.process.runs()?, "it still runs");
    Ok(())
}

#[test]
fn a_stranger_gets_nothing() -> Result<()> {
    let screen = Screen::open(Ctl::new()?, &[])?;
    let stranger = Screen {
        token: "0".repeat(32),
        ..screen
    };
    let called = stranger.call("latest", &json!({}));
    ensure!(called.is_err(), "an answer without the token");
    Ok(())
}
