//! Words of traces. Times are nanoseconds since the Unix epoch in `u64` (they exceed 2^53: never send them to a
//! JavaScript number; send offsets from the trace's start).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::flags::flags_fail;
/// 128-bit trace id; 64-bit ids are left-padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TraceId(pub u128);

impl TraceId {
    /// Reads 1 to 32 hexadecimal digits, either case; `None` if it is anything else or zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex =
            !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let id = if hex {
            u128::from_str_radix(text, 16).ok()?
        } else {
            0
        };
        (id != 0).then_some(Self(id))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// 64-bit span id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SpanId(pub u64);

impl SpanId {
    /// Reads 1 to 16 hexadecimal digits; `None` if it is anything else or zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex =
            !text.is_empty() && text.len() <= 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let id = if hex {
            u64::from_str_radix(text, 16).ok()?
        } else {
            0
        };
        (id != 0).then_some(Self(id))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// OpenTelemetry span kind.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Not said.
    #[default]
    Unspecified,
    /// Inside a service.
    Internal,
    /// Serves a call.
    Server,
    /// Makes a call.
    Client,
    /// Sends a message.
    Producer,
    /// Takes a message.
    Consumer,
}

/// Outcome of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanStatus {
    /// Not said.
    #[default]
    Unset,
    /// Said to be fine.
    Ok,
    /// Erroneous by any of the rules in [`Span::is_error`].
    Error,
}

/// An attribute's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// true or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// Lists and maps as the backend's JSON.
    Json(serde_json::Value),
}

impl Value {
    /// The value as text, as a search by attribute compares it.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.text().into_owned()
    }

    /// The same, borrowed where the value is text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Bool(b) => Cow::Owned(b.to_string()),
            Self::Int(i) => Cow::Owned(i.to_string()),
            Self::Float(f) => Cow::Owned(f.to_string()),
            Self::Text(t) => Cow::Borrowed(t),
            Self::Json(j) => Cow::Owned(j.to_string()),
        }
    }
}

/// Something that happened inside a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanEvent {
    /// When, ns since the epoch.
    pub time_ns: u64,
    /// What.
    pub name: String,
    /// More about it.
    pub attributes: BTreeMap<String, Value>,
}

/// One span as the backend gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its id. May repeat inside a trace (shared client/server ids, repeated exports): analysis sorts it out.
    pub id: SpanId,
    /// Its parent's id; `None` for a root.
    pub parent: Option<SpanId>,
    /// Service name (`service.name`, `reviews.shop`).
    pub service: String,
    /// Operation.
    pub operation: String,
    /// Kind.
    pub kind: SpanKind,
    /// Start, ns since the epoch; 0 if the backend had none.
    pub start_ns: u64,
    /// Duration in ns.
    pub duration_ns: u64,
    /// Status as the backend said it; see [`Span::is_error`] for the verdict.
    pub status: SpanStatus,
    /// Attributes of the span, names as they came.
    pub attributes: BTreeMap<String, Value>,
    /// Attributes of its resource (process).
    pub resource: BTreeMap<String, Value>,
    /// Events, in time order.
    pub events: Vec<SpanEvent>,
    /// Links to other traces.
    pub links: Vec<(TraceId, SpanId)>,
    /// Warnings of the backend about this span.
    pub warnings: Vec<String>,
}

impl Span {
    /// First attribute of these names, as text: for names of two generations (`http.status_code`,
    /// `http.response.status_code`).
    #[must_use]
    pub fn attribute(&self, names: &[&str]) -> Option<String> {
        self.text(names).map(Cow::into_owned)
    }

    /// The same, borrowed where the value is text.
    #[must_use]
    pub fn text(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        let value = names.iter().find_map(|name| self.attributes.get(*name));
        value.map(Value::text)
    }

    /// HTTP status code, either generation of names.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.text(&["http.response.status_code", "http.status_code"])?
            .parse()
            .ok()
    }

    /// Envoy's response flags, if any are set (`-` and empty count as none).
    #[must_use]
    pub fn response_flags(&self) -> Option<String> {
        self.text(&["response_flags"])
            .filter(|flags| !flags.is_empty() && flags != "-")
            .map(Cow::into_owned)
    }

    /// Whether this span failed: status error, `error` true, HTTP >= 500 (any side) or >= 400 (client), a gRPC status other
    /// than 0, or response flags that end a request.
    #[must_use]
    pub fn is_error(&self) -> bool {
        let http = self
            .http_status()
            .is_some_and(|code| code >= 500 || (code >= 400 && self.kind == SpanKind::Client));
        let flagged = self
            .text(&["error"])
            .is_some_and(|e| e.eq_ignore_ascii_case("true"));
        let grpc = self
            .text(&["grpc.status_code", "rpc.grpc.status_code"])
            .is_some_and(|code| {
                !code.is_empty() && code != "0" && !code.eq_ignore_ascii_case("ok")
            });
        self.status == SpanStatus::Error
            || flagged
            || http
            || grpc
            || self
                .response_flags()
                .is_some_and(|flags| flags_fail(&flags))
    }

    /// End, ns since the epoch.
    #[must_use]
    pub const fn end_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.duration_ns)
    }
}

/// A trace as the backend gave it; spans in any order.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans.
    pub spans: Vec<Span>,
    /// The backend said that this is not all of it.
    pub partial: bool,
    /// Warnings of the backend.
    pub warnings: Vec<String>,
}

/// A service's part in a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceService {
    /// Service name.
    pub name: String,
    /// Its spans.
    pub spans: usize,
    /// Its erroring spans.
    pub errors: usize,
}

/// A trace as one line of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSummary {
    /// Its id.
    pub id: TraceId,
    /// Service of the root span (of the first span, if the root is missing).
    pub root_service: String,
    /// Operation of the root span.
    pub root_operation: String,
    /// First start, ns since the epoch.
    pub start_ns: u64,
    /// First start to last end.
    pub duration_ns: u64,
    /// Number of spans.
    pub spans: usize,
    /// Number of erroring spans.
    pub errors: usize,
    /// Number of spans whose parent is missing.
    pub orphans: usize,
    /// Services, most spans first, then by name.
    pub services: Vec<TraceService>,
    /// Canonical revisions seen, as `service@revision`, sorted: tells canary from stable.
    pub revisions: Vec<String>,
}
