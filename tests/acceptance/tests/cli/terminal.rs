//! Usage errors, help, completions, and manners on a terminal and in a pipe.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::{Ctl, Fake, mesh};
use serde_json::{Value, json};

#[test]
fn wrong_calls_are_usage_errors() -> Result<()> {
    let ctl = Ctl::new()?;
    for line in [
        "",
        "nonsense",
        "--demo nonsense",
        "--demo graph --type galaxy",
        "--demo graph --window 5",
        "--demo graph --window -5m",
        "--demo graph --at yesterday",
        "--demo graph --http sometimes",
        "--demo graph --grpc sometimes",
        "--demo graph --tcp sometimes",
        "--demo graph --ambient sometimes",
        "--demo graph --latency p101",
        "--demo graph -o xml",
        "--demo graph --no-such-flag",
        "--demo -A -n shop graph",
        "--demo split get --window 1s",
        "--demo split",
        "--demo traces show",
        "--demo traces find --limit 0",
        "--demo traces find --limit 2000",
        "--demo traces find --min-duration 30ms --max-duration 20ms",
        "--demo --services many graph",
        "completion cobol",
        "demo --metrics-listen nowhere",
    ] {
        let answer = ctl.line(line)?.exits(64)?;
        ensure!(
            !answer.stderr.is_empty() && answer.stdout.is_empty(),
            "{answer}"
        );
    }
    Ok(())
}

#[test]
fn help_version_info_and_completions_are_answers() -> Result<()> {
    let ctl = Ctl::new()?;
    let help = ctl.line("--help")?.exits(0)?;
    for command in [
        "check",
        "graph",
        "services",
        "edges",
        "split",
        "traces",
        "validate",
        "demo",
        "ui",
        "completion",
    ] {
        ensure!(help.stdout.contains(command), "{command} is not in {help}");
    }
    let version = ctl.line("version -o json")?.exits(0)?.json()?;
    let version = version["version"]
        .as_str()
        .context("no version")?
        .to_owned();
    assert_eq!(ctl.line("version")?.exits(0)?.stdout.trim(), version);
    ctl.line("--version")?.exits(0)?.says(&version)?;
    let info = ctl.line("info -o json")?.exits(0)?.json()?;
    let home = ctl.home().display().to_string();
    for key in ["state_folder", "journal", "settings"] {
        ensure!(
            info[key]
                .as_str()
                .is_some_and(|path| path.starts_with(&home)),
            "{info}"
        );
    }
    ctl.line("info")?.exits(0)?.says(&version)?;
    for shell in ["bash", "zsh", "fish"] {
        let script = ctl
            .line(&format!("completion {shell}"))?
            .exits(0)?
            .says("pilothousectl")?;
        ensure!(
            script.stdout.contains("versioned-app"),
            "{shell} does not complete the types of a graph"
        );
    }
    Ok(())
}

/// Text that would clear the screen, set the window's title and ring, if it were sent as it is.
const EVIL: &str = "\u{1b}[2Jx\u{1b}]0;y\u{7}\u{9b}31m\u{8}\r\u{7f}z";

#[test]
fn text_of_the_cluster_never_steers_the_terminal() -> Result<()> {
    let ctl = Ctl::new()?;
    let labels = || {
        let mut labels = mesh::labels("v1");
        for key in [
            "source_workload",
            "source_canonical_service",
            "destination_canonical_service",
        ] {
            labels[key] = json!(format!("{key}{EVIL}"));
        }
        labels
    };
    let rows = move |query: &str| {
        let requests = query.contains("istio_requests_total");
        if requests {
            vec![mesh::row(&labels(), "5")]
        } else {
            Vec::new()
        }
    };
    let prometheus = Fake::start(move |request| mesh::prometheus_with(request, &rows))?;
    let url = prometheus.url();
    // `Ctl` refuses control characters on either stream.
    for command in [
        "graph",
        "graph -o dot",
        "graph -o json",
        "graph --type workload",
        "services",
        "edges",
        "check",
    ] {
        let answer = ctl.line(&format!("--no-kubernetes --prometheus {url} {command}"))?;
        ensure!(
            command == "check" || answer.stdout.contains("[2Jx"),
            "{answer}"
        );
    }

    let row = ctl
        .line("--demo traces find --limit 1 -o json")?
        .exits(0)?
        .json()?;
    let id = row["traces"][0]["trace_id"]
        .as_str()
        .context("no trace")?
        .to_owned();
    let mut otlp = ctl
        .line(&format!("--demo traces show {id} -o otlp"))?
        .exits(0)?
        .json()?;
    poison(&mut otlp, "name");
    poison(&mut otlp, "stringValue");
    let file = ctl.file("evil.json", otlp.to_string())?;
    for format in ["tree", "json"] {
        ctl.line(&format!("traces show {file} -o {format}"))?
            .exits(0)?
            .says("[2Jx")?;
    }
    ctl.line(&format!("--no-kubernetes --traces file={file} traces find"))?
        .exits(0)?
        .says("[2Jx")?;

    let manifest = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": EVIL, "namespace": EVIL},
        "spec": {"hosts": [EVIL], "http": [{"route": [{"destination": {"host": EVIL}, "weight": -1}]}]},
    });
    let manifest = ctl.file("evil.yaml", manifest.to_string())?;
    ctl.line(&format!("validate -f {manifest}"))?.exits(65)?;
    ctl.run(&["--demo", "split", "get", EVIL])?.exits(1)?;
    ctl.run(&["--demo", "split", "set", EVIL, "v1=1"])?;
    ctl.run(&[
        "--demo",
        "split",
        "set",
        "VirtualService/reviews.shop",
        &format!("{EVIL}=1"),
    ])?
    .exits(64)?;
    let reason = [
        "--demo",
        "split",
        "set",
        "VirtualService/reviews.shop",
        "v1=80",
        "v2=20",
        "--yes",
        "--reason",
        EVIL,
    ];
    ctl.run(&reason)?.exits(0)?;
    ctl.line("--demo split history")?.exits(0)?.says("[2Jx")?;
    Ok(())
}

/// Appends the evil text to every string under this key.
fn poison(value: &mut Value, key: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| name == key) {
                    Some(text) => *member = json!(format!("{text}{EVIL}")),
                    None => poison(member, key),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_closed_pipe_is_no_panic() -> Result<()> {
    let ctl = Ctl::new()?;
    for line in [
        "--demo --services 100 graph -o json",
        "--demo graph",
        "completion bash",
        "--help",
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let mut child = ctl
            .command(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // The reader goes away before anything is written, as `| head -0` does.
        drop(child.stdout.take());
        let output = child.wait_with_output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(!stderr.contains("panicked"), "{line}: {stderr}");
        ensure!(
            output.status.code() == Some(0),
            "{line}: {:?} {stderr}",
            output.status
        );
    }
    Ok(())
}
