//! Four metric servers that were told the same say the same.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use anyhow::{Context, Result, ensure};
    use pilothouse_bed::{
        Cover, DataSet, Front, MetricServer, PrometheusVersion, Rules, Servers, get,
    };
    use serde_json::Value;

    const SOON: Duration = Duration::from_secs(30);

    /// What the product asks for, as far as its answer must not depend on the server.
    const QUESTIONS: [&str; 3] = [
        "sum by (destination_service_name, reporter) (rate(istio_requests_total[1m]))",
        "sum by (source_workload, destination_workload, response_code, response_flags) \
         (rate(istio_requests_total{reporter=\"source\"}[1m]))",
        "histogram_quantile(0.95, sum by (le, destination_service_name) \
         (rate(istio_request_duration_milliseconds_bucket{reporter=\"destination\"}[5m])))",
    ];

    #[test]
    fn four_servers_give_the_same_answers() -> Result<()> {
        let servers = Servers::new()?;
        let two = servers.prometheus("prometheus-2", PrometheusVersion::Two, &[])?;
        let three = servers.prometheus("prometheus-3", PrometheusVersion::Three, &[])?;
        let victoria = servers.victoria_metrics("victoria-metrics")?;
        // Two Prometheus with half the truth each, below one Thanos.
        let halves = [("callers", "source"), ("called", "destination")].map(
            |(name, reporter)| -> Result<_> {
                let labels = [("prometheus", name)];
                let half = servers.prometheus(name, PrometheusVersion::Three, &labels)?;
                Ok((half, reporter))
            },
        );
        let [callers, called] = halves;
        let ((callers, source), (called, destination)) = (callers?, called?);

        let data = DataSet::new("east");
        let now = now()?;
        let all = data.between(0, now);
        for server in [&two, &three, &victoria] {
            server.write(&all)?;
        }
        callers.write(&data.clone().only(source).between(0, now))?;
        called.write(&data.only(destination).between(0, now))?;
        let thanos = servers.thanos("thanos", &[&callers, &called])?;

        let at = now - 60;
        for question in QUESTIONS {
            let expect = answer(&two, question, at)?;
            assert!(expect.len() >= 4, "{question}: {expect:?}");
            for server in [&three, &victoria, &thanos] {
                // VictoriaMetrics shows what it was told a second later.
                servers.wait_until(&format!("{}: {question}", server.name()), SOON, || {
                    let got = answer(server, question, at)?;
                    ensure!(same(&got, &expect), "{got:#?}\nexpected {expect:#?}");
                    Ok(Some(()))
                })?;
            }
        }
        rates_are_the_true_ones(&two, at)?;
        each_says_what_it_is(&two, &three, &victoria)?;
        a_front_lets_through_who_has_the_header(&two)
    }

    fn a_front_lets_through_who_has_the_header(server: &MetricServer) -> Result<()> {
        let rules = Rules {
            prefix: "/prometheus".to_owned(),
            need: Some(("x-scope-orgid".to_owned(), "shop".to_owned())),
            page: false,
        };
        let front = Front::start(server.port(), Cover::Plain, rules.clone())?;
        let ask = |path: &str, headers: &[(&str, &str)]| {
            let answer = get(front.port(), path, headers)?;
            anyhow::Ok((answer.status, answer.body))
        };
        let path = "/prometheus/-/ready";
        let tenant = [("X-Scope-OrgID", "shop")];
        assert_eq!(ask(path, &[])?, (401, "no org id\n".to_owned()));
        assert_eq!(ask("/-/ready", &tenant)?.0, 404);
        assert_eq!(ask(path, &tenant)?.0, 200);
        front.set(Rules {
            page: true,
            ..rules
        });
        assert!(ask(path, &tenant)?.1.starts_with("<!doctype html>"));
        Ok(())
    }

    fn rates_are_the_true_ones(server: &MetricServer, at: u64) -> Result<()> {
        let question = "sum(rate(istio_requests_total{reporter=\"source\",\
                        destination_service_name=\"reviews\"}[1m]))";
        let answer = server.query(question, Some(at))?;
        let value = answer.first().context("no rate")?.value;
        assert!(
            (value - DataSet::rate_to("reviews")).abs() < 1e-6,
            "{value}"
        );
        Ok(())
    }

    fn each_says_what_it_is(
        two: &MetricServer,
        three: &MetricServer,
        victoria: &MetricServer,
    ) -> Result<()> {
        let version = |server: &MetricServer| -> Result<Value> {
            let response = get(server.port(), "/api/v1/status/buildinfo", &[])?;
            let body: Value = serde_json::from_str(&response.body)?;
            Ok(body.pointer("/data/version").cloned().unwrap_or_default())
        };
        assert_eq!(version(three)?, "3.16.0");
        assert!(
            version(two)?
                .as_str()
                .is_some_and(|text| text.starts_with("2."))
        );
        // VictoriaMetrics has no version to say.
        assert!(version(victoria)?.as_str().unwrap_or_default().is_empty());
        Ok(())
    }

    type Answer = BTreeMap<BTreeMap<String, String>, f64>;

    fn answer(server: &MetricServer, question: &str, at: u64) -> Result<Answer> {
        let samples = server.query(question, Some(at))?;
        Ok(samples
            .into_iter()
            .map(|sample| (sample.labels, sample.value))
            .collect())
    }

    fn same(left: &Answer, right: &Answer) -> bool {
        left.len() == right.len()
            && left
                .iter()
                .zip(right)
                .all(|((key, value), (other_key, other))| {
                    key == other_key && (value - other).abs() <= 1e-6 * other.abs().max(1.0)
                })
    }

    #[expect(clippy::disallowed_methods, reason = "the servers have real clocks")]
    fn now() -> Result<u64> {
        Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
    }
}
