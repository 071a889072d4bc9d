//! The bed is what it claims to be: one start, looked at from all sides, and nothing left after.
//!
//! It needs the servers: `cargo run -p pilothouse-bed -- build`. Without them it fails and says so.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Context, Result, ensure};
    use pilothouse_bed::{Bed, Edge, Options, Sample, User, get};
    use serde_json::{Value, json};

    const REVIEWS: &str =
        "/apis/networking.istio.io/v1/namespaces/bookinfo/virtualservices/reviews";
    const SOON: Duration = Duration::from_secs(30);

    #[test]
    fn a_bed_is_a_mesh_that_tells_the_truth_and_leaves_nothing() -> Result<()> {
        let bed = Bed::start(Options {
            scrape_seconds: 1,
            ..Options::default()
        })?;

        metrics_are_the_counted_calls(&bed)?;
        weights_reach_envoy(&bed)?;
        a_subset_without_endpoints_fails(&bed)?;
        a_mesh_route_overrides_the_virtual_service(&bed)?;
        the_webhook_denies(&bed)?;
        users_may_what_they_may(&bed)?;
        spans_become_traces(&bed)?;
        the_mesh_survives_its_api_server(&bed)?;

        let (pids, work) = (bed.pids(), bed.work_folder().to_owned());
        assert_eq!(pids.len(), 10);
        drop(bed);
        assert_eq!(alive(&pids), Vec::<&str>::new());
        assert!(!work.exists(), "{} is left", work.display());
        dies_with_its_parent()
    }

    /// Prometheus has exactly the calls that the apps counted, from both reporters.
    fn metrics_are_the_counted_calls(bed: &Bed) -> Result<()> {
        bed.wait_until("the first istio_requests_total", SOON, || {
            Ok((!bed.query("istio_requests_total")?.is_empty()).then_some(()))
        })?;
        bed.set_failure_ratio("reviews-v1", 0.3)?;
        bed.wait_until("a call on each edge, and failed ones", SOON, || {
            let calls = bed.calls();
            Ok((calls.edges().len() == 5 && calls.failed().total() > 5).then_some(()))
        })?;
        bed.set_failure_ratio("reviews-v1", 0.0)?;
        same_counts(bed)?;
        bed.set_load(30.0);
        Ok(())
    }

    fn same_counts(bed: &Bed) -> Result<()> {
        bed.pause_load()?;
        let counted = bed.calls().statuses();
        for reporter in ["source", "destination"] {
            let selector = format!("istio_requests_total{{reporter=\"{reporter}\"}}");
            bed.wait_until(&format!("{reporter}: the counted calls"), SOON, || {
                let reported = by_edge(&bed.query(&selector)?)?;
                // Where no workload answered there was nobody to report as destination.
                let expect: BTreeMap<_, _> = counted
                    .iter()
                    .filter(|((edge, _), _)| reporter == "source" || edge.destination.is_some())
                    .map(|(key, n)| (key.clone(), *n))
                    .collect();
                ensure!(
                    reported == expect,
                    "counted {expect:#?}\nreported {reported:#?}"
                );
                Ok(Some(()))
            })?;
        }
        Ok(())
    }

    fn by_edge(samples: &[Sample]) -> Result<BTreeMap<(Edge, u16), u64>> {
        let mut sums = BTreeMap::new();
        for sample in samples {
            let label = |name: &str| {
                sample
                    .labels
                    .get(name)
                    .cloned()
                    .with_context(|| format!("no {name} in {sample:?}"))
            };
            let edge = Edge {
                source: label("source_workload")?,
                service: label("destination_service_name")?,
                destination: Some(label("destination_workload")?).filter(|name| name != "unknown"),
            };
            let key = (edge, label("response_code")?.parse()?);
            *sums.entry(key).or_default() += format!("{}", sample.value).parse::<u64>()?;
        }
        Ok(sums)
    }

    fn weights_reach_envoy(bed: &Bed) -> Result<()> {
        bed.await_weights("productpage-v1", "reviews", &[("v1", 90), ("v2", 10)], SOON)?;
        shift(bed, &json!([route("v1", 50), route("v2", 50)]))?;
        bed.await_weights("productpage-v1", "reviews", &[("v1", 50), ("v2", 50)], SOON)
    }

    fn a_subset_without_endpoints_fails(bed: &Bed) -> Result<()> {
        shift(bed, &json!([route("v3", 100)]))?;
        let flag = "istio_requests_total{response_flags=\"UH\",reporter=\"source\"}";
        let found = bed.wait_until("the flag UH", SOON, || {
            Ok(bed.query(flag)?.into_iter().next())
        })?;
        let label = |name: &str| found.labels.get(name).cloned().unwrap_or_default();
        assert_eq!(label("response_code"), "503");
        assert_eq!(
            label("destination_service"),
            "reviews.bookinfo.svc.cluster.local"
        );
        assert_eq!(label("destination_workload"), "unknown");
        same_counts(bed)?;
        bed.set_load(30.0);
        shift(bed, &json!([route("v1", 90), route("v2", 10)]))?;
        bed.await_weights("productpage-v1", "reviews", &[("v1", 90), ("v2", 10)], SOON)
    }

    fn a_mesh_route_overrides_the_virtual_service(bed: &Bed) -> Result<()> {
        bed.apply_yaml(
            "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: reviews}
spec:
  parentRefs: [{group: '', kind: Service, name: reviews, port: 9080}]
  rules:
  - backendRefs:
    - {name: reviews-v1, port: 9080, weight: 20}
    - {name: reviews-v2, port: 9080, weight: 80}
",
        )?;
        let expect = [("reviews-v1", 20), ("reviews-v2", 80)];
        bed.await_weights("productpage-v1", "reviews", &expect, SOON)?;
        bed.kube()
            .delete("/apis/gateway.networking.k8s.io/v1/namespaces/bookinfo/httproutes/reviews")?;
        bed.await_weights("productpage-v1", "reviews", &[("v1", 90), ("v2", 10)], SOON)
    }

    fn the_webhook_denies(bed: &Bed) -> Result<()> {
        let patch = json!({"spec": {"http": [{"route": [route("v1", -5), route("v2", 105)]}]}});
        let answer = bed.kube().patch(REVIEWS, &patch)?;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.message(),
            "admission webhook \"rev.validation.istio.io\" denied the request: \
             configuration is invalid: weight -5 < 0"
        );
        Ok(())
    }

    fn users_may_what_they_may(bed: &Bed) -> Result<()> {
        let label = json!({"metadata": {"labels": {"touched": "yes"}}});
        let viewer = bed.kube().as_user(User::Viewer);
        assert_eq!(viewer.get(REVIEWS)?["kind"], "VirtualService");
        assert_eq!(viewer.patch(REVIEWS, &label)?.status, 403);
        let stranger = bed.kube().as_user(User::Stranger);
        assert_eq!(stranger.call("GET", REVIEWS, "", &[])?.status, 401);
        for user in [User::Admin, User::Viewer, User::Stranger] {
            assert!(bed.kubeconfig(user).is_file());
        }
        Ok(())
    }

    fn spans_become_traces(bed: &Bed) -> Result<()> {
        let port = bed
            .jaeger_url()
            .rsplit(':')
            .next()
            .context("no port")?
            .parse()?;
        let expect = ["details", "productpage", "ratings", "reviews"];
        bed.wait_until("a whole trace", SOON, || {
            let page = get(port, "/api/traces?service=ratings.bookinfo&limit=20", &[])?;
            let found: Value = serde_json::from_str(&page.body)?;
            let traces = found["data"].as_array().context("no traces")?;
            Ok(traces
                .iter()
                .find(|trace| {
                    let text = trace.to_string();
                    expect
                        .iter()
                        .all(|app| text.contains(&format!("\"{app}.bookinfo\"")))
                        && text.contains("\"istio-ingressgateway.istio-system\"")
                        && text.contains("\"istio.canonical_revision\"")
                })
                .map(|_| ()))
        })
    }

    /// A server that crashed comes back as it was: same address, same certificate, same objects.
    fn the_mesh_survives_its_api_server(bed: &Bed) -> Result<()> {
        bed.kill("kube-apiserver")?;
        assert!(bed.kube().get(REVIEWS).is_err());
        bed.restart("kube-apiserver")?;
        bed.wait_until("the API server again", SOON, || {
            let answer = bed.kube().call("GET", "/readyz", "", &[])?;
            ensure!(answer.status == 200, "HTTP {}", answer.status);
            Ok(Some(()))
        })?;
        shift(bed, &json!([route("v1", 70), route("v2", 30)]))?;
        bed.await_weights("productpage-v1", "reviews", &[("v1", 70), ("v2", 30)], SOON)
    }

    /// A bed whose process is killed, and so can clean nothing up, leaves nothing either.
    fn dies_with_its_parent() -> Result<()> {
        let mut up = Command::new(env!("CARGO_BIN_EXE_bed"))
            .args(["up", "--rps", "5"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let lines = BufReader::new(up.stdout.take().context("no stdout")?).lines();
        let file = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("all of this: ")?.1.to_owned()))
            .context("bed up did not come up")?;
        let bed: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        let pids: Vec<(String, u32)> = bed["pids"]
            .as_object()
            .context("no pids")?
            .iter()
            .filter_map(|(name, pid)| Some((name.clone(), pid.as_u64()?.try_into().ok()?)))
            .collect();
        assert_eq!(alive(&pids).len(), 10);

        up.kill()?;
        up.wait()?;
        let gone = || alive(&pids).is_empty() && !Path::new(&file).exists();
        for _ in 0..200 {
            if gone() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("left after 10 s: {:?}, {file}", alive(&pids));
    }

    fn route(subset: &str, weight: i32) -> Value {
        json!({"destination": {"host": "reviews", "subset": subset}, "weight": weight})
    }

    fn shift(bed: &Bed, routes: &Value) -> Result<()> {
        let patch = json!([{"op": "replace", "path": "/spec/http/0/route", "value": routes}]);
        bed.kube().patch(REVIEWS, &patch)?.ok()?;
        Ok(())
    }

    fn alive(pids: &[(String, u32)]) -> Vec<&str> {
        let alive = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
        pids.iter()
            .filter(|(_, pid)| alive(*pid))
            .map(|(name, _)| name.as_str())
            .collect()
    }
}
