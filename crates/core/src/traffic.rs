//! Steering: which splits are declared, what a change would do, and the patch that does it and undoes it.
//!
//! [`Split`]s are read from VirtualServices and HTTPRoutes ([`read_splits`]); [`ShiftPlan`] is the only way to a write. Pure:
//! the engine runs plans, this module only makes and judges them. [`routes_for`] answers the other question, what a client
//! meets when it calls a host; the demo mesh obeys the declared objects through it.

mod backing;
mod checks;
mod comparable;
mod condition;
mod converge;
mod count;
mod delegate;
mod hosts;
mod in_force;
mod observe;
mod owner;
mod patch;
mod plan;
mod rivals;
mod route;
mod route_api;
#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "literals read better without borrows"
)]
mod samples;
mod splits;
mod status;
mod target;
mod types;
mod undo;
mod validate;
mod view;

pub use comparable::{Incomparable, comparable};
pub use condition::{Condition, RequestFacts, StringMatch};
pub use converge::{Band, Convergence, Phase, WINDOWS_NEEDED};
pub use count::{Counted, count_requests, late_targets};
pub use hosts::{CLUSTER_DOMAIN, ROOT_NAMESPACE, full_host, host_covers, service_host, service_of};
pub use observe::{ObservedDestination, observe_split, unserved};
pub use patch::{PatchFailure, apply_ops};
pub use plan::{PlanError, plan_shift};
pub use route::{
    Abort, Delay, EffectiveRoute, Mirror, Retries, RouteAction, RouteEntry, Router, Selection,
    Target, routes_for,
};
pub use route_api::{EntryPolicies, IstioSection, Precedence, RouteApi, RouteFamily, SplitUnit};
pub use splits::read_splits;
pub use types::{
    Destination, OpKind, PatchOp, ReadyEndpoints, Resolution, RouteMatch, ShiftPlan, ShiftRequest,
    Split, SplitId, WeightChange,
};
pub use undo::{LeafConflict, plan_undo};
pub use validate::validate_documents;
