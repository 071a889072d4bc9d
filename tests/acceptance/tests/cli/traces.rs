//! `traces find` and `traces show`.

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::Ctl;
use serde_json::Value;

fn find(ctl: &Ctl, filters: &str) -> Result<Vec<Value>> {
    let view = ctl
        .line(&format!("--demo traces find {filters} -o json"))?
        .exits(0)?
        .json()?;
    ensure!(
        view["sources"].is_array() && view["partial"].is_boolean(),
        "{view}"
    );
    view["traces"].as_array().cloned().context("no traces")
}

fn show(ctl: &Ctl, id: &str) -> Result<Value> {
    ctl.line(&format!("--demo traces show {id} -o json"))?
        .exits(0)?
        .json()
}

fn id_of(row: &Value) -> Result<&str> {
    row["trace_id"].as_str().context("no trace_id")
}

fn spans(trace: &Value) -> Result<&Vec<Value>> {
    trace["spans"].as_array().context("no spans")
}

/// A trace with several spans, as the list shows it.
fn some_trace(ctl: &Ctl) -> Result<Value> {
    let found = find(ctl, "--limit 50")?;
    let rich = found.into_iter().max_by_key(|row| row["spans"].as_u64());
    rich.filter(|row| row["spans"].as_u64() > Some(3))
        .context("the shop has no trace of several spans")
}

#[test]
fn found_traces_satisfy_every_filter() -> Result<()> {
    let ctl = Ctl::new()?;
    let all = find(&ctl, "--limit 100")?;
    ensure!(all.len() > 20, "{} traces in an hour", all.len());
    ensure!(
        all.is_sorted_by_key(|row| std::cmp::Reverse(row["start_ms"].as_f64().map(f64::to_bits))),
        "newest first"
    );
    assert_eq!(find(&ctl, "--limit 3")?.len(), 3);
    ensure!(find(&ctl, "")?.len() <= 20, "20 is the default limit");

    let duration = |row: &Value| row["duration_ns"].as_u64();
    let number = |row: &Value, key: &str| row[key].as_u64();
    let erring = find(&ctl, "--error")?;
    ensure!(
        !erring.is_empty() && erring.iter().all(|row| number(row, "errors") > Some(0)),
        "{erring:?}"
    );
    let slow = find(&ctl, "--min-duration 100ms")?;
    ensure!(
        !slow.is_empty() && slow.iter().all(|row| duration(row) >= Some(100_000_000)),
        "{slow:?}"
    );
    let fast = find(&ctl, "--max-duration 50ms")?;
    ensure!(
        !fast.is_empty() && fast.iter().all(|row| duration(row) <= Some(50_000_000)),
        "{fast:?}"
    );
    let both = find(&ctl, "--min-duration 20ms --max-duration 60ms --limit 5")?;
    ensure!(
        both.len() <= 5 && both.iter().all(|row| duration(row) >= Some(20_000_000)),
        "{both:?}"
    );

    let reviews = |row: &Value| {
        let services = row["services"].as_array().into_iter().flatten();
        services
            .filter_map(|service| service["name"].as_str())
            .any(|name| name.starts_with("reviews"))
    };
    let name = all.iter().filter(|row| reviews(row)).find_map(|row| {
        let services = row["services"]
            .as_array()?
            .iter()
            .filter_map(|service| service["name"].as_str());
        services
            .into_iter()
            .find(|name| name.starts_with("reviews"))
            .map(str::to_owned)
    });
    let name = name.context("no trace went through reviews")?;
    let found = find(&ctl, &format!("--service {name}"))?;
    ensure!(!found.is_empty() && found.iter().all(reviews), "{found:?}");
    assert_eq!(find(&ctl, "--service nobody.nowhere")?.len(), 0);
    ctl.line("--demo traces find --limit 2")?
        .exits(0)?
        .says("TRACE")?
        .says("DURATION")?;
    Ok(())
}

#[test]
fn a_tag_finds_traces_that_carry_it() -> Result<()> {
    let ctl = Ctl::new()?;
    let first = show(&ctl, id_of(&some_trace(&ctl)?)?)?;
    let wanted = [
        "http.status_code",
        "http.response.status_code",
        "istio.canonical_revision",
        "response_flags",
    ];
    let attribute = spans(&first)?.iter().find_map(|span| {
        wanted.iter().find_map(|key| {
            Some((
                (*key).to_owned(),
                span["attributes"][key].as_str()?.to_owned(),
            ))
        })
    });
    let (key, value) =
        attribute.with_context(|| format!("no attribute of {wanted:?} in {first}"))?;
    let found = find(&ctl, &format!("--tag {key}={value} --limit 5"))?;
    ensure!(!found.is_empty(), "no trace carries {key}={value}");
    for row in &found {
        let trace = show(&ctl, id_of(row)?)?;
        let carries = spans(&trace)?
            .iter()
            .any(|span| span["attributes"][&key] == value.as_str());
        ensure!(carries, "{} carries no {key}={value}", trace["trace_id"]);
    }
    assert_eq!(find(&ctl, &format!("--tag {key}=never-seen"))?.len(), 0);
    Ok(())
}

#[test]
fn a_trace_is_the_same_in_the_next_process() -> Result<()> {
    let ctl = Ctl::new()?;
    let row = some_trace(&ctl)?;
    let id = id_of(&row)?;
    let trace = show(&ctl, id)?;
    assert_eq!(trace, show(&ctl, id)?);
    assert_eq!(trace, show(&Ctl::new()?, id)?, "in another home");
    assert_eq!(trace["trace_id"], id);
    assert_eq!(trace["duration_ns"], row["duration_ns"]);
    assert_eq!(trace["errors"], row["errors"]);
    assert_eq!(
        spans(&trace)?.len() as u64,
        row["spans"].as_u64().unwrap_or(0)
    );
    assert_eq!(trace["orphans"], 0);
    ensure!(
        trace["epoch_ns"].as_str().is_some_and(|ns| ns.len() == 19),
        "{}",
        trace["epoch_ns"]
    );

    let tree = ctl
        .line(&format!("--demo traces show {id}"))?
        .exits(0)?
        .says(id)?;
    let root = row["root_service"].as_str().context("no root")?;
    let tree = tree.says(root)?.stdout;
    ensure!(
        tree.lines().count() > spans(&trace)?.len(),
        "a line for each span and a head: {tree}"
    );
    let marked = ctl
        .line(&format!("--demo traces show {id} --critical-path"))?
        .exits(0)?
        .stdout;
    ensure!(marked.contains("* "), "{marked}");
    Ok(())
}

#[test]
fn the_critical_path_is_within_the_trace() -> Result<()> {
    let ctl = Ctl::new()?;
    let trace = show(&ctl, id_of(&some_trace(&ctl)?)?)?;
    let duration = trace["duration_ns"].as_i64().context("no duration")?;
    let sections = trace["critical_path"].as_array().context("no path")?;
    ensure!(!sections.is_empty(), "a trace has a critical path");
    let mut end = 0;
    for section in sections {
        let (from, to) = (section["start_ns"].as_i64(), section["end_ns"].as_i64());
        let (from, to) = (from.context("no start")?, to.context("no end")?);
        ensure!(
            end <= from && from <= to && to <= duration,
            "{section} after {end} in {duration}"
        );
        ensure!(
            spans(&trace)?
                .iter()
                .any(|span| span["span_id"] == section["span_id"]),
            "{section}"
        );
        end = to;
    }
    for span in spans(&trace)? {
        ensure!(
            span["self_ns"].as_u64() <= span["duration_ns"].as_u64(),
            "{span}"
        );
    }
    Ok(())
}

#[test]
fn a_written_file_shows_the_same_spans() -> Result<()> {
    let ctl = Ctl::new()?;
    let row = some_trace(&ctl)?;
    let id = id_of(&row)?;
    let otlp = ctl
        .line(&format!("--demo traces show {id} -o otlp"))?
        .exits(0)?;
    ensure!(otlp.json()?["resourceSpans"].is_array(), "{otlp}");
    let file = ctl.file("trace.json", &otlp.stdout)?;
    let shown = |arguments: &str| -> Result<Value> { ctl.line(arguments)?.exits(0)?.json() };
    let here = shown(&format!("traces show {file} -o json"))?;
    let there = shown(&format!("--demo traces show {id} -o json"))?;
    assert_eq!(here["spans"], there["spans"]);
    assert_eq!(here["trace_id"], there["trace_id"]);
    assert_eq!(here["critical_path"], there["critical_path"]);
    // And once more: what is written from the file is what was written into it.
    let again = ctl
        .line(&format!("traces show {file} -o otlp"))?
        .exits(0)?
        .json()?;
    assert_eq!(again, otlp.json()?);
    // The file may stand for the backend, too.
    let found = shown(&format!(
        "--no-kubernetes --traces file={file} traces find --since 1h -o json"
    ))?;
    assert_eq!(found["traces"][0]["trace_id"], id);
    let all = shown(&format!(
        "--no-kubernetes --traces file={file} traces find --limit 1 -o json"
    ))?;
    assert_eq!(
        all["partial"], false,
        "as many as were asked for, and no more"
    );
    Ok(())
}

#[test]
fn what_is_not_there_is_told_apart() -> Result<()> {
    let ctl = Ctl::new()?;
    ctl.line("--demo traces show 00000000000000000000000000000001")?
        .exits(1)?
        .complains("no trace")?;
    ctl.line("--demo traces show no-such-file.json")?
        .exits(65)?
        .complains("no-such-file.json")?;
    let not_a_trace = ctl.file("other.json", r#"{"kind": "VirtualService"}"#)?;
    ctl.line(&format!("traces show {not_a_trace}"))?
        .exits(65)?
        .complains("other.json")?;
    let cut = ctl.file("cut.json", r#"{"resourceSpans": [{"resource": {"#)?;
    ctl.line(&format!("traces show {cut}"))?
        .exits(65)?
        .complains("cut.json")?;
    let empty = ctl.file("empty.json", "")?;
    ctl.line(&format!("traces show {empty}"))?
        .exits(65)?
        .complains("empty.json")?;
    ctl.line("--demo traces find --tag novalue")?
        .exits(64)?
        .complains("KEY=VALUE")?;
    ctl.line("--demo traces find --min-duration soon")?
        .exits(64)?
        .complains("soon")?;
    Ok(())
}
