//! The command line on a real mesh: kube-apiserver, istiod with its webhook, Envoys, Prometheus and Jaeger of the test
//! bed, under a load that is counted outside of the mesh.
//!
//! One bed serves all steps, one after the other; each leaves the weights at 90 to 10.
//!
//! It needs the servers: `cargo run -p pilothouse-bed -- build`. Without them it fails and says so.

#[cfg(test)]
mod graph;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod shifts;
#[cfg(test)]
mod stage;

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, Result};

    use crate::stage::Stage;
    use crate::{graph, refusals, shifts};

    type Step = fn(&Stage) -> Result<()>;

    #[test]
    fn an_operator_steers_a_real_mesh() -> Result<()> {
        let stage = Stage::set()?;
        let steps: [(&str, Step); 12] = [
            ("every source is found", graph::every_source_is_found),
            (
                "the graph is the counted calls",
                graph::is_the_counted_calls,
            ),
            (
                "a shift reaches Envoy and Prometheus",
                shifts::reaches_envoy_and_prometheus,
            ),
            ("its traces are found", shifts::is_seen_in_traces),
            ("undo restores", shifts::is_undone),
            (
                "undo keeps what others wrote",
                shifts::undo_keeps_what_others_wrote,
            ),
            (
                "a race is lost without harm",
                shifts::a_race_is_lost_without_harm,
            ),
            (
                "a route that overrides is known",
                shifts::a_route_that_overrides_is_known,
            ),
            (
                "istiod's denial is shown verbatim",
                refusals::of_the_webhook,
            ),
            ("a policy's denial is shown verbatim", refusals::of_a_policy),
            ("rights are the server's", refusals::of_users),
            (
                "a dead API server costs the objects only",
                graph::without_the_api_server,
            ),
        ];
        for (name, step) in steps {
            step(&stage).with_context(|| format!("step: {name}"))?;
        }
        Ok(())
    }
}
