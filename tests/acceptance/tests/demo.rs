//! The demo mesh through a real Prometheus: what it exports, scraped and queried, is what it answers itself.
//!
//! So the `PromQL` that we write, the rules by which rows become a graph and the demo's own arithmetic agree.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::process::Command;
    use std::time::Duration;

    use anyhow::{Context as _, Result, ensure};
    use pilothouse_acceptance::{Ctl, Daemon, free_port, now_ms, wait_until};
    use pilothouse_bed::get;
    use serde_json::{Value, json};

    const WINDOW_S: i64 = 30;

    #[test]
    fn prometheus_and_the_demo_mesh_say_the_same() -> Result<()> {
        let ctl = Ctl::new()?;
        let demo = Daemon::start(&ctl.command(&["demo", "--metrics-listen", "127.0.0.1:0"]))?;
        let printed = demo.line()?;
        let target = printed
            .strip_prefix("http://")
            .and_then(|rest| rest.strip_suffix("/metrics"));
        let target = target.with_context(|| format!("no address in {printed:?}"))?;
        exposition_is_sound(target)?;

        let port = free_port()?;
        let _prometheus = start_prometheus(&ctl, port, target)?;
        let url = format!("http://127.0.0.1:{port}");
        let at = await_full_window(port)?;

        for kind in ["workload", "app", "versioned-app", "service"] {
            let ask = |source: &str, seconds_later: i64| -> Result<Value> {
                let at = at + jiff::SignedDuration::from_secs(seconds_later);
                let line = format!(
                    "{source} graph --type {kind} --window {WINDOW_S}s --at {at} --latency avg,p95 -o json"
                );
                ctl.line(&line)?.exits(0)?.json()
            };
            let told = ask("--demo", 0)?;
            let near = [ask("--demo", -1)?, ask("--demo", 1)?];
            let scraped = ask(&format!("--no-kubernetes --prometheus {url}"), 0)?;
            same_nodes(&told, &scraped).with_context(|| kind.to_owned())?;
            same_edges(&told, &near, &scraped).with_context(|| kind.to_owned())?;
        }
        ctl.line(&format!("--no-kubernetes --prometheus {url} check"))?
            .says("Prometheus")?
            .says("2.")?;
        Ok(())
    }

    fn start_prometheus(ctl: &Ctl, port: u16, target: &str) -> Result<Daemon> {
        let scrape = json!({"job_name": "demo", "static_configs": [{"targets": [target]}]});
        let config = json!({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]});
        let file = ctl.file("prometheus.yml", config.to_string())?;
        let mut command = Command::new(prometheus()?);
        command
            .arg(format!("--config.file={file}"))
            .arg(format!(
                "--storage.tsdb.path={}",
                ctl.home().join("tsdb").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn")
            .env("PATH", "/usr/bin:/bin")
            .current_dir(ctl.home());
        Daemon::start(&command)
    }

    fn prometheus() -> Result<PathBuf> {
        let path = std::env::var_os("PATH").context("there is no PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join("prometheus"))
            .find(|program| program.is_file())
            .context("Prometheus is missing: install Debian's package `prometheus`")
    }

    /// Waits until every second of the window has been scraped; answers its end.
    fn await_full_window(port: u16) -> Result<jiff::Timestamp> {
        let expression = format!("min(count_over_time(istio_requests_total[{WINDOW_S}s]))");
        let deadline = Duration::from_secs(60);
        wait_until("a full window of scrapes", deadline, || {
            let second = now_ms() / 1_000 - 1;
            let query = expression.replace('[', "%5B").replace(']', "%5D");
            let page = get(
                port,
                &format!("/api/v1/query?time={second}&query={query}"),
                &[],
            )?;
            let answer: Value = serde_json::from_str(&page.body)?;
            let count = answer["data"]["result"][0]["value"][1]
                .as_str()
                .unwrap_or("0")
                .to_owned();
            ensure!(count.parse::<i64>()? >= WINDOW_S - 1, "{count} scrapes");
            Ok(Some(jiff::Timestamp::from_second(second)?))
        })
    }

    /// What any scraper asks of a text exposition: a type per family, counters that do not fall.
    fn exposition_is_sound(target: &str) -> Result<()> {
        let port = target.rsplit(':').next().context("no port")?.parse()?;
        let read = || -> Result<BTreeMap<String, f64>> {
            let page = get(port, "/metrics", &[])?;
            ensure!(page.status == 200, "HTTP {}", page.status);
            for family in ["istio_requests_total", "istio_tcp_sent_bytes_total"] {
                ensure!(
                    page.body.contains(&format!("# TYPE {family} counter")),
                    "{family} has no type"
                );
            }
            let samples = page
                .body
                .lines()
                .filter(|line| !line.starts_with('#') && !line.is_empty());
            samples
                .map(|line| {
                    let (series, value) = line.rsplit_once(' ').with_context(|| line.to_owned())?;
                    Ok((series.to_owned(), value.parse()?))
                })
                .collect()
        };
        let (first, second) = (read()?, read()?);
        ensure!(first.len() > 100, "only {} series", first.len());
        for (series, value) in &first {
            let later = second
                .get(series)
                .with_context(|| format!("{series} is gone"))?;
            ensure!(later >= value, "{series} fell from {value} to {later}");
        }
        assert_eq!(get(port, "/elsewhere", &[])?.status, 404);
        Ok(())
    }

    /// Nodes by id, but for those that nobody called and who called nobody.
    fn served(view: &Value) -> Result<BTreeMap<&str, &Value>> {
        let nodes = view["nodes"].as_array().context("no nodes")?;
        let busy = nodes.iter().filter(|node| {
            let traffic = |side: &str| node[side].as_object().is_some_and(|by| !by.is_empty());
            traffic("in") || traffic("out")
        });
        busy.map(|node| Ok((node["id"].as_str().context("no id")?, node)))
            .collect()
    }

    fn same_nodes(told: &Value, scraped: &Value) -> Result<()> {
        let (told, scraped) = (served(told)?, served(scraped)?);
        assert_eq!(
            told.keys().collect::<Vec<_>>(),
            scraped.keys().collect::<Vec<_>>()
        );
        ensure!(told.len() > 10, "only {} nodes", told.len());
        for (id, node) in &told {
            let other = scraped[id];
            for key in [
                "type",
                "cluster",
                "namespace",
                "workload",
                "app",
                "version",
                "service",
                "label",
            ] {
                assert_eq!(node[key], other[key], "{key} of {id}");
            }
            for side in ["in", "out"] {
                let protocols = |node: &Value| -> Vec<String> {
                    node[side]
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(name, _)| name.clone())
                        .collect()
                };
                assert_eq!(protocols(node), protocols(other), "{side} of {id}");
            }
            close(&node["rate"], &other["rate"], Tolerance::RATE)
                .with_context(|| format!("rate of {id}"))?;
        }
        Ok(())
    }

    /// `near` is what the demo tells a second earlier and later: where its rhythm changes inside the window, that is how
    /// much a scrape that is a second off may differ.
    fn same_edges(told: &Value, near: &[Value], scraped: &Value) -> Result<()> {
        let by_id = |view: &Value| -> Result<BTreeMap<String, Value>> {
            let edges = view["edges"].as_array().context("no edges")?;
            edges
                .iter()
                .map(|edge| {
                    Ok((
                        edge["id"].as_str().context("no id")?.to_owned(),
                        edge.clone(),
                    ))
                })
                .collect()
        };
        let (told, scraped) = (by_id(told)?, by_id(scraped)?);
        let near = near.iter().map(by_id).collect::<Result<Vec<_>>>()?;
        assert_eq!(
            told.keys().collect::<Vec<_>>(),
            scraped.keys().collect::<Vec<_>>()
        );
        for (id, edge) in &told {
            let other = &scraped[id];
            for key in ["source", "target", "protocol"] {
                assert_eq!(edge[key], other[key], "{key} of {id}");
            }
            let rate = if edge["protocol"] == "tcp" {
                Tolerance::BYTES
            } else {
                Tolerance::RATE
            };
            for (pointer, tolerance) in [
                ("/rate", rate),
                ("/error_ratio", Tolerance::RATIO),
                ("/share_of_source", Tolerance::RATIO),
                ("/mtls_ratio", Tolerance::RATIO),
                ("/latency_ms/avg", Tolerance::LATENCY),
                ("/latency_ms/p95", Tolerance::LATENCY),
            ] {
                let value = |edge: &Value| edge.pointer(pointer).cloned().unwrap_or_default();
                let moved = near.iter().filter_map(|view| view.get(id)).map(value);
                let (here, there) = (value(edge), value(other));
                close(&here, &there, tolerance.widened(&here, moved))
                    .with_context(|| format!("{pointer} of {id}"))?;
            }
        }
        Ok(())
    }

    /// How far two counts of the same traffic may differ: a scrape is up to a second off the window's ends, and
    /// Prometheus extrapolates over that second.
    #[derive(Clone, Copy)]
    struct Tolerance {
        relative: f64,
        absolute: f64,
    }

    impl Tolerance {
        const RATE: Self = Self {
            relative: 0.05,
            absolute: 0.3,
        };
        const BYTES: Self = Self {
            relative: 0.05,
            absolute: 500.0,
        };
        const RATIO: Self = Self {
            relative: 0.05,
            absolute: 0.02,
        };
        const LATENCY: Self = Self {
            relative: 0.05,
            absolute: 5.0,
        };
    }

    impl Tolerance {
        /// As wide as the value itself moves within a second, if that is more.
        fn widened(self, value: &Value, moved: impl Iterator<Item = Value>) -> Self {
            let distance = |other: Value| Some((other.as_f64()? - value.as_f64()?).abs());
            let furthest = moved.filter_map(distance).fold(0.0, f64::max);
            Self {
                absolute: self
                    .absolute
                    .max(furthest + self.relative * value.as_f64().unwrap_or(0.0).abs()),
                ..self
            }
        }
    }

    /// Both unknown, or both known and near each other.
    fn close(a: &Value, b: &Value, tolerance: Tolerance) -> Result<()> {
        let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else {
            ensure!(a == b, "{a} is not {b}");
            return Ok(());
        };
        let allowed = tolerance.absolute.max(tolerance.relative * a.abs());
        ensure!(
            (a - b).abs() <= allowed,
            "the demo says {a}, Prometheus {b}: more than {allowed} apart"
        );
        Ok(())
    }
}
