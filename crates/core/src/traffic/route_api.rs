//! What a route is in each API that declares routes: where its entries stand in the object, what a weight means there,
//! what tells one destination or entry from another, which entry goes first, and what an entry divides.
//!
//! Everything else asks [`RouteApi`] and never compares kinds or names of fields. Sources: Istio `route.go` and
//! `validation.go`, Gateway API `shared_types.go` and its CRDs.
//!
//! | | VirtualService | Gateway API |
//! |---|---|---|
//! | weight | int32, 0 and above | 0..=1,000,000 |
//! | weight absent, several destinations | 0 | 1 |
//! | a single destination | everything, whatever its weight | everything, but nothing at weight 0 |
//! | all zero | refused at admission | every request answers 500 |
//! | which entry decides | the first that fits | the most specific, then the older object, then the name |

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::view::{list, spec};
use crate::model::ObjectKind;

/// Who defines a kind of routes. Conditions, references and policies are written alike within a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteFamily {
    /// networking.istio.io.
    Istio,
    /// gateway.networking.k8s.io.
    GatewayApi,
}

impl RouteFamily {
    /// The family of a kind; `None` if its objects declare no routes.
    #[must_use]
    pub fn of(kind: ObjectKind) -> Option<Self> {
        RouteApi::of(kind).first().map(|api| api.family())
    }
}

/// The lists of routes of a VirtualService.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IstioSection {
    /// `spec.http`.
    Http,
    /// `spec.tcp`.
    Tcp,
    /// `spec.tls`.
    Tls,
}

/// A list of route entries of one kind of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteApi {
    /// One of the lists of a VirtualService.
    VirtualService(IstioSection),
    /// `spec.rules` of an HTTPRoute.
    HttpRoute,
    /// `spec.rules` of a GRPCRoute.
    GrpcRoute,
    /// `spec.rules` of a TCPRoute.
    TcpRoute,
    /// `spec.rules` of a TLSRoute.
    TlsRoute,
}

/// What the weights of an entry divide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SplitUnit {
    /// Each request by itself.
    Requests,
    /// Connections: what is sent over one stays with its destination.
    Connections,
}

impl SplitUnit {
    /// Every unit.
    pub const ALL: [Self; 2] = [Self::Requests, Self::Connections];
}

/// Which of the entries that fit a request decides about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The first in the order of the object.
    FirstMatch,
    /// The one with the most specific condition, wherever it stands; among equals that of the older object, then by name.
    MostSpecific,
}

/// Which policies an entry may carry beside its destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts of an API, not a state"
)]
pub struct EntryPolicies {
    /// Retries.
    pub retries: bool,
    /// A deadline of the whole request.
    pub timeout: bool,
    /// Copies to a mirror.
    pub mirrors: bool,
    /// Injected delays and aborts.
    pub faults: bool,
}

/// Field of a destination that holds its weight, in every API.
const WEIGHT: &str = "weight";

impl RouteApi {
    /// The lists of entries of a kind, in document order; empty if its objects declare no routes.
    #[must_use]
    pub const fn of(kind: ObjectKind) -> &'static [Self] {
        match kind {
            ObjectKind::VirtualService => &[
                Self::VirtualService(IstioSection::Http),
                Self::VirtualService(IstioSection::Tcp),
                Self::VirtualService(IstioSection::Tls),
            ],
            ObjectKind::HttpRoute => &[Self::HttpRoute],
            ObjectKind::GrpcRoute => &[Self::GrpcRoute],
            ObjectKind::TcpRoute => &[Self::TcpRoute],
            ObjectKind::TlsRoute => &[Self::TlsRoute],
            ObjectKind::Namespace
            | ObjectKind::Service
            | ObjectKind::Deployment
            | ObjectKind::DestinationRule => &[],
        }
    }

    /// The list of that name (`http`, `tcp`, `tls`, `rules`) of a kind.
    #[must_use]
    pub fn named(kind: ObjectKind, section: &str) -> Option<Self> {
        let mut lists = Self::of(kind).iter().copied();
        lists.find(|api| api.section() == section)
    }

    /// Whose API it is.
    #[must_use]
    pub const fn family(self) -> RouteFamily {
        match self {
            Self::VirtualService(_) => RouteFamily::Istio,
            Self::HttpRoute | Self::GrpcRoute | Self::TcpRoute | Self::TlsRoute => {
                RouteFamily::GatewayApi
            }
        }
    }

    /// Field of the `spec` that holds the entries.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::VirtualService(IstioSection::Http) => "http",
            Self::VirtualService(IstioSection::Tcp) => "tcp",
            Self::VirtualService(IstioSection::Tls) => "tls",
            Self::HttpRoute | Self::GrpcRoute | Self::TcpRoute | Self::TlsRoute => "rules",
        }
    }

    /// The entries of a document.
    #[must_use]
    pub fn entries(self, doc: &Value) -> &[Value] {
        list(spec(doc), self.section())
    }

    /// JSON pointer of an entry: `/spec/http/0`.
    #[must_use]
    pub fn entry_path(self, index: usize) -> String {
        format!("/spec/{}/{index}", self.section())
    }

    /// Field of an entry that holds its conditions.
    #[must_use]
    pub const fn conditions_field(self) -> &'static str {
        match self.family() {
            RouteFamily::Istio => "match",
            RouteFamily::GatewayApi => "matches",
        }
    }

    /// Field of an entry that holds its destinations.
    #[must_use]
    pub const fn destinations_field(self) -> &'static str {
        match self.family() {
            RouteFamily::Istio => "route",
            RouteFamily::GatewayApi => "backendRefs",
        }
    }

    /// The destinations of an entry.
    #[must_use]
    pub fn destinations(self, entry: &Value) -> &[Value] {
        list(entry, self.destinations_field())
    }

    /// The weights of an entry as written, in order; `None` where one is absent.
    #[must_use]
    pub fn weights(self, entry: &Value) -> Vec<Option<i64>> {
        let destinations = self.destinations(entry).iter();
        let weight = |item: &Value| item.get(WEIGHT).and_then(Value::as_i64);
        destinations.map(weight).collect()
    }

    /// What an absent weight among several destinations means.
    #[must_use]
    pub const fn default_weight(self) -> i64 {
        match self.family() {
            RouteFamily::Istio => 0,
            RouteFamily::GatewayApi => 1,
        }
    }

    /// What a weight counts for, beside others, as it is written.
    #[must_use]
    pub fn counted(self, weight: Option<i64>) -> i64 {
        weight.unwrap_or(self.default_weight())
    }

    /// The largest weight that the API takes; the smallest is 0 everywhere.
    #[must_use]
    pub const fn max_weight(self) -> i64 {
        match self.family() {
            RouteFamily::Istio => 2_147_483_647,
            RouteFamily::GatewayApi => 1_000_000,
        }
    }

    /// Whether a single destination gets everything whatever its weight, even 0.
    #[must_use]
    pub const fn single_takes_all(self) -> bool {
        matches!(self.family(), RouteFamily::Istio)
    }

    /// Whether people expect weights to be percents, although the API only compares them.
    #[must_use]
    pub const fn percents_by_custom(self) -> bool {
        matches!(self.family(), RouteFamily::Istio)
    }

    /// Shares in 0..=1 that these weights give, in order; `None` for each if nothing is served. A negative weight counts
    /// as zero.
    #[must_use]
    pub fn effective_ratios(self, weights: &[Option<i64>]) -> Vec<Option<f64>> {
        if weights.len() == 1 && self.single_takes_all() {
            return vec![Some(1.0)];
        }
        let weights: Vec<f64> = weights
            .iter()
            .map(|weight| as_f64(self.counted(*weight).max(0)))
            .collect();
        let sum: f64 = weights.iter().sum();
        let share = |weight: f64| (sum > 0.0).then(|| weight / sum);
        weights.into_iter().map(share).collect()
    }

    /// Fields that tell one destination of an entry from another, which may come to stand at its index.
    #[must_use]
    pub const fn destination_identity(self) -> &'static [&'static str] {
        match self.family() {
            // Host, subset and port are one value there.
            RouteFamily::Istio => &["destination"],
            RouteFamily::GatewayApi => &["group", "kind", "name", "namespace", "port"],
        }
    }

    /// Fields that tell one entry from another, which may come to stand at its index.
    #[must_use]
    pub const fn entry_identity(self) -> [&'static str; 2] {
        [self.conditions_field(), "name"]
    }

    /// Which entry goes first.
    #[must_use]
    pub const fn precedence(self) -> Precedence {
        match self.family() {
            RouteFamily::Istio => Precedence::FirstMatch,
            RouteFamily::GatewayApi => Precedence::MostSpecific,
        }
    }

    /// What the weights divide.
    #[must_use]
    pub const fn unit(self) -> SplitUnit {
        match self {
            Self::VirtualService(IstioSection::Http) | Self::HttpRoute | Self::GrpcRoute => {
                SplitUnit::Requests
            }
            Self::VirtualService(IstioSection::Tcp | IstioSection::Tls)
            | Self::TcpRoute
            | Self::TlsRoute => SplitUnit::Connections,
        }
    }

    /// What an entry may carry beside its destinations.
    #[must_use]
    pub const fn policies(self) -> EntryPolicies {
        let (http, mirrors, faults) = match self {
            Self::VirtualService(IstioSection::Http) => (true, true, true),
            Self::HttpRoute => (true, true, false),
            // Neither timeouts nor retry are fields of its rules.
            Self::GrpcRoute => (false, true, false),
            Self::VirtualService(IstioSection::Tcp | IstioSection::Tls)
            | Self::TcpRoute
            | Self::TlsRoute => (false, false, false),
        };
        EntryPolicies {
            retries: http,
            timeout: http,
            mirrors,
            faults,
        }
    }

    /// Status of a request for which there is no destination at all, or whose Service does not exist.
    #[must_use]
    pub const fn status_without_backend(self) -> u16 {
        match self.family() {
            RouteFamily::Istio => 503,
            RouteFamily::GatewayApi => 500,
        }
    }
}

/// JSON pointer of the weight of the destination at `item`.
pub(super) fn weight_path(item: &str) -> String {
    format!("{item}/{WEIGHT}")
}

/// The weight of a destination as it is written, whatever its type.
pub(super) fn written_weight(item: &Value) -> Option<&Value> {
    item.get(WEIGHT)
}

/// JSON pointer of the destination that the weight at `path` belongs to.
pub(super) fn destination_of_weight(path: &str) -> &str {
    let item = path.strip_suffix(WEIGHT).and_then(|p| p.strip_suffix('/'));
    item.unwrap_or(path)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "weights are 32 bit numbers; a larger one is refused elsewhere"
)]
const fn as_f64(weight: i64) -> f64 {
    weight as f64
}

#[cfg(test)]
mod tests;
