//! Prometheus.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::{Ctl, Fake, Reply, Request, mesh};
use serde_json::{Value, json};

use crate::view::{is_blamed, is_fine, shows_objects_without_numbers, source};

/// Runs everything that shows numbers against this Prometheus, beside a healthy API server.
fn check(url: &str, states: &[&str], exit: i32) -> Result<Value> {
    let ctl = Ctl::new()?;
    let server = Fake::start(mesh::kubernetes)?;
    let kubeconfig = mesh::kubeconfig(&ctl, &server.url())?;
    let run = |command: &str| {
        ctl.line(&format!(
            "--kubeconfig {kubeconfig} --prometheus {url} {command}"
        ))
    };

    let graph = run("graph --idle-nodes -o json")?.exits(exit)?;
    ensure!(
        graph.took < Duration::from_secs(12),
        "two deadlines of 5 s at most: {graph}"
    );
    is_blamed(&graph, "metrics", states)?;
    is_fine(&graph, "control-plane")?;
    shows_objects_without_numbers(&graph)?;
    let table = run("services")?.exits(exit)?;
    ensure!(
        !table.stdout.contains("0.00") && !table.stdout.contains("0.0 %"),
        "unknown is not 0: {table}"
    );

    let splits = run("split get -o json")?.exits(exit)?.json()?;
    let destinations = splits["splits"][0]["destinations"]
        .as_array()
        .context("the split is declared")?;
    for (destination, weight) in destinations.iter().zip([90, 10]) {
        assert_eq!(destination["weight"], weight);
        for key in [
            "observed_ratio",
            "interval",
            "requests",
            "rate",
            "error_ratio",
        ] {
            ensure!(
                destination[key].is_null(),
                "{key} is unknown: {destination}"
            );
        }
    }
    assert_eq!(splits["splits"][0]["verdict"], "unknown");
    // Blind, but able: what is declared can be planned.
    run("split set VirtualService/reviews.shop v1=50 v2=50 --diff")?
        .exits(1)?
        .says("weight: 50")?;
    assert_eq!(server.writes(), []);
    Ok(source(&graph.json()?, "metrics")?["error"].clone())
}

fn with_answer(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Result<Value> {
    let prometheus = Fake::start(answer)?;
    let error = check(&prometheus.url(), &["failed"], 69)?;
    ensure!(!prometheus.requests().is_empty(), "Prometheus was asked");
    Ok(error)
}

fn contains(error: &Value, words: &str) -> Result<()> {
    let message = error["message"].as_str().unwrap_or_default();
    ensure!(
        message.contains(words),
        "{words:?} was expected in {message:?}"
    );
    Ok(())
}

#[test]
fn not_there() -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let error = check(&format!("http://127.0.0.1:{port}"), &["failed"], 69)?;
    assert_eq!(error["code"], "unreachable");
    contains(&error, &format!("127.0.0.1:{port}"))
}

#[test]
fn an_address_that_is_none() -> Result<()> {
    let ctl = Ctl::new()?;
    for line in ["--prometheus not-a-url graph", "--prometheus ftp://x graph"] {
        let answer = ctl.line(&format!("--no-kubernetes {line}"))?;
        ensure!([64, 69].contains(&answer.exit), "{answer}");
        ensure!(
            answer.stderr.contains("http"),
            "what an address looks like: {answer}"
        );
    }
    Ok(())
}

#[test]
fn none_was_named() -> Result<()> {
    let ctl = Ctl::new()?;
    let server = Fake::start(mesh::kubernetes)?;
    let kubeconfig = mesh::kubeconfig(&ctl, &server.url())?;
    let graph = ctl
        .line(&format!(
            "--kubeconfig {kubeconfig} graph --idle-nodes -o json"
        ))?
        .exits(69)?;
    is_blamed(&graph, "metrics", &["absent"])?;
    graph.complains("--prometheus")?;
    Ok(())
}

#[test]
fn too_slow() -> Result<()> {
    let error = with_answer(|_| Reply::Silence)?;
    assert_eq!(error["code"], "timed_out");
    contains(&error, "5 s")
}

#[test]
fn a_body_without_end() -> Result<()> {
    let error = with_answer(|_| Reply::Endless)?;
    let code = error["code"].as_str().unwrap_or_default();
    ensure!(["too_large", "timed_out"].contains(&code), "{error}");
    Ok(())
}

#[test]
fn a_login_page() -> Result<()> {
    let page = "<!doctype html><html><title>Sign in</title><form action=\"/login\"></form></html>";
    let error = with_answer(move |_| Reply::text(200, "text/html; charset=utf-8", page))?;
    assert_eq!(error["code"], "bad_answer");
    contains(&error, "HTML")
}

#[test]
fn an_error_in_its_own_words() -> Result<()> {
    let words = "query processing would load too many samples into memory in query execution";
    for status in [200, 422, 503] {
        let body = json!({"status": "error", "errorType": "execution", "error": words});
        let error = with_answer(move |_| Reply::json(status, &body))?;
        contains(&error, words).with_context(|| format!("HTTP {status}"))?;
    }
    Ok(())
}

#[test]
fn refusals() -> Result<()> {
    for status in [401, 403] {
        let prometheus = Fake::start(move |_| Reply::text(status, "text/plain", "no entry"))?;
        let error = check(&prometheus.url(), &["forbidden"], 77)?;
        contains(&error, &status.to_string())?;
    }
    let error = with_answer(|_| Reply::text(502, "text/html", "<html>Bad Gateway</html>"))?;
    contains(&error, "502")?;
    let error = with_answer(|_| Reply::text(404, "text/plain", "404 page not found"))?;
    contains(&error, "404")
}

#[test]
fn json_cut_off() -> Result<()> {
    let cut =
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"source_wor"#;
    with_answer(move |_| Reply::Cut(cut.to_owned()))?;
    // The whole body came, and it is half a document.
    let error = with_answer(move |_| Reply::text(200, "application/json", cut))?;
    assert_eq!(error["code"], "bad_answer");
    Ok(())
}

#[test]
fn a_matrix_for_a_vector() -> Result<()> {
    let answer = |result: Value, kind: &'static str| {
        with_answer(move |_| {
            let data = json!({"resultType": kind, "result": result});
            Reply::json(200, &json!({"status": "success", "data": data}))
        })
    };
    let series = json!([{"metric": mesh::labels("v1"), "values": [[1, "1"], [2, "2"]]}]);
    let error = answer(series, "matrix")?;
    assert_eq!(error["code"], "bad_answer");
    contains(&error, "matrix")?;
    assert_eq!(answer(json!([1, "5"]), "scalar")?["code"], "bad_answer");
    assert_eq!(
        answer(json!({"surprise": true}), "vector")?["code"],
        "bad_answer"
    );
    assert_eq!(
        answer(json!([{"metric": {}, "value": [1, "many"]}]), "vector")?["code"],
        "bad_answer"
    );
    Ok(())
}

/// A graph of a Prometheus whose rows are these, beside a healthy API server.
fn graph_of(rows: impl Fn(&str) -> Vec<Value> + Send + Sync + 'static) -> Result<Value> {
    let ctl = Ctl::new()?;
    let server = Fake::start(mesh::kubernetes)?;
    let prometheus = Fake::start(move |request| mesh::prometheus_with(request, &rows))?;
    let kubeconfig = mesh::kubeconfig(&ctl, &server.url())?;
    let sources = format!(
        "--kubeconfig {kubeconfig} --prometheus {}",
        prometheus.url()
    );
    ctl.line(&format!("{sources} graph"))?.exits(0)?;
    ctl.line(&format!("{sources} split get"))?.exits(0)?;
    let line = format!("{sources} graph --type workload --latency avg,p95 -o json");
    let answer = ctl.line(&line)?.exits(0)?;
    is_fine(&answer, "metrics")?;
    assert_eq!(server.writes(), []);
    answer.json()
}

fn edge_to<'a>(view: &'a Value, workload: &str) -> Option<&'a Value> {
    let edges = view["edges"].as_array()?;
    edges.iter().find(|edge| {
        edge["target"]
            .as_str()
            .is_some_and(|id| id.contains(workload))
    })
}

#[test]
fn not_a_number_is_unknown() -> Result<()> {
    // A quantile over no request, as Prometheus answers it.
    let view = graph_of(|query| {
        let mut rows = mesh::rows(query);
        if query.contains("milliseconds") {
            rows.iter_mut()
                .for_each(|row| row["value"][1] = json!("NaN"));
        }
        rows
    })?;
    let edge = edge_to(&view, "reviews-v1").context("the edge has requests")?;
    assert_eq!(edge["rate"], 9.0);
    for statistic in ["avg", "p95"] {
        ensure!(
            edge["latency_ms"][statistic].is_null(),
            "{statistic} is unknown: {edge}"
        );
    }

    let view = graph_of(|query| {
        let mut rows = mesh::rows(query);
        if let Some(row) = rows.last_mut() {
            row["value"][1] = json!("NaN");
        }
        rows
    })?;
    assert_eq!(
        edge_to(&view, "reviews-v1").context("the other edge stays")?["rate"],
        9.0
    );
    if let Some(edge) = edge_to(&view, "reviews-v2") {
        ensure!(edge["rate"].is_null(), "unknown, not 0: {edge}");
    }
    Ok(())
}

#[test]
fn beyond_the_last_bucket_is_said_so() -> Result<()> {
    let view = graph_of(|query| {
        let mut rows = mesh::rows(query);
        if query.contains("histogram_quantile") {
            rows.iter_mut()
                .for_each(|row| row["value"][1] = json!("+Inf"));
        }
        rows
    })?;
    let latency = &edge_to(&view, "reviews-v1").context("no edge")?["latency_ms"];
    ensure!(latency["p95"].is_null(), "{latency}");
    assert_eq!(latency["beyond"], json!(["p95"]));
    assert_eq!(latency["avg"], 20.0);
    Ok(())
}

#[test]
fn a_row_without_a_label_is_left_out_alone() -> Result<()> {
    for label in [
        "destination_service_name",
        "destination_workload",
        "source_workload_namespace",
        "response_code",
    ] {
        let view = graph_of(move |query| {
            let mut rows = mesh::rows(query);
            if let Some(row) = rows.last_mut()
                && let Some(labels) = row["metric"].as_object_mut()
            {
                labels.remove(label);
            }
            rows
        })?;
        let edge = edge_to(&view, "reviews-v1")
            .with_context(|| format!("without {label} the other edge is gone"))?;
        assert_eq!(edge["rate"], 9.0, "without {label}");
    }
    Ok(())
}

#[test]
fn a_mesh_without_traffic_is_not_a_fault() -> Result<()> {
    let view = graph_of(|_| Vec::new())?;
    assert_eq!(view["edges"], json!([]));
    Ok(())
}

#[test]
fn one_failed_query_costs_its_numbers_only() -> Result<()> {
    let ctl = Ctl::new()?;
    let server = Fake::start(mesh::kubernetes)?;
    let prometheus = Fake::start(|request| {
        let query = request.parameter("query").unwrap_or_default();
        if query.contains("milliseconds_bucket") {
            let body =
                json!({"status": "error", "errorType": "timeout", "error": "query timed out"});
            return Reply::json(503, &body);
        }
        mesh::prometheus(request)
    })?;
    let kubeconfig = mesh::kubeconfig(&ctl, &server.url())?;
    let sources = format!(
        "--kubeconfig {kubeconfig} --prometheus {}",
        prometheus.url()
    );
    let answer = ctl.line(&format!(
        "{sources} graph --type workload --latency avg,p95 -o json"
    ))?;
    let view = answer.json()?;
    let edge = edge_to(&view, "reviews-v1").context("no edge")?;
    assert_eq!(edge["rate"], 9.0);
    assert_eq!(edge["latency_ms"]["avg"], 20.0);
    ensure!(edge["latency_ms"]["p95"].is_null(), "{edge}");
    answer.complains("query timed out")?;
    Ok(())
}
