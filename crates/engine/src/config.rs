//! Settings of one engine, with their defaults in one place.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_core::graph::{
    AmbientTraffic, GraphRequest, GraphType, GrpcTraffic, HttpTraffic, LatencyStat, TcpTraffic,
};
use pilothouse_core::layout::Layout;
use pilothouse_core::model::{Moment, Thresholds, TimeSpan};
use tokio::time::Instant;

/// What kind of cluster this is: colours the frame and decides how much it takes to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// The embedded mesh: nothing here is real, writes need no arming.
    Demo,
    /// Its class asks for care: arming asks for the name to be typed.
    Production,
    /// Any other real cluster: arming is one key.
    #[default]
    Normal,
}

impl Class {
    /// Its stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Production => "production",
            Self::Normal => "normal",
        }
    }
}

/// Settings of an engine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Context's name.
    pub context: String,
    /// Kind of cluster.
    pub class: Class,
    /// Word of the class, for people; may be empty.
    pub class_label: String,
    /// Colour of its frame, `#rrggbb` or a word of the settings' palette; `None` is the plain one.
    pub colour: Option<String>,
    /// Time between ticks of the metrics.
    pub tick: Duration,
    /// A moment that the ticks keep time with: engines of one window share it, so that their numbers come together. `None`
    /// counts from the engine's own start.
    pub beat: Option<Instant>,
    /// Window of every rate, until it is changed.
    pub window: TimeSpan,
    /// Namespaces; empty = all.
    pub namespaces: Vec<String>,
    /// From where on something is degraded or failing.
    pub thresholds: Thresholds,
    /// How long an arming lasts.
    pub armed_for: TimeSpan,
    /// Refuse every write, whatever else is said.
    pub read_only: bool,
    /// File of the journal; `None` keeps it in memory (demo).
    pub journal: Option<PathBuf>,
    /// Where the cards stood in an earlier run; `None` arranges them anew.
    pub layout: Option<Arc<Layout>>,
}

impl EngineConfig {
    /// Defaults for this context: window 1 m, tick 10 s, armed for 15 m.
    #[must_use]
    pub fn new(context: impl Into<String>, class: Class) -> Self {
        Self {
            context: context.into(),
            class,
            class_label: match class {
                Class::Demo | Class::Production => class.as_str().to_owned(),
                Class::Normal => String::new(),
            },
            colour: (class == Class::Demo).then(|| "pink".to_owned()),
            tick: Duration::from_secs(10),
            beat: None,
            window: TimeSpan::seconds(60),
            namespaces: Vec::new(),
            thresholds: Thresholds::default(),
            armed_for: TimeSpan::seconds(15 * 60),
            read_only: false,
            journal: None,
            layout: None,
        }
    }

    /// The request behind the live graph: canonical services, p95, idle ones too.
    #[must_use]
    pub fn live_request(&self, window: TimeSpan, at: Moment) -> GraphRequest {
        GraphRequest {
            graph_type: GraphType::App,
            service_nodes: false,
            namespaces: self.namespaces.clone(),
            window,
            at,
            http: HttpTraffic::Requests,
            grpc: GrpcTraffic::Requests,
            tcp: TcpTraffic::Sent,
            idle_edges: false,
            idle_nodes: true,
            ambient: AmbientTraffic::None,
            latency: vec![LatencyStat::P95],
            thresholds: self.thresholds,
        }
    }
}
