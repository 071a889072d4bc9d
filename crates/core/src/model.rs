//! The words of the field: objects, moments, health, findings, and how a source fails.
//!
//! Plain data only; whoever decides something lives in a sibling module.

mod context;
mod finding;
mod health;
mod object;
mod source;
mod time;

pub use context::{ContextName, NoContextName};
pub use finding::{Finding, Severity};
pub use health::{Health, Thresholds};
pub use object::{Manager, Object, ObjectKind, ObjectRef, Owner, OwnerReference};
pub use source::{SourceError, SourceErrorKind, SourceKind};
pub use time::{Moment, Span as TimeSpan};
