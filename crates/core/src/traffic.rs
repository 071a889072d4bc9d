//! Steering: which splits are declared, what a change would do, and the patch that does it and undoes it.
//!
//! [`Split`]s are read from VirtualServices and HTTPRoutes; [`ShiftPlan`] is the only way to a write. Pure: the engine runs
//! plans, this module only makes and judges them.

mod types;

pub use types::{
    Destination, OpKind, PatchOp, ReadyEndpoints, RouteMatch, ShiftPlan, ShiftRequest, Split,
    SplitId, WeightChange,
};
