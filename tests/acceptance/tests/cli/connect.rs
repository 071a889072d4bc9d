//! Without a word about metrics: they are looked for in the cluster and asked through its API server.

use anyhow::{Result, ensure};
use pilothouse_acceptance::{Ctl, Fake, Reply, Request, mesh};
use serde_json::{Value, json};

/// Where the API server's proxy reaches the Prometheus of [`with_prometheus`].
const PROXY: &str = "/api/v1/namespaces/monitoring/services/prometheus-k8s:9090/proxy";

/// The API server of the tiny mesh, in which a Prometheus runs.
fn with_prometheus(request: &Request) -> Reply {
    if let Some(target) = request.target.strip_prefix(PROXY) {
        return mesh::prometheus(&Request {
            target: target.to_owned(),
            ..request.clone()
        });
    }
    let reply = mesh::kubernetes(request);
    let Reply::Whole {
        status: 200, body, ..
    } = &reply
    else {
        return reply;
    };
    let is_list = request.method == "GET" && request.path() == "/api/v1/services";
    match serde_json::from_slice::<Value>(body) {
        Ok(mut list) if is_list => {
            if let Some(items) = list["items"].as_array_mut() {
                items.push(json!({
                    "apiVersion": "v1", "kind": "Service",
                    "metadata": {
                        "name": "prometheus-k8s", "namespace": "monitoring", "uid": "p", "resourceVersion": "7",
                        "labels": {"app.kubernetes.io/name": "prometheus"},
                        "creationTimestamp": "2026-03-02T09:14:00Z",
                    },
                    "spec": {"selector": {"app": "prometheus"}, "ports": [{"name": "web", "port": 9090}]},
                }));
            }
            Reply::json(200, &list)
        }
        _ => reply,
    }
}

fn started() -> Result<(Ctl, Fake, String)> {
    let ctl = Ctl::new()?;
    let server = Fake::start(with_prometheus)?;
    let kubeconfig = mesh::kubeconfig(&ctl, &server.url())?;
    Ok((ctl, server, kubeconfig))
}

#[test]
fn a_graph_finds_its_metrics_behind_the_api_server() -> Result<()> {
    let (ctl, server, kubeconfig) = started()?;
    let graph = ctl.line(&format!("--kubeconfig {kubeconfig} graph -o json"))?;
    let graph = graph.exits(0)?.json()?;
    let edges = graph["edges"].as_array().map_or(0, Vec::len);
    ensure!(edges > 0, "{graph}");
    ensure!(
        server
            .requests()
            .iter()
            .any(|asked| asked.path().starts_with(PROXY)),
        "the numbers came through the API server"
    );
    let writes = server.writes();
    let own: Vec<_> = writes
        .iter()
        .filter(|asked| !asked.path().starts_with(PROXY))
        .collect();
    ensure!(own.is_empty(), "nothing is written: {own:?}");
    Ok(())
}

#[test]
fn check_prints_the_checklist_of_the_window() -> Result<()> {
    let (ctl, _server, kubeconfig) = started()?;
    let check = ctl.line(&format!("--kubeconfig {kubeconfig} check"))?;
    let check = check.exits(0)?.says("API server")?.says("v1.36.2")?;
    check.says("monitoring/prometheus-k8s:9090")?;
    let json = ctl.line(&format!("--kubeconfig {kubeconfig} check -o json"))?;
    let json = json.exits(0)?.json()?;
    assert_eq!(json["checks"][0]["state"], "done");
    let lines = json["checks"][0]["lines"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let metrics = lines.iter().find(|line| line["id"] == "metrics");
    let metrics = metrics.cloned().unwrap_or_default();
    assert_eq!(metrics["candidates"][0]["chosen"], true, "{metrics}");
    let found = json["sources"].as_array().cloned().unwrap_or_default();
    let found = found.iter().find(|source| source["name"] == "metrics");
    let found = found.cloned().unwrap_or_default();
    ensure!(
        found["found"].is_string(),
        "it says how it was found: {found}"
    );
    Ok(())
}

#[test]
fn metrics_by_address_are_asked_with_a_token_and_headers_and_none_is_shown() -> Result<()> {
    let prometheus = Fake::start(|request: &Request| {
        let signed = request.header("authorization") == Some("Bearer canary-7f3a")
            && request.header("x-scope-orgid") == Some("shop");
        if signed {
            mesh::prometheus(request)
        } else {
            Reply::text(401, "text/plain", "no org id")
        }
    })?;
    let ctl = Ctl::new()?.with("RUST_LOG", "trace");
    let token = ctl.file("token", "canary-7f3a\n")?;
    let named = format!(
        "--no-kubernetes --prometheus {} --prometheus-header X-Scope-OrgID=shop",
        prometheus.url()
    );
    let by_file = ctl.line(&format!(
        "{named} --prometheus-token-file {token} graph -o json"
    ))?;
    let by_file = by_file.exits(0)?;
    ensure!(!by_file.stderr.contains("canary-7f3a"), "{by_file}");
    let without = ctl.line(&format!("{named} graph"))?;
    without.exits(77)?.complains("X-Scope-OrgID")?;
    let ctl = ctl.with("PILOTHOUSE_PROMETHEUS_TOKEN", "canary-7f3a");
    let by_variable = ctl.line(&format!("{named} check"))?;
    ensure!(
        !by_variable.stderr.contains("canary-7f3a") && !by_variable.stdout.contains("canary-7f3a")
    );
    ctl.line(&format!("{named} graph"))?.exits(0)?;
    Ok(())
}

#[test]
fn named_traces_are_asked_at_once_and_stand_in_the_checklist() -> Result<()> {
    let (ctl, server, kubeconfig) = started()?;
    let jaeger = Fake::start(mesh::jaeger)?;
    let named = format!("--kubeconfig {kubeconfig} --traces jaeger={}", jaeger.url());
    ctl.line(&format!("{named} traces find"))?.exits(0)?;
    assert_eq!(server.requests(), [], "nobody looks for what is named");
    let check = ctl
        .line(&format!("{named} check -o json"))?
        .exits(0)?
        .json()?;
    let lines = check["checks"][0]["lines"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let traces = lines.iter().find(|line| line["id"] == "traces");
    let traces = traces.cloned().unwrap_or_default();
    assert_eq!(traces["candidates"][0]["shown"], jaeger.url(), "{traces}");
    assert_eq!(traces["candidates"][0]["chosen"], true, "{traces}");

    let (ctl, server, kubeconfig) = started()?;
    let file = ctl.file("saved.json", r#"{"data":[]}"#)?;
    let named = format!("--kubeconfig {kubeconfig} --traces file={file}");
    ctl.line(&format!("{named} traces find"))?;
    assert_eq!(server.requests(), [], "nobody looks for what is in a file");
    ctl.line(&format!("{named} check"))?.says("saved.json")?;
    Ok(())
}

#[test]
fn thresholds_of_the_settings_judge_the_graph() -> Result<()> {
    let ctl = Ctl::new()?;
    let healths = |ctl: &Ctl| -> Result<Vec<String>> {
        let graph = ctl.line("--demo graph --at 2026-03-02T09:14:00Z -o json")?;
        let graph = graph.exits(0)?.json()?;
        let edges = graph["edges"].as_array().cloned().unwrap_or_default();
        let health = |edge: &Value| edge["health"].as_str().unwrap_or_default().to_owned();
        // Bytes have no latency.
        let requests = edges.iter().filter(|edge| edge["protocol"] != "tcp");
        Ok(requests.map(health).collect())
    };
    ensure!(healths(&ctl)?.iter().any(|health| health == "ok"));
    let folder = ctl.home().join(".config/pilothouse");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(
        folder.join("settings.toml"),
        "[health]\nlatency_failing_ms = 0.01\n",
    )?;
    let strict = healths(&ctl)?;
    ensure!(strict.iter().all(|health| health != "ok"), "{strict:?}");
    Ok(())
}

#[test]
fn a_broken_settings_file_is_named_and_left_alone() -> Result<()> {
    let ctl = Ctl::new()?;
    let folder = ctl.home().join(".config/pilothouse");
    std::fs::create_dir_all(&folder)?;
    let broken = "[health]\nerror_failing = = 3\n";
    std::fs::write(folder.join("settings.toml"), broken)?;
    let graph = ctl.line("--demo graph")?.exits(0)?;
    graph.complains("settings.toml:2")?;
    assert_eq!(
        std::fs::read_to_string(folder.join("settings.toml"))?,
        broken
    );
    Ok(())
}

#[test]
fn settings_are_written_by_the_command_line_and_refused_where_they_make_no_sense() -> Result<()> {
    let ctl = Ctl::new()?;
    ctl.line("settings set refresh.window_s 300")?.exits(0)?;
    let shown = ctl.line("settings show")?.exits(0)?;
    shown.says("settings.toml")?.says("window_s = 300")?;
    let graph = ctl.line("--demo graph -o json")?.exits(0)?.json()?;
    assert_eq!(graph["window_s"], 300.0);
    let secret = ctl.line("settings set context.a.metrics.token canary-7f3a")?;
    let secret = secret.exits(65)?;
    ensure!(!secret.stderr.contains("canary-7f3a"), "{secret}");
    ctl.line("settings set refresh.tick_s often")?
        .exits(65)?
        .complains("tick_s")?;
    ctl.line("settings unset refresh.window_s")?.exits(0)?;
    let shown = ctl.line("settings show -o json")?.exits(0)?.json()?;
    assert_eq!(shown["problems"], json!([]));
    ensure!(!shown["text"].to_string().contains("window_s"), "{shown}");
    ctl.line("settings keys")?
        .exits(0)?
        .says("health.error_failing")?;
    Ok(())
}

#[test]
fn a_flag_or_the_settings_name_metrics_and_nobody_looks_for_others() -> Result<()> {
    let prometheus = Fake::start(mesh::prometheus)?;
    for by_settings in [false, true] {
        let (ctl, server, kubeconfig) = started()?;
        let flag = if by_settings {
            let text = format!(
                "[context.fake]\nmetrics = {{ address = \"{}\" }}\n",
                prometheus.url()
            );
            let folder = ctl.home().join(".config/pilothouse");
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join("settings.toml"), text)?;
            String::new()
        } else {
            format!("--prometheus {}", prometheus.url())
        };
        let graph = ctl.line(&format!("--kubeconfig {kubeconfig} {flag} graph -o json"))?;
        graph.exits(0)?;
        let through = server
            .requests()
            .iter()
            .any(|asked| asked.path().starts_with(PROXY));
        ensure!(!through, "by settings: {by_settings}");
    }
    Ok(())
}
