//! Two clusters side by side: what each user may do and is told, both in one picture, what becomes of a session when
//! something breaks, and that no secret leaves on the way.

mod canary;
mod faults;
mod rights;
mod together;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use pilothouse_bed::{Cluster, Servers, Way};
use pilothouse_engine::system_clock;
use pilothouse_kube::{ConfigEnvironment, ConnectOptions, KubeSource};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The clusters, and who asks them.
pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    pub(crate) east: Cluster,
    pub(crate) west: Cluster,
    pub(crate) servers: Servers,
}

type Step = fn(&mut Stage) -> Result<()>;

#[test]
fn an_operator_connects_to_two_clusters() -> Result<()> {
    let servers = Servers::new()?;
    let [east, west] = servers.clusters(["east", "west"])?;
    let mut stage = Stage {
        runtime: Runtime::new()?,
        east,
        west,
        servers,
    };
    let steps: [(&str, Step); 14] = [
        (
            "who may only look is told the missing rule, which helps",
            rights::the_missing_rule_helps,
        ),
        (
            "rights in one namespace are normal",
            rights::in_one_namespace,
        ),
        (
            "each with its own metrics",
            together::each_with_its_own_metrics,
        ),
        (
            "one metric server for both",
            together::one_metric_server_for_both,
        ),
        ("one API server stops", together::one_api_server_stops),
        (
            "a token ends in the middle of a session",
            faults::a_token_ends,
        ),
        (
            "a path that leads nowhere",
            faults::a_path_that_leads_nowhere,
        ),
        ("a plugin does not end", faults::a_plugin_does_not_end),
        (
            "plugins that give nothing",
            faults::plugins_that_give_nothing,
        ),
        (
            "the network comes and goes",
            faults::the_network_comes_and_goes,
        ),
        (
            "secrets of kubeconfigs are told to nobody",
            canary::of_kubeconfigs,
        ),
        (
            "secrets of addresses are told to nobody",
            canary::of_addresses,
        ),
        ("the journal holds no secret", canary::of_the_journal),
        ("another authority", faults::another_authority),
    ];
    for (name, step) in steps {
        step(&mut stage).with_context(|| format!("step: {name}"))?;
    }
    Ok(())
}

impl Stage {
    /// A kubeconfig of a cluster for this user entry.
    pub(crate) fn kubeconfig(cluster: &Cluster, name: &str, user: &Value) -> Result<PathBuf> {
        cluster.write_kubeconfig(name, &cluster.server(Way::Authority)?, user)
    }

    /// The kubeconfig of who may do everything.
    pub(crate) fn admin(cluster: &Cluster) -> Result<PathBuf> {
        Self::kubeconfig(cluster, "admin", &json!({"token": cluster.token("admin")}))
    }
}

/// What a kubeconfig is connected with: nothing of this process's environment.
pub(crate) fn options(kubeconfig: PathBuf) -> ConnectOptions {
    ConnectOptions {
        kubeconfig: vec![kubeconfig],
        environment: ConfigEnvironment {
            path: Some("/usr/bin:/bin".into()),
            ..ConfigEnvironment::default()
        },
        ..ConnectOptions::default()
    }
}

/// A source, as the current context names it.
pub(crate) fn connect(options: ConnectOptions) -> Result<KubeSource> {
    KubeSource::connect(options, system_clock())
        .map_err(|error| anyhow::anyhow!("{}", error.message))
}
