//! Three API servers, each with a Prometheus of its own, until standard input ends: what `scripts/idle.mjs` opens at once.
//! Prints one line of JSON: the kubeconfigs, and settings that name each context's metrics.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};

use anyhow::Result;
use pilothouse_bed::{DataSet, Feed, PrometheusVersion, Servers, Way};
use serde_json::json;

fn main() -> Result<()> {
    let servers = Servers::new()?;
    let clusters = servers.clusters(["east", "west", "north"])?;
    let mut kubeconfigs = Vec::new();
    let mut settings = String::new();
    let mut feeds = Vec::new();
    for cluster in &clusters {
        let name = cluster.name();
        let user = json!({"token": cluster.token("admin")});
        let server = cluster.server(Way::Authority)?;
        kubeconfigs.push(cluster.write_kubeconfig("operator", &server, &user)?);
        let prometheus =
            servers.prometheus(&format!("prometheus-{name}"), PrometheusVersion::Two, &[])?;
        writeln!(
            settings,
            "[context.{name}.metrics]\naddress = \"{}\"\n",
            prometheus.url()
        )?;
        feeds.push((Feed::start(DataSet::new(name), &[&prometheus])?, prometheus));
    }
    let mut out = io::stdout();
    writeln!(
        out,
        "{}",
        json!({"kubeconfigs": kubeconfigs, "settings": settings})
    )?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
