//! Both clusters in one picture: each goes on, or stops, by its own name.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use pilothouse_api::Api;
use pilothouse_bed::{DataSet, Feed, MetricServer, PrometheusVersion};

use super::Stage;
use crate::operator::Operator;

const SOON: Duration = Duration::from_secs(30);

/// The metrics of both clusters, whose ratings are called by the other's reviews.
struct Metrics {
    east: MetricServer,
    west: MetricServer,
    _feeds: [Feed; 2],
}

impl Metrics {
    fn start(stage: &Stage, name: &str) -> Result<Self> {
        let start = |cluster: &str| {
            let labels = [("prometheus", cluster)];
            let name = format!("{name}-{cluster}");
            stage
                .servers
                .prometheus(&name, PrometheusVersion::Two, &labels)
        };
        let (east, west) = (start("east")?, start("west")?);
        let feeds = [
            Feed::start(DataSet::new("east").with_peer("west"), &[&east])?,
            Feed::start(DataSet::new("west").with_peer("east"), &[&west])?,
        ];
        Ok(Self {
            east,
            west,
            _feeds: feeds,
        })
    }
}

pub(super) fn each_with_its_own_metrics(stage: &mut Stage) -> Result<()> {
    let metrics = Metrics::start(stage, "own")?;
    let api = both(stage, &metrics.east.url(), &metrics.west.url())?.1;
    is_whole(&api)
}

/// One Thanos over both: asked once, and nothing is counted twice.
pub(super) fn one_metric_server_for_both(stage: &mut Stage) -> Result<()> {
    let metrics = Metrics::start(stage, "shared")?;
    let over = [&metrics.east, &metrics.west];
    let thanos = stage.servers.thanos("thanos", &over)?;
    let api = both(stage, &thanos.url(), &thanos.url())?.1;
    is_whole(&api)
}

pub(super) fn one_api_server_stops(stage: &mut Stage) -> Result<()> {
    let metrics = Metrics::start(stage, "stops")?;
    let (operator, api) = both(stage, &metrics.east.url(), &metrics.west.url())?;
    let west = stage.west.api_server();
    stage.servers.kill(&west)?;
    operator.runtime.block_on(api.load());
    for (context, name, expected) in [
        ("east", "control-plane", "ok"),
        ("east", "metrics", "ok"),
        ("west", "metrics", "ok"),
    ] {
        let state = state_of(&api, context, name)?.0;
        ensure!(state == expected, "{name} of {context} is {state}");
    }
    let (state, error) = state_of(&api, "west", "control-plane")?;
    ensure!(
        state == "stale" && error.contains("refused"),
        "{state}: {error}"
    );
    is_in_the_picture(&api)?;
    stage.servers.restart(&west)?;
    stage.servers.await_api_server(&stage.west)?;
    stage.servers.wait_until("west to be back", SOON, || {
        operator.runtime.block_on(api.load());
        let (state, error) = state_of(&api, "west", "control-plane")?;
        ensure!(state == "ok", "{state}: {error}");
        Ok(Some(()))
    })
}

/// Both contexts open, with metrics at these addresses.
fn both(stage: &Stage, east: &str, west: &str) -> Result<(Operator, Api)> {
    let files: Vec<PathBuf> = [&stage.east, &stage.west]
        .map(Stage::admin)
        .into_iter()
        .collect::<Result<_>>()?;
    let files: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let operator = Operator::with(&files)?;
    operator.settings(&format!(
        "[context.east]\nmetrics = {{ address = \"{east}\" }}\n\
         [context.west]\nmetrics = {{ address = \"{west}\" }}\n"
    ))?;
    let looks = vec![operator.look("east")?, operator.look("west")?];
    let api = operator.open(looks)?;
    operator.runtime.block_on(api.load());
    Ok((operator, api))
}

/// Every source answers, and both meshes are drawn.
fn is_whole(api: &Api) -> Result<()> {
    for context in ["east", "west"] {
        for name in ["control-plane", "metrics"] {
            let (state, error) = state_of(api, context, name)?;
            ensure!(state == "ok", "{name} of {context}: {state} {error}");
        }
    }
    is_in_the_picture(api)
}

/// What goes to reviews of each cluster is what was counted there, once.
fn is_in_the_picture(api: &Api) -> Result<()> {
    let graph = api.latest().graph;
    for cluster in ["east", "west"] {
        let reviews = |id: &str| {
            let mut nodes = graph.nodes.iter();
            nodes.any(|node| {
                node.id == id && node.cluster == cluster && node.app.as_deref() == Some("reviews")
            })
        };
        let to_reviews = graph.edges.iter().filter(|edge| reviews(&edge.target));
        let rate: f64 = to_reviews.filter_map(|edge| edge.rate).sum();
        let expected = DataSet::rate_to("reviews");
        ensure!(
            (rate - expected).abs() < 0.1 * expected,
            "{rate} to reviews of {cluster} instead of {expected}: {:#?}",
            graph.edges
        );
    }
    Ok(())
}

/// State and failure of a source of a context.
fn state_of(api: &Api, context: &str, name: &str) -> Result<(String, String)> {
    let sources = api.latest().graph.sources;
    let found = sources
        .iter()
        .find(|source| source.context == context && source.name == name);
    let source = found.with_context(|| format!("no {name} of {context}: {sources:#?}"))?;
    let error = source.error.as_ref().map(|error| format!("{error:?}"));
    Ok((source.state.clone(), error.unwrap_or_default()))
}
