//! Words of steering.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::route_api::RouteApi;
use crate::model::{Finding, ObjectRef, Owner};

/// Operation of a JSON Patch (RFC 6902); only those that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OpKind {
    /// Fails the patch unless the value is equal.
    Test,
    /// Sets a leaf that exists.
    Replace,
    /// Sets a leaf that does not.
    Add,
    /// Removes a leaf.
    Remove,
}

/// One operation of a JSON Patch. Serialises to RFC 6902.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatchOp {
    /// What to do.
    pub op: OpKind,
    /// JSON pointer.
    pub path: String,
    /// The value; absent for `Remove`. `null` is a value.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub value: Option<Value>,
}

/// Keeps a written `null` apart from an absent field.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Names one split: an entry of routes in an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "WrittenSplitId", into = "WrittenSplitId")]
pub struct SplitId {
    /// The object.
    pub object: ObjectRef,
    /// The list of its entries that it stands in, and all that is particular to it.
    pub api: RouteApi,
    /// Index of the entry.
    pub route: usize,
}

impl SplitId {
    /// The entry at `route` of the list `section` (`http`, `tcp`, `tls`, `rules`); `None` if objects of the kind have no
    /// such list.
    #[must_use]
    pub fn new(object: ObjectRef, section: &str, route: usize) -> Option<Self> {
        let api = RouteApi::named(object.kind, section)?;
        Some(Self { object, api, route })
    }

    /// JSON pointer of the entry: `/spec/http/0`.
    #[must_use]
    pub fn entry_path(&self) -> String {
        self.api.entry_path(self.route)
    }

    /// JSON pointer of its list of destinations: `/spec/http/0/route`.
    #[must_use]
    pub fn destinations_path(&self) -> String {
        format!("{}/{}", self.entry_path(), self.api.destinations_field())
    }

    /// JSON pointer of one of them.
    #[must_use]
    pub fn destination_path(&self, index: usize) -> String {
        format!("{}/{index}", self.destinations_path())
    }
}

/// A [`SplitId`] as it is written: the kind of the object and the name of the list say which API it is.
#[derive(Serialize, Deserialize)]
struct WrittenSplitId {
    object: ObjectRef,
    section: String,
    route: usize,
}

impl From<SplitId> for WrittenSplitId {
    fn from(id: SplitId) -> Self {
        Self {
            section: id.api.section().to_owned(),
            object: id.object,
            route: id.route,
        }
    }
}

impl TryFrom<WrittenSplitId> for SplitId {
    type Error = String;

    fn try_from(written: WrittenSplitId) -> Result<Self, Self::Error> {
        let WrittenSplitId {
            object,
            section,
            route,
        } = written;
        let kind = object.kind;
        Self::new(object, &section, route)
            .ok_or_else(|| format!("a {kind} has no list of routes called {section:?}"))
    }
}

impl std::fmt::Display for SplitId {
    /// `VirtualService/shop/reviews http[0]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}[{}]", self.object, self.api.section(), self.route)
    }
}

/// Under which condition the entry applies, in words (`prefix /api and header end-user = jason`), and whether it is a
/// catch-all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteMatch {
    /// For people; `all requests` if there is no condition. Of a delegate, together with that of its root.
    pub text: String,
    /// Whether every request that reaches the entry matches.
    pub catch_all: bool,
    /// Whether an earlier entry of the same object (or of a delegate's root) takes every request, so that this one never
    /// matches.
    pub unreachable: bool,
}

/// Ready endpoints behind a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyEndpoints {
    /// Ready replicas.
    pub ready: u32,
    /// Wanted replicas.
    pub wanted: u32,
}

/// Whether what a destination names is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The Service is known, and so is the subset if one is named.
    Found,
    /// Nothing is known of this host: it lies outside the cluster or in a namespace that is not watched.
    Unknown,
    /// The namespace is watched and has no such Service: requests fail with 503.
    NoSuchService,
    /// No DestinationRule that applies defines the subset: requests fail with 503 and flag `NC`.
    NoSuchSubset,
    /// A controller refuses the reference: requests are answered with 500.
    Refused,
}

/// One weighted destination of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// Host as written.
    pub host: String,
    /// Host in full: `reviews.shop.svc.cluster.local`.
    pub fqdn: String,
    /// Kind of the backend where it is no Service (`InferencePool`, `ServiceImport`).
    #[serde(default)]
    pub kind: Option<String>,
    /// It is in another namespace than the route.
    #[serde(default)]
    pub is_elsewhere: bool,
    /// Subset, for a VirtualService.
    pub subset: Option<String>,
    /// Port, if given.
    pub port: Option<u16>,
    /// Weight as written; `None` if the field is absent.
    pub weight: Option<i64>,
    /// Share of requests that the weights give it by the rules of its API, 0..=1; `None` if no request is served (all
    /// zero).
    pub effective_ratio: Option<f64>,
    /// Name to show and to type: the subset, else the host.
    pub name: String,
    /// Canonical revision (label `version` or `service.istio.io/canonical-revision`) that the subset or backend service
    /// selects, where it can be told: joins the destination to metrics and traces.
    pub revision: Option<String>,
    /// Workloads (Deployments, `namespace/name`) that it selects, sorted; empty if none are known.
    pub workloads: Vec<String>,
    /// Ready endpoints; `None` if not known.
    pub ready: Option<ReadyEndpoints>,
    /// Whether what it names is there.
    pub resolution: Resolution,
}

impl Destination {
    /// The host without its namespace.
    pub(super) fn short_name(&self) -> &str {
        self.host.split('.').next().unwrap_or(&self.host)
    }
}

/// A declared split: the weighted destinations of one route entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Which.
    pub id: SplitId,
    /// Hosts that the object claims, in full.
    pub hosts: Vec<String>,
    /// Condition.
    pub matches: RouteMatch,
    /// Its destinations in order.
    pub destinations: Vec<Destination>,
    /// Whether it decides for sidecars in the mesh (false: a gateway-only route or overridden).
    pub in_force: bool,
    /// Whether it does so for clients of every namespace (false: `exportTo` hides it from some, another object decides for
    /// them, or it decides for none).
    pub for_all_clients: bool,
    /// The object that takes its place, if any.
    pub overridden_by: Option<ObjectRef>,
    /// Who would undo a change by hand.
    pub owner: Owner,
    /// Whether a canary controller steers these weights: a change by hand is refused.
    pub steered: bool,
    /// Why requests do not spread by the weights independently of each other (`tcp` routes split connections, a
    /// DestinationRule hashes consistently), so that the observed share need not converge. `None`: they do.
    pub sticky: Option<String>,
    /// resourceVersion of the object that this was read from.
    pub resource_version: String,
    /// What is wrong or odd.
    pub findings: Vec<Finding>,
}

impl Split {
    /// Index of the destination that a shift is about: the one with the smallest share above zero, of equals the last;
    /// else the last of all.
    #[must_use]
    pub fn canary(&self) -> usize {
        let shares = self.destinations.iter().enumerate();
        let served = shares.filter_map(|(index, d)| Some((index, d.effective_ratio?)));
        let served = served.filter(|(_, share)| *share > 0.0);
        let smallest = served.reduce(|best, next| if next.1 <= best.1 { next } else { best });
        let last = self.destinations.len().saturating_sub(1);
        smallest.map_or(last, |(index, _)| index)
    }
}

/// What the operator asks for: new weights by destination name (subset or host), or by position (`#1`
/// is the first).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftRequest {
    /// Which split.
    pub split: SplitId,
    /// New weights; destinations that are not named keep theirs.
    pub weights: Vec<(String, i64)>,
}

/// One changed leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightChange {
    /// Destination name.
    pub destination: String,
    /// JSON pointer of the weight.
    pub path: String,
    /// Before; `None` if absent.
    pub before: Option<i64>,
    /// After; `None` = the field is removed (undo of an added weight).
    pub after: Option<i64>,
}

/// A change, staged: everything that is needed to show, check, write and undo it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShiftPlan {
    /// Which split.
    pub split: SplitId,
    /// resourceVersion that it was planned against.
    pub resource_version: String,
    /// Changed leaves, in document order. Empty: nothing to do.
    pub changes: Vec<WeightChange>,
    /// Effective share of each destination after the change, in order, as `(name, ratio)`.
    pub ratios_after: Vec<(String, Option<f64>)>,
    /// The patch: `test` on resourceVersion and on each touched destination, then the writes.
    pub ops: Vec<PatchOp>,
    /// The patch that takes it back: `test` on the weights that we wrote (not on resourceVersion), then the old weights.
    pub inverse: Vec<PatchOp>,
    /// The document before.
    pub before: Value,
    /// The document after, by our own reckoning; the server's dry run must agree.
    pub after: Value,
    /// Errors refuse the plan; warnings must be shown.
    pub findings: Vec<Finding>,
}
