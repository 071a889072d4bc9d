//! The kubeconfig and the Kubernetes API.

use std::net::TcpListener;

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::{Ctl, Fake, Reply, Request, mesh};

use crate::view::{is_blamed, is_fine, shows_traffic, source};

/// Runs the graph and a shift against this API server, beside a healthy Prometheus.
struct Case<'a> {
    ctl: &'a Ctl,
    kubeconfig: Vec<String>,
    /// State of the control plane, and exit code of graph and shift.
    states: &'a [&'a str],
    exit: i32,
}

impl Case<'_> {
    fn check(&self) -> Result<()> {
        let prometheus = Fake::start(mesh::prometheus)?;
        let url = prometheus.url();
        let run = |command: &[&str]| {
            let sources = self
                .kubeconfig
                .iter()
                .map(String::as_str)
                .chain(["--prometheus", &url]);
            self.ctl
                .run(&sources.chain(command.iter().copied()).collect::<Vec<_>>())
        };
        let graph = run(&["graph", "-o", "json"])?.exits(self.exit)?;
        is_blamed(&graph, "control-plane", self.states)?;
        is_fine(&graph, "metrics")?;
        shows_traffic(&graph)?;
        run(&["graph"])?.exits(self.exit)?.says("reviews")?;
        run(&["services"])?.exits(self.exit)?.says("reviews")?;
        run(&["check"])?
            .exits(self.exit)?
            .says("control-plane")?
            .says("metrics")?;

        let splits = run(&["split", "get", "-o", "json"])?.exits(self.exit)?;
        assert_eq!(splits.json()?["splits"], serde_json::json!([]));
        run(&["split", "get", "reviews", "-o", "json"])?.exits(self.exit)?;
        let shift = run(&[
            "split",
            "set",
            "VirtualService/reviews.shop",
            "v1=50",
            "v2=50",
            "--yes",
        ])?;
        let shift = shift.exits(self.exit)?;
        let named = shift.stderr.contains("control plane");
        ensure!(shift.stdout.is_empty() && named, "{shift}");
        Ok(())
    }
}

fn with_server(
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    states: &[&str],
    exit: i32,
) -> Result<()> {
    let ctl = Ctl::new()?;
    let server = Fake::start(answer)?;
    let kubeconfig = vec![
        "--kubeconfig".to_owned(),
        mesh::kubeconfig(&ctl, &server.url())?,
    ];
    Case {
        ctl: &ctl,
        kubeconfig,
        states,
        exit,
    }
    .check()?;
    ensure!(server.requests().len() > 2, "the server was asked");
    assert_eq!(
        server.writes(),
        [],
        "nothing is written to a server that fails"
    );
    Ok(())
}

#[test]
fn the_healthy_fakes_are_a_mesh() -> Result<()> {
    let ctl = Ctl::new()?;
    let (server, prometheus) = (
        Fake::start(mesh::kubernetes)?,
        Fake::start(mesh::prometheus)?,
    );
    let (kubeconfig, url) = (mesh::kubeconfig(&ctl, &server.url())?, prometheus.url());
    let run = |command: &str| {
        ctl.line(&format!(
            "--kubeconfig {kubeconfig} --prometheus {url} {command}"
        ))
    };
    let graph = run("graph -o json")?.exits(0)?;
    is_fine(&graph, "control-plane")?;
    is_fine(&graph, "metrics")?;
    shows_traffic(&graph)?;
    let splits = run("split get -o json")?.exits(0)?.json()?;
    let shares: Vec<f64> = splits["splits"][0]["destinations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|destination| destination["observed_ratio"].as_f64())
        .collect();
    assert_eq!(shares, [0.9, 0.1], "{splits}");
    Ok(())
}

#[test]
fn no_kubeconfig() -> Result<()> {
    let ctl = Ctl::new()?;
    let states = ["absent", "failed"];
    Case {
        ctl: &ctl,
        kubeconfig: Vec::new(),
        states: &states,
        exit: 69,
    }
    .check()?;
    let told = ctl.line("check")?.exits(69)?;
    ensure!(told.stdout.contains("kubeconfig"), "{told}");
    // A wish is no fault.
    let prometheus = Fake::start(mesh::prometheus)?;
    let wish = ctl
        .line(&format!(
            "--no-kubernetes --prometheus {} graph -o json",
            prometheus.url()
        ))?
        .exits(0)?;
    assert_eq!(wish.stderr, "");
    assert_eq!(source(&wish.json()?, "control-plane")?["state"], "absent");
    Ok(())
}

/// kubectl goes on without the user that a context names and no file defines; the server decides.
#[test]
fn a_user_that_is_not_defined_is_nobody() -> Result<()> {
    let server = Fake::start(mesh::kubernetes)?;
    let prometheus = Fake::start(mesh::prometheus)?;
    let without_user = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server.url()}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "nobody"}}],
    });
    let ctl = Ctl::new()?;
    let file = ctl.file("no-user", without_user.to_string())?;
    let url = prometheus.url();
    let line = ["--kubeconfig", &file, "--prometheus", &url, "graph"];
    ctl.run(&line)?.exits(0)?.says("reviews")?;
    Ok(())
}

#[test]
fn a_broken_kubeconfig() -> Result<()> {
    let server = Fake::start(mesh::kubernetes)?;
    let broken = [
        ("not-yaml", "clusters: [{".to_owned()),
        ("binary", "\u{0}\u{1}\u{2}".to_owned()),
        ("empty", String::new()),
        (
            "no-context",
            r#"{"apiVersion": "v1", "kind": "Config", "clusters": []}"#.to_owned(),
        ),
    ];
    for (name, content) in broken {
        let ctl = Ctl::new()?;
        let kubeconfig = vec!["--kubeconfig".to_owned(), ctl.file(name, content)?];
        let states = ["absent", "failed"];
        let case = Case {
            ctl: &ctl,
            kubeconfig,
            states: &states,
            exit: 69,
        };
        case.check().with_context(|| name.to_owned())?;
    }
    let ctl = Ctl::new()?;
    let file = mesh::kubeconfig(&ctl, &server.url())?;
    let states = ["absent", "failed"];
    let named = ["--kubeconfig", &file, "--context", "elsewhere"]
        .map(str::to_owned)
        .to_vec();
    Case {
        ctl: &ctl,
        kubeconfig: named,
        states: &states,
        exit: 69,
    }
    .check()?;
    let missing = ["--kubeconfig", "/nowhere/config"]
        .map(str::to_owned)
        .to_vec();
    Case {
        ctl: &ctl,
        kubeconfig: missing,
        states: &states,
        exit: 69,
    }
    .check()?;
    ctl.line("--kubeconfig /nowhere/config split get")?
        .exits(69)?
        .complains("/nowhere/config")?;
    ctl.line(&format!(
        "--kubeconfig {file} --context elsewhere split get"
    ))?
    .exits(69)?
    .complains("elsewhere")?;
    assert_eq!(server.writes(), []);
    Ok(())
}

#[test]
fn an_unreachable_server() -> Result<()> {
    let ctl = Ctl::new()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let server = format!("http://127.0.0.1:{port}");
    let kubeconfig = vec!["--kubeconfig".to_owned(), mesh::kubeconfig(&ctl, &server)?];
    Case {
        ctl: &ctl,
        kubeconfig,
        states: &["failed"],
        exit: 69,
    }
    .check()
}

#[test]
fn a_server_that_says_nothing() -> Result<()> {
    let ctl = Ctl::new()?;
    let (server, prometheus) = (
        Fake::start(|_| Reply::Silence)?,
        Fake::start(mesh::prometheus)?,
    );
    let kubeconfig = mesh::kubeconfig(&ctl, &server.url())?;
    let line = format!(
        "--kubeconfig {kubeconfig} --prometheus {} graph -o json",
        prometheus.url()
    );
    let graph = ctl.line(&line)?.exits(69)?;
    is_blamed(&graph, "control-plane", &["failed"])?;
    shows_traffic(&graph)
}

#[test]
fn an_unknown_user() -> Result<()> {
    let refuse = |_: &Request| mesh::refusal(401, "Unauthorized", "Unauthorized");
    with_server(refuse, &["forbidden"], 77)
}

#[test]
fn a_user_who_may_not() -> Result<()> {
    let refuse = |request: &Request| {
        let what = request.path().rsplit('/').next().unwrap_or_default();
        let message =
            format!("{what} is forbidden: User \"someone\" cannot list resource \"{what}\"");
        mesh::refusal(403, "Forbidden", &message)
    };
    with_server(refuse, &["forbidden"], 77)
}

#[test]
fn a_user_who_may_look_and_not_touch() -> Result<()> {
    let ctl = Ctl::new()?;
    let message = "virtualservices.networking.istio.io \"reviews\" is forbidden: User \"someone\" cannot patch";
    let server = Fake::start(|request| match request.method.as_str() {
        "PATCH" | "PUT" => mesh::refusal(403, "Forbidden", message),
        _ => mesh::kubernetes(request),
    })?;
    let prometheus = Fake::start(mesh::prometheus)?;
    let sources = format!(
        "--kubeconfig {} --prometheus {}",
        mesh::kubeconfig(&ctl, &server.url())?,
        prometheus.url()
    );
    ctl.line(&format!("{sources} split get"))?.exits(0)?;
    let set = format!("{sources} split set VirtualService/reviews.shop v1=50 v2=50 --yes");
    ctl.line(&set)?.exits(77)?.complains(message)?;
    assert_eq!(server.writes(), [], "the dry run was refused already");
    ctl.line(&format!("{sources} split undo --yes"))?
        .exits(1)?
        .complains("nothing to undo")?;
    Ok(())
}

#[test]
fn absent_definitions_are_no_fault() -> Result<()> {
    let as_status = |_: &Request| {
        mesh::refusal(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
    };
    let as_text =
        |_: &Request| Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n");
    for absent in [as_status as fn(&Request) -> Reply, as_text] {
        let ctl = Ctl::new()?;
        let server = Fake::start(move |request| {
            if mesh::of_a_definition(request) {
                absent(request)
            } else {
                mesh::kubernetes(request)
            }
        })?;
        let prometheus = Fake::start(mesh::prometheus)?;
        let sources = format!(
            "--kubeconfig {} --prometheus {}",
            mesh::kubeconfig(&ctl, &server.url())?,
            prometheus.url()
        );
        let graph = ctl.line(&format!("{sources} graph -o json"))?.exits(0)?;
        is_fine(&graph, "control-plane")?;
        shows_traffic(&graph)?;
        assert_eq!(graph.stderr, "");
        let splits = ctl
            .line(&format!("{sources} split get -o json"))?
            .exits(0)?;
        assert_eq!(splits.json()?["splits"], serde_json::json!([]));
        ctl.line(&format!(
            "{sources} split set VirtualService/reviews.shop v1=1 --yes"
        ))?
        .exits(1)?;
        assert_eq!(server.writes(), []);
    }
    Ok(())
}

#[test]
fn a_server_that_is_no_kubernetes() -> Result<()> {
    let login = |_: &Request| Reply::text(200, "text/html", "<html><title>Sign in</title></html>");
    with_server(login, &["failed"], 69)?;
    let broken = |_: &Request| Reply::json(500, &serde_json::json!({"oops": true}));
    with_server(broken, &["failed"], 69)?;
    let cut = |_: &Request| Reply::Cut("{\"kind\": \"NamespaceList\", \"items\": [".to_owned());
    with_server(cut, &["failed"], 69)
}

#[test]
fn secrets_are_told_to_nobody() -> Result<()> {
    let ctl = Ctl::new()?.with("RUST_LOG", "trace");
    let server = Fake::start(|_| mesh::refusal(401, "Unauthorized", "Unauthorized"))?;
    let prometheus = Fake::start(|_| Reply::text(401, "text/plain", "no"))?;
    let url = prometheus
        .url()
        .replace("http://", "http://someone:hunter2@");
    let line = format!(
        "--kubeconfig {} --prometheus {url} check",
        mesh::kubeconfig(&ctl, &server.url())?
    );
    let answer = ctl.line(&line)?.exits(77)?;
    for secret in ["secret-token", "hunter2"] {
        ensure!(!answer.stdout.contains(secret), "{secret} is on stdout");
        ensure!(!answer.stderr.contains(secret), "{secret} is on stderr");
    }
    Ok(())
}
