//! The trace backend.

use std::net::TcpListener;

use anyhow::{Result, ensure};
use pilothouse_acceptance::{Ctl, Fake, Reply, mesh};

use crate::view::is_fine;

const ID: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn not_there() -> Result<()> {
    let ctl = Ctl::new()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let traces = format!("--traces jaeger=http://127.0.0.1:{port}");
    for command in [
        "traces find",
        "traces find -o json",
        "traces find --service reviews",
        &format!("traces show {ID}"),
    ] {
        let answer = ctl
            .line(&format!("--no-kubernetes {traces} {command}"))?
            .exits(69)?;
        ensure!(answer.stdout.is_empty(), "{answer}");
        answer
            .complains("trace")?
            .complains(&port.to_string())?
            .complains("hint:")?;
    }
    // The graph does not need it; a check tells.
    let (server, prometheus) = (
        Fake::start(mesh::kubernetes)?,
        Fake::start(mesh::prometheus)?,
    );
    let rest = format!(
        "--kubeconfig {} --prometheus {} {traces}",
        mesh::kubeconfig(&ctl, &server.url())?,
        prometheus.url()
    );
    let graph = ctl.line(&format!("{rest} graph -o json"))?.exits(0)?;
    is_fine(&graph, "metrics")?;
    ctl.line(&format!("{rest} check"))?
        .exits(69)?
        .says("traces")?
        .says("failed")?;
    ctl.line(&format!("{rest} split get"))?.exits(0)?;
    assert_eq!(server.writes(), []);
    Ok(())
}

#[test]
fn none_was_named() -> Result<()> {
    let ctl = Ctl::new()?;
    ctl.line("--no-kubernetes traces find")?
        .exits(69)?
        .complains("--traces")?;
    ctl.line(&format!("--no-kubernetes traces show {ID}"))?
        .exits(69)?
        .complains("--traces")?;
    for kind in [
        "carrier-pigeon=coop",
        "jaeger",
        "jaeger=",
        "jaeger=not-a-url",
        "file=/nowhere.json",
    ] {
        let answer = ctl.line(&format!("--no-kubernetes --traces {kind} traces find"))?;
        ensure!(
            [64, 65, 69].contains(&answer.exit) && !answer.stderr.is_empty(),
            "{answer}"
        );
    }
    Ok(())
}

#[test]
fn no_such_trace() -> Result<()> {
    let ctl = Ctl::new()?;
    let jaeger = Fake::start(mesh::jaeger)?;
    let traces = format!("--no-kubernetes --traces jaeger={}", jaeger.url());
    for format in ["tree", "json", "otlp"] {
        let answer = ctl
            .line(&format!("{traces} traces show {ID} -o {format}"))?
            .exits(1)?;
        ensure!(answer.stdout.is_empty(), "{answer}");
        answer.complains(ID)?;
    }
    let found = ctl
        .line(&format!(
            "{traces} traces find --service reviews.shop -o json"
        ))?
        .exits(0)?;
    assert_eq!(found.json()?["traces"], serde_json::json!([]));
    Ok(())
}

#[test]
fn wrong_answers() -> Result<()> {
    let ctl = Ctl::new()?;
    let wrong = [
        (
            "login page",
            Reply::text(200, "text/html", "<html>Sign in</html>"),
            69,
        ),
        (
            "cut",
            Reply::Cut(r#"{"result":{"resourceSpans":[{"#.to_owned()),
            69,
        ),
        (
            "not what it should be",
            Reply::text(200, "application/json", "[1, 2, 3]"),
            69,
        ),
        (
            "5xx",
            Reply::text(503, "text/plain", "upstream connect error"),
            69,
        ),
        ("401", Reply::text(401, "text/plain", "who are you"), 77),
        ("403", Reply::text(403, "text/plain", "not you"), 77),
        ("endless", Reply::Endless, 69),
    ];
    for (name, reply, exit) in wrong {
        let jaeger = Fake::start(move |_| reply.clone())?;
        for command in [
            "traces find --service reviews.shop".to_owned(),
            format!("traces show {ID}"),
        ] {
            let line = format!("--no-kubernetes --traces jaeger={} {command}", jaeger.url());
            let answer = ctl.line(&line)?;
            ensure!(
                answer.exit == exit && !answer.stderr.is_empty(),
                "{name}: exit {exit} was expected of {answer}"
            );
        }
    }
    Ok(())
}

#[test]
fn silence() -> Result<()> {
    let ctl = Ctl::new()?;
    let jaeger = Fake::start(|_| Reply::Silence)?;
    let line = format!(
        "--no-kubernetes --traces jaeger={} traces show {ID}",
        jaeger.url()
    );
    ctl.line(&line)?.exits(69)?.complains("hint:")?;
    Ok(())
}
