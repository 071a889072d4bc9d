//! The only surface for shells: queries, mutations and the update stream, with their DTOs and error codes.
//!
//! [`Api`] is a thin facade over the engine. It turns domain values into the stable shapes of [`dto`], and every failure
//! into an [`dto::ApiError`] with a code from a closed list. Nothing is decided here.

mod api;
pub mod bindings;
mod connector;
mod convert;
mod document;
pub mod dto;
mod duration;
mod link;
mod registry;
mod report;
mod rights;
mod subscription;
mod workspace;

pub use api::{Api, GraphQuery, clock_at};
pub use connector::{Connecting, Connector, Offer, Opened};
pub use convert::{code_of, dot, exit_code, rfc3339};
pub use document::{ValidateView, validate_text, yaml};
pub use duration::parse_duration;
pub use link::{Link, LinkError, Place};
pub use registry::{COMMANDS, Command, dispatch};
pub use report::{report, state_word};
pub use subscription::Subscription;
pub use workspace::Workspace;
