//! What `graph` draws, in the words of the command line.

use std::sync::Arc;

use pilothouse_core::graph::{GraphRequest, GraphType, LatencyStat};
use pilothouse_core::model::{Moment, TimeSpan};
use pilothouse_engine::{Clock, Engine};

use crate::convert::bad_request;
use crate::dto::ApiError;

/// What `graph` draws; everything that is not said is as on the Mesh screen.
#[derive(Clone, Debug)]
pub struct GraphQuery {
    /// The whole request.
    pub request: GraphRequest,
}

impl GraphQuery {
    /// The live graph's request as of now, to be changed where wanted.
    #[must_use]
    pub fn live(engine: &Engine) -> Self {
        Self {
            request: engine.config().live_request(engine.window(), engine.now()),
        }
    }

    /// Another identity of nodes: `workload`, `app`, `versioned-app`, `service`.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn graph_type(mut self, name: &str) -> Result<Self, ApiError> {
        self.request.graph_type = match name {
            "workload" => GraphType::Workload,
            "app" => GraphType::App,
            "versioned-app" => GraphType::VersionedApp,
            "service" => GraphType::Service,
            other => return Err(bad_request(format!("`{other}` is no graph type"))),
        };
        Ok(self)
    }

    /// Which latencies: a list of `avg`, `p50`, `p95`, `p99`, or `none` alone.
    ///
    /// # Errors
    /// If one is none of these.
    pub fn latency(mut self, names: &[String]) -> Result<Self, ApiError> {
        let parse = |name: &String| match name.as_str() {
            "avg" => Ok(LatencyStat::Avg),
            "p50" => Ok(LatencyStat::P50),
            "p95" => Ok(LatencyStat::P95),
            "p99" => Ok(LatencyStat::P99),
            other => Err(bad_request(format!(
                "`{other}` is no latency: write avg, p50, p95, p99 or none"
            ))),
        };
        let asked = if names == ["none"] { &[] } else { names };
        self.request.latency = asked.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Length of the rate window; `None` leaves it.
    #[must_use]
    pub fn window(mut self, milliseconds: Option<i64>) -> Self {
        if let Some(milliseconds) = milliseconds {
            self.request.window = TimeSpan(milliseconds);
        }
        self
    }

    /// Moment of the numbers, RFC 3339.
    ///
    /// # Errors
    /// If the text is none.
    pub fn at_rfc3339(mut self, text: &str) -> Result<Self, ApiError> {
        self.request.at = parse_moment(text)?;
        Ok(self)
    }

    /// Which traffic is drawn, in the words of the command line.
    ///
    /// # Errors
    /// If a word is not one of its list.
    pub fn traffic(
        mut self,
        http: &str,
        grpc: &str,
        tcp: &str,
        ambient: &str,
    ) -> Result<Self, ApiError> {
        self.request.http = word("HTTP traffic", http)?;
        self.request.grpc = word("gRPC traffic", grpc)?;
        self.request.tcp = word("TCP traffic", tcp)?;
        self.request.ambient = word("ambient traffic", ambient)?;
        Ok(self)
    }

    /// Service nodes between callers and workloads; edges and nodes without traffic.
    #[must_use]
    pub fn shape(mut self, service_nodes: bool, idle_edges: bool, idle_nodes: bool) -> Self {
        self.request.service_nodes = service_nodes;
        self.request.idle_edges = idle_edges;
        self.request.idle_nodes = idle_nodes;
        self
    }
}

/// A clock that stands still at a moment (RFC 3339), for replays.
///
/// # Errors
/// If the text is no moment.
pub fn clock_at(text: &str) -> Result<Clock, ApiError> {
    let at = parse_moment(text)?;
    Ok(Arc::new(move || at))
}

pub(super) fn parse_moment(text: &str) -> Result<Moment, ApiError> {
    let wrong = |_| bad_request(format!("`{text}` is no moment: write 2026-01-31T12:00:00Z"));
    let at: jiff::Timestamp = text.parse().map_err(wrong)?;
    Ok(Moment(at.as_millisecond()))
}

/// Reads one word of a closed list by its serialised name.
fn word<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, ApiError> {
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value)
        .map_err(|error| bad_request(format!("`{text}` is no {what}: {error}")))
}
