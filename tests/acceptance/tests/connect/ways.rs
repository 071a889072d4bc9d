//! From a cluster to its metrics and traces, through nothing but its API server: which servers are found, which one is
//! taken and why, and how its answers come when the proxy or everything is forbidden.
//!
//! In a network namespace of its own, because Kubernetes lets no pod have a loopback address. Controllers and kwok keep the
//! pods; a person writes Deployments and Services, as in a cluster.

mod rooms;
mod servers;

use anyhow::{Context as _, Result, ensure};
use pilothouse_api::dto::LineState;
use pilothouse_bed::{Program, isolated};

use rooms::{Room, Shown};

type Step = fn(&Room) -> Result<()>;

#[test]
fn metrics_and_traces_are_found_and_reached_through_the_api_server() -> Result<()> {
    isolated(
        "ways::metrics_and_traces_are_found_and_reached_through_the_api_server",
        &[
            Program::KubeApiserver,
            Program::Kubectl,
            Program::KubeControllerManager,
            Program::Kwok,
            Program::Prometheus3,
            Program::Thanos,
            Program::VictoriaMetrics,
            Program::Jaeger,
        ],
        || {
            let room = Room::set()?;
            let steps: [(&str, Step); 10] = [
                ("nothing is there", nothing_is_there),
                ("an empty server is not taken", an_empty_server_is_not_taken),
                (
                    "the one with the mesh is taken, and each by its product",
                    the_one_with_the_mesh_is_taken,
                ),
                ("another mesh is not taken", another_mesh_is_not_taken),
                ("half the truth is said", half_the_truth_is_said),
                ("a tenant is asked for", a_tenant_is_asked_for),
                ("traces below a base path", traces_below_a_base_path),
                (
                    "by the proxy with the right to get alone",
                    by_the_proxy_with_get_alone,
                ),
                ("by a forwarded port", by_a_forwarded_port),
                ("the missing rule is said", the_missing_rule_is_said),
            ];
            for (name, step) in steps {
                step(&room).with_context(|| format!("step: {name}"))?;
            }
            Ok(())
        },
    )
}

fn nothing_is_there(room: &Room) -> Result<()> {
    room.look()?
        .says("metrics", LineState::Missing, &["no server of metrics"])?
        .says("traces", LineState::Missing, &["no server of traces"])?
        .says("api_server", LineState::Ok, &["Kubernetes v1.36"])?;
    Ok(())
}

fn an_empty_server_is_not_taken(room: &Room) -> Result<()> {
    let _shown = room.show(&[Shown::prometheus("empty")])?;
    let look = room.look()?;
    look.says("metrics", LineState::Missing, &["1 candidate"])?;
    let empty = look.candidate("metrics", "istio-system/empty")?;
    ensure!(
        empty.product.starts_with("Prometheus 2.") && empty.why.contains("no istio_requests_total"),
        "{empty:#?}"
    );
    Ok(())
}

fn the_one_with_the_mesh_is_taken(room: &Room) -> Result<()> {
    let _shown = room.show(&[
        Shown::prometheus("empty"),
        Shown::prometheus("full"),
        Shown::labelled("thanos", "thanos-query"),
        Shown::labelled("victoria", "vmsingle"),
    ])?;
    let look = room.look()?;
    let because = [
        "istio-system/full:",
        "4 found, this one",
        "app.kubernetes.io/name=prometheus",
        "knows istio_requests_total",
    ];
    look.says("metrics", LineState::Ok, &because)?;
    for (name, product) in [
        ("full", "Prometheus 3.16"),
        ("thanos", "Thanos 0.42"),
        ("victoria", "VictoriaMetrics"),
    ] {
        let one = look.candidate("metrics", &format!("istio-system/{name}"))?;
        ensure!(
            one.product.starts_with(product) && one.state == LineState::Ok,
            "{product} was expected of {one:#?}"
        );
        ensure!(one.chosen == (name == "full"), "{one:#?}");
    }
    room.draws_the_mesh(look, "service proxy")
}

fn another_mesh_is_not_taken(room: &Room) -> Result<()> {
    let _shown = room.show(&[Shown::prometheus("foreign")])?;
    let look = room.look()?;
    look.says("metrics", LineState::Missing, &["1 candidate"])?;
    let foreign = look.candidate("metrics", "istio-system/foreign")?;
    ensure!(
        foreign.why.contains("another mesh") && foreign.why.contains("elsewhere"),
        "{foreign:#?}"
    );
    let use_it = foreign.action.as_ref().context("nothing can be done")?;
    ensure!(use_it.id == "use", "{use_it:?}");
    Ok(())
}

fn half_the_truth_is_said(room: &Room) -> Result<()> {
    let _shown = room.show(&[Shown::prometheus("full"), Shown::prometheus("half")])?;
    let hint = [
        "istio-system/half:",
        "knows istio-system",
        "a server over both",
    ];
    let answer = ["istio-system/full:"];
    let words = [&answer[..], &hint].concat();
    room.look()?.says("metrics", LineState::Note, &words)?;
    Ok(())
}

fn a_tenant_is_asked_for(room: &Room) -> Result<()> {
    let _shown = room.show(&[Shown::mimir("mimir-gateway")])?;
    let look = room.look()?;
    look.says("metrics", LineState::Missing, &["1 candidate"])?;
    let mimir = look.candidate("metrics", "istio-system/mimir-gateway")?;
    ensure!(
        mimir.state == LineState::Forbidden && mimir.why.contains("X-Scope-OrgID"),
        "{mimir:#?}"
    );
    let action = mimir.action.as_ref().context("nothing can be done")?;
    ensure!(action.id == "token", "{action:?}");
    // A tenant is no secret: it may go to whatever is found in the cluster.
    room.operator
        .settings("[context.east]\nmetrics = { tenant = \"shop\" }\n")?;
    let look = room.look()?;
    look.says("metrics", LineState::Ok, &["mimir-gateway:", "/prometheus"])?;
    room.draws_the_mesh(look, "service proxy")?;
    room.operator.settings("")
}

fn traces_below_a_base_path(room: &Room) -> Result<()> {
    let _shown = room.show(&[Shown::jaeger("tracing")])?;
    room.look()?
        .says("traces", LineState::Ok, &["Jaeger", "istio-system/tracing"])?;
    Ok(())
}

/// A query is a POST, which is `create`: whoever may only `get` has the same picture by GETs.
fn by_the_proxy_with_get_alone(room: &Room) -> Result<()> {
    let _shown = room.show(&[Shown::prometheus("full")])?;
    room.may(&["get"], &["services/proxy"])?;
    let look = room.look_as_reader()?;
    look.says("metrics", LineState::Ok, &["istio-system/full:"])?;
    room.draws_the_mesh(look, "service proxy")
}

/// Whoever may forward ports and use no proxy gets the same picture.
fn by_a_forwarded_port(room: &Room) -> Result<()> {
    let _shown = room.show(&[Shown::prometheus("full")])?;
    room.may(&["get", "create"], &["pods/portforward"])?;
    let look = room.look_as_reader()?;
    look.says("metrics", LineState::Ok, &["istio-system/full:"])?;
    room.draws_the_mesh(look, "forward")
}

fn the_missing_rule_is_said(room: &Room) -> Result<()> {
    let _shown = room.show(&[Shown::prometheus("full")])?;
    room.may(&["get"], &[])?;
    let look = room.look_as_reader()?;
    look.says("metrics", LineState::Missing, &["1 candidate"])?;
    let full = look.candidate("metrics", "istio-system/full")?;
    ensure!(
        full.state == LineState::Forbidden
            && full.why.contains("services/proxy")
            && full.why.contains("pods/portforward"),
        "{full:#?}"
    );
    // A token for Prometheus would not help: the cluster refuses.
    let action = full.action.as_ref().context("nothing can be done")?;
    ensure!(action.id == "retry", "{action:?}");
    let rights = look.line("rights")?;
    let yaml = rights.action.as_ref().and_then(|it| it.text.as_deref());
    ensure!(
        yaml.is_some_and(|yaml| yaml.contains("services/proxy")),
        "{rights:#?}"
    );
    Ok(())
}
