//! Words of flows: who calls whom, with what outcome, as seen by which proxy.

use crate::world::{Protocol, ServiceIndex, WorkloadIndex};

/// Envoy's response flags that happen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flag {
    None,
    /// Injected answer.
    Abort,
    /// Injected delay.
    Delay,
    /// The route's or the try's timeout.
    Timeout,
    /// The cluster (subset) is not defined.
    NoCluster,
    /// No endpoint is ready.
    NoHealthy,
    /// Failed after the last retry.
    RetriesExhausted,
    /// No route.
    NoRoute,
}

impl Flag {
    pub(crate) const ALL: [Self; 8] = [
        Self::None,
        Self::Abort,
        Self::Delay,
        Self::Timeout,
        Self::NoCluster,
        Self::NoHealthy,
        Self::RetriesExhausted,
        Self::NoRoute,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::Abort => "FI",
            Self::Delay => "DI",
            Self::Timeout => "UT",
            Self::NoCluster => "NC",
            Self::NoHealthy => "UH",
            Self::RetriesExhausted => "URX",
            Self::NoRoute => "NR",
        }
    }
}

/// How a request ended, as a proxy reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outcome {
    /// HTTP status.
    pub(crate) code: u16,
    /// gRPC status; `None` for HTTP.
    pub(crate) grpc: Option<u16>,
    pub(crate) flag: Flag,
}

impl Outcome {
    pub(crate) fn ok(protocol: Protocol) -> Self {
        Self {
            code: 200,
            grpc: (protocol == Protocol::Grpc).then_some(0),
            flag: Flag::None,
        }
    }

    /// A proxy's or an app's HTTP status; to a gRPC client a failure is 200 with the gRPC status that stands for it.
    pub(crate) fn status(protocol: Protocol, code: u16, flag: Flag) -> Self {
        if protocol != Protocol::Grpc {
            return Self {
                code,
                grpc: None,
                flag,
            };
        }
        let grpc = match code {
            200..=299 => 0,
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            _ => 2,
        };
        Self::grpc(grpc, flag)
    }

    pub(crate) const fn grpc(status: u16, flag: Flag) -> Self {
        Self {
            code: 200,
            grpc: Some(status),
            flag,
        }
    }

    pub(crate) const fn flagged(self, flag: Flag) -> Self {
        Self { flag, ..self }
    }

    /// Whether the caller's request may fail with it: 5xx or a gRPC status. A 404 is an answer.
    pub(crate) const fn failed(self) -> bool {
        self.code >= 500 || matches!(self.grpc, Some(status) if status != 0)
    }
}

/// Identity of a row of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlowKey {
    /// Reported by the callee's proxy (`destination`), else by the caller's.
    pub(crate) seen_by_callee: bool,
    pub(crate) from: WorkloadIndex,
    pub(crate) service: ServiceIndex,
    /// The version that answered; `None` if nobody did, or nobody with a proxy.
    pub(crate) to: Option<WorkloadIndex>,
    /// `None` in rows of messages and bytes.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) plain_text: bool,
}

/// Number of a gRPC status by its name, as fault rules write it.
pub(crate) fn grpc_status(name: &str) -> Option<u16> {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    NAMES
        .iter()
        .position(|known| *known == name)
        .and_then(|index| u16::try_from(index).ok())
}
